"""Which predictions to calibrate on: those for images that the classifier was not fitted on."""

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

# Detectors of a classifier that is fitted already: each scores images that it does not know.
_DETECTOR_FOLDS = 5

Folds = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class HeldOut:
    """Predictions for images that were not fitted on, and the estimator to use from then on.

    Parameters
    ----------
    estimator : estimator
        The fitted classifier.

    detector : estimator or None
        The fitted detector of outliers.

    classes : ndarray of shape (n_classes,)
        Labels of the classes.

    logits : ndarray of shape (n_samples, n_classes)
        Logarithms of the predicted probabilities.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of the true class of each image.

    rows : ndarray of shape (n_samples,), dtype=int
        Where the images stand in those given.

    scores : ndarray of shape (n_samples,) or None
        What the detector says of the images.
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
    """Fit a classifier and a detector, and predict images that they were not fitted on.

    Parameters
    ----------
    estimator : classifier
        The classifier, which is cloned; a FrozenEstimator predicts all images.

    detector : callable or None
        Returns a detector that is not fitted, given a fitted classifier.

    X : array-like
        Images in any form.

    y : ndarray of shape (n_samples,)
        Labels.

    cv : float, int, splitter or iterable
        Share of the images to hold out once; or folds, after which both are fitted on all images.

    fit_params : dict
        Parameters for the classifier's ``fit``.

    random_state : int, RandomState instance or None
        Draws the images to hold out.

    Returns
    -------
    held_out : HeldOut
        The predictions, and what was fitted.
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
    """Return the column of each label; a ValueError names those that are not known."""
    targets = pd.Index(classes).get_indexer(y)
    if np.any(targets < 0):
        unknown = sorted(set(np.asarray(y)[targets < 0].tolist()), key=str)
        raise ValueError(
            f"y has the labels {choices(unknown, most=5)}, which estimator was not fitted on; its "
            f"classes are {choices(classes.tolist(), most=12)}. Leave these images out."
        )
    return targets


def predict_logits(estimator: Any, X: Any, classes: np.ndarray) -> np.ndarray:
    """Return logarithms of a classifier's probabilities, or its decision scores.

    Parameters
    ----------
    estimator : classifier
        A fitted classifier.

    X : array-like
        Images in any form.

    classes : ndarray of shape (n_classes,)
        Labels of the columns. Those that the classifier does not know have the probability 0.

    Returns
    -------
    logits : ndarray of shape (n_samples, n_classes), dtype=float64
        Natural logarithms of probabilities.
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
            "decision_function; wrap it in sklearn.calibration.CalibratedClassifierCV, or use "
            "another classifier."
        )
    if found.shape[1] != len(known):
        raise ValueError(
            f"estimator gives {found.shape[1]} scores of {len(known)} classes; pass one that gives "
            "one of each class, such as SVC(decision_function_shape='ovr')."
        )
    if np.array_equal(known, classes):
        return found
    logits = np.full((len(found), len(classes)), to_logits(np.zeros(1))[0])
    logits[:, encode(known, classes)] = found
    return logits


def _is_discriminant(estimator: Any) -> bool:
    """Tell whether decision scores are the logarithms, which its probabilities are too sure for.

    Of many columns, those of a linear discriminant analysis are 1 and 0 to many digits. Only the
    scores then tell one image from another, and the bound of logarithms would undo a temperature.
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
    """Return a detector fitted on all images, and scores of detectors fitted on others."""
    n_folds = min(_DETECTOR_FOLDS, len(y))
    if n_folds < 2:
        raise ValueError("X has one image; an outlier detector needs several to calibrate on.")
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
    """Hold a share of each class out, but at least one image of two, and never the last."""
    random_state = check_random_state(random_state)
    # Not StratifiedShuffleSplit: it refuses classes of one image, and few images.
    held = [
        random_state.permutation(members)[: _number_held(len(members), share)]
        for members in _members(y)
    ]
    test = np.sort(np.concatenate(held))
    if not len(test):
        raise ValueError(
            f"cv={share!r} holds no image out, as no class of y has two; pass more images, or a "
            "FrozenEstimator of a fitted classifier."
        )
    alone = [str(y[members[0]]) for members in _members(y) if len(members) == 1]
    if alone:
        warnings.warn(
            f"y has classes of one image: {', '.join(alone[:5])}. None of it is left to calibrate "
            "on; pass more images of them.",
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
