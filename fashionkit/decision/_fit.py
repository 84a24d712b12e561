"""Fit and calibrate one classifier, on features or on images, and put it behind its features."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GroupShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline

from fashionkit.decision._selective import SelectiveClassifier

Split = tuple[np.ndarray, np.ndarray]

# Folds that a cheap classifier is calibrated on, and the share of photos for an expensive one.
_N_FOLDS = 5
_SHARE = 0.1


@dataclass(frozen=True)
class Fitter:
    """How a classifier is fitted and calibrated.

    Parameters
    ----------
    estimator : classifier
        It is cloned.

    search : RandomizedSearchCV or None
        What finds its parameters, on the same photos.

    settings : dict
        Parameters of the SelectiveClassifier.

    is_cheap : bool
        Whether to fit it several times for its calibration.

    seed : int
        Draws the folds.
    """

    estimator: Any
    search: Any
    settings: dict[str, Any]
    is_cheap: bool
    seed: int

    def fit(self, X: Any, y: np.ndarray, groups: np.ndarray | None) -> SelectiveClassifier:
        """Fit, and calibrate on photos that the classifier was not fitted on.

        Parameters
        ----------
        X : array or ImageFolder of n_photos
            Features or images.

        y : ndarray of shape (n_photos,)
            Labels.

        groups : ndarray of shape (n_photos,) or None
            Photos of a group are in the same part.
        """
        estimator = self.choose(X, y, groups)
        if self.is_cheap:
            splits = make_splits(y, groups, _N_FOLDS, self.seed)
            fitted = self.select(estimator, cv=splits).fit(X, y)
            return fitted.set_params(cv=len(splits))
        ((train, held_out),) = make_splits(y, groups, None, self.seed, _SHARE)
        frozen = FrozenEstimator(clone(estimator).fit(X[train], y[train]))
        return self.select(frozen).fit(X[held_out], y[held_out])

    def choose(self, X: Any, y: np.ndarray, groups: np.ndarray | None) -> Any:
        """Return the classifier, not fitted, with the parameters that are best on some photos."""
        if self.search is None:
            return clone(self.estimator)
        search = clone(self.search)
        search.set_params(cv=make_splits(y, groups, search.cv.n_splits, self.seed))
        return clone(search.fit(X, y).best_estimator_)

    def select(self, estimator: Any, **params: Any) -> SelectiveClassifier:
        """Return a SelectiveClassifier of the settings."""
        return SelectiveClassifier(estimator, **self.settings, **params)

    def assemble(self, name: str, features: Any, fitted: list[SelectiveClassifier]) -> Any:
        """Return one model of fitted classifiers, one for each target.

        Parameters
        ----------
        name : str
            Of the step of the features.

        features : transformer or None
            What they were fitted on the output of.

        fitted : list of SelectiveClassifier
            The classifiers.
        """
        if len(fitted) == 1:
            return fitted[0] if features is None else _behind(name, features, fitted[0])
        several = MultiOutputClassifier(clone(fitted[0]))
        several.estimators_ = fitted
        several.classes_ = [one.classes_ for one in fitted]
        if hasattr(fitted[0], "n_features_in_"):
            several.n_features_in_ = fitted[0].n_features_in_
        return several if features is None else Pipeline([(name, features), ("targets", several)])


def make_splits(
    y: np.ndarray,
    groups: np.ndarray | None,
    n_folds: int | None,
    seed: int,
    share: float = 0.2,
) -> list[Split]:
    """Return folds that have the classes in about equal shares, and groups as a whole.

    Parameters
    ----------
    y : ndarray of shape (n_photos,)
        Labels.

    groups : ndarray of shape (n_photos,) or None
        Photos of a group are in the same part.

    n_folds : int or None
        Number of folds, at most as many as the rarest class has photos; None for one split.

    seed : int
        Draws them.

    share : float, default=0.2
        Share of the second part of the one split.

    Returns
    -------
    splits : list of tuple of ndarray
        Rows to train on, and the others.

    Raises
    ------
    ValueError
        If there are too few photos or groups.
    """
    rows = np.zeros(len(y))
    rarest = np.unique(y.astype(str), return_counts=True)[1].min()
    if groups is not None and len(np.unique(groups.astype(str))) < 2:
        raise ValueError(
            f"groups has one group, {groups[0]!r}, of all {len(y)} photos, so that none can be "
            "held out; pass photos of several groups, or groups=None."
        )
    splitter: Any
    if n_folds is None and groups is None:
        n_classes = len(np.unique(y.astype(str)))
        n_test = max(round(share * len(y)), n_classes)
        if rarest < 2 or len(y) < n_test + n_classes:
            raise ValueError(
                f"{len(y)} photos of {n_classes} classes, {rarest} of the rarest, are too few to "
                "hold some out; pass at least 3 photos of each class."
            )
        splitter = StratifiedShuffleSplit(1, test_size=n_test, random_state=seed)
    elif n_folds is None:
        splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
    elif groups is None:
        n_folds = max(2, min(n_folds, int(rarest)))
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    else:
        n_folds = max(2, min(n_folds, len(np.unique(groups.astype(str)))))
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        return list(splitter.split(rows, y.astype(str), groups))


def _behind(name: str, features: Any, fitted: SelectiveClassifier) -> SelectiveClassifier:
    """Return a classifier of images, as if it had been fitted on these and not their features."""
    pipeline = Pipeline([(name, clone(features)), *_steps(fitted.estimator)])
    whole = clone(fitted).set_params(estimator=pipeline)
    params = whole.get_params(deep=False)
    vars(whole).update({key: value for key, value in vars(fitted).items() if key not in params})
    whole.estimator_ = Pipeline([(name, features), *_steps(fitted.estimator_)])
    if fitted.outlier_detector_ is not None:
        steps = [(name, features), ("detector", fitted.outlier_detector_)]
        whole.outlier_detector_ = Pipeline(steps)
    if hasattr(features, "n_features_in_"):
        whole.n_features_in_ = features.n_features_in_
    return whole


def _steps(estimator: Any) -> list[tuple[str, Any]]:
    return estimator.steps if isinstance(estimator, Pipeline) else [("classifier", estimator)]
