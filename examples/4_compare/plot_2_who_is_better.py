"""
Who is really better?
=====================

One model is right on 88.5 % of the test images, another on 87.9 %. Is the first one better, or was it lucky with
these images? That depends on how many there are, and on how often the two disagree.
"""

# %%
# Three models
# ------------
# They are fitted once, on the same images.

from sklearn.frozen import FrozenEstimator

from fashionkit import (
    compare_models,
    fetch_fashion_mnist,
    make_garments,
    make_model,
)

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(10_000, random_state=0)
    X_test, y_test = make_garments(3_000, random_state=1)
X, y = X[:5_000], y[:5_000]

models = {
    "gradients, neighbours": make_model("hog-knn", random_state=0),
    "pixels, neighbours": make_model("pixels-knn", random_state=0),
    "pixels, forest": make_model("pixels-forest", random_state=0),
}
fitted = {
    name: FrozenEstimator(model.fit(X, y))
    for name, model in models.items()
}

# %%
# One test set
# ------------
# The table has a row for each pair. ``p_holm`` is McNemar's test, which looks at the images of which only one of the two
# is right, corrected for the number of pairs; below 0.05, a difference is more than chance. A p value cannot say that
# two models are equal. The last three columns can: the probabilities that the first is better by more than ``margin``,
# equal in practice, or worse.

small = compare_models(
    fitted, X, y, X_test=X_test[:500], y_test=y_test[:500]
)
columns = ["first", "second", "difference", "p_holm"]
columns += ["p_better", "p_equal", "p_worse"]
small.pairwise(margin=0.005)[columns].round(3)

# %%
# More images, more certainty
# ---------------------------
# The same models on 100 to 3,000 test images. Each line is the 95 % interval of the difference of two models, by the
# images of which only one is right. Where it crosses zero, these images cannot say who is better. Ten times the images
# make it a third as wide: that is what a claim of half a point costs.

import matplotlib.pyplot as plt
import numpy as np

large = compare_models(
    fitted, X, y, X_test=X_test[:3_000], y_test=y_test[:3_000]
)
right = {
    name: (predictions == y_test[:3_000]).astype(float)
    for name, predictions in large.predictions_.items()
}
sizes = [100, 300, 1_000, 3_000]
pairs = large.pairwise()[["first", "second"]].to_numpy()
# sphinx_gallery_thumbnail_number = 1
figure, axes = plt.subplots(
    1, len(pairs), figsize=(10, 3.2), sharex=True, layout="constrained"
)
for ax, (first, second) in zip(axes, pairs, strict=True):
    for row, size in enumerate(sizes):
        gain = 100 * (right[first] - right[second])[:size]
        half = 1.96 * gain.std() / np.sqrt(size)
        is_clear = abs(gain.mean()) > half
        ax.errorbar(
            gain.mean(),
            row,
            xerr=half,
            fmt="o",
            capsize=3,
            color="tab:blue" if is_clear else "tab:orange",
        )
    ax.axvline(0, color="gray", lw=1)
    ax.set_yticks(range(4), [f"{size:,}" for size in sizes])
    ax.set(xlabel="difference (percentage points)", ylim=(3.5, -0.5))
    ax.set_title(f"{first}\nminus {second}", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("test images")

# %%
# In words
# --------
# What the 3,000 images say of each two neighbours of the ranking:

from textwrap import fill

for sentence in large.verdicts():
    print(fill(sentence, 76), end="\n\n")

# %%
# Other training images
# ---------------------
# All of this holds for the models as they were trained. Whether the *method* is better shows only when the training
# images change, too: in folds. They share training images, which a plain t test ignores; the table has the corrected
# test of Nadeau and Bengio.

from sklearn.model_selection import StratifiedShuffleSplit

from fashionkit.plotting import PairwiseDisplay

folds = compare_models(
    models,
    X[:2_000],
    y[:2_000],
    cv=StratifiedShuffleSplit(5, test_size=0.2, random_state=0),
)
folds.pairwise(margin=0.005)[columns].round(3)

# %%
# The same as a picture, in which each row is compared with each column:

_ = PairwiseDisplay.from_comparison(folds)
