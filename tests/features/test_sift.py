"""Bags of visual words: OpenCV's descriptors, assignment, pyramids, the contract, and errors."""

from __future__ import annotations

import contextlib
import pickle
import sys
import threading
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_info

from fashionkit import make_garments
from fashionkit.features import _descriptors, _sift, _vocabulary
from fashionkit.features._sift import SIFTFeatures

cv2 = pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def X():
    return make_garments(60, random_state=0)[0]


@pytest.fixture(scope="module")
def fitted(X):
    """Return a fitted transformer; tests must not change it."""
    return SIFTFeatures(30, random_state=0).fit(X)


@pytest.fixture(scope="module")
def photos():
    """Return RGB images with many corners."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (4, 16, 12, 3), dtype=np.uint8)
    return blocks.repeat(6, axis=1).repeat(6, axis=2)


def random_images(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def reference(image, sift, *, steps, assignment="soft", pyramid=(4,)):
    """Return the histogram of one gray image of even sides, one key point after the other."""
    height, width = image.shape
    counts = [np.zeros((side, side, len(sift.vocabulary_))) for side in pyramid]
    (size,) = sift.sizes_
    for row in steps:
        for column in steps:
            point = cv2.KeyPoint(column, row, size, 0)
            (descriptor,) = cv2.SIFT_create(sigma=size / 2).compute(image, [point])[1]
            if not descriptor.any():
                continue
            root = np.sqrt(descriptor / descriptor.sum(dtype=float))
            squares = ((root - sift.vocabulary_) ** 2).sum(axis=1)
            weights = np.exp(-squares / (2 * sift.bandwidth**2))
            weights /= weights.sum()
            if assignment == "hard":
                weights = squares == squares.min()
            for side, level in zip(pyramid, counts, strict=True):
                level[int((row + 0.5) / height * side), int((column + 0.5) / width * side)] += (
                    weights
                )
    vector = np.concatenate([level.ravel() for level in counts])
    return np.sqrt(vector / vector.sum())


@pytest.mark.parametrize("assignment", ["soft", "hard"])
@pytest.mark.parametrize("pyramid", [(4,), (1, 2, 3)])
def test_features_are_root_histograms_of_root_sift_words(X, assignment, pyramid):
    params = {"assignment": assignment, "pyramid": pyramid}
    sift = SIFTFeatures(20, **params, random_state=0).fit(X)
    assert (sift.step_, sift.sizes_) == (4, (28 / 18,))
    steps = np.arange(1.5, 28, 4)
    expected = [reference(image, sift, steps=steps, **params) for image in X[:5]]
    assert_allclose(sift.transform(X[:5]), expected, atol=1e-4)


def test_several_sizes_add_up(X):
    both = SIFTFeatures(10, sizes=(1, 2), assignment="hard", random_state=0).fit(X)
    counts = 0
    for size in (1, 2):
        one = SIFTFeatures(10, sizes=size, assignment="hard", random_state=0).fit(X)
        one.vocabulary_ = both.vocabulary_
        counts = counts + one.transform(X) ** 2 * n_descriptors(one, X)[:, np.newaxis]
    expected = np.sqrt(counts / counts.sum(axis=1, keepdims=True))
    assert_allclose(both.transform(X), expected, atol=1e-6)


def n_descriptors(sift, X):
    """Return how many key points of each image are not in flat surroundings."""
    found = sift._describe(X[..., np.newaxis].astype(np.float32) / 255)
    return np.bincount(found.image, minlength=len(X))


@pytest.mark.parametrize(
    ("size", "step", "diameter", "n_points"),
    [((28, 28), 4, 28 / 18, 49), ((96, 64), 9, 64 / 18, 70), ((1, 30), 2, 1, 60)],
)
def test_default_grid_follows_the_size_of_the_images(size, step, diameter, n_points):
    sift = SIFTFeatures(5, random_state=0).fit(random_images((3, *size)))
    assert sift.step_ == step
    assert sift.sizes_ == (diameter,)
    assert len(sift._grid) == n_points


@pytest.mark.parametrize("scale", [2, 4])
def test_images_twice_as_large_are_described_alike(X, scale):
    # Larger key points are described in smaller octaves; only the sampling differs.
    large = np.stack([cv2.resize(x, None, fx=scale, fy=scale) for x in X])
    points = np.array([[r, c] for r in (9.5, 13.5, 17.5) for c in (9.5, 13.5, 17.5)])
    small = _sift.dense_descriptors(X, points, (2.0,))
    again = _sift.dense_descriptors(large, (points + 0.5) * scale - 0.5, (2.0 * scale,))
    assert_array_equal(small.image, again.image)
    likeness = (_sift.root_sift(small.values) * _sift.root_sift(again.values)).sum(axis=1)
    assert np.median(likeness) > 0.95


def test_detected_key_points_are_those_of_opencv(photos):
    sift = SIFTFeatures(8, keypoints="detected", assignment="hard", pyramid=(1,), random_state=0)
    features = sift.fit_transform(photos)
    for image, row in zip(photos, features, strict=True):
        gray = np.rint(image @ np.float32([0.299, 0.587, 0.114])).astype(np.uint8)
        descriptors = cv2.SIFT_create().detectAndCompute(gray, None)[1]
        roots = np.sqrt(descriptors / descriptors.sum(axis=1, keepdims=True))
        words = ((roots[:, np.newaxis] - sift.vocabulary_) ** 2).sum(axis=2).argmin(axis=1)
        assert len(words) > 20
        assert_allclose(row**2, np.bincount(words, minlength=8) / len(words), atol=1e-6)


def test_colours_become_the_gray_of_opencv(photos):
    gray = np.stack([cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY) for photo in photos])
    assert_allclose(_sift.as_gray(photos / np.float32(255)), gray.astype(float), atol=1)


@pytest.mark.parametrize("params", [{}, {"assignment": "hard"}, {"pyramid": (1, 2)}], ids=repr)
def test_a_flat_image_has_the_zero_vector(X, params):
    sift = SIFTFeatures(10, random_state=0, **params).fit(X)
    flat = np.full((1, 28, 28), 200, dtype=np.uint8)
    assert_array_equal(sift.transform(flat), 0)
    mixed = sift.transform(np.concatenate([X[:2], flat, X[2:4]]))
    assert_array_equal(mixed[[0, 1, 3, 4]], sift.transform(X[:4]))
    assert_array_equal(mixed[2], 0)


def test_an_image_without_detected_key_points_has_the_zero_vector(photos):
    sift = SIFTFeatures(10, keypoints="detected", random_state=0).fit(photos)
    assert_array_equal(sift.transform(np.full_like(photos, 9)), 0)
    assert_array_equal(sift.transform(np.concatenate([photos, photos[:1] // 255]))[4], 0)


def test_each_vector_has_length_1(X, fitted):
    assert_allclose(np.linalg.norm(fitted.transform(X), axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 2), (2, 3), (1, 10), (30, 1), (3, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_small_images_are_padded_with_their_edges(size, channels):
    images = random_images((20, *size, channels))
    missing = [(0, max(0, 8 - side)) for side in size]
    padded = np.pad(images, ((0, 0), *missing, (0, 0)), mode="edge")
    features = SIFTFeatures(random_state=0).fit_transform(images)
    assert_array_equal(features, SIFTFeatures(random_state=0).fit_transform(padded))
    assert np.isfinite(features).all()


def test_words_are_few_where_descriptors_are(X):
    assert len(SIFTFeatures().fit(X[:4]).vocabulary_) == 4 * 20 // 10
    assert len(SIFTFeatures().fit(np.concatenate([X, X])).vocabulary_) == 200


def test_few_images_are_described_where_many_could_be(X, monkeypatch):
    monkeypatch.setattr(_vocabulary, "_IMAGES_PER_SAMPLE", 16)
    described = []
    original = SIFTFeatures._describe
    monkeypatch.setattr(
        SIFTFeatures, "_describe", lambda *args: described.append(len(args[1])) or original(*args)
    )
    SIFTFeatures(5, max_descriptors=100).fit(X)
    assert sum(described) == 16


def test_flat_images_do_not_keep_descriptors_from_being_found(X, monkeypatch):
    monkeypatch.setattr(_vocabulary, "_IMAGES_PER_SAMPLE", 16)
    flat = np.zeros((300, 28, 28), dtype=np.uint8)
    sift = SIFTFeatures(900, max_descriptors=900).fit(np.concatenate([flat, X]))
    assert len(sift.vocabulary_) == 900


def test_images_that_are_flat_throughout_have_zero_vectors():
    flat = np.full((30, 28, 28), 7, dtype=np.uint8)
    assert_array_equal(SIFTFeatures().fit_transform(flat), np.zeros((30, 16)))


def test_at_most_so_many_descriptors_are_drawn_and_of_each_image(X, monkeypatch):
    drawn = []
    original = _vocabulary.root_sift
    monkeypatch.setattr(_vocabulary, "root_sift", lambda d: drawn.append(len(d)) or original(d))
    SIFTFeatures(5, max_descriptors=77).fit(X)
    SIFTFeatures(5).fit(X[:3])
    assert drawn[0] == 77
    assert 3 * 10 < drawn[1] <= 3 * 20


FORMS = {
    "flat": lambda X: X.reshape(len(X), -1),
    "channel": lambda X: X[..., np.newaxis],
    "list": list,
    "frame": lambda X: pd.DataFrame(X.reshape(len(X), -1)).add_prefix("pixel"),
    "float": lambda X: X.astype(np.float64),
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_of_the_same_images_gives_the_same_features(X, fitted, form):
    again = SIFTFeatures(30, random_state=0).fit(FORMS[form](X))
    assert_array_equal(again.transform(FORMS[form](X)), fitted.transform(X))


def test_scaled_pixels_give_the_same_features(X, fitted):
    features = SIFTFeatures(30, random_state=0).fit_transform(X / 255)
    assert_array_equal(features, fitted.transform(X))


def test_pixels_of_another_range_raise_a_warning(X, fitted):
    with pytest.warns(UserWarning, match=r"range \(0, 1\).*fitted on.*\(0, 255\)"):
        fitted.transform(X / 255)


def test_image_shape_decides_the_shape_of_flat_rows():
    images = random_images((10, 14, 56))
    sift = SIFTFeatures(image_shape=(14, 56), random_state=0)
    assert_array_equal(
        sift.fit_transform(images.reshape(10, -1)),
        SIFTFeatures(random_state=0).fit_transform(images),
    )


@pytest.mark.parametrize("params", [{}, {"keypoints": "detected"}], ids=repr)
def test_an_int_as_random_state_makes_all_the_same(photos, params):
    sift = SIFTFeatures(12, random_state=3, **params)
    assert_array_equal(sift.fit_transform(photos), clone(sift).fit_transform(photos))


@pytest.mark.parametrize("params", [{}, {"keypoints": "detected"}], ids=repr)
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_n_jobs_does_not_change_a_bit(photos, params, backend, monkeypatch):
    monkeypatch.setattr(_sift, "_VALUES_PER_CHUNK", 1)
    sift = SIFTFeatures(12, random_state=0, **params)
    expected = sift.fit_transform(photos)
    with parallel_config(backend=backend):
        assert_array_equal(clone(sift).set_params(n_jobs=3).fit_transform(photos), expected)


@pytest.mark.parametrize("values", [1, 50_000, 10**9])
def test_the_size_of_chunks_does_not_change_a_bit(X, fitted, values, monkeypatch):
    expected = fitted.transform(X)
    monkeypatch.setattr(_sift, "_VALUES_PER_CHUNK", values)
    assert_array_equal(fitted.transform(X), expected)


def test_an_image_has_the_same_features_alone(X, fitted):
    together = fitted.transform(X[:7])
    for image, features in zip(X[:7], together, strict=True):
        assert_array_equal(fitted.transform(image[np.newaxis]), features[np.newaxis])


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("fails", [False, True])
def test_numbers_of_threads_are_one_during_the_work_and_restored_after(
    X, fitted, fails, monkeypatch
):
    before = cv2.getNumThreads(), blas_threads()
    during = []
    original = _sift.dense_descriptors

    def spy(*args):
        during.append((cv2.getNumThreads(), set(blas_threads())))
        if fails:
            raise MemoryError
        return original(*args)

    monkeypatch.setattr(_sift, "dense_descriptors", spy)
    cv2.setNumThreads(2)
    try:
        transforms = [threading.Thread(target=_attempt, args=(fitted, X)) for _ in range(4)]
        for thread in transforms:
            thread.start()
        for thread in transforms:
            thread.join()
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before[0])
    assert all(cv2_threads == 1 and blas <= {1} for cv2_threads, blas in during)
    assert len(during) == 4
    assert blas_threads() == before[1]


def test_numbers_of_threads_are_restored_when_who_entered_first_leaves_first_and_lives_on():
    entered, leave, left, end = (threading.Event() for _ in range(4))

    def first():
        with _descriptors.one_thread_each():
            entered.set()
            leave.wait(60)
        left.set()
        end.wait(60)

    thread = threading.Thread(target=first)
    before = blas_threads()
    if max(before, default=1) == 1:
        pytest.skip("BLAS has one thread here: none to restore")
    thread.start()
    try:
        assert entered.wait(60)
        with _descriptors.one_thread_each():
            leave.set()
            assert left.wait(60)
            assert set(blas_threads()) <= {1}
        assert blas_threads() == before
    finally:
        leave.set()
        end.set()
        thread.join()


def _attempt(sift, X):
    with contextlib.suppress(MemoryError):
        sift.transform(X)


@pytest.mark.parametrize(
    ("params", "shape"),
    [({}, (2000, 28, 28)), ({"step": 1}, (8, 96, 96)), ({"keypoints": "detected"}, (30, 96, 96))],
    ids=["many images", "many key points", "detected"],
)
def test_memory_beyond_the_features_is_bounded(params, shape):
    images = random_images(shape)
    tracemalloc.start()
    features = SIFTFeatures(100, max_descriptors=500, **params).fit_transform(images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - features.nbytes < 40e6


def test_without_opencv_the_error_says_what_to_install(X, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    message = r'SIFTFeatures needs OpenCV; pip install "fashionkit\[sift\]", or any of the open'
    with pytest.raises(ImportError, match=message):
        SIFTFeatures().fit(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_words": 0}, "'n_words' parameter .* must be an int"),
        ({"keypoints": "sparse"}, "'keypoints' parameter .* must be a str among"),
        ({"step": 0}, "'step' parameter"),
        ({"step": 2.5}, "'step' parameter"),
        ({"sizes": 0}, "'sizes' parameter"),
        ({"assignment": "vlad"}, "'assignment' parameter"),
        ({"bandwidth": 0}, "'bandwidth' parameter"),
        ({"pyramid": 4}, "'pyramid' parameter"),
        ({"max_descriptors": 0}, "'max_descriptors' parameter"),
        ({"n_jobs": 1.5}, "'n_jobs' parameter"),
        ({"sizes": ()}, r"sizes=\(\) are not positive numbers; pass one"),
        ({"sizes": [2, -1]}, r"sizes=\[2, -1\] are not positive numbers"),
        ({"sizes": (2, "4")}, r"sizes=\(2, '4'\) are not positive numbers"),
        ({"sizes": (4, 29)}, r"sizes=\(4, 29\) has key points larger than the images \(28, 28\)"),
        ({"pyramid": ()}, r"pyramid=\(\) is not a tuple of positive integers; .* \(1, 2, 4\)"),
        ({"pyramid": (1, 0)}, r"pyramid=\(1, 0\) is not a tuple"),
        (
            {"n_words": 900, "max_descriptors": 800},
            "n_words=900 is more than the 800 descriptors drawn from X with "
            "max_descriptors=800; .*None",
        ),
    ],
)
def test_bad_parameters_are_refused_in_their_own_terms(X, params, message):
    with pytest.raises(ValueError, match=message):
        SIFTFeatures(**params).fit(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"keypoints": "detected"},
            "keypoints='detected' found no key point in the 30 images of X, of shape "
            r"\(28, 28, 1\): .*; pass keypoints='dense'",
        ),
        ({"n_words": 1}, "n_words=1 is more than the 0 descriptors"),
    ],
)
def test_flat_images_are_refused_where_words_are_asked_for(params, message):
    with pytest.raises(ValueError, match=message):
        SIFTFeatures(**params).fit(np.full((30, 28, 28), 7, dtype=np.uint8))


def test_images_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="2 different shapes"):
        SIFTFeatures().fit([np.zeros((9, 9)), np.zeros((9, 8))])


def test_output_can_be_a_frame_with_names(X):
    frame = SIFTFeatures(10).set_output(transform="pandas").fit_transform(X)
    assert list(frame.columns) == [f"siftfeatures{i}" for i in range(160)]
    assert set(frame.dtypes) == {np.dtype(np.float32)}


@pytest.mark.parametrize("params", [{}, {"keypoints": "detected", "pyramid": (1, 2)}], ids=repr)
def test_a_pickled_transformer_gives_the_same_features(photos, params):
    sift = SIFTFeatures(10, random_state=0, **params).fit(photos)
    again = pickle.loads(pickle.dumps(sift))
    assert_array_equal(again.transform(photos), sift.transform(photos))


@parametrize_with_checks(
    [SIFTFeatures(step=3, sizes=(1, 2), assignment="hard", pyramid=[1, 2], n_jobs=2)]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.realdata
def test_words_of_real_images_tell_their_classes(fashion_mnist):
    X, y, X_test, y_test = fashion_mnist
    sift = SIFTFeatures(100, random_state=0).fit(X)
    svm = LinearSVC(C=1.0, random_state=0).fit(sift.transform(X), y)
    assert svm.score(sift.transform(X_test), y_test) > 0.82


def test_colours_do_not_depend_on_how_images_lie_in_memory():
    X = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    sift = SIFTFeatures(random_state=0).fit(X)
    frame = pd.DataFrame(X.reshape(6, -1))
    assert_array_equal(sift.transform(frame), sift.transform(X))
    assert_array_equal(sift.transform(np.asfortranarray(X)), sift.transform(X))


def test_a_tiny_bandwidth_gives_no_nan():
    X = make_garments(10, random_state=0)[0]
    features = SIFTFeatures(5, bandwidth=1e-30, random_state=0).fit_transform(X)
    assert np.isfinite(features).all()
