"""PredictionMonitor: how often it finds a shift of Fashion-MNIST, and how often one that is none.

    python benchmarks/drift.py
    python benchmarks/drift.py --images test --embeddings auto

The model is trained on the first 20,000 training images. The reference are the 5,000 images after
them; a SelectiveClassifier, where there is one, is calibrated on the next 5,000. New images are
drawn from the last 30,000, or from the test images, and shifted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from _measure import cpu_seconds, print_setting, print_table

import fashionkit
from fashionkit import (
    PredictionMonitor,
    fetch_fashion_mnist,
    make_garments,
    make_model,
)

N_TRAIN, N_REFERENCE = 20_000, 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", choices=["train", "test"], default="train")
    parser.add_argument("--model", default="hog-fast")
    parser.add_argument("--embeddings", nargs="+", default=["auto", "hog", "probabilities"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--null-draws", type=int, default=100)
    options = parser.parse_args()
    print_setting()
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    model = make_model(options.model, random_state=0).fit(X[:N_TRAIN], y[:N_TRAIN])
    reference = X[N_TRAIN : N_TRAIN + N_REFERENCE]
    calibration = slice(N_TRAIN + N_REFERENCE, N_TRAIN + 2 * N_REFERENCE)
    model = selective(model, X[calibration], y[calibration])
    if options.images == "test":
        pool, labels = fetch_fashion_mnist("test", return_X_y=True)
    else:
        pool, labels = X[-30_000:], y[-30_000:]
    for embedding in options.embeddings:
        monitor = PredictionMonitor(model, embedding=embedding, random_state=0)
        seconds = cpu_seconds(lambda monitor=monitor: monitor.fit(reference))
        print(
            f"embedding={embedding!r} ({monitor.embedding_}), fit {seconds:.1f} CPU s", flush=True
        )
        run(monitor, pool, labels, options)


def selective(model: object, X: np.ndarray, y: np.ndarray) -> object:
    """Return a model that sends the 10 % of least confidence to review, where there is one."""
    if "SelectiveClassifier" not in fashionkit.__all__:
        return model
    from sklearn.frozen import FrozenEstimator

    wrapper = fashionkit.SelectiveClassifier(
        FrozenEstimator(model), criterion="coverage", level=0.9, random_state=0
    )
    return wrapper.fit(X, y)


def run(
    monitor: PredictionMonitor, pool: np.ndarray, labels: np.ndarray, options: argparse.Namespace
) -> None:
    """Print how often each measure has shifted, and the CPU time of one comparison."""
    rows = []
    for size in options.sizes:
        for name, shift in SHIFTS.items():
            n_draws = options.null_draws if name == "none" else options.draws
            found, seconds = [], []
            for draw in range(n_draws):
                rng = np.random.RandomState(draw)
                images = shift(pool, labels, size, rng)
                tables: list = []
                work = lambda images=images, tables=tables: tables.append(monitor.compare(images))  # noqa: E731
                seconds.append(cpu_seconds(work))
                found.append(tables[0]["p_holm"] < monitor.significance)
            shares = np.mean(found, axis=0)
            anything = np.mean(np.any(found, axis=1))
            cells = [f"{100 * share:.0f}" for share in (*shares, anything)]
            rows.append((size, name, *cells, f"{np.median(seconds):.2f}"))
            print(rows[-1], flush=True)
    measures = [f"{name} (%)" for name in tables[0].index]
    print_table(("images", "shift", *measures, "any (%)", "CPU (s)"), rows)


def drawn(pool: np.ndarray, size: int, rng: np.random.RandomState) -> np.ndarray:
    return pool[rng.choice(len(pool), size, replace=False)]


def altered(alter: Callable) -> Callable:
    """Return a shift that alters every image of a draw."""

    def shift(pool, labels, size, rng):
        images = alter(drawn(pool, size, rng).astype(float), rng)
        return np.rint(images).clip(0, 255).astype(np.uint8)

    return shift


def imbalanced(factor: float) -> Callable:
    """Return a shift where sandals, sneakers and boots are more frequent by a factor."""

    def shift(pool, labels, size, rng):
        weights = np.where(np.isin(labels, (5, 7, 9)), factor, 1.0)
        return pool[rng.choice(len(pool), size, replace=False, p=weights / weights.sum())]

    return shift


def mixed(share: float) -> Callable:
    """Return a shift where a share of the images is of another domain."""

    def shift(pool, labels, size, rng):
        images = drawn(pool, size, rng).copy()
        n_others = round(share * size)
        seed = int(rng.randint(2**31 - 1))
        images[:n_others] = make_garments(n_others, random_state=seed)[0]
        return images

    return shift


def turned(images: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    from scipy.ndimage import rotate

    return rotate(images, 10, axes=(2, 1), reshape=False, order=1)


SHIFTS: dict[str, Callable] = {
    "none": altered(lambda images, rng: images),
    "shoes 1.5 times": imbalanced(1.5),
    "shoes 3 times": imbalanced(3.0),
    "noise, sd 5": altered(lambda images, rng: images + rng.normal(0, 5, images.shape)),
    "noise, sd 20": altered(lambda images, rng: images + rng.normal(0, 20, images.shape)),
    "darker by 20 %": altered(lambda images, rng: 0.8 * images),
    "darker by 60 %": altered(lambda images, rng: 0.4 * images),
    "turned by 10 degrees": altered(turned),
    "10 % drawings": mixed(0.1),
    "all drawings": mixed(1.0),
}


if __name__ == "__main__":
    main()
