"""What does a classifier get wrong? Tables of its confusions and of its mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from fashionkit._mistakes import find_mistakes, probabilities_of
from fashionkit._names import name_labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["most_confused", "worst_mistakes"]


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "n_pairs": [Interval(Integral, 1, None, closed="left"), None],
        "class_names": ["array-like", dict, None],
    },
    prefer_skip_nested_validation=True,
)
def most_confused(
    y_true: Any,
    y_pred: Any,
    *,
    n_pairs: int | None = 10,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
) -> pd.DataFrame:
    """List which classes are taken for which others, most often first.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels, of any type.

    y_pred : array-like of shape (n_samples,)
        Predicted labels.

    n_pairs : int, default=10
        How many pairs to list; None for all that occur.

    class_names : sequence or dict of str, default=None
        The name of each label, for example
        :data:`~fashionkit.CLASS_NAMES`; None to give the labels themselves.

    Returns
    -------
    pairs : DataFrame of shape (n_pairs, 4)
        One row for each pair, with the columns

        - ``true`` and ``predicted``: the two classes; a shirt taken for a coat is another
          pair than a coat taken for a shirt;
        - ``count``: the number of images, dtype=int64;
        - ``fraction``: their fraction of all images of the true class, dtype=float64.

        It is ordered by count; equal counts by the true label, then by the predicted
        one. Pairs that do not occur are not listed.

    Raises
    ------
    ValueError
        If the labels are not classes, not as many in both, or have no name in
        ``class_names``.

    See Also
    --------
    worst_mistakes : Single images that were misclassified.
    sklearn.metrics.confusion_matrix : The counts of all pairs.

    Examples
    --------
    >>> from fashionkit import most_confused
    >>> y_true = ["shirt", "shirt", "shirt", "coat", "coat", "bag"]
    >>> y_pred = ["coat", "coat", "shirt", "shirt", "coat", "bag"]
    >>> most_confused(y_true, y_pred).round(2)
        true predicted  count  fraction
    0  shirt      coat      2      0.67
    1   coat     shirt      1      0.50
    """
    import pandas as pd

    y_true, y_pred = column_or_1d(y_true, warn=True), column_or_1d(y_pred, warn=True)
    check_consistent_length(y_true, y_pred)
    check_classification_targets(y_true)
    check_classification_targets(y_pred)
    labels = unique_labels(y_true, y_pred)
    counts = confusion_matrix(y_true, y_pred, labels=labels)
    n_images = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    true, predicted = np.nonzero(counts)
    order = np.argsort(-counts[true, predicted], kind="stable")[:n_pairs]
    true, predicted = true[order], predicted[order]
    names = labels
    if class_names is not None:
        names = np.array(name_labels(labels, class_names), dtype=object)
    count = counts[true, predicted]
    return pd.DataFrame(
        {
            "true": names[true],
            "predicted": names[predicted],
            "count": count,
            "fraction": count / n_images[true],
        }
    )


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
