"""Thresholds: what they promise is kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom, binomtest

from fashionkit.decision._thresholds import (
    describe_threshold,
    least_number,
    outlier_threshold,
    risk_bound,
    threshold_of_coverage,
    threshold_of_risk,
)


def everything(n_samples):
    return {"is_eligible": np.ones(n_samples, dtype=bool), "weights": np.ones(n_samples)}


def draw(n_samples, random):
    """Draw confidences, and whether they are right as often as they say."""
    confidence = random.beta(6, 1, n_samples)
    return confidence, random.rand(n_samples) < confidence


def true_risk(threshold):
    """Return the error rate of what a threshold accepts of ``draw``."""
    grid = np.linspace(0, 1, 20_001)[1:-1]
    density = 6 * grid**5 * (grid >= threshold)
    return float(((1 - grid) * density).sum() / density.sum())


@pytest.mark.parametrize(("n_errors", "n_images"), [(0, 10), (3, 200), (17, 900)])
def test_the_bound_is_that_of_clopper_and_pearson(n_errors, n_images):
    exact = binomtest(n_errors, n_images, alternative="less").proportion_ci(0.95, "exact")
    assert_allclose(risk_bound(n_errors, n_images, 0.95), exact.high)
    assert risk_bound(5, 5, 0.95) == 1


def test_149_images_without_an_error_show_two_percent():
    assert least_number(0, 0.02, 0.05) == 149
    for n_errors in (1, 5):
        number = least_number(n_errors, 0.1, 0.05)
        assert binom.cdf(n_errors, number, 0.1) <= 0.05 < binom.cdf(n_errors, number - 1, 0.1)


def test_the_risk_is_exceeded_no_more_often_than_promised():
    random = np.random.RandomState(0)
    exceeded = coverage = 0
    for _ in range(300):
        confidence, correct = draw(1500, random)
        threshold = threshold_of_risk(
            confidence, correct, 0.1, confidence_level=0.9, **everything(1500)
        )
        exceeded += math.isfinite(threshold) and true_risk(threshold) > 0.1
        coverage += np.mean(confidence >= threshold) / 300
    # Of 300 with a probability of 0.1: more than 47 would be chance once in a thousand times.
    assert 0 < exceeded <= 46
    # What a threshold that is known exactly would accept is 0.77.
    assert coverage > 0.6


def test_the_bound_of_the_threshold_that_is_chosen_is_at_most_the_level():
    confidence, correct = draw(3000, np.random.RandomState(0))
    threshold = threshold_of_risk(
        confidence, correct, 0.1, confidence_level=0.95, **everything(3000)
    )
    found = describe_threshold(
        threshold, confidence, correct, confidence_level=0.95, **everything(3000)
    )
    assert 0.08 < found.risk < found.risk_bound <= 0.1
    assert found.coverage == np.mean(confidence >= threshold)


def test_a_wrong_label_among_the_surest_images_does_not_reject_all():
    confidence = np.linspace(1, 0.5, 5000)
    correct = np.ones(5000, dtype=bool)
    correct[:2] = False
    threshold = threshold_of_risk(
        confidence, correct, 0.02, confidence_level=0.95, **everything(5000)
    )
    assert threshold == 0.5


def test_nothing_is_accepted_where_nothing_can_be_shown():
    confidence = np.linspace(1, 0.5, 100)
    correct = np.ones(100, dtype=bool)
    options = {"confidence_level": 0.95, **everything(100)}
    assert threshold_of_risk(confidence, correct, 0.02, **options) == math.inf
    found = describe_threshold(math.inf, confidence, correct, **options)
    assert found.coverage == 0
    assert math.isnan(found.risk)
    assert found.risk_bound == 1


def test_images_of_one_confidence_are_accepted_together():
    confidence = np.repeat([0.9, 0.8, 0.6], 400)
    correct = np.ones(1200, dtype=bool)
    correct[400:800:3] = False  # the middle group is wrong too often, its beginning is not
    threshold = threshold_of_risk(
        confidence, correct, 0.05, confidence_level=0.9, **everything(1200)
    )
    assert threshold == 0.9


def test_coverage_accepts_at_least_its_share_and_no_image_more():
    confidence = np.random.RandomState(0).permutation(np.linspace(0.1, 1, 1000))
    for coverage in (0.001, 0.5, 0.9, 1.0):
        threshold = threshold_of_coverage(confidence, coverage, **everything(1000))
        assert np.sum(confidence >= threshold) == round(1000 * coverage)


def test_images_that_may_not_be_accepted_count_as_rejected():
    confidence = np.linspace(1, 0.001, 1000)
    is_eligible = np.arange(1000) >= 100
    weights = np.ones(1000)
    threshold = threshold_of_coverage(confidence, 0.5, is_eligible=is_eligible, weights=weights)
    assert np.sum(is_eligible & (confidence >= threshold)) == 500
    assert threshold_of_coverage(
        confidence, 0.95, is_eligible=is_eligible, weights=weights
    ) == pytest.approx(0.001)


def test_unequal_weights_make_the_bound_wider():
    confidence, correct = draw(2000, np.random.RandomState(0))
    weights = np.random.RandomState(1).exponential(size=2000)
    options = {"confidence_level": 0.95, "is_eligible": np.ones(2000, dtype=bool)}
    weighted = describe_threshold(0.5, confidence, correct, weights=weights, **options)
    plain = describe_threshold(0.5, confidence, correct, weights=np.ones(2000), **options)
    assert weighted.risk_bound - weighted.risk > 1.2 * (plain.risk_bound - plain.risk)
    doubled = describe_threshold(0.5, confidence, correct, weights=np.full(2000, 2), **options)
    assert_allclose(doubled.risk_bound, plain.risk_bound)


def test_few_real_images_are_outliers_as_often_as_promised():
    random = np.random.RandomState(0)
    shares = []
    for _ in range(300):
        threshold = outlier_threshold(random.rand(800), 0.95)
        shares.append(threshold)  # of uniform scores, the share below it
    assert np.mean(np.array(shares) > 0.05) <= 0.08
    assert np.mean(shares) > 0.03


def test_of_few_images_the_lowest_score_is_the_threshold():
    assert outlier_threshold(np.array([3.0, 1.0, 2.0]), 0.95) == 1.0
