"""
A first convolutional network
=============================

Train the basic network on a few thousand images, look at how training went, and
search over its parameters.
"""

# %%
# The images
# ----------
# Fashion-MNIST where it is available, else generated garments of the same ten classes.

from fashionkit import (
    CLASS_NAMES,
    CNNClassifier,
    fetch_fashion_mnist,
    make_garments,
)
from fashionkit.plotting import TrainingHistoryDisplay, plot_samples

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
except OSError:
    X, y = make_garments(6_000, random_state=0)
X, y = X[:6_000], y[:6_000]

_ = plot_samples(X[:10], y[:10], class_names=CLASS_NAMES, n_columns=5)

# %%
# Training
# --------
# There is nothing to scale or reshape. A fifth of the images is held out, stratified by
# class, and evaluated after each epoch.

clf = CNNClassifier(
    epochs=6, validation_fraction=0.2, random_state=0
).fit(X, y)
_ = TrainingHistoryDisplay.from_estimator(clf)

# %%
# The network itself:

print(clf.summary())

# %%
# In a grid search
# ----------------
# It is a scikit-learn classifier like any other. Entries of ``architecture_params`` are
# reached with two underscores.

from sklearn.model_selection import GridSearchCV

search = GridSearchCV(
    CNNClassifier(epochs=2, random_state=0),
    {
        "architecture__filters": [(16, 32), (32, 64, 64)],
        "learning_rate": [1e-3, 3e-3],
    },
    cv=2,
).fit(X[:2_000], y[:2_000])

import pandas as pd

columns = [
    "param_architecture__filters",
    "param_learning_rate",
    "mean_test_score",
]
pd.DataFrame(search.cv_results_)[columns]
