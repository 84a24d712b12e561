"""ProductPhotoPreprocessor.describe: how often each problem is found in photos and altered copies.

    python benchmarks/photo_quality.py --photos photos/train

PHOTOS is a folder of photos of clothes at any depth, which are taken to have no problem. The limits
of fashionkit/preprocessing/_quality.py were chosen by this table, on the training part.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import print_setting, print_table
from PIL import Image, ImageFilter

from fashionkit import ProductPhotoPreprocessor

PROBLEMS = ("too dark", "too light", "blurred", "tiny", "odd proportions", "no foreground")
NUMBERS = ("brightest", "darkest", "clipped", "sharpness", "proportion", "enlargement", "overlap")
N_COPIES = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos")
    parser.add_argument("--n", type=int, default=N_COPIES, help="photos to alter")
    options = parser.parse_args()
    print_setting("scikit-image", "pillow")
    paths = np.array(sorted(map(str, options.photos.rglob("*.jpg"))))
    describe = ProductPhotoPreprocessor(n_jobs=2).describe
    originals = describe(paths)
    print(f"Numbers of {len(paths):,} photos, in quantiles:\n")
    quantiles = (0, 0.001, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999, 1)
    table = originals[list(NUMBERS)].quantile(quantiles).T
    rows = [(name, *(f"{value:.3g}" for value in row)) for name, row in table.iterrows()]
    print_table(("", *map(str, quantiles)), rows)
    chosen = np.random.RandomState(0).choice(paths, options.n, replace=False)
    images = [load(path) for path in chosen]
    rows = [("photos as they are", *shares(originals))]
    for name, alter in ALTERATIONS.items():
        rows.append((name, *shares(describe([alter(image) for image in images]))))
    print(f"Problems found, in % of all photos, and of copies of {options.n}:\n")
    print_table(("", *PROBLEMS), rows)


def load(path: str) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def shares(description: pd.DataFrame) -> list[str]:
    found = description["quality"]
    return [f"{100 * found.str.contains(problem).mean():.1f}" for problem in PROBLEMS]


def exposed(factor: float) -> Callable:
    return lambda image: image.point(lambda value: min(255, int(value * factor)))


def faded(share: float) -> Callable:
    """Move all colours towards white, as fog does."""
    return lambda image: image.point(lambda value: round(255 - (255 - value) * share))


def blurred(sigma: float) -> Callable:
    return lambda image: image.filter(ImageFilter.GaussianBlur(sigma))


def shrunk(side: int) -> Callable:
    def alter(image):
        scale = side / min(image.size)
        return image.resize([round(scale * length) for length in image.size])

    return alter


def strip(image: Image.Image) -> Image.Image:
    """Return a quarter of the width."""
    width, height = image.size
    return image.crop((3 * width // 8, 0, 5 * width // 8, height))


def edge(image: Image.Image) -> Image.Image:
    """Return the background alone: the left edge, enlarged."""
    width, height = image.size
    return image.crop((0, 0, max(1, width // 25), height // 25)).resize((224, 224))


def noise(image: Image.Image) -> Image.Image:
    values = np.random.RandomState(0).randint(0, 256, (224, 224, 3))
    return Image.fromarray(values.astype(np.uint8))


ALTERATIONS = {
    "light × 0.5": exposed(0.5),
    "light × 0.35": exposed(0.35),
    "light × 1.5, cut off at white": exposed(1.5),
    "light × 2.5, cut off at white": exposed(2.5),
    "contrast × 0.5, towards white": faded(0.5),
    "contrast × 0.25, towards white": faded(0.25),
    "blurred, 1 pixel": blurred(1),
    "blurred, 1.5 pixels": blurred(1.5),
    "blurred, 2 pixels": blurred(2),
    "blurred, 3 pixels": blurred(3),
    "64 pixels wide": shrunk(64),
    "a quarter of the width": strip,
    "a corner of the background": edge,
    "noise": noise,
    "white": lambda image: Image.new("RGB", (224, 224), "white"),
}


if __name__ == "__main__":
    main()
