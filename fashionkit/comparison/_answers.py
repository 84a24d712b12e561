"""What a fitted model answers: its labels, probabilities and scores, checked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import numpy as np

from fashionkit._images import users_level
from fashionkit.comparison._splits import ImageSet
from fashionkit.datasets._names import choices, unknown_labels


def check_classes(estimator: Any, labels: np.ndarray) -> np.ndarray:
    """Return the classes of a fitted model, in its own order: a frozen one may have others."""
    classes = np.asarray(getattr(estimator, "classes_", labels))
    if set(classes.tolist()) != set(labels.tolist()):
        raise ValueError(
            f"the model has the classes {choices(classes.tolist(), most=12)}, but y has "
            f"{choices(labels.tolist(), most=12)}; pass a model that is fitted on the same classes."
        )
    return classes


def check_predictions(y_pred: Any, labels: np.ndarray, n_images: int) -> np.ndarray:
    """Return one label for each image, also of a model that returns a column of them."""
    y_pred = np.asarray(y_pred)
    if y_pred.shape not in ((n_images,), (n_images, 1)):
        raise ValueError(
            f"predict returned an array of shape {y_pred.shape} for {n_images} images, "
            f"expected ({n_images},)."
        )
    y_pred = y_pred.reshape(n_images)
    if unknown := unknown_labels(np.unique(y_pred).tolist(), labels.tolist()):
        raise ValueError(
            f"predict returned the labels {choices(unknown, most=5)} that do not occur in y."
        )
    return y_pred


def predict_proba(model: str, estimator: Any, X: Any, classes: np.ndarray) -> np.ndarray | None:
    """Return probabilities in the order of a model's classes; None for a model without.

    A model whose probabilities cannot be used keeps its predictions.
    """
    if not hasattr(estimator, "predict_proba"):
        return None
    try:
        return _check_probabilities(estimator.predict_proba(X), len(classes))
    except Exception as error:
        _warn(f"Model {model!r} has no probabilities: {_describe(error)}")
        return None


def in_order(probabilities: np.ndarray, classes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the columns of the classes in the order of the labels."""
    column = {label: i for i, label in enumerate(classes.tolist())}
    return probabilities[:, [column[label] for label in labels.tolist()]]


def compute_scores(
    model: str, scorers: Mapping[str, Callable], answers: Answers, test: ImageSet
) -> dict[str, float]:
    """Return the user's scores; NaN for one that fails."""
    scores = {}
    for name, scorer in scorers.items():
        try:
            scores[name] = float(scorer(answers, test.X, test.y))
        except Exception as error:  # the model has its other figures
            _warn(f"Score {name!r} of model {model!r} failed: {_describe(error)}")
            scores[name] = np.nan
    return scores


class Answers:
    """A fitted model that repeats its answers to the evaluated images, for scorers."""

    def __init__(self, estimator: Any, X: Any, answers: dict[str, np.ndarray]):
        self._estimator = estimator
        self._X = X
        self._answers = answers

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The class of the model, which errors of scikit-learn name."""
        return type(self._estimator)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._estimator, name)
        if name not in self._answers:
            return method

        @wraps(method)
        def answer(X: Any) -> Any:
            return self._answers[name] if X is self._X else method(X)

        return answer


def _check_probabilities(probabilities: Any, n_classes: int) -> np.ndarray:
    # In one precision for all: scikit-learn bounds losses by the precision given.
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 2 or probabilities.shape[1] != n_classes:
        raise ValueError(
            f"predict_proba returned an array of shape {probabilities.shape}, expected a column "
            f"for each of {n_classes} classes."
        )
    sums = probabilities.sum(axis=1, keepdims=True)
    if not (probabilities.min() >= 0 and np.isfinite(sums).all() and sums.min() > 0):
        raise ValueError("predict_proba returned rows that are negative, NaN or all zero.")
    return probabilities / sums


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=users_level())
