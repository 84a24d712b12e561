"""Why the report's transfer model stops short of the report: what a reader could have run.

The appendix of "Fashion images classification using deep learning and transfer learning models",
M.Tech mini project report, 2024, has a trained convolution, a frozen MobileNetV2 at 96 pixels and
a dense head; it gives 90.31 % on the test images. How large the batches were (its evaluation of
10,000 images took 13 of them), how images were scaled and how resized may have been otherwise than
the appendix says. Each row changes one or two of these. The network is plain Keras, as in the
report, so that nothing of fashionkit stands between. It is trained on a part of the training images
and evaluated on another; the test images are used with ``--final`` alone.

    python benchmarks/readings.py --output results
    python benchmarks/readings.py --output results --seeds 3 --readings appendix "batches of 800"
    python benchmarks/readings.py --output results --final "batches of 800"

Results are kept in readings.csv of the output folder, and the same command adds what is missing.
The weights are those that Keras downloads for 96 pixels, or those of a file (``--weights``).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from _measure import cpu_seconds, print_setting, print_table
from sklearn.model_selection import train_test_split

from fashionkit import fetch_fashion_mnist

SIDE = 96
# The appendix, and what each reading changes.
APPENDIX = {
    "batch_size": 32,
    "low": 0.0,
    "high": 1.0,
    "resizing": "bilinear",
    "channels": "conv",
    "dropout": 0.5,
    "learning_rate": 0.001,
}
READINGS: dict[str, dict[str, Any]] = {
    "appendix": {},
    "batches of 256": {"batch_size": 256},
    "batches of 800": {"batch_size": 800},
    "pixels from -1 to 1": {"low": -1.0},
    "pixels from 0 to 255": {"high": 255.0},
    "nearest neighbours": {"resizing": "nearest"},
    "black margins": {"resizing": "pad"},
    "repeated channels": {"channels": "repeat"},
    "repeated channels, -1 to 1": {"channels": "repeat", "low": -1.0},
    "batches of 800, -1 to 1": {"batch_size": 800, "low": -1.0},
    "batches of 800, repeated channels": {"batch_size": 800, "channels": "repeat"},
    "batches of 800, rate 0.0001": {"batch_size": 800, "learning_rate": 0.0001},
    "rate 0.0001": {"learning_rate": 0.0001},
}


def main() -> None:
    options = _parse()
    print_setting("tensorflow", "keras")
    print(f"Weights: {options.weights}\n", flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    if options.final:
        measure_final(options)
        return
    path = options.output / "readings.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    data = train_test_split(
        X, y, train_size=options.train_size, test_size=3_000, stratify=y, random_state=0
    )
    for seed in range(options.seeds):
        for name in options.readings:
            key = {"reading": name, "seed": seed, "epochs": options.epochs, "train": len(data[0])}
            if any(key.items() <= row.items() for row in rows):
                continue
            rows.append({**key, **train(READINGS[name], seed, options, *data)})
            pd.DataFrame(rows).to_csv(path, index=False)
            print(f"  {rows[-1]}", flush=True)
    print_readings(pd.DataFrame(rows))


def train(reading: dict, seed: int, options: argparse.Namespace, X, X_val, y, y_val) -> dict:
    """Train one reading of the report, and return its accuracy and cost."""
    import keras

    reading = {**APPENDIX, **reading}
    keras.utils.set_random_seed(seed)
    model = build(reading, options.weights)
    size = reading["batch_size"]
    seconds = cpu_seconds(
        lambda: model.fit(X, y, epochs=options.epochs, batch_size=size, verbose=0)
    )
    loss, accuracy = model.evaluate(X_val, y_val, batch_size=256, verbose=0)
    # Units of the head that no image makes positive learn nothing any more.
    units = keras.Model(model.inputs, model.get_layer("units").output)
    dead = (units.predict(X_val[:1000], batch_size=250, verbose=0) <= 0).all(axis=0)
    keras.backend.clear_session()
    return {
        "accuracy": round(float(accuracy), 4),
        "loss": round(float(loss), 4),
        "dead_units": int(dead.sum()),
        "cpu_seconds": round(seconds),
    }


def build(reading: dict, weights: str) -> Any:
    """Build the report's network, compiled, for images as they are: 28 × 28, from 0 to 255."""
    import keras

    layers = keras.layers
    inputs = layers.Input((28, 28))
    x = layers.Reshape((28, 28, 1))(inputs)
    x = layers.Rescaling((reading["high"] - reading["low"]) / 255, reading["low"])(x)
    if reading["resizing"] == "pad":
        # Black is the lowest value, and what zeros would be with pixels from -1 to 1 is gray.
        x = layers.Lambda(
            lambda images: (
                keras.ops.pad(images - reading["low"], [[0, 0], [34, 34], [34, 34], [0, 0]])
                + reading["low"]
            )
        )(x)
    else:
        x = layers.Resizing(SIDE, SIDE, interpolation=reading["resizing"])(x)
    if reading["channels"] == "conv":
        x = layers.Conv2D(3, 3, padding="same", activation="relu")(x)
    else:
        x = layers.Concatenate()([x, x, x])
    backbone = keras.applications.MobileNetV2((SIDE, SIDE, 3), include_top=False, weights=weights)
    backbone.trainable = False
    x = layers.Flatten()(backbone(x))
    x = layers.Dense(128, activation="relu", name="units")(x)
    x = layers.Dropout(reading["dropout"])(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    optimizer = keras.optimizers.Adam(reading["learning_rate"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def measure_final(options: argparse.Namespace) -> None:
    """Train one reading on all training images, and evaluate it once on the test images."""
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    rows = [
        (
            options.final,
            seed,
            *train(READINGS[options.final], seed, options, X, X_test, y, y_test).values(),
        )
        for seed in range(options.seeds)
    ]
    print_table(("reading", "seed", "test accuracy", "loss", "dead units", "fit (CPU s)"), rows)


def print_readings(rows: pd.DataFrame) -> None:
    table = [
        (
            *key,
            len(group),
            f"{100 * group['accuracy'].mean():.2f}",
            f"{100 * group['accuracy'].min():.2f}–{100 * group['accuracy'].max():.2f}",
            f"{group['loss'].mean():.3f}",
            f"{group['dead_units'].mean():.0f}",
            f"{group['cpu_seconds'].mean():.0f}",
        )
        for key, group in rows.groupby(["reading", "train", "epochs"], sort=False)
    ]
    header = ("reading", "images", "epochs", "fits", "validation accuracy (%)", "range", "loss")
    print_table((*header, "dead units", "fit (CPU s)"), table)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readings", nargs="+", default=list(READINGS), choices=READINGS)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--train-size", type=int, default=12_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--weights", default="imagenet", help="file of MobileNetV2's weights")
    parser.add_argument("--final", choices=READINGS, help="on all images, tested once")
    parser.add_argument("--output", type=Path, default=Path("results"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
