"""Fit one model, predict the test images, and record both by the clock."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from fashionkit.comparison._metrics import Outcome, compute_metrics
from fashionkit.neural import TrainingInterrupted

N_WARM_UP = 8


@dataclass(frozen=True)
class Result:
    """Evaluation of one model, or the error that ended it.

    Parameters
    ----------
    name : str
        Name of the model.

    error : str, default=""
        Type and message of the exception; the fields below are empty then.

    estimator : estimator, default=None
        The fitted model.

    y_pred : ndarray of shape (n_test_samples,), default=None
        Predicted labels of the test images.

    fit_seconds, predict_seconds : float
        Wall times of ``fit``, and of ``predict`` on all test images.

    metrics : dict of str to float
        The value of each column of the table of metrics.
    """

    name: str
    error: str = ""
    estimator: Any = None
    y_pred: np.ndarray | None = None
    fit_seconds: float = np.nan
    predict_seconds: float = np.nan
    metrics: dict[str, float] = field(default_factory=dict)


def evaluate(
    name: str, estimator: Any, X: Any, y: np.ndarray, X_test: Any, y_test: np.ndarray
) -> Result:
    """Fit an estimator in place and evaluate it on the test images."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingInterrupted)  # half a training is no result here
        try:
            estimator.fit(X, y)
        except TrainingInterrupted as interruption:
            raise KeyboardInterrupt from interruption
    fit_seconds = time.perf_counter() - start

    estimator.predict(_safe_indexing(X_test, slice(0, N_WARM_UP)))
    start = time.perf_counter()
    y_pred = np.asarray(estimator.predict(X_test))
    predict_seconds = time.perf_counter() - start

    probabilities, classes = _probabilities(estimator, X_test)
    outcome = Outcome(y_test, y_pred, probabilities, classes, fit_seconds, predict_seconds)
    return Result(
        name=name,
        estimator=estimator,
        y_pred=y_pred,
        fit_seconds=fit_seconds,
        predict_seconds=predict_seconds,
        metrics=compute_metrics(outcome),
    )


def _probabilities(estimator: Any, X: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return float64 probabilities and their classes; None for a model without."""
    if not hasattr(estimator, "predict_proba"):
        return None, None
    # In one precision for all: scikit-learn bounds losses by the precision given.
    probabilities = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    return probabilities / probabilities.sum(axis=1, keepdims=True), estimator.classes_
