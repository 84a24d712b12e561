"""find_foreground: the product is found on backgrounds of many kinds, or said not to be there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from scipy import ndimage

from fashionkit import find_foreground, make_garments


def scene(kind, size=(160, 120), seed=0):
    """Return a picture of a red and blue shirt-like shape, and the mask of it."""
    random = np.random.RandomState(seed)
    height, width = size
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    mask = (abs(x - 0.5) < 0.2) & (abs(y - 0.5) < 0.3)
    mask |= (abs(x - 0.5) < 0.38) & (abs(y - 0.3) < 0.1)
    ground = {
        "white": np.full((height, width, 3), 250.0),
        "black": np.full((height, width, 3), 5.0),
        "shaded": 120 + 100 * np.repeat(x[..., None], 3, axis=2),
        "striped": np.where((x * 20).astype(int)[..., None] % 2, [200, 190, 160], [120, 90, 60]),
        "spotted": np.where(
            ndimage.gaussian_filter(random.randn(height, width), 2)[..., None] > 0,
            [90, 140, 90],
            [60, 90, 70],
        ),
    }[kind]
    cloth = np.where((y < 0.5)[..., None], [180, 30, 40], [40, 60, 150])
    image = np.where(mask[..., None], cloth, ground) + random.randn(height, width, 1) * 3
    return np.clip(image, 0, 255).astype(np.uint8), mask


def iou(found, mask):
    return (found & mask).sum() / (found | mask).sum()


@pytest.mark.parametrize("kind", ["white", "black", "shaded", "striped", "spotted"])
def test_a_shape_of_two_colours_is_found(kind):
    image, mask = scene(kind)
    found = find_foreground(image)
    assert found.shape == mask.shape
    assert found.dtype == bool
    assert iou(found, mask) > 0.9


@pytest.mark.parametrize("size", [(40, 30), (97, 96), (300, 900), (900, 300)])
def test_it_is_found_at_any_size(size):
    image, mask = scene("shaded", size)
    assert iou(find_foreground(image), mask) > 0.9


def test_garments_on_black_are_found():
    X, _ = make_garments(40, image_size=112, random_state=0)
    scores = [iou(find_foreground(image), image > 24) for image in X]
    assert np.median(scores) > 0.9


def test_a_dark_photo_has_the_foreground_of_a_light_one():
    image, mask = scene("striped")
    assert iou(find_foreground(image // 5), mask) > 0.85


def test_forms_of_an_image_have_the_same_foreground():
    gray = scene("white")[0][..., 0]
    expected = find_foreground(gray)
    assert expected.any()
    forms = [
        gray[..., None],
        np.repeat(gray[..., None], 3, axis=2),
        gray / 255,
        gray.astype(np.int64),
        Image.fromarray(gray),
        gray.tolist(),
    ]
    for form in forms:
        assert_array_equal(find_foreground(form), expected)


def test_the_same_image_has_the_same_foreground_each_time():
    image, _ = scene("spotted")
    assert_array_equal(find_foreground(image), find_foreground(image.copy()))


@pytest.mark.parametrize(
    "image",
    [
        np.full((50, 60, 3), 200, np.uint8),
        np.zeros((50, 60), np.uint8),
        np.random.RandomState(0).randint(0, 256, (80, 80, 3)).astype(np.uint8),
        np.full((1, 1, 3), 9, np.uint8),
    ],
    ids=["one colour", "black", "noise", "one pixel"],
)
def test_where_nothing_stands_out_the_mask_is_empty(image):
    assert not find_foreground(image).any()


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (2, 2, 3), (3, 200, 3), (8, 8)])
def test_tiny_and_narrow_images_have_a_mask_of_their_shape(shape):
    image = np.random.RandomState(1).randint(0, 256, shape).astype(np.uint8)
    assert find_foreground(image).shape == shape[:2]


def test_holes_are_filled_and_small_pieces_left_out():
    image, _ = scene("white")
    image[70:76, 55:61] = 250
    image[8:11, 8:11] = [10, 120, 10]
    found = find_foreground(image)
    assert found[70:76, 55:61].all()
    assert not found[8:11, 8:11].any()


def test_both_of_a_pair_are_found():
    image = np.full((100, 140, 3), 230, np.uint8)
    image[20:80, 25:55] = image[25:85, 85:115] = [40, 30, 30]
    found = find_foreground(image)
    assert found[50, 40]
    assert found[50, 100]
    assert not found[50, 70]


@pytest.mark.parametrize(
    "image",
    [np.zeros((2, 5, 5, 3)), np.zeros((5, 5, 4)), np.zeros(5), np.zeros((0, 5)), [["text"]]],
    ids=["batch", "alpha", "row", "empty", "text"],
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(ValueError, match=r"image has the shape .* pass one gray or RGB image"):
        find_foreground(image)


@pytest.mark.parametrize("path", ["photo.jpg", Path("photo.jpg")])
def test_paths_are_refused_with_the_remedy(path):
    with pytest.raises(TypeError, match=r"'photo.jpg' is a path, .* pass PIL.Image.open"):
        find_foreground(path)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN or infinite"):
        find_foreground(np.full((5, 5), np.nan))


@pytest.mark.realdata
def test_on_real_photos_something_in_the_middle_is_found():
    folder = Path(os.environ.get("FASHIONKIT_DATA", ""), "photos", "validation")
    if not folder.is_dir():
        pytest.skip("needs photos: put clothing-dataset-small into FASHIONKIT_DATA as 'photos'")
    shares, middles = [], []
    for path in sorted(folder.rglob("*.jpg"))[::6]:
        with Image.open(path) as image:
            mask = find_foreground(image.convert("RGB"))
        shares.append(mask.mean())
        height, width = mask.shape
        middle = mask[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3]
        middles.append(middle.mean())
    assert 0.3 < np.median(shares) < 0.6
    assert min(shares) > 0.05
    assert np.mean(middles) > 0.8
