"""
Hand-made features and classical classifiers
============================================

What came before the networks: features that somebody thought of, and a classifier that
knows nothing of images. Each pair is an ordinary pipeline, so that scikit-learn's tools
take it apart, search over it, and put something else in.
"""

# %%
from sklearn.model_selection import train_test_split

from fashionkit import (
    CLASS_NAMES,
    HOGFeatures,
    compare_models,
    fetch_fashion_mnist,
    list_models,
    make_baseline,
    make_garments,
)

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
except OSError:
    X, y = make_garments(4_000, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(
    X[:4_000],
    y[:4_000],
    test_size=0.25,
    stratify=y[:4_000],
    random_state=0,
)

# %%
# Every pair has a name. Those of three kinds of features and three classifiers, compared on the
# same images:

names = [
    name
    for features in ("hog", "pixels", "color")
    for name in list_models(f"{features}-*")
    if not name.endswith("-tree")
]
comparison = compare_models(
    names,
    X_train,
    y_train,
    X_test=X_test,
    y_test=y_test,
    class_names=CLASS_NAMES,
    random_state=0,
)
comparison

# %%
# Why do histograms of oriented gradients work so well? They keep where edges are, and in
# which direction, and forget the rest. Each line below is one bin of a cell's histogram,
# drawn along the edge; the stronger the edge, the darker the line.

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
# ``make_baseline`` makes the same pipelines from the names of both parts, and unions of several
# features. Here is a search over the features and the classifier together. The pipeline keeps its
# features in a folder, and computes them once for all candidates that share them.

from tempfile import TemporaryDirectory

from sklearn.model_selection import GridSearchCV

with TemporaryDirectory() as folder:
    search = GridSearchCV(
        make_baseline("hog", "svm", memory=folder, random_state=0),
        {
            "hog__orientations": [4, 12],
            "hog__pixels_per_cell": [4, [4, 7]],
            "svm__C": [1, 3, 10],
        },
        cv=2,
    ).fit(X_train[:1_000], y_train[:1_000])
search.best_params_

# %%
# The features are transformers for any pipeline.

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from fashionkit.features import BoundedPCA

boosted = make_pipeline(
    HOGFeatures(12, signed=True, interpolate=True),
    BoundedPCA(50, random_state=0),
    HistGradientBoostingClassifier(max_iter=50, random_state=0),
)
print(f"{boosted.fit(X_train, y_train).score(X_test, y_test):.3f}")
