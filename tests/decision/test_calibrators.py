"""Calibration: temperatures and isotonic functions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

from fashionkit.decision._calibrators import (
    calibrate,
    fit_isotonic,
    fit_temperature,
    scores_to_logits,
    to_logits,
)
from fashionkit.inspection import expected_calibration_error


def draw(n_samples, n_classes=4, temperature=1.0, random_state=0):
    """Draw logits that must be divided by a temperature, and targets."""
    random = np.random.RandomState(random_state)
    true = random.normal(0, 2, (n_samples, n_classes))
    drawn = random.rand(n_samples, 1) > np.cumsum(softmax(true, axis=1), axis=1)
    return true * temperature, np.minimum(drawn.sum(axis=1), n_classes - 1)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_that_logits_were_multiplied_with_is_found(temperature):
    logits, targets = draw(5000, temperature=temperature)
    assert_allclose(fit_temperature(logits, targets), temperature, rtol=0.08)


def test_no_other_temperature_has_a_lower_log_loss():
    logits, targets = draw(2000, temperature=2.5)
    found = fit_temperature(logits, targets)
    best = log_loss(targets, calibrate(logits, found, None))
    for other in (0.97 * found, 1.03 * found):
        assert log_loss(targets, calibrate(logits, other, None)) > best


def test_logits_up_to_a_constant_have_the_same_temperature():
    logits, targets = draw(300, temperature=2.0)
    shifted = logits + np.arange(300)[:, None]
    assert_allclose(fit_temperature(shifted, targets), fit_temperature(logits, targets))


def test_weights_count_as_repetitions():
    logits, targets = draw(200, temperature=2.0)
    weights = np.random.RandomState(0).randint(0, 4, 200)
    repeated = np.repeat(np.arange(200), weights)
    assert_allclose(
        fit_temperature(logits, targets, weights.astype(float)),
        fit_temperature(logits[repeated], targets[repeated]),
        rtol=1e-6,
    )


def test_a_class_of_probability_zero_does_not_decide_alone():
    logits, targets = draw(1000)
    probabilities = softmax(logits, axis=1)
    probabilities[0] = np.eye(4)[(targets[0] + 1) % 4]
    found = fit_temperature(to_logits(probabilities), targets)
    assert 0.8 < found < 1.4


def test_a_few_images_that_are_all_right_do_not_make_probabilities_of_one():
    probabilities = np.tile([0.7, 0.2, 0.1], (10, 1))
    temperature = fit_temperature(to_logits(probabilities), np.zeros(10, dtype=int))
    assert 0.7 < calibrate(to_logits(probabilities), temperature, None).max() < 0.99


def test_probabilities_that_say_nothing_are_left_alone():
    assert fit_temperature(np.zeros((5, 3)), np.arange(5) % 3) == 1.0


@pytest.mark.parametrize("n_classes", [2, 4])
def test_isotonic_probabilities_are_calibrated_and_keep_the_order_of_images(n_classes):
    logits, targets = draw(4000, n_classes, temperature=3.0)
    raw = softmax(logits, axis=1)
    isotonic = fit_isotonic(raw, targets)
    assert len(isotonic) == (1 if n_classes == 2 else n_classes)
    new, true = draw(4000, n_classes, temperature=3.0, random_state=1)
    probabilities = calibrate(new, 1.0, isotonic)
    assert_allclose(probabilities.sum(axis=1), 1)
    classes = np.arange(n_classes)
    before = expected_calibration_error(true, softmax(new, axis=1), classes)
    assert expected_calibration_error(true, probabilities, classes) < before / 3
    if n_classes == 2:
        order = np.argsort(softmax(new, axis=1)[:, 1])
        assert (np.diff(probabilities[order, 1]) >= -1e-12).all()


def test_images_that_no_isotonic_function_thinks_possible_keep_their_probabilities():
    raw = np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]])
    isotonic = fit_isotonic(raw, np.array([1, 0, 1, 2]))
    for one in isotonic:
        one.y_max, one.f_ = 0, lambda x: np.zeros_like(x)
    assert_allclose(calibrate(np.log(raw), 1.0, isotonic), raw)


def test_decision_scores_of_two_classes_are_log_odds():
    logits = scores_to_logits(np.array([-1.0, 0.0, 3.0]))
    assert_allclose(np.exp(logits)[:, 1], 1 / (1 + np.exp([1.0, 0.0, -3.0])))
    several = np.array([[1.0, 2.0, 3.0]])
    assert_array_equal(scores_to_logits(several), log_softmax(several, axis=1))
