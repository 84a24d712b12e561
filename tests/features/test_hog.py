"""HOG features: parity with scikit-image, the image contract, and errors."""

from __future__ import annotations

import itertools
import math
import pickle
import tracemalloc
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from skimage.feature import hog as skimage_hog
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from fashionkit import HOGFeatures, make_garments
from fashionkit.features import PixelFeatures, _hog

TRANSFORMERS = [HOGFeatures(), PixelFeatures()]
NORMS = ("L1", "L1-sqrt", "L2", "L2-Hys")


def scaled(X):
    return X.astype(np.float32) / np.float32(255)


def reference(images, **params):
    """Return scikit-image's features of images of shape (n, height, width, channels)."""
    if images.dtype == np.uint8:
        # Features do not depend on the scale, and division by 256 is exact: it makes no two
        # equal gradients different.
        images = images / 256
    return np.stack([skimage_hog(i, channel_axis=-1, **params) for i in images])


def has_ambiguous_channel(X):
    """Tell whether two channels have equally strong gradients that rounding could part.

    As (1, 8) and (4, 7), whose lengths are the square root of 65: which one is stronger is
    then a matter of the last bit.
    """
    if X.shape[3] == 1:
        return False
    down, right = np.zeros((2, *X.shape), dtype=np.int64)
    down[:, 1:-1] = X[:, 2:].astype(int) - X[:, :-2]
    right[:, :, 1:-1] = X[:, :, 2:].astype(int) - X[:, :, :-2]
    length = down**2 + right**2
    larger = np.maximum(np.abs(down), np.abs(right))
    strongest = length == length.max(axis=3, keepdims=True)
    kinds = np.where(strongest, larger, -1)
    others = np.where(strongest, larger, np.iinfo(np.int64).max)
    return bool((kinds.max(axis=3) != others.min(axis=3)).any())


def shares(position, count):
    """Return the two whole numbers next to a position, and what each gets by nearness."""
    lower = math.floor(position)
    share = position - lower
    return [(i, w) for i, w in ((lower, 1 - share), (lower + 1, share)) if 0 <= i < count]


def gradient(image, y, x):
    """Return the strongest gradient of all channels, 0 across the borders."""
    height, width, channels = image.shape
    candidates = []
    for channel in range(channels):
        down = right = np.float32(0)
        if 0 < y < height - 1:
            down = np.float32(image[y + 1, x, channel] - image[y - 1, x, channel])
        if 0 < x < width - 1:
            right = np.float32(image[y, x + 1, channel] - image[y, x - 1, channel])
        candidates.append((down, right))
    return map(float, max(candidates, key=lambda pair: np.hypot(*pair)))


def votes(image, y, x, orientations, pixels_per_cell, n_cells, signed, interpolate):
    """Yield the cell, the bin and the weight of each vote of a pixel."""
    down, right = gradient(image, y, x)
    magnitude = math.hypot(down, right)
    period = 360 if signed else 180
    angle = math.degrees(math.atan2(down, right)) % period * orientations / period
    if interpolate:
        # Centres of cells and bins are at whole numbers.
        rows, columns = (
            shares((side + 0.5) / pixels - 0.5, count)
            for side, pixels, count in zip((y, x), pixels_per_cell, n_cells, strict=True)
        )
        lower = math.floor(angle - 0.5)
        bins = (lower, 1 - (angle - 0.5 - lower)), (lower + 1, angle - 0.5 - lower)
    else:
        rows, columns = (
            [(side // pixels, 1)] if side // pixels < count else []
            for side, pixels, count in zip((y, x), pixels_per_cell, n_cells, strict=True)
        )
        bins = [(min(math.floor(angle), orientations - 1), 1)]
    for (row, a), (column, b), (bin_, c) in itertools.product(rows, columns, bins):
        yield row, column, bin_ % orientations, magnitude * a * b * c


def normalized(block, norm):
    if norm in ("L1", "L1-sqrt"):
        block = block / (block.sum() + 1e-5)
        return np.sqrt(block) if norm == "L1-sqrt" else block
    block = block / math.sqrt((block**2).sum() + 1e-10)
    if norm == "L2-Hys":
        block = np.minimum(block, 0.2)
        block = block / math.sqrt((block**2).sum() + 1e-10)
    return block


def slow_reference(
    image,
    orientations,
    pixels_per_cell,
    cells_per_block,
    block_norm,
    signed,
    interpolate,
):
    """Return the features of one image, pixel by pixel, as Dalal and Triggs define them."""
    n_cells = [side // pixels for side, pixels in zip(image.shape, pixels_per_cell, strict=False)]
    histograms = np.zeros((*n_cells, orientations))
    for y, x in np.ndindex(image.shape[:2]):
        for row, column, bin_, weight in votes(
            image, y, x, orientations, pixels_per_cell, n_cells, signed, interpolate
        ):
            histograms[row, column, bin_] += weight
    histograms /= math.prod(pixels_per_cell)
    n_blocks = [cells - size + 1 for cells, size in zip(n_cells, cells_per_block, strict=True)]
    height, width = cells_per_block
    blocks = [histograms[y : y + height, x : x + width] for y, x in np.ndindex(*n_blocks)]
    return np.concatenate([normalized(block, block_norm).ravel() for block in blocks])


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


@settings(max_examples=4 * settings().max_examples)
@given(images_and_params())
@example((np.zeros((1, 8, 8, 1), np.uint8), {"pixels_per_cell": (4, 4)}))
@example((np.full((1, 8, 8, 3), 255, np.uint8), {"pixels_per_cell": (4, 4)}))
def test_features_are_those_of_scikit_image(case):
    X, params = case
    assume(not has_ambiguous_channel(X))
    params = {"cells_per_block": (2, 2), **params}
    # After a square root nothing is exact: then in the same steps.
    expected = reference(scaled(X) if params.get("transform_sqrt") else X, **params)
    features = HOGFeatures(**params).fit_transform(X)
    assert features.dtype == np.float32
    assert_allclose(features, expected, atol=1e-5)
    features = HOGFeatures(**params).fit_transform(scaled(X))
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
    assert_allclose(features, reference(X, **params), atol=1e-5)


@given(images_and_params(), st.booleans(), st.booleans())
@example(
    (
        random_images((1, 9, 9, 1)),
        {
            "orientations": 1,
            "pixels_per_cell": (4, 3),
            "cells_per_block": (2, 3),
            "block_norm": "L2",
            "transform_sqrt": False,
        },
    ),
    True,
    True,
)
def test_signed_and_shared_votes_are_those_of_a_slow_reference(case, signed, interpolate):
    X, params = case
    X = X[:1]
    assume(not has_ambiguous_channel(X))
    params = {**params, "signed": signed, "interpolate": interpolate}
    root = params.pop("transform_sqrt")
    # A table or arithmetic; the square root leaves only the latter.
    forms = [(scaled(X), np.sqrt(scaled(X)) if root else scaled(X))]
    # Divided by 256, which is exact, as features hardly depend on the scale.
    forms.append((X, forms[0][1] if root else np.divide(X, 256, dtype=np.float32)))
    for images, prepared in forms:
        features = HOGFeatures(**params, transform_sqrt=root).fit_transform(images)
        expected = slow_reference(prepared[0], **params)[np.newaxis]
        assert features.shape == expected.shape
        if params["block_norm"] == "L1-sqrt":
            # A root makes much of what rounding leaves of 0.
            features, expected = features**2, expected**2
        assert_allclose(features, expected, atol=1e-5)


@pytest.mark.parametrize("interpolate", [False, True])
@pytest.mark.parametrize("orientations", [4, 9, 12])
def test_only_signed_features_tell_an_image_from_its_negative(orientations, interpolate):
    X, _ = make_garments(10, random_state=0)
    params = {"orientations": orientations, "interpolate": interpolate}
    unsigned, signed = (
        HOGFeatures(**params, signed=signed).fit(X).transform for signed in (False, True)
    )
    assert_allclose(unsigned(255 - X), unsigned(X), atol=1e-5)
    assert np.abs(signed(255 - X) - signed(X)).max() > 0.1
    if orientations % 2 == 0:
        # The negative's edges point the other way: half the bins further.
        turned = np.roll(signed(X).reshape(-1, orientations), orientations // 2, axis=1)
        assert_allclose(signed(255 - X).reshape(-1, orientations), turned, atol=1e-5)


@pytest.mark.parametrize("pixels_per_cell", [3, 4, 7])
@pytest.mark.parametrize("axis", [1, 2])
def test_sharing_votes_makes_features_change_less_with_a_shift(pixels_per_cell, axis):
    X, _ = make_garments(50, random_state=0)
    X = np.pad(X, ((0, 0), (1, 1), (1, 1)))
    shifted = np.roll(X, 1, axis=axis)

    def change(interpolate):
        hog = HOGFeatures(pixels_per_cell=pixels_per_cell, interpolate=interpolate).fit(X)
        before, after = hog.transform(X), hog.transform(shifted)
        return np.linalg.norm(after - before) / np.linalg.norm(before)

    assert change(True) < 0.9 * change(False)


@pytest.mark.parametrize("interpolate", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_features_of_several_scales_are_side_by_side(interpolate, channels, dtype):
    X = random_images((5, 28, 24, channels)).astype(dtype)
    scales = [4, (7, 3), 5]
    params = {"orientations": 6, "signed": interpolate, "interpolate": interpolate}
    hog = HOGFeatures(pixels_per_cell=scales, **params)
    expected = [HOGFeatures(pixels_per_cell=scale, **params).fit_transform(X) for scale in scales]
    assert_array_equal(hog.fit_transform(X), np.hstack(expected))
    assert hog.pixels_per_cell_ == [(4, 4), (7, 3), (5, 5)]
    assert len(hog.get_feature_names_out()) == sum(part.shape[1] for part in expected)


@pytest.mark.parametrize("scale", [4, (4, 4), (6, 3)])
def test_a_list_of_one_scale_is_that_scale(scale):
    X = random_images((3, 20, 20))
    assert_array_equal(
        HOGFeatures(pixels_per_cell=[scale]).fit_transform(X),
        HOGFeatures(pixels_per_cell=scale).fit_transform(X),
    )


def test_a_scale_can_be_given_twice():
    X = random_images((3, 20, 20))
    once, twice = (HOGFeatures(pixels_per_cell=p).fit_transform(X) for p in ([4], [4, 4]))
    assert_array_equal(twice, np.hstack([once, once]))


def test_one_number_means_a_square():
    X = random_images((3, 20, 20))
    assert_array_equal(
        HOGFeatures(pixels_per_cell=5, cells_per_block=3).fit_transform(X),
        HOGFeatures(pixels_per_cell=(5, 5), cells_per_block=[3, 3]).fit_transform(X),
    )


@pytest.mark.parametrize(
    ("size", "cell"),
    [((28, 28), (3, 3)), ((96, 64), (10, 7)), ((13, 13), (2, 2)), ((1, 30), (2, 3))],
)
def test_default_cells_follow_the_size_of_the_images(size, cell):
    hog = HOGFeatures().fit(random_images((2, *size)))
    assert hog.pixels_per_cell_ == [cell]


def test_defaults_are_those_of_scikit_image_with_the_chosen_cells():
    X = random_images((3, 28, 28, 3))
    expected = reference(X, pixels_per_cell=(3, 3), cells_per_block=(2, 2))
    assert_allclose(HOGFeatures().fit_transform(X), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 10), (30, 1), (3, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_too_small_for_default_cells_are_padded_with_their_edges(size, channels):
    X = random_images((4, *size, channels))
    hog = HOGFeatures().fit(X)
    block = [2 * pixels for pixels in hog.pixels_per_cell_[0]]
    missing = [max(0, b - s) for b, s in zip(block, size, strict=True)]
    padded = np.pad(X, ((0, 0), *((0, m) for m in missing), (0, 0)), mode="edge")
    features = hog.transform(X)
    assert features.shape == (4, len(hog.get_feature_names_out()))
    expected = reference(padded, pixels_per_cell=hog.pixels_per_cell_[0], cells_per_block=(2, 2))
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


VARIANTS = [
    {},
    {"orientations": 8, "signed": True},
    {"interpolate": True, "block_norm": "L1-sqrt"},
    {"pixels_per_cell": [3, 5], "signed": True, "interpolate": True},
    {"transform_sqrt": True},
]


@pytest.mark.parametrize("params", VARIANTS, ids=str)
@pytest.mark.parametrize("kind", ["whole", "some whole", "fractions"])
def test_the_number_of_threads_does_not_change_a_bit(params, kind, monkeypatch):
    monkeypatch.setattr(_hog, "_IMAGES_PER_TASK", 7)
    X = random_images((40, 12, 12, 3)).astype(np.float64)
    if kind == "some whole":
        X[::5] *= 0.9
    elif kind == "fractions":
        X /= 256
    hog = HOGFeatures(**params).fit(X)
    expected = hog.transform(X)
    for n_jobs in (1, 2, -1):
        assert_array_equal(hog.set_params(n_jobs=n_jobs).transform(X), expected)


@pytest.mark.parametrize("params", VARIANTS, ids=str)
def test_the_type_of_whole_numbers_does_not_change_a_bit(params):
    X = random_images((10, 12, 12, 3))
    expected = HOGFeatures(**params).fit_transform(X)
    for dtype in (np.int64, np.float64, np.float32, np.uint16):
        assert_array_equal(HOGFeatures(**params).fit_transform(X.astype(dtype)), expected)


@pytest.mark.parametrize("params", VARIANTS, ids=str)
@pytest.mark.filterwarnings("ignore:X has pixels in the range")
def test_an_image_has_the_same_features_in_any_company(params):
    X = random_images((12, 12, 12, 3)).astype(np.float64)
    hog = HOGFeatures(**params).fit(X)
    X[3] *= 0.9
    X[7] -= 3
    X[8, 0, 0, 0] = 300
    alone = np.concatenate([hog.transform(image[np.newaxis]) for image in X])
    assert_array_equal(hog.transform(X), alone)


@pytest.mark.parametrize("backend", ["loky", "threading", "sequential"])
def test_threads_work_in_the_context_of_any_backend(backend, monkeypatch):
    monkeypatch.setattr(_hog, "_IMAGES_PER_TASK", 7)
    X = random_images((30, 12, 12))
    expected = HOGFeatures().fit_transform(X)
    for n_jobs in (None, 2):
        with joblib.parallel_config(backend=backend, n_jobs=2):
            assert_array_equal(HOGFeatures(n_jobs=n_jobs).fit_transform(X), expected)


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


def test_memory_of_two_threads_and_several_scales_is_bounded():
    X = np.zeros((4000, 28, 28), dtype=np.uint8)
    hog = HOGFeatures(pixels_per_cell=[4, 7, 9], signed=True, interpolate=True, n_jobs=2).fit(X)
    tracemalloc.start()
    features = hog.transform(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - features.nbytes < 30e6


def test_images_darker_than_those_of_fit_give_no_nan():
    hog = HOGFeatures(transform_sqrt=True).fit(np.linspace(0, 1, 144).reshape(1, -1))
    assert np.isfinite(hog.transform(np.full((1, 144), -0.1))).all()


@pytest.mark.parametrize("params", VARIANTS, ids=str)
@pytest.mark.parametrize("fitted_on", [np.uint8, np.float64])
@pytest.mark.parametrize("extreme", [-3, 300, 1e9])
@pytest.mark.filterwarnings("ignore:X has pixels in the range")
def test_images_beyond_the_range_of_fit_have_finite_features(params, fitted_on, extreme):
    X = random_images((4, 12, 12))
    hog = HOGFeatures(**params).fit(X.astype(fitted_on) if fitted_on == np.uint8 else X / 255)
    X = X.astype(np.float64)
    X[1, 4, 5] = X[3] = extreme
    features = hog.transform(X)
    assert np.isfinite(features).all()
    assert features.min() >= 0
    # Of one value all over, however far beyond: no edges.
    assert not features[3].any()


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
        ({"pixels_per_cell": []}, r"pixels_per_cell=\[\] has no scale; pass None"),
        ({"pixels_per_cell": [4, 20, 5]}, r"pixels_per_cell=20 is larger than the images"),
        ({"pixels_per_cell": [4, (4, 15)]}, r"pixels_per_cell=\(4, 15\) is larger than"),
        ({"pixels_per_cell": [4, 0]}, r"pixels_per_cell=0 is not a pair of positive"),
        ({"pixels_per_cell": [2.5]}, r"pixels_per_cell=2\.5 is not a pair of positive"),
        ({"pixels_per_cell": [None]}, r"pixels_per_cell=None is not a pair of positive"),
        ({"pixels_per_cell": [(4, 4, 4)]}, r"pixels_per_cell=\(4, 4, 4\) is not a pair"),
        ({"pixels_per_cell": ((4, 4), (7, 7))}, r"pixels_per_cell=\(\(4, 4\), .* is not a"),
        ({"signed": "yes"}, "'signed' parameter"),
        ({"interpolate": None}, "'interpolate' parameter"),
        ({"n_jobs": "all"}, "'n_jobs' parameter of HOGFeatures must be an instance of 'int'"),
        ({"n_jobs": 1.5}, "'n_jobs' parameter"),
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
    assert len(names) == 2304


def test_names_of_pixels_are_those_of_the_columns():
    frame = pd.DataFrame({f"pixel{i}": [0, i] for i in range(1, 10)}, dtype=np.uint8)
    assert list(PixelFeatures().fit(frame).get_feature_names_out()) == list(frame)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_a_pickled_transformer_gives_the_same_features(transformer):
    X = random_images((3, 12, 12))
    transformer = clone(transformer).fit(X)
    again = pickle.loads(pickle.dumps(transformer))
    assert_array_equal(again.transform(X), transformer.transform(X))


@pytest.mark.parametrize(
    "params", [{"signed": True, "interpolate": True}, {"pixels_per_cell": [4, 5], "n_jobs": 2}]
)
def test_a_clone_and_a_pickle_keep_how_votes_are_cast(params):
    X = random_images((3, 12, 12))
    hog = HOGFeatures(**params).fit(X)
    expected = hog.transform(X)
    assert_array_equal(pickle.loads(pickle.dumps(hog)).transform(X), expected)
    assert_array_equal(clone(hog).fit_transform(X), expected)


@parametrize_with_checks(
    [
        HOGFeatures(4, cells_per_block=3, block_norm="L1-sqrt"),
        HOGFeatures(6, signed=True, interpolate=True, n_jobs=2),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.realdata
def test_features_of_real_images_are_those_of_scikit_image(fashion_mnist):
    X = fashion_mnist[0][::20]
    expected = reference(
        X.reshape(-1, 28, 28, 1),
        pixels_per_cell=(3, 3),
        cells_per_block=(2, 2),
    )
    with warnings.catch_warnings(action="error"):
        assert_allclose(HOGFeatures().fit_transform(X), expected, atol=1e-5)
