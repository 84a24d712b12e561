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
    ["hog-svm", "hog-tree", ("cnn", make_model("cnn", epochs=5))],
    X_train,
    y_train,
    X_test=X_test,
    y_test=y_test,
    class_names=CLASS_NAMES,
    random_state=0,
)
comparison

# %%
# The same as text. Below the table stands what can be said of the differences:

print(comparison)

# %%
# All pairs, with the probabilities that the first model is better by more than half a point,
# equal in practice, or worse:

comparison.pairwise(margin=0.005)

# %%
# The accuracies with their 95 % intervals, and what a prediction costs:

from fashionkit.plotting import (
    AccuracyDisplay,
    ConfusionDisplay,
    ParetoDisplay,
)

_ = AccuracyDisplay.from_comparison(comparison)

# %%

_ = ParetoDisplay.from_comparison(comparison)

# %%
# What the network confuses. The method ``comparison.save(folder)`` writes all tables and
# figures, and ``comparison.to_html("report.html")`` a report as one file.

_ = ConfusionDisplay.from_comparison(comparison, "cnn")
