"""find_duplicates: pairs that it finds in Fashion-MNIST and in photos, and altered copies.

    python benchmarks/duplicates.py fashion-mnist --figure duplicates.png
    python benchmarks/duplicates.py photos --photos DIR
    python benchmarks/duplicates.py many --n-images 100000

The folder of photos has JPEG files at any depth. Copies are those of 1,000 images, altered one
way at a time, and are looked for among all images. "many" are files of JPEG in colour, of distorted
images of Fashion-MNIST, one in a hundred of which is another one compressed again.
"""

from __future__ import annotations

import argparse
import io
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _measure import cpu_seconds, peak_memory, print_setting, print_table
from PIL import Image, ImageEnhance, ImageOps

from fashionkit import Augmentation, ImageFolder, fetch_fashion_mnist, find_duplicates

N_COPIES = 1000
DISTANCES = (0.05, 0.1, 0.15, 0.2)
PHOTO_SIZE = 96


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=["fashion-mnist", "photos", "many"])
    parser.add_argument("--photos", type=Path, help="folder of photos")
    parser.add_argument("--n-images", type=int, default=100_000)
    parser.add_argument("--figure", help="where to draw the pairs of test and training images")
    options = parser.parse_args()
    print_setting("pillow")
    if options.data == "fashion-mnist":
        run_fashion_mnist(options.figure)
    elif options.data == "many":
        run_many(options.n_images)
    elif options.photos is None:
        parser.error("photos needs --photos DIR")
    else:
        run_photos(options.photos)


def run_fashion_mnist(figure: str | None) -> None:
    X, _ = fetch_fashion_mnist("train", return_X_y=True)
    X_test, _ = fetch_fashion_mnist("test", return_X_y=True)
    works = {
        "test against training": lambda: find_duplicates(X_test, X),
        "within training": lambda: find_duplicates(X),
        "within test": lambda: find_duplicates(X_test),
    }
    rows = []
    for name, work in works.items():
        before = peak_memory()
        pairs, seconds = measured(work)
        kinds = Counter(pair.kind for pair in pairs)
        images = len({pair.indices[0] for pair in pairs})
        memory = f"{(peak_memory() - before) / 2**20:.0f}"
        rows.append((name, kinds["identical"], kinds["near"], images, f"{seconds:.1f}", memory))
        if figure and name == "test against training":
            draw(pairs, X_test, X, figure)
    print_table(("", "identical", "near", "images", "CPU (s)", "peak (MB)"), rows)
    copied = copied_rows(len(X))
    alterations = {name: alter for name, alter in ALTERATIONS.items() if name != "cropped by 2 %"}
    sources = [Image.fromarray(image) for image in X[copied]]
    print_copies(
        {
            name: np.stack([at_size(alter(image), 28) for image in sources])
            for name, alter in alterations.items()
        },
        X,
        copied,
    )


def run_photos(folder: Path) -> None:
    paths = sorted(map(str, folder.rglob("*.jpg")))
    photos = ImageFolder.from_paths(paths, image_size=PHOTO_SIZE)
    reading = cpu_seconds(lambda: np.asarray(photos))
    pairs, seconds = measured(lambda: find_duplicates(photos))
    print(
        f"{len(photos):,} photos: reading {reading:.1f} CPU s, find_duplicates {seconds:.1f} CPU s"
    )
    for pair in pairs:
        print(f"{pair.kind} ({pair.distance:.3f}):", *(Path(path).name for path in pair.paths))
    print()
    copied = copied_rows(len(photos))
    with TemporaryDirectory() as place:
        print_copies(
            {
                name: ImageFolder.from_paths(
                    altered_files(alter, photos.filenames[copied], Path(place) / str(number)),
                    image_size=PHOTO_SIZE,
                )
                for number, (name, alter) in enumerate(ALTERATIONS.items())
            },
            photos,
            copied,
        )


def run_many(n_images: int) -> None:
    """Find copies among many files, and measure time and memory from the first to the last."""
    with TemporaryDirectory() as folder:
        # In another process, whose memory is not that of the search.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            copies = pool.submit(write_many, Path(folder), n_images).result()
        pairs: list = []
        start, cpu = time.perf_counter(), cpu_seconds(lambda: pairs.extend(find_duplicates(folder)))
        elapsed = time.perf_counter() - start
        found = {tuple(sorted(Path(path).name for path in pair.paths)) for pair in pairs}
    n_found = len(found & copies)
    print(
        f"{n_images:,} files of {PHOTO_SIZE} x {PHOTO_SIZE} pixels: {elapsed:.0f} s, "
        f"{cpu:.0f} s of CPU, peak memory {peak_memory() / 2**20:.0f} MB"
    )
    print(f"{n_found:,} of {len(copies):,} copies found, and {len(found - copies):,} other pairs")


def write_many(folder: Path, n_images: int) -> set[tuple[str, str]]:
    """Write files, and return the names of those that show the same."""
    X, _ = fetch_fashion_mnist("train", return_X_y=True)
    distort = Augmentation(rotation=10, translation=0.07, zoom=0.1)
    copies = set()
    for number in range(n_images):
        if number % len(X) == 0:
            seed = number // len(X)
            images = distort.set_params(random_state=seed).fit_transform(X) if seed else X
        name = f"{number:06}.jpg"
        if number % 100 == 99:
            original = f"{number - 50:06}.jpg"
            with Image.open(folder / original) as image:
                image.save(folder / name, quality=70)
            copies.add((original, name))
            continue
        image = Image.fromarray(images[number % len(X)]).resize((PHOTO_SIZE, PHOTO_SIZE))
        color = tuple(np.random.RandomState(number).randint(64, 256, 3).tolist())
        ImageOps.colorize(image, "white", color).save(folder / name, quality=90)
    return copies


def altered_files(alter: Callable, paths: np.ndarray, folder: Path) -> list[Path]:
    """Write altered copies, without another loss of quality, and return their paths."""
    folder.mkdir()
    copies = [folder / f"{number}.png" for number in range(len(paths))]
    for path, copy in zip(paths, copies, strict=True):
        with Image.open(path) as image:
            alter(image.convert("RGB")).save(copy, compress_level=1)
    return copies


def print_copies(copies: dict, originals: object, copied: np.ndarray) -> None:
    """Print by alteration how many copies are found, and what else."""
    rows = []
    known = {tuple(sorted(pair.indices)) for pair in find_duplicates(originals)}
    for name, altered in copies.items():
        pairs = find_duplicates(altered, originals, max_distance=max(DISTANCES))
        found, others = [], []
        for pair in pairs:
            copy, original = copied[pair.indices[0]], pair.indices[1]
            if copy == original:
                found.append(pair.distance)
            elif tuple(sorted((copy, original))) not in known:
                others.append(pair.distance)
        share = [f"{100 * np.mean(counts(found, most)):.1f}" for most in DISTANCES]
        rows.append((name, *share, *(sum(counts(others, most)) for most in DISTANCES)))
    header = ("copies", *(f"found (%), {most}" for most in DISTANCES))
    print_table((*header, *(f"others, {most}" for most in DISTANCES)), rows)


def counts(distances: list[float], most: float) -> list[bool]:
    """Tell which distances are small enough, one for each copy at least."""
    near = [distance <= most for distance in distances]
    return near + [False] * (N_COPIES - len(near))


def copied_rows(n_images: int) -> np.ndarray:
    return np.sort(np.random.RandomState(0).choice(n_images, N_COPIES, replace=False))


def measured(work: Callable) -> tuple[list, float]:
    results: list = []
    seconds = cpu_seconds(lambda: results.append(work()))
    return results[0], seconds


def resized(share: float) -> Callable:
    return lambda image: image.resize([round(share * side) for side in image.size])


def compressed(quality: int) -> Callable:
    def alter(image):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert(image.mode)

    return alter


def brightened(factor: float) -> Callable:
    return lambda image: ImageEnhance.Brightness(image).enhance(factor)


def cropped(share: float) -> Callable:
    """Cut off half of a share of each side at either end."""

    def alter(image):
        width, height = image.size
        left, top = round(share / 2 * width), round(share / 2 * height)
        return image.crop((left, top, width - left, height - top))

    return alter


def at_size(image: Image.Image, size: int) -> np.ndarray:
    return np.asarray(image.resize((size, size)))


ALTERATIONS = {
    "resized to 75 %": resized(0.75),
    "resized to 50 %": resized(0.5),
    "JPEG, quality 95": compressed(95),
    "JPEG, quality 85": compressed(85),
    "JPEG, quality 70": compressed(70),
    "brighter by 10 %": brightened(1.1),
    "darker by 20 %": brightened(0.8),
    "cropped by 2 %": cropped(0.02),
}


def draw(pairs: list, X_test: np.ndarray, X: np.ndarray, path: str) -> None:
    """Draw pairs side by side, the nearest first."""
    import matplotlib.pyplot as plt

    pairs = sorted(pairs, key=lambda pair: pair.distance)
    n_columns = 5
    n_rows = -(-len(pairs) // n_columns)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(1.7 * n_columns, 1.15 * n_rows), layout="constrained"
    )
    for ax in axes.flat:
        ax.axis("off")
    for ax, pair in zip(axes.flat, pairs, strict=False):
        test, train = pair.indices
        ax.imshow(np.hstack([X_test[test], X[train]]), cmap="gray_r")
        ax.set_title(f"{test} | {train}: {pair.distance:.3f}", fontsize=8)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
