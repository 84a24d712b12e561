"""
Transfer: what a network has learnt elsewhere
=============================================

A network that has learnt some garments knows edges and shapes that others have too. Here a small
network learns five classes from many images, and five other classes are learnt from few. The same
works with networks trained on ImageNet, ``weights="imagenet"``, which are downloaded at the first
fit, and with photos.
"""

# %%
# The network that is transferred
# -------------------------------
#
# It has seen T-shirts, trousers, pullovers, dresses and coats, and nothing else.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from fashionkit import (
    BackboneFeatures,
    CNNClassifier,
    TransferClassifier,
    make_garments,
)

X, y = make_garments(4000, random_state=0)
known = y < 5
source = CNNClassifier.from_recipe("fast", epochs=4, random_state=0)
source.fit(X[known][:1500], y[known][:1500])

# %%
# Five other classes, from few images
# -----------------------------------
#
# Three ways to learn sandals, shirts, sneakers, bags and ankle boots: a logistic regression on frozen
# features, fine-tuning, and a network from scratch. A frozen estimator stays fitted when scikit-learn
# clones what holds it.

X_new, y_new = X[~known], y[~known]
X_test, y_test = X_new[1000:], y_new[1000:]
frozen = FrozenEstimator(source)
models = {
    "frozen features": make_pipeline(
        BackboneFeatures(
            weights=frozen, pooling="grid", grid=2, power=0.5
        ),
        LogisticRegression(max_iter=1000),
    ),
    "fine-tuned": TransferClassifier(
        weights=frozen,
        pooling="grid",
        grid=2,
        epochs=20,
        learning_rate=0.003,
        fine_tune="all",
        random_state=0,
    ),
    "from scratch": CNNClassifier.from_recipe(
        "fast", epochs=20, batch_size=16, random_state=0
    ),
}
sizes = (20, 50, 150, 500)
scores = {
    name: [
        model.fit(X_new[:size], y_new[:size]).score(X_test, y_test)
        for size in sizes
    ]
    for name, model in models.items()
}

# %%
# With twenty images the frozen features are ahead. With more the network from scratch overtakes
# them: these are drawings, which are soon learnt, and five kinds of drawings teach little about
# others. Networks trained on ImageNet have seen a million photos, and stay ahead on photos with
# hundreds of images; the benchmarks in the documentation have the figures.

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, accuracies in scores.items():
    ax.semilogx(
        sizes, 100 * np.array(accuracies), marker="o", label=name
    )
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.set(xlabel="training images, of five classes", ylabel="accuracy (%)")
ax.grid(alpha=0.3)
ax.legend()
plt.show()
