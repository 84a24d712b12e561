"""Verdicts of monitors in words."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fashionkit.datasets._names import percent
from fashionkit.decision._permutation import Difference


class Row(NamedTuple):
    """One comparison of a monitor: two numbers that show it, and its test."""

    measure: str
    reference: float
    new: float
    difference: Difference
    subject: str


def row_of(
    measure: str, reference: np.ndarray, new: np.ndarray, classes: Any, difference: Difference
) -> Row:
    """Return the comparison of shares of classes, shown by the class that has changed most."""
    before, now = reference / reference.sum(), new / new.sum()
    most = int(np.abs(now - before).argmax())
    subject = f"share of class {np.asarray(classes)[most]}"
    return Row(measure, float(before[most]), float(now[most]), difference, subject)


def sentence(row: Row, is_shifted: bool) -> str:
    """Say what has shifted, or that nothing has beyond chance."""
    if not row.subject:
        return "images differ from the reference" if is_shifted else "within chance"
    if not is_shifted:
        return "within chance"
    before, now = percent(row.reference, 1), percent(row.new, 1)
    if before == now:
        return f"{row.subject} is distributed differently around {now}"
    return f"{row.subject} {'rose' if row.new > row.reference else 'fell'} from {before} to {now}"
