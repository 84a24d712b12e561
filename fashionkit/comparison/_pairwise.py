"""Verdicts: which of two models is better, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fashionkit.comparison._statistics import (
    correlated_t_odds,
    dirichlet_odds,
    holm,
    mcnemar,
    resampled_t_test,
)
from fashionkit.datasets._names import odds_text, p_text, percent

if TYPE_CHECKING:
    import pandas as pd

SIGNIFICANCE = 0.05
DEFAULT_MARGIN = 0.005
COLUMNS = (
    "first",
    "second",
    "difference",
    "p_value",
    "p_holm",
    "p_better",
    "p_equal",
    "p_worse",
)


class Verdict(NamedTuple):
    """One row of the table of all pairs."""

    first: str
    second: str
    difference: float
    p_value: float
    p_better: float
    p_equal: float
    p_worse: float


def compare_on_test(right: Mapping[str, np.ndarray], margin: float) -> pd.DataFrame:
    """Compare all pairs of models by which test images they classified correctly.

    Parameters
    ----------
    right : dict of str to ndarray of shape (n_images,), dtype bool
        Whether each image was classified correctly, best model first.

    margin : float
        Largest difference in accuracy that is practically none.

    Returns
    -------
    pairs : DataFrame
        One row for each pair.
    """
    rows = []
    for (first, ours), (second, others) in combinations(right.items(), 2):
        only_first, only_second = int(np.sum(ours & ~others)), int(np.sum(others & ~ours))
        odds = dirichlet_odds(only_first, only_second, len(ours), margin)
        difference = (only_first - only_second) / len(ours)
        rows.append(Verdict(first, second, difference, mcnemar(only_first, only_second), *odds))
    return _frame(rows)


def compare_on_folds(
    scores: Mapping[str, np.ndarray], test_share: float, margin: float
) -> pd.DataFrame:
    """Compare all pairs of models by their accuracy on the same folds.

    Parameters
    ----------
    scores : dict of str to ndarray of shape (n_folds,)
        Accuracy on each fold, best model first.

    test_share : float
        Number of test images over number of training images of a fold.

    margin : float
        Largest difference in accuracy that is practically none.

    Returns
    -------
    pairs : DataFrame
        One row for each pair.
    """
    rows = []
    for (first, ours), (second, others) in combinations(scores.items(), 2):
        differences = ours - others
        odds = correlated_t_odds(differences, test_share, margin)
        p_value = resampled_t_test(differences, test_share)
        rows.append(Verdict(first, second, float(differences.mean()), p_value, *odds))
    return _frame(rows)


def sentences(
    pairs: pd.DataFrame, ranking: Sequence[str], accuracy: Mapping[str, float], margin: float
) -> list[str]:
    """Return a sentence for each two neighbours of the ranking, best first.

    Parameters
    ----------
    pairs : DataFrame
        Verdicts on all pairs.

    ranking : sequence of str
        Names of the models, best first.

    accuracy : dict of str to float
        Accuracy of each model.

    margin : float
        That of the verdicts.

    Returns
    -------
    said : list of str
        The sentences.
    """
    verdicts = {(row.first, row.second): row for row in pairs.itertuples()}
    return [_sentence(verdicts[pair], accuracy, margin) for pair in pairwise(ranking)]


def _sentence(row: Any, accuracy: Mapping[str, float], margin: float) -> str:
    first = f"{row.first} ({percent(accuracy[row.first])})"
    second = f"{row.second} ({percent(accuracy[row.second])})"
    if np.isnan(row.p_holm):
        return f"{first} against {second}: one fold is too few for a verdict."
    points = f"{100 * row.difference:.2f} percentage points"
    p = p_text(row.p_holm)
    if row.p_holm < SIGNIFICANCE:
        verdict = f"{first} is better than {second}: {points} are more than chance ({p})."
    else:
        verdict = f"{first} and {second} cannot be told apart: {points} are within chance ({p})."
    return f"{verdict} {_practice(row, margin)}"


def _practice(row: Any, margin: float) -> str:
    """Say what the difference means in practice."""
    better, equal, worse = map(odds_text, (row.p_better, row.p_equal, row.p_worse))
    return (
        f"Better by more than {100 * margin:g} points: {better}; equal in practice: {equal}; "
        f"worse: {worse}."
    )


def _frame(rows: list[Verdict]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(Verdict._fields))
    p_values = frame["p_value"].to_numpy(float)
    return frame.assign(p_holm=holm(p_values))[list(COLUMNS)]
