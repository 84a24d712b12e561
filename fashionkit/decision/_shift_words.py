"""Verdicts of comparisons with a reference in words."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fashionkit.datasets._names import percent
from fashionkit.decision._permutation import Difference


class Row(NamedTuple):
    """Comparison of one measure.

    Parameters
    ----------
    measure : str
        Name of the measure.

    reference, new : float
        Value of the measure in both samples.

    difference : Difference
        Distance of the samples and p value.

    subject : str
        Subject of the verdict; empty for the embedding.
    """

    measure: str
    reference: float
    new: float
    difference: Difference
    subject: str


def row_of(
    measure: str, reference: np.ndarray, new: np.ndarray, classes: Any, difference: Difference
) -> Row:
    """Return the comparison of class shares, with the values of the class that changed most.

    Parameters
    ----------
    measure : str
        Name of the measure.

    reference, new : ndarray of shape (n_classes,), dtype=int
        Number of predictions of each class in both samples.

    classes : array-like of shape (n_classes,)
        Class labels.

    difference : Difference
        Distance of the samples and p value.

    Returns
    -------
    row : Row
        Comparison.
    """
    before, now = reference / reference.sum(), new / new.sum()
    most = int(np.abs(now - before).argmax())
    subject = f"share of class {np.asarray(classes)[most]}"
    return Row(measure, float(before[most]), float(now[most]), difference, subject)


def sentence(row: Row, is_shifted: bool) -> str:
    """Return the verdict of a comparison in words."""
    if not row.subject:
        return "images differ from the reference" if is_shifted else "within chance"
    if not is_shifted:
        return "within chance"
    before, now = percent(row.reference, 1), percent(row.new, 1)
    if before == now:
        return f"{row.subject} is distributed differently around {now}"
    return f"{row.subject} {'rose' if row.new > row.reference else 'fell'} from {before} to {now}"
