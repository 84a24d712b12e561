"""Tests of scikit-learn's ensembles with members of ours."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from fashionkit import HOGFeatures, make_model


@pytest.fixture(scope="module")
def data(garments):
    X, y = garments
    return X[:200], np.array([f"class {label}" for label in y[:200]]), X[200:]


def members():
    network = {"architecture_params": {"filters": (4,)}, "epochs": 1, "architecture": "basic"}
    return [
        ("network", make_model("cnn", random_state=0, **network)),
        ("tree", make_model("pixels-tree", random_state=0)),
    ]


@pytest.mark.parametrize("form", ["flat", "square", "list"])
def test_votes_are_weighted_means_in_any_form_of_the_images(data, form):
    X, y, X_test = data
    given = {"flat": X_test.reshape(len(X_test), -1), "square": X_test, "list": list(X_test)}[form]
    model = VotingClassifier(members(), voting="soft", weights=[0.25, 0.75]).fit(X, y)
    first, second = (one.fit(X, y).predict_proba(X_test) for _, one in members())
    assert_allclose(model.predict_proba(given), 0.25 * first + 0.75 * second, rtol=1e-6)
    assert set(model.predict(given)) <= set(y)


def test_stacking_learns_the_weights(data):
    X, y, X_test = data
    final = LogisticRegression(max_iter=1000)
    model = StackingClassifier(members(), final, cv=2, stack_method="predict_proba").fit(X, y)
    assert model.predict_proba(X_test).shape == (len(X_test), 10)
    assert_array_equal(model.classes_, np.unique(y))


def test_members_behind_shared_features_compute_them_once(data, monkeypatch):
    X, y, X_test = data
    counts = Counter()
    transform = HOGFeatures.transform

    def counting(self, images):
        counts["images"] += len(images)
        return transform(self, images)

    monkeypatch.setattr(HOGFeatures, "transform", counting)
    both = [("linear", LogisticRegression(max_iter=200)), ("knn", KNeighborsClassifier())]
    model = make_pipeline(HOGFeatures(), VotingClassifier(both, voting="soft")).fit(X, y)
    counts.clear()
    model.predict_proba(X_test)
    assert counts["images"] == len(X_test)
