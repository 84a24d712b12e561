"""What to do next: conclusions from the results, as plain numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fashionkit.comparison._pairwise import SIGNIFICANCE

if TYPE_CHECKING:
    import pandas as pd

# Probability from which on something is taken for certain.
_CERTAIN = 0.95
_FASTER = 2.0


class ConfusedPair(NamedTuple):
    """Two classes that are taken for each other, and what that costs."""

    first: int
    second: int
    n_mistakes: int
    share_of_mistakes: float
    accuracy_if_one: float


class Review(NamedTuple):
    """Which images people should look at, so that the rest is as accurate as wanted."""

    below: float
    share: float
    accuracy: float


class CheaperModel(NamedTuple):
    """A faster model that is as good, as far as one can tell."""

    name: str
    difference: float
    times_faster: float
    p_equal: float


def confused_pairs(counts: np.ndarray, *, most: int = 3) -> list[ConfusedPair]:
    """Return the pairs of classes with most confusions, in both directions together.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes)
        Number of images by true class (row) and predicted class (column).

    most : int, default=3
        Maximum number of pairs.

    Returns
    -------
    pairs : list of ConfusedPair
        Positions of both classes, and the accuracy if they were one class; costliest first.
    """
    n_images, n_right = counts.sum(), np.trace(counts)
    both = np.triu(counts + counts.T, k=1)
    order = np.argsort(-both, axis=None, kind="stable")[:most]
    pairs = []
    for first, second in zip(*np.unravel_index(order, both.shape), strict=True):
        if n := int(both[first, second]):
            share = n / int(n_images - n_right)
            merged = float((n_right + n) / n_images)
            pairs.append(ConfusedPair(int(first), int(second), n, share, merged))
    return pairs


def review_for(confidence: np.ndarray, right: np.ndarray, accuracy: float = 0.98) -> Review | None:
    """Return the smallest share of images to review for an accuracy on the others.

    Images of the lowest confidence are reviewed: a classifier with a reject option
    (C. K. Chow, "On optimum recognition error and reject tradeoff", IEEE Transactions on
    Information Theory 16, 1970).

    Parameters
    ----------
    confidence : ndarray of shape (n_images,)
        Probability of the predicted class.

    right : ndarray of shape (n_images,), dtype bool
        Whether the prediction is right.

    accuracy : float, default=0.98
        Accuracy wanted on the images that are not reviewed.

    Returns
    -------
    review : Review or None
        Images with a confidence below ``below`` are reviewed. None where the accuracy is not
        reachable on as many images as one mistake needs: 50 for 98 %.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    n_kept = np.arange(1, len(order) + 1)
    reached = np.cumsum(right[order]) / n_kept
    # Images of the same confidence are reviewed, or not, together.
    is_last = np.append(sorted_confidence[1:] < sorted_confidence[:-1], True)
    enough = n_kept >= math.ceil(round(1.0 / (1.0 - accuracy), 6))
    possible = np.flatnonzero(is_last & enough & (reached >= accuracy))
    if not len(possible):
        return None
    last = possible[-1]
    share = 1.0 - n_kept[last] / len(order)
    return Review(float(sorted_confidence[last]), float(share), float(reached[last]))


def cheaper_model(
    best: str, pairs: pd.DataFrame, milliseconds: Mapping[str, float]
) -> CheaperModel | None:
    """Return the most accurate model that equals the best and is at least twice as fast.

    Parameters
    ----------
    best : str
        Name of the most accurate model.

    pairs : DataFrame
        What ``Comparison.pairwise`` returns.

    milliseconds : dict of str to float
        Time of one prediction, by model.

    Returns
    -------
    cheaper : CheaperModel or None
        None where there is no such model.
    """
    for row in pairs[pairs["first"] == best].itertuples():  # most accurate first
        times_faster = milliseconds[best] / milliseconds[row.second]
        within_chance = row.p_holm >= SIGNIFICANCE and row.p_better < _CERTAIN
        if (within_chance or row.p_equal >= _CERTAIN) and times_faster >= _FASTER:
            return CheaperModel(row.second, row.difference, times_faster, row.p_equal)
    return None


def equals_of_best(best: str, pairs: pd.DataFrame) -> list[str] | None:
    """Return the models that cannot be told apart from the best; None where none can be judged."""
    of_best = pairs[pairs["first"] == best]
    if not len(of_best) or of_best["p_holm"].isna().any():
        return None
    return of_best.loc[of_best["p_holm"] >= SIGNIFICANCE, "second"].tolist()
