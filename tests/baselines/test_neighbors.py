"""Nearest neighbours of fewer samples than neighbours are asked for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from fashionkit import make_baseline
from fashionkit.baselines import BoundedKNeighborsClassifier


@parametrize_with_checks([BoundedKNeighborsClassifier(30)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("features", ["color", "hog"])
def test_twenty_images_are_enough(garments, features):
    X, y = garments
    pipeline = make_baseline(features, "knn", knn__n_neighbors=30).fit(X[:20], y[:20])
    assert pipeline.predict_proba(X[20:30]).shape == (10, len(set(y[:20])))
    assert pipeline.predict(X[20:30]).shape == (10,)


@pytest.mark.parametrize("params", [{}, {"weights": "distance"}, {"algorithm": "brute"}], ids=str)
def test_all_samples_are_taken_where_there_are_too_few(params):
    random = np.random.default_rng(0)
    X, y = random.random((20, 3)), random.integers(3, size=20)
    bounded = BoundedKNeighborsClassifier(30, **params).fit(X, y)
    plain = KNeighborsClassifier(20, **params).fit(X, y)
    assert_array_equal(bounded.predict_proba(X), plain.predict_proba(X))
    assert_array_equal(bounded.predict(X), plain.predict(X))
    assert bounded.n_neighbors == 30
    with pytest.raises(NotFittedError):
        BoundedKNeighborsClassifier().predict(X)
