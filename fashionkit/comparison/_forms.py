"""The form in which a model takes images: as they are, or as flat rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from fashionkit._images import read_rows, stacked

# Meta-estimators that pass images on as they are; others of scikit-learn make a table of them.
_PASS_ON = (
    BaseSearchCV,
    CalibratedClassifierCV,
    FixedThresholdClassifier,
    FrozenEstimator,
    TunedThresholdClassifierCV,
)

# Libraries whose classifiers take tables only.
_OF_TABLES = ("sklearn", "xgboost", "lightgbm", "catboost", "imblearn")


def takes_images(estimator: Any) -> bool:
    """Tell whether an estimator takes images of several dimensions.

    Parameters
    ----------
    estimator : estimator
        A classifier, Pipeline, search or other meta-estimator, or a transformer.

    Returns
    -------
    takes_images : bool
        False if it is, or passes ``X`` to, an estimator of scikit-learn for tables.
    """
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
        return not steps or takes_images(steps[0])
    if isinstance(estimator, _PASS_ON):
        return takes_images(estimator.estimator)
    if isinstance(estimator, VotingClassifier | StackingClassifier):
        return all(takes_images(one) for _, one in estimator.estimators if one != "drop")
    if isinstance(estimator, FeatureUnion):
        parts = [one for _, one in estimator.transformer_list]
        return all(takes_images(one) for one in parts if one not in ("drop", "passthrough"))
    if not any(_is_of_tables(kind) for kind in type(estimator).__mro__):
        return True
    tags = get_tags(estimator)
    return tags.input_tags.three_d_array or tags.no_validation


def flat_rows(X: Any) -> Any:
    """Return images as an array of flat rows.

    Parameters
    ----------
    X : array-like or ImageFolder
        Images in any form. Files are read, all of them.

    Returns
    -------
    rows : array-like of shape (n_samples, n_features)
        A view where that is possible; ``X`` itself where it has two dimensions.
    """
    X = stacked(read_rows(X))
    return X.reshape(len(X), -1) if isinstance(X, np.ndarray) and X.ndim > 2 else X


def _is_of_tables(kind: type) -> bool:
    """Tell whether a class is an estimator for tables, and not a base that says nothing of it."""
    library, _, module = kind.__module__.partition(".")
    is_base = library == "sklearn" and module.partition(".")[0] in ("base", "utils")
    return library in _OF_TABLES and not is_base
