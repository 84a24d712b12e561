"""
Photos that occur twice
=======================

Large shops upload some photos twice: smaller, recompressed, brighter. In a training set such copies make a
model look better than it is, and in a catalogue they are a nuisance. :func:`~fashionkit.find_duplicates` finds them
without comparing each photo with all others.
"""

# %%
# A catalogue, with copies
# ------------------------
# 300 photos that people took of their own clothes (CC0 1.0), downloaded by
# :func:`~fashionkit.fetch_clothing_photos`.

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
# Some of them are copied, in ways in which photos change on the web.

import shutil

import numpy as np
from PIL import ImageEnhance

rng = np.random.RandomState(0)
catalogue = Path(tempfile.mkdtemp())
paths = [Path(paths[row]) for row in rng.permutation(len(paths))[:300]]
for path in paths:
    shutil.copy(path, catalogue / path.name)

changes = {
    "smaller": lambda photo: photo.resize(
        [side // 2 for side in photo.size]
    ),
    "brighter": lambda photo: ImageEnhance.Brightness(photo).enhance(
        1.15
    ),
    "recompressed": lambda photo: photo,
    "cropped": lambda photo: photo.crop(
        (2, 2, photo.width - 3, photo.height - 3)
    ),
}
for number, path in enumerate(paths[:20]):
    name = list(changes)[number % 4]
    copy = changes[name](Image.open(path).convert("RGB"))
    copy.save(catalogue / f"copy-{number}-{name}.jpg", quality=70)
_ = shutil.copy(paths[20], catalogue / "copy-20-renamed.jpg")

# %%
# Find them
# ---------
# ``kind`` tells files that are the same from photos that only look so.

import pandas as pd

from fashionkit import find_duplicates

pairs = find_duplicates(catalogue)
table = pd.DataFrame(
    {
        "first": [Path(pair.paths[0]).name[-24:] for pair in pairs],
        "second": [Path(pair.paths[1]).name[-24:] for pair in pairs],
        "kind": [pair.kind for pair in pairs],
        "distance": [round(pair.distance, 3) for pair in pairs],
    }
)
table.head(8)

# %%
# Of each way of copying, how many of five were found? Copies that are cropped differ the most; a larger
# ``max_distance`` finds more of them, at the price of pairs that are no copies.

names = {Path(path).name for pair in pairs for path in pair.paths}
copies = pd.Series(
    sorted(path.name for path in catalogue.glob("copy-*"))
)
way = copies.str.extract(r"-(\w+)\.jpg$")[0]
copies.isin(names).groupby(way).agg(["sum", "count"]).rename(
    columns={"sum": "found", "count": "copies"}
).rename_axis("way of copying")

# %%
# Side by side
# ------------
# Above a photo, below the copy that was found.

import matplotlib.pyplot as plt

shown = pairs[:: max(1, len(pairs) // 7)][:7]
figure, axes = plt.subplots(
    2, len(shown), figsize=(1.6 * len(shown), 4), layout="constrained"
)
for column, pair in zip(axes.T, shown, strict=True):
    for ax, path in zip(
        column,
        sorted(pair.paths, key=lambda path: "copy-" in path),
        strict=True,
    ):
        ax.imshow(Image.open(path))
        ax.set(xticks=[], yticks=[])
        label = Path(path).stem
        if label.startswith("copy-"):
            ax.set_xlabel(label.split("-")[-1])
    column[0].set_title(f"{pair.kind}\n{pair.distance:.3f}", fontsize=9)
shutil.rmtree(catalogue)

# %%
# Photos of the same garment from another side are no copies. With ``embedding`` they are found, too, as the kind
# "product". And :class:`~fashionkit.inspection.DuplicateFinder` remembers what it has seen, so that the photos of
# today are compared with those of last year without reading these again.
