"""Calibration of probabilities, by a temperature or by isotonic regressions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.isotonic import IsotonicRegression

# Lower bound of probabilities: without it, one image whose class receives no vote of a forest would
# determine the temperature alone.
_LEAST_PROBABILITY = 1e-7

# Range of the natural logarithm of the temperature.
_LOG_TEMPERATURES = (-5.0, 5.0)

# Weight of the uncalibrated probabilities in isotonic ones, which orders images on the same step.
_SHARE_OF_RAW = 1e-6


def to_logits(probabilities: np.ndarray) -> np.ndarray:
    """Return the natural logarithms of probabilities, which are clipped at 1e-7 from below."""
    return np.log(np.maximum(probabilities, _LEAST_PROBABILITY))


def fit_temperature(
    logits: np.ndarray, targets: np.ndarray, sample_weight: np.ndarray | None = None
) -> float:
    """Find the temperature that minimises the log loss (Guo et al., 2017, section 4.2).

    The targets are smoothed by one additional image that belongs to all classes equally. As in
    Platt's sigmoids (1999), this prevents a temperature of 0 if all of a few images are classified
    correctly.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Logarithms of probabilities, up to a constant for each row.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of the true class of each image.

    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each image.

    Returns
    -------
    temperature : float
        Divisor of the logits; 1 if they are all equal, or all weights are 0.
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
    """Calibrate probabilities.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Logarithms of probabilities.

    temperature : float
        Divisor of the logits.

    isotonic : list of IsotonicRegression or None
        Regression for each class, or only for the second of two classes.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes), dtype=float64
        Calibrated probabilities. Each row sums to 1.
    """
    raw = softmax(logits / temperature, axis=1)
    return raw if isotonic is None else _isotonic_probabilities(isotonic, raw)


def fit_isotonic(
    probabilities: np.ndarray, targets: np.ndarray, sample_weight: np.ndarray | None = None
) -> list[IsotonicRegression]:
    """Fit an isotonic regression for each class against the others (Zadrozny and Elkan, 2002).

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Predicted probabilities.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of the true class of each image.

    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each image.

    Returns
    -------
    regressions : list of IsotonicRegression
        Regression for each class, or only for the second of two classes.
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
    """Apply isotonic regressions to probabilities, and normalise each row."""
    if len(regressions) == 1:
        second = regressions[0].predict(raw[:, 1])
        columns = np.column_stack([1 - second, second])
    else:
        columns = np.column_stack(
            [one.predict(raw[:, column]) for column, one in enumerate(regressions)]
        )
    totals = columns.sum(axis=1, keepdims=True)
    # Rows whose regressions are all 0 keep the uncalibrated probabilities.
    columns = np.where(totals > 0, columns / np.where(totals > 0, totals, 1.0), raw)
    return (1 - _SHARE_OF_RAW) * columns + _SHARE_OF_RAW * raw


def scores_to_logits(scores: Any) -> np.ndarray:
    """Convert decision scores to logits.

    Parameters
    ----------
    scores : array-like of shape (n_samples,) or (n_samples, n_classes)
        Decision scores; of shape (n_samples,) for two classes.

    Returns
    -------
    logits : ndarray of shape (n_samples, n_classes), dtype=float64
        Logarithms of the softmax of the scores.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim == 1:
        scores = np.column_stack([np.zeros(len(scores)), scores])
    return log_softmax(scores, axis=1)
