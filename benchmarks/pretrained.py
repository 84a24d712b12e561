"""The models that come with the package: how each is trained, and its card.

    python benchmarks/pretrained.py clothing-photos-small-v1 --photos PHOTOS --output models

PHOTOS is a folder with a file senders.csv with the columns split, label, file and sender_id, and
the photos in split/label/file, such as https://github.com/alexeygrigorev/clothing-dataset-small
with a list of who took which. A fifth of the senders is held out for the card, and no choice was
made by their photos. Written are the model, NAME.fashionkit, and its card, NAME.md; to ship them,
put both into fashionkit/persistence/pretrained, and the SHA-256 that is printed into
_pretrained.py.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _measure import cpu_seconds, print_setting
from _photos import list_photos
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold
from skops.card import Card

from fashionkit import (
    Augmentation,
    Comparison,
    TransferClassifier,
    compare_models,
    load,
    most_confused,
    save,
)
from fashionkit.persistence import describe

LICENCE = "bsd-3-clause"
_SCORES = ("precision", "recall", "f1")
_RESULTS = "Model description/Evaluation Results"  # a section of cards
# Of the network whose weights the fine-tuning begins with.
IMAGENET = "MobileNetV2 of Keras Applications (Apache License 2.0), trained on ImageNet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=PARTS)
    parser.add_argument("--photos", type=Path, default=Path("photos"))
    parser.add_argument("--weights", default="imagenet", help="file of MobileNetV2's weights")
    parser.add_argument("--checkpoint-dir", type=Path, help="where a killed training goes on")
    parser.add_argument("--output", type=Path, default=Path("models"))
    parser.add_argument("--verbose", action="store_true", help="show epochs")
    options = parser.parse_args()
    print_setting("tensorflow", "keras")
    options.output.mkdir(parents=True, exist_ok=True)
    PARTS[options.name](options)


def make_photos_small(options: argparse.Namespace) -> None:
    """Fine-tune a narrow MobileNetV2 on photos of clothes.

    Size, rate, epochs and augmentation were chosen on photos of other senders within the training
    part. More augmentation, CutMix, mixup, averaged weights and weight decay did not help a
    network this small.
    """
    images, n_senders = _photos(options.photos, 192)
    y, y_test = images["y"], images["y_test"]
    model = TransferClassifier.from_recipe(
        "photos",
        alpha=0.35,
        image_size=192,
        dropout=0.0,
        fine_tune_layer_decay=1.0,
        augmentation=Augmentation(horizontal_flip="alternating", translation=0.04),
        weights=options.weights,
        checkpoint_dir=options.checkpoint_dir,
        random_state=0,
        verbose=int(options.verbose),
    )
    seconds = cpu_seconds(lambda: model.fit(images["X"], y))
    model.set_params(weights="imagenet", checkpoint_dir=None, verbose=0)
    _write(
        options,
        model,
        images,
        seconds,
        tags=["clothing", "photos", "mobilenetv2"],
        description=(
            "Tells ten kinds of clothes on photos: a MobileNetV2 of 0.35 times the width, "
            "fine-tuned as a whole. Its kernels are in half precision."
        ),
        uses=(
            "For photos of one garment each, laid out, hanging or worn, as people take them to "
            "sell something. It takes squares of 192 pixels in RGB: "
            "`fashionkit.load_images(paths, image_size=192)` makes them. It has seen ten kinds of "
            "clothes and says one of them of any picture, also of a bag or a landscape. It has "
            "seen no photos from a studio, and none of several garments at once. Classes with few "
            "photos are the weakest: see the table."
        ),
        data=(
            f"{len(y)} photos of {n_senders[0]} people, from "
            "[clothing-dataset-small](https://github.com/alexeygrigorev/clothing-dataset-small) by "
            f"Alexey Grigorev and contributors (CC0 1.0), and the weights of {IMAGENET}. Accuracy "
            f"is that of {len(y_test)} photos of {n_senders[1]} other people."
        ),
        how=(
            "    from fashionkit import load_images, load_pretrained\n\n"
            f'    model = load_pretrained("{options.name}")\n'
            '    model.predict(load_images(["shirt.jpg"], image_size=192))'
        ),
    )


def _photos(folder: Path, size: int) -> tuple[dict[str, np.ndarray], list[int]]:
    """Return the photos of four fifths of the senders, those of the others, and how many each."""
    photos, sender_ids = list_photos(folder, size)
    images, y, senders = np.asarray(photos), photos.target, pd.factorize(sender_ids)[0]
    train, test = next(GroupKFold(5).split(y, y, senders))
    n_senders = [len(np.unique(senders[rows])) for rows in (train, test)]
    parts = {"X": images[train], "y": y[train], "X_test": images[test], "y_test": y[test]}
    return parts, n_senders


def _write(
    options: argparse.Namespace,
    model: Any,
    images: dict[str, np.ndarray],
    seconds: float,
    *,
    tags: list[str],
    description: str,
    uses: str,
    data: str,
    how: str,
) -> None:
    """Save the model, load it, evaluate what was loaded, and write its card."""
    path = save(
        model,
        options.output / f"{options.name}.fashionkit",
        metadata={"name": options.name, "licence": LICENCE, "data": data},
        dtype="float16",
    )
    loaded = load(path)
    comparison = compare_models({"model": FrozenEstimator(loaded)}, **images)
    X_test, y_test = images["X_test"], images["y_test"]
    figures = _figures(comparison, len(y_test))
    for name, value in figures.items():
        print(f"{name}: {value}")
    print(f"fit: {seconds:.0f} CPU s; before rounding: {100 * model.score(X_test, y_test):.2f} %")
    facts = describe(path)
    versions = ", ".join(f"{one} {version(one)}" for one in ("fashionkit", "tensorflow", "keras"))
    card = Card(loaded, model_diagram=False)
    card.add(
        **{
            "Model description": f"{description}\n\nLicence: {LICENCE}.",
            "Model description/Intended uses & limitations": uses,
            "Model description/Training Procedure": (
                f"{data}\n\n`python benchmarks/pretrained.py {options.name}`: "
                f"{seconds / 60:.0f} CPU minutes ({versions}, Python {platform.python_version()}, "
                f"{time.strftime('%Y-%m-%d')})."
            ),
            _RESULTS: ("Of images that it never saw, and that no choice was made by."),
            "How to Get Started with the Model": how,
            "Model Card Authors": "The fashionkit developers.",
        }
    )
    card.add_metrics(_RESULTS, **figures)
    tables = {
        f"{_RESULTS}/By class": _by_class(comparison),
        f"{_RESULTS}/Known failures": _confusions(y_test, comparison.predictions_["model"]),
        "The file": pd.DataFrame({"bytes": [facts.n_bytes], "SHA-256": [facts.sha256]}),
    }
    for section, table in tables.items():
        card.add_table(**{section: table})
        card.select(section).title = section.rpartition("/")[2]  # not the way to it
    for section in (
        "Citation",
        "Model Card Contact",
        "Model description/Training Procedure/Model Plot",
    ):
        card.delete(section)
    head = f"---\nlibrary_name: fashionkit\nlicense: {LICENCE}\ntags: {json.dumps(tags)}\n---\n"
    (options.output / f"{options.name}.md").write_text(head + card.render(), encoding="utf-8")
    print(f"{facts.n_bytes} bytes, SHA-256 {facts.sha256}")


def _figures(comparison: Comparison, n_images: int) -> dict[str, str]:
    row = comparison.to_frame().iloc[0]
    low, high = 100 * row.accuracy_low, 100 * row.accuracy_high
    n_right = round(row.accuracy * n_images)
    return {
        "accuracy": f"{100 * row.accuracy:.2f} % ({n_right} of {n_images})",
        "accuracy, 95 % interval (Wilson)": f"{low:.1f} to {high:.1f} %",
        "top-2 accuracy": f"{100 * row.top_2_accuracy:.2f} %",
        "log loss": f"{row.log_loss:.3f}",
        "expected calibration error": f"{100 * row.expected_calibration_error:.1f} %",
        "images that nearly stand in the training set": str(len(comparison.leakage)),
    }


def _by_class(comparison: Comparison) -> pd.DataFrame:
    table = comparison.per_class()
    shown = {name: [f"{100 * one:.1f} %" for one in table[name]] for name in _SCORES}
    return pd.DataFrame({"class": table["class"], "images": table["support"], **shown})


def _confusions(y: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    pairs = most_confused(y, predicted, n_pairs=6)
    share = [f"{100 * one:.0f} %" for one in pairs["fraction"]]
    return pairs.assign(fraction=share).rename(columns={"fraction": "of this class"})


PARTS = {"clothing-photos-small-v1": make_photos_small}

if __name__ == "__main__":
    main()
