"""
Augmentation: more images out of few
====================================

A shirt is a shirt in a mirror, and also when it lies a little to the left. An
:class:`~fashionkit.Augmentation` tells a network so, by distorting the training images differently in
each epoch. Where images are few and epochs many, that is worth a point or more.
"""

# %%
# What it does to an image
# ------------------------
# The first row has images as they are. In each of the others they are distorted anew.

import numpy as np
from sklearn.model_selection import train_test_split

from fashionkit import (
    Augmentation,
    CNNClassifier,
    fetch_fashion_mnist,
    make_garments,
)
from fashionkit.plotting import TrainingHistoryDisplay, plot_samples

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(10_000, random_state=0)
    X_test, y_test = make_garments(2_000, random_state=1)

augmentation = Augmentation(
    horizontal_flip="random",
    translation=0.08,
    rotation=5,
    erasing=0.3,
)
rows = [
    augmentation.set_params(random_state=seed).fit_transform(X[:12])
    for seed in range(3)
]
# sphinx_gallery_thumbnail_number = 1
_ = plot_samples(np.concatenate([X[:12], *rows]), n_columns=12)

# %%
# What it is good for
# -------------------
# Both networks see the same 1,000 images for 30 epochs; the augmented one never sees an image twice in
# the same form. What is predicted is never distorted.

X_train, X_val, y_train, y_val = train_test_split(
    X, y, train_size=1_000, test_size=1_000, stratify=y, random_state=0
)
params = {
    "architecture_params": {"filters": (16, 32)},
    "learning_rate": 2e-3,
    "learning_rate_schedule": "one-cycle",
    "epochs": 30,
    "random_state": 0,
}
plain = CNNClassifier(**params)
augmented = CNNClassifier(
    augmentation=Augmentation(
        horizontal_flip="random", translation=0.05
    ),
    **params,
)
for clf in (plain, augmented):
    clf.fit(X_train, y_train, X_val=X_val, y_val=y_val)
{
    "plain": round(plain.score(X_val, y_val), 3),
    "augmented": round(augmented.score(X_val, y_val), 3),
}

# %%
# The plain network soon knows all training images, and learns nothing more from them. The augmented one
# is still learning at the end: its training accuracy is lower, and its validation accuracy higher.

_ = TrainingHistoryDisplay(
    {"plain": plain.history_, "augmented": augmented.history_}
).plot()

# %%
# On the test images, which were not used for any choice:

{
    "plain": round(plain.score(X_test, y_test), 3),
    "augmented": round(augmented.score(X_test, y_test), 3),
}

# %%
# Which distortions keep an image what it is depends on the images. A bag may be turned, a 6 in a price tag may
# not; what is best here is a question for a search, ``augmentation__rotation`` being one of its parameters.
