"""The confusion matrices of a report, and the images behind their cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fashionkit.datasets._names import percent

if TYPE_CHECKING:
    from fashionkit.comparison._comparison import Comparison

# Images of one cell, at most.
PER_CELL = 12


@dataclass(frozen=True)
class MatrixCell:
    """The images of one true class that were predicted as one class."""

    true: int
    predicted: int
    count: int
    fraction: float
    positions: Sequence[int] = ()

    @property
    def percentage(self) -> str:
        """The fraction as a whole number of per cent; empty without images."""
        if not self.count:
            return ""
        return "<1" if self.fraction <= 0.005 else f"{100 * self.fraction:.0f}"

    @property
    def shade(self) -> float:
        """Strength of the shade: small fractions are still visible."""
        return round(float(np.sqrt(self.fraction)), 3)


@dataclass(frozen=True)
class Matrix:
    """The confusion matrix of one model."""

    name: str
    accuracy: str
    n_images: int
    rows: list[list[MatrixCell]]
    precisions: list[str]

    def cells(self) -> Iterator[MatrixCell]:
        """Yield the cells that have images."""
        for row in self.rows:
            yield from (cell for cell in row if cell.count)


def confidences(comparison: Comparison, name: str) -> np.ndarray | None:
    """Return the probability of each prediction; None for a model without probabilities."""
    probabilities = comparison.probabilities_[name]
    if probabilities is None:
        return None
    columns = np.searchsorted(comparison.classes_, comparison.predictions_[name])
    return probabilities[np.arange(len(columns)), columns]


def make_matrix(comparison: Comparison, name: str) -> Matrix:
    """Return the matrix of a model, each cell with the images to show.

    Mistakes begin with the most confident ones, right predictions with the least confident.
    """
    counts = comparison.confusion_matrix(name)
    totals = np.maximum(counts.sum(axis=1), 1)
    confidence = confidences(comparison, name)
    if confidence is None:
        confidence = np.zeros(len(comparison.y_true_))
    true = np.searchsorted(comparison.classes_, comparison.y_true_)
    predicted = np.searchsorted(comparison.classes_, comparison.predictions_[name])
    order = np.argsort(np.where(true == predicted, confidence, -confidence), kind="stable")
    # Repeated folds evaluate an image several times: it is shown once.
    shown: dict[tuple[int, int], dict[int, int]] = {}
    for position, i, j in zip(order, true[order], predicted[order], strict=True):
        of_cell = shown.setdefault((int(i), int(j)), {})
        if len(of_cell) < PER_CELL:
            of_cell.setdefault(int(comparison.indices_[position]), int(position))
    n = range(len(counts))
    rows = [
        [
            MatrixCell(
                i, j, int(counts[i, j]), counts[i, j] / totals[i], [*shown.get((i, j), {}).values()]
            )
            for j in n
        ]
        for i in n
    ]
    n_predicted = counts.sum(axis=0)
    precisions = [
        f"{100 * counts[j, j] / n_predicted[j]:.0f}" if n_predicted[j] else "–" for j in n
    ]
    accuracy = percent(np.trace(counts) / counts.sum())
    return Matrix(name, accuracy, int(counts.sum()), rows, precisions)


def in_turns(matrices: Sequence[Matrix]) -> Iterator[list[int]]:
    """Yield the first images of all cells, then the second ones: mistakes before the others."""
    cells = [cell for matrix in matrices for cell in matrix.cells()]
    cells.sort(key=lambda cell: cell.true == cell.predicted)
    for k in range(PER_CELL):
        yield [cell.positions[k] for cell in cells if len(cell.positions) > k]
