"""
A first classifier
==================

Ten kinds of clothes, 60,000 images, and a convolutional network that learns to tell them
apart: train it, predict with it and score it, as with any classifier of scikit-learn. The
training takes about 20 seconds on two cores.
"""

# %%
# The images
# ----------
# Fashion-MNIST has photos of a shop, reduced to 28 × 28 gray pixels.
# :func:`~fashionkit.fetch_fashion_mnist` downloads it once. Where that is impossible,
# :func:`~fashionkit.make_garments` draws garments of the same classes.

import pandas as pd

from fashionkit import (
    CLASS_NAMES,
    CNNClassifier,
    fetch_fashion_mnist,
    make_garments,
)
from fashionkit.plotting import ConfusionDisplay, plot_samples

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(10_000, random_state=0)
    X_test, y_test = make_garments(2_000, random_state=1)

_ = plot_samples(X[:20], y[:20], class_names=CLASS_NAMES)

# %%
# Fit
# ---
# There is nothing to scale, to reshape or to one-hot encode: :class:`~fashionkit.CNNClassifier`
# takes images as they are, and flat rows too. The recipe "quick" is a small network, trained for
# one epoch at a high learning rate that falls to zero.

clf = CNNClassifier.from_recipe("quick", random_state=0)
clf.fit(X, y)

# %%
# Score
# -----
# The accuracy on images that the network has not seen:

clf.score(X_test, y_test)

# %%
# Predict
# -------
# ``predict`` returns a label for each image, and ``predict_proba`` how probable each class is.

predictions = clf.predict(X_test[:5])
probabilities = clf.predict_proba(X_test[:5])
pd.DataFrame(probabilities, columns=CLASS_NAMES).round(3)

# %%
# Above each image is what the network says, and how sure it is: of the first ten test images, and of
# the first ten that it gets wrong.

import numpy as np

wrong = np.flatnonzero(clf.predict(X_test) != y_test)[:10]
chosen = [*range(10), *wrong]
images, labels = X_test[chosen], y_test[chosen]
confidence = clf.predict_proba(images).max(axis=1)
titles = [
    f"{CLASS_NAMES[label]}{'' if label == true else ' ✗'}\n{share:.0%}"
    for label, true, share in zip(
        clf.predict(images), labels, confidence, strict=True
    )
]
# sphinx_gallery_thumbnail_number = 2
_ = plot_samples(images, titles)

# %%
# Most mistakes are among the tops. Each row of the confusion matrix has the images of one class, and says
# how many percent of them were predicted as each class.

_ = ConfusionDisplay.from_estimator(
    clf, X_test, y_test, class_names=CLASS_NAMES
)

# %%
# Next: the recipes "fast" and "strong" of :class:`~fashionkit.CNNClassifier` are more
# accurate and take longer, and :func:`~fashionkit.save` keeps a fitted model in a file.
