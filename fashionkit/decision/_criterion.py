"""Criteria of SelectiveClassifier: validation, and the threshold that each chooses."""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier

from fashionkit._images import users_level
from fashionkit.decision._thresholds import (
    describe_threshold,
    threshold_of_coverage,
    threshold_of_risk,
)

SHARES = ("risk", "coverage", "confidence")

# Levels that error messages suggest.
_EXAMPLES = {"risk": 0.02, "coverage": 0.9, "confidence": 0.8}


class Criterion(NamedTuple):
    """Rule by which predictions are accepted, as in SelectiveClassifier.

    Parameters
    ----------
    name : {"risk", "coverage", "confidence", "cost"} or None
        Name of the criterion.

    level : float or None
        Level of the criterion.

    confidence_level : float
        Probability that the error rate stays below the level of "risk".
    """

    name: str | None
    level: float | None
    confidence_level: float


class Chosen(NamedTuple):
    """Threshold, with its coverage and risk on the calibration images.

    Parameters
    ----------
    threshold : float
        Minimum confidence of an accepted prediction, or its maximum expected cost.

    coverage : float
        Fraction of the images that is accepted.

    risk : float
        Fraction of the accepted images that is misclassified; NaN if none is accepted.

    risk_bound : float
        Upper confidence limit of the error rate.
    """

    threshold: float
    coverage: float
    risk: float
    risk_bound: float


def check_criterion(estimator: Any, criterion: Criterion, costs: Any) -> None:
    """Validate the estimator, and whether level and costs match the criterion.

    Parameters
    ----------
    estimator : object
        Estimator to wrap.

    criterion : Criterion
        Criterion and level.

    costs : array-like or None
        Costs of predictions.

    Raises
    ------
    TypeError
        If the estimator is not a classifier.

    ValueError
        If ``level`` or ``costs`` do not match the criterion.
    """
    name, level = criterion.name, criterion.level
    if not is_classifier(estimator):
        raise TypeError(
            f"estimator is a {type(estimator).__name__}, expected a classifier; pass one of "
            "scikit-learn or fashionkit."
        )
    if name in SHARES and (level is None or not 0 < level <= 1):
        raise ValueError(
            f"level={level!r} with criterion={name!r}, expected a number above 0 and at "
            f"most 1; pass one, such as level={_EXAMPLES[name]}."
        )
    if name == "risk" and level == 1:
        raise ValueError(
            "level=1 with criterion='risk' allows any error rate, expected a level below 1; pass "
            "criterion=None and level=None to accept all predictions."
        )
    if name == "cost" and level is not None and not math.isfinite(level):
        raise ValueError(
            f"level={level!r} with criterion='cost', expected the cost of a review as a finite "
            "number; pass None to accept all predictions."
        )
    if name is None and level is not None:
        raise ValueError(
            f"level={level!r} without a criterion; pass criterion='risk', 'coverage', "
            "'confidence' or 'cost', or level=None."
        )
    if (costs is not None) != (name == "cost"):
        raise ValueError(
            f"costs={costs!r} with criterion={name!r}, expected costs exactly if criterion='cost'; "
            f"pass {'a matrix of costs' if costs is None else 'costs=None'} or another criterion."
        )


def check_costs(costs: Any, n_classes: int) -> np.ndarray | None:
    """Return the costs as a float64 array of shape (n_classes, n_classes); None without costs."""
    if costs is None:
        return None
    try:
        costs = np.asarray(costs, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"costs={costs!r} is not a matrix of numbers, expected shape ({n_classes}, "
            f"{n_classes}); pass a row for each true class and a column for each predicted class."
        ) from error
    if costs.shape != (n_classes, n_classes) or not np.isfinite(costs).all():
        raise ValueError(
            f"costs has shape {costs.shape}, expected ({n_classes}, {n_classes}) finite "
            "numbers; pass a row for each true class and a column for each predicted class, in the "
            "order of classes_."
        )
    return costs


def choose(
    probabilities: np.ndarray, costs: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Predict the class of the highest probability, or of the lowest expected cost.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Calibrated probabilities.

    costs : ndarray of shape (n_classes, n_classes) or None
        Costs of predictions.

    Returns
    -------
    columns : ndarray of shape (n_samples,), dtype=int
        Column of the predicted class.

    expected : ndarray of shape (n_samples,) or None
        Expected cost of the prediction; None without costs.
    """
    if costs is None:
        return probabilities.argmax(axis=1), None
    expected = probabilities @ costs
    return expected.argmin(axis=1), expected.min(axis=1)


def choose_threshold(
    criterion: Criterion,
    probabilities: np.ndarray,
    targets: np.ndarray,
    *,
    costs: np.ndarray | None,
    is_eligible: np.ndarray,
    weights: np.ndarray,
) -> Chosen:
    """Choose the threshold of a criterion on the calibration images.

    Parameters
    ----------
    criterion : Criterion
        Criterion and level.

    probabilities : ndarray of shape (n_samples, n_classes)
        Calibrated probabilities.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of the true class of each image.

    costs : ndarray of shape (n_classes, n_classes) or None
        Costs of predictions.

    is_eligible : ndarray of shape (n_samples,), dtype=bool
        Whether each image may be accepted: outliers may not.

    weights : ndarray of shape (n_samples,)
        Positive weight of each image.

    Returns
    -------
    chosen : Chosen
        Threshold, coverage and risk.

    Warns
    -----
    UserWarning
        If no threshold can be shown to keep the risk.
    """
    columns, cost = choose(probabilities, costs)
    correct = columns == targets
    confidence = probabilities[np.arange(len(columns)), columns] if cost is None else -cost
    common: dict[str, Any] = {"is_eligible": is_eligible, "weights": weights}
    bound: dict[str, Any] = {"confidence_level": criterion.confidence_level}
    level = float(criterion.level or 0)
    if criterion.name == "risk":
        threshold = threshold_of_risk(confidence, correct, level, **bound, **common)
        if math.isinf(threshold):
            _warn_of_unkept_risk(criterion, len(targets))
    elif criterion.name == "coverage":
        threshold = threshold_of_coverage(confidence, level, **common)
    elif criterion.name == "confidence":
        threshold = level
    elif criterion.name == "cost":
        threshold = -math.inf if criterion.level is None else -level
    else:
        threshold = 0.0
    found = describe_threshold(threshold, confidence, correct, **bound, **common)
    threshold = found.confidence if cost is None else -found.confidence
    return Chosen(threshold, found.coverage, found.risk, found.risk_bound)


def _warn_of_unkept_risk(criterion: Criterion, n_images: int) -> None:
    warnings.warn(
        f"No threshold can be shown to keep the error rate at most level={criterion.level!r} with "
        f"confidence_level={criterion.confidence_level!r} on {n_images} calibration images, so "
        "that no prediction is accepted; pass a higher level, a larger cv or more images.",
        UserWarning,
        stacklevel=users_level(),
    )
