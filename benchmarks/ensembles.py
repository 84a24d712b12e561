"""How far ensembles go with more time: members that are fitted once, and their weighted means.

    python benchmarks/ensembles.py --checkpoint-dir runs
    python benchmarks/ensembles.py --members cnn-fast invariant-svm

Fitted on all training images of Fashion-MNIST, and evaluated once on its test images. The weights
of a network and the kernel machine are those of the names "best" and "best-fast", which were chosen
on validation images; two networks share theirs alike.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from _measure import cpu_seconds, print_setting, print_table

from fashionkit import Augmentation, fetch_fashion_mnist, make_model

ERASING = Augmentation(
    horizontal_flip="alternating", translation=0.04, erasing=0.25, erasing_area=(0.02, 0.2)
)
# By what they are called here: the name of a model, and parameters that differ.
MEMBERS = {
    "cnn-fast": ("cnn-fast", {}),
    "cnn-strong": ("cnn-strong", {}),
    "mobilenetv2-tuned, 18 epochs, erasing": (
        "mobilenetv2-tuned",
        {"fine_tune_epochs": 18, "augmentation": ERASING},
    ),
    "invariant-svm": ("invariant-svm", {}),
}
MEANS = [
    {"cnn-fast": 0.5, "invariant-svm": 0.5},
    {"cnn-strong": 0.6, "invariant-svm": 0.4},
    {
        "cnn-strong": 0.3,
        "mobilenetv2-tuned, 18 epochs, erasing": 0.3,
        "invariant-svm": 0.4,
    },
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", nargs="+", default=list(MEMBERS), choices=MEMBERS)
    parser.add_argument("--weights", default="imagenet", help="file of MobileNetV2's weights")
    parser.add_argument("--checkpoint-dir", type=Path, help="where killed networks go on")
    options = parser.parse_args()
    print_setting("tensorflow", "keras")
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    rows, probabilities = [], {}
    for member in options.members:
        fit, predict, probabilities[member] = measure(member, options, X_test)
        rows.append((member, fit, predict, probabilities[member]))
    for weights in MEANS:
        if weights.keys() <= probabilities.keys():
            members = [row for row in rows if row[0] in weights]
            rows.append(
                (
                    " + ".join(f"{weight} {name}" for name, weight in weights.items()),
                    sum(row[1] for row in members),
                    sum(row[2] for row in members),
                    sum(weight * probabilities[name] for name, weight in weights.items()),
                )
            )
    print_table(
        ("model", "test accuracy (%)", "fit (CPU min)", "predict (CPU ms)"),
        [
            (
                name,
                f"{100 * np.mean(p.argmax(axis=1) == y_test):.2f}",
                f"{fit / 60:.1f}",
                f"{1e3 * predict / len(y_test):.1f}",
            )
            for name, fit, predict, p in rows
        ],
    )


def measure(member: str, options: argparse.Namespace, X_test: np.ndarray) -> tuple:
    """Fit one member; return CPU seconds of fit and predictions, and its test probabilities."""
    name, params = MEMBERS[member]
    model = make_model(name, random_state=0, **params)
    for param in model.get_params():
        if param.rpartition("__")[2] == "weights":
            model.set_params(**{param: options.weights})
    if options.checkpoint_dir and "checkpoint_dir" in model.get_params():
        model.set_params(checkpoint_dir=options.checkpoint_dir / name)
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    fit = cpu_seconds(lambda: model.fit(X, y))
    found = []
    predict = cpu_seconds(lambda: found.append(model.predict_proba(X_test)))
    print(f"  {member}: {fit:.0f} CPU s", flush=True)
    return fit, predict, found[0]


if __name__ == "__main__":
    main()
