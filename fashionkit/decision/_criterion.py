"""The criterion of a SelectiveClassifier: what it asks for, and the threshold that follows."""

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


class Criterion(NamedTuple):
    """What decides which predictions are accepted, as in SelectiveClassifier.

    Parameters
    ----------
    name : {"risk", "coverage", "confidence", "cost"} or None
        Its name.

    level : float or None
        What it asks for.

    confidence_level : float
        Probability that a risk is kept.
    """

    name: str | None
    level: float | None
    confidence_level: float


class Chosen(NamedTuple):
    """A threshold, and what it does to the images that it was chosen on.

    Parameters
    ----------
    threshold : float
        Least confidence that is accepted, or highest expected cost.

    coverage : float
        Share of the images that is accepted.

    risk : float
        Share of these that are wrong.

    risk_bound : float
        Upper limit of the error rate.
    """

    threshold: float
    coverage: float
    risk: float
    risk_bound: float


def check_criterion(estimator: Any, criterion: Criterion, costs: Any) -> None:
    """Refuse estimators that are no classifiers, and levels and costs without their criterion."""
    name, level = criterion.name, criterion.level
    if not is_classifier(estimator):
        raise TypeError(
            f"estimator is a {type(estimator).__name__}, which is no classifier; pass a "
            "classifier of scikit-learn or fashionkit."
        )
    if name in SHARES and (level is None or not 0 < level <= 1):
        raise ValueError(
            f"level={level!r} with criterion={name!r}, expected a number above 0 and at "
            "most 1, such as level=0.02 for a risk of 2 %."
        )
    if name == "risk" and level == 1:
        raise ValueError("level=1 with criterion='risk' allows any error; pass criterion=None.")
    if name == "cost" and level is not None and not math.isfinite(level):
        raise ValueError(f"level={level!r}, expected the cost of a review, or None for none.")
    if name is None and level is not None:
        raise ValueError(
            f"level={level!r} without a criterion; pass criterion='risk', 'coverage', "
            "'confidence' or 'cost', or level=None."
        )
    if (costs is not None) != (name == "cost"):
        raise ValueError(
            f"costs={costs!r} with criterion={name!r}; pass costs with "
            "criterion='cost', and only with it."
        )


def check_costs(costs: Any, n_classes: int) -> np.ndarray | None:
    """Return the matrix of costs as an array; None without one."""
    if costs is None:
        return None
    costs = np.asarray(costs, dtype=np.float64)
    if costs.shape != (n_classes, n_classes) or not np.isfinite(costs).all():
        raise ValueError(
            f"costs has the shape {costs.shape}, expected ({n_classes}, {n_classes}) finite "
            "numbers: a row for each true class and a column for each predicted one, in the "
            "order of classes_."
        )
    return costs


def choose(
    probabilities: np.ndarray, costs: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the column of each label, and the expected cost where costs count."""
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
    """Return the threshold that the criterion asks for.

    Parameters
    ----------
    criterion : Criterion
        What it asks for.

    probabilities : ndarray of shape (n_samples, n_classes)
        Calibrated probabilities.

    targets : ndarray of shape (n_samples,), dtype=int
        Columns of the true classes.

    costs : ndarray of shape (n_classes, n_classes) or None
        Costs of predictions.

    is_eligible : ndarray of shape (n_samples,), dtype=bool
        Whether an image may be accepted at all.

    weights : ndarray of shape (n_samples,)
        Weights of the images, above 0.

    Returns
    -------
    chosen : Chosen
        The threshold.

    Warns
    -----
    UserWarning
        If no threshold is known to keep a risk.
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
        f"No confidence is known to keep the error rate at most level={criterion.level!r} with "
        f"confidence_level={criterion.confidence_level!r}, judged by {n_images} images, so that "
        "no prediction is accepted; pass a higher level, a larger cv or more images.",
        UserWarning,
        stacklevel=users_level(),
    )
