"""ImageNet weights: which file is used where the wanted one is neither at hand nor reachable."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fashionkit import BackboneFeatures, TransferClassifier
from fashionkit._backbones import weights
from fashionkit._backbones.networks import Backbone
from fashionkit._backbones.records import RECORDS
from fashionkit._keras_compat import any_input_size
from fashionkit._tensorflow import keras

STEM = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
FOR_96, FOR_224 = f"{STEM}_0.35_96_no_top.h5", f"{STEM}_0.35_224_no_top.h5"


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """Return an empty folder that is Keras's, in a process that has loaded no weights yet."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(weights, "_unreachable", {})
    weights._imagenet.cache_clear()
    weights._warn_of_substitute.cache_clear()
    (tmp_path / "models").mkdir()
    yield tmp_path
    weights._imagenet.cache_clear()


@pytest.fixture
def attempts(monkeypatch):
    """Return the files that Keras tried to download, none of which it could."""
    asked = []

    def fail(fname=None, origin=None, **options):
        asked.append(fname)
        raise Exception(f"URL fetch failure on {origin}: None -- unreachable")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", fail)
    return asked


@pytest.fixture(scope="module")
def network():
    """Return the smallest MobileNetV2, with other values than those that Keras begins with."""
    model = keras().applications.MobileNetV2(
        input_shape=(224, 224, 3), alpha=0.35, include_top=False, weights=None
    )
    random = np.random.default_rng(0)
    for variable in model.variables:
        variable.assign(random.uniform(0.5, 1, variable.shape))
    return model


@pytest.fixture(scope="module")
def file(network, tmp_path_factory):
    """Return the bytes of a file of the network's weights, as Keras's own are."""
    path = tmp_path_factory.mktemp("weights") / "network.h5"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the format being an old one
        network.save(path)
    return path.read_bytes()


def load(size, layers=("low",)):
    return weights.load_weights(Backbone("mobilenetv2", (size, size), layers, 0.35), "imagenet")


def put(keras_home, name, content):
    (keras_home / "models" / name).write_bytes(content)


def test_weights_for_224_pixels_stand_in_for_those_of_another_size(
    keras_home, attempts, network, file
):
    put(keras_home, FOR_224, file)
    features = BackboneFeatures(layers="low", alpha=0.35, image_size=96)
    with pytest.warns(UserWarning, match="is used instead") as caught:
        features.fit(np.zeros((2, 28, 28), np.uint8))
    assert_array_equal(load(96)[0], network.variables[0].numpy())
    assert caught[0].filename == __file__  # the user's line
    message = str(caught[0].message)
    for part in (FOR_96, FOR_224, str(keras_home), "could not be reached", "put that file there"):
        assert part in message


def test_the_warning_comes_once_and_the_download_is_tried_once(keras_home, attempts, file):
    put(keras_home, FOR_224, file)
    with pytest.warns(UserWarning, match="is used instead"):
        load(96)
    load(96, layers=("mid",))  # would warn again, which is an error in these tests
    assert attempts == [FOR_96]


@pytest.mark.slow
def test_a_classifier_takes_the_substitute(keras_home, attempts, file):
    put(keras_home, FOR_224, file)
    X, y = np.zeros((2, 28, 28), np.uint8), [0, 1]
    clf = TransferClassifier(layers="low", alpha=0.35, image_size=96, epochs=1, random_state=0)
    with pytest.warns(UserWarning, match="is used instead"):
        clf.fit(X, y)
    assert clf.predict_proba(X).shape == (2, 2)


def test_without_any_file_the_error_names_the_wanted_one(keras_home, attempts):
    for _ in range(2):
        with pytest.raises(FileNotFoundError, match=f"{FOR_96} is not in") as caught:
            load(96)
        assert "in a new process" in str(caught.value)
    assert attempts == [FOR_96]


def test_a_file_put_there_after_a_failure_is_used(keras_home, attempts, network, file):
    with pytest.raises(FileNotFoundError):
        load(96)
    put(keras_home, FOR_96, file)
    assert_array_equal(load(96)[0], network.variables[0].numpy())


def test_sizes_without_weights_of_their_own_share_one_attempt(keras_home, attempts):
    for size in (56, 224, 300):
        with pytest.raises(FileNotFoundError, match=FOR_224):
            load(size)
    assert attempts == [FOR_224]


@pytest.mark.parametrize("name", [name for name in RECORDS if RECORDS[name].weights_sizes])
def test_keras_names_its_files_after_the_sizes_of_a_record(name, attempts):
    record = RECORDS[name]
    for size in (min(record.weights_sizes), 40):
        with any_input_size(), pytest.raises(Exception, match="URL fetch failure"):
            record.build((size, size, 3), "imagenet", alpha=record.alphas[0])
        assert f"_{record.size_of_weights((size, size))}_" in attempts[-1]


def test_oblong_images_take_the_weights_of_the_largest_size():
    assert RECORDS["mobilenetv2"].size_of_weights((96, 128)) == 224
    assert RECORDS["resnet50v2"].size_of_weights((96, 96)) is None


@pytest.mark.realdata
@pytest.mark.slow
def test_real_weights_for_224_pixels_serve_at_96(monkeypatch, keras_home, attempts):
    folder = Path(os.environ.get("FASHIONKIT_DATA", "")) / "keras"
    if not (folder / "models" / FOR_224).is_file():
        pytest.skip(f"needs Keras's weights: put {FOR_224} into keras/models of FASHIONKIT_DATA")
    monkeypatch.setenv("KERAS_HOME", str(folder))
    with pytest.warns(UserWarning, match="is used instead"):
        arrays = load(96)
    assert arrays[0].shape == (3, 3, 3, 16)  # the first convolution, three channels to sixteen
