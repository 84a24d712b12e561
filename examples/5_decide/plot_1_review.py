"""
Which answers to trust
======================

A classifier always answers, also when it should not. A :class:`~fashionkit.SelectiveClassifier` makes its
confidence honest, accepts what is sure enough for an error rate that you choose, and leaves the rest to a
person: images between two classes, and those that are no clothes.
"""

# %%
# Fit
# ---
# ``SelectiveClassifier`` wraps any classifier. Of the training images it holds a fifth out, on which it learns how sure
# is sure enough: ``level=0.05`` asks that at most 5 % of the accepted answers are wrong. (For a classifier that is
# fitted already, pass ``FrozenEstimator(clf)`` and images that it has not seen.)

import numpy as np
import pandas as pd

from fashionkit import (
    CLASS_NAMES,
    CNNClassifier,
    SelectiveClassifier,
    fetch_fashion_mnist,
    make_garments,
)

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_new, y_new = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(10_000, random_state=0)
    X_new, y_new = make_garments(2_000, random_state=1)
X, y = X[:10_000], y[:10_000]
X_new, y_new = X_new[:5_000], y_new[:5_000]

clf = SelectiveClassifier(
    CNNClassifier.from_recipe("quick", epochs=8, random_state=0),
    criterion="risk",
    level=0.05,
    outlier_detector="auto",
    cv=0.2,
    random_state=0,
)
clf.fit(X, y)

# %%
# Honest probabilities
# --------------------
# Of answers with a confidence of 80 %, 80 % should be right. A network that has been trained for some epochs is surer
# than it is right; dividing its scores by one number, the temperature, mends that.

from fashionkit.inspection import calibration_bins
from fashionkit.plotting import (
    ReliabilityDisplay,
    RiskCoverageDisplay,
    plot_samples,
)

probabilities = clf.predict_proba(X_new)
_ = ReliabilityDisplay(
    {
        name: calibration_bins(y_new, values, clf.classes_, n_bins=10)
        for name, values in {
            "as trained": clf.estimator_.predict_proba(X_new),
            "calibrated": probabilities,
        }.items()
    }
).plot()

# %%
# Accepted, or for review
# -----------------------
# ``decide`` returns a row for each image: what it is, how sure that is, what comes next, and what to do.

decisions = clf.decide(X_new)
for column in ("label", "second"):
    decisions[column] = [CLASS_NAMES[i] for i in decisions[column]]
decisions[
    ["label", "confidence", "second", "second_confidence", "status"]
].iloc[10:18].round(3)

# %%
# The share of images that is accepted, and how many of these are wrong:

accepted = (decisions["status"] == "accepted").to_numpy()
wrong = probabilities.argmax(axis=1) != y_new
pd.DataFrame(
    {
        "share of the images": [1, accepted.mean()],
        "of these wrong": [wrong.mean(), wrong[accepted].mean()],
    },
    index=["all", "accepted"],
).map("{:.1%}".format)

# %%
# The curve says how many images could be accepted at other error rates.

_ = RiskCoverageDisplay.from_predictions(
    y_new, probabilities, classes=clf.classes_, name="calibrated"
)

# %%
# A set of classes
# ----------------
# Sometimes "a shirt or a coat" is all that an image says. ``predict_set`` returns, for each image, classes among which
# the true one is in 95 % of the cases, whatever the model.

sets = clf.predict_set(X_new, 0.95, method="lac")
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
# Where a set has several classes, a look at the image says why:

several = np.argsort(abs(sets.sum(axis=1) - 2), kind="stable")[:8]
titles = [
    " or\n".join(
        CLASS_NAMES[label] for label in np.flatnonzero(sets[row])
    )
    for row in several
]
_ = plot_samples(X_new[several], titles, n_columns=8)

# %%
# Images of something else
# ------------------------
# A network cannot answer "none of these": it predicts a garment for a digit, too. The outlier detector compares
# an image with its nearest training images. Here it is tried on handwritten digits.

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
