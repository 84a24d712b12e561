"""dominant_colors: names, codes and shares of what a product is coloured in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from sklearn.utils._param_validation import InvalidParameterError

from fashionkit import ImageFolder, dominant_colors
from fashionkit.decision import list_color_names


def product(*colors, ground="#f0f0f0", size=(100, 80)):
    """Return a picture of a product of equal bands of colours."""
    image = np.full((*size, 3), np.array(to_rgb(ground)) * 255)
    bands = np.array_split(np.arange(15, 85), len(colors))
    for rows, color in zip(bands, colors, strict=True):
        image[rows[0] : rows[-1] + 1, 15:65] = np.array(to_rgb(color)) * 255
    return np.rint(image).astype(np.uint8)


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ("#0a0a0c", "black"),
        ("#202022", "black"),
        ("#7d7d7d", "gray"),
        ("#e00f10", "red"),
        ("#5a0a20", "burgundy"),
        ("#1b2a52", "navy"),
        ("#1757c2", "blue"),
        ("#7fb0dd", "blue"),
        ("#1d7a2e", "green"),
        ("#585a1d", "olive"),
        ("#f4e23c", "yellow"),
        ("#f07d12", "orange"),
        ("#6a3d1c", "brown"),
        ("#d8c6a0", "beige"),
        ("#f29ac0", "pink"),
        ("#6a2a86", "purple"),
        ("#0f7f80", "teal"),
        # Colours that have a name of their own in the trade, and what is meant by it.
        ("#355e3b", "green"),  # hunter green
        ("#01796f", "teal"),  # pine green, a dark cyan in spite of its name
        ("#1f5f4a", "green"),
        ("#135f48", "green"),
        ("#0b3d2e", "green"),
        ("#4b5320", "olive"),  # army green
        ("#556b2f", "olive"),
        ("#000080", "navy"),
        ("#800020", "burgundy"),
        ("#722f37", "burgundy"),  # wine
        ("#40e0d0", "turquoise"),
        ("#c3b091", "beige"),  # khaki of uniforms
        ("#5c4033", "brown"),
    ],
)
def test_plain_cloth_has_one_colour_of_the_usual_name(color, name):
    row = dominant_colors([product(color)], n_colors=2).loc[0]
    assert row[:3].tolist() == [name, color, 1.0]
    assert row[3:].isna().all()


def test_white_cloth_is_white():
    assert dominant_colors([product("#f4f3ef", ground="#552211")])["color_1"].tolist() == ["white"]


def test_shares_are_of_the_product_and_the_largest_comes_first():
    image = product("#c00000", "#c00000", "#c00000", "#1040a0")
    row = dominant_colors([image]).loc[0]
    assert row[["color_1", "color_2"]].tolist() == ["red", "blue"]
    assert row[["color_3", "hex_3", "share_3"]].isna().all()
    assert row["share_1"] == pytest.approx(0.75, abs=0.03)
    assert row["share_1"] + row["share_2"] == pytest.approx(1)


def test_shades_of_one_name_are_one_colour():
    row = dominant_colors([product("#1d7a2e", "#125c20", "#2c8c3c")]).loc[0]
    assert row["color_1"] == "green"
    assert row["share_1"] == pytest.approx(1)


def test_the_background_does_not_count():
    row = dominant_colors([product("#102080", ground="#d02020")]).loc[0]
    assert row["color_1"] in ("blue", "navy")
    assert row["share_1"] == 1


def test_a_picture_of_one_colour_has_that_colour():
    image = np.full((30, 30, 3), (200, 20, 20), np.uint8)
    assert dominant_colors([image], n_colors=1).loc[0].tolist() == ["red", "#c81414", 1.0]


def test_there_are_as_many_columns_as_asked_for():
    table = dominant_colors([product("red"), product("blue")], n_colors=4)
    assert list(table.columns) == [
        f"{part}_{n}" for n in (1, 2, 3, 4) for part in ("color", "hex", "share")
    ]
    assert len(table) == 2


def test_the_same_photos_have_the_same_colours_each_time_and_in_threads():
    random = np.random.RandomState(0)
    noisy = [
        np.clip(product("red", "navy", "gold") + random.randn(100, 80, 3) * 9, 0, 255)
        for _ in "abc"
    ]
    photos = [each.astype(np.uint8) for each in noisy]
    expected = dominant_colors(photos)
    pd.testing.assert_frame_equal(dominant_colors(photos), expected)
    pd.testing.assert_frame_equal(dominant_colors(photos, n_jobs=2), expected)


def test_paths_folders_and_arrays_have_the_same_colours(tmp_path):
    photos = np.stack([product("#c00000"), product("#1040a0")])
    for number, photo in enumerate(photos):
        Image.fromarray(photo).save(tmp_path / f"{number}.png")
    paths = sorted(map(str, tmp_path.iterdir()))
    expected = dominant_colors(photos)
    for form in (paths, np.array(paths), pd.Series(paths), ImageFolder.from_paths(paths)):
        pd.testing.assert_frame_equal(dominant_colors(form), expected)
    pd.testing.assert_frame_equal(dominant_colors(list(photos)), expected)


def test_gray_images_have_names_of_grays():
    names = dominant_colors(product("#202020")[..., 0][np.newaxis])
    assert names["color_1"].tolist() == ["black"]


def test_all_names_are_listed():
    random = np.random.RandomState(0)
    photos = [np.full((4, 4, 3), color, np.uint8) for color in random.randint(0, 256, (300, 3))]
    named = set(dominant_colors(photos, n_colors=1)["color_1"])
    assert named <= set(list_color_names())
    assert len(named) > 15


def test_a_file_that_cannot_be_read_is_an_error_by_name(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"broken\.jpg' cannot be read as an image"):
        dominant_colors([tmp_path / "broken.jpg"])


@pytest.mark.parametrize("n_colors", [0, 21, 2.5])
def test_numbers_of_colours_out_of_range_are_refused(n_colors):
    with pytest.raises(InvalidParameterError, match="The 'n_colors' parameter"):
        dominant_colors([product("red")], n_colors)
