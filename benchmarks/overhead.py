"""What the scikit-learn contract costs over bare Keras, and what it saves over SciKeras.

Everything is measured in turn, and compared as ratios of medians. Where skorch and PyTorch are
installed (``pip install torch skorch``), the same network stands there in PyTorch too.

    python benchmarks/overhead.py                  # all of it
    python benchmarks/overhead.py prediction       # fit, prediction, files, small_fits or pool
"""

from __future__ import annotations

import argparse
import pickle
from multiprocessing import get_context
from statistics import median

import keras
import numpy as np
import psutil
import tensorflow as tf
from _measure import cpu_seconds, interleaved, print_setting, print_table, wall_seconds
from peers import torch_network
from scikeras.wrappers import KerasClassifier

from fashionkit import CNNClassifier, clear_cache, fetch_fashion_mnist, make_garments
from fashionkit._backbones.pool import pool
from fashionkit._images import check_images
from fashionkit.neural import architectures

TINY = {"filters": (4, 4), "dense_units": (8,)}
N_SMALL_FITS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="fits of each kind (default: 5)")
    parts = ("fit", "prediction", "files", "small_fits", "pool")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts)} (default: all)")
    options = parser.parse_args()
    chosen = options.parts or parts
    if unknown := set(chosen) - set(parts):
        parser.error(f"unknown {', '.join(sorted(unknown))}; choose from {', '.join(parts)}")
    print_setting("tensorflow", "keras", "scikeras")
    if {"fit", "prediction", "files"} & set(chosen):
        X, y = fetch_fashion_mnist("train", return_X_y=True)
        scaled = (X[..., np.newaxis] / 255).astype("float32")
    if "fit" in chosen:
        fit_overhead(X, scaled, y, options.repeats)
    if "prediction" in chosen:
        prediction(X, scaled, y)
    if "files" in chosen:
        files(X, y)
    if "small_fits" in chosen:
        small_fits()
    if "pool" in chosen:
        pool_growth()


def fit_overhead(X, scaled, y, repeats: int) -> None:
    """One epoch of the basic network on 60,000 images, after a first fit that compiles."""
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
    base = "keras.Model.fit"
    print_table(
        ("", "CPU (s)", "ratio", "elapsed (s)", "ratio"),
        [
            (name, f"{cpu[name]:.2f}", f"{cpu[name] / cpu[base]:.3f}",
             f"{wall[name]:.2f}", f"{wall[name] / wall[base]:.3f}")
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

    net = skorch_network(scaled[:2000], y[:2000])

    def works(n):
        images, ready = X[:n], scaled[:n]
        works = {
            "compiled tf.function": lambda: function(ready).numpy(),
            "CNNClassifier.predict_proba": lambda: clf.predict_proba(images),
            "validation in it": lambda: check_images(clf, images),
            "keras.Model.predict": lambda: model.predict(ready, verbose=0),
            "scikeras predict_proba": lambda: scikeras.predict_proba(ready),
        }
        if net is not None:
            first = np.ascontiguousarray(ready.transpose(0, 3, 1, 2))
            works["skorch predict_proba"] = lambda: net.predict_proba(first)
        return works

    # One image: in blocks of calls, as a service answers them. After a call of another kind the
    # caches are cold, and what is measured is the other kind's doing.
    for n, block, repeats in ((1, 25, 15), (10_000, 1, 15)):

        def measure(work, block=block):
            return median(wall_seconds(work) for _ in range(block))

        interleaved(works(n), measure, 1)
        elapsed = interleaved(works(n), measure, repeats)
        ours = elapsed["CNNClassifier.predict_proba"]
        blocks = f"{repeats} blocks of {block} calls" if block > 1 else f"{repeats} calls"
        print(f"Probabilities of {n:,} image{'s' * (n > 1)}, median of {blocks}:\n")
        print_table(
            ("", "elapsed (ms)", "over CNNClassifier's"),
            [(name, f"{1e3 * t:.2f}", f"{t / ours:.2f}") for name, t in elapsed.items()],
        )


def skorch_network(images, y):
    """Return the basic network in PyTorch, trained by skorch; None where it is not installed."""
    try:
        import torch
        from skorch import NeuralNetClassifier
    except ImportError:
        return None
    torch.manual_seed(0)
    net = NeuralNetClassifier(
        torch_network(), max_epochs=1, batch_size=32, train_split=None, verbose=0
    )
    return net.fit(images.transpose(0, 3, 1, 2), y.astype("int64"))


def files(X, y) -> None:
    """Size of a pickle against that of the weights in it."""
    rows = []
    for name in ("basic", "fast"):
        clf = CNNClassifier(name, epochs=1, random_state=0).fit(X[:2000], y[:2000])
        weights = sum(weight.nbytes for weight in clf.model_.get_weights())
        size = len(pickle.dumps(clf))
        rows.append((name, f"{size:,}", f"{weights:,}", f"{size / weights:.3f}"))
    print("Size of a pickle of a fitted classifier:\n")
    print_table(("architecture", "pickle (bytes)", "weights (bytes)", "ratio"), rows)


def pool_growth() -> None:
    """Memory of what the pool keeps, by fits of networks that differ a little."""
    clear_cache()
    X, y = make_garments(200, random_state=0)
    process = psutil.Process()
    resident = []
    for units in range(1, 31):
        params = {"filters": (4, 4), "dense_units": (units,)}
        clf = CNNClassifier(architecture_params=params, epochs=1, random_state=0).fit(X, y)
        clf.predict_proba(X)
        resident.append(process.memory_info().rss)
    grown = (resident[-1] - resident[4]) / (len(resident) - 5)
    print("Growth of resident memory per network that is compiled for training and prediction:\n")
    rows = [(f"{grown / 2**20:.1f}", f"{pool.n_bytes / len(resident) / 2**20:.1f}")]
    print_table(("measured (MB)", "counted by the pool (MB)"), rows)


def small_fits() -> None:
    """Fit and predict a tiny CNN on 1,000 images again and again, each library in its process.

    In one process they would disturb each other: SciKeras clears TensorFlow's caches at each fit.
    """
    cpu: dict[str, list] = {"CNNClassifier": [], "scikeras": []}
    growth: dict[str, list] = {"CNNClassifier": [], "scikeras": []}
    for _ in range(3):
        for name in cpu:
            with get_context("spawn").Pool(1) as pool:
                seconds, megabytes = pool.apply(successive_fits, (name,))
            cpu[name].append(seconds)
            growth[name].append(megabytes)
    later = {name: np.median([run[1:] for run in runs]) for name, runs in cpu.items()}
    print(f"A tiny CNN, one epoch on 1,000 images, {N_SMALL_FITS} fits and predictions, 3 runs:\n")
    print_table(
        ("", "first fit (CPU s)", "later fits (CPU s)", "ratio", "growth per fit (MB)"),
        [
            (name, f"{np.median([run[0] for run in cpu[name]]):.2f}", f"{later[name]:.3f}",
             f"{later[name] / later['scikeras']:.2f}", f"{np.median(growth[name]):.2f}")
            for name in cpu
        ],
    )  # fmt: skip
    print("Growth is that of resident memory from the fifth fit to the last, per fit.")


def successive_fits(name: str) -> tuple[list[float], float]:
    """Return the CPU seconds of each fit, and the growth of memory per fit after the fifth."""
    X, y = make_garments(1000, random_state=0)
    scaled = (X[..., np.newaxis] / 255).astype("float32")

    def by_fashionkit():
        clf = CNNClassifier(architecture_params=TINY, epochs=1, random_state=0)
        clf.fit(X, y).predict_proba(X)

    def by_scikeras():
        clf = KerasClassifier(lambda: bare_keras(TINY), epochs=1, verbose=0, random_state=0)
        clf.fit(scaled, y).predict_proba(scaled)

    work = by_scikeras if name == "scikeras" else by_fashionkit
    seconds, resident = [], []
    for _ in range(N_SMALL_FITS):
        seconds.append(cpu_seconds(work))
        resident.append(psutil.Process().memory_info().rss / 2**20)
    return seconds, (resident[-1] - resident[4]) / (N_SMALL_FITS - 5)


def bare_keras(sizes=None) -> keras.Model:
    """Return the basic network as one would compile it without any wrapper."""
    model = architectures.basic((28, 28, 1), 10, **(sizes or {}))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


if __name__ == "__main__":
    main()
