"""Features of networks in ONNX files: any layers, any layout, without TensorFlow."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from fashionkit import BackboneFeatures, load, make_garments, save
from fashionkit._files import ModelFileError
from fashionkit._tensorflow import keras, tensorflow

tf2onnx = pytest.importorskip("tf2onnx", reason="needs the extra fashionkit[onnx]")
onnx = pytest.importorskip("onnx", reason="needs the extra fashionkit[onnx]")
pytest.importorskip("onnxruntime", reason="needs the extra fashionkit[onnx]")

SIZE = 32
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (9, SIZE, SIZE, 3), dtype=np.uint8)


def write(path, nodes, shape, *outputs, weights=(), dtype="FLOAT"):
    """Write a model of one input, "x", whose outputs have shapes that nobody tells."""
    kind = getattr(onnx.TensorProto, dtype)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        "graph",
        [onnx.helper.make_tensor_value_info("x", kind, shape)],
        [onnx.helper.make_tensor_value_info(name, kind, None) for name in outputs],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights],
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Return a network of Keras, and the file that it was exported to."""
    tf = tensorflow()
    model = keras().applications.MobileNetV2(
        input_shape=(SIZE, SIZE, 3), alpha=0.35, include_top=False, weights=None
    )
    random = np.random.default_rng(1)
    for variable in model.variables:
        value = random.normal(0, 0.1, variable.shape)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.name else value)
    path = tmp_path_factory.mktemp("onnx") / "mobilenet.onnx"
    signature = [tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32, name="images")]

    def call(images):
        return model(images, training=False)

    tf2onnx.convert.from_function(
        tf.function(call, input_signature=signature), signature, opset=17, output_path=str(path)
    )
    weights = path.with_suffix(".weights.h5")
    model.save_weights(weights)
    return path, weights


@pytest.mark.parametrize("params", [{}, {"pooling": "grid", "power": 0.5, "mirror": True}], ids=str)
def test_an_exported_network_gives_the_features_of_the_network(network, images, params):
    path, weights = network
    # MobileNetV2 takes pixels from -1 to 1.
    given = BackboneFeatures(path, mean=0.5, std=0.5, **params).fit_transform(images)
    expected = BackboneFeatures(weights=weights, alpha=0.35, **params).fit_transform(images)
    assert given.dtype == np.float32
    assert_allclose(given, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(12, 20), (40, 50), (32, 32)])
def test_images_are_resized_as_pillow_does(tmp_path, images, size, interpolation):
    path = write(tmp_path / "same.onnx", [("Identity", ["x"], ["y"])], ["n", 3, "h", "w"], "y")
    features = BackboneFeatures(
        str(path), pooling="flatten", image_size=size, interpolation=interpolation
    )
    given = features.fit_transform(images).reshape(len(images), *size, 3)
    resampling = getattr(Image.Resampling, interpolation.upper())
    for index, channel in np.ndindex(3, 3):
        pixels = Image.fromarray(images[index, :, :, channel].astype(np.float32) / 255)
        expected = np.asarray(pixels.resize(size[::-1], resampling))
        assert_allclose(given[index, :, :, channel], expected, atol=1e-5)


@pytest.mark.parametrize("shape", [["n", 3, 8, 10], ["n", 8, 10, 3]], ids=str)
def test_channels_are_first_or_last(tmp_path, images, shape):
    path = write(tmp_path / "same.onnx", [("Identity", ["x"], ["y"])], shape, "y")
    X = images[:, :8, :10]
    features = BackboneFeatures(path, pooling="flatten", mean=MEAN, std=STD)
    given = features.fit_transform(X).reshape(X.shape)
    assert features.feature_shapes_ == {"y": (8, 10, 3)}
    assert_allclose(given, (X / 255 - MEAN) / STD, rtol=1e-5, atol=1e-5)


def test_gray_images_and_networks(tmp_path, images):
    gray = images[..., 0]
    identity = [("Identity", ["x"], ["y"])]
    colour = write(tmp_path / "colour.onnx", identity, ["n", 3, SIZE, SIZE], "y")
    given = BackboneFeatures(colour, pooling="flatten", mean=MEAN).fit_transform(gray)
    expected = gray[..., np.newaxis] / 255 - np.array(MEAN)
    assert_allclose(given, expected.reshape(len(gray), -1), rtol=1e-5, atol=1e-6)
    one = write(tmp_path / "gray.onnx", identity, ["n", SIZE, SIZE, 1], "y")
    given = BackboneFeatures(one, pooling="flatten").fit_transform(images)
    expected = images @ np.array([0.299, 0.587, 0.114]) / 255
    assert_allclose(given, expected.reshape(len(gray), -1), rtol=1e-3)


@pytest.fixture
def tokens(tmp_path):
    """Return a model of tokens, as vision transformers have them, of half precision."""
    nodes = [
        ("Reshape", ["x", "shape"], ["values"]),
        ("Transpose", ["values"], ["tokens"], {"perm": [0, 2, 1]}),
        ("ReduceMean", ["tokens"], ["pooled"], {"axes": [1], "keepdims": 0}),
    ]
    weights = [("shape", np.array([0, 3, -1]))]
    shape = ["n", 3, 2, 2]
    return write(
        tmp_path / "t.onnx", nodes, shape, "tokens", "pooled", weights=weights, dtype="FLOAT16"
    )


@pytest.mark.parametrize(
    ("params", "make_expected"),
    [
        pytest.param({"pooling": "first"}, lambda X: X[:, 0, 0], id="first"),
        pytest.param({}, lambda X: X.mean(axis=(1, 2)), id="avg"),
        pytest.param({"pooling": "max"}, lambda X: X.max(axis=(1, 2)), id="max"),
        pytest.param({"pooling": "flatten"}, lambda X: X.reshape(len(X), -1), id="flatten"),
        pytest.param({"layers": "pooled"}, lambda X: X.mean(axis=(1, 2)), id="output"),
        # Its second axis, of channels, is taken as one of tokens.
        pytest.param({"layers": "values"}, lambda X: X.mean(3).reshape(len(X), 4), id="inside"),
        pytest.param(
            {"layers": ["pooled", "tokens"], "pooling": "first"},
            lambda X: np.hstack([X.mean(axis=(1, 2)), X[:, 0, 0]]),
            id="several",
        ),
    ],
)
def test_tokens_and_layers_inside(tokens, images, params, make_expected):
    X = images[:, :2, :2]
    features = BackboneFeatures(tokens, **params).fit(X)
    expected = make_expected(X / 255)
    assert_allclose(features.transform(X), expected, atol=2e-3)
    assert len(set(features.get_feature_names_out())) == expected.shape[1]


def test_a_network_of_fixed_batches_takes_any_number(tmp_path, images):
    nodes = [("GlobalAveragePool", ["x"], ["y"])]
    path = write(tmp_path / "fixed.onnx", nodes, [4, 3, SIZE, SIZE], "y")
    features = BackboneFeatures(path).fit(images)
    expected = images.mean(axis=(1, 2)) / 255
    assert_allclose(features.transform(images), expected, rtol=1e-4)
    assert_allclose(features.transform(images[:1]), expected[:1], rtol=1e-4)
    small = features.set_params(batch_size=3).transform(images)
    assert_allclose(small, expected, rtol=1e-4)


def test_it_is_a_step_of_pipelines_and_searches(tmp_path):
    X, y = make_garments(60, random_state=0)
    nodes = [("AveragePool", ["x"], ["y"], {"kernel_shape": [8, 8], "strides": [8, 8]})]
    path = write(tmp_path / "pool.onnx", nodes, ["n", 3, SIZE, SIZE], "y")
    pipeline = make_pipeline(BackboneFeatures(path), LogisticRegression(max_iter=500))
    grid = {"backbonefeatures__pooling": ["avg", "flatten"]}
    search = GridSearchCV(clone(pipeline), grid, cv=2, n_jobs=2, error_score="raise").fit(X, y)
    assert search.best_params_ == {"backbonefeatures__pooling": "flatten"}
    assert search.best_score_ > 0.4


def test_files_and_pickles_hold_the_network(network, images, tmp_path):
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(network[0].read_bytes())
    features = BackboneFeatures(copy, mean=0.5, std=0.5).fit(images)
    expected = features.transform(images)
    copy.unlink()
    assert_array_equal(pickle.loads(pickle.dumps(features)).transform(images), expected)
    path = save(features, tmp_path / "features.fashionkit")
    np.save(tmp_path / "images.npy", images)
    program = (
        "import sys, numpy as np; from fashionkit import load;"
        f"features = load({str(path)!r}, mmap_mode='r');"
        f"X = np.load({str(tmp_path / 'images.npy')!r});"
        f"np.save({str(tmp_path / 'out.npy')!r}, features.transform(X));"
        "assert not {'tensorflow', 'onnx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
    assert_array_equal(np.load(tmp_path / "out.npy"), expected)


def test_a_changed_network_is_noticed(network, images, tmp_path):
    features = BackboneFeatures(network[0]).fit(images)
    broken = pickle.loads(pickle.dumps(features))
    broken._arrays[-1] = broken._arrays[-1][:1000].copy()
    with pytest.raises(ModelFileError, match="is refused by onnxruntime"):
        broken.transform(images)
    other = BackboneFeatures(network[0], layers=None).fit(images)
    path = write(tmp_path / "x.onnx", [("Identity", ["x"], ["y"])], ["n", 3, SIZE, SIZE], "y")
    other._arrays = BackboneFeatures(path).fit(images)._arrays
    other._backbone = replace(features._backbone, layers=("y",))
    with pytest.raises(ModelFileError, match="was changed"):
        other.transform(images)
    assert load(save(features, tmp_path / "f")).transform(images[:2]).shape == (2, 1280)


IDENTITY = [("Identity", ["x"], ["y"])]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"layers": "z"}, r"layers has 'z'.*does not compute; its outputs are 'y'"),
        ({"layers": ["y", "y"]}, "none of them twice"),
        ({"layers": []}, "names of layers"),
        ({"image_size": 16}, r"image_size=16, but backbone=.* takes images of \(32, 32\)"),
        ({"mean": (0.5, 0.5)}, r"mean=\(0.5, 0.5\), expected a number, or one for each of the 3"),
        ({"std": 0}, "std=0, expected numbers above 0"),
        ({"std": [1, np.nan, 1]}, "std="),
        ({"weights": None}, r"weights=None, but an ONNX file has its weights inside"),
        ({"alpha": 0.5}, r"alpha=0.5, but an ONNX file"),
        ({"pooling": "first"}, "pooling='first', but layers has 'y', which gives maps"),
        ({"interpolation": "nearest"}, "interpolation"),
    ],
    ids=str,
)
def test_wrong_parameters_are_named(tmp_path, images, params, message):
    path = write(tmp_path / "same.onnx", IDENTITY, ["n", 3, SIZE, SIZE], "y")
    with pytest.raises(ValueError, match=message):
        BackboneFeatures(path, **params).fit(images)


@pytest.mark.parametrize(
    ("nodes", "shape", "dtype", "message"),
    [
        (IDENTITY, ["n", 3], "FLOAT", "takes x, expected one input of floats of shape"),
        (IDENTITY, ["n", 3, 32, 32], "INT64", "takes x, expected one input of floats"),
        (IDENTITY, ["n", 4, 32, 32], "FLOAT", "takes x, expected one input of floats"),
        ([("Shape", ["x"], ["y"])], ["n", 3, 32, 32], "FLOAT", "gives as int64|onnxruntime"),
    ],
    ids=str,
)
def test_networks_of_other_kinds_are_refused(tmp_path, images, nodes, shape, dtype, message):
    path = write(tmp_path / "other.onnx", nodes, shape, "y", dtype=dtype)
    with pytest.raises(ValueError, match=message):
        BackboneFeatures(path).fit(images)


def test_files_of_other_kinds_are_refused(tmp_path, images):
    text = tmp_path / "text.onnx"
    text.write_text("hello")
    with pytest.raises(ModelFileError, match="is not an ONNX file"):
        BackboneFeatures(text).fit(images)
    with pytest.raises(FileNotFoundError):
        BackboneFeatures(tmp_path / "none.onnx").fit(images)
    weights = [("w", np.ones((1, 3, 1, 1), np.float32))]
    path = write(
        tmp_path / "m.onnx", [("Mul", ["x", "w"], ["y"])], ["n", 3, 32, 32], "y", weights=weights
    )
    onnx.save(
        onnx.load(str(path)),
        str(path),
        save_as_external_data=True,
        location="w.bin",
        size_threshold=0,
    )
    with pytest.raises(ModelFileError, match="has weights in other files; make one file of them"):
        BackboneFeatures(path).fit(images)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"pooling": "first"}, "pooling='first' is for tokens of an ONNX file"),
        ({"mean": 0.5}, "mean=0.5, but networks of Keras scale images themselves"),
        ({"std": [1, 1, 1]}, "std="),
        ({"interpolation": "bicubic"}, "interpolation='bicubic'"),
    ],
    ids=str,
)
def test_networks_of_keras_have_none_of_these_parameters(images, params, message):
    with pytest.raises(ValueError, match=message):
        BackboneFeatures(weights=None, alpha=0.35, **params).fit(images)
