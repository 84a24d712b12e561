"""Features of a backbone: which layers, which weights, which pixels, how much memory."""

from __future__ import annotations

import os
import pickle
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from fashionkit import BackboneFeatures, CNNClassifier
from fashionkit._backbones import weights
from fashionkit._backbones.attach import average_fields
from fashionkit._backbones.networks import Backbone
from fashionkit._tensorflow import keras

SIZE = 32


def backbone_features(**params):
    """Return features of the smallest MobileNetV2, with random weights."""
    params = {"weights": None, "alpha": 0.35, "random_state": 0, **params}
    return BackboneFeatures(**params)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (12, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory):
    """Return a file as Keras's own are, and the network that it is of."""
    model = keras().applications.MobileNetV2(
        input_shape=(SIZE, SIZE, 3), alpha=0.35, include_top=False, weights=None
    )
    random = np.random.default_rng(1)
    for variable in model.variables:  # what a new network has is too regular to find mistakes
        value = random.normal(0, 0.1, variable.shape)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.name else value)
    path = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    model.save_weights(path)
    return path, model


def by_hand(model, layer, images):
    """Call a network of Keras as its documentation says."""
    preprocess = keras().applications.mobilenet_v2.preprocess_input
    inner = keras().Model(model.input, model.get_layer(layer).output)
    return np.asarray(inner(preprocess(images.astype(np.float32)), training=False))


LAYERS = ["block_1_expand_relu", "block_6_expand_relu", "out_relu"]


@pytest.mark.parametrize("layer", LAYERS)
def test_features_are_those_of_the_network_called_by_hand(weights_file, images, layer):
    path, model = weights_file
    expected = by_hand(model, layer, images)
    features = backbone_features(weights=path, layers=layer, pooling="flatten")
    assert_allclose(
        features.fit_transform(images), expected.reshape(len(images), -1), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("scale", [1, 255], ids=["from 0 to 1", "from 0 to 255"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixels_are_scaled_once_whatever_their_range(weights_file, images, scale, dtype):
    path, model = weights_file
    expected = by_hand(model, "block_3_expand_relu", images).mean(axis=(1, 2))
    given = (images / 255 * scale).astype(dtype)
    features = backbone_features(weights=path, layers="block_3_expand_relu")
    assert_allclose(features.fit_transform(given), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["mobilenetv3small", "efficientnetv2b0", "resnet50v2", "densenet121"]
)
def test_each_backbone_is_given_what_its_own_function_makes_of_pixels(name):
    backbone = Backbone(name, (32, 32))
    pixels = np.linspace(0, 1, 24, dtype=np.float32).reshape(1, 2, 4, 3)
    module = {
        "mobilenetv3small": "mobilenet_v3",
        "efficientnetv2b0": "efficientnet_v2",
        "resnet50v2": "resnet_v2",
        "densenet121": "densenet",
    }[name]
    expected = getattr(keras().applications, module).preprocess_input(255 * pixels)
    assert_allclose(np.asarray(backbone.preprocess(pixels)), expected, rtol=1e-5, atol=1e-5)


def test_gray_images_are_repeated(images):
    gray = images[..., :1]
    features = backbone_features(layers="mid")
    assert_array_equal(
        features.fit_transform(gray), features.fit_transform(np.repeat(gray, 3, axis=3))
    )


def test_several_layers_lie_side_by_side(images):
    one = [backbone_features(layers=layer).fit_transform(images) for layer in ("mid", "low")]
    both = backbone_features(layers=["mid", "low"]).fit(images)
    assert list(both.feature_shapes_) == ["mid", "low"]
    # The deeper network draws other weights for a seed than the one that is cut earlier.
    assert both.transform(images).shape == (len(images), one[0].shape[1] + one[1].shape[1])
    assert_allclose(both.transform(images)[:, : one[0].shape[1]], one[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mobilenetv2", ["block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu"]),
        ("resnet50v2", ["conv2_block3_preact_relu"]),
        ("vgg16", ["block3_conv3", "block4_conv3", "block5_conv3"]),
    ],
)
def test_levels_are_the_last_outputs_before_the_resolution_falls(name, expected):
    levels = ("low", "mid", "high")[: len(expected)]
    for size in (32, 56):
        model, names = Backbone(name, (size, size), levels).build()
        assert [tensor._keras_history.operation.name for tensor in model.outputs] == expected
        assert names == list(levels)


def test_the_network_ends_with_the_deepest_layer():
    model, _ = Backbone("mobilenetv2", (32, 32), ("low", "mid")).build()
    assert model.layers[-1].name == "block_6_expand_relu"


@pytest.mark.parametrize("side", [7, 8, 3])
def test_a_grid_takes_means_of_fields(side):
    maps = np.random.default_rng(0).normal(size=(2, side, side, 5)).astype(np.float32)
    grid = 4
    fields = range(min(grid, side))
    n = len(fields)
    expected = np.array(
        [
            [
                maps[:, i * side // n : -(-(i + 1) * side // n), :][
                    :, :, j * side // n : -(-(j + 1) * side // n)
                ].mean(axis=(1, 2))
                for j in fields
            ]
            for i in fields
        ]
    )
    for ops in (keras().ops, np):
        means = np.asarray(average_fields(maps, grid, ops))
        assert_allclose(means, np.moveaxis(expected, 2, 0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pooling", ["avg", "max", "grid", "flatten"])
def test_names_tell_where_features_are_from(images, pooling):
    flat = backbone_features(layers="mid", pooling="flatten", image_size=48).fit(images)
    maps = flat.transform(images).reshape(len(images), 6, 6, -1)
    features = backbone_features(layers="mid", pooling=pooling, grid=3, image_size=48).fit(images)
    columns = dict(zip(features.get_feature_names_out(), features.transform(images).T, strict=True))
    expected = {
        "avg": ("mid_5", maps[..., 5].mean(axis=(1, 2))),
        "max": ("mid_5", maps[..., 5].max(axis=(1, 2))),
        "grid": ("mid_1_2_5", maps[:, 2:4, 4:6, 5].mean(axis=(1, 2))),
        "flatten": ("mid_4_1_5", maps[:, 4, 1, 5]),
    }[pooling]
    assert_allclose(columns[expected[0]], expected[1], rtol=1e-5, atol=1e-6)
    assert len(columns) == features.transform(images).shape[1]


def test_a_power_keeps_signs(images):
    plain = backbone_features(layers="block_2_add").fit_transform(images)
    assert plain.min() < 0 < plain.max()
    for power in (0.5, 0.3):
        raised = backbone_features(layers="block_2_add", power=power).fit_transform(images)
        assert_allclose(raised, np.sign(plain) * np.abs(plain) ** power, rtol=1e-4, atol=1e-6)


def test_mirror_images_have_the_same_features_as_images(images):
    features = backbone_features(layers="low", pooling="grid", mirror=True).fit(images)
    assert_allclose(
        features.transform(images), features.transform(images[:, :, ::-1]), rtol=1e-5, atol=1e-7
    )


def test_half_precision_is_exact_to_three_digits(images):
    exact = backbone_features(layers="mid").fit_transform(images)
    half = backbone_features(layers="mid", dtype="float16").fit_transform(images)
    assert half.dtype == np.float16
    assert_allclose(half, exact, rtol=2e-3, atol=1e-6)


def test_batches_do_not_change_features(images):
    features = backbone_features(layers="mid").fit(images)
    expected = features.transform(images)
    for size in (1, 5, 100):
        assert_allclose(
            features.set_params(batch_size=size).transform(images), expected, rtol=1e-4, atol=1e-6
        )


@pytest.mark.slow  # as files of models, in tests/persistence
def test_a_pickle_needs_no_file(weights_file, images, tmp_path, other_process):
    path, _ = weights_file
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    features = backbone_features(weights=copy, layers="low").fit(images)
    expected = features.transform(images)
    copy.unlink()
    pickled = tmp_path / "features.pickle"
    pickled.write_bytes(pickle.dumps(features))
    np.save(tmp_path / "images.npy", images)
    program = (
        "import pickle, numpy as np;"
        "features = pickle.loads((folder / 'features.pickle').read_bytes());"
        "np.save(folder / 'out.npy', features.transform(np.load(folder / 'images.npy')))"
    )
    other_process(program, folder=tmp_path)
    assert_allclose(np.load(tmp_path / "out.npy"), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow  # as any features do in baselines/test_make.py
def test_searches_run_in_processes_and_compute_features_once(garments, tmp_path):
    X, y = garments
    pipeline = make_pipeline(
        backbone_features(layers="low", pooling="grid"),
        LogisticRegression(max_iter=200),
        memory=str(tmp_path),
    )
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1.0]}, cv=2, n_jobs=2)
    search.fit(X[:200], y[:200])
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))
    # One entry for each fold and one for the refit, not one for each candidate.
    assert len(list(tmp_path.rglob("output.pkl"))) == 3


def test_a_fitted_classifier_is_a_backbone(garments):
    X, y = garments
    cnn = CNNClassifier(epochs=1, random_state=0).fit(X[:200], y[:200])
    inner = keras().Model(cnn.model_.input, cnn.model_.get_layer("conv_2").output)
    expected = np.asarray(inner(X[:5, :, :, None] / np.float32(255))).mean(axis=(1, 2))
    features = BackboneFeatures(weights=cnn, layers="conv_2").fit(X[:5])
    assert_allclose(features.transform(X[:5]), expected, rtol=1e-4, atol=1e-6)
    kept = clone(BackboneFeatures(weights=FrozenEstimator(cnn), layers="conv_2")).fit(X[:5])
    assert_array_equal(kept.transform(X[:5]), features.transform(X[:5]))
    again = pickle.loads(pickle.dumps(kept))
    assert_array_equal(again.transform(X[:5]), features.transform(X[:5]))
    # Colour for a gray network becomes its luminance.
    colour = np.repeat(X[:5, :, :, None], 3, axis=3)
    other = BackboneFeatures(weights=cnn, layers="conv_2").fit(colour)
    assert_allclose(other.transform(colour), expected, rtol=1e-3, atol=1e-4)


def test_a_clone_of_a_bare_classifier_says_what_to_do(garments):
    X, _ = garments
    with pytest.raises(ValueError, match=r"wrap it in sklearn\.frozen\.FrozenEstimator"):
        BackboneFeatures(weights=CNNClassifier()).fit(X[:5])


def own_network(input_shape):
    layers = keras().layers
    inputs = layers.Input(input_shape)
    return keras().Model(inputs, layers.Conv2D(4, 3, name="only")(inputs))


def test_a_function_may_build_the_network(garments):
    X, _ = garments
    features = BackboneFeatures(own_network, weights=None, random_state=0)
    assert features.fit_transform(X[:5]).shape == (5, 4)
    assert features.get_feature_names_out()[0] == "last_0"
    with pytest.raises(ValueError, match="own_network' is a function; pass weights=None"):
        BackboneFeatures(own_network).fit(X[:5])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"backbone": "mobilenet9"}, "backbone='mobilenet9' is not known; pass one of"),
        (
            {"layers": "block_99"},
            "layers has 'block_99', which is not a layer.*'low'.*block_1_expand",
        ),
        ({"layers": []}, "expected names of layers"),
        ({"layers": ["low", "low"]}, "none of them twice"),
        ({"image_size": 20}, "image_size=20, expected a whole number of at least 32"),
        ({"image_size": (40, 40, 3)}, "expected a whole number .* or a pair"),
        ({"backbone": "vgg16", "alpha": 0.5}, "alpha=0.5, but backbone='vgg16' has one width"),
        ({"alpha": 0.3, "weights": "imagenet"}, "no ImageNet weights .* alpha=0.3"),
    ],
)
def test_what_does_not_exist_is_named(images, params, message):
    with pytest.raises(ValueError, match=message):
        backbone_features(**params).fit(images)


@pytest.mark.slow
def test_weights_of_another_width_or_network_are_refused(weights_file, images, tmp_path):
    path, _ = weights_file
    with pytest.raises(
        ValueError, match=r"does not fit backbone='mobilenetv2' with alpha=1.0; .*0.35"
    ):
        backbone_features(weights=path, alpha=1.0).fit(images)
    nonsense = tmp_path / "nonsense.h5"
    nonsense.write_bytes(b"no weights")
    with pytest.raises(ValueError, match="does not fit backbone='mobilenetv3small'"):
        backbone_features(backbone="mobilenetv3small", weights=nonsense, alpha=1.0).fit(images)


def test_loading_leaves_random_numbers_as_they_were(weights_file, images):
    path, _ = weights_file
    before = random.getstate()
    # A size of its own, so that nothing of it is kept from before.
    backbone_features(weights=path, layers="low", image_size=41).fit(images)
    assert random.getstate() == before


def test_a_missing_file_is_named(images):
    with pytest.raises(FileNotFoundError, match=r"'nowhere\.h5' is not a file; pass 'imagenet'"):
        backbone_features(weights="nowhere.h5").fit(images)


def test_without_network_and_file_three_ways_are_told(images, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def fail(*args, **kwargs):
        raise Exception("URL fetch failure on https://host/models/file.h5: None -- unreachable")

    monkeypatch.setattr(Backbone, "build_whole", fail)
    monkeypatch.setattr(weights, "_unreachable", {})
    with pytest.raises(FileNotFoundError) as caught:
        weights.load_weights(Backbone("mobilenetv2", (32, 32), alpha=0.75), "imagenet")
    message = str(caught.value)
    for part in ("file.h5", str(tmp_path), "Connect", "KERAS_HOME", "pass the path"):
        assert part in message


@pytest.mark.realdata
@pytest.mark.parametrize(
    "alpha",
    [
        pytest.param("0.35", id="plain"),
        pytest.param("1.0", id="normalisation folded", marks=pytest.mark.slow),
    ],
)
def test_real_weights_tell_garments_apart(fashion_mnist, alpha):
    X, y, X_test, y_test = fashion_mnist
    folder = Path(os.environ.get("FASHIONKIT_DATA", "")) / "keras" / "models"
    path = folder / f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_224_no_top.h5"
    if not path.is_file():
        pytest.skip(f"needs Keras's weights: put {path.name} into keras/models of FASHIONKIT_DATA")
    features = BackboneFeatures(
        layers="mid", weights=path, alpha=float(alpha), image_size=56, pooling="grid", power=0.5
    )
    model = make_pipeline(features, LogisticRegression(max_iter=50))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X[::4], y[::4])
    assert model.score(X_test[::4], y_test[::4]) > 0.8
