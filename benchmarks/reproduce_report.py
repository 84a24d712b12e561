"""Reproduce the basic network on all of Fashion-MNIST: its architecture, its recipe, untuned.

Both come from "Fashion images classification using deep learning and transfer learning models",
M.Tech mini project report, 2024. It gives a test accuracy of 90.21 % and a test loss of 0.3048
after 10 epochs in batches of 32. Nothing here is chosen by looking at the test set, which is used
once per fit. With ``--keras`` the same network is also trained by Keras alone, as the report does
and with a seed, to tell what is the library's doing and what is the recipe's. (With a seed, Keras
shuffles the images into the same order in each epoch; without one, and in fashionkit, each epoch
has its own order.)

    python benchmarks/reproduce_report.py --keras
"""

from __future__ import annotations

import argparse

import numpy as np
from _measure import cpu_seconds, print_setting, print_table

from fashionkit import CNNClassifier, fetch_fashion_mnist
from fashionkit.neural import architectures

REPORTED = (90.21, 0.3048)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="fits to average (default: 3)")
    parser.add_argument("--epochs", type=int, default=10, help="epochs per fit (default: 10)")
    parser.add_argument("--keras", action="store_true", help="train it in plain Keras too")
    options = parser.parse_args()

    print_setting("tensorflow", "keras", "scikeras")
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    data = (X, y, X_test, y_test)
    rows = []
    for seed in range(options.seeds):
        rows.append(("CNNClassifier", seed, *by_fashionkit(*data, options.epochs, seed)))
        print_row(rows[-1])
        if options.keras:
            rows.append(("Keras, no seed", seed, *by_keras(*data, options.epochs, None)))
            print_row(rows[-1])
            rows.append(("Keras, seeded", seed, *by_keras(*data, options.epochs, seed)))
            print_row(rows[-1])
    print()
    for name in dict.fromkeys(row[0] for row in rows):
        rows.append(
            (
                name,
                "mean",
                *np.mean([row[2:] for row in rows if row[0] == name], axis=0),
            )
        )
    print_table(
        ("trained by", "fit", "test accuracy (%)", "test loss", "fit (CPU s)"),
        [(name, seed, f"{100 * a:.2f}", f"{b:.4f}", f"{c:.0f}") for name, seed, a, b, c in rows]
        + [("the report", "", f"{REPORTED[0]:.2f}", f"{REPORTED[1]:.4f}", "")],
    )


def by_fashionkit(X, y, X_test, y_test, epochs, seed) -> tuple[float, float, float]:
    """Return test accuracy, test loss and CPU seconds of the fit."""
    clf = CNNClassifier(epochs=epochs, batch_size=32, random_state=seed)
    seconds = cpu_seconds(lambda: clf.fit(X, y))
    loss, accuracy = clf.evaluate(X_test, y_test)
    return accuracy, loss, seconds


def by_keras(X, y, X_test, y_test, epochs, seed) -> tuple[float, float, float]:
    """Return the same of the network as the report's appendix trains it."""
    import keras
    import tensorflow as tf

    tf.random.set_seed(seed)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    model = architectures.basic((28, 28, 1), 10)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    X, X_test = ((images[..., np.newaxis] / 255).astype("float32") for images in (X, X_test))
    seconds = cpu_seconds(lambda: model.fit(X, y, epochs=epochs, batch_size=32, verbose=0))
    loss, accuracy = model.evaluate(X_test, y_test, verbose=0)
    return accuracy, loss, seconds


def print_row(row: tuple) -> None:
    name, seed, accuracy, loss, _ = row
    print(f"{name}, fit {seed}: {100 * accuracy:.2f} %, loss {loss:.4f}", flush=True)


if __name__ == "__main__":
    main()
