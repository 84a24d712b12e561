import io
import os
import pickle
import struct
import threading
import tracemalloc
import warnings
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GroupKFold, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import _safe_indexing

from fashionkit.datasets import (
    ImageFolder,
    _folder,
    _photo,
    _pixels,
    load_image_folder,
    load_images,
)

# Formats that Pillow reads with a plugin only.
PLUGINS = ("HEIF", "JXL")

READERS = pytest.mark.parametrize(
    "read", [load_image_folder, lambda path, **params: np.asarray(ImageFolder(path, **params))]
)


def saved(path, colour="red", size=(6, 8), **params):
    """Save a plain image; the size is the width and the height, as in Pillow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path, **params)
    return path


def read_one(folder, image, name="image.png", size=None, aspect="crop", **params):
    """Save an image as the only one of a folder, and return it as it is read."""
    (folder / "a").mkdir(exist_ok=True)
    image.save(folder / "a" / name, **params)
    return load_image_folder(folder, image_size=size, aspect=aspect).data[0]


def png(*chunks):
    """Make a PNG file of any chunks."""
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        body = kind + data
        content += struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    return content


def gray_png_header(width, height, bits=8):
    return b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)


BOMB = png(gray_png_header(100_000, 100_000), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))


def noise(height, width, seed=0):
    return np.random.RandomState(seed).randint(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.fixture
def photos(tmp_path):
    """Make a folder of three dresses and two hats, told apart by their colours."""
    for i in range(3):
        saved(tmp_path / "dress" / f"{i}.png", (200, 10 * i, 0))
    for i in range(2):
        saved(tmp_path / "hat" / f"{i}.png", (0, 10 * i, 200))
    return tmp_path


@pytest.fixture
def damaged(photos):
    """Add every sort of file that cannot be read, and a class that has nothing else."""
    jpeg = saved(photos / "dress" / "truncated.jpg", size=(64, 64), quality=95)
    jpeg.write_bytes(jpeg.read_bytes()[:-40])
    (photos / "dress" / "bomb.png").write_bytes(BOMB)
    (photos / "hat" / "empty.jpg").write_bytes(b"")
    (photos / "hat" / "notes.txt").write_text("buy hats")
    (photos / "shoe").mkdir()
    (photos / "shoe" / "page.jpg").write_text("<html>Not found</html>")
    return photos


def test_labels_are_the_names_of_the_sub_folders(photos):
    dataset = load_image_folder(photos)
    assert dataset.data.shape == (5, 8, 6, 3)
    assert dataset.data.dtype == np.uint8
    assert dataset.data[:, 0, 0].tolist() == [
        [200, 0, 0],
        [200, 10, 0],
        [200, 20, 0],
        [0, 0, 200],
        [0, 10, 200],
    ]
    assert dataset.target.tolist() == ["dress"] * 3 + ["hat"] * 2
    assert dataset.target_names == ["dress", "hat"]
    assert [Path(name).relative_to(photos).as_posix() for name in dataset.filenames] == [
        "dress/0.png",
        "dress/1.png",
        "dress/2.png",
        "hat/0.png",
        "hat/1.png",
    ]
    assert dataset.skipped == []
    assert dataset.DESCR.startswith("5 RGB images of 8 x 6 pixels from ")
    assert dataset.DESCR.endswith(f"{str(photos)!r}: 3 dress, 2 hat.")


def test_path_may_be_a_string_and_data_and_target_alone_may_be_asked_for(photos):
    X, y = load_image_folder(str(photos), return_X_y=True)
    dataset = load_image_folder(photos)
    assert_array_equal(X, dataset.data)
    assert_array_equal(y, dataset.target)


def test_a_single_class_can_be_read(tmp_path):
    saved(tmp_path / "hat" / "1.png")
    assert load_image_folder(tmp_path).target_names == ["hat"]


def test_sub_folders_of_a_class_are_read_too(photos):
    saved(photos / "dress" / "summer" / "long" / "1.png", "green")
    dataset = load_image_folder(photos)
    assert len(dataset.data) == 6
    assert dataset.target[3] == "dress"
    assert dataset.filenames[3].endswith("1.png")


def test_names_in_any_script_are_kept(tmp_path):
    for label in ["Überwurf", "連衣裙", "платье", "two words"]:
        saved(tmp_path / label / "ä ö.png")
    dataset = load_image_folder(tmp_path)
    assert dataset.target_names == ["two words", "Überwurf", "платье", "連衣裙"]
    assert all(os.path.exists(name) for name in dataset.filenames)


def test_a_name_that_is_no_unicode_is_kept(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff\xfe"
    try:
        os.mkdir(name)
    except (OSError, UnicodeDecodeError):
        pytest.skip("this file system takes Unicode only")
    saved(Path(os.fsdecode(name)) / "1.png")
    dataset = load_image_folder(tmp_path)
    assert os.fsencode(dataset.target_names[0]) == b"\xff\xfe"
    assert os.path.exists(str(dataset.filenames[0]))


@pytest.mark.parametrize(
    "litter",
    [
        "dress/.DS_Store",
        "dress/._0.png",
        "dress/Thumbs.db",
        "dress/desktop.ini",
        "dress/ehthumbs.db",
        "dress/Icon\r",
        "dress/@eaDir/0.png",
        "$RECYCLE.BIN/1.png",
        "System Volume Information/1.png",
        "lost+found/1.png",
        ".AppleDouble/1.png",
        "dress/.cache/1.png",
        ".git/1.png",
        "__MACOSX/dress/1.png",
        "labels.csv",
        "beside.png",
    ],
)
def test_hidden_files_litter_and_files_beside_the_classes_are_ignored(photos, litter):
    (photos / litter).parent.mkdir(parents=True, exist_ok=True)
    (photos / litter).write_bytes(b"no image")
    dataset = load_image_folder(photos)
    assert len(dataset.data) == 5
    assert dataset.target_names == ["dress", "hat"]


def test_links_are_followed_but_not_in_circles(photos, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    saved(elsewhere / "more" / "1.png", "green")
    try:
        (photos / "dress" / "z-more").symlink_to(elsewhere / "more", target_is_directory=True)
    except OSError:
        pytest.skip("this user may not make links")
    (elsewhere / "more" / "back").symlink_to(photos / "dress", target_is_directory=True)
    (photos / "dress" / "itself").symlink_to(photos / "dress", target_is_directory=True)
    (photos / "dress" / "top").symlink_to(photos, target_is_directory=True)
    dataset = load_image_folder(photos)
    assert dataset.target.tolist() == ["dress"] * 4 + ["hat"] * 2
    assert dataset.data[3, 0, 0].tolist() == [0, 128, 0]


def test_each_folder_is_listed_once_under_its_own_path(photos):
    try:
        (photos / "dress" / "a-hats").symlink_to(photos / "hat", target_is_directory=True)
    except OSError:
        pytest.skip("this user may not make links")
    (photos / "hat" / "dresses").symlink_to(photos / "dress", target_is_directory=True)
    folder = ImageFolder(photos)
    assert folder.target.tolist() == ["dress"] * 3 + ["hat"] * 2
    assert [Path(name).parent.name for name in folder.filenames] == folder.target.tolist()


def test_a_class_may_be_a_link_and_so_may_a_folder_in_it(photos, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    saved(elsewhere / "shoes" / "1.png", "green")
    saved(elsewhere / "more" / "1.png", "green")
    try:
        (photos / "a-shoe").symlink_to(elsewhere / "shoes", target_is_directory=True)
    except OSError:
        pytest.skip("this user may not make links")
    (elsewhere / "shoes" / "0-more").symlink_to(elsewhere / "more", target_is_directory=True)
    folder = ImageFolder(photos)
    assert folder.target.tolist() == ["a-shoe"] * 2 + ["dress"] * 3 + ["hat"] * 2
    assert folder.filenames[0] == str(photos / "a-shoe" / "0-more" / "1.png")


def test_listing_asks_about_each_folder_once_however_deep(tmp_path, monkeypatch):
    deepest = tmp_path.joinpath("a", *("d" * 200))
    deepest.mkdir(parents=True)
    (deepest / "1.png").touch()
    asked = []
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **kw: asked.append(path) or stat(path, **kw))
    assert ImageFolder(tmp_path).filenames.tolist() == [str(deepest / "1.png")]
    assert len(asked) < 2 * 201


@pytest.fixture
def locked(photos, monkeypatch):
    """Make a sub-folder that cannot be listed, by whoever runs the tests."""
    (photos / "dress" / "locked").mkdir()
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    return photos


@READERS
def test_a_folder_that_cannot_be_listed_is_named(locked, read):
    with pytest.raises(PermissionError, match=r"dress.locked' cannot be listed.*on_error='skip'"):
        read(locked)


@pytest.mark.parametrize("read", [load_image_folder, ImageFolder])
def test_skip_leaves_out_a_folder_that_cannot_be_listed(locked, read):
    with pytest.warns(UserWarning, match=r"1 folders in .*locked' \(it cannot be listed: Perm"):
        dataset = read(locked, on_error="skip")
    assert dataset.target_names == ["dress", "hat"]
    assert dataset.skipped == [
        (str(locked / "dress" / "locked"), "it cannot be listed: Permission denied")
    ]


def test_a_relative_folder_and_a_home_are_kept_when_the_process_moves(
    photos, monkeypatch, tmp_path_factory
):
    monkeypatch.setenv("HOME", str(photos.parent))
    monkeypatch.setenv("USERPROFILE", str(photos.parent))
    monkeypatch.chdir(photos.parent)
    folders = [ImageFolder(photos.name), ImageFolder(Path("~") / photos.name)]
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    for folder in folders:
        assert folder.path == str(photos)
        assert_array_equal(folder[:], load_image_folder(photos).data)


def test_a_broken_link_is_a_file_that_cannot_be_read(photos):
    try:
        (photos / "hat" / "gone.png").symlink_to(photos / "nothing.png")
    except OSError:
        pytest.skip("this user may not make links")
    with pytest.raises(ValueError, match=r"gone\.png' cannot .* it is a broken link"):
        load_image_folder(photos)


def test_a_named_pipe_is_not_waited_for(photos):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(photos / "hat" / "pipe.png")
    with pytest.raises(ValueError, match=r"pipe\.png' cannot be read"):
        load_image_folder(photos)


@READERS
def test_a_missing_folder_is_refused(tmp_path, read):
    with pytest.raises(FileNotFoundError, match=r"path='.*nothing' does not exist; pass a folder"):
        read(tmp_path / "nothing")


@READERS
def test_a_file_is_refused(tmp_path, read):
    path = saved(tmp_path / "1.png")
    with pytest.raises(NotADirectoryError, match=r"path='.*1\.png' is a file; pass a folder"):
        read(path)


@READERS
@pytest.mark.parametrize("names", [[], ["1.png"], ["a/.hidden"], ["1.png", "2.png", "a/b/.x"]])
def test_a_folder_without_classes_is_refused(tmp_path, read, names):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    n_files = sum("/" not in name for name in names)
    n_folders = sum("/" in name for name in names)
    with pytest.raises(
        ValueError, match=f"has {n_files} files and {n_folders} sub-folders, none of them with"
    ):
        read(tmp_path)


@READERS
def test_an_empty_class_is_left_out_with_a_warning(photos, read):
    (photos / "shoe").mkdir()
    with pytest.warns(UserWarning, match="1 of 3 sub-folders .* have no files: 'shoe'") as caught:
        read(photos)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_rgb_is_read_exactly(tmp_path):
    pixels = noise(5, 7)
    assert_array_equal(read_one(tmp_path, Image.fromarray(pixels)), pixels)


@pytest.mark.parametrize("name", ["image.bmp", "image.gif", "image.png", "image.tif", "image.webp"])
def test_gray_is_read_exactly_from_any_format(tmp_path, name):
    gray = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    params = {"lossless": True} if name.endswith("webp") else {}
    read = read_one(tmp_path, Image.fromarray(gray), name, **params)
    assert_array_equal(read, np.stack([gray] * 3, axis=-1))


def test_the_format_is_decided_by_the_content_not_by_the_name(tmp_path):
    pixels = noise(5, 7)
    assert_array_equal(read_one(tmp_path, Image.fromarray(pixels), "a.jpg", format="PNG"), pixels)


@pytest.mark.parametrize("size", [None, (30, 20), (20, 30)])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_exif_orientation_is_applied(tmp_path, suffix, orientation, size):
    upright = np.zeros((300, 200, 3), np.uint8)
    upright[:150, :100] = [255, 0, 0]
    upright[:150, 100:] = [0, 255, 0]
    upright[150:, :100] = [0, 0, 255]
    # What a camera stores that is held so, from the definition of EXIF 2.3, tag 274.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: upright.swapaxes(0, 1)[::-1],
        7: upright.swapaxes(0, 1)[::-1, ::-1],
        8: upright.swapaxes(0, 1)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored))
    read = read_one(tmp_path, image, f"1.{suffix}", size, "stretch", exif=exif)
    height, width = size or (300, 200)
    assert read.shape == (height, width, 3)
    top, bottom, left, right = height // 6, -height // 6, width // 6, -width // 6
    corners = read[[top, top, bottom, bottom], [left, right, left, right]].astype(int)
    expected = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0]]
    assert np.abs(corners - expected).max() < 20


def test_damaged_exif_does_not_matter(tmp_path):
    read = read_one(tmp_path, Image.new("RGB", (4, 4), "red"), "1.png", exif=b"Exif\0\0nonsense")
    assert read[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("size", [None, 20])
def test_transparent_pixels_are_white(tmp_path, size):
    rgba = np.zeros((80, 80, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[40:, :, 3] = 255
    read = read_one(tmp_path, Image.fromarray(rgba), size=size)
    assert read[0, 0].tolist() == [255, 255, 255]
    assert read[-1, 0].tolist() == [200, 0, 0]


def test_half_transparent_pixels_are_mixed_with_white(tmp_path):
    image = Image.new("RGBA", (2, 2), (255, 0, 0, 51))
    assert read_one(tmp_path, image)[0, 0].tolist() == [255, 204, 204]
    image = Image.new("LA", (2, 2), (0, 51))
    assert read_one(tmp_path, image)[0, 0].tolist() == [204, 204, 204]


@pytest.mark.parametrize("name", ["image.png", "image.gif"])
def test_a_transparent_colour_of_a_palette_is_white(tmp_path, name):
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8)).convert("P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert read_one(tmp_path, image, name)[0].tolist() == [[255, 0, 0], [0, 0, 255]]
    read = read_one(tmp_path, image, name, transparency=0)
    assert read[0].tolist() == [[255, 255, 255], [0, 0, 255]]


def test_a_palette_with_degrees_of_transparency_is_mixed_with_white(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    read = read_one(tmp_path, image, transparency=bytes([51, 255]))
    assert read[0].tolist() == [[255, 204, 204], [0, 0, 255]]


@pytest.mark.parametrize(
    ("mode", "colour", "other"),
    [("RGB", (200, 0, 0), (0, 0, 200)), ("L", 100, 50), ("1", 0, 1)],
)
def test_a_transparent_colour_of_other_images_is_white(tmp_path, mode, colour, other):
    image = Image.new(mode, (2, 1), colour)
    image.putpixel((1, 0), other)
    read = read_one(tmp_path, image, transparency=colour)
    assert read[0, 0].tolist() == [255, 255, 255]
    assert_array_equal(read[0, 1], np.asarray(image.convert("RGB"))[0, 1])


@pytest.mark.parametrize("name", ["image.jpg", "image.tif"])
def test_cmyk_is_converted(tmp_path, name):
    read = read_one(tmp_path, Image.new("CMYK", (8, 8), (0, 255, 255, 0)), name)
    assert np.abs(read[0, 0].astype(int) - [255, 0, 0]).max() < 5


def test_one_bit_images_are_black_and_white(tmp_path):
    image = Image.new("1", (2, 1), 1)
    image.putpixel((0, 0), 0)
    assert read_one(tmp_path, image)[0].tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize("name", ["image.png", "image.tif", "image.pgm"])
def test_16_bit_gray_is_scaled_not_clipped(tmp_path, name):
    # Older versions of Pillow write 16 bits of PGM from 32 only.
    dtype = np.int32 if name.endswith("pgm") else np.uint16
    values = np.array([[0, 128, 129, 257, 25700, 65535]], dtype)
    read = read_one(tmp_path, Image.fromarray(values), name)
    assert read[0, :, 0].tolist() == [0, 0, 1, 1, 100, 255]
    assert_array_equal(read[..., 0], read[..., 2])


def test_a_transparent_gray_of_16_bits_is_white(tmp_path):
    values = np.array([300, 20000], ">u2").tobytes()
    header = gray_png_header(2, 1, bits=16)
    transparent = b"tRNS", struct.pack(">H", 300)
    data = b"IDAT", zlib.compress(b"\0" + values)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(png(header, transparent, data, (b"IEND", b"")))
    assert load_image_folder(tmp_path).data[0, 0, :, 0].tolist() == [255, 78]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 0.5, 1], [0, 128, 255]), ([0, 0.6, 254.6], [0, 1, 255]), ([1, 0, 2], [1, 0, 2])],
)
def test_floating_point_values_count_from_0_to_1_or_255(tmp_path, values, expected):
    image = Image.fromarray(np.array([values], np.float32))
    assert read_one(tmp_path, image, "1.tif")[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    "values",
    [
        np.array([[0, 300]], np.float32),
        np.array([[-1, 1]], np.float32),
        np.array([[np.nan, 1]], np.float32),
        np.array([[0, 70_000]], np.int32),
        np.array([[-5, 10]], np.int32),
    ],
)
def test_values_of_an_unknown_scale_are_refused(tmp_path, values):
    with pytest.raises(ValueError, match=r"its values from .* are not within 0 to"):
        read_one(tmp_path, Image.fromarray(values), "1.tif")


@pytest.mark.parametrize("name", ["image.gif", "image.webp", "image.tif", "image.png"])
def test_the_first_frame_or_page_is_read(tmp_path, name):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    params = {"lossless": True} if name.endswith("webp") else {}
    read = read_one(tmp_path, frames[0], name, save_all=True, append_images=frames[1:], **params)
    assert read[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("size", "shape"), [(4, (4, 4)), ((4, 10), (4, 10)), (np.int64(5), (5, 5)), (None, (8, 6))]
)
def test_images_have_the_size_asked_for(photos, size, shape):
    assert load_image_folder(photos, image_size=size).data.shape == (5, *shape, 3)
    folder = ImageFolder(photos, image_size=size)
    assert folder.shape == np.asarray(folder).shape == (5, *shape, 3)


@READERS
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_images_of_different_sizes_need_a_size(photos, read, on_error):
    saved(photos / "hat" / "large.png", size=(9, 5))
    with pytest.raises(
        ValueError,
        match=r"dress.0\.png' has 8 x 6 and .*large\.png' has 5 x 9 pixels .*; pass image_size=",
    ):
        read(photos, on_error=on_error)
    assert load_image_folder(photos, image_size=8).data.shape == (6, 8, 8, 3)


def test_an_image_of_the_size_asked_for_is_not_changed(tmp_path):
    pixels = noise(5, 7)
    for aspect in ("crop", "pad", "stretch"):
        assert_array_equal(
            read_one(tmp_path, Image.fromarray(pixels), "1.png", (5, 7), aspect), pixels
        )


@pytest.fixture(params=["jpg", "png"])
def striped(request, tmp_path):
    """Read an image of five stripes, each a hundred pixels wide and high, in some manner."""
    stripes = np.repeat([0, 250, 100, 250, 0], 100)

    def read(upright, size, aspect):
        gray = np.tile(stripes.astype(np.uint8), (100, 1))
        image = Image.fromarray(gray.T.copy() if upright else gray)
        params = {"quality": 95} if request.param == "jpg" else {}
        return read_one(tmp_path, image, f"1.{request.param}", size, aspect, **params)[..., 0]

    return read


@pytest.mark.parametrize("upright", [False, True])
def test_crop_keeps_the_centre(striped, upright):
    assert np.abs(striped(upright, 20, "crop")[2:-2, 2:-2].astype(int) - 100).max() < 5


@pytest.mark.parametrize("upright", [False, True])
def test_pad_keeps_everything_between_white_margins(striped, upright):
    read = striped(upright, 50, "pad")
    read = read.T if upright else read
    assert (read[:20] == 255).all()
    assert (read[30:] == 255).all()
    assert np.abs(read[25, 5::10].astype(int) - [0, 250, 100, 250, 0]).max() < 5


@pytest.mark.parametrize("upright", [False, True])
def test_stretch_fills_the_image_with_everything(striped, upright):
    read = striped(upright, 50, "stretch")
    read = read.T if upright else read
    assert np.abs(read[:, 5::10].astype(int) - [0, 250, 100, 250, 0]).max() < 5


@pytest.mark.parametrize("name", ["image.png", "image.jpg"])
def test_shrinking_averages_instead_of_picking_pixels(tmp_path, name):
    checks = np.indices((512, 512)).sum(axis=0) % 2 * 255
    read = read_one(tmp_path, Image.fromarray(checks.astype(np.uint8)), name, 16, quality=95)
    assert np.abs(read.astype(int) - 127).max() < 5


def test_fast_decoding_of_jpeg_differs_little_from_full_decoding(tmp_path, monkeypatch):
    y, x = np.indices((480, 640)) / 30
    waves = np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=-1) * 100 + 128
    image = Image.fromarray(waves.astype(np.uint8))
    fast = read_one(tmp_path, image, "1.jpg", 48, quality=95)
    monkeypatch.setattr(_photo, "_decode_smaller", lambda *args: None)
    full = read_one(tmp_path, image, "1.jpg", 48, quality=95)
    assert not np.array_equal(fast, full)
    assert np.abs(fast.astype(int) - full).mean() < 1


@settings(max_examples=4 * settings().max_examples)
@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from(["crop", "pad", "stretch"]),
)
def test_any_size_becomes_any_other(image_size, size, aspect):
    resized = _pixels.resized(Image.new("RGB", image_size, "red"), image_size, size, aspect)
    assert resized.size == size[::-1]
    assert resized.getpixel(((size[1] - 1) // 2, (size[0] - 1) // 2)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("label", "name", "reason"),
    [
        ("dress", "truncated.jpg", "image file is truncated"),
        ("dress", "bomb.png", "it has 100000 x 100000 pixels"),
        ("hat", "empty.jpg", "it is empty"),
        ("hat", "notes.txt", r"it is not in a supported format \(.*JPEG, "),
        ("shoe", "page.jpg", r"it is not in a supported format \(.*JPEG, "),
    ],
)
@pytest.mark.parametrize("size", [None, 4])
@READERS
def test_a_file_that_cannot_be_read_is_named(damaged, tmp_path, read, size, label, name, reason):
    os.renames(damaged / label / name, tmp_path / "only" / label / name)
    with pytest.raises(
        ValueError, match=rf"{name}' cannot be read as an image: {reason}.*on_error='skip'"
    ):
        read(tmp_path / "only", image_size=size)


@pytest.mark.parametrize("size", [None, 4])
@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("read", [load_image_folder, ImageFolder])
def test_skip_leaves_files_out_with_one_warning(damaged, read, size, n_jobs):
    with pytest.warns(UserWarning, match="They are left out") as caught:
        dataset = read(damaged, image_size=size, on_error="skip", n_jobs=n_jobs)
    message = str(caught[0].message)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert message.startswith(f"5 of 10 files in {str(damaged)!r} cannot be read as images: ")
    assert "bomb.png' (it has 100000 x 100000 pixels" in message
    assert message.endswith(" and 2 more. They are left out. Nothing is left of 'shoe'.")
    assert dataset.target.tolist() == ["dress"] * 3 + ["hat"] * 2
    assert dataset.target_names == ["dress", "hat"]
    assert [Path(path).name for path, _ in dataset.skipped] == [
        "bomb.png",
        "truncated.jpg",
        "empty.jpg",
        "notes.txt",
        "page.jpg",
    ]
    images = np.asarray(dataset) if read is ImageFolder else dataset.data
    assert images[:, 0, 0].tolist() == [[200, 10 * i, 0] for i in range(3)] + [
        [0, 10 * i, 200] for i in range(2)
    ]
    assert len(dataset.filenames) == 5
    assert all(name.endswith(".png") for name in dataset.filenames)


def test_skip_says_nothing_where_all_is_well(photos):
    assert load_image_folder(photos, on_error="skip").skipped == []


@pytest.mark.parametrize("size", [None, 4])
@READERS
def test_an_error_is_raised_where_nothing_can_be_read(tmp_path, read, size):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("no image")
    with pytest.raises(ValueError, match=r"1 of 1 files in .*notes\.txt' .*Expected at least one"):
        read(tmp_path, image_size=size, on_error="skip")


def encoded(file_format):
    file = io.BytesIO()
    Image.fromarray(noise(40, 50)).save(file, file_format)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encoded("JPEG")[:20], "it begins as JPEG, but Pillow says: "),
        (encoded("PNG")[:30], "it begins as PNG, but Pillow says: broken PNG file .*IHDR"),
        (encoded("PNG").replace(b"IDAT", b"IDA\xff"), "it begins as PNG, .*: broken PNG .*IDA"),
        (encoded("GIF")[:10], "it begins as GIF, but Pillow says: "),
        (b"II*\0\xff\xff\0\0", "it begins as TIFF, but .* says: "),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "it is a HEIC photo.* pip install pillow-heif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "it is a HEIC photo.* pip install pillow-heif"),
        (b"\xff\x0a\0\0\0\0", "it is a JPEG XL photo.* pip install pillow-jxl-plugin"),
    ],
)
def test_the_reason_is_the_true_one(tmp_path, monkeypatch, content, reason):
    monkeypatch.setattr(_photo, "_FORMATS", [f for f in _photo._FORMATS if f not in PLUGINS])
    (tmp_path / "1.img").write_bytes(content)
    with (
        pytest.raises(_photo.UnreadableError, match=f"^{reason}"),
        warnings.catch_warnings(action="ignore"),
    ):
        _photo.read_image(str(tmp_path / "1.img"), None, "crop")


@pytest.mark.parametrize("reader", [None, lambda prefix: "AVIF support is missing"])
def test_an_avif_photo_names_what_reads_it_where_pillow_does_not(tmp_path, monkeypatch, reader):
    formats = [f for f in _photo._FORMATS if f not in PLUGINS and (reader or f != "AVIF")]
    monkeypatch.setattr(_photo, "_FORMATS", formats)
    monkeypatch.setitem(Image.OPEN, "AVIF", (None, reader))
    (tmp_path / "1.avif").write_bytes(b"\0\0\0\x18ftypavif\0\0\0\0avif")
    with pytest.raises(_photo.UnreadableError, match=r"it is an AVIF photo.*Pillow 11\.3"):
        _photo.read_image(str(tmp_path / "1.avif"), None, "crop")


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("size", [None, 4])
def test_what_pillow_warns_of_is_one_warning_with_names(photos, n_jobs, size):
    exif = b"Exif\0\0II*\0\x08\0\0\0\x09\0" + bytes(20)  # nine entries, of which one is there
    for i in range(5):
        saved(photos / "dress" / f"camera{i}.jpg", exif=exif)
    message = r"Pillow warns of 5 of 10 .*camera0.*EXIF.* 2 more"
    with pytest.warns(UserWarning, match=message) as caught:
        load_image_folder(photos, image_size=size, n_jobs=n_jobs)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    folder = ImageFolder(photos, image_size=size, n_jobs=n_jobs)
    with pytest.warns(UserWarning, match="Pillow warns of 5 of 10"):
        np.asarray(folder)
    np.asarray(folder)  # of each file once
    with pytest.warns(UserWarning, match="another"):
        warnings.warn("another", stacklevel=1)


def test_files_that_other_programs_would_have_to_read_are_not_opened(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "a" / "1.eps")
    with pytest.raises(
        ValueError, match=r"1\.eps' cannot be read as an image: it is not in a supp"
    ):
        load_image_folder(tmp_path)


@pytest.mark.parametrize("limit", [None, 1000])
def test_images_over_the_limit_are_refused_before_they_are_decoded(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    (tmp_path / "a").mkdir()
    side = 20_000 if limit is None else 100
    (tmp_path / "a" / "1.png").write_bytes(png(gray_png_header(side, side), (b"IDAT", b"")))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"1\.png' cannot be read .*pixels.* limit of"):
            load_image_folder(tmp_path, image_size=4)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()
    assert limit == Image.MAX_IMAGE_PIXELS


def test_images_for_which_pillow_only_warns_are_refused_too(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    saved(tmp_path / "a" / "1.png", size=(40, 40))
    with pytest.raises(ValueError, match="it has 40 x 40 pixels, more than the limit of 1000"):
        load_image_folder(tmp_path)
    saved(tmp_path / "a" / "1.png", size=(20, 50))
    assert len(load_image_folder(tmp_path).data) == 1


@pytest.mark.parametrize("mode", ["I;16", "F", "P", "RGBA", "LA"])
@pytest.mark.parametrize("aspect", ["crop", "pad", "stretch"])
def test_large_images_of_any_mode_are_shrunk_as_gray_ones_are(monkeypatch, mode, aspect):
    monkeypatch.setattr(_pixels, "_STRIP_PIXELS", 2000)
    waves = np.sin(np.indices((301, 403)).sum(axis=0) / 9) * 120 + 128
    gray = Image.fromarray(waves.astype(np.uint8))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    elif mode == "F":
        image = Image.fromarray(np.asarray(gray).astype(np.float32))
    else:
        image = gray.convert(mode)
    for turn in (None, Image.Transpose.ROTATE_90):
        expected = np.asarray(_pixels.to_rgb(gray, turn, (20, 30), aspect)).astype(int)
        found = np.asarray(_pixels.to_rgb(image, turn, (20, 30), aspect))
        assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_gray_values_of_more_bits_are_scaled_a_strip_at_a_time(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr(_pixels, "_STRIP_PIXELS", 2**14)
    (tmp_path / "a").mkdir()
    Image.fromarray(np.ones((1000, 1000), dtype)).save(tmp_path / "a" / "1.tif")
    load_image_folder(tmp_path, image_size=8)  # imports what reads it
    tracemalloc.start()
    try:
        load_image_folder(tmp_path, image_size=8)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_running_out_of_memory_is_not_taken_for_a_damaged_file(photos, monkeypatch):
    def load(image):
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(MemoryError):
        load_image_folder(photos, on_error="skip", image_size=4)


@READERS
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"image_size": 0}, "'image_size' parameter"),
        ({"image_size": "large"}, "'image_size' parameter"),
        ({"image_size": (4,)}, r"image_size=\(4,\) is not two positive integers"),
        ({"image_size": (4, 0)}, r"image_size=\(4, 0\) is not two positive integers"),
        ({"image_size": (4, 4, 3)}, r"image_size=\(4, 4, 3\) is not two positive integers"),
        ({"image_size": (4.0, 4)}, r"image_size=\(4\.0, 4\) is not two positive integers"),
        ({"aspect": "fill"}, "'aspect' parameter .* Got 'fill' instead"),
        ({"on_error": "ignore"}, "'on_error' parameter .* Got 'ignore' instead"),
        ({"n_jobs": "all"}, "'n_jobs' parameter .* Got 'all' instead"),
    ],
)
def test_bad_parameters_are_refused_by_name(photos, read, params, message):
    with pytest.raises(ValueError, match=message):
        read(photos, **params)


@settings(max_examples=3 * settings().max_examples)
@given(
    st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 400),
)
def test_damaged_files_are_read_or_refused_never_anything_else(
    tmp_path_factory, file_format, damages, cut
):
    path = tmp_path_factory.getbasetemp() / "damaged"
    Image.fromarray(noise(9, 11)).save(path, file_format)
    content = bytearray(path.read_bytes())
    for where, byte in damages:
        content[where % len(content)] = byte
    path.write_bytes(content[: len(content) - cut % len(content)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read = _photo.read_image(str(path), (4, 4), "crop")
        except _photo.UnreadableError as reason:
            assert str(reason)  # noqa: PT017
        else:
            assert read.shape == (4, 4, 3)
            assert read.dtype == np.uint8


def test_the_images_are_held_once_even_if_some_are_skipped(tmp_path):
    for i in range(40):
        saved(tmp_path / "a" / f"{i:02}.png", size=(8, 8))
    (tmp_path / "a" / "00.txt").touch()
    tracemalloc.start()
    try:
        with pytest.warns(UserWarning, match="1 of 41 files"):
            data = load_image_folder(tmp_path, image_size=256, on_error="skip").data
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.3 * data.nbytes


def test_threads_read_the_same(photos):
    for i in range(40):
        Image.fromarray(noise(8, 6, seed=i)).save(photos / "hat" / f"noise{i}.png")
    assert_array_equal(
        load_image_folder(photos, n_jobs=3).data, load_image_folder(photos, n_jobs=None).data
    )


def test_several_threads_may_read_from_one_folder(photos):
    folder = ImageFolder(photos, image_size=4)
    expected, found = np.asarray(folder), []
    threads = [threading.Thread(target=lambda: found.append(np.asarray(folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.array_equal(images, expected) for images in found)


def test_the_folder_says_what_it_holds(photos):
    folder = ImageFolder(photos)
    dataset = load_image_folder(photos)
    assert len(folder) == 5
    assert repr(folder) == f"<5 images of 2 classes in {str(photos)!r}>"
    assert folder.target_names == dataset.target_names
    assert_array_equal(folder.target, dataset.target)
    assert_array_equal(folder.filenames, dataset.filenames)
    assert_array_equal(folder, dataset.data)


@pytest.mark.parametrize(
    "rows",
    [
        0,
        -1,
        np.int64(2),
        slice(1, 4),
        slice(None, None, -2),
        [3, 0, 0],
        [],
        [True, False, True, False, False],
        np.zeros(5, bool),
        (slice(2), ...),
    ],
)
def test_rows_are_chosen_as_in_an_array(photos, rows):
    folder, dataset = ImageFolder(photos), load_image_folder(photos)
    assert_array_equal(np.asarray(folder[rows]), dataset.data[rows], strict=True)
    if np.ndim(folder[rows]) == 4:
        assert folder[rows].shape == dataset.data[rows].shape
        assert_array_equal(folder[rows].target, dataset.target[rows])
        assert folder[rows].target_names == folder.target_names


@pytest.mark.parametrize("rows", [5, -6, [0, 5], [True, False], "dress", 1.0, [[0, 1]]])
def test_rows_that_are_none_are_refused(photos, rows):
    with pytest.raises(IndexError):
        ImageFolder(photos)[rows]


def test_going_through_the_folder_gives_image_by_image(photos):
    assert_array_equal(np.stack(list(ImageFolder(photos))), load_image_folder(photos).data)


def test_nothing_is_read_before_it_is_asked_for(damaged):
    folder = ImageFolder(damaged, image_size=4)
    assert len(folder) == 10
    assert folder[:3].shape == (3, 4, 4, 3)
    with pytest.raises(ValueError, match=r"empty\.jpg' cannot be read as an image: it is empty"):
        np.asarray(folder[folder.target == "hat"])


@pytest.mark.parametrize("size", [1, 2, 5, 256])
@pytest.mark.parametrize("random_state", [None, 0, np.random.RandomState(0)])
def test_chunks_hold_every_image_once(photos, size, random_state):
    dataset = load_image_folder(photos)
    chunks = list(ImageFolder(photos).chunks(size, random_state=random_state))
    assert [len(X) for X, _ in chunks] == [len(y) for _, y in chunks]
    assert all(len(X) == size for X, _ in chunks[:-1])
    X, y = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    order = [*map(dataset.data[:, 0, 0].tolist().index, X[:, 0, 0].tolist())]
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert_array_equal(X, dataset.data[order])
    assert_array_equal(y, dataset.target[order])
    assert (order == [0, 1, 2, 3, 4]) == (random_state is None)


def test_chunks_come_in_the_same_order_for_the_same_random_state(photos):
    folder = ImageFolder(photos)

    def colours(random_state):
        return [X[:, 0, 0].tolist() for X, _ in folder.chunks(2, random_state=random_state)]

    assert colours(3) == colours(3)
    assert colours(3) != colours(4)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"chunk_size": 0}, "'chunk_size' parameter"),
        ({"random_state": "x"}, "'random_state' parameter"),
    ],
)
def test_bad_chunks_are_refused_before_anything_is_read(damaged, params, message):
    with pytest.raises(ValueError, match=message):
        ImageFolder(damaged, image_size=4).chunks(**params)


def test_chunks_train_a_classifier(photos):
    folder = ImageFolder(photos, image_size=2)
    classifier = SGDClassifier(random_state=0)
    for epoch in range(5):
        for X, y in folder.chunks(2, random_state=epoch):
            X = X.reshape(len(X), -1) / 255
            classifier.partial_fit(X, y, classes=folder.target_names)
    assert classifier.score(np.asarray(folder).reshape(5, -1) / 255, folder.target) == 1


def test_scikit_learn_can_index_and_split_the_folder(photos):
    folder = ImageFolder(photos)
    images = load_image_folder(photos).data
    assert_array_equal(_safe_indexing(folder, np.array([3, 1])), images[[3, 1]])
    groups = [Path(name).name for name in folder.filenames]
    for train, test in GroupKFold(3).split(folder, folder.target, groups):
        assert_array_equal(folder[train], images[train])
        assert not {*folder.filenames[train]} & {*folder.filenames[test]}


class FlatNeighbors(KNeighborsClassifier):
    """A classifier that takes images as our own do."""

    def fit(self, X, y):
        return super().fit(np.reshape(X, (len(X), -1)), y)

    def predict(self, X):
        return super().predict(np.reshape(X, (len(X), -1)))


def test_a_folder_can_be_cross_validated_fold_by_fold(photos):
    folder = ImageFolder(photos)
    scores = cross_val_score(FlatNeighbors(1), folder, folder.target, cv=2, error_score="raise")
    assert scores.tolist() == [1, 1]


def test_a_folder_can_be_pickled(photos):
    folder = ImageFolder(photos)
    assert_array_equal(pickle.loads(pickle.dumps(folder)), folder)


def test_some_images_of_a_folder_are_a_folder_of_which_no_file_is_read(photos, monkeypatch):
    def refuse(*args):
        raise AssertionError("a file was read")

    monkeypatch.setattr(_folder, "read_image", refuse)
    folder = ImageFolder(photos, image_size=4)
    train, test, _, y_test = train_test_split(
        folder, folder.target, test_size=2, stratify=folder.target, random_state=0
    )
    assert isinstance(train, ImageFolder)
    assert (len(train), len(test)) == (3, 2)
    assert_array_equal(test.target, y_test)
    assert repr(test) == f"<2 images of 2 classes in {str(photos)!r}>"


def test_a_folder_is_an_array_to_numpy(photos):
    folder = ImageFolder(photos, image_size=4)
    assert (folder.shape, folder.dtype, folder.ndim) == ((5, 4, 4, 3), np.uint8, 4)
    assert folder[:0].shape == np.asarray(folder[:0]).shape == (0, 4, 4, 3)
    assert np.asarray(folder, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy=False, but images are read into a new array"):
        folder.__array__(copy=False)


def test_without_a_size_all_rows_have_that_of_the_first_image_of_the_folder(photos):
    saved(photos / "hat" / "large.png", size=(9, 5))
    folder = ImageFolder(photos)
    assert folder[-1:].shape == (1, 8, 6, 3)
    with pytest.raises(ValueError, match=r"image_size=None keeps the size of images"):
        np.asarray(folder[-1:])


def test_a_cache_knows_images_by_their_files_and_size(photos):
    folder = ImageFolder(photos, image_size=4)
    before = joblib.hash(folder)
    assert folder.shape == np.asarray(folder).shape  # reading changes nothing
    assert joblib.hash(ImageFolder(photos, image_size=4)) == joblib.hash(folder[:]) == before
    assert joblib.hash(pickle.loads(pickle.dumps(folder))) == before
    others = [folder[1:], ImageFolder(photos, image_size=5)]
    assert before not in map(joblib.hash, others)
    os.utime(folder.filenames[0], (0, 0))
    assert joblib.hash(folder) != before


def test_photos_without_classes_are_read_from_a_folder_a_list_or_one_file(photos):
    paths = sorted(photos.rglob("*.png"))
    expected = load_image_folder(photos).data
    for several in (photos, str(photos), paths, list(map(str, paths)), np.array(paths, dtype=str)):
        assert_array_equal(load_images(several), expected)
        folder = ImageFolder.from_paths(several)
        assert_array_equal(folder[1:3], expected[1:3])
        assert (folder.target, folder.target_names, folder[:2].target) == (None, None, None)
    assert repr(ImageFolder.from_paths(photos)) == f"<5 images in {str(photos)!r}>"
    assert repr(folder) == "<5 images>"
    assert_array_equal(load_images(paths[0], image_size=4), expected[:1, :4, :4])
    assert [y for _, y in folder.chunks(3)] == [None, None]


def test_photos_of_a_list_may_have_labels(photos):
    paths = sorted(photos.rglob("*.png"))
    folder = ImageFolder.from_paths(paths, [1, 0, 1, 0, 1], image_size=4, n_jobs=2)
    assert folder.target_names == [0, 1]
    assert folder[1:3].target.tolist() == [0, 1]
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ImageFolder.from_paths(paths, [1, 0])


@pytest.mark.parametrize("read", [load_images, ImageFolder.from_paths])
def test_photos_of_a_list_that_cannot_be_read_are_left_out_with_one_warning(damaged, read):
    paths = sorted(path for path in damaged.rglob("*") if path.is_file())
    with pytest.warns(UserWarning, match=r"^5 of 10 files cannot be read as images: ") as caught:
        images = read([*paths], image_size=4, on_error="skip")
    assert [str(one.filename) for one in caught] == [__file__]
    assert len(np.asarray(images)) == 5


@pytest.mark.parametrize("read", [load_images, ImageFolder.from_paths])
@pytest.mark.parametrize(
    ("paths", "error", "message"),
    [
        ("nothing", FileNotFoundError, r"paths='.*nothing' does not exist; pass a photo, a folder"),
        ([], ValueError, r"paths of shape \(0,\), expected at least one path"),
        ([["a.png"]], ValueError, r"paths of shape \(1, 1\), expected"),
        ([1], TypeError, "paths has 1, expected str or path-like"),
        (1, ValueError, "'paths' parameter"),
    ],
)
def test_paths_that_are_none_are_refused(read, paths, error, message):
    with pytest.raises(error, match=message):
        read(paths)


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has no files; expected at least one photo"):
        load_images(tmp_path)


@READERS
def test_a_folder_of_parts_of_a_data_set_is_refused_with_the_folder_to_pass(tmp_path, read):
    for part in ("train", "validation"):
        saved(tmp_path / part / "hat" / "1.png")
    hint = r"'train', 'validation', which are parts .* Pass '.*train'"
    with pytest.raises(ValueError, match=hint):
        read(tmp_path)
    assert len(read(tmp_path / "train", image_size=4)) > 0


@READERS
def test_vehicles_may_be_trains(tmp_path, read):
    saved(tmp_path / "train" / "side" / "1.png")
    saved(tmp_path / "tram" / "side" / "1.png")
    read(tmp_path)


@READERS
def test_a_folder_without_classes_is_refused_with_what_reads_it(tmp_path, read):
    path = saved(tmp_path / "1.png")
    for folder in (tmp_path, path):
        with pytest.raises((ValueError, NotADirectoryError), match="with load_images"):
            read(folder)


@pytest.fixture(scope="module")
def real_photos():
    path = Path(os.environ.get("FASHIONKIT_DATA", ""), "photos", "train")
    if not path.is_dir():
        pytest.skip(
            "needs photos: put clothing-dataset-small as the folder 'photos' into the folder that "
            "FASHIONKIT_DATA names"
        )
    return path


@pytest.mark.realdata
def test_real_photos_are_listed_and_read(real_photos):
    folder = ImageFolder(real_photos, image_size=(64, 48), n_jobs=2)
    assert len(folder) == 3068
    assert len(folder.target_names) == 10
    assert "t-shirt" in folder.target_names
    images = np.asarray(folder[::200])
    assert images.shape == (16, 64, 48, 3)
    # Photos: neither of one colour each nor all gray.
    assert images.std(axis=(1, 2, 3)).min() > 5
    assert np.ptp(images.astype(int), axis=3).max() > 50
