"""A model of Fashion-MNIST on real photos, with and without ProductPhotoPreprocessor.

    python benchmarks/photos_to_silhouettes.py --photos PHOTOS --part held-out
    python benchmarks/photos_to_silhouettes.py --photos PHOTOS --part held-out --figure photos.png

PHOTOS is a folder with a file senders.csv with the columns split, label, file and sender_id, and
the photos in split/label/file. "held-out" are the photos of the senders that the training of
"clothing-photos-small-v1" left out for its card, so that both models see photos, and senders,
that are new to them; "development" are all others, from which the photo model has learnt, so that
it is not run on them. The preprocessor's polarity, margin and sharpening were chosen on 700 photos,
most of these and some held out.

Of the ten classes of the photos, seven have counterparts in Fashion-MNIST. Hats, shorts and skirts
have none and are left out: no answer could be right. Any kind of shoe is right for shoes.
"Kinds" counts a top for a top: tops, trousers, dresses and footwear.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import print_setting, print_table
from _photos import list_photos, split_senders
from PIL import Image

from fashionkit import (
    CLASS_NAMES,
    ImageLoader,
    ProductPhotoPreprocessor,
    load_pretrained,
)
from fashionkit._images import LUMA

COUNTERPARTS = {
    "t-shirt": ("T-shirt/top",),
    "pants": ("Trouser",),
    "longsleeve": ("Pullover",),
    "dress": ("Dress",),
    "outwear": ("Coat",),
    "shirt": ("Shirt",),
    "shoes": ("Sandal", "Sneaker", "Ankle boot"),
}
KINDS = {
    **dict.fromkeys(("T-shirt/top", "Pullover", "Coat", "Shirt"), "top"),
    **dict.fromkeys(("Sandal", "Sneaker", "Ankle boot"), "footwear"),
    "Trouser": "trousers",
    "Dress": "dress",
    "Bag": "bag",
}
SMALL_SIZE = 192


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--part", choices=["development", "held-out"], default="held-out")
    parser.add_argument("--n", type=int, help="photos, drawn at random; None for all")
    parser.add_argument("--figure", help="where to draw photos and their silhouettes")
    options = parser.parse_args()
    print_setting("tensorflow", "pillow")
    paths, labels = choose(options.photos, options.part, options.n)
    print(f"{len(paths)} photos, {options.part}: {pd.Series(labels).value_counts().to_dict()}\n")
    silhouettes = load_pretrained("fashion-mnist-v1")
    rows = []
    inputs = silhouette_inputs(paths)
    for name, X in inputs.items():
        predicted = np.array(CLASS_NAMES)[silhouettes.predict(X)]
        right = np.array([p in COUNTERPARTS[y] for p, y in zip(predicted, labels, strict=True)])
        of_kind = np.array([KINDS[p] == kind(y) for p, y in zip(predicted, labels, strict=True)])
        rows.append(row(f"fashion-mnist-v1, {name}", right, of_kind, labels))
        print(pd.crosstab(labels, predicted).to_string(), "\n", flush=True)
    if options.part == "held-out":
        small = load_pretrained("clothing-photos-small-v1")
        for name, X in photo_inputs(paths).items():
            predicted = most_likely(small, X)
            of_kind = np.array([kind(p) == kind(y) for p, y in zip(predicted, labels, strict=True)])
            name = f"clothing-photos-small-v1, {name}"
            rows.append(row(name, predicted == labels, of_kind, labels))
    print_table(("", "right (%)", "mean of classes", "kinds", *COUNTERPARTS), rows)
    if options.figure:
        draw(paths, inputs, options.figure)


def choose(folder: Path, part: str, n: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the paths and labels of photos with a counterpart."""
    photos, senders = list_photos(folder, SMALL_SIZE)
    train, test = split_senders(photos.target, senders)
    rows = test if part == "held-out" else train
    rows = rows[np.isin(photos.target[rows], list(COUNTERPARTS))]
    if n is not None:
        rows = np.sort(np.random.RandomState(0).permutation(rows)[:n])
    return photos.filenames[rows], np.asarray(photos.target[rows], dtype=str)


def silhouette_inputs(paths: np.ndarray) -> dict[str, np.ndarray]:
    """Return images of 28 pixels, made of photos in several ways."""
    plain = ImageLoader(28, n_jobs=2).transform(paths) @ np.array(LUMA)
    plain = np.rint(plain).astype(np.uint8)
    ways = {"gray": plain, "gray, negated": 255 - plain}
    for polarity in ("keep", "negate", "auto"):
        name = f"ProductPhotoPreprocessor, polarity={polarity!r}"
        preprocessor = ProductPhotoPreprocessor("fashion-mnist", polarity=polarity, n_jobs=2)
        ways[name] = preprocessor.transform(paths)
    return ways


def photo_inputs(paths: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "cropped to the middle": ImageLoader(SMALL_SIZE, n_jobs=2).transform(paths),
        "ProductPhotoPreprocessor": ProductPhotoPreprocessor(
            image_size=SMALL_SIZE, n_jobs=2
        ).transform(paths),
    }


def most_likely(model, X: np.ndarray) -> np.ndarray:
    """Return the most likely of the classes that are compared, as the other model knows no hats."""
    known = np.isin(model.classes_, list(COUNTERPARTS))
    return model.classes_[known][model.predict_proba(X)[:, known].argmax(axis=1)]


def kind(label: str) -> str:
    return KINDS[COUNTERPARTS[label][0]]


def row(name: str, right: np.ndarray, of_kind: np.ndarray, labels: np.ndarray) -> tuple:
    by_class = [100 * right[labels == label].mean() for label in COUNTERPARTS]
    overall = (
        f"{100 * right.mean():.1f}",
        f"{np.mean(by_class):.1f}",
        f"{100 * of_kind.mean():.1f}",
    )
    return name, *overall, *(f"{share:.0f}" for share in by_class)


def draw(paths: np.ndarray, inputs: dict[str, np.ndarray], to: str) -> None:
    """Draw photos above the squares and the silhouettes that are made of them."""
    import matplotlib.pyplot as plt

    rows = np.random.RandomState(4).choice(len(paths), 12, replace=False)
    squares = ProductPhotoPreprocessor().transform(paths[rows])
    silhouettes = inputs["ProductPhotoPreprocessor, polarity='auto'"][rows]
    figure, axes = plt.subplots(3, len(rows), figsize=(12, 3.6), layout="constrained")
    for column in range(len(rows)):
        with Image.open(paths[rows[column]]) as photo:
            axes[0, column].imshow(photo.convert("RGB"))
        axes[1, column].imshow(squares[column])
        axes[2, column].imshow(silhouettes[column], cmap="gray", vmin=0, vmax=255)
    for ax in axes.flat:
        ax.axis("off")
    figure.savefig(to, dpi=110)


if __name__ == "__main__":
    main()
