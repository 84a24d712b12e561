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
# People photographed their own clothes (`small clothing dataset
# <https://github.com/alexeygrigorev/clothing-dataset-small>`__, CC0 1.0). They are found in the folder
# that ``FASHIONKIT_DATA`` names, or downloaded.

import os
import tempfile
from pathlib import Path

import pooch
from PIL import Image

from fashionkit import CLASS_NAMES, make_garments

ARCHIVE = (
    "https://github.com/alexeygrigorev/clothing-dataset-small/archive"
    "/36364be1969242c019705255cd87aed00c73a939.zip"
)


def find_photos():
    """Return a folder of photos: yours, a download, or drawings."""
    folder = Path(os.environ.get("FASHIONKIT_DATA", ""), "photos")
    if folder.is_dir():
        return folder
    try:
        files = pooch.retrieve(ARCHIVE, None, processor=pooch.Unzip())
        return Path(os.path.commonpath(files))
    except OSError:
        print("The photos cannot be downloaded: these are drawings.")
    folder = Path(tempfile.mkdtemp())
    images, labels = make_garments(600, image_size=128, random_state=0)
    for row, (image, label) in enumerate(
        zip(images, labels, strict=True)
    ):
        part = "validation" if row % 4 == 0 else "train"
        name = CLASS_NAMES[label].replace("/", " or ")
        path = folder / part / name / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image).save(path)
    return folder


# %%
# :class:`~fashionkit.ImageFolder` lists the photos, and reads them when they are asked for, here all at
# once. Its labels are the names of the sub-folders. The training photos are taken in
# turns, one of each class at a time.

import numpy as np
import pandas as pd

from fashionkit import ImageFolder
from fashionkit.plotting import plot_samples

folder = find_photos()
train = ImageFolder(folder / "train", image_size=144, n_jobs=2)
test = ImageFolder(folder / "validation", image_size=144, n_jobs=2)
order = np.random.RandomState(0).permutation(len(train))
turns = pd.Series(order).groupby(train.target[order]).cumcount()
train = train[order[np.argsort(turns, kind="stable")[:600]]]
test = test[np.random.RandomState(1).permutation(len(test))[:300]]
X, y = np.asarray(train), train.target
X_test, y_test = np.asarray(test), test.target
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


if X.ndim == 3:  # gray drawings
    X, X_test = X[..., np.newaxis], X_test[..., np.newaxis]
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
        model.fit(images[:size], y[:size]).score(others, y_test)
        for size in sizes
    ]
    for name, (model, images, others) in ways.items()
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
