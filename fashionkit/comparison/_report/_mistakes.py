"""The mistakes that a report shows as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fashionkit.comparison._report._matrices import confidences
from fashionkit.datasets import ImageFolder
from fashionkit.datasets._names import percent

if TYPE_CHECKING:
    from fashionkit.comparison._comparison import Comparison
    from fashionkit.comparison._report._pictures import Album

_N_MODELS = 3
_N_MISTAKES = 12


class Shown(NamedTuple):
    """A picture, what it was taken for, and its file where it has one."""

    row: int
    text: str
    confidence: str
    file: str


class Mistakes(NamedTuple):
    """Some of the mistakes of one model, or of all."""

    title: str
    text: str
    total: int
    shown: list[Shown]


def make_mistakes(comparison: Comparison, album: Album) -> list[Mistakes]:
    """Store the pictures of mistakes, and return them: of all models, then of the best ones."""
    groups = []
    if len(comparison.predictions_) > 1:
        all_wrong = np.all([y != comparison.y_true_ for y in comparison.predictions_.values()], 0)
        title = f"By all {len(comparison.predictions_)} models"
        text = "Among these are wrong labels, and images that belong to several classes."
        groups.append((title, text, next(iter(comparison.predictions_)), all_wrong))
    for name, y_pred in list(comparison.predictions_.items())[:_N_MODELS]:
        known = comparison.probabilities_[name] is not None
        text = "Most confident first." if known else "In the order of the images."
        groups.append((f"By {name}", text, name, y_pred != comparison.y_true_))
    return [_group(comparison, album, *group) for group in groups]


def shown_images(
    comparison: Comparison, album: Album, name: str, positions: Sequence[int]
) -> list[Shown]:
    """Return those of some evaluated images that have a stored picture."""
    class_of = dict(zip(comparison.classes_.tolist(), comparison.class_names_, strict=True))
    confidence = confidences(comparison, name)
    shown = []
    for position in positions:
        if (row := int(comparison.indices_[position])) not in album:
            continue
        true = class_of[comparison.y_true_[position].item()]
        predicted = class_of[comparison.predictions_[name][position].item()]
        sure = "" if confidence is None else percent(confidence[position], 0)
        shown.append(Shown(row, f"{true} → {predicted}", sure, file_of(comparison.images_, row)))
    return shown


def file_of(images: object, row: int) -> str:
    """Return the name of the file of an image; empty for arrays."""
    return PurePath(images.filenames[row]).name if isinstance(images, ImageFolder) else ""


def _group(
    comparison: Comparison, album: Album, title: str, text: str, name: str, is_wrong: np.ndarray
) -> Mistakes:
    positions = np.flatnonzero(is_wrong)
    confidence = confidences(comparison, name)
    if confidence is not None:
        positions = positions[np.argsort(-confidence[positions], kind="stable")]
    first = positions[:_N_MISTAKES].tolist()
    album.add(comparison.indices_[first])
    return Mistakes(title, text, len(positions), shown_images(comparison, album, name, first))
