"""
Comparing a network with hand-made features
===========================================

How much better is a convolutional network than a classifier on hand-made features? One
function fits and evaluates both under the same protocol, and says what chance alone would
explain.
"""

# %%
from sklearn.model_selection import train_test_split

from fashionkit import (
    CLASS_NAMES,
    compare_models,
    fetch_fashion_mnist,
    make_garments,
    make_model,
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

comparison = compare_models(
    {
        "cnn": make_model("cnn", epochs=5, random_state=0),
        "hog-svm": make_model("hog-svm", random_state=0),
    },
    X_train,
    y_train,
    X_test=X_test,
    y_test=y_test,
    class_names=CLASS_NAMES,
)
comparison

# %%
# The same as text, with what chance explains:

print(comparison)

# %%
# What the network confuses. The method ``comparison.save(folder)`` writes such a matrix for
# each model, together with the table and the learning curves.

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

_, ax = plt.subplots(figsize=(7, 7), layout="constrained")
_ = ConfusionMatrixDisplay.from_predictions(
    comparison.y_test,
    comparison.predictions["cnn"],
    display_labels=CLASS_NAMES,
    normalize="true",
    values_format=".0%",
    xticks_rotation="vertical",
    cmap="Blues",
    colorbar=False,
    ax=ax,
)
