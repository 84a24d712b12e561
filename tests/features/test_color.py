"""Colour histograms: parity with NumPy's, the image contract, names, and errors."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from skimage.color import rgb2hsv, rgb2lab
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from fashionkit import ColorHistogram
from fashionkit.features import _color

CONVERSIONS = {"rgb": np.asarray, "hsv": rgb2hsv, "lab": rgb2lab}
RANGES = {
    "rgb": [(0, 1)] * 3,
    "hsv": [(0, 1)] * 3,
    "lab": [(0, 100), (-86.3, 98.6), (-107.9, 94.5)],
}
SPACES = sorted(RANGES)


def reference(image, bins, space, joint):
    """Return NumPy's histogram of one uint8 image of shape (height, width, channels)."""
    pixels = image.astype(np.float32) / np.float32(255)
    ranges = [(0, 1)]
    if pixels.shape[2] == 3:
        pixels, ranges = CONVERSIONS[space](pixels), RANGES[space]
    pixels = pixels.reshape(-1, len(ranges)).astype(np.float64)
    bins = [bins] * len(ranges) if isinstance(bins, int) else bins
    if joint:
        return np.histogramdd(pixels, bins, ranges)[0].ravel() / len(pixels)
    counts = [np.histogram(pixels[:, i], bins[i], ranges[i])[0] for i in range(len(ranges))]
    return np.concatenate(counts) / len(pixels)


def random_images(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@st.composite
def images_and_params(draw):
    channels = draw(st.sampled_from([1, 3]))
    shape = draw(st.tuples(*[st.integers(1, 9)] * 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Few different values put pixels on the limits of bins, and make grays among colours.
    values = draw(st.sampled_from([2, 4, 6, 16, 256]))
    X = rng.integers(0, values, (*shape, channels)) * (255 // (values - 1))
    joint = draw(st.booleans())
    n_bins = st.integers(2, 20 if joint else 256)
    bins = draw(n_bins | st.tuples(n_bins, n_bins, n_bins) if channels == 3 else n_bins)
    return X.astype(np.uint8), {
        "bins": bins,
        "space": draw(st.sampled_from(SPACES)),
        "joint": joint,
    }


@settings(max_examples=3 * settings().max_examples)
@given(images_and_params())
@example((np.zeros((1, 4, 4, 3), np.uint8), {"bins": 8, "space": "lab", "joint": False}))
@example((np.full((1, 4, 4, 3), 255, np.uint8), {"bins": 8, "space": "hsv", "joint": True}))
def test_histograms_are_those_of_numpy(case):
    X, params = case
    features = ColorHistogram(**params).fit_transform(X)
    assert features.dtype == np.float32
    assert_allclose(features, [reference(image, **params) for image in X], rtol=1e-6)
    n_histograms = X.shape[3] if not params["joint"] else 1
    assert_allclose(features.sum(axis=1), n_histograms, rtol=1e-5)


def test_every_gray_level_is_in_the_bin_that_numpy_puts_it_in():
    X = np.arange(256, dtype=np.uint8).reshape(256, 1, 1)
    levels = X.astype(np.float32).ravel() / np.float32(255)
    for n_bins in range(2, 257):
        sizes = ColorHistogram(n_bins).fit_transform(X).sum(axis=0)
        assert_array_equal(sizes, np.histogram(levels.astype(float), n_bins, (0, 1))[0])


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("joint", [False, True])
def test_an_image_of_one_colour_fills_one_bin(space, joint):
    X = np.full((1, 5, 5, 3), (200, 30, 60), dtype=np.uint8)
    features = ColorHistogram(space=space, joint=joint).fit_transform(X)
    assert sorted(features[features > 0]) == [1] * (1 if joint else 3)


def test_only_joint_histograms_tell_which_values_occur_together():
    red, blue, purple, black = (255, 0, 0), (0, 0, 255), (255, 0, 255), (0, 0, 0)
    X = np.array([[[red, blue]], [[purple, black]]], dtype=np.uint8)
    assert_array_equal(*ColorHistogram().fit_transform(X))
    joint = ColorHistogram(joint=True).fit_transform(X)
    assert not np.any((joint[0] > 0) & (joint[1] > 0))


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("space", SPACES)
def test_black_and_white_are_in_the_first_and_the_last_bin(space, value):
    X = np.full((1, 5, 5, 3), value, dtype=np.uint8)
    histogram = ColorHistogram(space=space).fit(X)
    bins = histogram.get_feature_names_out()[histogram.transform(X)[0] > 0]
    last = 7 if value else 0
    expected = {
        "rgb": [f"red_{last}", f"green_{last}", f"blue_{last}"],
        "hsv": ["hue_0", "saturation_0", f"value_{last}"],
        "lab": [f"L_{last}", "a_3", "b_4"],
    }
    assert list(bins) == expected[space]


def test_lab_puts_all_grays_in_one_bin_of_a_and_of_b_whatever_their_number():
    X = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, axis=3)
    for n_bins in range(2, 257):
        features = ColorHistogram((2, n_bins, n_bins), space="lab").fit_transform(X)
        assert np.count_nonzero(features[0, 2:]) == 2, n_bins


def test_lab_has_bins_for_every_colour():
    faces = np.indices((6, 6, 6)).reshape(3, -1).T[np.newaxis] * 51
    lab = rgb2lab(faces.astype(np.uint8)).reshape(-1, 3)
    for channel, (low, high) in zip(lab.T, RANGES["lab"], strict=True):
        assert low - 1e-3 <= channel.min() < low + 2
        assert high - 2 < channel.max() <= high + 1e-3


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("joint", [False, True])
def test_gray_images_have_a_histogram_of_their_pixels_in_every_space(space, joint):
    X = random_images((4, 7, 9))
    features = ColorHistogram(space=space, joint=joint).fit_transform(X)
    assert_array_equal(features, ColorHistogram().fit_transform(X))
    expected = [np.histogram(image / 255, 8, (0, 1))[0] / image.size for image in X]
    assert_allclose(features, expected, rtol=1e-6)


FORMS = {
    "channel": lambda X: X,
    "flat": lambda X: X.reshape(len(X), -1),
    "list": list,
    "frame": lambda X: pd.DataFrame(X.reshape(len(X), -1)).add_prefix("pixel"),
    "float": lambda X: X.astype(np.float64),
}


@pytest.mark.parametrize("fit_form", sorted(FORMS))
@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
def test_every_form_of_the_same_images_gives_the_same_features(channels, fit_form, form):
    X = random_images((5, 14, 14, channels))
    X[0, 0, 0] = 255
    expected = ColorHistogram().fit_transform(X)
    histogram = ColorHistogram().fit(FORMS[fit_form](X))
    assert_array_equal(histogram.transform(FORMS[form](X)), expected)


def test_image_shape_decides_the_shape_of_flat_rows():
    X = random_images((3, 12, 16, 3))
    assert_array_equal(
        ColorHistogram(image_shape=(12, 16, 3)).fit_transform(X.reshape(3, -1)),
        ColorHistogram().fit_transform(X),
    )


@pytest.mark.parametrize("space", SPACES)
def test_pixels_beyond_the_range_seen_in_fit_count_as_its_ends(space):
    X = random_images((3, 6, 6, 3)) / 255
    X[0, 0, 0] = 0, 1, 0
    histogram = ColorHistogram(space=space).fit(X)
    beyond = np.where(X == 0, -0.1, np.where(X == 1, 1.1, X))
    assert_array_equal(histogram.transform(beyond), histogram.transform(X))


@pytest.mark.parametrize("values", [1, 3000, 10**9])
@pytest.mark.parametrize("space", SPACES)
def test_the_size_of_chunks_does_not_change_a_bit(space, values, monkeypatch):
    X = random_images((20, 12, 12, 3))
    expected = ColorHistogram(space=space).fit_transform(X)
    monkeypatch.setattr(_color, "_VALUES_PER_CHUNK", values)
    assert_array_equal(ColorHistogram(space=space).fit_transform(X), expected)


@pytest.mark.parametrize(
    ("histogram", "shape"),
    [
        (ColorHistogram(), (5000, 28, 28)),
        (ColorHistogram(space="hsv"), (60, 150, 150, 3)),
        (ColorHistogram(space="lab"), (60, 150, 150, 3)),
        (ColorHistogram(32, joint=True), (100, 28, 28, 3)),
    ],
    ids=["many images", "large images", "large images in Lab", "many features"],
)
def test_memory_beyond_the_features_is_bounded(histogram, shape):
    X = np.zeros(shape, dtype=np.uint8)
    histogram.fit(X)
    tracemalloc.start()
    features = histogram.transform(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - features.nbytes < 10e6


def test_pixels_of_another_range_raise_a_warning():
    X = random_images((3, 12, 12, 3))
    histogram = ColorHistogram().fit(X)
    with pytest.warns(UserWarning, match=r"range \(0, 1\).*fitted on.*\(0, 255\)"):
        histogram.transform(X / 255)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"bins": 1}, r"'bins' parameter .* must be an int in the range \[2, 256\]"),
        ({"bins": 257}, "'bins' parameter"),
        ({"bins": 8.0}, "'bins' parameter"),
        ({"bins": None}, "'bins' parameter"),
        ({"bins": (8, 8)}, r"bins=\(8, 8\) is not a triple of integers from 2 to 256; pass"),
        ({"bins": (8, 8, 1)}, r"bins=\(8, 8, 1\) is not a triple"),
        ({"bins": [8, 8, 2.5]}, r"bins=\[8, 8, 2.5\] is not a triple"),
        ({"space": "LAB"}, "'space' parameter .* must be a str among"),
        ({"space": None}, "'space' parameter"),
        ({"joint": "yes"}, "'joint' parameter"),
        ({"image_shape": (6, 6)}, r"image_shape=\(6, 6\) but X has images of shape"),
    ],
)
def test_bad_parameters_are_refused_in_their_own_terms(params, message):
    with pytest.raises(ValueError, match=message):
        ColorHistogram(**params).fit(random_images((2, 6, 6, 3)))


def test_numbers_of_bins_for_three_channels_are_refused_for_gray_images():
    message = r"bins=\(8, 4, 4\) has a number for each of three channels, .* are gray; pass one"
    with pytest.raises(ValueError, match=message):
        ColorHistogram((8, 4, 4)).fit(random_images((2, 6, 6)))


@pytest.mark.parametrize(
    ("params", "channels", "expected"),
    [
        ({}, 1, ["gray_0", "gray_1"]),
        ({"joint": True}, 1, ["gray_0", "gray_1"]),
        ({}, 3, ["red_0", "red_1", "green_0", "green_1", "blue_0", "blue_1"]),
        ({"space": "hsv", "bins": (3, 2, 2)}, 3, ["hue_0", "hue_1", "hue_2", "saturation_0"]),
        ({"space": "lab"}, 3, ["L_0", "L_1", "a_0", "a_1", "b_0", "b_1"]),
        ({"space": "lab", "joint": True}, 3, ["L_0_a_0_b_0", "L_0_a_0_b_1", "L_0_a_1_b_0"]),
    ],
)
def test_names_of_features_say_channel_and_bin(params, channels, expected):
    X = random_images((2, 6, 6, channels))
    histogram = ColorHistogram(**{"bins": 2, **params}).fit(X)
    names = list(histogram.get_feature_names_out())
    assert names[: len(expected)] == expected
    assert len(names) == len(set(names)) == histogram.transform(X).shape[1]


def test_output_can_be_a_frame_with_names():
    histogram = ColorHistogram((4, 2, 2), joint=True).set_output(transform="pandas")
    frame = histogram.fit_transform(random_images((3, 6, 6, 3)))
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(histogram.get_feature_names_out())


def test_a_pickled_transformer_gives_the_same_features():
    X = random_images((3, 12, 12, 3))
    histogram = ColorHistogram((8, 4, 4), space="hsv", joint=True).fit(X)
    again = pickle.loads(pickle.dumps(histogram))
    assert_array_equal(again.transform(X), histogram.transform(X))
    assert_array_equal(clone(again).fit_transform(X), histogram.transform(X))


@parametrize_with_checks(
    [
        ColorHistogram(2, space="hsv", joint=True),
        ColorHistogram(5, space="lab"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
