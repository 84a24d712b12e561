"""Risk against coverage as a table, and the areas under it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score

from fashionkit.inspection import risk_coverage_areas, risk_coverage_curve


def draw(n_samples, decimals):
    random = np.random.RandomState(0)
    probabilities = random.dirichlet(np.full(3, 0.5), n_samples)
    drawn = random.rand(n_samples, 1) > np.cumsum(probabilities, axis=1)
    rounded = np.round(probabilities[:, :2], decimals)
    rounded = np.column_stack([rounded, 1 - rounded.sum(axis=1)]).clip(0, 1)
    return np.minimum(drawn.sum(axis=1), 2), rounded


@pytest.mark.parametrize("decimals", [1, 12])
def test_the_generalised_area_follows_from_accuracy_and_auroc(decimals):
    y, probabilities = draw(800, decimals)
    is_right = probabilities.argmax(axis=1) == y
    accuracy = is_right.mean()
    # Traub et al. (2024), equation 5; ties count half, as in AUROC.
    auroc = roc_auc_score(is_right, probabilities.max(axis=1))
    expected = (1 - auroc) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2
    assert_allclose(risk_coverage_areas(y, probabilities, [0, 1, 2])[1], expected, atol=1e-3)


def test_the_area_is_the_mean_risk_over_all_numbers_of_images():
    y, probabilities = draw(400, 12)
    order = np.argsort(-probabilities.max(axis=1))
    wrong = np.cumsum((probabilities.argmax(axis=1) != y)[order])
    expected = np.mean(wrong / np.arange(1, 401))
    assert_allclose(risk_coverage_areas(y, probabilities, [0, 1, 2])[0], expected)


def test_images_of_one_confidence_are_one_row():
    curve = risk_coverage_curve([0, 0, 1], [[0.8, 0.2], [0.8, 0.2], [0.6, 0.4]], [0, 1])
    assert_allclose(curve["threshold"], [0.8, 0.6])
    assert_allclose(curve["coverage"], [2 / 3, 1])
    assert_allclose(curve["risk"], [0, 1 / 3])


def test_random_order_of_equal_confidences_does_not_matter():
    probabilities = np.tile([0.7, 0.3], (10, 1))
    y = np.arange(10) % 2
    aurc, augrc = risk_coverage_areas(y, probabilities, [0, 1])
    assert_allclose((aurc, augrc), (0.5, 0.25))
    assert risk_coverage_areas(y[::-1], probabilities, [0, 1]) == (aurc, augrc)
