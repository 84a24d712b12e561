"""
Similar products
================

A customer shows a photo, and the shop answers with what looks like it. :class:`~fashionkit.ImageSearch` is fitted to
the photos of a catalogue and finds the nearest ones, by what they show and not by their file names.
"""

# %%
# The catalogue
# -------------
# 600 photos by people who sell their clothes (`small clothing dataset
# <https://github.com/alexeygrigorev/clothing-dataset-small>`__, CC0 1.0), found in the folder that
# ``FASHIONKIT_DATA`` names, or downloaded.

import os
import tempfile
from pathlib import Path

import pooch
from PIL import Image

from fashionkit import CLASS_NAMES, make_garments

ARCHIVE = (
    "https://github.com/alexeygrigorev/clothing-dataset-small/archive"
    "/36364be1969242c019705255cd87aed00c73a939.zip"
)


def find_photos():
    """Return a folder of photos: yours, a download, or drawings."""
    folder = Path(os.environ.get("FASHIONKIT_DATA", ""), "photos")
    if folder.is_dir():
        return folder
    try:
        files = pooch.retrieve(ARCHIVE, None, processor=pooch.Unzip())
        return Path(os.path.commonpath(files))
    except OSError:
        print("The photos cannot be downloaded: these are drawings.")
    folder = Path(tempfile.mkdtemp())
    images, labels = make_garments(600, image_size=128, random_state=0)
    for row, (image, label) in enumerate(
        zip(images, labels, strict=True)
    ):
        part = "validation" if row % 4 == 0 else "train"
        name = CLASS_NAMES[label].replace("/", " or ")
        path = folder / part / name / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image).save(path)
    return folder


# %%
# :class:`~fashionkit.ImageFolder` reads photos a few at a time, so that a catalogue may be larger than memory.
# Columns of metadata, such as prices, travel with the photos; here they are made up.

import numpy as np

from fashionkit import ImageFolder, ImageSearch

folder = find_photos()
catalogue = ImageFolder(folder / "train", image_size=192, n_jobs=2)
rng = np.random.RandomState(0)
catalogue = catalogue[rng.permutation(len(catalogue))[:600]]
prices = rng.randint(5, 100, len(catalogue))

search = ImageSearch()
search.fit(catalogue, catalogue.target, metadata={"price": prices})

# %%
# What is near
# ------------
# ``embedding="auto"`` describes photos by the network of the model "clothing-photos-small-v1", which comes with the
# package. Queries are photos that are not in the catalogue; the result is a table.

queries = ImageFolder(folder / "validation", image_size=192, n_jobs=2)
chosen = [
    int(rng.choice(np.flatnonzero(queries.target == name)))
    for name in ("dress", "shoes", "shirt", "skirt", "hat")
    if name in queries.target_names
] or [0, 20, 40, 60]
queries = queries[chosen]
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

others = ImageFolder(folder / "validation", image_size=192, n_jobs=2)
others = others[rng.permutation(len(others))[:100]]
evaluate_search(search, others, others.target).round(3)

# %%
# Each query is at the left, with what was found for it beside it, the nearest first.

from fashionkit.plotting import RetrievalDisplay

_ = RetrievalDisplay.from_estimator(
    search, queries, queries.target, images=catalogue, n_results=6
)
