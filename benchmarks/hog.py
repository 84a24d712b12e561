"""HOGFeatures: speed and memory beside scikit-image's hog, and what accuracy its variants buy.

    python benchmarks/hog.py speed
    python benchmarks/hog.py memory
    python benchmarks/hog.py variants --figure variants.png

``variants`` trains on 20,000 and evaluates on 10,000 other training images of Fashion-MNIST; the
test images are not used.
"""

from __future__ import annotations

import argparse
import resource
import sys
from multiprocessing import get_context

import numpy as np
from _measure import cpu_seconds, interleaved, print_setting, print_table, wall_seconds
from joblib import Parallel, delayed
from skimage.feature import hog
from sklearn.base import clone
from sklearn.kernel_approximation import Nystroem
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from fashionkit import HOGFeatures, fetch_fashion_mnist
from fashionkit.features import BoundedPCA
from fashionkit.svm import CalibratedSVC

N_IMAGES = 10_000
SETTINGS = {
    "4 x 4 pixels": {"pixels_per_cell": (4, 4), "cells_per_block": (2, 2)},
    "3 x 3 pixels": {"pixels_per_cell": (3, 3), "cells_per_block": (2, 2)},
    "7 x 7 pixels": {"pixels_per_cell": (7, 7), "cells_per_block": (2, 2)},
}
TUNED = {"orientations": 12, "signed": True, "interpolate": True, "block_norm": "L1-sqrt"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["speed", "memory", "variants"])
    parser.add_argument("--repeats", type=int, default=5, help="of speed (default: 5)")
    parser.add_argument("--figure", help="where to draw the variants")
    options = parser.parse_args()
    print_setting("scikit-image")
    if options.part == "speed":
        speed(options.repeats)
    elif options.part == "memory":
        memory()
    else:
        variants(options.figure)


def speed(repeats: int) -> None:
    images, _ = fetch_fashion_mnist("test", return_X_y=True)
    images = images[:N_IMAGES]
    print(f"{len(images):,} images of 28 x 28, medians of {repeats} interleaved runs\n")
    for name, params in SETTINGS.items():
        by_one, by_two = (HOGFeatures(n_jobs=n, **params).fit(images) for n in (None, 2))
        difference = by_one.transform(images[:200]) - loop(images[:200], params)
        works = {
            "loop over skimage.feature.hog": lambda params=params: loop(images, params),
            "the same, in 2 processes": lambda params=params: loop_in_two(images, params),
            "HOGFeatures.transform": lambda hog=by_one: hog.transform(images),
            "the same, n_jobs=2": lambda hog=by_two: hog.transform(images),
        }
        loop_in_two(images[:10], params)  # starts the processes
        elapsed = interleaved(works, wall_seconds, repeats)
        del works["the same, in 2 processes"]  # the time of other processes is not seen
        cpu = interleaved(works, cpu_seconds, repeats)
        base, base_of_two, base_cpu = (
            elapsed["loop over skimage.feature.hog"],
            elapsed["the same, in 2 processes"],
            cpu["loop over skimage.feature.hog"],
        )
        print(f"Cells of {name}; largest difference {np.abs(difference).max():.1e}")
        print_table(
            (
                "",
                "CPU (ms/image)",
                "times faster",
                "elapsed (ms/image)",
                "than 1",
                "than 2 processes",
            ),
            [
                (
                    work,
                    f"{1e3 * cpu[work] / N_IMAGES:.4f}" if work in cpu else "",
                    f"{base_cpu / cpu[work]:.1f}" if work in cpu else "",
                    f"{1e3 * elapsed[work] / N_IMAGES:.4f}",
                    f"{base / elapsed[work]:.1f}",
                    f"{base_of_two / elapsed[work]:.1f}",
                )
                for work in elapsed
            ],
        )


def loop(images: np.ndarray, params: dict) -> np.ndarray:
    return np.stack([hog(image / 255, **params) for image in images])


def loop_in_two(images: np.ndarray, params: dict) -> np.ndarray:
    halves = np.array_split(images, 2)
    return np.concatenate(Parallel(2)(delayed(loop)(half, params) for half in halves))


def memory() -> None:
    rows = []
    for params in (SETTINGS["4 x 4 pixels"], TUNED, {**TUNED, "pixels_per_cell": [3, 7]}):
        for n_jobs in (1, 2):
            # Each in a process of its own, since a process knows only its highest peak.
            with get_context("spawn").Pool(1) as pool:
                columns, output, beyond = pool.apply(peak_of_transform, (n_jobs, params))
            rows.append((n_jobs, columns, f"{output:.0f}", f"{beyond:.0f}"))
    print_table(("n_jobs", "features", "output (MB)", "peak beyond it (MB)"), rows)


def peak_of_transform(n_jobs: int, params: dict) -> tuple[int, float, float]:
    """Return the number of features, their size, and the peak of memory beyond it, in MB."""
    images, _ = fetch_fashion_mnist("train", return_X_y=True)
    transformer = HOGFeatures(n_jobs=n_jobs, **params).fit(images)
    before = resident_mb()
    features = transformer.transform(images)
    output = features.nbytes / 2**20
    return features.shape[1], output, peak_mb() - before - output


def resident_mb() -> float:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() / 2**20


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )


def variants(figure: str | None) -> None:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X, X_val, y, y_val = train_test_split(
        X, y, train_size=20_000, test_size=10_000, stratify=y, random_state=0
    )
    rows = []
    for name, features, classifier in systems():
        pipeline = make_pipeline(features, *map(clone, classifier))
        fit = cpu_seconds(lambda pipeline=pipeline: pipeline.fit(X, y))
        scores = []
        predict = cpu_seconds(
            lambda pipeline=pipeline, scores=scores: scores.append(pipeline.score(X_val, y_val))
        )
        columns = pipeline[0]._n_features_out
        rows.append((name, columns, 100 * scores[0], fit, predict))
        print(name, columns, f"{100 * scores[0]:.2f} {fit:.0f} {predict:.0f}", flush=True)
    print()
    print_table(
        ("variant", "features", "validation accuracy (%)", "fit (CPU s)", "predict (CPU s)"),
        [(name, n, f"{a:.2f}", f"{f:.0f}", f"{p:.0f}") for name, n, a, f, p in rows],
    )
    if figure:
        draw(rows, figure)


def systems():
    """Yield name, features and classifier of each variant."""

    def svm(**params):
        return BoundedPCA(200, random_state=0), CalibratedSVC(C=3, random_state=0, **params)

    plain = {"pixels_per_cell": 4}
    yield "as scikit-image, cells of 4", HOGFeatures(**plain), svm()
    yield "+ signed", HOGFeatures(12, signed=True, **plain), svm()
    yield "+ interpolated", HOGFeatures(12, signed=True, interpolate=True, **plain), svm()
    yield "+ L1-sqrt", HOGFeatures(**plain, **TUNED), svm()
    yield "+ cells of 3", HOGFeatures(**TUNED), svm()
    tuned = svm(gamma=0.06)
    yield "+ gamma=0.06: hog-svm", HOGFeatures(**TUNED), tuned
    yield "hog-svm, cells of 2", HOGFeatures(pixels_per_cell=2, **TUNED), tuned
    yield "hog-svm, cells of 3 and 7", HOGFeatures(pixels_per_cell=[3, 7], **TUNED), tuned
    yield "hog-svm, blocks of 1 cell", HOGFeatures(cells_per_block=1, **TUNED), tuned
    yield "hog-svm, 8 orientations", HOGFeatures(**{**TUNED, "orientations": 8}), tuned
    yield "hog-svm, 100 components", HOGFeatures(**TUNED), (BoundedPCA(100), tuned[1])
    yield "hog-svm, all columns", HOGFeatures(**TUNED), tuned[1:]
    yield "linear SVM, all columns", HOGFeatures(**TUNED), (LinearSVC(C=0.1),)
    nystroem = Nystroem(gamma=0.06, n_components=2000, random_state=0)
    yield (
        "Nystroem of 2,000, linear SVM",
        HOGFeatures(**TUNED),
        (tuned[0], nystroem, LinearSVC(C=3)),
    )


def draw(rows: list[tuple], path: str) -> None:
    import matplotlib.pyplot as plt

    names, _, accuracy, fit, predict = zip(*rows, strict=True)
    places = np.arange(len(rows))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.5), sharey=True, layout="constrained")
    left.plot(accuracy, places, "o")
    left.set_yticks(places, names)
    left.invert_yaxis()
    left.set_xlabel("validation accuracy (%)")
    right.barh(places, fit, label="fit on 20,000 images")
    right.barh(places, predict, left=fit, label="predict 10,000")
    right.set_xlabel("CPU time (s)")
    right.legend()
    for ax in (left, right):
        ax.grid(axis="x", alpha=0.5)
        ax.set_axisbelow(True)
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
