"""Tests for shifts between two sets of predictions, and their table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fashionkit.comparison._statistics import holm
from fashionkit.decision._permutation import compare_shares, compare_values
from fashionkit.decision._shift_words import Row, row_of, sentence

if TYPE_CHECKING:
    import pandas as pd

    from fashionkit.decision._predicted import Predicted

COLUMNS = ("reference", "new", "statistic", "p_value", "p_holm", "verdict")


def compare_predictions(
    reference: Predicted, new: Predicted, classes: Any, n_permutations: int, rng: Any
) -> list[Row]:
    """Compare class shares, confidences and, if both sets have them, review rates.

    Parameters
    ----------
    reference, new : Predicted
        Predictions of a model on two sets of images.

    classes : array-like of shape (n_classes,)
        Class labels of the model.

    n_permutations : int
        Number of permutations of each test.

    rng : Generator
        Random number generator of the permutations.

    Returns
    -------
    rows : list of Row
        Comparison of each measure.
    """
    before, now = reference.class_counts, new.class_counts
    difference = compare_shares(before, now, n_permutations, rng)
    rows = [row_of("class shares", before, now, classes, difference)]
    values = [one.confidences.astype(np.float32) for one in (reference, new)]
    difference = compare_values(values[0], values[1], n_permutations, rng)
    means = float(values[0].mean()), float(values[1].mean())
    rows.append(Row("confidence", *means, difference, "mean confidence"))
    if reference.review_counts is not None and new.review_counts is not None:
        before, now = reference.review_counts, new.review_counts
        difference = compare_shares(before, now, n_permutations, rng)
        shares = float(before[1] / before.sum()), float(now[1] / now.sum())
        rows.append(Row("review rate", *shares, difference, "review rate"))
    return rows


def to_table(rows: list[Row], significance: float) -> pd.DataFrame:
    """Make the table of comparisons.

    Parameters
    ----------
    rows : list of Row
        Comparison of each measure.

    significance : float
        Corrected p value below which a measure has shifted.

    Returns
    -------
    table : DataFrame of shape (n_measures, 6)
        Comparisons, with p values corrected by the method of Holm (1979).
    """
    import pandas as pd

    corrected = holm(np.array([row.difference.p_value for row in rows]))
    table = [
        (row.reference, row.new, *row.difference, p, sentence(row, p < significance))
        for row, p in zip(rows, corrected.tolist(), strict=True)
    ]
    index = pd.Index([row.measure for row in rows], name="measure")
    return pd.DataFrame(table, columns=list(COLUMNS), index=index)
