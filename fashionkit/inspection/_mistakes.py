"""Mistakes: misclassified images, those with the most confident predictions first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit.datasets._folder import ImageFolder
from fashionkit.datasets._names import find_label, name_labels
from fashionkit.inspection._predictions import check_probabilities, probabilities_of

if TYPE_CHECKING:
    import pandas as pd


@validate_params(
    {
        "estimator": "no_validation",
        "X": "no_validation",
        "y": ["array-like"],
        "n_mistakes": [Interval(Integral, 1, None, closed="left"), None],
        "class_names": ["array-like", dict, None],
        "true": "no_validation",
        "predicted": "no_validation",
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
    true: Any = None,
    predicted: Any = None,
) -> pd.DataFrame:
    """List misclassified images, those with the most confident predictions first.

    They include wrong labels, images of overlapping classes, and images that differ from all
    training images.

    Parameters
    ----------
    estimator : object
        Fitted classifier with ``predict_proba``, or a Pipeline or search that ends in one.

    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
            (n_samples, height, width, channels), or ImageFolder
        Images, passed to the classifier as they are.

    y : array-like of shape (n_samples,)
        True labels, all among the classes of the classifier.

    n_mistakes : int, default=20
        Maximum number of images; None for all that are misclassified.

    class_names : sequence or dict of str, default=None
        Name of each label, such as :data:`~fashionkit.CLASS_NAMES`, or a dict from label
        to name; None to return the labels themselves.

    true : object, default=None
        True class, by label or name, to restrict the images to; None for all.

    predicted : object, default=None
        Predicted class, by label or name, to restrict the images to; None for all.

    Returns
    -------
    mistakes : DataFrame of shape (n_mistakes, 4) or (n_mistakes, 5)
        One row for each misclassified image. The index ``image`` is its position in
        ``X``; the columns are

        - ``true`` and ``predicted``: true class, and class of the largest probability;
        - ``probability``: probability of the predicted class;
        - ``true_probability``: probability of the true class;
        - ``path``: file of the image, where ``X`` is an
          :class:`~fashionkit.ImageFolder`.

        Rows are sorted by decreasing ``probability``. There are fewer than
        ``n_mistakes``, or none, where fewer images are misclassified.

    Raises
    ------
    ValueError
        If the classifier has no ``predict_proba``, ``y`` has a label that is not among
        its classes, a label has no name in ``class_names``, or ``true`` or ``predicted``
        is not a class.

    See Also
    --------
    most_confused : Lists the most frequent confusions between classes.
    fashionkit.plotting.MistakesDisplay : Draws the misclassified images.

    Notes
    -----
    The class of the largest probability counts as predicted. ``predict`` of some
    classifiers, such as :class:`~sklearn.svm.SVC`, can differ from it.

    Examples
    --------
    >>> from fashionkit import make_baseline, make_garments, worst_mistakes
    >>> X, y = make_garments(400, random_state=0)
    >>> model = make_baseline("hog", "knn", random_state=0).fit(X[:200], y[:200])
    >>> mistakes = worst_mistakes(model, X[200:], y[200:], n_mistakes=5)
    >>> list(mistakes.columns)
    ['true', 'predicted', 'probability', 'true_probability']
    >>> mistakes["probability"].is_monotonic_decreasing
    True
    """
    probabilities, classes = probabilities_of(estimator, X)
    return find_mistakes(
        y,
        probabilities,
        classes,
        n_mistakes=n_mistakes,
        class_names=class_names,
        true=true,
        predicted=predicted,
        paths=image_paths(X),
    )


def image_paths(X: Any) -> np.ndarray | None:
    """Return the path of each image of an ImageFolder, and None for other images."""
    return X.filenames if isinstance(X, ImageFolder) else None


def find_mistakes(
    y_true: Any,
    probabilities: Any,
    classes: Any,
    *,
    n_mistakes: int | None = None,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    true: Any = None,
    predicted: Any = None,
    paths: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return the table of :func:`fashionkit.worst_mistakes` from probabilities.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.

    probabilities : array-like of shape (n_samples, n_classes)
        Predicted probabilities.

    classes : array-like of shape (n_classes,)
        Label of each column.

    n_mistakes : int, default=None
        Maximum number of images; None for all.

    class_names : sequence or dict of str, default=None
        Name of each label, or a dict from label to name; None for the labels themselves.

    true, predicted : object, default=None
        Label or name of a class: only mistakes of this class; None for all.

    paths : ndarray of shape (n_samples,), default=None
        File of each image.

    Returns
    -------
    mistakes : DataFrame
        See :func:`fashionkit.worst_mistakes`.

    Raises
    ------
    ValueError
        If the arguments are inconsistent.
    """
    import pandas as pd

    probabilities, classes, targets = check_probabilities(y_true, probabilities, classes)
    tops = probabilities.argmax(axis=1)
    is_shown = tops != targets
    if true is not None:
        is_shown &= classes[targets] == find_label("true", true, classes, class_names)
    if predicted is not None:
        is_shown &= classes[tops] == find_label("predicted", predicted, classes, class_names)
    rows = np.flatnonzero(is_shown)
    top, truth = probabilities[rows, tops[rows]], probabilities[rows, targets[rows]]
    # Ties: first the smaller probability of the true class, then the order of the images.
    order = np.lexsort((rows, truth, -top))[:n_mistakes]
    rows = rows[order]
    columns = {"true": classes[targets[rows]], "predicted": classes[tops[rows]]}
    if class_names is not None:
        columns = {name: name_labels(column, class_names) for name, column in columns.items()}
    return pd.DataFrame(
        {
            **columns,
            "probability": top[order],
            "true_probability": truth[order],
            **({} if paths is None else {"path": paths[rows]}),
        },
        index=pd.Index(rows, name="image"),
    )
