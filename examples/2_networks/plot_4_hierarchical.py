"""
From coarse to fine: a tree of classes
======================================

To call a shirt a coat is a smaller mistake than to call it a sandal. A
:class:`~fashionkit.HierarchicalCNNClassifier` learns a tree of classes: one network, with an output for
each level, the coarsest at its shallowest depth. It can also answer with a coarse class alone, where
that is all a shop needs.
"""

# %%
import pandas as pd

from fashionkit import (
    CLASS_NAMES,
    HierarchicalCNNClassifier,
    fetch_fashion_mnist,
    make_garments,
)

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(10_000, random_state=0)
    X_test, y_test = make_garments(2_000, random_state=1)
X, y = X[:10_000], y[:10_000]

# %%
# The tree
# --------
# "fashion-mnist" names a tree of three levels. Trees of your own are nested dictionaries; without one,
# classes are grouped by their mean images. The network is small and trained for few epochs, so that it is
# ready in half a minute.

clf = HierarchicalCNNClassifier(
    "fashion-mnist",
    architecture_params={"filters": (16, 32, 48)},
    optimizer="muon",
    learning_rate=0.1,
    learning_rate_schedule="one-cycle",
    batch_size=128,
    epochs=3,
    random_state=0,
)
clf.fit(X, y)
[[str(name) for name in level] for level in clf.levels_[:2]]

# %%
# Right at which level?
# ---------------------
# Nearly all images are right at the coarsest level, and most mistakes stay within a group.

levels = ["clothes or goods", "six groups", "ten classes"]
pd.Series(
    [clf.score_coarse(X_test, y_test, level) for level in range(3)],
    index=levels,
    name="accuracy",
).round(3)

# %%
# Coarse where it is not sure
# ---------------------------
# A group is as probable as the classes below it together. An image between a shirt and a pullover is
# certainly one of the tops. Here are five of which the network is sure of the group, and not of the class.

import matplotlib.pyplot as plt
import numpy as np

by_level = [
    clf.predict_proba_coarse(X_test, level) for level in range(3)
]
between = np.flatnonzero(
    (by_level[1].max(axis=1) > 0.9) & (by_level[2].max(axis=1) < 0.6)
)[:5]
names = [*clf.levels_[:2], np.array(CLASS_NAMES)]
colors = ["#4c78a8", "#72b7b2", "#f58518"]

# sphinx_gallery_thumbnail_number = 1
figure, axes = plt.subplots(
    len(between),
    4,
    figsize=(10, 1.9 * len(between)),
    layout="constrained",
    width_ratios=[0.7, 1, 1, 1],
    squeeze=False,
)
for row, index in zip(axes, between, strict=True):
    row[0].imshow(X_test[index], cmap="gray_r")
    row[0].set_title(CLASS_NAMES[y_test[index]])
    row[0].axis("off")
    for ax, probabilities, labels, color in zip(
        row[1:], by_level, names, colors, strict=True
    ):
        top = np.argsort(probabilities[index])[::-1][:3]
        top = top[::-1]
        ax.barh(
            [str(labels[i]) for i in top],
            probabilities[index][top],
            color=color,
        )
        ax.set(xlim=(0, 1), xticks=[0, 0.5, 1])
        ax.spines[["top", "right"]].set_visible(False)
for ax, title in zip(axes[0, 1:], levels, strict=True):
    ax.set_title(title)
