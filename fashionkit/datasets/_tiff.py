"""Read the TIFF files that Pillow does not read, or reads as other pictures."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from fashionkit.datasets._pixels import (
    UnreadableError,
    check_pixels,
    max_pixels,
    scaled,
    white_level,
)

PREFIXES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF

# Tags of TIFF 6.0, sections 4, 8, 18 and 19.
_BITS, _COMPRESSION, _PHOTOMETRIC, _N_SAMPLES = 258, 259, 262, 277
_ORIENTATION, _PLANAR, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 274, 284, 338, 339

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK = 0, 1, 2, 5
_N_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _CMYK: 4}
_UNSIGNED, _FLOAT = 1, 3
_SEPARATE = 2
_PREMULTIPLIED, _ALPHA = 1, 2

# Bytes that a pixel may take decoded, for the most pixels that are decoded at all.
_MAX_PIXEL_BYTES = 4


def pillow_reads(image: Any) -> bool:
    """Tell whether Pillow reads a TIFF file that it has opened as what it is."""
    tags = image.tag_v2
    n_bits = max(tags.get(_BITS, (1,)))
    is_unsigned = set(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))) == {_UNSIGNED}
    is_separate = tags.get(_PLANAR) == _SEPARATE
    photometric, n_samples = tags.get(_PHOTOMETRIC), tags.get(_N_SAMPLES, 1)
    if n_bits <= 8:
        is_gray_alpha = photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) and n_samples > 1
        is_premultiplied = _PREMULTIPLIED in tags.get(_EXTRA_SAMPLES, ())
        return is_unsigned and not (is_separate and (is_gray_alpha or is_premultiplied))
    if photometric in (_RGB, _CMYK):
        return is_unsigned and not is_separate and n_samples == _N_COLOURS[photometric]
    if photometric != _BLACK_IS_ZERO or n_samples > 1:
        return False
    is_compressed = tags.get(_COMPRESSION, 1) != 1
    if n_bits == 12:
        return not is_compressed
    # Pillow swaps the bytes of others once more than it should.
    return (n_bits == 16 and is_unsigned) or tags.prefix == b"II" or not is_compressed


def read_tiff(source: str | BytesIO) -> Image.Image:
    """Return the first page as an image of 8 bits, not yet turned."""
    import tifffile  # takes a while

    with tifffile.TiffFile(source) as file:
        page: Any = file.pages[0]
        check_pixels(page.imagewidth, page.imagelength)
        _check_form(page)
        # Samples in planes, depth, height, width, samples.
        try:
            values = page.asarray(squeeze=False, maxworkers=1)[:, 0]
        except Exception as error:
            if not isinstance(error, ImportError) and "imagecodecs" not in str(error):
                raise
            raise UnreadableError(
                f"to read it ({_form(page)}, compression {_name(page.compression)}), run "
                "pip install fashionkit[tiff]"
            ) from error
        values = np.moveaxis(values, 0, -1) if len(values) > 1 else values[0]
        image = _as_image(values.reshape(*values.shape[:2], -1), page)
        image.getexif()[_ORIENTATION] = page.tags.valueof(_ORIENTATION, 1)
        return image


def _form(page: Any) -> str:
    return f"a TIFF of {page.samplesperpixel} x {page.bitspersample} bits, {page.dtype}"


def _name(code: Any) -> Any:
    """Return the name of what a tag says, or the number where tifffile knows none."""
    return getattr(code, "name", code)


def _check_form(page: Any) -> None:
    n_colours = _N_COLOURS.get(page.photometric, page.samplesperpixel + 1)
    has_alpha = page.extrasamples and page.extrasamples[0] in (_PREMULTIPLIED, _ALPHA)
    if (
        page.samplesperpixel < n_colours
        or (page.photometric == _CMYK and has_alpha)
        or page.imagedepth > 1
        or page.dtype is None
        or page.dtype.kind not in "buif"
    ):
        raise UnreadableError(
            f"it is {_form(page)}, of colours {_name(page.photometric)}, a form that cannot be "
            "read; save it as RGB of 8 bits"
        )
    if page.nbytes > _MAX_PIXEL_BYTES * max_pixels():
        raise UnreadableError(
            f"it takes {page.nbytes} bytes decoded, more than {_MAX_PIXEL_BYTES} times the limit "
            f"of {max_pixels()} that PIL.Image.MAX_IMAGE_PIXELS sets"
        )


def _as_image(values: np.ndarray, page: Any) -> Image.Image:
    """Make an image of colours and, where the file says that there is one, the alpha channel."""
    n_colours = _N_COLOURS[page.photometric]
    colours = _as_8_bits(values[..., :n_colours], page)
    extra = page.extrasamples[0] if page.extrasamples else 0
    alpha = None
    if extra in (_PREMULTIPLIED, _ALPHA):
        alpha = _as_8_bits(values[..., n_colours : n_colours + 1], page)
    if page.photometric == _WHITE_IS_ZERO:
        colours = 255 - colours
    elif alpha is not None and extra == _PREMULTIPLIED:
        colours = np.minimum(colours, alpha) + (255 - alpha)
    if page.photometric == _CMYK:
        return Image.frombytes("CMYK", colours.shape[1::-1], colours.tobytes())
    if alpha is not None and extra == _ALPHA:
        colours = np.concatenate([colours, alpha], axis=-1)
    return Image.fromarray(colours.squeeze(-1) if colours.shape[-1] == 1 else colours)


def _as_8_bits(values: np.ndarray, page: Any) -> np.ndarray:
    """Scale by the tags: integers of up to 16 bits by their bits, longer ones as if of 16."""
    n_bits = None if values.dtype.kind == "f" else min(int(page.bitspersample), 16)
    return scaled(values, white_level(values.min(), values.max(), n_bits))
