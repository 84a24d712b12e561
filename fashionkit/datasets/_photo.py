"""Decode a photo: any file that Pillow or tifffile reads, as RGB of some size."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from fashionkit.datasets._pixels import (
    QUARTER_TURNS,
    Size,
    UnknownFormatError,
    UnreadableError,
    check_pixels,
    excess,
    to_rgb,
)
from fashionkit.datasets._tiff import PREFIXES, pillow_reads, read_tiff

# What photos come in, as far as this Pillow and its plugins can read it. Others, such as EPS,
# would start another program.
_FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000", "JXL", "PNG", "PPM", "TIFF", "WEBP")

# Decoding may shrink a JPEG image to no less than this many times its final size.
_DRAFT_GAP = 2.0

_ORIENTATION = 0x0112
_TURNS: dict[int | None, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# The fifth to the twelfth byte of files of the ISO base media file format (ISO/IEC 23008-12).
_AVIF_BRANDS = (b"ftypavif", b"ftypavis")
_HEIF_BRANDS = (
    *(b"ftypheic", b"ftypheix", b"ftypheim", b"ftypheis", b"ftyphevc", b"ftyphevx", b"ftyphevm"),
    *(b"ftyphevs", b"ftypmif1", b"ftypmsf1"),
)
_JXL_PREFIXES = (b"\xff\x0a", b"\0\0\0\x0cJXL ")


def read_image(path: str, size: Size | None, aspect: str) -> np.ndarray:
    """Return an image as RGB uint8, or raise UnreadableError."""
    return _read(path, size, aspect)[0]


def read_whole(path: str, side: int) -> tuple[np.ndarray, Size]:
    """Return a whole image as RGB uint8, and height and width of what is in the file, upright.

    An image whose longest side is more than ``side`` is reduced to it.
    """
    return _read(path, (side, side), "fit")


def _read(path: str, size: Size | None, aspect: str) -> tuple[np.ndarray, Size]:
    if not os.path.isfile(path):
        raise UnreadableError("it is a broken link, or no file any more")
    if not os.path.getsize(path):
        raise UnreadableError("it is empty")
    return _decoded(path, size, aspect, _FORMATS, None)


def decode_content(
    content: bytes, size: Size, aspect: str, formats: Iterable[str], max_pixels: int
) -> tuple[np.ndarray, Size]:
    """Return an image of an upload as :func:`read_image` returns that of the same file.

    Parameters
    ----------
    content : bytes
        The content of a file.

    size : tuple of int
        Height and width of the image; with the aspect "fit", its largest.

    aspect : {"crop", "pad", "stretch", "fit"}
        What happens to images of other proportions.

    formats : iterable of str
        Formats that are read, of those of Pillow.

    max_pixels : int
        Maximum number of pixels that are decoded.

    Returns
    -------
    image : ndarray of shape (height, width, 3), dtype uint8
        In RGB, upright.

    whole : tuple of int
        Height and width of what is in the file, upright.

    Raises
    ------
    UnreadableError
        If it cannot be decoded; an UnknownFormatError, if it is of none of the formats, a
        TooLargeError, if it has too many pixels.
    """
    if not content:
        raise UnreadableError("it is empty")
    return _decoded(BytesIO(content), size, aspect, formats, max_pixels)


def _decoded(
    source: str | BytesIO,
    size: Size | None,
    aspect: str,
    formats: Iterable[str],
    max_pixels: int | None,
) -> tuple[np.ndarray, Size]:
    try:
        with _opened(source, formats) as image:
            check_pixels(image.width, image.height, max_pixels)
            decoded, whole = _decode(image, size, aspect)
            return np.asarray(decoded), whole
    except (MemoryError, UnreadableError):
        raise
    # Pillow's readers raise errors of any type on damaged files.
    except Exception as error:
        raise UnreadableError(_text(error)) from error


def _opened(source: str | BytesIO, formats: Iterable[str]) -> Image.Image:
    """Open an image as Pillow does, without its warning of large ones: we refuse them."""
    prefix = _prefix(source)
    faults = []
    for name in known_formats(formats):
        reader: Any
        reader, accepts = Image.OPEN[name]
        # Some return a message, a str, for what they would need to read it.
        if accepts is None or accepts(prefix) is True:
            try:
                image = reader(_from_start(source))
            # How readers say that it is no file of theirs, or a damaged one.
            except (SyntaxError, IndexError, TypeError, struct.error) as error:
                faults.append(f"it begins as {name}, but Pillow says: {_text(error)}")
                continue
            if image.format != "TIFF" or pillow_reads(image):
                return image
            image.close()
    if prefix.startswith(PREFIXES) and "TIFF" in formats:
        try:
            return read_tiff(_from_start(source))
        except (MemoryError, UnreadableError):
            raise
        except Exception as error:
            faults.append(f"it begins as TIFF, but tifffile says: {_text(error)}")
    hint = _hint(prefix)
    if hint is None and faults:
        raise UnreadableError("; ".join(faults))
    known = ", ".join(known_formats(formats))
    raise UnknownFormatError(hint or f"it is not in a supported format ({known})")


def _prefix(source: str | BytesIO) -> bytes:
    if isinstance(source, BytesIO):
        return source.getvalue()[:16]
    with open(source, "rb") as file:
        return file.read(16)


def _from_start(source: str | BytesIO) -> str | BytesIO:
    """Return a path as it is, and bytes anew, of which each reader may close or move its own."""
    return source if isinstance(source, str) else BytesIO(source.getvalue())


def _text(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _hint(prefix: bytes) -> str | None:
    """Return what would read a file of a format that this Pillow cannot."""
    known = known_formats(_FORMATS)
    if prefix[4:].startswith(_HEIF_BRANDS) and "HEIF" not in known:
        return (
            "it is a HEIC photo, for which Pillow needs a plugin: pip install pillow-heif, and "
            "call pillow_heif.register_heif_opener() first"
        )
    if prefix[4:].startswith(_AVIF_BRANDS) and _lacks("AVIF", prefix):
        return (
            "it is an AVIF photo, which this Pillow cannot read: install Pillow 11.3 or later, or "
            "pip install pillow-avif-plugin and import pillow_avif first"
        )
    if prefix.startswith(_JXL_PREFIXES) and "JXL" not in known:
        return (
            "it is a JPEG XL photo, for which Pillow needs a plugin: pip install "
            "pillow-jxl-plugin, and import pillow_jxl first"
        )
    return None


def _lacks(name: str, prefix: bytes) -> bool:
    """Tell whether Pillow has no reader of a format, or one that says what it would need."""
    accepts = Image.OPEN[name][1] if name in known_formats(_FORMATS) else None
    return accepts is None or accepts(prefix) is not True


def known_formats(formats: Iterable[str]) -> list[str]:
    """Return those of some formats that this Pillow and its plugins can read."""
    Image.init()
    return [name for name in formats if name in Image.OPEN]


def _decode(image: Image.Image, size: Size | None, aspect: str) -> tuple[Image.Image, Size]:
    """Return an image as RGB of some size, and its height and width in the file, upright."""
    width, height = image.size
    if size is not None:
        _decode_smaller(image, size, aspect)
    image.load()
    if image.format == "TIFF":  # which are turned in loading, and say so
        width, height = image.size
    turn = _TURNS.get(_orientation(image))
    whole = (width, height) if turn in QUARTER_TURNS else (height, width)
    return to_rgb(image, turn, size, aspect), whole


def _decode_smaller(image: Image.Image, size: Size, aspect: str) -> None:
    """Make a JPEG file be decoded at a half, a quarter or an eighth, where that is enough."""
    # It may still have to be turned.
    least = min(excess(image.size, size, aspect), excess(image.size[::-1], size, aspect))
    width, height = (max(1, int(side * _DRAFT_GAP / least)) for side in image.size)
    image.draft(None, (width, height))


def _orientation(image: Image.Image) -> int | None:
    try:
        return image.getexif().get(_ORIENTATION)
    # Everyone shows photos with damaged EXIF as they are stored.
    except Exception:
        return None


def refusal(path: str, reason: Exception) -> ValueError:
    """Return the error that names a file which cannot be read."""
    return ValueError(
        f"{str(path)!r} cannot be read as an image: {reason}. Replace or remove it; "
        "ImageFolder and load_images leave out all such files with on_error='skip'."
    )
