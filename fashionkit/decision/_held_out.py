"""Predictions of images held out from the fit, to calibrate on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _check_method_params

from fashionkit._images import users_level
from fashionkit.datasets._names import choices
from fashionkit.decision._calibrators import scores_to_logits, to_logits

# Number of folds to score images by detectors if the classifier is already fitted.
_DETECTOR_FOLDS = 5

Folds = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class HeldOut:
    """Predictions of images held out from the fit, with the final fitted estimators.

    Parameters
    ----------
    estimator : estimator
        Fitted classifier.

    detector : estimator or None
        Fitted outlier detector.

    classes : ndarray of shape (n_classes,)
        Class labels.

    logits : ndarray of shape (n_samples, n_classes)
        Logarithms of the predicted probabilities.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of the true class of each image.

    rows : ndarray of shape (n_samples,), dtype=int
        Row of each image in ``X``.

    scores : ndarray of shape (n_samples,) or None
        Score of each image by a detector that was not fitted on it; None without a detector.
    """

    estimator: Any
    detector: Any
    classes: np.ndarray
    logits: np.ndarray
    targets: np.ndarray
    rows: np.ndarray
    scores: np.ndarray | None


def predict_held_out(
    estimator: Any,
    detector: Any,
    X: Any,
    y: np.ndarray,
    cv: Any,
    *,
    fit_params: dict[str, Any],
    random_state: Any,
) -> HeldOut:
    """Fit a classifier and a detector, and predict images held out from their fit.

    Parameters
    ----------
    estimator : classifier
        Classifier, which is cloned. A FrozenEstimator is not fitted and predicts all images.

    detector : callable or None
        Function from a fitted classifier to an unfitted detector; None for no detector.

    X : array-like of n_samples
        Images in any form.

    y : ndarray of shape (n_samples,)
        Class labels.

    cv : float, int, splitter or iterable
        Fraction of each class to hold out once; or folds, after which both are fitted on all
        images.

    fit_params : dict
        Parameters of the classifier's ``fit``.

    random_state : int, RandomState instance or None
        Seed of the images to hold out.

    Returns
    -------
    held_out : HeldOut
        Predictions, and the fitted classifier and detector.

    Raises
    ------
    TypeError
        If the classifier has neither ``predict_proba`` nor ``decision_function``.

    ValueError
        If there are fewer than two classes, too few images to hold any out, or labels that a
        FrozenEstimator does not know.

    Warns
    -----
    UserWarning
        If a class has a single image, which cannot be held out.
    """
    classes = np.unique(y)
    if len(classes) < 2 and not isinstance(estimator, FrozenEstimator):
        label = classes.tolist()[0] if len(classes) else None
        raise ValueError(
            f"y contains {len(classes)} class ({label!r}); a classifier needs samples of at least "
            "2 classes."
        )
    if isinstance(estimator, FrozenEstimator):
        classes = np.asarray(estimator.classes_)
        targets = encode(y, classes)
        logits = predict_logits(estimator, X, classes)
        fitted, scores = None, None
        if detector is not None:
            fitted, scores = _score_by_others(detector(estimator), X, y, random_state)
        return HeldOut(estimator, fitted, classes, logits, targets, np.arange(len(y)), scores)

    def fit(rows: np.ndarray | None) -> tuple[Any, Any]:
        part, labels = (X, y) if rows is None else (_safe_indexing(X, rows), y[rows])
        params = _check_method_params(X, fit_params, indices=rows)
        one = clone(estimator).fit(part, labels, **params)
        return one, None if detector is None else detector(one).fit(part, labels)

    folds = _folds(X, y, cv, random_state)
    parts, fitted, outlier = [], None, None
    for train, test in folds:
        fitted, outlier = fit(train)
        parts.append(_predict(fitted, outlier, _safe_indexing(X, test), classes))
    if not _is_share(cv):
        fitted, outlier = fit(None)
    rows = np.concatenate([test for _, test in folds])
    return HeldOut(
        fitted,
        outlier,
        classes,
        np.concatenate([logits for logits, _ in parts]),
        encode(y[rows], classes),
        rows,
        None if detector is None else np.concatenate([scores for _, scores in parts]),
    )


def encode(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the column of each label.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class labels.

    classes : ndarray of shape (n_classes,)
        Class label of each column.

    Returns
    -------
    targets : ndarray of shape (n_samples,), dtype=int
        Columns.

    Raises
    ------
    ValueError
        If a label is not among the classes.
    """
    targets = pd.Index(classes).get_indexer(y)
    if np.any(targets < 0):
        unknown = sorted(set(np.asarray(y)[targets < 0].tolist()), key=str)
        raise ValueError(
            f"y has the labels {choices(unknown, most=5)}, which estimator was not fitted on, "
            f"expected its classes {choices(classes.tolist(), most=12)}; leave these images out, "
            "or fit a classifier on all classes."
        )
    return targets


def predict_logits(estimator: Any, X: Any, classes: np.ndarray) -> np.ndarray:
    """Predict the logarithms of probabilities, or decision scores as such.

    Parameters
    ----------
    estimator : classifier
        Fitted classifier.

    X : array-like of n_samples
        Images in any form.

    classes : ndarray of shape (n_classes,)
        Class label of each column. Classes that the classifier was not fitted on receive the lower
        bound of probabilities, 1e-7.

    Returns
    -------
    logits : ndarray of shape (n_samples, n_classes), dtype=float64
        Natural logarithms of probabilities.

    Raises
    ------
    TypeError
        If the classifier has neither ``predict_proba`` nor ``decision_function``.

    ValueError
        If it does not predict one score for each class.
    """
    known = np.asarray(estimator.classes_)
    if _is_discriminant(estimator):
        found = scores_to_logits(estimator.decision_function(X))
    elif hasattr(estimator, "predict_proba"):
        found = to_logits(np.asarray(estimator.predict_proba(X), dtype=np.float64))
    elif hasattr(estimator, "decision_function"):
        found = scores_to_logits(estimator.decision_function(X))
    else:
        raise TypeError(
            f"estimator is a {type(estimator).__name__}, which has neither predict_proba nor "
            "decision_function; wrap it in sklearn.calibration.CalibratedClassifierCV, or pass "
            "another classifier."
        )
    if found.shape[1] != len(known):
        raise ValueError(
            f"estimator predicts {found.shape[1]} scores of {len(known)} classes, expected one for "
            "each class; pass another classifier, such as SVC(decision_function_shape='ovr')."
        )
    if np.array_equal(known, classes):
        return found
    logits = np.full((len(found), len(classes)), to_logits(np.zeros(1))[0])
    logits[:, encode(known, classes)] = found
    return logits


def _is_discriminant(estimator: Any) -> bool:
    """Return whether an estimator is, or ends in, a linear discriminant analysis.

    On many features, its probabilities are rounded to 0 and 1. Only the decision scores, which are
    their unrounded logarithms up to a constant for each row, then distinguish images, and the lower
    bound of probabilities would distort the temperature.
    """
    inner = getattr(estimator, "estimator", estimator)  # of a FrozenEstimator
    last = inner.steps[-1][1] if isinstance(inner, Pipeline) else inner
    return isinstance(last, LinearDiscriminantAnalysis)


def _predict(
    estimator: Any, detector: Any, X: Any, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    logits = predict_logits(estimator, X, classes)
    return logits, None if detector is None else np.asarray(detector.score_samples(X))


def _score_by_others(
    detector: Any, X: Any, y: np.ndarray, random_state: Any
) -> tuple[Any, np.ndarray]:
    """Return a detector fitted on all images, and out-of-fold scores of the images."""
    n_folds = min(_DETECTOR_FOLDS, len(y))
    if n_folds < 2:
        raise ValueError(
            f"X has {len(y)} image, expected at least 2 to calibrate the outlier detector on; pass "
            "more images, or outlier_detector=None."
        )
    scores = np.empty(len(y))
    for train, test in KFold(n_folds, shuffle=True, random_state=random_state).split(y):
        fitted = clone(detector).fit(_safe_indexing(X, train), y[train])
        scores[test] = fitted.score_samples(_safe_indexing(X, test))
    return detector.fit(X, y), scores


def _folds(X: Any, y: np.ndarray, cv: Any, random_state: Any) -> Folds:
    if _is_share(cv):
        return [_split(y, cv, random_state)]
    splitter = check_cv(cv, y, classifier=True)
    return [(np.asarray(train), np.asarray(test)) for train, test in splitter.split(X, y)]


def _is_share(cv: Any) -> bool:
    return isinstance(cv, Real) and not float(cv).is_integer()


def _split(y: np.ndarray, share: float, random_state: Any) -> tuple[np.ndarray, np.ndarray]:
    """Hold out a fraction of each class: at least one image, unless it is the only one."""
    random_state = check_random_state(random_state)
    # StratifiedShuffleSplit rejects classes of one image, and fewer images than classes.
    held = [
        random_state.permutation(members)[: _number_held(len(members), share)]
        for members in _members(y)
    ]
    test = np.sort(np.concatenate(held))
    if not len(test):
        raise ValueError(
            f"cv={share!r} holds out no image, because no class of y has two; pass more images, or "
            "a FrozenEstimator of a fitted classifier."
        )
    alone = [str(y[members[0]]) for members in _members(y) if len(members) == 1]
    if alone:
        warnings.warn(
            f"y has classes of one image: {', '.join(alone[:5])}. They are missing in the "
            "calibration; pass more images of them.",
            UserWarning,
            stacklevel=users_level(),
        )
    return np.setdiff1d(np.arange(len(y)), test), test


def _members(y: np.ndarray) -> Iterator[np.ndarray]:
    _, codes = np.unique(y, return_inverse=True)
    for code in range(codes.max() + 1):
        yield np.flatnonzero(codes == code)


def _number_held(n_members: int, share: float) -> int:
    return min(max(round(share * n_members), 1), n_members - 1)
