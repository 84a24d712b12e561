"""ImageLoader: paths of any form are read, in any pipeline; images pass."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from scipy import sparse
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from fashionkit import (
    CNNClassifier,
    ImageFolder,
    ImageLoader,
    PixelFeatures,
    TransferClassifier,
    load,
    load_images,
    save,
)
from fashionkit._tensorflow import keras


def tiny_network(input_shape):
    layers = keras().layers
    inputs = layers.Input(input_shape)
    return keras().Model(inputs, layers.Conv2D(4, 3, strides=2, activation="relu")(inputs))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Return the paths of twelve photos of different sizes, half dark and half light."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    paths = []
    for number in range(12):
        low = 20 if number % 2 else 180
        pixels = random.integers(low, low + 60, (20 + number, 30, 3), dtype=np.uint8)
        label = "dark" if number % 2 else "light"
        (folder / label).mkdir(exist_ok=True)
        paths.append(folder / label / f"{number:02}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


@pytest.fixture(scope="module")
def labels(photos):
    return np.array([path.parent.name for path in photos])


def small_model(**params):
    return make_pipeline(ImageLoader(8, **params), PixelFeatures(), KNeighborsClassifier(1))


FORMS = {
    "paths": lambda paths: paths,
    "text": lambda paths: [str(path) for path in paths],
    "tuple": tuple,
    "array of text": lambda paths: np.array([str(path) for path in paths]),
    "array of paths": lambda paths: np.array(paths, dtype=object),
    "column": lambda paths: np.array([[str(path)] for path in paths]),
    "Series": lambda paths: pd.Series([str(path) for path in paths], index=range(12, 24)),
    "Series of paths": lambda paths: pd.Series(paths),
    "DataFrame": lambda paths: pd.DataFrame({"photo": [str(path) for path in paths]}),
    "ImageFolder": lambda paths: ImageFolder.from_paths(paths),
    "ImageFolder of another size": lambda paths: ImageFolder.from_paths(paths, image_size=5),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_paths_of_any_form_are_read(photos, form):
    expected = load_images(photos, image_size=(8, 10), aspect="pad")
    images = ImageLoader((8, 10), aspect="pad").fit_transform(form(photos))
    assert images.dtype == np.uint8
    assert_array_equal(images, expected)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_lazily_none_is_read_before_it_is_asked_for(photos, form):
    folder = ImageLoader(8, lazy=True).transform(form(photos))
    assert isinstance(folder, ImageFolder)
    assert folder.shape == (12, 8, 8, 3)
    assert_array_equal(folder[3], load_images(photos[3], image_size=8)[0])


def test_a_lazy_loader_keeps_the_labels_of_a_folder(photos, labels):
    folder = ImageFolder(photos[0].parents[1])
    assert_array_equal(ImageLoader(8, lazy=True).transform(folder).target, folder.target)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("name", ["text", "array of paths", "Series", "DataFrame", "ImageFolder"])
def test_searches_split_paths(photos, labels, name, lazy):
    X = FORMS[name](photos)
    search = GridSearchCV(small_model(lazy=lazy), {"imageloader__image_size": [2, 8]}, cv=3)
    search.fit(X, labels)
    assert search.best_score_ == 1
    assert_array_equal(search.predict(X), labels)


@pytest.mark.parametrize("lazy", [False, True])
def test_a_network_learns_from_paths(photos, labels, lazy):
    network = TransferClassifier(tiny_network, weights=None, epochs=2, random_state=0)
    model = make_pipeline(ImageLoader(8, lazy=lazy), network)
    scores = cross_val_score(model, np.array(photos, dtype=object), labels, cv=2)
    assert np.isfinite(scores).all()
    model.fit(ImageFolder.from_paths(photos), labels)
    arrays = load_images(photos, image_size=8)
    assert_array_equal(model.predict_proba(arrays), model.predict_proba(photos))


@pytest.mark.parametrize("lazy", [False, True])
def test_a_pipeline_of_paths_is_saved_as_one_file(photos, labels, tmp_path, lazy):
    network = CNNClassifier(
        architecture_params={"filters": (4,), "dense_units": ()}, epochs=1, random_state=0
    )
    model = make_pipeline(ImageLoader(8, lazy=lazy), network).fit(photos, labels)
    loaded = load(save(model, tmp_path / "model.fashionkit"))
    assert loaded[0].get_params() == model[0].get_params()
    assert_array_equal(loaded.predict_proba(photos), model.predict_proba(photos))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 6, 7, 3), (5, 49)])
def test_images_pass_unchanged(shape, dtype):
    X = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    for loader in (ImageLoader(4), ImageLoader(4).fit(X)):
        same = loader.transform(X)
        assert same.dtype == dtype
        assert_array_equal(same, X)


def test_lists_of_images_become_an_array():
    images = [np.full((5, 6, 3), value, np.uint8) for value in range(4)]
    assert_array_equal(ImageLoader().transform(images), np.stack(images))


def test_photos_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (20, 10), "red")
    image.paste("blue", (0, 0, 10, 10))
    image.save(tmp_path / "1.png", exif=exif)
    upright = ImageLoader((20, 10)).transform([tmp_path / "1.png"])[0]
    assert_array_equal(upright[2, 5], [0, 0, 255])
    assert_array_equal(upright[17, 5], [255, 0, 0])


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_a_file_that_cannot_be_read_is_an_error_by_name(photos, tmp_path, content):
    path = tmp_path / "broken.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.jpg' cannot be read as an image: it is "):
        ImageLoader(8).transform([photos[0], path])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("photo.jpg", r"X='photo.jpg' is a single path, expected a list of paths; pass \[X\]"),
        (Path("photo.jpg"), "X='photo.jpg' is a single path"),
        (["photo.jpg", 3], "paths has 3, expected str or path-like"),
        (pd.Series(["photo.jpg", None]), "paths has "),
    ],
)
def test_what_is_no_batch_of_paths_is_refused(X, message):
    with pytest.raises(TypeError, match=message):
        ImageLoader().transform(X)


@pytest.mark.parametrize(
    "params",
    [{"image_size": 0}, {"image_size": None}, {"aspect": "fit"}, {"lazy": "yes"}, {"n_jobs": 1.5}],
    ids=str,
)
def test_parameters_out_of_range_are_refused_by_name(photos, params):
    for method in ("fit", "transform"):
        with pytest.raises(InvalidParameterError, match=f"'{next(iter(params))}' parameter of Im"):
            getattr(ImageLoader(**params), method)(photos)


def test_sides_of_an_image_size_are_checked(photos):
    with pytest.raises(ValueError, match=r"image_size=\(8,\) is not two positive integers"):
        ImageLoader((8,)).fit(photos)


@pytest.mark.parametrize("lazy", [False, True])
def test_data_frames_of_pixels_come_out_where_they_are_asked_for(photos, lazy):
    loader = ImageLoader(4, lazy=lazy).set_output(transform="pandas")
    table = loader.fit_transform(photos)
    assert list(table.columns[[0, -1]]) == ["pixel1", "pixel48"]
    assert_array_equal(table, load_images(photos, image_size=4).reshape(12, -1))


def test_threads_read_the_same(photos):
    assert_array_equal(ImageLoader(8, n_jobs=2).transform(photos), ImageLoader(8).transform(photos))


def test_relative_paths_are_found(photos, monkeypatch):
    monkeypatch.chdir(photos[0].parent)
    names = [os.path.basename(path) for path in photos if path.parent == photos[0].parent]
    assert len(ImageLoader(4).transform(names)) == 6


@pytest.mark.parametrize("form", ["csr", "coo", "dok", "lil"])
def test_sparse_arrays_are_refused_in_every_form(form):
    X = sparse.random_array((3, 16), density=0.5, format=form)
    with pytest.raises(TypeError, match="Sparse data was passed for X"):
        ImageLoader().fit(X)
