"""
Which answers to trust
======================

A classifier always answers, also when it should not. A :class:`~fashionkit.SelectiveClassifier` makes its
confidence honest, accepts what is sure enough for an error rate that you choose, and leaves the rest to a
person: images between two classes, and those that are no clothes.
"""

# %%
# A model, and images to calibrate on
# -----------------------------------
# The model comes with the package and has seen all training images. So 1,500 test images calibrate it, and the
# figures below are of 2,000 others. A model that is not fitted yet needs none of this: ``fit`` then holds
# out some of its training images.

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator

from fashionkit import (
    CLASS_NAMES,
    SelectiveClassifier,
    fetch_fashion_mnist,
    load_pretrained,
    make_garments,
)

try:
    X, y = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(4_000, random_state=1)
X_calibration, y_calibration = X[:1_500], y[:1_500]
X_new, y_new = X[1_500:3_500], y[1_500:3_500]

model = load_pretrained("fashion-mnist-v1")
clf = SelectiveClassifier(
    FrozenEstimator(model),
    criterion="risk",
    level=0.02,
    outlier_detector="auto",
    random_state=0,
)
clf.fit(X_calibration, y_calibration)

# %%
# Honest probabilities
# --------------------
# Of answers with a confidence of 80 %, 80 % should be right. The network was trained to be modest, by label
# smoothing, and is right more often than it says; dividing its scores by one number mends that.

from fashionkit.plotting import (
    ReliabilityDisplay,
    RiskCoverageDisplay,
    plot_samples,
)

display = ReliabilityDisplay.from_predictions(
    y_new,
    model.predict_proba(X_new),
    classes=model.classes_,
    n_bins=8,
    name="as trained",
)
probabilities = clf.predict_proba(X_new)
_ = ReliabilityDisplay.from_predictions(
    y_new,
    probabilities,
    classes=clf.classes_,
    n_bins=8,
    name="calibrated",
    ax=display.axes_,
)

# %%
# Accepted, or for review
# -----------------------
# ``level=0.02`` asks that at most 2 % of the accepted answers are wrong. ``decide`` returns a row for each image.

decisions = clf.decide(X_new)
decisions["label"] = [
    CLASS_NAMES[label] for label in decisions["label"]
]
accepted = (decisions["status"] == "accepted").to_numpy()
wrong = probabilities.argmax(axis=1) != y_new
pd.DataFrame(
    {
        "share of the images": [1, accepted.mean()],
        "wrong": [wrong.mean(), wrong[accepted].mean()],
    },
    index=["all", "accepted"],
).map("{:.1%}".format)

# %%
# How many images could be accepted at other error rates says the curve.

_ = RiskCoverageDisplay.from_predictions(
    y_new, probabilities, classes=clf.classes_
)

# %%
# A set of classes
# ----------------
# Sometimes "a shirt or a coat" is all that an image says. ``predict_set`` returns, for each image, classes among which
# the true one is in 95 % of the cases, whatever the model.

sets = clf.predict_set(X_new, 0.95, method="aps")
pd.Series(
    {
        "sets with the true class": sets[
            np.arange(len(y_new)), y_new
        ].mean(),
        "sets of one class": (sets.sum(axis=1) == 1).mean(),
        "classes in a set": sets.sum(axis=1).mean(),
    }
).round(3)

# %%
# For the images of which the model is least sure, they look like this:

least_sure = np.argsort(probabilities.max(axis=1))[:8]
titles = [
    "\n".join(CLASS_NAMES[label] for label in np.flatnonzero(sets[row]))
    for row in least_sure
]
_ = plot_samples(X_new[least_sure], titles, n_columns=4)

# %%
# What is no clothes
# ------------------
# A network is as sure of digits as of shoes. The outlier detector compares an image with those that it was calibrated
# on, and knows better. Here it meets handwritten digits.

from skimage.transform import resize
from sklearn.datasets import load_digits

digits = load_digits().images[:300] / 16
digits = np.stack([resize(image, (28, 28)) for image in digits])
digits = (255 * digits).astype(np.uint8)
strangers = clf.decide(digits)
strangers["label"] = [
    CLASS_NAMES[label] for label in strangers["label"]
]

for_review = np.flatnonzero(~accepted)[:5]
shown = [*np.flatnonzero(accepted)[:5], *for_review]
images = np.concatenate([digits[:5], X_new[shown]])
rows = pd.concat([strangers.head(5), decisions.iloc[shown]])
titles = [
    f"{row.status}\n({row.label}, {row.confidence:.0%})"
    for row in rows.itertuples()
]
# sphinx_gallery_thumbnail_number = 4
_ = plot_samples(images, titles, n_columns=5)

# %%
# The digits are outliers; of the clothes, some are accepted and some left to a person.

strangers["status"].value_counts(normalize=True).map("{:.0%}".format)
