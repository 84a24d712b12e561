"""Every named model on all of Fashion-MNIST, or on photos of clothing that are split by sender.

python benchmarks/compare.py fashion-mnist --checkpoint-dir runs/fashion-mnist --output results
python benchmarks/compare.py photos --photos PHOTOS --checkpoint-dir runs/photos --output results

It takes hours. What is finished is in the checkpoint: the same command goes on where it was. The
photos are in PHOTOS/<split>/<label>/<file>, and PHOTOS/senders.csv has the columns split, label,
file and sender_id. They are tested on those of a fifth of the senders.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from _measure import print_setting, print_table
from _photos import list_photos
from sklearn.model_selection import StratifiedGroupKFold

from fashionkit import (
    CLASS_NAMES,
    compare_models,
    describe_models,
    fetch_fashion_mnist,
    list_models,
)


def main() -> None:
    options = _parse()
    print_setting("tensorflow", "keras")
    images = _fashion_mnist() if options.data == "fashion-mnist" else _photos(options)
    comparison = compare_models(
        options.models or _quickest_first(),
        **images,
        n_jobs=options.n_jobs,
        random_state=0,
        checkpoint_dir=options.checkpoint_dir,
        verbose=1,
    )
    print()
    _print_models(comparison.to_frame())
    print(*comparison.verdicts(), sep="\n")
    print(f"\nTest images that also stand in the training set: {len(comparison.leakage)}")
    print(comparison.without_leakage().to_string(index=False))
    if options.output:
        print("Written:", *comparison.save(options.output), sep="\n  ")


def _print_models(frame: pd.DataFrame) -> None:
    columns = (
        ("accuracy (%)", lambda row: f"{100 * row.accuracy:.2f}"),
        ("interval", lambda row: f"{100 * row.accuracy_low:.1f}–{100 * row.accuracy_high:.1f}"),
        ("log loss", lambda row: f"{row.log_loss:.3f}"),
        ("calibration error (%)", lambda row: f"{100 * row.expected_calibration_error:.1f}"),
        ("fit (CPU s)", lambda row: f"{row.fit_cpu_seconds:.0f}"),
        ("predict (CPU ms/image)", lambda row: f"{row.predict_cpu_ms_per_image:.2f}"),
        ("MB", lambda row: f"{row.n_bytes / 1e6:.1f}"),
    )
    print_table(
        ("model", *(name for name, _ in columns)),
        [(row.model, *(show(row) for _, show in columns)) for row in frame.itertuples()],
    )


def _fashion_mnist() -> dict[str, Any]:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    return {"X": X, "y": y, "X_test": X_test, "y_test": y_test, "class_names": CLASS_NAMES}


def _photos(options: argparse.Namespace) -> dict[str, Any]:
    """Return the photos of four fifths of the senders, and those of the others."""
    folder, senders = list_photos(options.photos, options.image_size)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    train, test = next(splitter.split(folder.filenames, folder.target, senders))
    X, X_test = folder[train], folder[test]
    return {"X": X, "y": X.target, "X_test": X_test, "y_test": X_test.target}


def _quickest_first() -> list[str]:
    """Return all names, so that most results are there when time runs out."""
    minutes = describe_models()["cpu_minutes"]
    return sorted(list_models(), key=lambda name: minutes.fillna(10)[name])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", choices=["fashion-mnist", "photos"])
    parser.add_argument("--models", nargs="+", metavar="NAME")
    parser.add_argument("--photos", type=Path, default=Path("photos"))
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--n-jobs", type=int)
    parser.add_argument("--checkpoint-dir", type=Path)
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
