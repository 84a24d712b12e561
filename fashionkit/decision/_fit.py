"""Fit and calibration of classifiers on features or images, and their assembly into a model."""

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

# Number of folds to calibrate a cheap classifier, and fraction of photos for an expensive one.
_N_FOLDS = 5
_SHARE = 0.1

# Number of random splits of groups, of which the first is taken that trains on every class.
_N_TRIES = 100


@dataclass(frozen=True)
class Fitter:
    """Method of fitting and calibrating a classifier.

    Parameters
    ----------
    estimator : classifier
        Classifier, which is cloned.

    search : RandomizedSearchCV or None
        Search for its parameters on the same photos; None for no search.

    settings : dict
        Parameters of the SelectiveClassifier.

    is_cheap : bool
        Whether to calibrate on folds, which fits the classifier several times.

    seed : int
        Seed of the folds.
    """

    estimator: Any
    search: Any
    settings: dict[str, Any]
    is_cheap: bool
    seed: int

    def fit(self, X: Any, y: np.ndarray, groups: np.ndarray | None) -> SelectiveClassifier:
        """Fit the classifier, and calibrate it on photos held out from the fit.

        Parameters
        ----------
        X : ndarray of shape (n_photos, n_features) or ImageFolder
            Features or images.

        y : ndarray of shape (n_photos,)
            Class labels.

        groups : ndarray of shape (n_photos,) or None
            Group of each photo, which is never split.

        Returns
        -------
        classifier : SelectiveClassifier
            Fitted and calibrated classifier.
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
        """Return an unfitted classifier with the best parameters of the search, if any."""
        if self.search is None:
            return clone(self.estimator)
        search = clone(self.search)
        search.set_params(cv=make_splits(y, groups, search.cv.n_splits, self.seed))
        return clone(search.fit(X, y).best_estimator_)

    def select(self, estimator: Any, **params: Any) -> SelectiveClassifier:
        """Return an unfitted SelectiveClassifier with the settings."""
        return SelectiveClassifier(estimator, **self.settings, **params)

    def assemble(self, name: str, features: Any, fitted: list[SelectiveClassifier]) -> Any:
        """Combine the fitted classifiers of all targets into one model.

        Parameters
        ----------
        name : str
            Name of the step of the features.

        features : transformer or None
            Fitted transformer on whose output the classifiers were fitted; None for images.

        fitted : list of SelectiveClassifier
            Fitted classifier of each target.

        Returns
        -------
        model : SelectiveClassifier, MultiOutputClassifier or Pipeline
            Fitted model of images.
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
    """Split photos into stratified folds, or into two parts, without splitting groups.

    Parameters
    ----------
    y : ndarray of shape (n_photos,)
        Class labels.

    groups : ndarray of shape (n_photos,) or None
        Group of each photo, which is never split.

    n_folds : int or None
        Number of folds, limited by the size of the rarest class or the number of groups; None for a
        single split.

    seed : int
        Seed of the splits.

    share : float, default=0.2
        Fraction of the photos, or of the groups, that a single split holds out.

    Returns
    -------
    splits : list of (ndarray, ndarray)
        Rows of the training part and of the test part of each split.

    Raises
    ------
    ValueError
        If there are too few photos or groups, or each single split of groups lacks a class.
    """
    rows = np.zeros(len(y))
    rarest = np.unique(y.astype(str), return_counts=True)[1].min()
    if groups is not None and len(np.unique(groups.astype(str))) < 2:
        raise ValueError(
            f"groups has one group, {groups[0]!r}, of all {len(y)} photos, expected at least two, "
            "of which one is held out; pass photos of several groups, or groups=None."
        )
    if n_folds is None and groups is not None:
        return [_split_groups(y.astype(str), groups, share, seed)]
    splitter: Any
    if n_folds is None:
        n_classes = len(np.unique(y.astype(str)))
        n_test = max(round(share * len(y)), n_classes)
        if rarest < 2 or len(y) < n_test + n_classes:
            raise ValueError(
                f"{len(y)} photos of {n_classes} classes, {rarest} of the rarest, are too few to "
                "hold some out; pass at least 3 photos of each class."
            )
        splitter = StratifiedShuffleSplit(1, test_size=n_test, random_state=seed)
    elif groups is None:
        n_folds = max(2, min(n_folds, int(rarest)))
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    else:
        n_folds = max(2, min(n_folds, len(np.unique(groups.astype(str)))))
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        return list(splitter.split(rows, y.astype(str), groups))


def _split_groups(labels: np.ndarray, groups: np.ndarray, share: float, seed: int) -> Split:
    """Hold out a fraction of the groups, such that the others have every class."""
    classes, codes = np.unique(labels, return_inverse=True)
    splitter = GroupShuffleSplit(_N_TRIES, test_size=share, random_state=seed)
    for train, test in splitter.split(codes, groups=groups):
        if len(np.unique(codes[train])) == len(classes):
            return train, test
    raise ValueError(
        f"groups has no group that can be held out while others have all {len(classes)} classes of "
        "its photos; pass photos of each class from several groups, or groups=None."
    )


def _behind(name: str, features: Any, fitted: SelectiveClassifier) -> SelectiveClassifier:
    """Return a fitted classifier of images from one of their features."""
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
