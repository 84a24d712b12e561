"""Predicted probabilities: those of a classifier, and whether they belong to their labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from fashionkit.datasets._names import choices


def probabilities_of(estimator: Any, X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the predicted probabilities of a fitted classifier, and its classes.

    Parameters
    ----------
    estimator : object
        A fitted classifier, Pipeline or search.

    X : array-like
        Images, passed to the classifier as they are.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        Predicted probabilities.

    classes : ndarray of shape (n_classes,)
        Label of each column.

    Raises
    ------
    ValueError
        If the estimator has no ``predict_proba``.
    """
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{type(estimator).__name__} has no predict_proba; pass a classifier that predicts "
            "probabilities, or wrap this one in CalibratedClassifierCV."
        )
    return estimator.predict_proba(X), estimator.classes_


def check_probabilities(
    y_true: Any, probabilities: Any, classes: Any, *, name: str = "y_true"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Validate labels and predicted probabilities that belong together.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.

    probabilities : array-like of shape (n_samples, n_classes)
        Predicted probabilities.

    classes : array-like of shape (n_classes,)
        Label of each column.

    name : str, default="y_true"
        What the caller's argument of the labels is called, for errors.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        The probabilities, float64 or float32.

    classes : ndarray of shape (n_classes,)
        The labels of the columns.

    targets : ndarray of shape (n_samples,), dtype=int64
        Column of each true label.

    Raises
    ------
    ValueError
        If the arguments are inconsistent, or a label is not among ``classes``.
    """
    import pandas as pd

    y_true, classes = column_or_1d(y_true, warn=True), column_or_1d(classes)
    probabilities = check_array(
        probabilities, dtype=(np.float64, np.float32), input_name="probabilities"
    )
    check_consistent_length(y_true, probabilities)
    if probabilities.shape[1] != len(classes):
        raise ValueError(
            f"probabilities has {probabilities.shape[1]} columns, but there are {len(classes)} "
            f"classes: {choices(classes.tolist(), most=12)}; pass one column for each class."
        )
    if len(set(classes.tolist())) != len(classes):
        raise ValueError(
            f"classes={classes.tolist()} names a class twice; pass each label once, as "
            "classes_ lists them."
        )
    if probabilities.min() < 0 or probabilities.max() > 1 + 1e-6:
        raise ValueError(
            f"probabilities has values from {probabilities.min():g} to {probabilities.max():g}, "
            "expected 0 to 1; pass the output of predict_proba."
        )
    targets = pd.Index(classes).get_indexer(y_true)
    if np.any(targets < 0):
        unknown = sorted(set(y_true[targets < 0].tolist()), key=str)
        raise ValueError(
            f"{name} has the labels {choices(unknown, most=5)}, which are not among the classes "
            f"{choices(classes.tolist(), most=12)}; leave these images out."
        )
    return probabilities, classes, targets
