"""
Similar products
================

A customer shows a photo, and the shop answers with what looks like it. :class:`~fashionkit.ImageSearch` is fitted to
the photos of a catalogue and finds the nearest ones, by what they show and not by their file names.
"""

# %%
# The catalogue
# -------------
# 600 photos that people took of their own clothes (CC0 1.0). :func:`~fashionkit.fetch_clothing_photos` downloads them
# and returns them as an :class:`~fashionkit.ImageFolder`, which reads a few at a time, so that a catalogue may be
# larger than memory.

import numpy as np
from sklearn.utils import Bunch

from fashionkit import (
    CLASS_NAMES,
    fetch_clothing_photos,
    make_garments,
)

try:
    train, test = (
        fetch_clothing_photos(subset, image_size=192, n_jobs=2)
        for subset in ("train", "validation")
    )
except OSError:
    print("The photos cannot be downloaded: these are drawings.")
    drawings, classes = make_garments(
        800, image_size=192, random_state=0
    )
    drawings = np.repeat(255 - drawings[..., np.newaxis], 3, axis=-1)
    names = np.array(CLASS_NAMES)[classes]
    train, test = (
        Bunch(data=drawings[part], target=names[part])
        for part in (slice(600), slice(600, None))
    )

# %%
# Columns of metadata, such as prices, travel with the photos; here they are made up.

from fashionkit import ImageSearch

rng = np.random.RandomState(0)
rows = rng.permutation(len(train.target))[:600]
catalogue, labels = train.data[rows], train.target[rows]
prices = rng.randint(5, 100, len(rows))

search = ImageSearch()
search.fit(catalogue, labels, metadata={"price": prices})

# %%
# What is near
# ------------
# ``embedding="auto"`` describes photos by the network of the model "clothing-photos-small-v1", which comes with the
# package. Queries are photos that are not in the catalogue; the result is a table.

chosen = [
    int(rng.choice(np.flatnonzero(test.target == name)))
    for name in ("dress", "shoes", "shirt", "skirt", "hat")
    if name in test.target
] or [0, 20, 40, 60]
queries = test.data[chosen]
found = search.search(queries, n_neighbors=4)
found["id"] = [str(name)[-16:] for name in found["id"]]
found.round(3).head(8)

# %%
# Only what costs less than 30:

search.search(
    queries[[0]], n_neighbors=3, where=lambda table: table["price"] < 30
)[["distance", "label", "price"]].round(3)

# %%
# How good is it?
# ---------------
# A result counts as right if it has the class of its query. (The network was trained on most of these photos, which
# flatters it; of people whom it does not know, 89 % of the first ten are right, says the user guide.)

from fashionkit.search import evaluate_search

others = rng.permutation(len(test.target))[:100]
evaluate_search(search, test.data[others], test.target[others]).round(3)

# %%
# Each query is at the left, with what was found for it beside it, the nearest first.

from fashionkit.plotting import RetrievalDisplay

_ = RetrievalDisplay.from_estimator(
    search,
    queries,
    test.target[chosen],
    images=catalogue,
    n_results=6,
)
