"""The networks: what the papers say of them, and what every one of them promises."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from fashionkit import CNNClassifier
from fashionkit._tensorflow import keras
from fashionkit.neural import architectures
from fashionkit.neural.architectures import _pieces, _resnet

# Small enough to be built and trained within seconds.
TINY = {
    "alexnet": {"width": 0.02, "batch_norm": True},
    "fast": {"filters": (4, 4)},
    "inception": {"width": 0.05, "n_modules": (1, 1)},
    "lenet5": {"filters": (2, 4), "dense_units": (8,)},
    "basic": {"filters": (4, 4), "dense_units": (8,)},
    "resnet": {"filters": (4, 8), "depth": 6},
    "wide_resnet": {"filters": (2, 4), "depth": 7, "dropout": 0.3},
}

BAD = [
    ("basic", {"filters": (0.5, 4)}),
    ("basic", {"kernel_size": 0}),
    ("basic", {"dropout": 1.0}),
    ("lenet5", {"filters": (6,)}),
    ("lenet5", {"filters": 6}),
    ("lenet5", {"dense_units": (0,)}),
    ("lenet5", {"activation": "sigmoid"}),
    ("lenet5", {"pooling": None}),
    ("alexnet", {"width": 0}),
    ("alexnet", {"width": math.nan}),
    ("alexnet", {"dropout": -0.1}),
    ("alexnet", {"norm_momentum": 1, "batch_norm": True}),
    ("resnet", {"depth": 10}),
    ("resnet", {"depth": 2}),
    ("resnet", {"depth": 8.0}),
    ("resnet", {"filters": (16, 0, 64)}),
    ("resnet", {"filters": (32, 16, 8)}),
    ("resnet", {"shortcut": "none"}),
    ("wide_resnet", {"depth": 8}),
    ("wide_resnet", {"width": 1.5}),
    ("wide_resnet", {"width": True}),
    ("wide_resnet", {"dropout": "0.3"}),
    ("inception", {"width": -1}),
    ("inception", {"n_modules": ()}),
    ("inception", {"n_modules": (2, 0)}),
    ("inception", {"dropout": 1}),
]

each_architecture = pytest.mark.parametrize("name", architectures.list_architectures())

# Those that take seconds to compile are trained at night.
_LARGE = {"alexnet", "inception", "resnet", "wide_resnet"}
each_architecture_trained = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in _LARGE else ())
        for name in architectures.list_architectures()
    ],
)


@pytest.fixture
def bfloat16():
    """Let layers compute in bfloat16, as they do in mixed precision."""
    policy = keras().config.dtype_policy()
    keras().config.set_dtype_policy("mixed_bfloat16")
    yield
    keras().config.set_dtype_policy(policy)


def tiny(name, shape, n_classes=3):
    return architectures.get(name)(shape, n_classes, **TINY.get(name, {}))


def outline(build, *args, **params):
    """Build a network without drawing weights, which is all that counting needs."""
    with keras().StatelessScope():
        return build(*args, **params)


def layers_of(model, *kinds):
    return [layer for layer in model.layers if type(layer).__name__ in kinds]


def n_trainable(model):
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def multiply_adds(model):
    return sum(
        math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
        for layer in layers_of(model, "Conv2D", "Dense")
    )


class TestRegistry:
    def test_the_networks_are_listed_by_name(self):
        names = architectures.list_architectures()
        assert names == sorted(names)
        assert {"alexnet", "inception", "lenet5", "basic", "resnet", "wide_resnet"} <= set(names)

    @each_architecture
    def test_a_name_stands_for_the_function_of_that_name(self, name):
        assert architectures.get(name) is getattr(architectures, name)
        assert name in architectures.__all__

    def test_an_unknown_name_is_answered_with_the_known_ones(self):
        with pytest.raises(ValueError, match="architecture='vgg' is not known") as error:
            architectures.get("vgg")
        assert all(repr(name) in str(error.value) for name in architectures.list_architectures())

    def test_any_function_stands_for_itself(self):
        assert architectures.get(outline) is outline


class TestEveryArchitecture:
    @pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 3), (7, 5, 3)])
    @each_architecture
    def test_images_of_any_shape_get_probabilities(self, name, shape):
        images = np.random.default_rng(0).random((2, *shape), dtype=np.float32)
        probabilities = np.asarray(tiny(name, shape)(images))
        assert probabilities.shape == (2, 3)
        assert probabilities.min() >= 0
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)

    @pytest.mark.parametrize("shape", [(1, 784, 1), (784, 1, 3), (96, 64, 3)])
    @each_architecture
    def test_rows_of_pixels_and_large_images_can_be_built(self, name, shape):
        model = outline(architectures.get(name), shape, 2)
        assert model.input_shape == (None, *shape)
        assert model.output_shape == (None, 2)

    @each_architecture
    def test_building_twice_gives_the_same_network(self, name):
        first, second = (outline(tiny, name, (9, 9, 1)) for _ in range(2))
        assert first.name == name
        assert first.get_config() == second.get_config()

    @each_architecture
    def test_weights_have_names_of_their_own_that_do_not_change(self, name):
        first, second = (outline(tiny, name, (9, 9, 1)) for _ in range(2))
        paths = [weight.path for weight in first.weights]
        assert len(set(paths)) == len(paths)
        assert paths == [weight.path for weight in second.weights]

    @each_architecture
    def test_probabilities_are_float32_in_mixed_precision(self, name, bfloat16):
        model = tiny(name, (8, 8, 1))
        conv = layers_of(model, "Conv2D")[0]
        assert (conv.compute_dtype, conv.variable_dtype) == ("bfloat16", "float32")
        probabilities = model(np.ones((2, 8, 8, 1), np.float32))
        assert keras().backend.standardize_dtype(probabilities.dtype) == "float32"
        np.testing.assert_allclose(np.asarray(probabilities).sum(axis=1), 1, rtol=1e-5)

    @each_architecture_trained
    def test_it_is_a_classifier_that_can_be_cloned_and_pickled(self, name, garments):
        X, y = garments
        params = TINY.get(name, {})
        clf = CNNClassifier(
            name, architecture_params=params, optimizer="sgd", epochs=1, random_state=0
        )
        copied = clone(clf).fit(X, y)
        assert copied.get_params() == clf.get_params()
        expected = copied.predict_proba(X[:50])
        np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-5)
        restored = pickle.loads(pickle.dumps(copied))
        np.testing.assert_array_equal(restored.predict_proba(X[:50]), expected)

    @pytest.mark.parametrize(("name", "params"), BAD)
    def test_bad_parameters_are_named(self, name, params):
        bad = next(iter(params))
        with pytest.raises(ValueError, match=f"^{bad}=.* in architecture_params, expected"):
            architectures.get(name)((28, 28, 1), 10, **params)

    def test_numbers_of_numpy_are_numbers(self):
        model = outline(architectures.resnet, (8, 8, 1), 2, depth=np.int64(14))
        assert len(layers_of(model, "Add")) == 6


class TestLeNet5:
    def test_it_has_the_layers_of_the_paper(self):
        model = outline(architectures.lenet5, (28, 28, 1), 10)
        counts = [layer.count_params() for layer in model.layers if layer.count_params()]
        assert counts == [156, 2_416, 48_120, 10_164, 850]
        assert model.count_params() == 61_706
        shapes = [tuple(layer.output.shape[1:]) for layer in model.layers[1:]]
        assert shapes == [
            (32, 32, 1), (28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16),
            (400,), (120,), (84,), (10,),
        ]  # fmt: skip

    def test_images_of_32_pixels_are_not_padded(self):
        model = outline(architectures.lenet5, (32, 32, 3), 10)
        assert not layers_of(model, "ZeroPadding2D")

    def test_activation_and_pooling_can_be_those_of_today(self):
        params = {"activation": "relu", "pooling": "max", "dense_units": ()}
        model = outline(architectures.lenet5, (28, 28, 1), 10, **params)
        assert len(layers_of(model, "MaxPooling2D")) == 2
        assert {layer.activation.__name__ for layer in layers_of(model, "Conv2D")} == {"relu"}
        assert len(layers_of(model, "Dense")) == 1


class TestAlexNet:
    def test_at_full_width_it_has_the_filters_and_units_of_the_paper(self):
        model = outline(architectures.alexnet, (28, 28, 3), 1000, width=1)
        filters = [layer.filters for layer in layers_of(model, "Conv2D")]
        assert filters == [96, 256, 384, 384, 256]
        assert [layer.units for layer in layers_of(model, "Dense")] == [4096, 4096, 1000]
        assert [layer.rate for layer in layers_of(model, "Dropout")] == [0.5, 0.5]

    def test_three_overlapping_poolings_halve_the_sides(self):
        model = outline(architectures.alexnet, (28, 28, 1), 10)
        poolings = layers_of(model, "MaxPooling2D")
        assert [(pool.pool_size, pool.strides) for pool in poolings] == 3 * [((3, 3), (2, 2))]
        assert [pool.output.shape[1] for pool in poolings] == [14, 7, 4]

    def test_by_default_it_is_small_enough_for_a_cpu(self):
        assert multiply_adds(outline(architectures.alexnet, (28, 28, 1), 10)) < 25e6

    def test_batch_norm_takes_the_place_of_biases(self):
        model = outline(architectures.alexnet, (28, 28, 1), 10, batch_norm=True, dropout=0)
        assert len(layers_of(model, "BatchNormalization")) == 5
        assert not any(layer.use_bias for layer in layers_of(model, "Conv2D"))
        assert not layers_of(model, "Dropout")


class TestResNet:
    @pytest.mark.parametrize("shortcut", ["pad", "projection"])
    @pytest.mark.parametrize("depth", [8, 20])
    def test_depth_counts_the_layers_with_weights(self, depth, shortcut):
        params = {"depth": depth, "shortcut": shortcut}
        model = outline(architectures.resnet, (28, 28, 1), 10, **params)
        layers = layers_of(model, "Conv2D", "Dense")
        assert len([layer for layer in layers if "shortcut" not in layer.name]) == depth
        assert len(layers) == depth + (2 if shortcut == "projection" else 0)

    def test_20_layers_have_the_parameters_of_the_paper(self):
        kernels = 9 * (3 * 16 + 6 * 16**2 + 16 * 32 + 5 * 32**2 + 32 * 64 + 5 * 64**2)
        norms = 2 * (7 * 16 + 6 * 32 + 6 * 64)
        model = outline(architectures.resnet, (32, 32, 3), 10, depth=20)
        assert n_trainable(model) == kernels + norms + 650 == 269_722  # 0.27 million in table 6
        assert model.count_params() == 269_722 + norms  # and what the norms keep

    def test_projections_add_their_kernels_and_norms(self):
        padded = outline(architectures.resnet, (32, 32, 3), 10)
        projected = outline(architectures.resnet, (32, 32, 3), 10, shortcut="projection")
        added = 16 * 32 + 32 * 64 + 2 * (32 + 64)
        assert n_trainable(projected) - n_trainable(padded) == added

    def test_each_stage_but_the_first_halves_the_sides(self):
        params = {"filters": (4, 8, 8, 16), "depth": 18}
        model = outline(architectures.resnet, (28, 28, 1), 10, **params)
        sums = [layer.output.shape[1:] for layer in layers_of(model, "Add")]
        assert sums == [
            (28, 28, 4), (28, 28, 4), (14, 14, 8), (14, 14, 8),
            (7, 7, 8), (7, 7, 8), (4, 4, 16), (4, 4, 16),
        ]  # fmt: skip

    def test_depths_that_fit_are_told(self):
        with pytest.raises(ValueError, match=r"depth=18 .* 6n \+ 2, .*3 stages: 8, 14, 20 and so"):
            architectures.resnet((28, 28, 1), 10, depth=18)

    def test_fewer_filters_need_projections(self):
        with pytest.raises(ValueError, match='pass shortcut="projection"'):
            architectures.resnet((28, 28, 1), 10, filters=(8, 4, 2))
        params = {"filters": (8, 4, 2), "shortcut": "projection"}
        assert outline(architectures.resnet, (28, 28, 1), 10, **params).output_shape == (None, 10)

    def test_shortcuts_keep_every_second_pixel_between_channels_of_zeros(self):
        images = np.random.default_rng(0).random((2, 5, 4, 3), dtype=np.float32)
        result = np.asarray(_resnet._every_second_pixel(images, 6, "shortcut"))
        expected = np.pad(images[:, ::2, ::2], [(0, 0), (0, 0), (0, 0), (1, 2)])
        np.testing.assert_array_equal(result, expected)


class TestWideResNet:
    @pytest.mark.parametrize("depth", [10, 16])
    def test_depth_counts_the_convolutions(self, depth):
        model = outline(architectures.wide_resnet, (28, 28, 1), 10, depth=depth)
        assert len(layers_of(model, "Conv2D")) == depth

    def test_28_layers_ten_times_as_wide_have_the_parameters_of_the_paper(self):
        model = outline(architectures.wide_resnet, (32, 32, 3), 10, depth=28, width=10)
        assert n_trainable(model) == 36_479_194  # 36.5 million in table 4

    def test_a_width_of_one_needs_no_projection_in_the_first_stage(self):
        model = outline(architectures.wide_resnet, (28, 28, 1), 10, width=1)
        assert len(layers_of(model, "Conv2D")) == 9

    def test_dropout_comes_right_before_the_second_convolution(self):
        model = outline(architectures.wide_resnet, (28, 28, 1), 10, dropout=0.3)
        dropouts = layers_of(model, "Dropout")
        assert len(dropouts) == 3
        for dropout in dropouts:
            block = dropout.name.removesuffix("dropout")
            assert dropout.input is model.get_layer(f"{block}second_relu").output
            assert dropout.output is model.get_layer(f"{block}second_conv").input


class TestInception:
    def test_modules_of_full_width_have_the_filters_of_inception_v3(self):
        model = outline(architectures.inception, (28, 28, 1), 10, width=1)
        joined = [tuple(layer.output.shape[1:]) for layer in layers_of(model, "Concatenate")]
        assert joined == [
            (14, 14, 256), (14, 14, 256), (7, 7, 640), (7, 7, 512), (7, 7, 512)
        ]  # fmt: skip

    def test_two_convolutions_take_the_place_of_a_5x5(self):
        model = outline(architectures.inception, (28, 28, 1), 10)
        assert {layer.kernel_size for layer in layers_of(model, "Conv2D")} == {(1, 1), (3, 3)}

    def test_modules_per_group_and_dropout_vary(self):
        params = {"n_modules": 3, "dropout": 0.2}
        model = outline(architectures.inception, (28, 28, 1), 10, **params)
        assert len(layers_of(model, "Concatenate")) == 3
        assert len(layers_of(model, "Dropout")) == 1


class TestPieces:
    @pytest.mark.parametrize("kernel_size", [1, 3, 5])
    @pytest.mark.parametrize("shape", [(6, 8), (5, 7), (1, 2)])
    def test_strides_take_every_second_pixel_of_the_whole_convolution(self, shape, kernel_size):
        images = np.random.default_rng(0).random((2, *shape, 3), dtype=np.float32)
        inputs = keras().Input((*shape, 3))
        whole, halved = (
            keras().Model(inputs, _pieces.convolve(inputs, 4, kernel_size, strides=s, name="x"))
            for s in (1, 2)
        )
        halved.set_weights(whole.get_weights())
        expected = np.asarray(whole(images))[:, ::2, ::2]
        np.testing.assert_allclose(np.asarray(halved(images)), expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("shape", [(6, 8), (5, 7), (1, 2)])
    def test_maxima_are_those_around_every_second_pixel(self, shape):
        images = np.random.default_rng(0).random((2, *shape, 3), dtype=np.float32)
        padded = np.pad(images, [(0, 0), (1, 1), (1, 1), (0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        expected = windows.max(axis=(-2, -1))[:, ::2, ::2]
        np.testing.assert_array_equal(np.asarray(_pieces.max_pool(images, "pool")), expected)

    @pytest.mark.parametrize("name", ["alexnet", "inception", "resnet", "wide_resnet"])
    def test_running_means_are_fast_by_default_and_can_be_slower(self, name):
        model = outline(tiny, name, (9, 9, 1))
        norms = layers_of(model, "BatchNormalization")
        assert {norm.momentum for norm in norms} == {0.9}
        params = {**TINY[name], "norm_momentum": 0.99}
        model = outline(architectures.get(name), (9, 9, 1), 3, **params)
        norms = layers_of(model, "BatchNormalization")
        assert {norm.momentum for norm in norms} == {0.99}
