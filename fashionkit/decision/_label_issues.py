"""Label issues: images whose label is likely to be wrong, by confident learning."""

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
    """Find images whose label is likely to be wrong, the likeliest first.

    Each image is classified by a model that was not trained on it. Confident learning [1]_
    estimates from these probabilities how many labels of each class are wrong, and which.

    Read more in the :ref:`User Guide <label_issues>`.

    Parameters
    ----------
    estimator : classifier or None
        Classifier with ``predict_proba``, or a Pipeline or search that ends in one. It is cloned
        for each fold, and need not be fitted. None where ``probabilities`` are given.

    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
            (n_samples, height, width, channels), or ImageFolder
        Images, or whatever else the classifier takes, such as paths for a Pipeline that begins
        with an image loader. Where ``probabilities`` are given, only its paths are used, and it
        may be None.

    y : array-like of shape (n_samples,)
        Given labels, of at least two classes.

    cv : int, cross-validation splitter or iterable, default=5
        Number of stratified folds, or a splitter, such as
        :class:`~sklearn.model_selection.StratifiedGroupKFold`. Every image must be in at least
        one test fold; of an image in several, the mean probabilities are used.

    groups : array-like of shape (n_samples,), default=None
        Groups for the splitter, such as who took each photo.

    probabilities : array-like of shape (n_samples, n_classes), default=None
        Out-of-fold probabilities, to be used in place of fitting ``estimator``. Those of a model
        that was trained on the same images would repeat the wrong labels.

    classes : array-like of shape (n_classes,), default=None
        Label of each column of ``probabilities``; None for the labels in ``y``, sorted.

    filter_by : str or None, default="both"
        Which images are issues; never one whose given label is the most probable.

        - "prune_by_noise_rate": of each pair of given label and true class, as many as confident
          learning estimates, those with the largest difference of the two probabilities;
        - "prune_by_class": of each given label, as many as it estimates, those with the least
          probability of that label;
        - "both": those that both select, which are wrong most often for as many found, with
          flipped labels of Fashion-MNIST;
        - "confident_learning": those that are counted as another class in the confident joint;
        - "predicted_neq_given": all whose most probable class is another one;
        - None: all images are returned, the given label being right or not.

    class_names : sequence or dict of str, default=None
        Name of each label, such as :data:`~fashionkit.CLASS_NAMES`, or a dict from label to
        name; None to return the labels themselves.

    n_jobs : int, default=None
        Number of folds to work on at the same time; None for one, unless in a
        :func:`joblib.parallel_config` context; -1 for all processors.

    Returns
    -------
    issues : DataFrame of shape (n_issues, 6) or (n_issues, 7)
        A row for each issue, the likeliest first, with the columns

        - ``index``: position of the image in ``X``;
        - ``path``: file of the image, where ``X`` is an :class:`~fashionkit.ImageFolder` or paths;
        - ``label``: given label;
        - ``predicted``: most probable class;
        - ``confidence``: out-of-fold probability of the predicted class;
        - ``label_confidence``: out-of-fold probability of the given label;
        - ``rank``: from 1, by the normalised margin, which is the probability of the given label
          minus the largest probability of another class.

    Raises
    ------
    ValueError
        If the classifier has no ``predict_proba``, ``y`` has one class only, a fold lacks a class,
        an image is in no test fold, a label has no name or no column, or the arguments are
        inconsistent.

    See Also
    --------
    worst_mistakes : Misclassified images of a test set.
    find_duplicates : Images that are the same.
    fashionkit.plotting.LabelIssuesDisplay : The issues as pictures.

    Notes
    -----
    A class threshold is the mean probability of a class among the images that have its label. An
    image belongs confidently to the most probable of the classes whose thresholds it reaches.
    The counts of given labels and confident classes, scaled to the number of images of each
    label, estimate how many labels are wrong: equations 1 to 3 of [1]_. The filters are those of
    its section 3.2, under the names that they have in cleanlab; the issues are the same, except
    where an image reaches several thresholds, but not that of its most probable class, which is
    counted there all the same, and where probabilities or remainders of counts are tied.

    A comparison with folds has out-of-fold probabilities: pass ``comparison.probabilities_[name]``
    with ``comparison.classes_``, ``comparison.y_true_`` as ``y`` and the images of
    ``comparison.indices_``.

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
            f"{given} of estimator and probabilities are given; pass an estimator to be "
            "cross-validated, or estimator=None and out-of-fold probabilities."
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
    """Return the path of each image of an ImageFolder or of paths, and None for other images."""
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
                "classes is given without probabilities, whose columns it names; pass both, or "
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
            f"{type(estimator).__name__} has no predict_proba; pass a classifier that predicts "
            "probabilities, or wrap this one in CalibratedClassifierCV."
        )
    if X is None:
        raise ValueError("X=None, but the estimator has to be fitted; pass the images.")
