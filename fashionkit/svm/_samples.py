"""Samples of a fit: their weights, the classes they must have, and folds for calibration."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from fashionkit._images import users_level
from fashionkit.datasets._names import shortened

Folds = list[tuple[np.ndarray, np.ndarray]]


def leave_out_zero_weights(
    X: np.ndarray, y: np.ndarray, sample_weight: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Validate weights, and leave out the samples whose weight is 0.

    The draw for the calibration, its folds and ``gamma="scale"`` then do not depend on them.
    """
    if sample_weight is None:
        return X, y, None
    sample_weight = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    kept = sample_weight > 0
    if kept.all():
        return X, y, sample_weight
    if not kept.any():  # scikit-learn before 1.8 accepts it
        raise ValueError(
            f"sample_weight has {len(kept)} weights that are all zero; pass a positive weight "
            "for at least one sample of each class, or None."
        )
    return X[kept], y[kept], sample_weight[kept]


def weights_of(sample_weight: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    """Return the weights of some samples; None where there are none."""
    return None if sample_weight is None else sample_weight[rows]


def count_classes(y: np.ndarray, cv: int) -> np.ndarray:
    """Return the classes, of which there must be two; warn of those of few samples."""
    classes, counts = np.unique(y, return_counts=True)
    labels = classes.tolist()
    if len(labels) < 2:
        raise ValueError(f"y has one class, {labels[0]!r}; a classifier needs at least two.")
    few = [
        f"{label!r} ({count})" for label, count in zip(labels, counts, strict=True) if count < cv
    ]
    if few:
        warnings.warn(
            f"y has classes of fewer samples than the calibration with cv={cv} has folds: "
            f"{shortened(few, 5)}. Their probabilities are rough; pass more samples of them, or "
            "leave them out.",
            UserWarning,
            stacklevel=users_level(),
        )
    return classes


def draw_folds(
    y: np.ndarray, *, calibration_size: int, cv: int, random_state: Any
) -> tuple[np.ndarray, Folds]:
    """Draw samples for the calibration, and divide them into folds.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class labels.

    calibration_size : int
        Number of samples to draw, stratified by class.

    cv : int
        Number of folds, and minimum number of samples to draw from each class. There are fewer
        where a class has fewer samples; a class of one sample is in the training part of all
        folds, and in the test part of the first.

    random_state : int, RandomState instance or None
        Draws the samples and the folds.

    Returns
    -------
    rows : ndarray of shape (n_drawn,)
        Indices of the drawn samples, in ascending order.

    folds : list of tuple of ndarray
        Training and test indices of each fold, which count the drawn samples.
    """
    random_state = check_random_state(random_state)
    drawn = [
        random_state.permutation(members)[: max(cv, calibration_size * len(members) // len(y))]
        for members in (np.flatnonzero(y == label) for label in np.unique(y))
    ]
    rows = np.sort(np.concatenate(drawn))
    _, inverse, counts = np.unique(y[rows], return_inverse=True, return_counts=True)
    alone = np.flatnonzero(counts[inverse] == 1)
    others = np.flatnonzero(counts[inverse] > 1)
    if not len(others):
        return rows, [(alone, alone)]
    n_folds = min(cv, counts[counts > 1].min())
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    folds = [
        (np.union1d(others[train], alone), others[test])
        for train, test in splitter.split(others, y[rows][others])
    ]
    first_train, first_test = folds[0]
    return rows, [(first_train, np.concatenate([first_test, alone])), *folds[1:]]


def out_of_fold(score: Callable[[np.ndarray, np.ndarray], np.ndarray], folds: Folds) -> np.ndarray:
    """Return the scores of all samples, each by a model that was not fitted on it.

    ``score`` fits on the rows that its first argument names, and scores those of its second.
    """
    # Not cross_val_predict: it numbers the classes, which class_weight then misses.
    tests = [test for _, test in folds]
    scores = np.concatenate([score(train, test) for train, test in folds])
    return scores[np.argsort(np.concatenate(tests))]
