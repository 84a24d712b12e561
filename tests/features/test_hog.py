"""HOG features: parity with scikit-image, the image contract, and errors."""

from __future__ import annotations

import pickle
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from skimage.feature import hog as skimage_hog
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from fashionkit import HOGFeatures
from fashionkit.features import PixelFeatures, _hog

TRANSFORMERS = [HOGFeatures(), PixelFeatures()]
NORMS = ("L1", "L1-sqrt", "L2", "L2-Hys")


def scaled(X):
    return X.astype(np.float32) / np.float32(255)


def reference(images, **params):
    """Return scikit-image's features of images of shape (n, height, width, channels)."""
    return np.stack([skimage_hog(i, channel_axis=-1, **params) for i in images])


def random_images(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@st.composite
def images_and_params(draw):
    cell = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    block = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    height, width = (
        pixels * cells + draw(st.integers(0, 9)) for pixels, cells in zip(cell, block, strict=True)
    )
    shape = draw(st.integers(1, 3)), height, width, draw(st.sampled_from([1, 3]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Few different values make many equal gradients, and blank regions.
    values = draw(st.sampled_from([2, 4, 256]))
    X = rng.integers(0, values, shape) * (255 // (values - 1))
    params = {
        "orientations": draw(st.integers(1, 20)),
        "pixels_per_cell": cell,
        "cells_per_block": block,
        "block_norm": draw(st.sampled_from(NORMS)),
        "transform_sqrt": draw(st.booleans()),
    }
    return X.astype(np.uint8), params


@settings(max_examples=300, deadline=None)
@given(images_and_params())
@example((np.zeros((1, 8, 8, 1), np.uint8), {"pixels_per_cell": (4, 4)}))
@example((np.full((1, 8, 8, 3), 255, np.uint8), {"pixels_per_cell": (4, 4)}))
def test_features_are_those_of_scikit_image(case):
    X, params = case
    params = {"cells_per_block": (2, 2), **params}
    features = HOGFeatures(**params).fit_transform(X)
    assert features.dtype == np.float32
    assert_allclose(features, reference(scaled(X), **params), atol=1e-5)


@pytest.mark.parametrize("orientations", [4, 8, 12, 20])
def test_diagonal_edges_fall_into_the_bins_of_scikit_image(orientations):
    # 45 and 135 degrees are limits of these bins.
    ramp = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8)
    X = np.stack([ramp, ramp[::-1], ramp[:, ::-1], ramp[::-1, ::-1]])[..., np.newaxis]
    params = {
        "orientations": orientations,
        "pixels_per_cell": (4, 4),
        "cells_per_block": (2, 2),
    }
    features = HOGFeatures(**params).fit_transform(X)
    assert_allclose(features, reference(scaled(X), **params), atol=1e-5)


def test_one_number_means_a_square():
    X = random_images((3, 20, 20))
    assert_array_equal(
        HOGFeatures(pixels_per_cell=5, cells_per_block=3).fit_transform(X),
        HOGFeatures(pixels_per_cell=(5, 5), cells_per_block=[3, 3]).fit_transform(X),
    )


@pytest.mark.parametrize(
    ("size", "cell"),
    [((28, 28), (4, 4)), ((96, 64), (13, 9)), ((13, 13), (2, 2)), ((1, 30), (2, 4))],
)
def test_default_cells_follow_the_size_of_the_images(size, cell):
    hog = HOGFeatures().fit(random_images((2, *size)))
    assert hog.pixels_per_cell_ == cell


def test_defaults_are_those_of_scikit_image_with_the_chosen_cells():
    X = random_images((3, 28, 28, 3))
    expected = reference(scaled(X), pixels_per_cell=(4, 4), cells_per_block=(2, 2))
    assert_allclose(HOGFeatures().fit_transform(X), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 10), (30, 1), (3, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_too_small_for_default_cells_are_padded_with_their_edges(size, channels):
    X = random_images((4, *size, channels))
    hog = HOGFeatures().fit(X)
    block = [2 * pixels for pixels in hog.pixels_per_cell_]
    missing = [max(0, b - s) for b, s in zip(block, size, strict=True)]
    padded = np.pad(X, ((0, 0), *((0, m) for m in missing), (0, 0)), mode="edge")
    features = hog.transform(X)
    assert features.shape == (4, len(hog.get_feature_names_out()))
    expected = reference(
        scaled(padded), pixels_per_cell=hog.pixels_per_cell_, cells_per_block=(2, 2)
    )
    assert_allclose(features, expected, atol=1e-5)


FORMS = {
    "square": lambda X: X,
    "flat": lambda X: X.reshape(len(X), -1),
    "channel": lambda X: X[..., np.newaxis],
    "list": list,
    "frame": lambda X: pd.DataFrame(X.reshape(len(X), -1)).add_prefix("pixel"),
    "float": lambda X: X.astype(np.float64),
}


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
@pytest.mark.parametrize("fit_form", sorted(FORMS))
@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
def test_every_form_of_the_same_images_gives_the_same_features(transformer, fit_form, form):
    X = random_images((5, 14, 14))
    X[0, 0, 0] = 255
    expected = clone(transformer).fit_transform(X)
    transformer = clone(transformer).fit(FORMS[fit_form](X))
    assert_array_equal(transformer.transform(FORMS[form](X)), expected)


def test_image_shape_decides_the_shape_of_flat_rows():
    X = random_images((3, 14, 56))
    assert_array_equal(
        HOGFeatures(image_shape=(14, 56)).fit_transform(X.reshape(3, -1)),
        HOGFeatures().fit_transform(X),
    )


def test_pixels_are_scaled_by_the_range_seen_in_fit():
    X = random_images((3, 8, 8))
    rows = PixelFeatures().fit(X).transform(X)
    assert rows.dtype == np.float32
    assert_array_equal(rows, scaled(X).reshape(3, -1))


@pytest.mark.parametrize("values", [1, 3000, 10**9])
def test_the_size_of_chunks_does_not_change_a_bit(values, monkeypatch):
    X = random_images((20, 12, 12, 3))
    expected = HOGFeatures().fit_transform(X)
    monkeypatch.setattr(_hog, "_VALUES_PER_CHUNK", values)
    assert_array_equal(HOGFeatures().fit_transform(X), expected)


@pytest.mark.parametrize(
    ("hog", "shape"),
    [
        (HOGFeatures(), (5000, 28, 28)),
        (HOGFeatures(), (100, 150, 150, 3)),
        (HOGFeatures(30, pixels_per_cell=1), (100, 28, 28)),
    ],
    ids=["many images", "large images", "many features"],
)
def test_memory_beyond_the_features_is_bounded(hog, shape):
    X = np.zeros(shape, dtype=np.uint8)
    hog.fit(X)
    tracemalloc.start()
    features = hog.transform(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - features.nbytes < 30e6


def test_images_darker_than_those_of_fit_give_no_nan():
    hog = HOGFeatures(transform_sqrt=True).fit(np.linspace(0, 1, 144).reshape(1, -1))
    assert np.isfinite(hog.transform(np.full((1, 144), -0.1))).all()


def test_pixels_of_another_range_raise_a_warning():
    X = random_images((3, 12, 12))
    hog = HOGFeatures().fit(X)
    with pytest.warns(UserWarning, match=r"range \(0, 1\).*fitted on.*\(0, 255\)"):
        hog.transform(X / 255)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"orientations": 0}, "'orientations' parameter .* must be an int"),
        ({"orientations": 8.0}, "'orientations' parameter"),
        ({"pixels_per_cell": 0}, "'pixels_per_cell' parameter"),
        ({"pixels_per_cell": "auto"}, "'pixels_per_cell' parameter"),
        ({"cells_per_block": None}, "'cells_per_block' parameter"),
        ({"block_norm": "l2"}, "'block_norm' parameter"),
        ({"transform_sqrt": "yes"}, "'transform_sqrt' parameter"),
        (
            {"pixels_per_cell": (4, 4, 1)},
            r"pixels_per_cell=\(4, 4, 1\) is not a pair of positive integers; pass \(he",
        ),
        ({"pixels_per_cell": (4, 0)}, r"pixels_per_cell=\(4, 0\) is not a pair"),
        ({"cells_per_block": (2, 1.5)}, r"cells_per_block=\(2, 1.5\) is not a pair"),
        (
            {"pixels_per_cell": (32, 32)},
            r"pixels_per_cell=\(32, 32\) is larger than the images \(28, 28\) allow: one "
            r"block of cells_per_block=\(2, 2\) takes \(64, 64\) pixels; .*=None",
        ),
        ({"pixels_per_cell": 10, "cells_per_block": 3}, r"takes \(30, 30\) pixels"),
    ],
)
def test_bad_parameters_are_refused_in_their_own_terms(params, message):
    with pytest.raises(ValueError, match=message):
        HOGFeatures(**params).fit(random_images((2, 28, 28)))


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_output_can_be_a_frame_with_names(transformer):
    X = random_images((3, 28, 28))
    transformer = clone(transformer).set_output(transform="pandas")
    frame = transformer.fit_transform(X)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(transformer.get_feature_names_out())


def test_names_of_features_begin_with_the_name_of_the_class():
    names = HOGFeatures().fit(random_images((2, 28, 28))).get_feature_names_out()
    assert names[0] == "hogfeatures0"
    assert len(names) == 1296


def test_names_of_pixels_are_those_of_the_columns():
    frame = pd.DataFrame({f"pixel{i}": [0, i] for i in range(1, 10)}, dtype=np.uint8)
    assert list(PixelFeatures().fit(frame).get_feature_names_out()) == list(frame)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_a_pickled_transformer_gives_the_same_features(transformer):
    X = random_images((3, 12, 12))
    transformer = clone(transformer).fit(X)
    again = pickle.loads(pickle.dumps(transformer))
    assert_array_equal(again.transform(X), transformer.transform(X))


@parametrize_with_checks([*TRANSFORMERS, HOGFeatures(4, cells_per_block=3, block_norm="L1-sqrt")])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.realdata
def test_features_of_real_images_are_those_of_scikit_image(fashion_mnist):
    X = fashion_mnist[0][::20]
    expected = reference(
        scaled(X.reshape(-1, 28, 28, 1)),
        pixels_per_cell=(4, 4),
        cells_per_block=(2, 2),
    )
    with warnings.catch_warnings(action="error"):
        assert_allclose(HOGFeatures().fit_transform(X), expected, atol=1e-5)
