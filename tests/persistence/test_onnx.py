"""Tests of ONNX files: the same answers, elsewhere."""

from __future__ import annotations

import functools
import os
import pickle
import subprocess
import sys
import textwrap
from importlib.metadata import version

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from fashionkit import (
    BoundedPCA,
    CalibratedSVC,
    CNNClassifier,
    DistilledClassifier,
    HOGFeatures,
    ONNXClassifier,
    SelectiveClassifier,
    TransferClassifier,
    make_garments,
    make_model,
    to_onnx,
)
from fashionkit._tensorflow import tensorflow
from fashionkit.features import PixelFeatures
from fashionkit.features._gradients import _table
from fashionkit.persistence import ModelFileError
from fashionkit.persistence._onnx_steps import _bins, function_of, steps_of

pytest.importorskip("tf2onnx", reason="needs the extra fashionkit[onnx]")
onnx = pytest.importorskip("onnx", reason="needs the extra fashionkit[onnx]")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra fashionkit[onnx]")

TINY = {"architecture_params": {"filters": (4, 4), "dense_units": (8,)}, "epochs": 1}
SMALL = {"architecture_params": {"filters": (4, 4, 4)}, "epochs": 1}


def tiny(**params):
    return CNNClassifier(**{**TINY, "random_state": 0, **params})


MODELS = {
    "basic": tiny,
    "views": lambda: make_model(
        "cnn-fast", **SMALL, test_time_augmentation="flip+shift", random_state=0
    ),
    "hierarchical": lambda: make_model("hierarchical", **SMALL, random_state=0),
    "transfer": lambda: TransferClassifier(
        weights=None, layers="low", alpha=0.35, image_size=40, epochs=1, random_state=0
    ),
    "distilled": lambda: DistilledClassifier(tiny(), make_model("pixels-tree"), n_copies=1),
    "pipeline": lambda: make_pipeline(tiny()),
}


@pytest.fixture(scope="module")
def data(garments):
    X, y = garments
    return X[:120], np.array([f"class {label}" for label in y[:120]]), X[120:170]


@pytest.fixture(scope="module")
def written(data, tmp_path_factory):
    """Return a function that fits each model once, and writes it to a file."""
    folder = tmp_path_factory.mktemp("onnx")

    @functools.cache
    def write(name):
        model = MODELS[name]().fit(*data[:2])
        return model, to_onnx(model, folder / f"{name}.onnx")

    return write


@pytest.mark.parametrize("name", MODELS)
def test_a_file_answers_as_the_model_does(written, data, name):
    model, path = written(name)
    expected = model.predict_proba(data[2])
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    some = [slice(None), slice(0, 1)]
    # Keras 3.8 writes depthwise convolutions with a reshape that fails for no image at all.
    none = [slice(0, 0)] if name != "transfer" or not version("keras").startswith("3.8.") else []
    for rows in some + none:
        label, probabilities = session.run(["label", "probabilities"], {"images": data[2][rows]})
        assert label.dtype == np.int64
        assert probabilities.dtype == np.float32
        assert_allclose(probabilities, expected[rows], atol=1e-5)
        assert_array_equal(label, expected[rows].argmax(axis=1))
    onnx.checker.check_model(str(path))
    classifier = ONNXClassifier(path)
    assert_allclose(classifier.predict_proba(data[2]), expected, atol=1e-5)
    assert_array_equal(classifier.predict(data[2]), model.predict(data[2]))
    assert_array_equal(classifier.classes_, np.unique(data[1]))
    assert classifier.score(data[2], model.predict(data[2])) == 1


def test_colour_photos_are_taken(tmp_path):
    X, y = make_garments(60, random_state=0)
    X = np.stack([X, X // 2, 255 - X], axis=-1)
    model = tiny().fit(X, y)
    path = to_onnx(model, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape) == ("images", "tensor(uint8)", ["n", 28, 28, 3])
    for form in (X[:9], X[:9].reshape(9, -1), list(X[:9])):
        probabilities = ONNXClassifier(path).predict_proba(form)
        assert_allclose(probabilities, model.predict_proba(X[:9]), atol=1e-5)


def test_images_of_other_types_are_rounded_to_bytes(written, data, tmp_path):
    model = tiny().fit(data[0] / 255, data[1])
    path = to_onnx(model, tmp_path / "model.onnx")
    answered = ONNXClassifier(path).predict_proba(data[2] / 255)
    assert_allclose(answered, model.predict_proba(data[2] / 255), atol=1e-5)
    with pytest.raises(ValueError, match=r"trained on pixels from .* takes bytes"):
        to_onnx(tiny().fit(3.0 * data[0], data[1]), tmp_path / "other.onnx")


def test_it_is_a_classifier_that_is_fitted_already(written, data):
    model, path = written("basic")
    classifier = ONNXClassifier(path, n_jobs=2)
    assert clone(classifier).get_params() == {"path": path, "n_jobs": 2}
    before = classifier.predict_proba(data[2])
    assert classifier.fit(data[0][:5], data[1][:5]) is classifier
    assert_array_equal(classifier.predict_proba(data[2]), before)
    again = pickle.loads(pickle.dumps(classifier))
    assert_array_equal(again.predict_proba(data[2]), before)
    assert classifier.image_shape_ == model.image_shape_
    assert classifier.n_features_in_ == 784
    votes = VotingClassifier(
        [("file", ONNXClassifier(path)), ("tree", make_model("pixels-tree"))], voting="soft"
    )
    votes.fit(*data[:2])
    assert votes.predict_proba(data[2]).shape == (50, 10)


def test_many_images_are_answered_a_chunk_at_a_time(written, data):
    model, path = written("basic")
    X = np.tile(data[0], (30, 1, 1))
    assert_allclose(ONNXClassifier(path).predict_proba(X), model.predict_proba(X), atol=1e-5)


def test_no_tensorflow_is_needed(written, data, tmp_path):
    model, path = written("basic")
    np.save(tmp_path / "X.npy", data[2])
    program = f"""
        import sys
        import numpy as np
        from fashionkit import ONNXClassifier
        X = np.load({str(tmp_path / "X.npy")!r})
        np.save({str(tmp_path / "P.npy")!r}, ONNXClassifier({str(path)!r}).predict_proba(X))
        names = ("tensorflow", "keras", "scikeras", "skops", "matplotlib", "PIL", "skimage")
        print(sorted(name for name in names if name in sys.modules))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        check=True,
        timeout=120,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.stdout.strip() == "[]"
    assert_allclose(np.load(tmp_path / "P.npy"), model.predict_proba(data[2]), atol=1e-5)


def classical(*params, **hog):
    return make_pipeline(
        HOGFeatures(**hog), BoundedPCA(30), StandardScaler(), CalibratedSVC(*params, random_state=0)
    )


def in_colour(X):
    return np.stack([X, X // 2, 255 - X], axis=-1)


PIPELINES = {
    "hog-svm": lambda: make_model("hog-svm", random_state=0),
    "hog-quick": lambda: make_model("hog-quick", random_state=0),
    "pixels-svm": lambda: make_model("pixels-svm", random_state=0),
    "defaults": classical,
    "L1": lambda: classical(signed=True, orientations=8, block_norm="L1"),
    "square root": lambda: classical(transform_sqrt=True, block_norm="L2"),
    "scales": lambda: classical(pixels_per_cell=[4, 7], signed=True, interpolate=True),
    "one bin": lambda: classical(orientations=1, interpolate=True),
    "blocks": lambda: classical(
        orientations=2, interpolate=True, pixels_per_cell=(5, 4), cells_per_block=(3, 1)
    ),
    "search": lambda: GridSearchCV(classical(), {"calibratedsvc__C": [1, 3]}, cv=2),
    **{
        kernel: lambda kernel=kernel: make_pipeline(
            PixelFeatures(),
            StandardScaler(with_mean=False),
            CalibratedSVC(kernel=kernel, gamma=0.01, random_state=0),
        )
        for kernel in ("linear", "poly", "sigmoid")
    },
}


@pytest.mark.parametrize("name", ["hog-svm", "hog-quick", "search"])
def test_pipelines_of_support_vector_machines_are_written(data, tmp_path, name):
    X, y, X_test = data
    model = PIPELINES[name]().fit(X, y)
    classifier = ONNXClassifier(to_onnx(model, tmp_path / "model.onnx"))
    expected = model.predict_proba(X_test)
    assert_allclose(classifier.predict_proba(X_test), expected, atol=5e-5)
    assert_array_equal(classifier.predict(X_test), model.predict(X_test))
    assert_array_equal(classifier.classes_, np.unique(y))


def assert_translated(pipeline, data):
    """Compare what is converted: converting it takes most of the time."""
    X, y, X_test = data
    expected = pipeline.fit(X, y).predict_proba(X_test)
    images = X_test if X_test.ndim == 4 else X_test[..., np.newaxis]
    translated = function_of(steps_of(pipeline))(tensorflow().constant(images, "float32"))
    assert_allclose(translated.numpy(), expected, atol=5e-5)


@pytest.mark.parametrize("name", [name for name in PIPELINES if name != "search"])
def test_steps_are_translated(data, name):
    assert_translated(PIPELINES[name](), data)


@pytest.mark.parametrize(
    ("change", "labels"),
    [
        pytest.param(lambda X: X, lambda y: y > "class 4", id="two classes"),
        pytest.param(in_colour, lambda y: y, id="colour"),
        pytest.param(lambda X: X[:, 10:13, 5:15], lambda y: y, id="smaller than a block"),
    ],
)
def test_images_and_classes_of_any_kind_are_translated(data, change, labels):
    X, y, X_test = data
    pipeline = make_pipeline(HOGFeatures(), CalibratedSVC(random_state=0))
    assert_translated(pipeline, (change(X), labels(y), change(X_test)))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("n_bins", [2, 8, 9, 12, 24])
def test_every_gradient_of_bytes_is_in_the_same_bin(n_bins, signed):
    tf = tensorflow()
    differences = np.arange(-255, 256)
    down, right = np.meshgrid(differences, differences, indexing="ij")
    bins = _bins(tf.constant(down, tf.float32), tf.constant(right, tf.float32), n_bins, signed)
    expected = _table(n_bins, signed, False).bins.reshape(511, 511)
    has_length = (down != 0) | (right != 0)
    assert_array_equal(bins.numpy()[has_length], expected[has_length])


CALIBRATED = {
    "network": lambda: tiny(),
    "search": lambda: GridSearchCV(tiny(), {"epochs": [1]}, cv=2),
    "hog-svm": lambda: make_model("hog-svm"),
}


@pytest.mark.parametrize("name", CALIBRATED)
def test_the_temperature_is_part_of_the_file(data, tmp_path, name):
    X, y, X_new = data
    model = SelectiveClassifier(CALIBRATED[name](), cv=0.3, random_state=0).fit(X, y)
    assert abs(np.log(model.temperature_)) > 0.02
    read = ONNXClassifier(to_onnx(model, tmp_path / "calibrated.onnx"))
    tolerance = 1e-3 if name == "hog-svm" else 1e-5
    assert_allclose(read.predict_proba(X_new), model.predict_proba(X_new), atol=tolerance)
    assert_array_equal(read.predict(X_new), model.predict(X_new))


def test_costs_choose_the_label(data, tmp_path):
    X, y, X_new = data
    costs = 1 - np.eye(10)
    costs[:, 3] = 0.1  # to say this is never a great mistake
    network = FrozenEstimator(tiny().fit(X, y))
    model = SelectiveClassifier(network, criterion="cost", costs=costs).fit(X, y)
    read = ONNXClassifier(to_onnx(FrozenEstimator(model), tmp_path / "costs.onnx"))
    assert_array_equal(read.predict(X_new), model.predict(X_new))
    assert (read.predict(X_new) != read.classes_[read.predict_proba(X_new).argmax(axis=1)]).any()


def test_isotonic_calibration_is_refused_with_the_remedy(data, tmp_path):
    X, y, _ = data
    model = SelectiveClassifier(FrozenEstimator(tiny().fit(X, y)), calibration="isotonic")
    with pytest.raises(ValueError, match=r"calibration='isotonic', .* with calibration='temp"):
        to_onnx(model.fit(X, y), tmp_path / "isotonic.onnx")


def test_other_models_are_refused(data, tmp_path):
    tree = make_model("pixels-tree").fit(*data[:2])
    with pytest.raises(TypeError, match="is neither a network nor a pipeline; to_onnx takes"):
        to_onnx("text", tmp_path / "model.onnx")
    with pytest.raises(TypeError, match="is neither a network nor a pipeline; to_onnx takes"):
        to_onnx(make_pipeline(tree.steps[-1][1]), tmp_path / "model.onnx")
    search = GridSearchCV(tree, {}, cv=2).fit(*data[:2])
    for model in (tree, FrozenEstimator(tree), search):
        with pytest.raises(TypeError, match=r"step DecisionTreeClassifier.*end with CalibratedSVC"):
            to_onnx(model, tmp_path / "model.onnx")
    pipeline = make_pipeline(HOGFeatures(), MinMaxScaler(), CalibratedSVC())
    with pytest.raises(TypeError, match=r"step MinMaxScaler\(\).*continue with BoundedPCA"):
        to_onnx(pipeline.fit(*data[:2]), tmp_path / "model.onnx")
    for model in (tiny(), make_model("hog-svm")):
        with pytest.raises(ValueError, match="not fitted"):
            to_onnx(model, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match=r"trained on pixels from .* takes bytes"):
        to_onnx(make_model("hog-svm").fit(3.0 * data[0], data[1]), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_told(written, tmp_path):
    with pytest.raises(IsADirectoryError, match="pass the name of a file in it"):
        to_onnx(written("basic")[0], tmp_path)


def changed(path, tmp_path, change):
    model = onnx.load(str(path))
    change(model)
    onnx.save(model, str(tmp_path / "changed.onnx"))
    return ONNXClassifier(tmp_path / "changed.onnx")


def test_files_of_others_are_refused(written, data, tmp_path):
    _, path = written("basic")

    def forget(model):
        del model.metadata_props[:]

    def rename(model):
        model.graph.input[0].name = "x"
        for node in model.graph.node:
            node.input[:] = ["x" if name == "images" else name for name in node.input]

    def lose_a_class(model):
        entry = next(one for one in model.metadata_props if one.key == "fashionkit")
        entry.value = entry.value.replace('"class 9"', '"class 9", "class 10"')

    for change, message in (
        (forget, "was not written by to_onnx"),
        (rename, "its input is 'x'"),
        (lose_a_class, "its outputs are"),
    ):
        with pytest.raises(ModelFileError, match=message):
            changed(path, tmp_path, change).predict(data[2])
    text = tmp_path / "text.onnx"
    text.write_text("hello")
    with pytest.raises(ModelFileError, match="was not written by to_onnx"):
        ONNXClassifier(text).fit(None)
    with pytest.raises(FileNotFoundError):
        ONNXClassifier(tmp_path / "none.onnx").predict(data[2])


def test_other_files_are_not_read(written, tmp_path, monkeypatch):
    """Weights may lie beside an ONNX file; what bytes name is not read."""
    model = onnx.load(str(written("basic")[1]))
    path = tmp_path / "model.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location="w.bin", size_threshold=0)
    monkeypatch.chdir(tmp_path)
    for location in ("w.bin", f"..{tmp_path}/w.bin", str(tmp_path / "w.bin")):
        moved = onnx.load(str(path), load_external_data=False)
        for one in moved.graph.initializer:
            for entry in one.external_data:
                if entry.key == "location":
                    entry.value = location
        (tmp_path / "moved.onnx").write_bytes(moved.SerializeToString())
        with pytest.raises(ModelFileError, match=r"[Ee]xternal"):
            ONNXClassifier("moved.onnx").fit(None)


def test_images_of_another_shape_are_refused(written):
    with pytest.raises(ValueError, match=r"images of shape \(28, 28\)"):
        ONNXClassifier(written("basic")[1]).predict(np.zeros((2, 32, 32), np.uint8))
