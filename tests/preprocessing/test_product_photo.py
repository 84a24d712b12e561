"""ProductPhotoPreprocessor: photos of any form and size become what a model takes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, ImageFilter
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from fashionkit import (
    ImageFolder,
    PixelFeatures,
    ProductPhotoPreprocessor,
    fetch_fashion_mnist,
    load,
    save,
)
from fashionkit.preprocessing._framing import Box

NUMBERS = ["brightest", "darkest", "clipped", "sharpness", "proportion", "enlargement"]
GROUND = (225, 215, 200)


def photo(size=(120, 90), box=(30, 20, 90, 60), color=(30, 60, 150), ground=GROUND, seed=0):
    """Return a picture of a rectangle of cloth with a little grain."""
    image = np.full((*size, 3), ground, float)
    top, left, bottom, right = box
    image[top:bottom, left:right] = color
    grain = np.random.RandomState(seed).randn(*size, 1) * 4
    return np.clip(image + grain, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def pictures():
    return [
        photo(),
        photo((80, 140), (20, 10, 60, 130), (160, 30, 30)),
        photo((64, 64), (8, 8, 50, 40)),
    ]


@pytest.fixture(scope="module")
def paths(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


FORMS = {
    "paths": lambda paths, pictures: paths,
    "array of text": lambda paths, pictures: np.array([str(path) for path in paths]),
    "Series": lambda paths, pictures: pd.Series([str(path) for path in paths], index=[5, 6, 7]),
    "DataFrame": lambda paths, pictures: pd.DataFrame({"photo": list(map(str, paths))}),
    "ImageFolder": lambda paths, pictures: ImageFolder.from_paths(paths),
    "ImageFolder of another size": lambda paths, pictures: ImageFolder.from_paths(
        paths, image_size=9
    ),
    "list of arrays": lambda paths, pictures: pictures,
    "list of Pillow's": lambda paths, pictures: [Image.fromarray(each) for each in pictures],
    "floats": lambda paths, pictures: [each / 255 for each in pictures],
    "Series of arrays": lambda paths, pictures: pd.Series(list(pictures)),
}


@pytest.mark.parametrize("target", ["photo", "fashion-mnist"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_forms_of_the_same_photos_give_the_same(paths, pictures, form, target):
    preprocessor = ProductPhotoPreprocessor(target, image_size=24)
    X = form(paths, pictures)
    images = preprocessor.fit_transform(X)
    assert images.dtype == np.uint8
    assert images.shape == ((3, 24, 24, 3) if target == "photo" else (3, 24, 24))
    assert_array_equal(images, preprocessor.transform(pictures))
    described = preprocessor.describe(X)
    expected = preprocessor.describe(pictures)
    pd.testing.assert_frame_equal(described.drop(columns="path"), expected.drop(columns="path"))
    has_paths = isinstance(X, ImageFolder) or "0.png" in str(np.asarray(X, dtype=object)[0])
    assert [str(path)[-5:] for path in described["path"]] == (
        ["0.png", "1.png", "2.png"] if has_paths else [""] * 3
    )


@pytest.mark.parametrize("target", ["photo", "fashion-mnist"])
def test_arrays_of_one_size_are_taken_in_every_form(target):
    X = np.stack([photo((60, 60), (10, 20, 50, 40), seed=seed) for seed in range(3)])
    preprocessor = ProductPhotoPreprocessor(target, image_size=16)
    expected = preprocessor.transform(list(X))
    assert_array_equal(preprocessor.transform(X), expected)
    assert_array_equal(preprocessor.transform(X / 255), expected)
    rows = preprocessor.fit_transform(X.reshape(3, -1))
    assert_array_equal(rows, expected.reshape(3, -1))
    gray = preprocessor.transform(X[..., 2])
    assert_array_equal(gray, preprocessor.transform(X[..., 2:]))


def test_default_sizes_are_those_of_the_targets(pictures):
    assert ProductPhotoPreprocessor().transform(pictures).shape == (3, 224, 224, 3)
    assert ProductPhotoPreprocessor("fashion-mnist").transform(pictures).shape == (3, 28, 28)


class TestPhoto:
    def test_the_product_fills_the_square_but_for_the_margin(self):
        image = photo((200, 300), (60, 120, 140, 180))
        for margin in (0.0, 0.25):
            (square,) = ProductPhotoPreprocessor(image_size=90, margin=margin).transform([image])
            rows = np.flatnonzero((square[:, 45].astype(int) @ [-1, 0, 1]) > 40)
            assert len(rows) == pytest.approx(90 / (1 + 2 * margin), rel=0.1)
            assert rows.mean() == pytest.approx(44.5, abs=2)

    def test_the_square_is_moved_into_the_photo(self):
        image = photo((200, 300), (24, 30, 154, 130))
        (square,) = ProductPhotoPreprocessor(image_size=96, margin=0.25).transform([image])
        # The product is as far from the corner as on the photo, rather than in the middle.
        is_blue = square.astype(int) @ [-1, 0, 1] > 40
        scale = 96 / (1.5 * 130)
        for axis, start, side in ((0, 30, 100), (1, 24, 130)):
            covered = np.flatnonzero(is_blue.mean(axis=axis) > 0.2)
            assert covered[0] == pytest.approx(start * scale, abs=4)
            assert len(covered) == pytest.approx(side * scale, abs=6)

    def test_beyond_the_photo_is_the_colour_of_its_border(self):
        image = photo((200, 60), (10, 10, 190, 50))
        (square,) = ProductPhotoPreprocessor(image_size=100).transform([image])
        assert_allclose(square[:, 3], np.broadcast_to(GROUND, (100, 3)), atol=3)
        assert_allclose(square[:, -3], np.broadcast_to(GROUND, (100, 3)), atol=3)

    def test_without_a_product_the_middle_is_taken(self):
        gradient = np.zeros((50, 100, 3), np.uint8) + 90
        (square,) = ProductPhotoPreprocessor(image_size=10).transform([gradient])
        assert_array_equal(square, np.full((10, 10, 3), 90))

    def test_photos_in_files_are_turned_upright(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 8
        image = photo()
        Image.fromarray(np.rot90(image, -1)).save(tmp_path / "1.png", exif=exif)
        preprocessor = ProductPhotoPreprocessor(image_size=32)
        assert_array_equal(
            preprocessor.transform([tmp_path / "1.png"]), preprocessor.transform([image])
        )
        described = preprocessor.describe([tmp_path / "1.png"])
        assert described[["height", "width"]].to_numpy().tolist() == [[120, 90]]


class TestSilhouette:
    def test_the_longest_side_fills_the_image_in_the_centre(self):
        preprocessor = ProductPhotoPreprocessor("fashion-mnist")
        tall, wide = preprocessor.transform(
            [photo((150, 150), (15, 50, 135, 90)), photo((150, 150), (60, 15, 90, 135))]
        )
        assert (tall > 0).any(axis=1).all()
        columns = np.flatnonzero((tall > 60).any(axis=0))
        assert len(columns) == pytest.approx(28 * 40 / 120, abs=2)
        assert columns.mean() == pytest.approx(13.5, abs=1)
        assert (wide > 0).any(axis=0).all()
        assert not wide[[0, -1]].any()

    def test_the_background_is_black_and_the_product_light(self):
        image = photo(color=(20, 20, 30))
        (silhouette,) = ProductPhotoPreprocessor("fashion-mnist").transform([image])
        assert silhouette[14, 14] > 180
        assert not silhouette[:, [0, -1]].any()

    @pytest.mark.parametrize(
        ("polarity", "color", "ground", "is_light", "done"),
        [
            ("auto", (30, 30, 30), GROUND, True, "negated"),
            ("auto", (180, 180, 180), (60, 30, 20), False, "negated"),
            ("auto", (240, 240, 240), (60, 30, 20), True, "kept"),
            ("negate", (240, 240, 240), (60, 30, 20), False, "negated"),
            ("keep", (30, 30, 30), GROUND, False, "kept"),
        ],
    )
    def test_polarity_is_put_right(self, polarity, color, ground, is_light, done):
        image = photo(color=color, ground=ground)
        preprocessor = ProductPhotoPreprocessor("fashion-mnist", polarity=polarity)
        assert (preprocessor.transform([image])[0, 14, 14] > 127) == is_light
        assert preprocessor.describe([image])["polarity"].tolist() == [done]

    def test_photos_are_never_negated(self):
        preprocessor = ProductPhotoPreprocessor(polarity="negate")
        assert preprocessor.describe([photo()])["polarity"].tolist() == ["kept"]

    def test_a_margin_is_left_free(self):
        preprocessor = ProductPhotoPreprocessor("fashion-mnist", image_size=60, margin=0.25)
        (silhouette,) = preprocessor.transform([photo((150, 150), (15, 50, 135, 90))])
        assert np.flatnonzero(silhouette.any(axis=1)).tolist() == list(range(10, 50))

    @pytest.mark.realdata
    def test_images_of_fashion_mnist_on_paper_come_back(self):
        try:
            X, _ = fetch_fashion_mnist("test", return_X_y=True, download_if_missing=False)
        except OSError:
            pytest.skip("needs Fashion-MNIST in FASHIONKIT_DATA")
        X = X[:60]
        pictures = []
        for image in X:
            paper = Image.new("L", (200, 150), 255)
            paper.paste(Image.fromarray(255 - image).resize((112, 112)), (50, 20))
            pictures.append(paper)
        back = ProductPhotoPreprocessor("fashion-mnist", polarity="negate").transform(pictures)
        scores = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(X, back, strict=True)]
        assert np.median(scores) > 0.8


class TestDescribe:
    def test_it_has_a_row_for_each_photo(self, pictures):
        described = ProductPhotoPreprocessor(image_size=48).describe(pictures)
        assert list(described.columns) == [
            *("path", "height", "width", "top", "left", "bottom", "right", "foreground"),
            *("overlap", "polarity", "quality", *NUMBERS),
        ]
        assert described[["height", "width"]].to_numpy().tolist() == [
            [120, 90],
            [80, 140],
            [64, 64],
        ]
        assert described["quality"].tolist() == [""] * 3

    def test_boxes_and_shares_are_those_of_the_product(self):
        described = ProductPhotoPreprocessor().describe([photo((400, 300), (100, 60, 300, 180))])
        box = described.loc[0, list(Box._fields)].astype(int)
        assert_allclose(box, [100, 60, 300, 180], atol=8)
        assert described.loc[0, "foreground"] == pytest.approx(0.2, abs=0.02)

    def test_boxes_count_the_pixels_of_large_files(self, tmp_path):
        image = Image.fromarray(photo((400, 300), (100, 60, 300, 180)))
        image.resize((1500, 2000)).save(tmp_path / "1.png")
        described = ProductPhotoPreprocessor(image_size=64).describe([tmp_path / "1.png"])
        assert described.loc[0, ["height", "width"]].tolist() == [2000, 1500]
        box = described.loc[0, list(Box._fields)].astype(int)
        assert_allclose(box, [500, 300, 1500, 900], atol=30)

    @pytest.mark.parametrize(
        ("image", "quality"),
        [
            (photo() // 4, "too dark"),
            (photo(color=(252, 252, 252), ground=(130, 60, 40)), "too light"),
            (255 - (255 - photo()) // 8, "too light"),
            (np.asarray(Image.fromarray(photo()).filter(ImageFilter.GaussianBlur(3))), "blurred"),
            (photo((36, 30), (10, 8, 26, 22)), "tiny"),
            (photo((60, 300), (10, 120, 50, 180)), "odd proportions"),
            (np.random.RandomState(0).randint(0, 256, (90, 90, 3)), "no foreground"),
            (np.full((90, 90, 3), 20, np.uint8), "too dark, blurred, no foreground"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_problems_are_named(self, image, quality):
        described = ProductPhotoPreprocessor(image_size=48).describe([photo(), image])
        assert described["quality"].tolist() == ["", quality]

    def test_whether_a_product_is_tiny_depends_on_the_size_asked_for(self):
        image = photo((60, 60), (15, 15, 45, 45))
        assert ProductPhotoPreprocessor(image_size=224).describe([image])["quality"][0] == "tiny"
        assert ProductPhotoPreprocessor("fashion-mnist").describe([image])["quality"][0] == ""


def test_a_pipeline_of_paths_is_saved_as_one_file(paths, pictures, tmp_path):
    model = make_pipeline(
        ProductPhotoPreprocessor("fashion-mnist", margin=0.05),
        PixelFeatures(),
        KNeighborsClassifier(1),
    ).fit(paths, ["a", "b", "c"])
    loaded = load(save(model, tmp_path / "model.fashionkit"))
    assert loaded[0].get_params() == model[0].get_params()
    assert loaded.predict(pictures).tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("target", ["photo", "fashion-mnist"])
def test_data_frames_of_pixels_come_out_where_they_are_asked_for(paths, target):
    preprocessor = ProductPhotoPreprocessor(target, image_size=6)
    expected = preprocessor.transform(paths).reshape(3, -1)
    table = preprocessor.set_output(transform="pandas").fit_transform(paths)
    assert_array_equal(table, expected)
    assert table.columns[0] == "pixel1"
    assert table.columns[-1] == f"pixel{expected.shape[1]}"


def test_threads_do_the_same(paths):
    one, two = (ProductPhotoPreprocessor(image_size=20, n_jobs=n_jobs) for n_jobs in (None, 2))
    assert_array_equal(one.transform(paths), two.transform(paths))
    pd.testing.assert_frame_equal(one.describe(paths), two.describe(paths))


@pytest.mark.parametrize("method", ["transform", "describe"])
def test_what_is_no_photo_is_an_error_by_name(paths, tmp_path, method):
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    work = getattr(ProductPhotoPreprocessor(), method)
    with pytest.raises(ValueError, match=r"broken\.jpg' cannot be read as an image"):
        work([paths[0], tmp_path / "broken.jpg"])
    with pytest.raises(ValueError, match=r"X\[1\]: image has the shape \(5, 5, 4\)"):
        work([photo(), np.zeros((5, 5, 4), np.uint8)])


@pytest.mark.parametrize(
    "params",
    [
        {"target": "fashion"},
        {"image_size": 0},
        {"margin": 1.0},
        {"margin": -0.1},
        {"polarity": "light"},
        {"n_jobs": "all"},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused_by_name(pictures, params):
    for method in ("fit", "transform", "describe"):
        with pytest.raises(InvalidParameterError, match=f"The '{next(iter(params))}' parameter"):
            getattr(ProductPhotoPreprocessor(**params), method)(pictures)


@pytest.mark.parametrize(
    "none", [[], (), pd.Series([], dtype=object)], ids=["list", "tuple", "Series"]
)
def test_no_photos_are_refused(none):
    for work in (ProductPhotoPreprocessor().describe, ProductPhotoPreprocessor().transform):
        with pytest.raises(ValueError, match="X is empty, expected at least one photo"):
            work(none)


def test_of_two_columns_of_paths_one_must_be_chosen():
    two = pd.DataFrame({"front": ["a.jpg"], "back": ["b.jpg"]})
    for table in (two, two.to_numpy()):
        with pytest.raises(ValueError, match=r"X has 2 columns .* expected one column of paths"):
            ProductPhotoPreprocessor().describe(table)
