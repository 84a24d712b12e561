"""Prediction sets: those of MAPIE, and how often they hold the true class."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from rows_classifier import Rows
from sklearn.frozen import FrozenEstimator

from fashionkit import SelectiveClassifier
from fashionkit.decision._conformal import predict_sets

# Sets of 12 images in five classes by MAPIE 1.6.0 for the probabilities of ``mapie_data``:
# SplitConformalClassifier(prefit=True, conformity_score=method, random_state=seed), with its
# default include_last_label=True. A row of digits is a set.
OF_MAPIE = {
    ("lac", 0, 0.8): ("00110 00001 00001 01000 01000 01000 00100 10000 01000 00001 00001 00100"),
    ("lac", 0, 0.95): ("10110 11001 00111 11001 01010 01000 00111 10000 11010 00011 01001 00100"),
    ("aps", 0, 0.8): ("00110 10001 00011 01001 01010 01000 00110 10001 01010 00001 00001 00100"),
    ("aps", 7, 0.9): ("10110 10001 00111 11001 01010 01000 00110 10011 11010 00011 01001 00100"),
    ("raps", 0, 0.8): ("00110 10001 00011 01001 01010 01000 00110 10001 01010 00001 00001 00100"),
    ("raps", 7, 0.9): ("10110 10001 00111 11001 01010 01000 00110 10011 01010 00011 01001 00100"),
    ("raps", 0, 0.95): ("10110 11001 00111 11001 01010 01000 00111 10111 11010 00011 01001 00110"),
}


@pytest.fixture(scope="module")
def mapie_data():
    """Return probabilities and targets to calibrate on, and probabilities to predict."""
    random = np.random.RandomState(0)
    targets = random.randint(5, size=400)
    calibration = random.dirichlet(np.full(5, 0.6), 400)
    calibration += 0.55 * np.eye(5)[targets] * random.rand(400, 1) * 2
    calibration /= calibration.sum(axis=1, keepdims=True)
    return calibration, targets, random.dirichlet(np.full(5, 0.5), 12)


def draw(n_samples, random_state, n_classes=4):
    """Draw probabilities, and targets that have them: the perfect classifier."""
    random = np.random.RandomState(random_state)
    probabilities = random.dirichlet(np.linspace(0.3, 1.2, n_classes), n_samples)
    drawn = random.rand(n_samples, 1) > np.cumsum(probabilities, axis=1)
    return probabilities, np.minimum(drawn.sum(axis=1), n_classes - 1)


@pytest.mark.parametrize("key", OF_MAPIE, ids=str)
def test_sets_are_those_of_mapie(key, mapie_data):
    method, seed, confidence = key
    calibration, targets, probabilities = mapie_data
    sets = predict_sets(
        probabilities, calibration, targets, confidence, method=method, by_class=False, seed=seed
    )
    assert " ".join("".join(map(str, row)) for row in sets.astype(int)) == OF_MAPIE[key]


@pytest.mark.parametrize("method", ["lac", "aps", "raps"])
@pytest.mark.parametrize("by_class", [False, True])
def test_sets_hold_the_true_class_as_often_as_promised(method, by_class):
    shares = []
    for seed in range(20):
        calibration, targets = draw(500, seed)
        new, true = draw(500, 1000 + seed)
        sets = predict_sets(
            new, calibration, targets, 0.9, method=method, by_class=by_class, seed=seed
        )
        shares.append(sets[np.arange(500), true].mean())
    assert np.mean(shares) > 0.89
    if method == "lac":
        assert np.mean(shares) < 0.915


def test_conditional_sets_keep_the_promise_in_each_class():
    marginal, conditional = np.zeros(4), np.zeros(4)
    for seed in range(20):
        calibration, targets = draw(600, seed)
        new, true = draw(600, 1000 + seed)
        for shares, by_class in ((marginal, False), (conditional, True)):
            sets = predict_sets(
                new, calibration, targets, 0.9, method="lac", by_class=by_class, seed=0
            )
            inside = sets[np.arange(600), true]
            shares += [inside[true == one].mean() / 20 for one in range(4)]
    assert np.abs(conditional - 0.9).max() < 0.03
    assert np.abs(marginal - 0.9).max() > 0.05  # what there is to mend


@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("method", ["lac", "aps"])
def test_sets_hold_all_classes_where_there_are_too_few_images(method, by_class):
    calibration, targets = draw(15, 0)
    sets = predict_sets(
        calibration, calibration, targets, 0.95, method=method, by_class=by_class, seed=0
    )
    assert sets.all()


def test_adaptive_sets_are_never_empty_and_hold_no_impossible_class():
    calibration, targets = draw(300, 0)
    rows = np.array([[1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.4, 0.4, 0.2, 0]])
    for method in ("aps", "raps"):
        sets = predict_sets(rows, calibration, targets, 0.6, method=method, by_class=False, seed=0)
        assert sets.any(axis=1).all()
        assert_array_equal(sets[0], [True, False, False, False])
        assert not sets[2, 3]


def test_lac_sets_may_be_empty():
    calibration = np.tile([0.9, 0.1], (100, 1))
    targets = np.zeros(100, dtype=int)
    sets = predict_sets(
        np.array([[0.5, 0.5]]), calibration, targets, 0.9, method="lac", by_class=False, seed=0
    )
    assert not sets.any()


def fitted(**params):
    probabilities, targets = draw(200, 0)
    rows = FrozenEstimator(Rows().fit(probabilities, targets))
    return SelectiveClassifier(rows, **params).fit(probabilities, targets), probabilities


def test_bad_arguments_are_refused_by_name():
    classifier, rows = fitted(random_state=0)
    with pytest.raises(ValueError, match=r"confidence=95, expected a number between 0 and 1"):
        classifier.predict_set(rows, 95)
    with pytest.raises(ValueError, match=r"method='top', expected one of 'lac', 'aps', 'raps'"):
        classifier.predict_set(rows, method="top")
    with pytest.raises(ValueError, match="conditional='classes', expected 'class' or None"):
        classifier.predict_set(rows, conditional="classes")


def test_raps_says_that_it_needs_more_images():
    calibration, targets = draw(8, 0)
    with pytest.raises(ValueError, match=r"method='raps' chooses its penalty.*pass method='aps'"):
        predict_sets(calibration, calibration, targets, 0.9, method="raps", by_class=False, seed=0)


def test_sets_of_one_image_are_always_the_same():
    classifier, rows = fitted(random_state=None)
    for method in ("lac", "aps", "raps"):
        assert_array_equal(
            classifier.predict_set(rows, method=method)[:5],
            classifier.predict_set(rows[:5], method=method),
        )
