"""
More images than memory holds
=============================

A data set need not be in memory to be learnt from. This page keeps Fashion-MNIST in a file on disk, trains a
network chunk by chunk, and watches its accuracy. Then it does the same with a folder of image files.
"""

# %%
# A file that is an array
# -----------------------
# NumPy maps a file into memory: of what lies on disk, only the rows that are asked for are read.

import os
import tempfile
from pathlib import Path

import numpy as np

from fashionkit import CNNClassifier, fetch_fashion_mnist, make_garments

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(20_000, random_state=0)
    X_test, y_test = make_garments(2_000, random_state=1)

folder = Path(tempfile.mkdtemp())
np.save(folder / "images.npy", X)
np.save(folder / "labels.npy", y)
n_images = len(X)
del X, y

images = np.load(folder / "images.npy", mmap_mode="r")
labels = np.load(folder / "labels.npy")
print(f"{os.path.getsize(folder / 'images.npy') / 1e6:.0f} MB on disk")

# %%
# Chunk by chunk
# --------------
# ``partial_fit`` trains for one epoch on what it gets, and keeps the state of the optimizer. The first call needs to
# know all classes. 3,000 images at a time are 2.4 MB. Scores are of the first 1,000 test images, for the curve; nothing
# is chosen by them.

clf = CNNClassifier(
    "fast",
    architecture_params={"filters": (8, 16, 48)},
    optimizer="muon",
    learning_rate=0.01,
    batch_size=128,
    random_state=0,
)
seen, accuracies = [], []
for start in range(0, n_images, 3_000):
    rows = slice(start, start + 3_000)
    clf.partial_fit(images[rows], labels[rows], classes=np.arange(10))
    seen.append(min(start + 3_000, n_images))
    accuracies.append(clf.score(X_test[:1_000], y_test[:1_000]))
accuracies[-1]

# %%
# Features, chunk by chunk
# ------------------------
# A :class:`~fashionkit.ChunkedTransformer` computes features a chunk at a time, and writes them to a file that is
# mapped into memory in its turn. What is fitted on them is a :class:`~fashionkit.NystroemClassifier`, whose time
# grows in proportion to the number of images, not with its square as that of a support vector machine.

from sklearn.pipeline import make_pipeline

from fashionkit import (
    BoundedPCA,
    ChunkedTransformer,
    HOGFeatures,
    NystroemClassifier,
)

features = make_pipeline(
    HOGFeatures(12, signed=True, interpolate=True),
    BoundedPCA(100, random_state=0),
)
gradients = make_pipeline(
    ChunkedTransformer(
        features, max_samples=5_000, directory=folder, random_state=0
    ),
    NystroemClassifier(
        1_000, gamma=0.06, C=3, max_samples=5_000, random_state=0
    ),
)
gradients.fit(images[:20_000], labels[:20_000])
of_gradients = gradients.score(X_test[:1_000], y_test[:1_000])
of_gradients

# %%
# What it comes to
# ----------------

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(
    seen,
    100 * np.array(accuracies),
    "o-",
    ms=4,
    label="network, chunk by chunk",
)
ax.axhline(
    100 * of_gradients,
    color="tab:orange",
    ls="--",
    label="gradients of 20,000 images",
)
ax.set(xlabel="training images seen", ylabel="accuracy (%)")
ax.xaxis.set_major_formatter("{x:,.0f}")
ax.grid(alpha=0.3)
ax.legend()

# %%
# A folder of files
# -----------------
# An :class:`~fashionkit.ImageFolder` takes the place of the array, and reads a batch when a model asks for it. Its
# splits are folders, too, of which nothing is read.

from PIL import Image
from sklearn.model_selection import train_test_split

from fashionkit import ImageFolder

photos = folder / "photos"
for row in range(600):
    path = photos / str(labels[row]) / f"{row}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(images[row]).save(path)

files = ImageFolder(photos)
train, test = train_test_split(
    files, stratify=files.target, random_state=0
)
print(len(train), test.shape)
