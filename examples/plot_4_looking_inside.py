"""
Looking inside a classifier
===========================

An accuracy says how often a model is wrong. This page asks where: which classes it takes
for each other, which single images it gets most wrong, and which part of an image it
looks at.
"""

# %%
from sklearn.model_selection import train_test_split

from fashionkit import (
    CLASS_NAMES,
    CNNClassifier,
    fetch_fashion_mnist,
    make_garments,
    most_confused,
    worst_mistakes,
)
from fashionkit.plotting import (
    MistakesDisplay,
    TrainingHistoryDisplay,
    plot_explanations,
    plot_samples,
)

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
except OSError:
    X, y = make_garments(6_000, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(
    X[:6_000],
    y[:6_000],
    test_size=1_000,
    stratify=y[:6_000],
    random_state=0,
)

clf = CNNClassifier(
    epochs=6, validation_fraction=0.2, random_state=0
).fit(X_train, y_train)
_ = TrainingHistoryDisplay.from_estimator(clf)

# %%
# Which classes are taken for which
# ---------------------------------
# A confusion matrix has a hundred numbers. These are the largest of those beside its
# diagonal; ``fraction`` is relative to all images of the true class.

most_confused(
    y_test, clf.predict(X_test), n_pairs=6, class_names=CLASS_NAMES
)

# %%
# The worst mistakes
# ------------------
# Images that are misclassified, beginning with the one of whose wrong class the network
# is surest. The index is the position of the image.

worst_mistakes(
    clf, X_test, y_test, n_mistakes=5, class_names=CLASS_NAMES
).round(3)

# %%
# Often a look is enough to see why, and sometimes the network is right and the label is
# wrong.

_ = MistakesDisplay.from_estimator(
    clf,
    X_test,
    y_test,
    n_mistakes=15,
    class_names=CLASS_NAMES,
)

# %%
# The same function takes any classifier with probabilities. What a network and a
# histogram of gradients both get wrong is hard, or wrongly labelled.

from fashionkit import make_model

hog = make_model("hog-svm", random_state=0).fit(X_train, y_train)
of_network = worst_mistakes(clf, X_test, y_test, n_mistakes=None)
of_hog = worst_mistakes(hog, X_test, y_test, n_mistakes=None)
in_both = of_network.index.intersection(of_hog.index)
print(
    f"The network is wrong about {len(of_network)} images, HOG about "
    f"{len(of_hog)}; {len(in_both)} of them are the same."
)
_ = plot_samples(
    X_test[in_both[:10]],
    y_test[in_both[:10]],
    class_names=CLASS_NAMES,
    n_columns=5,
)

# %%
# Where the network looks
# -----------------------
# Grad-CAM weights the channels of a layer by how much they speak for a class, and shows
# where they are active. By default the class is the predicted one, and the layer is the
# last convolution, which here has 3 × 3 pixels and tells little more than the direction:

import numpy as np

chosen = [
    int(np.flatnonzero(y_test == label)[0]) for label in range(10)
]
images = X_test[chosen]
_ = plot_explanations(
    images,
    clf.explain(images),
    y_test[chosen],
    predictions=clf.predict(images),
    probabilities=clf.predict_proba(images).max(axis=1),
    class_names=CLASS_NAMES,
    n_columns=5,
)

# %%
# The convolution before has 11 × 11; ``clf.summary()`` has the names. Much of the heat lies
# beside the garment, where its silhouette ends.

_ = plot_explanations(
    images,
    clf.explain(images, layer="conv_2"),
    y_test[chosen],
    predictions=clf.predict(images),
    class_names=CLASS_NAMES,
    n_columns=5,
)

# %%
# A mistake, explained twice: what speaks for the class that the network chose, above, and
# what speaks for the true one, below.

import matplotlib.pyplot as plt

rows = of_network.index[:5]
images = X_test[rows]
figure = plt.figure(figsize=(6.5, 3.2), layout="constrained")
halves = figure.subfigures(2, 1)
for half, column in zip(halves, ["predicted", "true"], strict=True):
    targets = of_network.loc[rows, column]
    heat_maps = clf.explain(images, targets=targets, layer="conv_2")
    plot_explanations(
        images,
        heat_maps,
        targets,
        class_names=CLASS_NAMES,
        figure=half,
    )
