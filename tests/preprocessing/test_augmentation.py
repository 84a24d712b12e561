"""Augmentation: each distortion does what it says, in a graph and outside, in every form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import parametrize_with_checks

from fashionkit import Augmentation
from fashionkit._tensorflow import tensorflow
from fashionkit.preprocessing import _distort
from fashionkit.preprocessing._augment import augment

EVERYTHING = {
    "rotation": 20.0,
    "horizontal_flip": "random",
    "zoom": 0.2,
    "translation": 0.1,
    "contrast": 0.3,
    "erasing": 0.5,
    "mixup": 0.2,
    "cutmix": 1.0,
}
FILL_MODES = ("constant", "nearest", "reflect")
shapes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from((1, 3)))


class Replay:
    """Gives numbers that were drawn before, in the same order."""

    def __init__(self, seed, n):
        self._random = np.random.default_rng(seed)
        self._n = n

    def uniform(self, low, high, size):
        return self._random.uniform(low, high, self._known(size)).astype(np.float32)

    def beta(self, a, b, size):
        return self._random.beta(a, b, self._known(size)).astype(np.float32)

    def _known(self, size):
        return tuple(side if isinstance(side, int) else self._n for side in size)


def make_images(n, shape=(28, 28, 1), seed=0):
    return np.random.default_rng(seed).random((n, *shape), dtype=np.float32)


def make_targets(n, n_outputs=3, seed=0):
    targets = np.random.default_rng(seed).random((n, n_outputs), dtype=np.float32)
    return targets / targets.sum(axis=1, keepdims=True)


def run(images, targets=None, *, epoch=0, seed=0, **params):
    """Augment a batch outside any graph."""
    augmentation = Augmentation(**params)
    augmentation._validate_params()
    images, targets = augment(
        augmentation,
        tensorflow().constant(images),
        targets,
        np.arange(len(images)),
        epoch,
        np.random.default_rng(seed),
    )
    return np.asarray(images), None if targets is None else np.asarray(targets)


def move(images, *, flipped=False, angle=0.0, scale=1.0, shift=(0, 0), fill_mode="constant"):
    """Apply one affine map to all images."""
    n = len(images)
    moved = _distort.transform(
        tensorflow().constant(images),
        np.full(n, flipped),
        np.full(n, angle, np.float32),
        np.full(n, scale, np.float32),
        np.tile(np.int32(shift), (n, 1)),
        fill_mode,
    )
    return np.asarray(moved)


def pad(images, margin, fill_mode):
    mode = {"constant": "constant", "nearest": "edge", "reflect": "symmetric"}[fill_mode]
    return np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode)


# Flips and shifts


@given(
    shape=shapes,
    flips=st.tuples(st.booleans(), st.booleans()),
    shifts=st.tuples(*[st.tuples(st.integers(-8, 8), st.integers(-8, 8))] * 2),
    fill_mode=st.sampled_from(FILL_MODES),
)
def test_flips_and_shifts_copy_pixels_as_the_affine_map_does(shape, flips, shifts, fill_mode):
    height, width, _ = shape
    images = make_images(2, shape)
    shifts = np.array([(y % height, x % width) for y, x in shifts], np.int32)
    flipped = np.array(flips)
    moved = _distort.flip_and_shift(tensorflow().constant(images), flipped, shifts, fill_mode)
    mapped = _distort.transform(
        tensorflow().constant(images),
        flipped,
        np.zeros(2, np.float32),
        np.ones(2, np.float32),
        shifts,
        fill_mode,
    )
    padded = pad(np.where(flipped[:, None, None, None], images[:, :, ::-1], images), 9, fill_mode)
    expected = [
        image[9 - y : 9 - y + height, 9 - x : 9 - x + width]
        for image, (y, x) in zip(padded, shifts, strict=True)
    ]
    np.testing.assert_array_equal(moved, expected)
    np.testing.assert_array_equal(mapped, expected)


def test_random_flip_mirrors_about_half_of_the_images():
    images = make_images(400, (3, 4, 1))
    flipped, _ = run(images, horizontal_flip="random")
    is_flipped = (flipped == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert ((flipped == images).all(axis=(1, 2, 3)) ^ is_flipped).all()
    assert 150 < is_flipped.sum() < 250


def test_alternating_flip_mirrors_a_half_and_then_the_other():
    images = make_images(2000, (1, 2, 1))
    epochs = [run(images, epoch=e, seed=e, horizontal_flip="alternating")[0] for e in range(4)]
    is_flipped = [(epoch != images).any(axis=(1, 2, 3)) for epoch in epochs]
    assert 900 < is_flipped[0].sum() < 1100
    np.testing.assert_array_equal(is_flipped[1], ~is_flipped[0])
    np.testing.assert_array_equal(is_flipped[2], is_flipped[0])
    np.testing.assert_array_equal(is_flipped[3], is_flipped[1])


def test_alternating_flip_follows_the_image_not_its_place_in_the_batch():
    images, order = make_images(50, (1, 4, 1)), np.random.default_rng(0).permutation(50)
    params, random = Augmentation(horizontal_flip="alternating"), np.random.default_rng(0)
    in_order, _ = augment(params, tensorflow().constant(images), None, np.arange(50), 0, random)
    shuffled, _ = augment(params, tensorflow().constant(images[order]), None, order, 0, random)
    np.testing.assert_array_equal(np.asarray(in_order)[order], shuffled)


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1])
def test_halves_have_no_pattern_and_depend_on_the_seed(seed):
    halves = np.asarray(_distort.halve(np.arange(20_000), seed))
    assert set(halves) == {0, 1}
    others = np.asarray(_distort.halve(np.arange(20_000), 12_345))
    for same in (halves == 1, halves == others, *(halves[k:] == halves[:-k] for k in (1, 2, 10))):
        assert abs(same.mean() - 0.5) < 0.02


def test_shifts_are_whole_pixels_up_to_the_share_and_all_equally_likely():
    image = np.zeros((1, 21, 31, 1), np.float32)
    image[0, 10, 15] = 1
    shifted, _ = run(np.repeat(image, 3000, axis=0), translation=0.1)
    image_number, rows, columns, _ = np.nonzero(shifted)
    assert len(np.unique(image_number)) == len(image_number) == 3000
    assert (shifted[shifted > 0] == 1).all()
    for shifts, largest in ((rows - 10, 2), (columns - 15, 3)):
        values, counts = np.unique(shifts, return_counts=True)
        np.testing.assert_array_equal(values, np.arange(-largest, largest + 1))
        assert counts.min() > 0.8 * counts.mean()


@pytest.mark.parametrize("extreme", [0.0, 1.0])
def test_random_numbers_at_the_ends_stay_in_bounds(extreme):
    class Ends:
        def uniform(self, low, high, size):
            return np.full(size, low + extreme * (high - low))

    images = np.ones((2, 5, 7, 1), np.float32)
    params = Augmentation(translation=0.9, erasing=1.0, erasing_value=0.5)
    augmented, _ = augment(params, tensorflow().constant(images), None, np.arange(2), 0, Ends())
    assert np.isfinite(augmented).all()
    shifts = np.asarray(_distort.draw_shifts(Ends(), (4, 6), 2))
    np.testing.assert_array_equal(np.abs(shifts), [[4, 6], [4, 6]])


# Rotation and zoom


def test_rotation_by_a_quarter_turns_counterclockwise():
    images = make_images(2, (7, 7, 3))
    turned = move(images, angle=90.0)
    np.testing.assert_allclose(turned, np.rot90(images, axes=(1, 2)), atol=1e-5)


@given(angle=st.floats(-180, 180, width=32), side=st.sampled_from((15, 16)))
def test_rotation_keeps_the_centre_and_the_mass(angle, side):
    y, x = np.indices((side, side)) - (side - 1) / 2
    blob = np.exp(-(x**2 + 2 * y**2) / 8).astype(np.float32)[None, ..., None]
    turned = move(blob, angle=angle)
    assert turned.sum() == pytest.approx(blob.sum(), rel=0.02)
    for axis in (x, y):
        assert (turned[0, ..., 0] * axis).sum() == pytest.approx(0, abs=0.02 * float(blob.sum()))


def test_angles_are_up_to_the_largest_one():
    image = np.zeros((1, 41, 41, 1), np.float32)
    image[0, 20, 35:] = 1
    turned, _ = run(np.repeat(image, 200, axis=0), rotation=30.0)
    y, x = np.indices((41, 41)) - 20
    angles = np.degrees(
        np.arctan2(-(turned[..., 0] * y).sum((1, 2)), (turned[..., 0] * x).sum((1, 2)))
    )
    assert -31 < angles.min() < -25
    assert 25 < angles.max() < 31


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.25, 1.6])
def test_zoom_scales_areas_around_the_centre(scale):
    y, x = np.indices((31, 41)) - np.array([15, 20])[:, None, None]
    blob = np.exp(-(x**2 + y**2) / 20).astype(np.float32)[None, ..., None]
    zoomed = move(blob, scale=scale)
    assert zoomed.sum() == pytest.approx(scale**2 * blob.sum(), rel=0.02)
    assert zoomed[0, 15, 20, 0] == pytest.approx(1)


def test_zoom_draws_scales_on_both_sides_of_one():
    image = np.zeros((1, 31, 31, 1), np.float32)
    image[0, 10:21, 10:21] = 1
    zoomed, _ = run(np.repeat(image, 300, axis=0), zoom=0.3)
    scales = np.sqrt(zoomed.sum(axis=(1, 2, 3)) / 121)
    assert 0.65 < scales.min() < 0.75
    assert 1.25 < scales.max() < 1.35


@pytest.mark.parametrize(
    ("fill_mode", "corner"), [("constant", 0.0), ("nearest", 0.5), ("reflect", 0.5)]
)
def test_fill_mode_says_what_lies_beyond_the_border(fill_mode, corner):
    images = np.full((1, 9, 9, 1), 0.5, np.float32)
    turned = move(images, angle=45.0, fill_mode=fill_mode)
    assert turned[0, 0, 0, 0] == pytest.approx(corner, abs=1e-6)
    assert turned[0, 4, 4, 0] == pytest.approx(0.5)


# Contrast and erasing


@given(factor=st.floats(0, 1, width=32), shape=shapes)
def test_contrast_scales_around_the_mean(factor, shape):
    images = make_images(2, shape)
    changed = np.asarray(
        _distort.change_contrast(tensorflow().constant(images), np.full(2, factor, np.float32))
    )
    means = images.mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(changed, means + factor * (images - means), atol=1e-6)


def test_raised_contrast_is_cut_off_at_black_and_white():
    changed, _ = run(make_images(100), contrast=1.0)
    assert changed.min() == 0
    assert changed.max() == 1


@given(
    shape=st.tuples(st.integers(8, 30), st.integers(8, 30), st.sampled_from((1, 3))),
    area=st.tuples(st.floats(0.05, 0.9), st.floats(0.05, 0.9)).map(sorted).map(tuple),
    aspect=st.floats(0.2, 1.0),
    seed=st.integers(0, 100),
)
def test_erased_is_one_rectangle_of_the_area_and_aspect(shape, area, aspect, seed):
    height, width, _ = shape
    images = np.zeros((10, *shape), np.float32)
    erased, _ = run(
        images, seed=seed, erasing=1.0, erasing_area=area, erasing_aspect=aspect, erasing_value=1.0
    )
    for image in erased:
        rows, columns = image.any(axis=(1, 2)).sum(), image.any(axis=(0, 2)).sum()
        assert image.sum() == rows * columns * shape[2]
        # Each side is rounded by half a pixel at most.
        smallest, largest = (share * height * width for share in area)
        assert (rows + 0.51) * (columns + 0.51) >= smallest
        assert (rows - 0.51) * (columns - 0.51) <= largest
        # In a narrow image, ratios are as near as possible to those asked for.
        lowest, highest = min(aspect, height**2 / largest), max(1 / aspect, largest / width**2)
        assert (rows + 0.51) / (columns - 0.51) >= lowest
        assert (rows - 0.51) / (columns + 0.51) <= highest


def test_erasing_in_a_strip_keeps_its_area():
    erased, _ = run(
        np.zeros((50, 1, 100, 1), np.float32),
        erasing=1.0,
        erasing_area=(0.2, 0.3),
        erasing_value=1.0,
    )
    counts = erased.sum(axis=(1, 2, 3))
    assert counts.min() >= 20
    assert counts.max() <= 30


@pytest.mark.parametrize(("probability", "low", "high"), [(0.25, 0.2, 0.3), (1.0, 1.0, 1.0)])
def test_erasing_has_its_probability(probability, low, high):
    erased, _ = run(np.zeros((1500, 6, 6, 1), np.float32), erasing=probability, erasing_value=1.0)
    assert low <= erased.any(axis=(1, 2, 3)).mean() <= high


def test_erasing_at_random_paints_new_noise_in_each_pixel_and_channel():
    erased, _ = run(np.full((50, 20, 20, 3), 2, np.float32), erasing=1.0, erasing_area=(0.3, 0.4))
    noise = erased[erased != 2]
    assert len(np.unique(noise)) > 0.99 * len(noise)
    assert noise.mean() == pytest.approx(0.5, abs=0.02)
    assert noise.std() == pytest.approx(np.sqrt(1 / 12), abs=0.02)


def test_rectangles_reach_all_corners():
    erased, _ = run(np.zeros((500, 8, 8, 1), np.float32), erasing=1.0, erasing_value=1.0)
    often = erased.mean(axis=0)[..., 0]
    assert often[[0, 0, -1, -1], [0, -1, 0, -1]].min() > 0.01
    np.testing.assert_allclose(often, often[::-1, ::-1], atol=0.1)


# Mixing


def test_mixup_mixes_images_and_targets_in_one_proportion():
    images, targets = make_images(40), make_targets(40)
    mixed, mixed_targets = run(images, targets, mixup=1.0)
    partners = np.roll(images, -1, axis=0)
    shares = ((mixed - partners) / (images - partners))[:, 0, 0]
    expected = shares * targets + (1 - shares) * np.roll(targets, -1, axis=0)
    np.testing.assert_allclose(mixed_targets, expected, atol=1e-4)
    assert len(np.unique(shares.round(3))) > 30  # each image has its own


def test_cutmix_mixes_targets_by_the_pixels_that_are_left():
    n = 60
    images = np.broadcast_to(np.arange(n, dtype=np.float32)[:, None, None, None], (n, 9, 12, 3))
    targets = np.eye(n, dtype=np.float32)
    mixed, mixed_targets = run(images, targets, cutmix=1.0)
    for number, (image, target) in enumerate(zip(mixed, mixed_targets, strict=True)):
        kept = (image == number).all(axis=2)
        cut = (image == (number + 1) % n).all(axis=2)
        assert (kept ^ cut).all()
        assert cut.sum() == cut.any(axis=0).sum() * cut.any(axis=1).sum()  # a rectangle
        assert target[number] == pytest.approx(kept.mean(), abs=1e-6)
        assert target[(number + 1) % n] == pytest.approx(cut.mean(), abs=1e-6)


@pytest.mark.parametrize("params", [{"mixup": 0.2}, {"cutmix": 1.0}, {"mixup": 1, "cutmix": 1}])
def test_mixing_keeps_the_sums_of_targets_and_does_without(params):
    images, targets = make_images(30), make_targets(30)
    mixed, mixed_targets = run(images, targets, **params)
    np.testing.assert_allclose(mixed_targets.sum(axis=1), 1, atol=1e-5)
    assert (mixed != images).any()
    without, none = run(images, None, **params)
    assert none is None
    np.testing.assert_array_equal(without, mixed)


def test_weights_of_targets_are_mixed_with_them():
    images, targets, weights = make_images(30), make_targets(30), np.arange(30, dtype=np.float32)
    _, mixed = run(images, targets * weights[:, None], cutmix=1.0)
    _, shares = run(images, np.eye(30, dtype=np.float32), cutmix=1.0)
    np.testing.assert_allclose(mixed, shares @ (targets * weights[:, None]), rtol=1e-4)


def test_each_batch_is_mixed_one_way_or_the_other():
    images = np.broadcast_to(np.float32([0, 1, 2])[:, None, None, None], (3, 8, 8, 1))
    is_cut = [
        np.isin(run(images, seed=seed, mixup=1.0, cutmix=1.0)[0], (0, 1, 2)).all()
        for seed in range(60)
    ]
    assert 15 < sum(is_cut) < 45


def test_small_alphas_hardly_mix():
    images = make_images(50)
    mixed, _ = run(images, mixup=1e-3)
    kept = np.isclose(mixed, images, atol=1e-3).all(axis=(1, 2, 3))
    swapped = np.isclose(mixed, np.roll(images, -1, axis=0), atol=1e-3).all(axis=(1, 2, 3))
    assert (kept | swapped).mean() > 0.9


def test_targets_of_any_form_pass_where_nothing_is_mixed():
    labels = np.arange(5)
    _, same = run(make_images(5), labels, rotation=10)
    np.testing.assert_array_equal(same, labels)


# In a graph and outside


@pytest.mark.parametrize(
    "params",
    [
        EVERYTHING,
        {"horizontal_flip": "alternating", "translation": 0.2, "random_state": 3},
        {"horizontal_flip": "random", "translation": 0.2, "fill_mode": "reflect"},
        {"rotation": 20, "erasing": 0.5, "erasing_value": 0.5, "fill_mode": "nearest"},
        {"mixup": 0.3},
        {"cutmix": 0.3},
    ],
)
@pytest.mark.parametrize("shape", [(9, 12, 3), (7, 5, 1)])
def test_a_graph_of_unknown_batch_size_gives_what_eager_mode_gives(params, shape):
    tf = tensorflow()
    images, targets = make_images(6, shape), make_targets(6)
    augmentation = Augmentation(**params)

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, *shape), tf.float32),
            tf.TensorSpec((None, 3), tf.float32),
            tf.TensorSpec((None,), tf.int64),
            tf.TensorSpec((), tf.int64),
        ]
    )
    def in_graph(images, targets, rows, epoch):
        distorted, mixed = augment(augmentation, images, targets, rows, epoch, Replay(0, 6))
        assert distorted.shape[1:] == shape
        return distorted, mixed

    arguments = (
        tf.constant(images),
        tf.constant(targets),
        tf.range(6, dtype=tf.int64),
        tf.constant(1, tf.int64),
    )
    inside = in_graph(*arguments)
    outside = augment(augmentation, *arguments, Replay(0, 6))
    for one, other in zip(inside, outside, strict=True):
        assert one.dtype == tf.float32
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_data_set_of_batches_can_be_augmented():
    tf = tensorflow()
    augmentation = Augmentation(**EVERYTHING)

    class Stateless:
        def uniform(self, low, high, size):
            return tf.random.stateless_uniform(size, (1, 2), low, high)

        def beta(self, a, b, size):
            return self.uniform(0.0, 1.0, size)

    def distort(images, targets, rows):
        return augment(augmentation, images, targets, rows, tf.constant(0, tf.int64), Stateless())

    batches = tf.data.Dataset.from_tensor_slices(
        (make_images(7), make_targets(7), np.arange(7))
    ).batch(4)
    results = list(batches.map(distort))
    assert [tuple(images.shape) for images, _ in results] == [(4, 28, 28, 1), (3, 28, 28, 1)]


# The transformer


@pytest.fixture(scope="module")
def pictures():
    """Return a few hundred uint8 images, more than one chunk of them."""
    return np.random.default_rng(0).integers(0, 256, (300, 8, 8), dtype=np.uint8)


def test_everything_is_off_by_default(pictures):
    augmentation = Augmentation()
    assert augmentation.is_identity
    assert not augmentation.mixes_targets
    same = augmentation.fit_transform(pictures)
    np.testing.assert_array_equal(same, pictures)
    assert not np.shares_memory(same, pictures)


@pytest.mark.parametrize("name", EVERYTHING)
def test_each_distortion_can_be_turned_on_alone(pictures, name):
    augmentation = Augmentation(**{name: EVERYTHING[name]}, random_state=0)
    assert not augmentation.is_identity
    assert augmentation.mixes_targets == (name in ("mixup", "cutmix"))
    changed = augmentation.fit_transform(pictures)
    assert (changed != pictures).any()
    assert (changed.shape, changed.dtype) == (pictures.shape, np.uint8)


@pytest.mark.parametrize("shape", [(8, 8, 1), (6, 9, 1), (8, 8, 3), (1, 1, 1), (1, 5, 3)])
def test_flat_square_and_channel_forms_are_distorted_alike(shape):
    X = np.random.default_rng(0).integers(0, 256, (20, *shape), dtype=np.uint8)
    forms = [X, X.reshape(20, -1), list(X)]
    if shape[2] == 1:
        forms += [X[..., 0], list(X[..., 0])]
    augmentation = Augmentation(**EVERYTHING, random_state=0, image_shape=shape)
    expected = augmentation.fit_transform(X)
    for form in forms:
        distorted = augmentation.fit_transform(form)
        assert distorted.shape == np.shape(form)
        np.testing.assert_array_equal(distorted.reshape(X.shape), expected)


def test_data_frames_keep_their_columns(pictures):
    table = pd.DataFrame(pictures.reshape(300, -1)).rename(columns="pixel{}".format)
    augmentation = Augmentation(rotation=10, random_state=0).set_output(transform="pandas")
    distorted = augmentation.fit_transform(table)
    assert list(distorted.columns) == list(table.columns)
    expected = Augmentation(rotation=10, random_state=0).fit_transform(pictures)
    np.testing.assert_array_equal(distorted, expected.reshape(300, -1))


@pytest.mark.parametrize("seed", [0, 7])
def test_an_integer_seed_repeats_the_distortions(pictures, seed):
    augmentation = Augmentation(**EVERYTHING, random_state=seed)
    first = augmentation.fit_transform(pictures)
    np.testing.assert_array_equal(augmentation.fit_transform(pictures), first)
    assert (
        clone(augmentation).set_params(random_state=seed + 1).fit_transform(pictures) != first
    ).any()


def test_without_a_seed_each_call_distorts_anew(pictures):
    augmentation = Augmentation(rotation=20)
    assert (augmentation.fit_transform(pictures) != augmentation.fit_transform(pictures)).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_what_is_predicted_is_not_distorted(pictures, dtype):
    X = pictures.astype(dtype)
    augmentation = Augmentation(**EVERYTHING, random_state=0).fit(X)
    for form in (X, X.reshape(len(X), -1), X[..., None]):
        same = augmentation.transform(form)
        np.testing.assert_array_equal(same, form)
        assert same.dtype == dtype
        assert not np.shares_memory(same, form)
    assert get_tags(augmentation).non_deterministic


def test_a_pipeline_distorts_what_it_learns_from_alone(pictures):
    seen = []

    class Record(DummyClassifier):
        def fit(self, X, y):
            seen.append(X)
            return super().fit(X, y)

        def predict(self, X):
            seen.append(X)
            return super().predict(X)

    augmentation = Augmentation(rotation=20, random_state=0)
    make_pipeline(augmentation, Record()).fit(pictures, pictures[:, 0, 0] > 99).predict(pictures)
    np.testing.assert_array_equal(seen[0], augmentation.fit_transform(pictures))
    np.testing.assert_array_equal(seen[1], pictures)


def test_chunks_differ_from_each_other():
    same = np.repeat(make_images(1, (8, 8)), 600, axis=0)
    distorted = Augmentation(rotation=20, random_state=0).fit_transform(same)
    assert len(np.unique(distorted.reshape(600, -1), axis=0)) == 600


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 255, np.uint8),
        (0, 255, np.int64),
        (-1000, 3000, np.int16),
        (0, 1, np.float32),
        (0, 1, np.float64),
        (0, 255, np.float64),
        (-5, 7, np.float32),
    ],
)
def test_pixel_ranges_and_integers_are_kept(low, high, dtype):
    unit = make_images(40, (8, 8, 1))
    unit[0, 0, :2, 0] = 0, 1
    X = unit * (high - low) + low
    X = (np.rint(X) if np.issubdtype(dtype, np.integer) else X).astype(dtype)
    distorted = Augmentation(**EVERYTHING, random_state=0).fit_transform(X)
    assert distorted.dtype == (dtype if np.issubdtype(dtype, np.integer) else np.float32)
    few = 1e-3 if low >= 0 or np.issubdtype(dtype, np.integer) else 2e-2  # by most of them
    assert distorted.min() == pytest.approx(low, abs=few * (high - low))
    assert distorted.max() == pytest.approx(high, abs=few * (high - low))
    flipped = Augmentation(horizontal_flip="random", random_state=0).fit_transform(X)
    is_flipped = (np.abs(flipped - X) > 1e-3 * (high - low)).any(axis=(1, 2, 3))
    expected = np.where(is_flipped[:, None, None, None], X[:, :, ::-1], X)
    np.testing.assert_allclose(flipped, expected, rtol=1e-6, atol=1e-6 * (high - low))
    assert 0 < is_flipped.sum() < 40


def test_all_values_of_uint8_survive_being_shifted():
    X = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    shifted = Augmentation(translation=0.1, fill_mode="reflect").fit_transform(X)
    assert set(np.unique(shifted)) <= set(range(256))
    flipped = Augmentation(horizontal_flip="alternating").fit_transform(np.repeat(X, 9, axis=0))
    assert {tuple(image.ravel()) for image in flipped} == {
        tuple(X[0].ravel()),
        tuple(X[0, :, ::-1].ravel()),
    }


@pytest.mark.parametrize(
    "params",
    [
        {"rotation": -1},
        {"rotation": 181},
        {"rotation": float("nan")},
        {"horizontal_flip": "sometimes"},
        {"horizontal_flip": True},
        {"zoom": 1.0},
        {"zoom": -0.1},
        {"translation": 1.0},
        {"translation": -0.1},
        {"contrast": 1.1},
        {"erasing": 1.1},
        {"erasing": "random"},
        {"erasing_area": 0.3},
        {"erasing_area": (0.3,)},
        {"erasing_area": (0.4, 0.02)},
        {"erasing_area": (-0.1, 0.4)},
        {"erasing_area": (0.1, 1.4)},
        {"erasing_area": (0.1, float("nan"))},
        {"erasing_area": ("a", "b")},
        {"erasing_aspect": 0.0},
        {"erasing_aspect": 1.5},
        {"erasing_value": "noise"},
        {"erasing_value": 255},
        {"mixup": -0.1},
        {"mixup": float("inf")},
        {"cutmix": -0.1},
        {"cutmix": None},
        {"fill_mode": "wrap"},
        {"random_state": "a"},
        {"image_shape": 28},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused_by_name(params):
    with pytest.raises(InvalidParameterError, match=f"The '{next(iter(params))}' parameter of "):
        Augmentation(**params).fit(np.zeros((2, 4)))


def test_the_largest_values_are_accepted():
    grid = {
        "rotation": [180],
        "zoom": [0.99],
        "translation": [0.99],
        "contrast": [1],
        "erasing": [1],
        "erasing_area": [(0, 0), (1, 1)],
        "erasing_aspect": [1e-6, 1],
        "fill_mode": FILL_MODES,
        "mixup": [0, 100],
    }
    for params in ParameterGrid(grid):
        for shape in ((5, 9, 1), (1, 1, 3)):
            distorted, _ = run(make_images(3, shape), **params)
            assert distorted.shape == (3, *shape)
            assert distorted.min() >= 0
            assert distorted.max() <= 1 + 1e-6


def test_transform_needs_a_fit(pictures):
    with pytest.raises(NotFittedError):
        Augmentation(rotation=5).transform(pictures)


def test_another_pixel_range_than_in_fit_is_warned_of(pictures):
    augmentation = Augmentation(rotation=5).fit(pictures)
    with pytest.warns(UserWarning, match="in the range"):
        augmentation.transform(pictures / 255)


@parametrize_with_checks([Augmentation(**EVERYTHING, random_state=0)])
def test_scikit_learn_checks_with_everything_on(estimator, check):
    check(estimator)
