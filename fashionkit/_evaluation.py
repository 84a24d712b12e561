"""How good is one model on one test set, and is another one better by chance?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import f1_score, log_loss
from sklearn.utils import _safe_indexing
from sklearn.utils.multiclass import unique_labels

@dataclass(frozen=True)
class _Result:
    """What one model has achieved, or why it has not."""

    name: str
    estimator: Any = None
    y_pred: np.ndarray | None = None
    accuracy: float = np.nan
    interval: tuple[float, float] = (np.nan, np.nan)
    log_loss: float = np.nan
    macro_f1: float = np.nan
    fit_seconds: float = np.nan
    predict_ms: float = np.nan
    error: str = ""


def _evaluate(
    name: str, estimator: Any, X: Any, y: np.ndarray, X_test: Any, y_test: np.ndarray
) -> _Result:
    start = time.perf_counter()
    estimator.fit(X, y)
    fitted = time.perf_counter()
    estimator.predict(X_test[:_N_WARM_UP])
    start_predict = time.perf_counter()
    y_pred = estimator.predict(X_test)
    predicted = time.perf_counter()
    n_right = int(np.sum(y_pred == y_test))
    interval = binomtest(n_right, len(y_test)).proportion_ci(0.95, method="wilson")
    labels = unique_labels(y_test)
    return _Result(
        name=name,
        estimator=estimator,
        y_pred=y_pred,
        accuracy=n_right / len(y_test),
        interval=(float(interval.low), float(interval.high)),
        log_loss=_log_loss(estimator, X_test, y_test),
        macro_f1=float(
            f1_score(y_test, y_pred, labels=labels, average="macro", zero_division=0.0)
        ),
        fit_seconds=fitted - start,
        predict_ms=1000 * (predicted - start_predict) / len(y_test),
    )


def _log_loss(estimator: Any, X: Any, y: np.ndarray) -> float:
    if not hasattr(estimator, "predict_proba"):
        return np.nan
    # In one precision for all: scikit-learn bounds losses by the precision given.
    probabilities = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return float(log_loss(y, probabilities, labels=estimator.classes_))


def _mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact p value of as many images that only one of two models got right."""
    n = only_first + only_second
    return float(binomtest(only_first, n).pvalue) if n else 1.0


def _holm(p_values: np.ndarray) -> np.ndarray:
    """Correct p values for their number."""
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.maximum.accumulate(p_values[order] * factors)
    return corrected.clip(max=1.0)


