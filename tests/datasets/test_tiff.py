"""TIFF files of any form become the picture that they are, or are refused by name."""

import importlib.util
import itertools
import struct

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image

from fashionkit.datasets._photo import UnreadableError, read_image

RNG = np.random.RandomState(0)
DTYPES = ["bool", "u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"]


def read(path, pixels, size=None, **params):
    tifffile.imwrite(path, pixels, **params)
    return read_image(str(path), size, "stretch")


def values(dtype, shape):
    """Draw values of a dtype up to white, and return them with what they are from 0 to 255."""
    white = {"bool": 1, "u1": 255, "i1": 127, "i2": 32767}.get(dtype, 65535)
    drawn = RNG.rand(*shape) if dtype[0] == "f" else RNG.randint(0, white + 1, shape)
    drawn = drawn.astype(dtype)
    scale = 255 if dtype[0] == "f" or dtype == "bool" else 1 if dtype[1] == "1" else 255 / 65535
    return drawn, drawn.astype(float) * scale


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite", "rgb", "separated"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_form_becomes_the_right_picture(tmp_path, dtype, photometric, compression):
    n_colours = {"rgb": 3, "separated": 4}.get(photometric, 1)
    if dtype == "bool" and (n_colours > 1 or compression):
        pytest.skip("tifffile writes no colours of one bit, and older ones do not compress them")
    drawn, expected = values(dtype, (9, 11, n_colours))
    if photometric == "miniswhite":
        expected = 255 - expected
    if photometric == "separated":
        cmyk = Image.frombytes("CMYK", (11, 9), np.rint(expected).astype(np.uint8))
        expected = np.asarray(cmyk.convert("RGB")).astype(float)
    for byteorder, planar in itertools.product("<>", ["contig", "separate"]):
        pixels = np.moveaxis(drawn, -1, 0) if planar == "separate" else drawn
        params = {"planarconfig": planar}
        if n_colours == 1:
            pixels, params = drawn[..., 0], {}
        image = read(
            tmp_path / "1.tif",
            np.ascontiguousarray(pixels),
            photometric=photometric,
            byteorder=byteorder,
            compression=compression,
            **params,
        )
        assert np.abs(image - expected).max() <= 2


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("alpha", ["unassalpha", "assocalpha"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("n_colours", [1, 3])
def test_alpha_of_any_kind_lies_on_white(tmp_path, n_colours, dtype, alpha, planar):
    drawn, expected = values(dtype, (9, 11, n_colours + 1))
    share = expected[..., -1:] / 255
    if alpha == "assocalpha":
        drawn[..., :-1] = drawn[..., :-1] * share
    pixels = np.ascontiguousarray(np.moveaxis(drawn, -1, 0) if planar == "separate" else drawn)
    photometric = "minisblack" if n_colours == 1 else "rgb"
    params = {"photometric": photometric, "planarconfig": planar, "extrasamples": [alpha]}
    image = read(tmp_path / "1.tif", pixels, **params)
    assert np.abs(image - (expected[..., :-1] * share + 255 * (1 - share))).max() <= 3


def test_an_extra_channel_that_is_no_alpha_is_left_out(tmp_path):
    drawn, expected = values("u2", (9, 11, 4))
    image = read(tmp_path / "1.tif", drawn, photometric="rgb", extrasamples=["unspecified"])
    assert np.abs(image - expected[..., :3]).max() <= 1


def test_12_bits_are_scaled_by_their_own_white(tmp_path):
    packed = bytes([0x00, 0x0F, 0xFF, 0x80, 0x00, 0x00])  # 0, 4095, 2048, 0
    # Width, height, bits, compression, black is 0, offset, rows and bytes of the only strip.
    tags = {256: 4, 257: 1, 258: 12, 259: 1, 262: 1, 273: 110, 278: 1, 279: 6}
    file = b"II*\0" + struct.pack("<IH", 8, len(tags))
    file += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    (tmp_path / "1.tif").write_bytes(file + bytes(4) + packed)
    image = read_image(str(tmp_path / "1.tif"), None, "crop")
    assert image[0, :, 0].tolist() == [0, 255, 128, 0]


@pytest.mark.parametrize("values", [[0, 0.6, 254.6], [0, 100, 255]])
def test_big_endian_floats_to_255_are_not_black(tmp_path, values):
    pixels = np.array([values], np.float32)
    image = read(tmp_path / "1.tif", pixels, byteorder=">", compression="deflate")
    assert_array_equal(image[..., 0], np.rint(pixels))


def test_big_tiff_and_turned_files_are_read(tmp_path):
    drawn, expected = values("f4", (9, 11, 3))
    turned = [(274, "H", 1, 6, True)]  # by a quarter to the right
    for params in ({"bigtiff": True}, {"extratags": turned}):
        image = read(tmp_path / "1.tif", drawn, photometric="rgb", **params)
        right = np.rot90(expected, -1) if "extratags" in params else expected
        assert np.abs(image - right).max() <= 1


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.array([[-1, 1]], np.int8), "its values from -1 to 1 are not within 0 to 255"),
        (np.array([[-1, 1]], np.float64), "its values from -1 to 1 are not within 0 to 1"),
        (np.array([[np.nan, 1]], np.float64), "its values from nan to nan are not within"),
        (np.array([[0, 2**31]], np.uint32), "its values from .* are not within 0 to 65535"),
        (np.array([[1, 1]], np.complex64), r"complex64.*save it as RGB of 8 bits"),
    ],
)
def test_values_that_are_no_colours_are_refused(tmp_path, pixels, reason):
    with pytest.raises(UnreadableError, match=reason):
        read(tmp_path / "1.tif", pixels)


def test_files_that_take_too_much_memory_decoded_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 99)
    with pytest.raises(UnreadableError, match="2376 bytes decoded, more than 4 times the limit"):
        read(tmp_path / "1.tif", np.zeros((9, 11, 3)), photometric="rgb")
    with pytest.raises(UnreadableError, match="it has 10 x 11 pixels, more than the limit of 99"):
        read(tmp_path / "1.tif", np.zeros((10, 11, 3), np.float32), photometric="rgb")


@pytest.mark.skipif(
    importlib.util.find_spec("imagecodecs") is not None, reason="imagecodecs is installed"
)
def test_a_compression_that_needs_more_names_it(tmp_path):
    tifffile.imwrite(tmp_path / "1.tif", np.zeros((9, 11, 3), np.float32), photometric="rgb")
    with tifffile.TiffFile(tmp_path / "1.tif", mode="r+") as file:
        file.pages[0].tags[259].overwrite(5)  # LZW
    with pytest.raises(UnreadableError, match=r"LZW.*pip install fashionkit\[tiff\]"):
        read_image(str(tmp_path / "1.tif"), None, "crop")
