"""
Transfer: learning from few photos
==================================

A network that was trained on a million photos of ImageNet has learnt to see edges, cloth and buttons.
With what it sees, some hundred photos are enough to tell clothes apart; a network that starts from
nothing would need thousands. Here are three ways to learn from 60 to 960 photos.
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
# once. Its labels are the names of the sub-folders.

import numpy as np

from fashionkit import ImageFolder
from fashionkit.plotting import plot_samples

folder = find_photos()
train = ImageFolder(folder / "train", image_size=96, n_jobs=2)
test = ImageFolder(folder / "validation", image_size=96, n_jobs=2)
train = train[np.random.RandomState(0).permutation(len(train))[:960]]
X, y = np.asarray(train), train.target
X_test, y_test = np.asarray(test), test.target
_ = plot_samples(X[:16], y[:16], n_columns=8)

# %%
# Three ways
# ----------
# :class:`~fashionkit.TransferClassifier` trains a head on a frozen MobileNetV2, a third of whose width is
# enough here. ``CNNClassifier`` starts from random weights. HOG with a support vector machine is what was
# done before networks.

from fashionkit import (
    CNNClassifier,
    TransferClassifier,
    load_pretrained,
    make_model,
)

transfer = TransferClassifier(
    alpha=0.35,
    pooling="grid",
    grid=2,
    epochs=30,
    learning_rate=0.002,
    learning_rate_schedule="one-cycle",
    random_state=0,
)
try:
    transfer.fit(X[:20], y[:20])
except Exception:
    print("ImageNet's weights cannot be downloaded: another network's.")
    transfer.set_params(
        weights=load_pretrained("clothing-photos-small-v1")
    )

models = {
    "MobileNetV2 of ImageNet, frozen": transfer,
    "HOG and SVM": make_model("hog-svm", random_state=0),
    "network from scratch": CNNClassifier.from_recipe(
        "quick", epochs=15, batch_size=16, random_state=0
    ),
}
sizes = [60, 240, 960]
scores = {
    name: [
        model.fit(X[:size], y[:size]).score(X_test, y_test)
        for size in sizes
    ]
    for name, model in models.items()
}

# %%
# What it is worth
# ----------------
# With 240 photos the frozen network is ahead of what the others reach with 960. The network from scratch has
# learnt little: its filters must be found, too, and a few photos do not show which are needed.

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
    ylabel="accuracy on 341 others (%)"
    if len(y_test) == 341
    else "accuracy (%)",
)
ax.grid(alpha=0.3)

# %%
# What the transferred network says of photos that it was not trained on:

shown = np.random.RandomState(1).permutation(len(X_test))[:16]
labels = transfer.predict(X_test[shown])
titles = [
    label if label == true else f"{label} ✗\n({true})"
    for label, true in zip(labels, y_test[shown], strict=True)
]
# sphinx_gallery_thumbnail_number = 2
_ = plot_samples(X_test[shown], titles, n_columns=8)

# %%
# More of it: at 160 pixels and more, with fine-tuning (``fine_tune="all"``, or the recipe "photos"),
# on all photos and in the full width, 90 % are right; the benchmarks in the documentation have the figures.
# Some people's photos are in both parts of this data set, which helps all three ways alike.
