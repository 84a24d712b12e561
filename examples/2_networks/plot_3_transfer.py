"""
Transfer: learning from few photos
==================================

A network that was trained on a million photos of ImageNet has learnt to see edges, cloth and buttons.
With what it sees, some hundred photos are enough to tell clothes apart; a network that starts from
nothing would need thousands. Here are three ways to learn from 120, 300 and 600 photos.
"""

# %%
# The photos
# ----------
# :func:`~fashionkit.fetch_clothing_photos` downloads photos that people took of their own clothes (CC0
# 1.0). They are read when they are asked for.

import numpy as np
from sklearn.utils import Bunch

from fashionkit import (
    CLASS_NAMES,
    fetch_clothing_photos,
    make_garments,
)

try:
    train, test = (
        fetch_clothing_photos(subset, image_size=144, n_jobs=2)
        for subset in ("train", "validation")
    )
except OSError:
    print("The photos cannot be downloaded: these are drawings.")
    drawings, classes = make_garments(
        900, image_size=144, random_state=0
    )
    drawings = np.repeat(255 - drawings[..., np.newaxis], 3, axis=-1)
    names = np.array(CLASS_NAMES)[classes]
    train, test = (
        Bunch(data=drawings[part], target=names[part])
        for part in (slice(600), slice(600, None))
    )

# %%
# The training photos are taken in turns, one of each class at a time.

import pandas as pd

from fashionkit.plotting import plot_samples

order = np.random.RandomState(0).permutation(len(train.target))
turns = pd.Series(order).groupby(train.target[order]).cumcount()
rows = order[np.argsort(turns, kind="stable")[:600]]
others = np.random.RandomState(1).permutation(len(test.target))[:300]
X, y = np.asarray(train.data[rows]), train.target[rows]
X_test, y_test = np.asarray(test.data[others]), test.target[others]
_ = plot_samples(X[:16], y[:16], n_columns=8)

# %%
# What ImageNet has taught
# ------------------------
# :class:`~fashionkit.BackboneFeatures` transforms photos to the activations of layers of a MobileNetV2. The
# network is not trained, so each photo passes through it once, whichever classifier is fitted to the
# features. A third of its width is enough here.

from fashionkit import BackboneFeatures, load_pretrained

features = BackboneFeatures(
    layers=["high", "last"],
    alpha=0.35,
    image_size=144,
    pooling="grid",
    grid=2,
    power=0.5,
)
try:
    Z = features.fit_transform(X)
except Exception:
    print("ImageNet's weights cannot be downloaded: another network's.")
    features = BackboneFeatures(
        weights=load_pretrained("clothing-photos-small-v1"), power=0.5
    )
    Z = features.fit_transform(X)
Z_test = features.transform(X_test)
Z.shape

# %%
# Three ways
# ----------
# A logistic regression on these features; a network that starts from random weights; and histograms of
# gradients with a support vector machine, as was done before networks. The last two see the photos at half the
# size, which is as much as a minute allows.

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fashionkit import CNNClassifier, make_model


def halve(photos):
    """Return the means of 2 × 2 pixels."""
    n, height, width, channels = photos.shape
    blocks = photos.reshape(n, height // 2, 2, width // 2, 2, channels)
    return blocks.mean(axis=(2, 4)).astype(np.uint8)


small, small_test = halve(X), halve(X_test)
linear = make_pipeline(
    StandardScaler(), LogisticRegression(C=0.003, max_iter=500)
)
scratch = CNNClassifier.from_recipe(
    "quick", epochs=10, batch_size=16, random_state=0
)
gradients = make_model("hog-svm", random_state=0)
ways = {
    "features of ImageNet": (linear, Z, Z_test),
    "gradients and SVM": (gradients, small, small_test),
    "network from scratch": (scratch, small, small_test),
}
sizes = [120, 300, 600]
scores = {
    name: [
        model.fit(images[:size], y[:size]).score(unseen, y_test)
        for size in sizes
    ]
    for name, (model, images, unseen) in ways.items()
}

# %%
# What it is worth
# ----------------
# With 300 photos, what was learnt on ImageNet is ahead of what the others reach with twice as many. The network
# from scratch has learnt the least: its filters must be found, too, and a few photos do not show which are needed.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
for name, accuracies in scores.items():
    (line,) = ax.semilogx(sizes, 100 * np.array(accuracies), marker="o")
    ax.annotate(
        name,
        (sizes[-1], 100 * accuracies[-1]),
        xytext=(8, 0),
        textcoords="offset points",
        color=line.get_color(),
        va="center",
        annotation_clip=False,
    )
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.spines[["top", "right"]].set_visible(False)
ax.set(
    xlabel="training photos, of ten classes",
    ylabel="accuracy on 300 others (%)",
)
ax.grid(alpha=0.3)

# %%
# What the features and the regression say of photos that they were not fitted on:

labels = linear.predict(Z_test[:16])
titles = [
    label if label == true else f"{label} ✗\n({true})"
    for label, true in zip(labels, y_test[:16], strict=True)
]
# sphinx_gallery_thumbnail_number = 2
_ = plot_samples(X_test[:16], titles, n_columns=8)

# %%
# :class:`~fashionkit.TransferClassifier` is the same in one classifier, and can tune the network, too
# (``fine_tune="all"``, or its recipe "photos"). At 224 pixels, in the full width and on all photos, 90 % are right;
# the benchmarks in the documentation have the figures. Some people's photos are in both parts of this data set, which
# helps all three ways alike.
