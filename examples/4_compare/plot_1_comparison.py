"""
A comparison, and its report
============================

Four models, from gradients to a network: :func:`~fashionkit.compare_models` evaluates them on the same test
images, measures what they cost, and says which differences are more than chance.
"""

# %%
# The models
# ----------
# A model is a name of :func:`~fashionkit.list_models`, or any classifier with a name of your own. The first
# was trained on all 60,000 images, and comes with the package: it is frozen, and only evaluated. The others
# are trained here, on a 12th of the images. So the comparison is between a finished model and half a minute of
# training.

from sklearn.frozen import FrozenEstimator

from fashionkit import (
    CLASS_NAMES,
    CNNClassifier,
    compare_models,
    fetch_fashion_mnist,
    load_pretrained,
    make_garments,
)

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(5_000, random_state=0)
    X_test, y_test = make_garments(2_000, random_state=1)

models = [
    ("packaged", FrozenEstimator(load_pretrained("fashion-mnist-v1"))),
    "hog-svm",
    "pixels-forest",
    (
        "small CNN",
        CNNClassifier.from_recipe("quick", epochs=3, random_state=0),
    ),
]
comparison = compare_models(
    models,
    X[:5_000],
    y[:5_000],
    X_test=X_test[:2_000],
    y_test=y_test[:2_000],
    class_names=CLASS_NAMES,
    random_state=0,
)
comparison

# %%
# How accurate
# ------------
# With the intervals in which the accuracy on other test images would lie, in 95 % of the cases:

from fashionkit.plotting import (
    AccuracyDisplay,
    ConfusionDisplay,
    ParetoDisplay,
)

# sphinx_gallery_thumbnail_number = 1
_ = AccuracyDisplay.from_comparison(comparison)

# %%
# Whether neighbours in the ranking differ by more than chance:

from textwrap import fill

for sentence in comparison.verdicts():
    print(fill(sentence, 76), end="\n\n")

# %%
# At what cost
# ------------
# A line joins the models that are the most accurate for what one prediction costs. Each other one is beaten by
# one that is both faster and better.

_ = ParetoDisplay.from_comparison(comparison)

# %%
# What is confused
# ----------------
# Class by class, the best network against gradients:

recall = comparison.per_class().pivot(
    index="class", columns="model", values="recall"
)
(100 * recall.loc[list(CLASS_NAMES), ["packaged", "hog-svm"]]).round(1)

# %%
# Both find shirts the hardest:

_ = ConfusionDisplay.from_comparison(comparison, "packaged")

# %%
# One file for others
# -------------------
# The report has all of this, the mistakes as pictures and what to do next, in one HTML file that needs no
# network. The guide has a picture of it: :ref:`comparison`.

from pathlib import Path
from tempfile import TemporaryDirectory

with TemporaryDirectory() as folder:
    path = comparison.to_html(Path(folder, "report.html"))
    size = Path(folder, "report.html").stat().st_size
print(f"{size / 1e6:.1f} MB")
