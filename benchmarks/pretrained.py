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
from scipy import stats
from sklearn.metrics import log_loss, precision_recall_fscore_support
from sklearn.model_selection import GroupKFold
from skops.card import Card

from fashionkit import Augmentation, ImageFolder, TransferClassifier, load, most_confused, save
from fashionkit.inspection import expected_calibration_error
from fashionkit.persistence import describe

LICENCE = "bsd-3-clause"
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
    X, y, X_test, y_test, n_senders = _photos(options.photos, 192)
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
    seconds = cpu_seconds(lambda: model.fit(X, y))
    model.set_params(weights="imagenet", checkpoint_dir=None, verbose=0)
    _write(
        options,
        model,
        X_test,
        y_test,
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


def _photos(folder: Path, size: int) -> tuple[Any, ...]:
    """Return the photos of four fifths of the senders, those of the others, and how many each."""
    listed = pd.read_csv(folder / "senders.csv")
    paths = [folder / row.split / row.label / row.file for row in listed.itertuples()]
    images = np.asarray(ImageFolder.from_paths(paths, image_size=size, n_jobs=2))
    y, senders = listed["label"].to_numpy(), pd.factorize(listed["sender_id"])[0]
    train, test = next(GroupKFold(5).split(y, y, senders))
    n_senders = [len(np.unique(senders[rows])) for rows in (train, test)]
    return images[train], y[train], images[test], y[test], n_senders


def _write(
    options: argparse.Namespace,
    model: Any,
    X_test: np.ndarray,
    y_test: np.ndarray,
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
    probabilities = loaded.predict_proba(X_test)
    predicted = loaded.classes_[probabilities.argmax(axis=1)]
    figures = _figures(loaded.classes_, y_test, predicted, probabilities)
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
        f"{_RESULTS}/By class": _by_class(y_test, predicted),
        f"{_RESULTS}/Known failures": _confusions(y_test, predicted),
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


def _figures(
    classes: np.ndarray, y: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray
) -> dict[str, str]:
    right = int(np.sum(predicted == y))
    low, high = stats.binomtest(right, len(y)).proportion_ci(0.95, method="wilson")
    order = np.argsort(probabilities, axis=1)[:, -2:]
    return {
        "accuracy": f"{100 * right / len(y):.2f} % ({right} of {len(y)})",
        "accuracy, 95 % interval (Wilson)": f"{100 * low:.1f} to {100 * high:.1f} %",
        "top-2 accuracy": f"{100 * np.mean((classes[order] == y[:, None]).any(axis=1)):.2f} %",
        "log loss": f"{log_loss(y, probabilities, labels=classes):.3f}",
        "expected calibration error": (
            f"{100 * expected_calibration_error(y, probabilities, classes):.1f} %"
        ),
    }


def _by_class(y: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    labels = np.unique(y)
    scores = precision_recall_fscore_support(y, predicted, labels=labels, zero_division=0)
    named = dict(zip(("precision", "recall", "F1"), scores, strict=False))
    table = {name: [f"{100 * one:.1f} %" for one in values] for name, values in named.items()}
    return pd.DataFrame({"class": labels, "images": scores[3], **table})


def _confusions(y: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    pairs = most_confused(y, predicted, n_pairs=6)
    share = [f"{100 * one:.0f} %" for one in pairs["fraction"]]
    return pairs.assign(fraction=share).rename(columns={"fraction": "of this class"})


PARTS = {"clothing-photos-small-v1": make_photos_small}

if __name__ == "__main__":
    main()
