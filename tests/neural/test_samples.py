"""Labels and weights of what is trained on: never cast, and of any size."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fashionkit import HierarchicalCNNClassifier, compare_models
from fashionkit.neural._core.samples import encode_labels

# Labels that a cast to the dtype of the classes would turn into one of them.
CASTS = [
    (np.array(["bag", "coat"]), np.array(["coat", "coathanger"]), "'coathanger'"),
    (np.array([1, 2]), np.array([1.0, 1.5]), "1.5"),
    (np.array([0, 1], np.uint8), np.array([0, 256]), "256"),
    (np.array([0, 1], np.int8), np.array([1, 257]), "257"),
    (np.array([False, True]), np.array([0, 2]), "2"),
    (np.array([1, 2]), np.array(["1", "2"]), "'1', '2'"),
    (np.array(["1", "2"]), np.array([1, 2]), "1, 2"),
]


@pytest.mark.parametrize(("classes", "y", "unknown"), CASTS, ids=str)
def test_labels_are_compared_and_never_cast(classes, y, unknown):
    with pytest.raises(ValueError, match=f"^y has the labels {unknown}, which are not among"):
        encode_labels(y, classes)


def test_equal_labels_of_other_types_are_the_same():
    assert_array_equal(encode_labels(np.array([2.0, 1.0]), np.array([1, 2])), [1, 0])
    y = np.array(["coat", "bag"], dtype=object)
    assert_array_equal(encode_labels(y, np.array(["bag", "coat"])), [1, 0])


@pytest.fixture(scope="module")
def named(garments):
    X, y = garments
    return X[:100], np.where(y[:100] < 5, "bag", "coat")


@pytest.fixture
def unknown(named):
    return np.where(named[1] == "coat", "coathanger", "bag")


def test_no_door_lets_a_longer_label_in(tiny_cnn, named, unknown):
    X, y = named
    clf = tiny_cnn(warm_start=True, epochs=1).fit(X, y)
    for call in (
        lambda: clf.fit(X, unknown),
        lambda: clf.partial_fit(X, unknown),
        lambda: clf.evaluate(X, unknown),
        lambda: tiny_cnn().fit(X, y, X_val=X, y_val=unknown),
        lambda: clf.explain(X[:100], targets=unknown),
    ):
        with pytest.raises(ValueError, match="has the labels 'coathanger', which are not among"):
            call()


def test_a_comparison_does_not_take_numbers_for_their_names(named):
    X, y = named
    with pytest.raises(ValueError, match="y_test has the labels 0, 1 that do not occur in y"):
        compare_models(["hog-tree"], X, np.where(y == "bag", "0", "1"), X_test=X[:2], y_test=[0, 1])


@pytest.mark.parametrize("scale", [1e307, 1e-310])
def test_only_ratios_of_weights_matter_at_any_size(tiny_cnn, named, scale):
    X, y = named
    weights = np.where(np.arange(len(y)) % 2, 1.0, 0.5)
    clf = tiny_cnn(epochs=1, class_weight={"bag": 2.0})
    plain = clf.fit(X, y, weights).predict_proba(X)
    extreme = clf.fit(X, y, weights * scale)
    np.testing.assert_allclose(extreme.predict_proba(X), plain, atol=1e-5)
    assert extreme.evaluate(X, y, weights * scale) == pytest.approx(extreme.evaluate(X, y, weights))


def test_weights_that_float32_cannot_hold_are_refused_where_they_are_taken_as_they_are(
    tiny_cnn, named
):
    X, y = named
    for scale in (1e307, 1e-310):
        with pytest.raises(ValueError, match=r"sample_weight has weights .* float32 cannot hold"):
            tiny_cnn().partial_fit(X, y, ["bag", "coat"], np.full(len(y), scale))


def test_weights_of_coarse_scores_are_validated(named):
    X, y = named
    clf = HierarchicalCNNClassifier(
        {"all": ["bag", "coat"]}, architecture_params={"filters": (4,)}, epochs=1, random_state=0
    ).fit(X, y)
    for weights in ([1.0], np.full(len(y), np.nan)):
        with pytest.raises(ValueError, match="sample_weight"):
            clf.score_coarse(X, y, sample_weight=weights)
    weights = np.arange(len(y)) * 1e306
    assert clf.score_coarse(X, y, sample_weight=weights) == 1
