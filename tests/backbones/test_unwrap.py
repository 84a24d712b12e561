"""unwrapped: the fitted model inside of what is around it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from fashionkit import BackboneFeatures, CNNClassifier, SelectiveClassifier, make_garments
from fashionkit._backbones.unwrap import unwrapped

X = np.arange(24.0).reshape(12, 2)
Y = np.arange(12) % 2


@pytest.fixture(scope="module")
def network():
    return CNNClassifier(epochs=1, random_state=0).fit(*make_garments(60, random_state=0))


@pytest.mark.parametrize(
    "around",
    [
        FrozenEstimator,
        lambda tree: SelectiveClassifier(tree, cv=2).fit(X, Y),
        lambda tree: GridSearchCV(tree, {"max_depth": [1]}, cv=2).fit(X, Y),
        lambda tree: FixedThresholdClassifier(tree).fit(X, Y),
        lambda tree: FrozenEstimator(SelectiveClassifier(FrozenEstimator(tree)).fit(X, Y)),
    ],
)
def test_what_is_around_a_fitted_model_is_taken_off(around):
    model = around(DecisionTreeClassifier(random_state=0).fit(X, Y))
    inner = unwrapped(model)
    assert type(inner) is DecisionTreeClassifier
    assert inner.predict(X).tolist() == model.predict(X).tolist()


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(3),
        BaggingClassifier(DecisionTreeClassifier(), 3),
        RFE(DecisionTreeClassifier(), n_features_to_select=1),
        DecisionTreeClassifier(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_makes_something_else_of_a_model_is_left(model):
    assert unwrapped(model.fit(X, Y)) is model


def test_a_clone_gives_what_was_frozen(network):
    calibrated = SelectiveClassifier(FrozenEstimator(network))
    assert unwrapped(clone(calibrated)) is network


def test_features_are_those_of_the_network_inside(network):
    photos = make_garments(30, random_state=1)[0]
    calibrated = SelectiveClassifier(FrozenEstimator(network))
    calibrated.fit(*make_garments(40, random_state=2))
    expected = BackboneFeatures(weights=FrozenEstimator(network)).fit_transform(photos)
    for weights in (calibrated, FrozenEstimator(calibrated), clone(calibrated)):
        found = BackboneFeatures(weights=weights).fit_transform(photos)
        np.testing.assert_array_equal(found, expected)
