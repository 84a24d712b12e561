"""Every baseline on all of Fashion-MNIST, or on folders of photos.

On Fashion-MNIST each system is fitted once on the 60,000 training images and evaluated once on the
10,000 test images. ``--validation`` fits on 50,000 training images and evaluates on the 10,000
others instead: the parameters were chosen so.

    python benchmarks/baselines.py --output results
    python benchmarks/baselines.py --validation --models hog-svm --set svm__C=10

On photos it is a cross-validation in five folds. The folder holds a file senders.csv with the
columns split, label, file and sender_id, and the photos in split/label/file; no sender is in two
folds.

    python benchmarks/baselines.py --photos clothing-dataset-small
"""

from __future__ import annotations

import argparse
import ast
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import cpu_seconds, print_setting, print_table
from PIL import Image
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GroupKFold, train_test_split

from fashionkit import (
    CLASS_NAMES,
    compare_models,
    fetch_fashion_mnist,
    list_models,
    make_model,
)

PHOTO_SIZE = 96
HAND_MADE = ("hog-*", "sift-*", "color-*", "pixels-*")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [name for pattern in HAND_MADE for name in list_models(pattern)]
    parser.add_argument("--models", nargs="+", default=names, metavar="NAME")
    parser.add_argument("--set", nargs="+", default=[], metavar="PARAMETER=VALUE")
    parser.add_argument("--validation", action="store_true", help="do not use the test images")
    parser.add_argument("--train-size", type=int, help="validate with so many training images")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="use photos")
    parser.add_argument("--output", help="folder for tables and confusion matrices")
    options = parser.parse_args()
    params = dict(parse(text) for text in options.set)

    print_setting("scikit-image", "opencv-python-headless")
    if options.photos:
        on_photos(options.photos, options.models, params)
    else:
        on_fashion_mnist(options, params)


def parse(text: str) -> tuple[str, object]:
    name, value = text.split("=", 1)
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def on_fashion_mnist(options: argparse.Namespace, params: dict) -> None:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    if options.validation or options.train_size:
        X, X_test, y, y_test = train_test_split(
            X, y, train_size=options.train_size, test_size=10_000, stratify=y, random_state=0
        )
    else:
        X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    rows = []
    for name in options.models:
        model = make_model(name, random_state=0, **params)
        results = {}

        def compare(name=name, model=model, results=results) -> None:
            results["of"] = compare_models(
                {name: model}, X, y, X_test=X_test, y_test=y_test, class_names=CLASS_NAMES
            )

        seconds = cpu_seconds(compare)
        if options.output:
            results["of"].save(Path(options.output) / name)
        row = results["of"].to_frame().iloc[0]
        rows.append(
            (
                name,
                f"{100 * row['accuracy']:.2f}",
                f"{100 * row['accuracy_low']:.1f} to {100 * row['accuracy_high']:.1f}",
                f"{row['log_loss']:.3f}",
                f"{seconds:.0f}",
                f"{row['predict_ms_per_image']:.2f}",
            )
        )
        print(*rows[-1], sep="  ", flush=True)
    print()
    kind = "validation" if options.validation or options.train_size else "test"
    print_table(
        (
            "system",
            f"{kind} accuracy (%)",
            "95% interval",
            "log loss",
            "fit and predict (CPU s)",
            "predict (ms/image)",
        ),
        rows,
    )


def on_photos(folder: Path, names: list[str], params: dict) -> None:
    photos = pd.read_csv(folder / "senders.csv")
    X = np.stack(
        [
            load_photo(folder / row.split / row.label / row.file)
            for row in photos.itertuples(index=False)
        ]
    )
    y, senders = photos["label"].to_numpy(), photos["sender_id"].to_numpy()
    print(
        f"{len(X)} photos of {X.shape[1]} x {X.shape[2]} pixels, {len(np.unique(senders))} senders;"
        f" the most frequent of {len(np.unique(y))} classes has "
        f"{100 * photos['label'].value_counts(normalize=True).iloc[0]:.1f} %.\n",
        flush=True,
    )
    folds = list(GroupKFold(5).split(X, y, senders))
    rows = []
    for name in names:
        accuracies = []

        def fit_and_predict(name=name, accuracies=accuracies) -> None:
            for train, test in folds:
                model = make_model(name, random_state=0, **params).fit(X[train], y[train])
                accuracies.append(accuracy_score(y[test], model.predict(X[test])))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            seconds = cpu_seconds(fit_and_predict)
        rows.append(
            (
                name,
                f"{100 * np.mean(accuracies):.1f}",
                f"{100 * min(accuracies):.1f} to {100 * max(accuracies):.1f}",
                f"{seconds:.0f}",
            )
        )
        print(*rows[-1], sep="  ", flush=True)
    print()
    print_table(("system", "accuracy (%)", "of the five folds", "all folds (CPU s)"), rows)


def load_photo(path: Path) -> np.ndarray:
    """Return a photo as RGB, resized to a square without keeping its proportions."""
    with Image.open(path) as photo:
        return np.asarray(
            photo.convert("RGB").resize((PHOTO_SIZE, PHOTO_SIZE), Image.Resampling.BILINEAR)
        )


if __name__ == "__main__":
    main()
