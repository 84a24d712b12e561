"""Search for label issues: images whose label is likely to be wrong, by confident learning."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions, validate_params
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from fashionkit.comparison._splits import check_given
from fashionkit.datasets._names import choices, name_labels
from fashionkit.decision._confident import FILTERS, normalized_margins, select_issues
from fashionkit.decision._out_of_fold import out_of_fold
from fashionkit.inspection._mistakes import image_paths
from fashionkit.inspection._predictions import check_probabilities

if TYPE_CHECKING:
    import pandas as pd


@validate_params(
    {
        "estimator": "no_validation",
        "X": "no_validation",
        "y": ["array-like"],
        "cv": ["cv_object"],
        "groups": ["array-like", None],
        "probabilities": ["array-like", None],
        "classes": ["array-like", None],
        "filter_by": [StrOptions(set(FILTERS)), None],
        "class_names": ["array-like", dict, None],
        "n_jobs": [int, None],
    },
    prefer_skip_nested_validation=False,
)
def find_label_issues(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    cv: Any = 5,
    groups: Any = None,
    probabilities: Any = None,
    classes: Any = None,
    filter_by: str | None = "both",
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Find images whose label is likely to be wrong, by confident learning.

    Each image is classified by a model that was fitted without it. From these out-of-fold
    probabilities, confident learning [1]_ estimates how many labels of each class are wrong, and
    which.

    Read more in the :ref:`User Guide <label_issues>`.

    Parameters
    ----------
    estimator : classifier or None
        Classifier with ``predict_proba``, or a Pipeline or search that ends in one. It is cloned
        for each fold, and need not be fitted. Must be None if ``probabilities`` are given.

    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
            (n_samples, height, width, channels), or ImageFolder
        Images, or any other input of the classifier, such as paths for a Pipeline that begins with
        an image loader. If ``probabilities`` are given, only the paths of ``X`` are used, and it
        may be None.

    y : array-like of shape (n_samples,)
        Given labels, of at least two classes.

    cv : int, cross-validation splitter or iterable, default=5
        Number of stratified folds, a splitter such as
        :class:`~sklearn.model_selection.StratifiedGroupKFold`, or an iterable of (train, test) row
        numbers. Each image must be in at least one test part; for several, its probabilities are
        averaged.

    groups : array-like of shape (n_samples,), default=None
        Group of each image for the splitter, such as its sender.

    probabilities : array-like of shape (n_samples, n_classes), default=None
        Out-of-fold probabilities to use instead of fitting ``estimator``. Probabilities of a model
        that was trained on the same images are unsuitable, because it has fitted the wrong labels.

    classes : array-like of shape (n_classes,), default=None
        Label of each column of ``probabilities``; None for the sorted labels in ``y``.

    filter_by : str or None, default="both"
        Method of selecting the issues. No method selects an image whose given label is the most
        probable class.

        - "prune_by_noise_rate": for each pair of given label and true class, the estimated number
          of images, by the largest difference of the two probabilities;
        - "prune_by_class": for each given label, the estimated number of images, by the lowest
          probability of the label;
        - "both": images that both of these methods select. With flipped labels of Fashion-MNIST, it
          has the highest precision for the same number of issues;
        - "confident_learning": images that the confident joint counts in another class;
        - "predicted_neq_given": images whose most probable class is not the given label;
        - None: all images, whether or not the label is likely to be wrong.

    class_names : sequence or dict of str, default=None
        Name of each label: a dict from label to name, or names of the labels 0, 1, ... such as
        :data:`~fashionkit.CLASS_NAMES`, or of the sorted labels. None uses the labels themselves.

    n_jobs : int, default=None
        Number of folds to fit at the same time. None means 1, unless in a
        :func:`joblib.parallel_config` context; -1 means all processors.

    Returns
    -------
    issues : DataFrame of shape (n_issues, 6) or (n_issues, 7)
        One row for each issue, by ascending normalised margin, with the columns

        - ``index``: row of the image in ``X``;
        - ``path``: file of the image, if ``X`` is an :class:`~fashionkit.ImageFolder` or paths;
        - ``label``: given label;
        - ``predicted``: most probable class;
        - ``confidence``: out-of-fold probability of the predicted class;
        - ``label_confidence``: out-of-fold probability of the given label;
        - ``rank``: rank by the normalised margin, from 1. The margin is the probability of the
          given label minus the largest probability of another class.

    Raises
    ------
    TypeError
        If ``estimator`` is not an estimator.

    ValueError
        If the classifier has no ``predict_proba``, ``y`` has a single class, a fold lacks a class,
        an image is in no test part, a label has no name or no column, or the arguments are
        inconsistent.

    See Also
    --------
    worst_mistakes : Misclassified images of a test set.
    find_duplicates : Duplicate images.
    fashionkit.plotting.LabelIssuesDisplay : Pictures of the issues.

    Notes
    -----
    The threshold of a class is its mean probability among the images of that label. An image
    confidently belongs to the most probable of the classes whose thresholds it reaches. The counts
    of given labels and confident classes, scaled to the number of images of each label, estimate
    the number of wrong labels (equations 1 to 3 of [1]_). The filters are those of section 3.2,
    under their names in cleanlab. The issues equal those of cleanlab with two exceptions: ties, and
    images that reach several thresholds, but not that of their most probable class. Such an image
    is counted in the most probable of the classes that it reaches.

    For a comparison with folds, pass its out-of-fold probabilities
    ``comparison.probabilities_[name]`` with ``comparison.classes_`` as ``classes``,
    ``comparison.y_true_`` as ``y``, and the images of ``comparison.indices_`` as ``X``.

    References
    ----------
    .. [1] C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident Learning: Estimating Uncertainty
       in Dataset Labels", Journal of Artificial Intelligence Research 70, 2021.

    Examples
    --------
    >>> from fashionkit import find_label_issues, make_garments, make_model
    >>> X, y = make_garments(300, random_state=0)
    >>> y[[3, 50]] = (y[[3, 50]] + 1) % 10
    >>> model = make_model("hog-fast", random_state=0)
    >>> issues = find_label_issues(model, X, y, cv=3)
    >>> sorted(issues["index"][:2])
    [3, 50]
    """
    import pandas as pd

    y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    if X is not None:
        check_given("X", X, y)
    if (probabilities is None) == (estimator is None):
        given = "neither" if estimator is None else "both"
        raise ValueError(
            f"{given} of estimator and probabilities are given, expected one; pass an estimator to "
            "be cross-validated, or estimator=None and out-of-fold probabilities."
        )
    labels = _labels(y, classes, probabilities)
    if probabilities is None:
        _check_estimator(estimator, X)
        probabilities = out_of_fold(estimator, X, y, labels, cv=cv, groups=groups, n_jobs=n_jobs)
    probabilities, labels, targets = check_probabilities(y, probabilities, labels, name="y")
    margins = normalized_margins(probabilities, targets)
    rows = np.arange(len(y))
    if filter_by is not None:
        rows = np.flatnonzero(select_issues(probabilities, targets, filter_by))
    rows = rows[np.argsort(margins[rows], kind="stable")]
    tops = probabilities[rows].argmax(axis=1)
    columns = {"label": labels[targets[rows]], "predicted": labels[tops]}
    if class_names is not None:
        columns = {name: name_labels(column, class_names) for name, column in columns.items()}
    paths = paths_of(X)
    return pd.DataFrame(
        {
            "index": rows,
            **({} if paths is None else {"path": paths[rows]}),
            **columns,
            "confidence": probabilities[rows, tops],
            "label_confidence": probabilities[rows, targets[rows]],
            "rank": np.arange(1, len(rows) + 1),
        }
    )


def paths_of(X: Any) -> np.ndarray | None:
    """Return the path of each image of an ImageFolder or of paths; None for other images.

    Parameters
    ----------
    X : array-like of n_samples, ImageFolder or None
        Images in any form.

    Returns
    -------
    paths : ndarray of shape (n_samples,), dtype=object, or None
        Paths as str.
    """
    paths = image_paths(X)
    if paths is not None or X is None:
        return paths
    if hasattr(X, "columns") and X.shape[1] == 1:
        X = X.iloc[:, 0]
    is_list = isinstance(X, list | tuple)
    if not len(X) or (not is_list and len(getattr(X, "shape", ())) != 1):
        return None
    first = X[0] if is_list else np.asarray(X[:1])[0]
    if not isinstance(first, str | os.PathLike):
        return None
    return np.array([os.fspath(path) for path in X], dtype=object)


def _labels(y: np.ndarray, classes: Any, probabilities: Any) -> np.ndarray:
    """Return the label of each column of the probabilities."""
    if classes is not None:
        if probabilities is None:
            raise ValueError(
                "classes is given without probabilities, whose columns it labels; pass both, or "
                "neither."
            )
        return column_or_1d(classes)
    labels = unique_labels(y)
    if len(labels) < 2:
        raise ValueError(
            f"y has the class {choices(labels.tolist())} only; pass images of at least two classes."
        )
    return labels


def _check_estimator(estimator: Any, X: Any) -> None:
    if not hasattr(estimator, "fit") or isinstance(estimator, type | str):
        raise TypeError(
            f"estimator={estimator!r}, expected a classifier; pass one, such as "
            "make_model('hog-svm')."
        )
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{type(estimator).__name__} has no predict_proba, which estimator requires; pass "
            "another classifier, or wrap it in sklearn.calibration.CalibratedClassifierCV."
        )
    if X is None:
        raise ValueError(
            "X=None, but the estimator has to be fitted; pass the images, or probabilities."
        )
