"""
Clothes on your own photos
==========================

A model that comes with the package classifies a folder of photos: no training, no download of
weights, one call. What comes out is a table with a row for each photo.
"""

# %%
# Some photos
# -----------
# :func:`~fashionkit.fetch_clothing_photos` downloads photos that people took of their own clothes (CC0
# 1.0). The path of any folder of yours can take their place.

import tempfile
from pathlib import Path

from PIL import Image

from fashionkit import fetch_clothing_photos, make_garments

try:
    paths = fetch_clothing_photos("validation").filenames
except OSError:
    print("The photos cannot be downloaded: these are drawings.")
    folder = Path(tempfile.mkdtemp())
    drawings, _ = make_garments(340, image_size=128, random_state=0)
    for row, drawing in enumerate(drawings):
        Image.fromarray(255 - drawing).save(folder / f"{row:03}.png")
    paths = sorted(folder.iterdir())


# %%
# A row for each photo
# --------------------
# :func:`~fashionkit.classify_photos` reads the photos a few at a time. Each has its class and how sure
# the model is of it, the names of its main colours, and what is wrong with the photo, if anything.
# What the model is not sure of has the status "review": of what it accepts, it promises that at most 5 %
# is wrong.

from fashionkit import classify_photos

table = classify_photos("clothing-photos-small-v1", paths[1::3])
columns = [
    "label",
    "confidence",
    "second",
    "status",
    "color_1",
    "quality",
]
table[columns].iloc[::15].round(2)

# %%
# ``table.to_csv("photos.csv")`` is what a shop needs. What is to be reviewed, the least sure first, can
# be shown to a person:

table["status"].value_counts()

# %%
# Where the model looked
# ----------------------
# :func:`~fashionkit.load_pretrained` returns the model itself, a :class:`~fashionkit.SelectiveClassifier`.
# ``explain`` of the network inside shows where in the photo the evidence for its class lies, by Grad-CAM.
# Of the photos that it accepts, here are some:

from fashionkit import load_images, load_pretrained
from fashionkit.plotting import plot_explanations, plot_samples

network = load_pretrained("clothing-photos-small-v1").estimator_
chosen = table[table["status"] == "accepted"].drop_duplicates("label")
chosen = chosen.head(8) if len(chosen) > 3 else table.head(8)
images = load_images(chosen["path"].tolist(), image_size=192)
titles = [
    f"{row.label}, {row.confidence:.0%}" for row in chosen.itertuples()
]
_ = plot_explanations(
    images, network.explain(images), titles, n_columns=4
)

# %%
# And those that it would rather leave to a person:

unsure = table.sort_values("confidence").head(4)
images = load_images(unsure["path"].tolist(), image_size=192)
titles = [
    f"{row.label}, {row.confidence:.0%}\nor {row.second}"
    for row in unsure.itertuples()
]
_ = plot_samples(images, titles, n_columns=4)

# %%
# The model has learnt ten kinds of clothes, and some of these photos are among those that it has learnt
# from. What it reaches on photos of people that it does not know is on its card, in the user guide:
# :ref:`pretrained`.
