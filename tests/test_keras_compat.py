"""Canaries: what is expected of each private or experimental API that fashionkit relies on.

Where a release of Keras, TensorFlow or SciKeras breaks one of them, the test that fails names it.
"""

from __future__ import annotations

import gc
import sys
import warnings

import numpy as np
import psutil
import pytest

from fashionkit import CNNClassifier, _keras_compat
from fashionkit._backbones.seeded import SeededModel
from fashionkit._tensorflow import keras, tensorflow
from fashionkit.neural._core import scikeras
from fashionkit.neural._core.optimizers import muon


def dense_model():
    layers = keras().layers
    inputs = layers.Input((3,))
    hidden = layers.Dense(2, name="hidden")(inputs)
    return keras().Model(inputs, layers.Dense(1, name="last")(hidden))


def test_variables_keep_their_initializer_in_a_stateless_scope():
    with keras().StatelessScope():
        variables = dense_model().variables
        initializers = [_keras_compat.initializer_of(variable) for variable in variables]
    assert [type(one).__name__ for one in initializers] == ["GlorotUniform", "Zeros"] * 2
    given = keras().Variable(np.ones(2))
    assert _keras_compat.initializer_of(given) is None


def test_initializers_tell_whether_their_seed_is_free():
    make = keras().initializers.GlorotUniform
    assert _keras_compat.is_free(make())
    assert not _keras_compat.is_free(make(seed=5))
    assert not _keras_compat.is_free(keras().initializers.Zeros())


def test_layers_inside_of_layers_are_found():
    inner = dense_model()
    inputs = keras().layers.Input((3,))
    outer = keras().Model(inputs, inner(inputs))
    assert {"hidden", "last"} <= {layer.name for layer in _keras_compat.all_layers(outer)}
    assert outer not in _keras_compat.all_layers(outer)


def test_symbolic_tensors_know_what_made_them():
    model = dense_model()
    operation, inputs = _keras_compat.maker_of(model.outputs[0])
    assert operation is model.get_layer("last")
    assert inputs[0] is model.get_layer("hidden").output


def test_variables_of_a_failed_build_get_no_memory():
    def build():
        dense_model()
        keras().layers.Dense(10**9).build((None, 10**9))
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        SeededModel(build)
    assert SeededModel(dense_model).model.count_params() == 11


def test_optimizers_keep_moving_averages_in_the_order_of_variables():
    model = dense_model()
    optimizer = keras().optimizers.SGD(use_ema=True)
    optimizer.build(model.trainable_variables)
    averages = _keras_compat.moving_averages(optimizer)
    assert [v.shape for v in averages] == [v.shape for v in model.trainable_variables]
    assert _keras_compat.moving_averages(keras().optimizers.SGD()) is None


def test_optimizers_know_the_position_of_a_variable():
    model = dense_model()
    optimizer = muon()()
    optimizer.build(model.trainable_variables)
    for position, variable in enumerate(model.trainable_variables):
        assert _keras_compat.index_in(optimizer, variable) == position


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_the_rate_of_a_variable_can_be_scaled(name):
    values = []
    for factor in (1.0, 0.25, 0.0):
        variables = [keras().Variable([1.0, 2.0]), keras().Variable([3.0])]
        optimizer = getattr(keras().optimizers, name)(0.1, weight_decay=0.5)
        _keras_compat.scale_rates(optimizer, [factor, 1.0])
        optimizer.apply([np.array([1.0, 2.0]), np.array([1.0])], variables)
        values.append([variable.numpy() for variable in variables])
    moved = [np.array([1.0, 2.0]) - first for first, _ in values]
    assert (moved[0] > 0.1).all()
    np.testing.assert_allclose(moved[1], moved[0] / 4, rtol=0.03)
    assert not moved[2].any()
    assert values[0][1] == values[1][1] == values[2][1]


def test_variables_beside_layers_are_told_from_other_errors():
    def compiles_inside():
        model = dense_model()
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        return model

    with pytest.raises(ValueError, match="stateless scope") as caught:
        SeededModel(compiles_inside)
    assert _keras_compat.made_variables_outside(caught.value)
    assert not _keras_compat.made_variables_outside(ValueError("something else"))


def test_failed_downloads_tell_their_address(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    address = "http://localhost:9/weights.h5"
    with pytest.raises(Exception, match="URL fetch failure") as caught:
        keras().utils.get_file(origin=address, cache_dir=tmp_path)
    assert _keras_compat.failed_download(caught.value) == address
    assert _keras_compat.failed_download(ValueError("something else")) is None


def test_networks_of_other_sizes_are_built_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with _keras_compat.any_input_size():
            model = keras().applications.MobileNetV2(
                input_shape=(40, 32, 3), alpha=0.35, include_top=False, weights=None
            )
    assert model.input_shape == (None, 40, 32, 3)


def test_weights_of_layers_that_a_file_lacks_are_noticed(tmp_path):
    path = tmp_path / "model.weights.h5"
    inputs = keras().layers.Input((3,))
    small = keras().Model(inputs, keras().layers.Dense(2, name="hidden")(inputs))
    small.save_weights(path)
    with _keras_compat.no_layer_left_out(), pytest.raises((UserWarning, ValueError)):
        dense_model().load_weights(path)


def test_shuffles_are_permutations_that_seed_and_epoch_decide():
    tf = tensorflow()

    def order(seed, epoch, n=100):
        seed, epoch = tf.constant(seed, tf.int64), tf.constant(epoch, tf.int64)
        positions = tf.range(n, dtype=tf.int64)
        return _keras_compat.shuffled(positions, seed, epoch, n).numpy()

    np.testing.assert_array_equal(np.sort(order(7, 0)), np.arange(100))
    np.testing.assert_array_equal(order(7, 0), order(7, 0))
    assert not np.array_equal(order(7, 0), order(7, 1))
    assert not np.array_equal(order(7, 0), order(8, 0))
    # Checkpoints and repeated fits need the order to stay the same from release to release.
    assert order(7, 0, 10).tolist() == [7, 6, 3, 8, 4, 0, 1, 2, 5, 9]


def test_seeds_fold_in_numbers():
    tf = tensorflow()
    seed = tf.constant([1, 2], tf.int64)
    first, again, other = (_keras_compat.fold_in(seed, n).numpy().tolist() for n in (1, 1, 2))
    assert first == again != other


def test_datasets_run_as_they_were_written():
    tf = tensorflow()
    dataset = _keras_compat.without_optimization(tf.data.Dataset.range(5))
    assert [int(number) for number in dataset] == list(range(5))
    options = dataset.options()
    assert not options.autotune.enabled
    assert not options.experimental_optimization.apply_default_optimizations
    policy = tf.data.experimental.ExternalStatePolicy.IGNORE
    assert options.experimental_external_state_policy == policy


def test_functions_are_traced_as_they_are():
    def positive(x):
        return x if x > 0 else -x  # which AutoGraph would rewrite

    tf = tensorflow()
    assert int(tf.function(positive)(tf.constant(-3))) == 3
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        tf.function(_keras_compat.traced_as_it_is(positive))(tf.constant(-3))


def test_devices_without_a_compute_capability_have_none():
    (processor,) = tensorflow().config.list_physical_devices("CPU")
    assert _keras_compat.compute_capability(processor) == 0


def test_direct_calls_give_what_the_function_gives():
    tf = tensorflow()
    captured = tf.Variable(3.0)
    function = tf.function(lambda xs, y: captured * xs[0] + xs[1] - y)
    spec = tf.TensorSpec((), tf.float32)
    concrete = function.get_concrete_function([spec, spec], spec)
    one, two, four = map(tf.constant, (1.0, 2.0, 4.0))
    call = _keras_compat.direct_call(concrete)
    assert float(call([two, four, one])) == float(concrete(two, four, one)) == 9
    captured.assign(5.0)
    assert float(call([two, four, one])) == 13
    with pytest.raises(ValueError, match="has 2 outputs"):
        _keras_compat.direct_call(tf.function(lambda x: (x, x)).get_concrete_function(spec))


@pytest.mark.slow  # as fits that follow each other, in neural/test_engine.py
def test_functions_that_were_called_directly_are_let_go():
    tf = tensorflow()

    def call_one(number):
        def product(x):
            for _ in range(60):
                x = tf.matmul(x, x) * 0.01 + number
            return x

        function = tf.function(product, autograph=False)
        _keras_compat.direct_call(function.get_concrete_function(tf.TensorSpec((4, 4))))(
            [tf.eye(4)]
        )

    process = psutil.Process()
    growth, number = [], 0
    for _ in range(4):
        before = process.memory_info().rss
        for _ in range(8):
            call_one(number)
            number += 1
        gc.collect()
        growth.append((process.memory_info().rss - before) / 8)
    assert min(growth) < 0.4 * 2**20  # of 0.9 MB that each takes


class TestSciKeras:
    def test_the_installed_one_is_used(self):
        assert scikeras.wrapper_class() is not None

    @pytest.mark.parametrize("fault", ["missing", "broken", "changed"])
    def test_without_it_the_same_bits_are_fitted(self, tiny_cnn, garments, monkeypatch, fault):
        def make():
            optimizer_params = {"beta_1": 0.8}
            clf = tiny_cnn(optimizer_params=optimizer_params, validation_fraction=0.2)
            return clf.fit(*garments).set_params(validation_fraction=None).partial_fit(*garments)

        expected = make()
        if fault == "missing":
            monkeypatch.setitem(sys.modules, "scikeras.wrappers", None)
        elif fault == "broken":
            monkeypatch.delattr("scikeras.wrappers.KerasClassifier")
        else:
            monkeypatch.delattr("scikeras.wrappers.BaseWrapper._fit_keras_model")
        monkeypatch.setattr(scikeras, "wrapper_class", scikeras.wrapper_class.__wrapped__)
        assert scikeras.wrapper_class() is None
        clf = make()
        assert isinstance(clf, CNNClassifier)
        assert clf.history_ == expected.history_
        np.testing.assert_array_equal(
            clf.predict_proba(garments[0]), expected.predict_proba(garments[0])
        )
