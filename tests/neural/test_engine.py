"""Compile once: engines are reused, bounded, safe in threads, and never change a result."""

from __future__ import annotations

import functools
import gc
import random
import subprocess
import sys
import threading

import numpy as np
import psutil
import pytest
from sklearn.base import clone

from fashionkit import CNNClassifier, clear_cache
from fashionkit._backbones.pool import pool
from fashionkit._tensorflow import keras
from fashionkit.neural import architectures

FRESH_PROCESS = """
import sys, numpy as np
from fashionkit import CNNClassifier, make_garments
X, y = make_garments(300, random_state=0)
clf = CNNClassifier(
    architecture_params={"filters": (4, 4), "dense_units": (8,), "dropout": 0.5},
    epochs=2, random_state=7,
).fit(X, y)
np.save(sys.argv[1], clf.predict_proba(X))
"""


def with_dropout(**params):
    return {
        "architecture_params": {"filters": (4, 4), "dense_units": (8,), "dropout": 0.5},
        **params,
    }


def count_engines():
    return sum(len(kept) for key, kept in pool._kept.items() if key[0] == "engine")


def test_fits_of_one_kind_share_one_engine(tiny_cnn, garments):
    tiny_cnn(batch_size=16).fit(*garments)
    before = count_engines()
    tiny_cnn(batch_size=64, learning_rate=0.01, epochs=1, random_state=3).fit(*garments)
    assert count_engines() == before


@pytest.mark.slow  # as the processes of a search, in test_cnn.py
def test_a_reused_engine_gives_the_result_of_a_fresh_process(tiny_cnn, garments, tmp_path):
    X, y = garments
    other = tiny_cnn(**with_dropout(random_state=1, learning_rate=0.1, epochs=1)).fit(X, y)
    reused = tiny_cnn(**with_dropout(random_state=7)).fit(X, y)
    again = tiny_cnn(**with_dropout(random_state=7)).fit(X, y)
    path = tmp_path / "probabilities.npy"
    subprocess.run([sys.executable, "-c", FRESH_PROCESS, path], check=True)
    fresh = np.load(path)
    np.testing.assert_array_equal(reused.predict_proba(X), fresh)
    np.testing.assert_array_equal(again.predict_proba(X), fresh)
    assert not np.array_equal(other.predict_proba(X), fresh)


def test_fits_leave_fitted_estimators_alone(tiny_cnn, garments):
    X, y = garments
    first = tiny_cnn(random_state=0).fit(X, y)
    before = first.predict_proba(X)
    tiny_cnn(random_state=1).fit(X, y)
    np.testing.assert_array_equal(first.predict_proba(X), before)


def test_idle_engines_are_bounded_by_bytes(tiny_cnn, garments, monkeypatch):
    clear_cache()
    tiny_cnn().fit(*garments)
    monkeypatch.setattr(pool, "max_bytes", 2 * pool.n_bytes)
    for units in range(1, 4):
        params = {"filters": (2,), "dense_units": (units,)}
        tiny_cnn(architecture_params=params, epochs=1).fit(*garments)
        assert pool.n_bytes <= pool.max_bytes
    assert 1 <= count_engines() <= 2


def test_engines_of_a_closure_are_dropped_with_it(garments):
    def make(units):
        return lambda shape, n: architectures.basic(shape, n, filters=(2,), dense_units=(units,))

    before = len(pool)
    clf = CNNClassifier(make(3), epochs=1, random_state=0).fit(*garments)
    clf.predict(garments[0])
    assert len(pool) == before + 2
    again = clone(clf).fit(*garments)  # of the same function
    assert len(pool) == before + 2
    del clf, again
    gc.collect()
    assert len(pool) == before


def test_a_cleared_cache_leaves_fitted_estimators_as_they_are(tiny_cnn, garments):
    X, y = garments
    clf = tiny_cnn().fit(X, y)
    expected = clf.predict_proba(X)
    clear_cache()
    assert len(pool) == 0
    np.testing.assert_array_equal(clf.predict_proba(X), expected)
    np.testing.assert_array_equal(tiny_cnn().fit(X, y).predict_proba(X), expected)


def test_an_engine_is_dropped_after_a_failed_fit(tiny_cnn, garments):
    class Refuse(keras_callback()):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    kind = {"filters": (3,), "dense_units": ()}
    clf = tiny_cnn(architecture_params=kind)
    before = count_engines()
    with pytest.raises(KeyboardInterrupt):
        clf.set_params(callbacks=[Refuse()]).fit(*garments)
    assert count_engines() == before
    assert not clf.__sklearn_is_fitted__()
    interrupted = clf.set_params(callbacks=None).fit(*garments).predict_proba(garments[0])
    fresh = tiny_cnn(architecture_params=kind).fit(*garments).predict_proba(garments[0])
    np.testing.assert_array_equal(interrupted, fresh)


def test_a_fit_within_a_fit_changes_neither(tiny_cnn, garments):
    X, y = garments
    expected = tiny_cnn().fit(X, y).predict_proba(X)
    inner = []

    class FitAnother(keras_callback()):
        def on_epoch_end(self, epoch, logs=None):
            inner.append(tiny_cnn().fit(X, y).predict_proba(X))

    outer = tiny_cnn(callbacks=[FitAnother()]).fit(X, y).predict_proba(X)
    for result in (outer, *inner):
        np.testing.assert_array_equal(result, expected)


def test_threads_that_fit_at_once_get_the_results_of_fits_alone(tiny_cnn, garments):
    X, y = garments
    expected = [tiny_cnn(random_state=seed).fit(X, y).predict_proba(X) for seed in range(4)]
    results = [None] * 4
    state_before = np.random.get_state()[1].copy()

    def work(seed):
        results[seed] = tiny_cnn(random_state=seed).fit(X, y).predict_proba(X)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result, alone in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, alone)
    np.testing.assert_array_equal(np.random.get_state()[1], state_before)


# The average over few fits is noisy; a copy of the images in each is still seen.
@pytest.mark.parametrize(
    ("n_fits", "megabytes"), [(15, 2), pytest.param(30, 1, marks=pytest.mark.slow)]
)
def test_successive_fits_do_not_grow_memory(tiny_cnn, garments, n_fits, megabytes):
    X = np.tile(garments[0], (4, 1, 1))[:1000]
    y = np.tile(garments[1], 4)[:1000]
    process = psutil.Process()
    resident = []
    for _ in range(n_fits):
        clf = tiny_cnn(epochs=1).fit(X, y)
        clf.predict_proba(X)
        resident.append(process.memory_info().rss / 2**20)
    assert (resident[-1] - resident[4]) / (n_fits - 5) <= megabytes


def test_global_random_states_are_left_as_they_were(tiny_cnn, garments):
    import tensorflow as tf

    random.seed(3)
    np.random.seed(3)
    tf.random.set_seed(3)
    expected = random.random(), np.random.random(), float(tf.random.uniform(()))
    after = float(tf.random.uniform(()))
    random.seed(3)
    np.random.seed(3)
    tf.random.set_seed(3)
    tiny_cnn(**with_dropout()).fit(*garments).predict(garments[0])
    assert (
        random.random(),
        np.random.random(),
        float(tf.random.uniform(())),
    ) == expected
    tiny_cnn(**with_dropout()).fit(*garments).predict(garments[0])
    assert float(tf.random.uniform(())) == after


def test_the_users_tensorflow_seed_does_not_change_a_fit(tiny_cnn, garments):
    import tensorflow as tf

    X, y = garments
    expected = tiny_cnn(**with_dropout()).fit(X, y).predict_proba(X)
    tf.random.set_seed(99)
    np.testing.assert_array_equal(tiny_cnn(**with_dropout()).fit(X, y).predict_proba(X), expected)


def pretrained(input_shape, n_classes):
    """Build a network of which one layer has fixed weights, and one a fixed seed."""
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Flatten()(inputs)
    fixed = keras.layers.Dense(4, name="fixed", trainable=False)
    x = fixed(x)
    fixed.set_weights([np.full(fixed.kernel.shape, 0.5), np.ones(4)])
    seeded = keras.initializers.GlorotUniform(seed=5)
    x = keras.layers.Dense(4, kernel_initializer=seeded, name="seeded", trainable=False)(x)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


def test_weights_that_a_builder_loads_or_seeds_are_kept_at_every_fit(garments):
    X, y = garments
    first = CNNClassifier(pretrained, epochs=1, random_state=0).fit(X, y).model_
    second = CNNClassifier(pretrained, epochs=1, random_state=1).fit(X, y).model_
    for model in (first, second):
        np.testing.assert_array_equal(model.get_layer("fixed").get_weights()[0], 0.5)
    np.testing.assert_array_equal(
        *(m.get_layer("seeded").get_weights()[0] for m in (first, second))
    )


def keras_callback():
    import keras

    return keras.callbacks.Callback


def test_an_optimizer_of_the_users_own_is_never_mistaken_for_another(tiny_cnn, garments):
    X, y = garments

    def with_rate(value):
        def rate():
            return value

        return tiny_cnn(optimizer_params={"learning_rate": rate})

    slow = with_rate(1e-6).fit(X, y).evaluate(X, y).loss
    fast = with_rate(1e-2).fit(X, y).evaluate(X, y).loss
    assert fast < slow - 0.01


@pytest.mark.parametrize("change", ["freeze", "compile"])
def test_a_callback_that_changes_the_model_spoils_no_other_fit(tiny_cnn, garments, change):
    X, y = garments
    expected = tiny_cnn().fit(X, y).predict_proba(X)

    class Change(keras_callback()):
        def on_train_end(self, logs=None):
            if change == "freeze":
                self.model.get_layer("conv_1").trainable = False
            else:
                self.model.compile("sgd", "sparse_categorical_crossentropy")

    changed = tiny_cnn(callbacks=[Change()]).fit(X, y)
    np.testing.assert_array_equal(changed.predict_proba(X), expected)
    np.testing.assert_array_equal(tiny_cnn().fit(X, y).predict_proba(X), expected)


def test_partials_of_one_function_share_an_engine_after_cloning(garments):
    build = functools.partial(architectures.basic, filters=(2,), dense_units=())
    clf = CNNClassifier(build, epochs=1, random_state=0).fit(*garments)
    before = count_engines()
    clone(clf).fit(*garments)
    assert count_engines() == before


@pytest.fixture
def unusual_keras():
    """Set Keras as other programs of the user's might, and see that it is left so."""
    config = keras().config
    before = config.image_data_format(), config.floatx(), config.epsilon()

    def set_all(data_format, floatx, epsilon):
        config.set_image_data_format(data_format)
        config.set_floatx(floatx)
        config.set_epsilon(epsilon)

    unusual = "channels_first", "float16", 1e-3
    set_all(*unusual)
    yield
    after = config.image_data_format(), config.floatx(), config.epsilon()
    set_all(*before)
    assert after == unusual


def test_settings_of_keras_change_no_bit(garments, request):
    X, y = garments
    small = {"filters": (2, 4), "depth": 6}
    clf = CNNClassifier("resnet", architecture_params=small, epochs=1, random_state=0)
    expected = clf.fit(X, y).predict_proba(X)
    clear_cache()
    request.getfixturevalue("unusual_keras")
    np.testing.assert_array_equal(clf.fit(X, y).predict_proba(X), expected)
    assert clf.explain(X[:2]).shape == (2, 28, 28)
