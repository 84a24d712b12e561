"""Conformal prediction: sets of classes that contain the true class with a chosen probability."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

METHODS = ("lac", "aps", "raps")

# Smaller differences of probabilities are rounding errors.
_EPSILON = 1e-8

# Fraction of the images on which the penalty of "raps" is chosen, and the candidate penalties
# (Angelopoulos et al., 2021, appendix E).
_TUNING_SHARE = 0.1
_PENALTIES = (0.001, 0.01, 0.1, 0.2, 0.5)


@dataclass(frozen=True)
class Penalty:
    """Penalty of "raps" on classes of high rank (Angelopoulos et al., 2021, section 2).

    Parameters
    ----------
    weight : float, default=0.0
        Penalty for each rank above ``rank``.

    rank : int, default=0
        Number of most probable classes without a penalty.
    """

    weight: float = 0.0
    rank: int = 0

    def of(self, ranks: np.ndarray) -> np.ndarray:
        """Return the penalty of each rank, which is 1 for the most probable class."""
        return self.weight * np.maximum(ranks - self.rank, 0)


def predict_sets(
    probabilities: np.ndarray,
    calibration: np.ndarray,
    targets: np.ndarray,
    confidence: float,
    *,
    method: str,
    by_class: bool,
    seed: int,
) -> np.ndarray:
    """Predict a set of classes for each image.

    The methods are those of Sadinle et al. (2019, "lac"), Romano et al. (2020, "aps") and
    Angelopoulos et al. (2021, "raps").

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Probabilities of the images to predict.

    calibration : ndarray of shape (n_calibration, n_classes)
        Probabilities of the calibration images.

    targets : ndarray of shape (n_calibration,), dtype=int
        Column of the true class of each calibration image.

    confidence : float
        Minimum probability that a set contains the true class.

    method : {"lac", "aps", "raps"}
        Conformity score.

    by_class : bool
        Whether the probability holds within each class, not only over all images.

    seed : int
        Seed of the random part of the scores of "aps" and "raps", and of the images on which the
        penalty is chosen.

    Returns
    -------
    sets : ndarray of shape (n_samples, n_classes), dtype=bool
        Whether each class is in the set.

    Raises
    ------
    ValueError
        If there are too few calibration images to choose the penalty of "raps".
    """
    n_classes = calibration.shape[1]
    if method == "lac":
        scores = 1 - calibration[np.arange(len(targets)), targets]
        limits = _limits(scores, targets, n_classes, confidence, by_class)
        return (1 - probabilities) - limits <= _EPSILON
    penalty = Penalty()
    if method == "raps":
        rest, tuning = _tuning_split(targets, seed)
        penalty = _choose_penalty(calibration[tuning], targets[tuning], confidence)
        calibration, targets = calibration[rest], targets[rest]
    scores = _adaptive_scores(calibration, targets, penalty)
    uniform = np.random.RandomState(seed).uniform(size=len(targets))
    scores -= uniform * calibration[np.arange(len(targets)), targets]
    limits = _limits(scores, targets, n_classes, confidence, by_class)
    return _adaptive_sets(probabilities, limits, penalty)


def _limits(
    scores: np.ndarray, targets: np.ndarray, n_classes: int, confidence: float, by_class: bool
) -> np.ndarray:
    """Return the maximum score of each class at which it is in the set."""
    if not by_class:
        return np.full(n_classes, _quantile(scores, confidence))
    return np.array([_quantile(scores[targets == one], confidence) for one in range(n_classes)])


def _quantile(scores: np.ndarray, confidence: float) -> float:
    """Return the conformal quantile of scores; infinity if there are too few."""
    # The tolerance is for rounding: 0.9 of 9 + 1 images is 9, not 9.000000000000002.
    place = math.ceil(confidence * (len(scores) + 1) - 1e-9)
    return float(np.partition(scores, place - 1)[place - 1]) if place <= len(scores) else math.inf


def _adaptive_scores(
    probabilities: np.ndarray, targets: np.ndarray, penalty: Penalty
) -> np.ndarray:
    """Return the cumulative probability up to the true class, plus its penalty."""
    order = _order(probabilities)
    ranks = np.argmax(order == targets[:, np.newaxis], axis=1)
    cumulated = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    return cumulated[np.arange(len(targets)), ranks] + penalty.of(ranks + 1)


def _adaptive_sets(probabilities: np.ndarray, limits: np.ndarray, penalty: Penalty) -> np.ndarray:
    """Return the most probable classes, up to the first whose score reaches its limit."""
    order = _order(probabilities)
    in_order = np.take_along_axis(probabilities, order, axis=1)
    scores = np.cumsum(in_order, axis=1) + penalty.of(np.arange(1, in_order.shape[1] + 1))
    before = np.column_stack([np.full(len(scores), -np.inf), scores[:, :-1]])
    inside = before < limits[order] - _EPSILON
    sets = np.zeros(probabilities.shape, dtype=bool)
    np.put_along_axis(sets, order, inside, axis=1)
    # Classes of probability 0 are in no set, and classes of equal probability in the same sets.
    possible = probabilities > _EPSILON
    sets &= possible
    if np.all(limits == limits[0]):  # also where all are infinite
        least = np.where(sets, probabilities, np.inf).min(axis=1, keepdims=True)
        sets |= possible & (probabilities >= least - _EPSILON)
    return sets


def _order(probabilities: np.ndarray) -> np.ndarray:
    """Return the columns by descending probability."""
    return np.flip(np.argsort(probabilities, axis=1), axis=1)


def _tuning_split(targets: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to calibrate on, and the rows on which the penalty is chosen."""
    splitter = StratifiedShuffleSplit(1, test_size=_TUNING_SHARE, random_state=seed)
    try:
        return next(splitter.split(targets, targets))
    except ValueError as error:
        raise ValueError(
            f"method='raps' chooses its penalty on a tenth of the {len(targets)} calibration "
            "images, which are too few or lack two images of a class; fit with more images or a "
            "larger cv, or pass method='aps'."
        ) from error


def _choose_penalty(probabilities: np.ndarray, targets: np.ndarray, confidence: float) -> Penalty:
    """Choose the penalty of the smallest mean size of sets (Angelopoulos et al., appendix E)."""
    ranks = np.argmax(_order(probabilities) == targets[:, np.newaxis], axis=1)
    rank = int(min(_quantile(ranks + 1, confidence), probabilities.shape[1]))
    sizes = {}
    for weight in _PENALTIES:
        penalty = Penalty(weight, rank)
        limit = _quantile(_adaptive_scores(probabilities, targets, penalty), confidence)
        limits = np.full(probabilities.shape[1], limit)
        sizes[penalty] = _adaptive_sets(probabilities, limits, penalty).sum(axis=1).mean()
    return min(sizes, key=lambda penalty: round(sizes[penalty], 8))
