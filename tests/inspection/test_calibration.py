"""Whether predicted probabilities are as often right as they say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from fashionkit.inspection import calibration_bins, expected_calibration_error


def direct(y_true, probabilities, classes, n_bins):
    """Follow Guo et al. (2017) bin by bin: I_m = ((m - 1) / M, m / M]."""
    error = 0.0
    for m in range(1, n_bins + 1):
        inside = [
            (row.max(), classes[row.argmax()] == label)
            for row, label in zip(probabilities, y_true, strict=True)
            if (m - 1) / n_bins < row.max() <= m / n_bins
        ]
        if inside:
            confidence, correct = np.mean(inside, axis=0)
            error += len(inside) / len(y_true) * abs(correct - confidence)
    return error


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("n_bins", [1, 7, 15])
def test_the_error_equals_a_direct_computation(n_classes, n_bins):
    random = np.random.RandomState(n_classes)
    classes = np.array([f"class {i}" for i in range(n_classes)])
    probabilities = random.dirichlet(np.full(n_classes, 0.3), 400)
    y_true = classes[random.randint(n_classes, size=400)]
    error = expected_calibration_error(y_true, probabilities, classes, n_bins=n_bins)
    assert_allclose(error, direct(y_true, probabilities, classes, n_bins))
    assert isinstance(error, float)


def test_bins_hold_means_of_their_images():
    probabilities = [[0.9, 0.1], [0.2, 0.8], [0.55, 0.45]]
    bins = calibration_bins([0, 0, 0], probabilities, [0, 1], n_bins=4)
    assert_allclose(bins["low"], [0, 0.25, 0.5, 0.75])
    assert_allclose(bins["high"], [0.25, 0.5, 0.75, 1])
    assert_array_equal(bins["count"], [0, 0, 1, 2])
    assert_allclose(bins["confidence"], [np.nan, np.nan, 0.55, 0.85])
    assert_allclose(bins["accuracy"], [np.nan, np.nan, 1.0, 0.5])
    assert bins["count"].dtype == np.int64


def test_limits_belong_to_the_bin_below_them():
    probabilities = [[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]]
    bins = calibration_bins([0, 0, 0], probabilities, [0, 1], n_bins=4)
    assert_array_equal(bins["count"], [0, 1, 1, 1])


def test_a_probability_a_rounding_error_above_1_is_in_the_last_bin():
    above = np.array([[np.nextafter(np.float32(1), np.float32(2)), 0]], dtype=np.float32)
    assert calibration_bins([0], above, [0, 1])["count"].iloc[-1] == 1


def test_sure_and_right_has_no_error_and_sure_and_wrong_the_largest():
    sure = np.eye(3)
    assert expected_calibration_error([0, 1, 2], sure, [0, 1, 2]) == 0
    assert expected_calibration_error([1, 2, 0], sure, [0, 1, 2]) == 1


def test_a_single_class_is_always_right():
    bins = calibration_bins(["bag"] * 4, np.ones((4, 1)), ["bag"])
    assert bins["count"].tolist() == [0] * 14 + [4]
    assert expected_calibration_error(["bag"] * 4, np.ones((4, 1)), ["bag"]) == 0


@pytest.mark.parametrize("function", [calibration_bins, expected_calibration_error])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_true": [0, 2]}, "labels 2, which are not among the classes 0, 1"),
        ({"y_true": [0]}, "inconsistent numbers of samples"),
        ({"classes": [0, 1, 2]}, "2 columns, but there are 3 classes"),
        ({"probabilities": [[1.5, 0], [1, 0]]}, "values from 0 to 1.5, expected 0 to 1"),
        ({"n_bins": 0}, "'n_bins' parameter"),
    ],
)
def test_what_does_not_belong_together_is_refused(function, arguments, message):
    usual = {"y_true": [0, 1], "probabilities": [[0.9, 0.1], [0.2, 0.8]], "classes": [0, 1]}
    with pytest.raises(ValueError, match=message):
        function(**{**usual, **arguments})
