"""Weights mean what repetition means.

Covers what ``check_sample_weight_equivalence_on_dense_data`` means, whose tolerance of 1e-9
training in float32 cannot meet.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind
from sklearn.base import clone

from fashionkit import HierarchicalCNNClassifier, TransferClassifier

SEEDS = range(8)


@pytest.fixture(scope="module")
def weighted(garments):
    """Return images with weights 0 to 3, and the same with repetition instead."""
    X, y = garments[0][:120], garments[1][:120]
    weight = np.random.default_rng(0).integers(0, 4, len(y))
    return X, y, weight, np.repeat(X, weight, axis=0), np.repeat(y, weight)


def full_batch(tiny_cnn, **params):
    return tiny_cnn(batch_size=1000, epochs=5, **params)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_weights_equal_repetition_in_full_batch_training(tiny_cnn, weighted, optimizer):
    X, y, weight, X_repeated, y_repeated = weighted
    by_weight = full_batch(tiny_cnn, optimizer=optimizer, learning_rate=0.01)
    by_repetition = full_batch(tiny_cnn, optimizer=optimizer, learning_rate=0.01)
    by_weight.fit(X, y, sample_weight=weight)
    by_repetition.fit(X_repeated, y_repeated)
    np.testing.assert_allclose(
        by_weight.predict_proba(X), by_repetition.predict_proba(X), rtol=2e-5, atol=1e-6
    )


def test_weights_of_copies_add_up_where_batches_are_normalised(weighted):
    """Means over a batch know no weights, so that what is compared must have the same images."""
    X, y, weight, *_ = weighted
    X, y, weight = np.concatenate([X, X]), np.concatenate([y, y]), (weight + 1) / 5
    weight = np.concatenate([weight, 1 - weight])
    clf = HierarchicalCNNClassifier(
        architecture_params={"filters": (4, 8)}, batch_size=1000, epochs=5, random_state=0
    )
    expected = clone(clf).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(
        clone(clf).fit(X, y, sample_weight=weight).predict_proba(X), expected, rtol=1e-3, atol=1e-5
    )
    other = clone(clf).fit(X, y, sample_weight=weight**3).predict_proba(X)
    assert not np.allclose(other, expected, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    "params", [{}, pytest.param({"fine_tune": "all"}, marks=pytest.mark.slow)], ids=str
)
def test_weights_equal_repetition_on_a_backbone(weighted, params):
    X, y, weight, X_repeated, y_repeated = weighted
    clf = TransferClassifier(
        weights=None,
        alpha=0.35,
        layers="block_1_expand",
        pooling="grid",
        batch_size=1000,
        epochs=3,
        learning_rate=0.01,
        fine_tune_epochs=2,
        random_state=0,
        **params,
    )
    expected = clone(clf).fit(X_repeated, y_repeated).predict_proba(X)
    np.testing.assert_allclose(
        clone(clf).fit(X, y, sample_weight=weight).predict_proba(X), expected, rtol=1e-3, atol=1e-5
    )
    assert not np.allclose(clone(clf).fit(X, y).predict_proba(X), expected, rtol=1e-2, atol=1e-4)


@pytest.mark.slow  # in full batches, above, they are equal without statistics
def test_weights_equal_repetition_statistically_in_batches(tiny_cnn, weighted):
    X, y, weight, X_repeated, y_repeated = weighted
    # As many gradient steps each: repetition has more images, and so more steps per epoch.
    n_weighted, n_repeated = np.count_nonzero(weight), len(y_repeated)
    params = {"batch_size": 16, "learning_rate": 0.003}
    losses = {"weight": [], "repetition": [], "none": []}
    for seed in SEEDS:
        short = tiny_cnn(epochs=8, random_state=seed, **params)
        long = tiny_cnn(epochs=round(8 * n_repeated / n_weighted), random_state=seed, **params)
        fits = {
            "weight": long.fit(X, y, sample_weight=weight),
            "repetition": short.fit(X_repeated, y_repeated),
            "none": clone(long).fit(X[weight > 0], y[weight > 0]),
        }
        for name, clf in fits.items():
            light = clf.evaluate(X, y, sample_weight=weight == 1).loss
            heavy = clf.evaluate(X, y, sample_weight=weight == 3).loss
            losses[name].append(np.log(light / heavy))
    # How much better heavy images are learned than light ones.
    assert ttest_ind(losses["weight"], losses["repetition"]).pvalue > 0.05
    assert ttest_ind(losses["none"], losses["repetition"]).pvalue < 0.001


def test_a_weight_of_zero_leaves_an_image_out_exactly(tiny_cnn, garments):
    X, y = garments
    weight = np.ones(len(y))
    weight[::3] = 0
    weighted = tiny_cnn().fit(X, y, sample_weight=weight)
    without = tiny_cnn().fit(X[weight > 0], y[weight > 0])
    np.testing.assert_allclose(weighted.predict_proba(X), without.predict_proba(X), atol=1e-6)


def test_only_ratios_of_weights_matter_in_fit(tiny_cnn, weighted):
    X, y, weight, *_ = weighted
    once = full_batch(tiny_cnn).fit(X, y, sample_weight=weight)
    tenfold = full_batch(tiny_cnn).fit(X, y, sample_weight=10.0 * weight)
    np.testing.assert_allclose(once.predict_proba(X), tenfold.predict_proba(X), atol=1e-6)


def test_class_weight_multiplies_sample_weight(tiny_cnn, garments):
    X, y = garments
    weight = np.random.default_rng(0).random(len(y))
    by_class = full_batch(tiny_cnn, class_weight={3: 5.0}).fit(X, y, sample_weight=weight)
    by_hand = full_batch(tiny_cnn).fit(X, y, sample_weight=np.where(y == 3, 5 * weight, weight))
    np.testing.assert_allclose(by_class.predict_proba(X), by_hand.predict_proba(X), atol=1e-6)


def test_balanced_weights_help_a_rare_class(tiny_cnn, garments):
    X, y = garments
    rare = np.flatnonzero(y == 0)[3:]
    X, y = np.delete(X, rare, axis=0), np.delete(y, rare)
    params = {"epochs": 4, "learning_rate": 0.01}
    plain = tiny_cnn(**params).fit(X, y).predict_proba(garments[0])[:, 0]
    balanced = (
        tiny_cnn(class_weight="balanced", **params).fit(X, y).predict_proba(garments[0])[:, 0]
    )
    assert balanced.mean() > 1.5 * plain.mean()


def test_the_callers_weights_are_left_alone(tiny_cnn, garments):
    X, y = garments
    weight = np.full(len(y), 2.0)
    weight.flags.writeable = False
    tiny_cnn(class_weight="balanced").fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(weight, 2.0)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (0.0, "zero"),
        (-1.0, "Negative values in data passed to `sample_weight`"),
        (np.nan, "Input sample_weight contains NaN"),
    ],
)
def test_bad_weights_are_refused(tiny_cnn, garments, weight, message):
    X, y = garments
    with pytest.raises(ValueError, match=message):
        tiny_cnn().fit(X, y, sample_weight=np.full(len(y), weight))
