"""Principal components, at most so many: their number, seeds, dtypes, names."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from fashionkit.features import BoundedPCA


def samples(n_samples, n_features, seed=0):
    """Return samples whose variances differ, around 1, so that components are distinct."""
    rng = np.random.default_rng(seed)
    scales = np.geomspace(1, 0.01, n_features)
    return rng.normal(size=(n_samples, n_features)) * scales + 1


def up_to_sign(components, expected):
    return components * np.sign((components * expected).sum(axis=0))


@pytest.mark.parametrize("shape", [(200, 30), (30, 30), (31, 30), (20, 90), (2, 3)], ids=str)
def test_components_are_those_of_scikit_learn(shape):
    X = samples(*shape)
    # The last component of so few samples is nothing but rounding.
    n_components = min(10, shape[0] - 1, shape[1])
    expected = PCA(n_components, svd_solver="full").fit_transform(X)
    components = BoundedPCA(n_components).fit_transform(X)
    assert_allclose(up_to_sign(components, expected), expected, atol=1e-8)


def test_new_samples_are_projected_as_by_scikit_learn():
    X = samples(120, 20)
    expected = PCA(5, svd_solver="full").fit(X[:100]).transform(X[100:])
    components = BoundedPCA(5).fit(X[:100]).transform(X[100:])
    assert_allclose(up_to_sign(components, expected), expected, atol=1e-10)


@pytest.mark.parametrize(
    ("shape", "n_components", "kept"),
    [
        ((50, 8), 200, 8),
        ((7, 40), 200, 7),
        ((50, 40), 200, 40),
        ((50, 40), 3, 3),
        ((50, 40), 40, 40),
        ((2, 1), 200, 1),
        ((9, 5000), 200, 9),
    ],
)
def test_there_are_as_many_components_as_there_can_be(shape, n_components, kept):
    X = samples(*shape)
    pca = BoundedPCA(n_components, random_state=0).fit(X)
    assert pca.transform(X).shape == (shape[0], kept)
    assert pca.pca_.n_components_ == kept
    assert len(pca.get_feature_names_out()) == kept


def test_components_of_many_features_are_near_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) * [9, 3, 1] @ rng.normal(size=(3, 4200)) + samples(60, 4200)
    expected = PCA(3, svd_solver="full").fit_transform(X)
    components = BoundedPCA(3, random_state=0).fit_transform(X)
    assert_allclose(up_to_sign(components, expected), expected, atol=1e-3 * expected.std())


def test_components_of_many_features_are_seeded():
    X = samples(60, 4200)

    def components(random_state):
        return BoundedPCA(5, random_state=random_state).fit_transform(X)

    assert_array_equal(components(3), components(3))
    assert_array_equal(components(np.random.RandomState(3)), components(3))
    assert not np.array_equal(components(3), components(4))


@pytest.mark.parametrize("shape", [(60, 12), (12, 60), (20, 4200)], ids=str)
@pytest.mark.parametrize(
    ("dtype", "result"),
    [(np.float32, np.float32), (np.float64, np.float64), (np.uint8, np.float64)],
)
def test_floats_keep_their_type(shape, dtype, result):
    X = (10 * samples(*shape)).astype(dtype)
    pca = BoundedPCA(5, random_state=0).fit(X)
    assert pca.transform(X).dtype == result
    assert pca.pca_.components_.dtype == result


def test_components_in_single_precision_are_near_those_in_double():
    X = samples(200, 20).astype(np.float32)
    expected = BoundedPCA(5).fit_transform(X.astype(np.float64))
    components = BoundedPCA(5).fit_transform(X)
    assert_allclose(up_to_sign(components, expected), expected, atol=1e-4)


def test_samples_are_not_changed():
    X = samples(30, 10)
    before = X.copy()
    BoundedPCA(5).fit_transform(X)
    assert_array_equal(X, before)


def test_output_can_be_a_frame_with_names():
    frame = pd.DataFrame(samples(30, 10)).add_prefix("feature")
    pca = BoundedPCA(3).set_output(transform="pandas")
    components = pca.fit_transform(frame)
    assert list(components.columns) == ["boundedpca0", "boundedpca1", "boundedpca2"]
    assert list(pca.get_feature_names_out()) == list(components.columns)
    assert list(pca.feature_names_in_) == list(frame)


@pytest.mark.parametrize(
    "params",
    [
        {"n_components": 0},
        {"n_components": 0.9},
        {"n_components": "mle"},
        {"n_components": None},
        {"random_state": "seed"},
    ],
    ids=str,
)
def test_bad_parameters_are_refused_by_name(params):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter of BoundedPCA"):
        BoundedPCA(**params).fit(samples(20, 5))


def test_one_sample_is_refused():
    with pytest.raises(ValueError, match=r"1 sample.* minimum of 2 is required"):
        BoundedPCA().fit(np.ones((1, 5)))


def test_an_unfitted_transformer_says_so():
    with pytest.raises(NotFittedError, match="BoundedPCA instance is not fitted yet"):
        BoundedPCA().transform(np.zeros((2, 2)))


@pytest.mark.parametrize("shape", [(60, 12), (12, 60), (20, 4200)], ids=str)
def test_a_clone_and_a_pickle_give_the_same(shape):
    X = samples(*shape)
    pca = BoundedPCA(5, random_state=0).fit(X)
    expected = pca.transform(X)
    assert_array_equal(clone(pca).fit_transform(X), expected)
    again = pickle.loads(pickle.dumps(pca))
    assert_array_equal(again.pca_.components_, pca.pca_.components_)
    assert_array_equal(again.transform(X), expected)


@parametrize_with_checks([BoundedPCA(1, random_state=0)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_components_can_be_those_of_a_part():
    X = samples(500, 20)
    part = BoundedPCA(5, max_samples=100, random_state=0).fit(X)
    assert_allclose(
        part.transform(X).var(axis=0), BoundedPCA(5).fit_transform(X).var(axis=0), rtol=0.5
    )
    assert part.pca_.n_samples_ == 100
    again = BoundedPCA(5, max_samples=100, random_state=0).fit(X)
    assert_array_equal(again.transform(X), part.transform(X))
    assert BoundedPCA(5, max_samples=1000).fit(X).pca_.n_samples_ == 500


def test_half_precision_is_projected_in_chunks(monkeypatch):
    X = samples(300, 20)
    expected = BoundedPCA(5).fit(X.astype(np.float16).astype(np.float32))
    monkeypatch.setattr("fashionkit.features._pca._VALUES_PER_CHUNK", 20 * 70)
    pca = BoundedPCA(5).fit(X.astype(np.float16))
    components = pca.transform(X.astype(np.float16))
    assert components.dtype == np.float32
    assert_allclose(
        up_to_sign(components, expected.transform(X.astype(np.float16))),
        expected.transform(X.astype(np.float16)),
        atol=1e-4,
    )
