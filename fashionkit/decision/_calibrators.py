"""Calibration: how probabilities become as often right as they say."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.isotonic import IsotonicRegression

# Probabilities below are no evidence: without a bound, one image of a class that a forest gives no
# vote would decide the temperature alone.
_LEAST_PROBABILITY = 1e-7

# Natural logarithms of the temperatures among which the best is looked for.
_LOG_TEMPERATURES = (-5.0, 5.0)

# Share of the uncalibrated probabilities in isotonic ones: they tell apart what steps make equal.
_SHARE_OF_RAW = 1e-6


def to_logits(probabilities: np.ndarray) -> np.ndarray:
    """Return logarithms of probabilities, of which none is smaller than 1e-7."""
    return np.log(np.maximum(probabilities, _LEAST_PROBABILITY))


def fit_temperature(
    logits: np.ndarray, targets: np.ndarray, sample_weight: np.ndarray | None = None
) -> float:
    """Find the temperature that minimises the log loss.

    The targets are smoothed by one more image, which is of all classes alike: as in the sigmoids of
    Platt (1999), this keeps the temperature of a few images that are all right from becoming 0.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Logarithms of probabilities, up to a constant of each row.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of the true class of each sample.

    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    temperature : float
        What to divide logits by.
    """
    n_samples = len(logits)
    weights = np.ones(n_samples) if sample_weight is None else sample_weight
    total = weights.sum()
    is_informative = np.ptp(logits, axis=1).max() > 0
    if not is_informative or not total:
        return 1.0
    smoothing = 1 / (total + 1)
    true = logits[np.arange(n_samples), targets]
    aimed = (1 - smoothing) * true + smoothing * logits.mean(axis=1)
    offset = logits.max(axis=1, keepdims=True)
    shifted, aimed = logits - offset, aimed - offset[:, 0]

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        normalizers = np.log(np.exp(shifted * scale).sum(axis=1))
        return float(np.average(normalizers - aimed * scale, weights=weights))

    found = minimize_scalar(
        loss, bounds=_LOG_TEMPERATURES, method="bounded", options={"xatol": 1e-10}
    )
    return float(np.exp(found.x))


def calibrate(
    logits: np.ndarray, temperature: float, isotonic: list[IsotonicRegression] | None
) -> np.ndarray:
    """Return calibrated probabilities.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Logarithms of probabilities.

    temperature : float
        What logits are divided by.

    isotonic : list of IsotonicRegression or None
        One for each class, or one for the second of two classes.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        Each row sums to 1.
    """
    raw = softmax(logits / temperature, axis=1)
    return raw if isotonic is None else _isotonic_probabilities(isotonic, raw)


def fit_isotonic(
    probabilities: np.ndarray, targets: np.ndarray, sample_weight: np.ndarray | None = None
) -> list[IsotonicRegression]:
    """Fit an isotonic regression for each class against the others; one of two classes.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Predicted probabilities.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of the true class of each sample.

    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    regressions : list of IsotonicRegression
        One for each class; only that of the second, where there are two.
    """
    n_classes = probabilities.shape[1]
    columns = range(n_classes) if n_classes > 2 else [1]
    return [
        IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(
            probabilities[:, column], (targets == column).astype(np.float64), sample_weight
        )
        for column in columns
    ]


def _isotonic_probabilities(regressions: list[IsotonicRegression], raw: np.ndarray) -> np.ndarray:
    """Apply isotonic regressions to probabilities, and renormalise."""
    if len(regressions) == 1:
        second = regressions[0].predict(raw[:, 1])
        columns = np.column_stack([1 - second, second])
    else:
        columns = np.column_stack(
            [one.predict(raw[:, column]) for column, one in enumerate(regressions)]
        )
    totals = columns.sum(axis=1, keepdims=True)
    # What no regression thinks possible is left as it was.
    columns = np.where(totals > 0, columns / np.where(totals > 0, totals, 1.0), raw)
    return (1 - _SHARE_OF_RAW) * columns + _SHARE_OF_RAW * raw


def scores_to_logits(scores: Any) -> np.ndarray:
    """Return decision scores of shape (n_samples,) or (n_samples, n_classes) as logits."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim == 1:
        scores = np.column_stack([np.zeros(len(scores)), scores])
    return log_softmax(scores, axis=1)
