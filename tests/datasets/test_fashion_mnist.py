import gzip
import hashlib
import io
import pickle
import struct

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal, assert_series_equal

from fashionkit.datasets import (
    CLASS_NAMES,
    _download,
    fetch_fashion_mnist,
    load_fashion_mnist_csv,
)
from fashionkit.datasets._fashion_mnist import _FILES, _check_part

COLUMNS = [f"pixel{i}" for i in range(1, 785)]


def idx_gz(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Put a Fashion-MNIST of 12 + 5 images in place of the real one."""
    rng = np.random.RandomState(0)
    parts = {}
    sha256 = {}
    for part, n in {"train": 12, "test": 5}.items():
        images = rng.randint(0, 256, (n, 28, 28)).astype(np.uint8)
        labels = rng.randint(0, 10, n).astype(np.uint8)
        parts[part] = images, labels.astype(np.int64)
        for name, array in zip(_FILES[part], (images, labels), strict=True):
            content = idx_gz(array)
            (tmp_path / name).write_bytes(content)
            sha256[name] = hashlib.sha256(content).hexdigest()
    monkeypatch.setenv("FASHIONKIT_DATA", str(tmp_path))
    monkeypatch.setattr(_download, "_SHA256", sha256)
    monkeypatch.setattr(_download, "_SOURCES", ())
    parts["all"] = tuple(np.concatenate(arrays) for arrays in zip(*parts.values(), strict=True))
    return parts


@pytest.fixture(scope="module")
def fashion_mnist():
    """Give the real training set, or skip."""
    try:
        return fetch_fashion_mnist("train", download_if_missing=False)
    except OSError:
        pytest.skip(
            "Fashion-MNIST is not on this machine: put its four .gz files into a "
            "folder and name the folder in FASHIONKIT_DATA, or call "
            "fashionkit.datasets.fetch_fashion_mnist('all') once."
        )


@pytest.mark.parametrize("subset", ["train", "test", "all"])
def test_gives_images_and_labels_of_the_subset(tiny, subset):
    bunch = fetch_fashion_mnist(subset)
    images, labels = tiny[subset]
    assert_array_equal(bunch.data, images, strict=True)
    assert_array_equal(bunch.target, labels, strict=True)


def test_the_training_set_is_the_default(tiny):
    assert len(fetch_fashion_mnist().data) == 12


def test_bunch_describes_the_dataset(tiny):
    bunch = fetch_fashion_mnist()
    assert bunch.target_names == list(CLASS_NAMES)
    assert bunch.feature_names == COLUMNS
    assert bunch.frame is None
    assert "arXiv:1708.07747" in bunch.DESCR
    assert "MIT" in bunch.DESCR
    assert all(name in bunch.DESCR for name in CLASS_NAMES)


def test_class_names_are_the_papers():
    assert CLASS_NAMES == (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )


def test_return_x_y_gives_the_bunchs_data_and_target(tiny):
    X, y = fetch_fashion_mnist("test", return_X_y=True)
    assert_array_equal(X, tiny["test"][0], strict=True)
    assert_array_equal(y, tiny["test"][1], strict=True)


def test_as_frame_gives_kaggles_columns(tiny):
    images, labels = tiny["all"]
    bunch = fetch_fashion_mnist("all", as_frame=True)
    assert list(bunch.frame.columns) == ["label", *COLUMNS]
    assert list(bunch.data.columns) == COLUMNS
    assert (bunch.data.dtypes == np.uint8).all()
    assert_array_equal(bunch.data.to_numpy().reshape(-1, 28, 28), images, strict=True)
    assert_series_equal(bunch.target, pd.Series(labels, name="label"))
    assert_frame_equal(bunch.frame[COLUMNS], bunch.data)
    assert_series_equal(bunch.frame["label"], bunch.target)


def test_as_frame_with_return_x_y_gives_pandas_objects(tiny):
    X, y = fetch_fashion_mnist("test", return_X_y=True, as_frame=True)
    assert isinstance(X, pd.DataFrame)
    assert isinstance(y, pd.Series)


def test_frame_written_as_csv_is_read_back(tiny):
    frame = fetch_fashion_mnist(as_frame=True).frame
    X, y = load_fashion_mnist_csv(io.StringIO(frame.to_csv(index=False)))
    assert_array_equal(X, tiny["train"][0], strict=True)
    assert_array_equal(y, tiny["train"][1], strict=True)


@pytest.mark.parametrize("subset", ["train", "test", "all"])
def test_arrays_are_writable_and_fresh_at_each_call(tiny, subset):
    first = fetch_fashion_mnist(subset)
    first.data[:] = 0
    first.target[:] = 0
    again = fetch_fashion_mnist(subset)
    assert_array_equal(again.data, tiny[subset][0])
    assert_array_equal(again.target, tiny[subset][1])


def test_changing_the_frame_changes_neither_data_nor_target(tiny):
    bunch = fetch_fashion_mnist(as_frame=True)
    bunch.frame.loc[:, :] = 0
    assert bunch.data.to_numpy().any()
    assert bunch.target.any()


def test_bunch_survives_pickling(tiny):
    bunch = pickle.loads(pickle.dumps(fetch_fashion_mnist("test")))
    assert_array_equal(bunch.data, tiny["test"][0], strict=True)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"subset": "validation"}, "'subset' parameter .* must be a str among"),
        ({"data_home": 3}, "'data_home' parameter"),
        ({"return_X_y": "yes"}, "'return_X_y' parameter"),
        ({"as_frame": "auto"}, "'as_frame' parameter"),
        ({"download_if_missing": None}, "'download_if_missing' parameter"),
    ],
)
def test_invalid_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        fetch_fashion_mnist(**parameters)


IMAGES = np.zeros((3, 28, 28), np.uint8)
LABELS = np.zeros(3, np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES, LABELS[:2], r"labels of shape \(2,\) for 3 images"),
        (IMAGES, LABELS[:, None], r"labels of shape \(3, 1\) for 3 images"),
        (IMAGES, LABELS + 0.5, "float64 labels"),
        (IMAGES, LABELS + np.uint8(10), r"the labels \[10\], expected 0 to 9"),
        (IMAGES, np.array([0, -1, 4], np.int8), r"the labels \[-1\], expected 0 to 9"),
        (IMAGES[:, 1:], LABELS, r"uint8 images of shape \(3, 27, 28\), expected"),
        (IMAGES.reshape(3, 784), LABELS, r"images of shape \(3, 784\), expected"),
        (IMAGES[..., None], LABELS, r"images of shape \(3, 28, 28, 1\), expected"),
        (IMAGES.astype(np.int32), LABELS, "int32 images of shape"),
    ],
)
def test_images_and_labels_that_do_not_fit_are_refused(images, labels, message):
    with pytest.raises(ValueError, match=message) as caught:
        _check_part(images, labels, "images.gz, labels.gz")
    assert str(caught.value).startswith("images.gz, labels.gz: ")


@pytest.mark.realdata
def test_real_training_set_is_60000_images_balanced_over_ten_classes(fashion_mnist):
    assert fashion_mnist.data.shape == (60000, 28, 28)
    assert fashion_mnist.data.dtype == np.uint8
    assert fashion_mnist.target[:5].tolist() == [9, 0, 0, 3, 0]
    assert np.bincount(fashion_mnist.target).tolist() == [6000] * 10
    assert fashion_mnist.data.mean() == pytest.approx(72.94, abs=0.01)


@pytest.mark.realdata
def test_real_test_images_follow_the_training_images_in_all(fashion_mnist):
    X, y = fetch_fashion_mnist("all", return_X_y=True, download_if_missing=False)
    test = fetch_fashion_mnist("test", download_if_missing=False)
    assert_array_equal(X[:60000], fashion_mnist.data)
    assert_array_equal(X[60000:], test.data)
    assert_array_equal(y, np.concatenate([fashion_mnist.target, test.target]))
    assert len(test.data) == 10000
