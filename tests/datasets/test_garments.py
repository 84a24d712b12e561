import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from fashionkit.datasets import make_garments

N_TRAIN = 3000


@pytest.fixture(scope="module")
def garments():
    """Draw the images that models learn from and are scored on."""
    return make_garments(N_TRAIN + 1000, random_state=0)


def split(X, y):
    X = X / np.float32(255)
    return X[:N_TRAIN], X[N_TRAIN:], y[:N_TRAIN], y[N_TRAIN:]


@pytest.fixture(
    scope="module",
    params=[LinearSVC(C=0.03), LogisticRegression(C=0.03, tol=0.01)],
    ids=["svc", "logistic"],
)
def linear_score(request, garments):
    X_train, X_test, y_train, y_test = split(*garments)
    # On busy cores, threads waiting for each other take longer than the fit.
    with threadpool_limits(1):
        model = clone(request.param).fit(X_train.reshape(N_TRAIN, -1), y_train)
        return model.score(X_test.reshape(len(X_test), -1), y_test)


@pytest.fixture(scope="module")
def cnn_score(garments):
    import keras
    from keras import layers

    def glorot(seed):
        return keras.initializers.GlorotUniform(seed=seed)

    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu", kernel_initializer=glorot(0)),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu", kernel_initializer=glorot(1)),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu", kernel_initializer=glorot(2)),
            layers.Flatten(),
            layers.Dense(64, activation="relu", kernel_initializer=glorot(3)),
            layers.Dense(10, activation="softmax", kernel_initializer=glorot(4)),
        ]
    )
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    X_train, X_test, y_train, y_test = split(*garments)
    network.fit(X_train[..., None], y_train, batch_size=16, epochs=4, shuffle=False, verbose=0)
    _, accuracy = network.evaluate(X_test[..., None], y_test, verbose=0)
    return accuracy


@pytest.mark.parametrize("image_size", [8, 28, 37, 64])
def test_images_have_the_size_asked_for(image_size):
    X, y = make_garments(23, image_size=image_size, random_state=0)
    assert X.shape == (23, image_size, image_size)
    assert X.dtype == np.uint8
    assert y.shape == (23,)
    assert y.dtype == np.int64


@pytest.mark.parametrize("n_samples", [1, 7, 10, 99, 1000])
def test_class_counts_differ_by_at_most_one(n_samples):
    _, y = make_garments(n_samples, image_size=8, random_state=0)
    counts = np.bincount(y, minlength=10)
    assert counts.sum() == n_samples
    assert len(counts) == 10
    assert np.ptp(counts) <= 1


def test_classes_are_shuffled():
    _, y = make_garments(1000, image_size=8, random_state=0)
    # A tenth of neighbours are of one class by chance.
    assert 0.05 < np.mean(y[1:] == y[:-1]) < 0.15


def test_same_random_state_draws_the_same_images():
    X, y = make_garments(50, random_state=3)
    X_again, y_again = make_garments(50, random_state=np.random.RandomState(3))
    np.testing.assert_array_equal(X, X_again)
    np.testing.assert_array_equal(y, y_again)


def test_other_random_states_draw_other_images():
    X, _ = make_garments(50, random_state=3)
    X_other, _ = make_garments(50, random_state=4)
    assert not np.array_equal(X, X_other)


def test_another_process_draws_the_same_images():
    code = (
        "from fashionkit.datasets import make_garments;"
        "X, y = make_garments(50, random_state=3);"
        "print(X.astype(int).sum(), y.tolist())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    X, y = make_garments(50, random_state=3)
    assert run.stdout.split(maxsplit=1) == [str(X.astype(int).sum()), f"{y.tolist()}\n"]


def test_images_do_not_depend_on_how_many_are_drawn_at_once(monkeypatch):
    X, y = make_garments(60, random_state=0)
    module = sys.modules["fashionkit.datasets._garments"]
    monkeypatch.setattr(module, "_PIXELS_PER_CHUNK", 1)
    X_single, y_single = make_garments(60, random_state=0)
    np.testing.assert_array_equal(y, y_single)
    # Vectorised sines may round otherwise for arrays of another length.
    assert np.abs(X.astype(int) - X_single).max() <= 1


def test_larger_images_show_the_same_garments():
    X, y = make_garments(100, image_size=28, random_state=0)
    X_large, y_large = make_garments(100, image_size=56, random_state=0)
    np.testing.assert_array_equal(y, y_large)
    reduced = X_large.reshape(100, 28, 2, 28, 2).mean(axis=(2, 4))
    for small, large in zip(X, reduced, strict=True):
        assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.85


def test_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()
    make_garments(10, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_no_two_images_of_a_class_are_alike():
    X, y = make_garments(1000, random_state=0)
    for label in range(10):
        images = X[y == label].reshape(100, -1).astype(float)
        squares = (images**2).sum(axis=1)
        distances = squares[:, None] + squares - 2 * images @ images.T
        np.fill_diagonal(distances, np.inf)
        # Root mean square difference of the two most alike, in gray levels.
        assert np.sqrt(distances.min() / 784) > 5


def test_garments_are_bright_on_black():
    X, _ = make_garments(200, random_state=0)
    assert np.median(X[:, [0, 0, -1, -1], [0, -1, 0, -1]]) == 0
    assert X.max(axis=(1, 2)).min() > 60
    covered = np.mean(X > 30, axis=(1, 2))
    assert covered.min() > 0.03
    assert covered.max() < 0.8


def test_linear_models_on_pixels_fall_short(linear_score):
    assert 0.75 < linear_score < 0.95


@pytest.mark.slow
def test_small_cnn_beats_linear_models(cnn_score, linear_score):
    assert cnn_score > linear_score + 0.03


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 0}, r"'n_samples' parameter .* int in the range \[1, inf\)"),
        ({"n_samples": 10.0}, r"'n_samples' parameter .* Got 10\.0 instead"),
        ({"image_size": 7}, r"'image_size' parameter .* int in the range \[8, inf\)"),
        ({"random_state": "x"}, r"'random_state' parameter .* Got 'x' instead"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_garments(**arguments)
