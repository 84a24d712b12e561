"""Scores of pairs of classes: those of scikit-learn, several times faster."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import make_classification

from fashionkit.svm import _svc
from fashionkit.svm._svc import make_svc, pair_scores


@pytest.fixture
def fitted():
    def fit(n_classes=4, kernel="rbf", gamma="scale", dtype=np.float64):
        X, y = make_classification(
            200, 8, n_informative=6, n_classes=n_classes, random_state=0, class_sep=0.5
        )
        params = {"C": 2, "kernel": kernel, "gamma": gamma, "class_weight": None, "cache_size": 10}
        svc = make_svc({**params, "backend": "sklearn"}).fit(X[:150].astype(dtype), y[:150])
        return svc, X[150:].astype(dtype)

    return fit


@pytest.mark.parametrize(
    "params",
    [
        {"n_classes": 2},
        {"n_classes": 3, "gamma": 0.3},
        {"kernel": "linear"},
        {"kernel": "poly", "gamma": "auto"},
        {"kernel": "sigmoid", "gamma": 0.01},
        {"n_classes": 5, "dtype": np.float32},
    ],
    ids=str,
)
def test_scores_are_those_of_scikit_learn(fitted, monkeypatch, params):
    svc, X = fitted(**params)
    expected = svc.decision_function(X)
    # Of two classes, scikit-learn scores the second.
    expected = -expected[:, np.newaxis] if params.get("n_classes") == 2 else expected
    assert_allclose(pair_scores(svc, X), expected, rtol=1e-9, atol=1e-11)
    monkeypatch.setattr(_svc, "_KERNELS_PER_CHUNK", 7 * len(svc.support_vectors_))
    assert_allclose(pair_scores(svc, X), expected, rtol=1e-9, atol=1e-11)
    assert_allclose(pair_scores(svc, X[:3]), expected[:3], rtol=1e-9, atol=1e-11)
