"""How good is a model on a test set: accuracy, loss, time, and what chance explains."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import f1_score, log_loss
from sklearn.utils import _safe_indexing
from sklearn.utils.multiclass import unique_labels

N_WARM_UP = 8


@dataclass(frozen=True)
class Result:
    """What one model has achieved, or why it has not.

    Parameters
    ----------
    name : str
        The model's name.

    error : str, default=""
        What went wrong; everything below is missing then.

    estimator : estimator
        The fitted model.

    y_pred : ndarray of shape (n_test_samples,)
        Its predictions.

    accuracy, accuracy_low, accuracy_high : float
        Accuracy and its 95 % interval.

    log_loss : float
        Mean cross-entropy, NaN for models without probabilities.

    macro_f1 : float
        Mean F1 score of the classes in the test set.

    fit_seconds, predict_ms_per_image : float
        Seconds to fit, milliseconds to predict one image.
    """

    name: str
    error: str = ""
    estimator: Any = None
    y_pred: np.ndarray | None = None
    accuracy: float = np.nan
    accuracy_low: float = np.nan
    accuracy_high: float = np.nan
    log_loss: float = np.nan
    macro_f1: float = np.nan
    fit_seconds: float = np.nan
    predict_ms_per_image: float = np.nan


def evaluate(
    name: str, estimator: Any, X: Any, y: np.ndarray, X_test: Any, y_test: np.ndarray
) -> Result:
    """Fit an estimator in place, by the clock, and evaluate it on the test images."""
    start = time.perf_counter()
    estimator.fit(X, y)
    fit_seconds = time.perf_counter() - start

    estimator.predict(_safe_indexing(X_test, slice(0, N_WARM_UP)))
    start = time.perf_counter()
    y_pred = np.asarray(estimator.predict(X_test))
    predict_seconds = time.perf_counter() - start

    n_right = int(np.sum(y_pred == y_test))
    low, high = wilson_interval(n_right, len(y_test))
    f1 = f1_score(y_test, y_pred, labels=unique_labels(y_test), average="macro", zero_division=0.0)
    return Result(
        name=name,
        estimator=estimator,
        y_pred=y_pred,
        accuracy=n_right / len(y_test),
        accuracy_low=low,
        accuracy_high=high,
        log_loss=_log_loss(estimator, X_test, y_test),
        macro_f1=float(f1),
        fit_seconds=fit_seconds,
        predict_ms_per_image=1000.0 * predict_seconds / len(y_test),
    )


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % score interval (1927) for a proportion."""
    interval = binomtest(n_right, n).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the p value of McNemar's exact test (1947).

    Takes the numbers of images that only the one or only the other of two models
    classified correctly.
    """
    n = only_first + only_second
    return float(binomtest(only_first, n).pvalue) if n else 1.0


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct p values for the number of tests by Holm's method (1979)."""
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.maximum.accumulate(p_values[order] * factors)
    return corrected.clip(max=1.0)


def _log_loss(estimator: Any, X: Any, y: np.ndarray) -> float:
    if not hasattr(estimator, "predict_proba"):
        return np.nan
    # In one precision for all: scikit-learn bounds losses by the precision given.
    probabilities = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return float(log_loss(y, probabilities, labels=estimator.classes_))
