"""What the scikit-learn contract costs over bare Keras, and what it saves over SciKeras.

Everything is measured in turn in one process, and compared as ratios of medians.

    python benchmarks/overhead.py
"""

from __future__ import annotations

import argparse

import keras
import numpy as np
import psutil
import tensorflow as tf
from _report import cpu_seconds, interleaved, print_setting, print_table, wall_seconds
from scikeras.wrappers import KerasClassifier

from fashionkit import CNNClassifier, fetch_fashion_mnist, make_garments
from fashionkit.neural import architectures

TINY = {"filters": (4, 4), "dense_units": (8,)}
N_SMALL_FITS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="fits of each kind (default: 5)")
    options = parser.parse_args()
    print_setting("tensorflow", "keras", "scikeras")
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    scaled = (X[..., np.newaxis] / 255).astype("float32")
    fit_overhead(X, scaled, y, options.repeats)
    prediction(X, scaled, y)
    small_fits()


def fit_overhead(X, scaled, y, repeats: int) -> None:
    """One epoch of the report's CNN on 60,000 images, after a first fit that compiles."""
    model = bare_keras()

    def by_keras():
        model.fit(scaled, y, epochs=1, batch_size=32, verbose=0)

    def by_fashionkit():
        CNNClassifier(epochs=1, batch_size=32, random_state=0).fit(X, y)

    works = {"keras.Model.fit": by_keras, "CNNClassifier.fit": by_fashionkit}
    interleaved(works, cpu_seconds, 1)
    cpu = interleaved(works, cpu_seconds, repeats)
    wall = interleaved(works, wall_seconds, repeats)
    print(f"One epoch on {len(X):,} images, batch size 32, median of {repeats}:\n")
    base = works_base = "keras.Model.fit"
    print_table(
        ("", "CPU (s)", "ratio", "elapsed (s)", "ratio"),
        [
            (name, f"{cpu[name]:.2f}", f"{cpu[name] / cpu[base]:.3f}",
             f"{wall[name]:.2f}", f"{wall[name] / wall[works_base]:.3f}")
            for name in works
        ],
    )  # fmt: skip


def prediction(X, scaled, y) -> None:
    """Probabilities of one image, and of 10,000."""
    clf = CNNClassifier(epochs=1, random_state=0).fit(X[:2000], y[:2000])
    model = clf.model_
    function = tf.function(model, input_signature=[tf.TensorSpec((None, 28, 28, 1))])
    scikeras = KerasClassifier(bare_keras, epochs=1, verbose=0, random_state=0)
    scikeras.fit(scaled[:2000], y[:2000])

    def works(n):
        images, ready = X[:n], scaled[:n]
        return {
            "compiled tf.function": lambda: function(ready).numpy(),
            "CNNClassifier.predict_proba": lambda: clf.predict_proba(images),
            "keras.Model.predict": lambda: model.predict(ready, verbose=0),
            "scikeras predict_proba": lambda: scikeras.predict_proba(ready),
        }

    for n, repeats in ((1, 200), (10_000, 15)):
        interleaved(works(n), wall_seconds, 5)
        elapsed = interleaved(works(n), wall_seconds, repeats)
        ours = elapsed["CNNClassifier.predict_proba"]
        print(f"Probabilities of {n:,} image{'s' * (n > 1)}, median of {repeats}:\n")
        print_table(
            ("", "elapsed (ms)", "over CNNClassifier's"),
            [(name, f"{1e3 * t:.2f}", f"{t / ours:.2f}") for name, t in elapsed.items()],
        )


def small_fits() -> None:
    """Fit and predict a tiny CNN on 1,000 images, again and again."""
    X, y = make_garments(1000, random_state=0)
    scaled = (X[..., np.newaxis] / 255).astype("float32")
    process = psutil.Process()

    def by_fashionkit():
        clf = CNNClassifier(architecture_params=TINY, epochs=1, random_state=0)
        clf.fit(X, y).predict_proba(X)

    def by_scikeras():
        clf = KerasClassifier(lambda: bare_keras(TINY), epochs=1, verbose=0, random_state=0)
        clf.fit(scaled, y).predict_proba(scaled)

    cpu: dict[str, list[float]] = {"CNNClassifier": [], "scikeras": []}
    growth: dict[str, list[float]] = {"CNNClassifier": [], "scikeras": []}
    for _ in range(N_SMALL_FITS):
        for name, work in (("CNNClassifier", by_fashionkit), ("scikeras", by_scikeras)):
            before = process.memory_info().rss
            cpu[name].append(cpu_seconds(work))
            growth[name].append((process.memory_info().rss - before) / 2**20)
    base = np.median(cpu["scikeras"][1:])
    print(
        f"A tiny CNN, one epoch on {len(X):,} images, {N_SMALL_FITS} fits and predictions each:\n"
    )
    print_table(
        ("", "first fit (CPU s)", "later fits (CPU s)", "ratio", "growth per fit (MB)"),
        [
            (name, f"{cpu[name][0]:.2f}", f"{np.median(cpu[name][1:]):.3f}",
             f"{np.median(cpu[name][1:]) / base:.2f}", f"{np.mean(growth[name][5:]):.2f}")
            for name in cpu
        ],
    )  # fmt: skip
    print("Growth is the mean change of resident memory after the fifth fit.")


def bare_keras(params=None) -> keras.Model:
    """Return the report's network as one would compile it without any wrapper."""
    model = architectures.report((28, 28, 1), 10, **(params or {}))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


if __name__ == "__main__":
    main()
