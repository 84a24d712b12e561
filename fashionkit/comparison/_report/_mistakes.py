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


class Gallery:
    """The stored pictures of evaluated images, with what one model says of them."""

    def __init__(self, comparison: Comparison, album: Album, name: str):
        self.confidence = confidences(comparison, name)
        self._images, self._rows = comparison.images_, comparison.indices_
        self._album = album
        names = np.array(comparison.class_names_, dtype=object)
        self._true, self._predicted = (
            names[np.searchsorted(comparison.classes_, labels)]
            for labels in (comparison.y_true_, comparison.predictions_[name])
        )

    def show(self, positions: Sequence[int]) -> list[Shown]:
        """Return those of some evaluated images that have a stored picture."""
        stored = [position for position in positions if self._rows[position] in self._album]
        return [self._show(position, int(self._rows[position])) for position in stored]

    def _show(self, position: int, row: int) -> Shown:
        text = f"{self._true[position]} → {self._predicted[position]}"
        sure = "" if self.confidence is None else percent(self.confidence[position], 0)
        return Shown(row, text, sure, file_of(self._images, row))


def file_of(images: object, row: int) -> str:
    """Return the name of the file of an image; empty for arrays."""
    return PurePath(images.filenames[row]).name if isinstance(images, ImageFolder) else ""


def _group(
    comparison: Comparison, album: Album, title: str, text: str, name: str, is_wrong: np.ndarray
) -> Mistakes:
    gallery = Gallery(comparison, album, name)
    positions = np.flatnonzero(is_wrong)
    if gallery.confidence is not None:
        positions = positions[np.argsort(-gallery.confidence[positions], kind="stable")]
    _, at = np.unique(comparison.indices_[positions], return_index=True)  # each image once
    first = positions[np.sort(at)][:_N_MISTAKES].tolist()
    album.add(comparison.indices_[first])
    return Mistakes(title, text, len(positions), gallery.show(first))
