"""
Hand-made features and classical classifiers
============================================

Before neural networks, people decided what matters in an image, such as edges or colours, and a general
classifier did the rest. This page runs the systems that the literature compares networks
with: four kinds of features, four classifiers.
"""

# %%
# The images
# ----------

from sklearn.model_selection import train_test_split

from fashionkit import (
    CLASS_NAMES,
    HOGFeatures,
    compare_models,
    fetch_fashion_mnist,
    make_garments,
)

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(4_000, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(
    X, y, train_size=2_000, test_size=1_000, stratify=y, random_state=0
)

# %%
# What an edge histogram sees
# ---------------------------
# Histograms of oriented gradients keep where edges are, and in which direction, and forget the rest. Each line
# below is one bin of a cell's histogram, drawn along the edge: the stronger the edge, the darker the line.

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection


def draw_histograms(ax, histograms, cell):
    """Draw the bins of each cell as lines."""
    rows, columns, orientations = histograms.shape
    angles = np.pi * (np.arange(orientations) + 0.5) / orientations
    # An edge lies across its gradient.
    along = np.stack([-np.sin(angles), np.cos(angles)], axis=-1)
    lines, strengths = [], []
    for row, column in np.ndindex(rows, columns):
        centre = cell * (np.array([column, row]) + 0.5) - 0.5
        for half, strength in zip(
            along * cell / 2, histograms[row, column], strict=True
        ):
            lines.append([centre - half, centre + half])
            strengths.append(strength)
    strengths = np.clip(strengths / np.max(strengths), 0, 1)
    colors = np.zeros((len(lines), 4))
    colors[:, 3] = strengths
    ax.add_collection(LineCollection(lines, colors=colors))


hog = HOGFeatures(
    12,
    pixels_per_cell=3,
    cells_per_block=1,
    block_norm="L1",
    interpolate=True,
)
chosen = [int(np.flatnonzero(y == label)[0]) for label in (0, 3, 7, 9)]
histograms = hog.fit_transform(X[chosen]).reshape(-1, 9, 9, 12)
# sphinx_gallery_thumbnail_number = 1
figure, axes = plt.subplots(
    2, 4, figsize=(8, 4.2), layout="constrained"
)
for column, index in enumerate(chosen):
    axes[0, column].imshow(X[index], cmap="gray_r")
    axes[0, column].set_title(CLASS_NAMES[y[index]])
    draw_histograms(axes[1, column], histograms[column], cell=3)
    axes[1, column].set(
        xlim=(-0.5, 27.5), ylim=(27.5, -0.5), aspect="equal"
    )
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])

# %%
# All pairs
# ---------
# Every pair is a model by name, and each is an ordinary Pipeline. SIFT needs OpenCV:
# ``pip install "fashionkit[sift]"``. :func:`~fashionkit.compare_models` computes features once that several
# models share.

features = ["hog", "sift", "pixels", "color"]
classifiers = ["svm", "knn", "forest", "tree"]
names = [f"{part}-{last}" for part in features for last in classifiers]
comparison = compare_models(
    names,
    X_train,
    y_train,
    X_test=X_val,
    y_test=y_val,
    class_names=CLASS_NAMES,
    random_state=0,
)

# %%
# Features matter more than classifiers: a histogram of grays contains nothing about shape, whatever classifier
# follows. And a single tree is far behind with every kind of features.

accuracy = comparison.to_frame().set_index("model")["accuracy"]
table = np.array(
    [
        [100 * accuracy[f"{part}-{last}"] for last in classifiers]
        for part in features
    ]
)
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.imshow(table, cmap="YlGnBu", aspect="auto", vmin=20, vmax=100)
ax.set_xticks(range(4), ["SVM", "neighbours", "forest", "tree"])
ax.set_yticks(range(4), ["gradients", "SIFT", "pixels", "grays"])
ax.set(title="accuracy on 1,000 validation images (%)")
for row, column in np.ndindex(table.shape):
    value = table[row, column]
    ax.text(
        column,
        row,
        f"{value:.1f}",
        ha="center",
        va="center",
        color="white" if value > 70 else "black",
    )

# %%
# The best of them, and whether it is better by more than chance:

from textwrap import fill

for sentence in comparison.verdicts()[:3]:
    print(fill(sentence, 76), end="\n\n")
