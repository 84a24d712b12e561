"""Tables of decisions: labels, confidence, status, and the reason in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

# From best to worst.
ACCEPTED, REVIEW, OUTLIER, ERROR = STATUSES = ("accepted", "review", "outlier", "error")

_PLACES = (("label", "confidence"), ("second", "second_confidence"), ("third", "third_confidence"))


def decision_table(
    classes: np.ndarray,
    probabilities: np.ndarray,
    chosen: np.ndarray,
    sets: np.ndarray,
    status: np.ndarray,
    reasons: list[str],
    index: Any = None,
) -> pd.DataFrame:
    """Make the table of decisions, with a row for each image.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels.

    probabilities : ndarray of shape (n_samples, n_classes)
        Calibrated probabilities.

    chosen : ndarray of shape (n_samples,), dtype=int
        Column of the predicted class, which need not be the most probable one.

    sets : ndarray of shape (n_samples, n_classes), dtype=bool
        Prediction sets.

    status : ndarray of shape (n_samples,), dtype=str
        Status of each image: "accepted", "review" or "outlier".

    reasons : list of str
        Reason of each status.

    index : Index, default=None
        Index of the table; None for row numbers.

    Returns
    -------
    table : DataFrame of shape (n_samples, 9)
        Table with the columns of :meth:`fashionkit.SelectiveClassifier.decide`.
    """
    ranked = probabilities.copy()
    rows = np.arange(len(ranked))
    ranked[rows, chosen] = np.inf  # the label comes first
    order = np.argsort(-ranked, axis=1, kind="stable")
    columns: dict[str, Any] = {}
    for place, (name, confidence) in enumerate(_PLACES):
        if place < len(classes):
            columns[name] = classes[order[:, place]]
            columns[confidence] = probabilities[rows, order[:, place]]
        else:
            columns[name] = np.full(len(rows), None, dtype=object)
            columns[confidence] = np.full(len(rows), np.nan)
    labels = classes.tolist()
    members = [
        tuple(labels[column] for column in ranking if inside[column])
        for ranking, inside in zip(order.tolist(), sets.tolist(), strict=True)
    ]
    columns["set"] = pd.Series(members, index=index, dtype=object)
    columns["status"] = status.astype(object)
    columns["reason"] = np.array(reasons, dtype=object)
    return pd.DataFrame(columns, index=index)


def explain(status: str, confidence: float, threshold: float, unit: str) -> str:
    """Return the reason of a status in words.

    Parameters
    ----------
    status : {"accepted", "review", "outlier"}
        Status of the image.

    confidence : float
        Confidence of the prediction, or its expected cost.

    threshold : float
        Minimum confidence, or maximum expected cost, of an accepted prediction.

    unit : {"confidence", "cost"}
        Quantity that is compared.

    Returns
    -------
    reason : str
        Sentence without a full stop.
    """
    if status == OUTLIER:
        return "does not look like the training images"
    if unit == "cost":
        if np.isposinf(threshold):
            return "every image is accepted, whatever its expected cost"
        than = "at most" if status == ACCEPTED else "more than"
        return f"an expected cost of {confidence:.3g} is {than} that of a review, {threshold:.3g}"
    if threshold <= 0:
        return "every image is accepted, whatever its confidence"
    if np.isinf(threshold):
        return "no confidence is known to be high enough"
    if status == ACCEPTED:
        return f"confidence {_number(confidence)} is at least {_number(threshold)}"
    return f"confidence {_number(confidence)} is below {_number(threshold)}"


def _number(probability: float) -> str:
    """Format a probability, with enough digits that one below 1 is not shown as 1."""
    digits = 3
    while digits < 9 and probability < 1 and float(f"{probability:.{digits}f}") == 1:
        digits += 1
    return f"{probability:.{digits}f}"
