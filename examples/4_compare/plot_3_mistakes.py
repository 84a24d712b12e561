"""
Where a network looks, and where it is wrong
============================================

An accuracy says how often a model is wrong. This page asks where: which classes it takes for each other, which
images it gets most wrong, and which part of an image it looks at.
"""

# %%
# The model is one that comes with the package, trained on the 60,000 training images; what is looked at are
# test images.

from fashionkit import (
    CLASS_NAMES,
    fetch_fashion_mnist,
    load_pretrained,
    make_garments,
    most_confused,
    worst_mistakes,
)
from fashionkit.plotting import MistakesDisplay, plot_explanations

try:
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X_test, y_test = make_garments(2_000, random_state=1)
X_test, y_test = X_test[:2_000], y_test[:2_000]

clf = load_pretrained("fashion-mnist-v1")
probabilities = clf.predict_proba(X_test)
predictions = probabilities.argmax(axis=1)  # the classes are 0 to 9
print(f"{(predictions == y_test).mean():.1%} of the test images")

# %%
# Which classes
# -------------
# A confusion matrix has a hundred numbers. These are the largest beside its diagonal; ``fraction`` is relative
# to all images of the true class.

most_confused(y_test, predictions, n_pairs=6, class_names=CLASS_NAMES)

# %%
# Which images
# ------------
# :func:`~fashionkit.worst_mistakes` sorts the mistakes by the probability of the wrong class, the highest first.

mistakes = worst_mistakes(
    clf, X_test, y_test, n_mistakes=None, class_names=CLASS_NAMES
)
mistakes.head().round(3)

# %%
# Often a look is enough to see why. Some of these labels are wrong, and the network is right.

_ = MistakesDisplay.from_predictions(
    X_test,
    y_test,
    probabilities,
    classes=clf.classes_,
    n_mistakes=15,
    class_names=CLASS_NAMES,
)

# %%
# Where it looks
# --------------
# Grad-CAM weights the channels of a layer by how much they speak for a class, and shows where they are
# active: here for the predicted class, one image of each.

import numpy as np

chosen = [
    int(np.flatnonzero(y_test == label)[0]) for label in range(10)
]
images = X_test[chosen]
titles = [
    f"{CLASS_NAMES[row.argmax()]}, {row.max():.0%}"
    for row in probabilities[chosen]
]
# sphinx_gallery_thumbnail_number = 2
_ = plot_explanations(images, clf.explain(images), titles, n_columns=5)

# %%
# A mistake, explained twice
# --------------------------
# Above, what speaks for the class that the network chose; below, what speaks for the true one.
# Where that has no heat, nothing in the image speaks for the label that it was given.

import matplotlib.pyplot as plt

rows = mistakes.index[:5]
images = X_test[rows]
figure = plt.figure(figsize=(8.5, 5), layout="constrained")
halves = figure.subfigures(2, 1)
ids = {name: label for label, name in enumerate(CLASS_NAMES)}
for half, column in zip(halves, ["predicted", "true"], strict=True):
    targets = mistakes.loc[rows, column].map(
        lambda name: ids.get(name, name)
    )
    plot_explanations(
        images,
        clf.explain(images, targets=targets.to_numpy()),
        targets.to_numpy(),
        class_names=CLASS_NAMES,
        figure=half,
    )
    half.suptitle(
        f"for the {column} class", x=0.01, ha="left", fontsize=9
    )
