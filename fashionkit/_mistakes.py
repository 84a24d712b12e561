"""The images that a classifier gets wrong, and how sure it is of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from fashionkit._names import name_labels

if TYPE_CHECKING:
    import pandas as pd


def probabilities_of(estimator: Any, X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities that a fitted classifier gives, and its classes.

    Parameters
    ----------
    estimator : object
        A fitted classifier, Pipeline or search.

    X : array-like
        Images, passed on as they are.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        The probability of each class.

    classes : ndarray of shape (n_classes,)
        The label of each column.

    Raises
    ------
    ValueError
        If the estimator has no ``predict_proba``.
    """
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{type(estimator).__name__} has no predict_proba, and so cannot say how sure it is; "
            "pass a classifier with probabilities, or CalibratedClassifierCV around this one."
        )
    return estimator.predict_proba(X), estimator.classes_


def find_mistakes(
    y_true: Any,
    probabilities: Any,
    classes: Any,
    *,
    n_mistakes: int | None = None,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
) -> pd.DataFrame:
    """Return the misclassified images, beginning with the surest mistake.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.

    probabilities : array-like of shape (n_samples, n_classes)
        The probability of each class.

    classes : array-like of shape (n_classes,)
        The label of each column.

    n_mistakes : int, default=None
        How many to return; None for all.

    class_names : sequence or dict of str, default=None
        The name of each label; None for the labels themselves.

    Returns
    -------
    mistakes : DataFrame
        See :func:`fashionkit.worst_mistakes`.

    Raises
    ------
    ValueError
        If the arguments do not belong together.
    """
    import pandas as pd

    y_true, probabilities, classes = _check(y_true, probabilities, classes)
    targets = pd.Index(classes).get_indexer(y_true)
    if np.any(targets < 0):
        unknown = sorted({str(label) for label in y_true[targets < 0]})
        raise ValueError(
            f"y_true has the labels {', '.join(unknown[:5])}, which are not among the classes "
            f"{classes.tolist()}."
        )
    predicted = probabilities.argmax(axis=1)
    rows = np.flatnonzero(predicted != targets)
    surest, truth = probabilities[rows, predicted[rows]], probabilities[rows, targets[rows]]
    # Equally sure mistakes: first those that leave the truth less, then in the order of images.
    order = np.lexsort((rows, truth, -surest))[:n_mistakes]
    rows = rows[order]
    columns = {"true": classes[targets[rows]], "predicted": classes[predicted[rows]]}
    if class_names is not None:
        columns = {name: name_labels(column, class_names) for name, column in columns.items()}
    return pd.DataFrame(
        {**columns, "probability": surest[order], "true_probability": truth[order]},
        index=pd.Index(rows, name="image"),
    )


def _check(y_true: Any, probabilities: Any, classes: Any) -> tuple[np.ndarray, ...]:
    y_true, classes = column_or_1d(y_true, warn=True), column_or_1d(classes)
    probabilities = check_array(
        probabilities, dtype=(np.float64, np.float32), input_name="probabilities"
    )
    check_consistent_length(y_true, probabilities)
    if probabilities.shape[1] != len(classes):
        raise ValueError(
            f"probabilities has {probabilities.shape[1]} columns, but there are {len(classes)} "
            f"classes: {classes.tolist()}."
        )
    if len(set(classes.tolist())) != len(classes):
        raise ValueError(f"classes={classes.tolist()} names a class twice.")
    if probabilities.min() < 0 or probabilities.max() > 1 + 1e-6:
        raise ValueError(
            f"probabilities has values from {probabilities.min():g} to {probabilities.max():g}, "
            "expected 0 to 1, as predict_proba gives them."
        )
    return y_true, probabilities, classes
