"""Confusions: pairs of true and predicted classes, most frequent first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from fashionkit.datasets._names import find_label, name_labels

if TYPE_CHECKING:
    import pandas as pd


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "n_pairs": [Interval(Integral, 1, None, closed="left"), None],
        "class_names": ["array-like", dict, None],
        "true": "no_validation",
        "predicted": "no_validation",
    },
    prefer_skip_nested_validation=True,
)
def most_confused(
    y_true: Any,
    y_pred: Any,
    *,
    n_pairs: int | None = 10,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    true: Any = None,
    predicted: Any = None,
) -> pd.DataFrame:
    """List the most frequent confusions between classes.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels, of any type.

    y_pred : array-like of shape (n_samples,)
        Predicted labels.

    n_pairs : int, default=10
        Maximum number of pairs; None for all that occur.

    class_names : sequence or dict of str, default=None
        Name of each label, such as :data:`~fashionkit.CLASS_NAMES`, or a dict from label
        to name; None to return the labels themselves.

    true : object, default=None
        True class, by label or name, to restrict the pairs to; None for all.

    predicted : object, default=None
        Predicted class, by label or name, to restrict the pairs to; None for all.

    Returns
    -------
    pairs : DataFrame of shape (n_pairs, 4)
        One row for each pair, with the columns

        - ``true`` and ``predicted``: the two classes, in this order: shirts predicted as
          coats and coats predicted as shirts are different pairs;
        - ``count``: number of images, dtype=int64;
        - ``fraction``: fraction of all images of the true class, dtype=float64.

        Rows are sorted by decreasing count, ties by true label and then by predicted
        label. Pairs that do not occur are not listed.

    Raises
    ------
    ValueError
        If the labels are not classes, differ in number, or have no name in
        ``class_names``; or if ``true`` or ``predicted`` is not a class.

    See Also
    --------
    worst_mistakes : Lists misclassified images.
    sklearn.metrics.confusion_matrix : Counts all pairs of classes.

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
    if true is not None:
        counts[labels != find_label("true", true, labels, class_names)] = 0
    if predicted is not None:
        counts[:, labels != find_label("predicted", predicted, labels, class_names)] = 0
    rows, columns = np.nonzero(counts)
    order = np.argsort(-counts[rows, columns], kind="stable")[:n_pairs]
    rows, columns = rows[order], columns[order]
    names = labels
    if class_names is not None:
        names = np.array(name_labels(labels, class_names), dtype=object)
    count = counts[rows, columns]
    return pd.DataFrame(
        {
            "true": names[rows],
            "predicted": names[columns],
            "count": count,
            "fraction": count / n_images[rows],
        }
    )
