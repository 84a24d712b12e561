"""The image contract: forms, shapes, ranges and memory."""

from __future__ import annotations

import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from fashionkit import CalibratedSVC
from fashionkit._images import Images, check_images, fit_images, infer_pixel_range


class Holder(BaseEstimator):
    """An estimator that does nothing but hold the contract's attributes."""

    def __init__(self, image_shape=None):
        self.image_shape = image_shape


def as_flat(X):
    return X.reshape(len(X), -1)


def as_frame(X):
    flat = as_flat(X)
    return pd.DataFrame(flat, columns=[f"pixel{i + 1}" for i in range(flat.shape[1])])


def as_objects(X):
    objects = np.empty(len(X), object)
    for i, image in enumerate(X):
        objects[i] = image
    return objects


FORMS = {
    "square": lambda X: X,
    "flat": as_flat,
    "channel": lambda X: X[..., np.newaxis] if X.ndim == 3 else X,
    "list": list,
    "nested list": lambda X: X.tolist(),
    "tuple": tuple,
    "series": lambda X: pd.Series(list(X), index=range(5, 5 + len(X))),
    "objects": lambda X: as_objects(X),
    "column of objects": lambda X: as_objects(X)[:, np.newaxis],
    "objects of rows": lambda X: as_objects(as_flat(X)),
    "frame": as_frame,
}
DTYPES = (np.uint8, np.int16, np.int64, np.float16, np.float32, np.float64)


def pixels_of(images):
    return np.concatenate(list(images.chunks()))


def without_name_warnings():
    # scikit-learn's own, where only one of fit and predict saw column names.
    warnings.filterwarnings("ignore", message="X (does not have valid|has) feature names")


@st.composite
def image_batches(draw):
    n, side = draw(st.integers(1, 5)), draw(st.integers(4, 9))
    channels = draw(st.sampled_from([(), (3,)]))
    seed = draw(st.integers(0, 2**32 - 1))
    X = np.random.default_rng(seed).integers(0, 256, (n, side, side, *channels), dtype=np.uint8)
    X.flat[0] = 255  # so that every dtype of the same pixels spans the same range
    return X


@settings(max_examples=4 * settings().max_examples)
@given(
    X=image_batches(),
    fit_form=st.sampled_from(sorted(FORMS)),
    check_form=st.sampled_from(sorted(FORMS)),
    fit_dtype=st.sampled_from(DTYPES),
    check_dtype=st.sampled_from(DTYPES),
)
def test_every_form_and_dtype_in_fit_and_predict_gives_the_same_pixels(
    X, fit_form, check_form, fit_dtype, check_dtype
):
    holder = Holder()
    fitted = fit_images(holder, FORMS[fit_form](X.astype(fit_dtype)))
    with warnings.catch_warnings():
        without_name_warnings()
        checked = check_images(holder, FORMS[check_form](X.astype(check_dtype)))
    expected = (X if X.ndim == 4 else X[..., np.newaxis]).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(pixels_of(fitted), expected)
    np.testing.assert_array_equal(pixels_of(checked), expected)


@pytest.mark.parametrize(
    ("n_features", "shape"),
    [
        (784, (28, 28, 1)),
        (2352, (28, 28, 3)),
        (12, (2, 2, 3)),
        (1, (1, 1, 1)),
        (10, (1, 10, 1)),
        (48, (4, 4, 3)),
    ],
)
def test_shape_is_inferred_from_flat_rows(n_features, shape):
    holder = Holder()
    fit_images(holder, np.zeros((2, n_features)))
    assert holder.image_shape_ == shape
    assert holder.n_features_in_ == n_features


def test_image_shape_decides_the_shape_of_flat_rows():
    holder = Holder(image_shape=(14, 56))
    assert fit_images(holder, np.zeros((2, 784))).pixels.shape == (2, 14, 56, 1)


@pytest.mark.parametrize(
    ("image_shape", "message"),
    [
        (
            (28, 27),
            r"image_shape=\(28, 27\) has 756 pixels but X has 784 features; pass image_sh",
        ),
        ((28,), r"image_shape=\(28,\) is not a tuple of 2 or 3 integers"),
        ((28.0, 28), r"is not a tuple of 2 or 3 integers"),
        ((28, 14, 2), r"has 2 channels, expected 1 \(gray\) or 3 \(RGB\)"),
    ],
)
def test_a_wrong_image_shape_is_refused_in_its_own_terms(image_shape, message):
    with pytest.raises(ValueError, match=message):
        fit_images(Holder(image_shape=image_shape), np.zeros((2, 784)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 28, 28, 4)), "4 channels, expected 1"),
        (np.zeros((2, 3, 28, 28)), r"channels first: pass np.moveaxis\(X, 1, -1\)"),
        (np.zeros((2, 0, 28)), "without pixels"),
        (np.zeros((2, 2, 2, 2, 1)), "Found array with dim 5"),
        (np.zeros((0, 28, 28)), "0 sample"),
        (
            [np.zeros((2, 2)), np.zeros((2, 3))],
            "2 different shapes.*resize them to one shape",
        ),
        (np.full((2, 4, 4), np.nan), "NaN"),
        (np.full((2, 4, 4), np.inf), "infinity"),
        (np.full((2, 4, 4), 1e300), "too large for float32; scale X first"),
        (np.array([["a", "b"], ["c", "d"]]), "numeric"),
        (np.zeros((2, 4, 4), complex), "Complex data not supported"),
    ],
)
def test_bad_images_are_refused_in_fit_and_afterwards(X, message):
    with pytest.raises(ValueError, match=message):
        fit_images(Holder(), X)
    if np.ndim(X[0] if len(X) else X) > 1:
        holder = Holder()
        fit_images(holder, np.zeros((2, 4, 4)))
        with pytest.raises(ValueError):
            check_images(holder, X)


def test_images_of_another_shape_with_as_many_pixels_are_refused():
    holder = Holder()
    fit_images(holder, np.zeros((2, 28, 28)))
    with pytest.raises(ValueError, match=r"shape \(14, 56\).*expecting 784 features"):
        check_images(holder, np.zeros((2, 14, 56)))


def test_a_single_image_without_batch_axis_is_recognised():
    holder = Holder()
    fit_images(holder, np.zeros((2, 28, 28)))
    with pytest.raises(ValueError, match=r"single image; pass X\[np.newaxis\]"):
        check_images(holder, np.zeros((28, 28)))


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (np.zeros(3, np.uint8), (0, 255)),
        (np.array([0.0, 1.0]), (0, 1)),
        (np.array([0, 200]), (0, 255)),
        (np.array([0.0, 255.0]), (0, 255)),
        (np.array([-1.0, 1.0]), (-1, 1)),
        (np.array([0, 65535], np.uint16), (0, 65535)),
        (np.array([-3.0, -3.0]), (-3, -2)),
        (np.array([True, False]), (0, 1)),
        (np.append(np.linspace(0, 1, 99), 1.02), (0, 1)),  # resized by splines
        (np.append(np.linspace(0, 255, 98), [-4.0, 263.0]), (0, 255)),
        (np.append(np.linspace(-1, 1, 99), -1.1), (-1, 1)),
        (np.append(np.linspace(-2, 3, 999), 830.0), (-1.95, 2.955)),  # standardised, rarely lit
        (np.append(np.linspace(0, 4000, 999), 1e6), (40.04, 3964)),
    ],
)
def test_pixel_range_follows_dtype_and_values(pixels, expected):
    assert infer_pixel_range(pixels) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("fitted", "other", "ranges"),
    [
        (np.uint8([[0, 255]]), [[0.0, 0.9]], r"\(0, 1\).*\(0, 255\)"),
        (np.uint8([[0, 255]]), [[-1.0, 1.0]], r"\(-1, 1\).*\(0, 255\)"),
        ([[0.0, 1.0]], np.uint8([[0, 255]]), r"\(0, 255\).*\(0, 1\)"),
        ([[-1.0, 1.0]], np.uint8([[0, 255]]), r"\(0, 255\).*\(-1, 1\)"),
        (np.uint16([[0, 65535]]), [[0.0, 1.0]], r"\(0, 1\).*\(0, 65535\)"),
        (np.uint8([[0, 255]]), [[-2.0, 3.0]], r"\(-1.9.*\(0, 255\)"),
        ([[0.0, 1.0]], [[-1.0, 1.0]], r"\(-1, 1\).*\(0, 1\)"),
        ([[-2.0, 3.0]], np.uint8([[0, 255]]), r"\(0, 255\).*\(-1.9"),
    ],
)
def test_pixels_of_another_range_raise_a_warning_that_names_both(fitted, other, ranges):
    holder = Holder()
    fit_images(holder, fitted)
    with pytest.warns(UserWarning, match=ranges):
        check_images(holder, other)


@pytest.mark.parametrize(
    ("fitted", "other"),
    [
        (np.uint8([[0, 255]]), np.uint8([[0, 1]])),
        (np.uint8([[0, 255]]), [[0.0, 0.0]]),
        (np.uint8([[0, 255]]), [[0.0, 254.5]]),
        ([[0.0, 1.0]], [[-0.1, 1.1]]),
        ([[-2.0, 2.0]], [[-2.5, 2.5]]),
        ([np.linspace(0, 1, 99)], [np.append(np.linspace(0, 1, 98), 15.0)]),  # rarely lit pixels
        ([np.linspace(-2, 3, 99)], [np.append(np.linspace(-2, 3, 98), 830.0)]),
    ],
)
def test_pixels_of_the_same_range_raise_no_warning(fitted, other):
    holder = Holder()
    fit_images(holder, fitted)
    check_images(holder, other)


@pytest.mark.parametrize("standardize", [False, True])
def test_standardised_pixels_are_scaled_by_most_of_them(garments, standardize):
    X = garments[0].reshape(300, -1)
    scaler = StandardScaler().fit(X[:200])
    holder = Holder()
    images = fit_images(holder, scaler.transform(X[:200]), standardize=standardize)
    assert np.ptp(images.pixel_range) < (1 if standardize else 6) < np.ptp(images.pixels) / 2
    if standardize:  # nearly as they are
        assert_allclose(images.scaled(slice(0, 9)), images.pixels[:9], atol=0.3, rtol=0.4)
    check_images(holder, scaler.transform(X[200:]))
    for image in scaler.transform(X[200:]):
        check_images(holder, image[np.newaxis])


def test_column_names_are_remembered_and_not_asked_of_images():
    X = np.random.default_rng(0).integers(0, 256, (3, 4, 4), dtype=np.uint8)
    holder = Holder()
    fit_images(holder, as_frame(X))
    assert list(holder.feature_names_in_[:2]) == ["pixel1", "pixel2"]
    check_images(holder, X)  # would warn, as an array without names does
    with pytest.raises(ValueError, match="feature names"):
        check_images(holder, as_frame(X).iloc[:, ::-1])


@pytest.mark.parametrize("fit_form", ["square", "list", "flat"])
def test_images_without_column_names_may_be_followed_by_a_dataframe(fit_form):
    X = np.random.default_rng(0).integers(0, 256, (3, 4, 4), dtype=np.uint8)
    holder = Holder()
    fit_images(holder, FORMS[fit_form](X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(check_images(holder, as_frame(X)).pixels[..., 0], X)
    with pytest.raises(ValueError, match="X has 15 features, but Holder is expecting 16"):
        check_images(holder, as_frame(X).iloc[:, 1:])


@pytest.mark.parametrize(
    "paths",
    [
        "a.jpg",
        Path("a.jpg"),
        ["a.jpg", "b.jpg"],
        (Path("a.jpg"),),
        np.array(["a.jpg", "b.jpg"]),
        np.array([["a.jpg"]], dtype=object),
        pd.Series(["a.jpg"]),
        pd.DataFrame({"file": ["a.jpg", "b.jpg"]}),
    ],
    ids=repr,
)
def test_paths_in_the_place_of_images_are_refused_with_what_reads_them(paths):
    holder = Holder()
    fit_images(holder, np.zeros((2, 4, 4)))
    for check in (fit_images, check_images):
        with pytest.raises(TypeError, match=r"such as 'a\.jpg'.*load_images\(X.*from_paths\(X"):
            check(holder, paths)
    with pytest.raises(TypeError, match="load_images"):
        CalibratedSVC().fit(paths, [0])


def test_uint8_images_are_never_copied_whole():
    X = np.zeros((20_000, 28, 28), np.uint8)
    holder = Holder()
    tracemalloc.start()
    try:
        for chunk in fit_images(holder, X).chunks():
            assert chunk.dtype == np.float32
        for chunk in check_images(holder, X.reshape(len(X), -1)).chunks():
            assert chunk.dtype == np.float32
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Two float32 chunks of 256 images are 1.6 MB; the images themselves are 15.7 MB.
    assert peak < 4e6


def test_float64_images_are_converted_in_chunks():
    X = np.zeros((4_000, 28, 28))
    holder = Holder()
    tracemalloc.start()
    try:
        for _ in fit_images(holder, X).chunks():
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4e6


def test_the_callers_array_is_left_alone():
    X = np.random.default_rng(0).random((3, 4, 4))
    before = X.copy()
    X.flags.writeable = False
    holder = Holder()
    for images in (fit_images(holder, X), check_images(holder, X)):
        for chunk in images.chunks():
            chunk += 1
    np.testing.assert_array_equal(X, before)


def test_values_that_are_one_value_in_float32_are_refused():
    with pytest.raises(ValueError, match="one value in float32"):
        fit_images(Holder(), np.linspace(0, 1, 32).reshape(2, 4, 4) + 1e10)


def test_chunks_of_large_images_are_small():
    images = fit_images(Holder(), np.zeros((20, 600, 600, 3), np.uint8))
    assert images.chunk_size == 1
    assert fit_images(Holder(), np.zeros((2, 28, 28), np.uint8)).chunk_size == 256


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float32, np.float64])
def test_images_of_whole_numbers_from_0_to_255_are_known(dtype):
    pixels = np.zeros((4, 2, 2, 1), dtype=dtype)
    pixels[1:, 0, 0, 0] = 255
    expected = np.ones(4, dtype=bool)
    if dtype != np.uint8:
        pixels[2, 1, 1, 0], pixels[3, 1, 1, 0] = -1, 256
        expected[2:] = False
    if np.issubdtype(dtype, np.floating):
        pixels[1, 1, 1, 0] = 0.5
        expected[1] = False
    assert_array_equal(Images(pixels, (0.0, 255.0)).are_whole(), expected)


@pytest.mark.parametrize("colours", [(), (3,)])
def test_images_of_pillow_are_those_of_numpy(colours):
    X = np.random.RandomState(0).randint(0, 256, (3, 8, 9, *colours)).astype(np.uint8)
    pictures = [Image.fromarray(image) for image in X]
    for form in (pictures, tuple(pictures), pd.Series(pictures)):
        assert_array_equal(fit_images(Holder(), form).pixels.reshape(X.shape), X)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, [255]),
        ("L", 7, [7]),
        ("LA", (0, 51), [204]),
        ("P", (200, 0, 0), [200, 0, 0]),
        ("RGBA", (255, 0, 0, 51), [255, 204, 204]),
        ("CMYK", (0, 255, 255, 0), [255, 0, 0]),
        ("I;16", 40_000, [40_000]),
        ("I", 40_000, [40_000]),
        ("F", 0.5, [0.5]),
    ],
)
def test_images_of_pillow_of_any_mode_are_read_as_files_are(mode, colour, expected):
    images = fit_images(Holder(), [Image.new(mode, (8, 9), colour)] * 2)
    assert images.pixels.shape == (2, 9, 8, len(expected))
    assert images.pixels[0, 0, 0].tolist() == expected


SINGLE = {
    "gray": np.arange(256, dtype=np.uint8).reshape(16, 16),
    "channel": np.arange(256, dtype=np.uint8).reshape(16, 16, 1),
    "RGB": np.arange(768, dtype=np.int16).reshape(16, 16, 3) % 256,
}


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("form", [np.asarray, np.ndarray.tolist])
def test_a_single_image_is_told_of_its_batch_in_fit_and_predict(name, form):
    image = SINGLE[name]
    with pytest.raises(ValueError, match=r"looks like a single image.*X\[np\.newaxis\]"):
        fit_images(Holder(), form(image), [1])
    if name != "gray":  # which may be a table
        with pytest.raises(ValueError, match=r"single image.*X\[np\.newaxis\].*X\[\.\.\., np"):
            fit_images(Holder(), form(image))
    holder = Holder()
    fit_images(holder, image[np.newaxis])
    with pytest.raises(ValueError, match=r"looks like a single image.*X\[np\.newaxis\]"):
        check_images(holder, form(image))


def test_a_single_image_of_pillow_is_told_of_its_batch():
    image = Image.new("RGB", (16, 16))
    holder = Holder()
    fit_images(holder, [image])
    for refuse in (lambda: fit_images(Holder(), image), lambda: check_images(holder, image)):
        with pytest.raises(ValueError, match=r"single image.*pass \[X\] for a batch of one"):
            refuse()


def test_narrow_gray_images_with_targets_are_a_batch():
    X, y = np.arange(20 * 16 * 3).reshape(20, 16, 3), np.arange(20)
    assert fit_images(Holder(), X, y)[0].pixels.shape == (20, 16, 3, 1)


def test_bytes_of_0_and_1_raise_a_warning_in_fit_that_names_the_remedy():
    masks = np.random.RandomState(0).randint(0, 2, (20, 8, 8)).astype(np.uint8)
    with pytest.warns(
        UserWarning, match=r"uint8.* X \* 255, or X\.astype\(np\.float32\)"
    ) as caught:
        fit_images(Holder(), masks)
    assert caught[0].filename == __file__
    for fine in (masks * 255, masks.astype(np.float32), masks.astype(bool), masks * 0):
        fit_images(Holder(), fine)
    masks[-1, -1, -1] = 2
    fit_images(Holder(), masks)


def test_signed_bytes_that_have_wrapped_raise_a_warning_in_fit():
    X = np.arange(256).reshape(1, 16, 16).astype(np.uint8)
    with pytest.warns(UserWarning, match=r"int8 and values below 0.*X\.view\(np\.uint8\)"):
        fit_images(Holder(), X.view(np.int8))
    assert_array_equal(
        pixels_of(fit_images(Holder(), X.view(np.int8)[:, :8])),
        pixels_of(fit_images(Holder(), X[:, :8])),
    )
