"""The images that a classifier gets wrong, and how sure it is of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit.datasets._names import name_labels

if TYPE_CHECKING:
    import pandas as pd


@validate_params(
    {
        "estimator": "no_validation",
        "X": "no_validation",
        "y": ["array-like"],
        "n_mistakes": [Interval(Integral, 1, None, closed="left"), None],
        "class_names": ["array-like", dict, None],
    },
    prefer_skip_nested_validation=False,
)
def worst_mistakes(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    n_mistakes: int | None = 20,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
) -> pd.DataFrame:
    """List the images that a classifier gets wrong, beginning with the surest mistake.

    They are worth looking at: among them are the labels that are wrong, the classes that
    overlap, and the pictures unlike any that the classifier was trained on.

    Parameters
    ----------
    estimator : object
        A fitted classifier with ``predict_proba``; or a Pipeline or a search with one.

    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
            (n_samples, height, width, channels)
        Images, passed to the classifier as they are.

    y : array-like of shape (n_samples,)
        True labels, all among the classes of the classifier.

    n_mistakes : int, default=20
        How many images to list; None for all that are misclassified.

    class_names : sequence or dict of str, default=None
        The name of each label, for example
        :data:`~fashionkit.CLASS_NAMES`; None to give the labels themselves.

    Returns
    -------
    mistakes : DataFrame of shape (n_mistakes, 4)
        One row for each image. The index ``image`` is its position in ``X``; the columns
        are

        - ``true`` and ``predicted``: its class, and the class that was most probable;
        - ``probability``: the probability of the predicted class, which orders the rows;
        - ``true_probability``: the probability of the true class.

        It has no rows if there are no mistakes, and fewer than ``n_mistakes`` if there
        are not as many.

    Raises
    ------
    ValueError
        If the classifier has no probabilities, ``y`` has a label that it does not know, or
        a label has no name in ``class_names``.

    See Also
    --------
    most_confused : Which classes are taken for which others.
    fashionkit.plotting.MistakesDisplay : The same as pictures.

    Notes
    -----
    The class of the largest probability counts as predicted. Some classifiers decide
    otherwise, such as :class:`~sklearn.svm.SVC`.

    Examples
    --------
    >>> from fashionkit import make_baseline, make_garments, worst_mistakes
    >>> X, y = make_garments(400, random_state=0)
    >>> model = make_baseline("hog-knn", random_state=0).fit(X[:200], y[:200])
    >>> mistakes = worst_mistakes(model, X[200:], y[200:], n_mistakes=5)
    >>> list(mistakes.columns)
    ['true', 'predicted', 'probability', 'true_probability']
    >>> mistakes["probability"].is_monotonic_decreasing
    True
    """
    probabilities, classes = probabilities_of(estimator, X)
    return find_mistakes(y, probabilities, classes, n_mistakes=n_mistakes, class_names=class_names)


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
