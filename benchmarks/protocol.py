"""What compare_models costs over the bare fits and predictions, in CPU time.

python benchmarks/protocol.py

Both do the same: fit each model on the same images, predict all test images and their
probabilities, one after the other, in one process. compare_models also checks, measures, predicts
single images, computes all metrics and writes checkpoints.
"""

from __future__ import annotations

import argparse
import tempfile
from typing import Any

from _measure import cpu_seconds, interleaved, print_setting, print_table

from fashionkit import compare_models, fetch_fashion_mnist, make_model

MODELS = ("cnn-quick", "hog-svm", "pixels-knn", "hog-tree", "hog-forest")


def main() -> None:
    options = _parse()
    print_setting("tensorflow", "keras")
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    images = {
        "X": X[: options.train_size],
        "y": y[: options.train_size],
        "X_test": X_test[: options.test_size],
        "y_test": y_test[: options.test_size],
    }
    rows = []
    for name in options.models:
        _bare(name, images)  # compiles what both need, and fills the caches of the processor
        seconds = interleaved(
            {
                "bare": lambda name=name: _bare(name, images),
                "compared": lambda name=name: _compared(name, images),
            },
            cpu_seconds,
            options.repeats,
        )
        rows.append((name, seconds["bare"], seconds["compared"]))
        print(*rows[-1], flush=True)
    rows.append(("all", *(sum(row[i] for row in rows) for i in (1, 2))))
    print_table(
        ("model", "bare (CPU s)", "compare_models (CPU s)", "ratio"),
        [(name, f"{a:.2f}", f"{b:.2f}", f"{b / a:.3f}") for name, a, b in rows],
    )


def _bare(name: str, images: dict[str, Any]) -> None:
    model = make_model(name, random_state=0).fit(images["X"], images["y"])
    model.predict(images["X_test"])
    model.predict_proba(images["X_test"])


def _compared(name: str, images: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare_models([name], **images, random_state=0, checkpoint_dir=folder)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="NAME")
    parser.add_argument("--train-size", type=int, default=20_000)
    parser.add_argument("--test-size", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
