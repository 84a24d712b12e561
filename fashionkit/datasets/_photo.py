"""Decode a photo: any file that Pillow reads, as RGB of some size."""

from __future__ import annotations

import os
import struct
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

# What photos come in, as far as this Pillow and its plugins can read it. Others, such as EPS,
# would start another program.
_FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000", "JXL", "PNG", "PPM", "TIFF", "WEBP")

# Where the user has lifted Pillow's own limit, this one is left: its default for errors.
_MAX_PIXELS = 178_956_970

# Cheap methods may shrink an image to no less than this many times its final size.
_DRAFT_GAP = 2.0
_REDUCING_GAP = 3.0

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

Size = tuple[int, int]


class UnreadableError(ValueError):
    """Why a file cannot be read as an image."""


def read_image(path: str, size: Size | None, aspect: str) -> np.ndarray:
    """Return an image as RGB uint8, or raise UnreadableError."""
    if not os.path.isfile(path):
        raise UnreadableError("it is a broken link, or no file any more")
    if not os.path.getsize(path):
        raise UnreadableError("it is empty")
    try:
        with _opened(path) as image:
            return np.asarray(_decode(image, size, aspect))
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableError(f"it is none of {', '.join(_known_formats())}") from error
    # Pillow's readers raise errors of any type on damaged files.
    except Exception as error:
        raise UnreadableError(str(error).rstrip(".") or type(error).__name__) from error


def _opened(path: str) -> Image.Image:
    """Open an image as Pillow does, without its warning of large ones: we refuse them."""
    with open(path, "rb") as file:
        prefix = file.read(16)
    for name in _known_formats():
        reader: Any
        reader, accepts = Image.OPEN[name]
        # Some return a message, a str, for what they would need to read it.
        if accepts is None or accepts(prefix) is True:
            try:
                return reader(path)
            # How readers say that it is no file of theirs.
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue
    raise UnidentifiedImageError


def _known_formats() -> list[str]:
    Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]


def _decode(image: Image.Image, size: Size | None, aspect: str) -> Image.Image:
    limit = Image.MAX_IMAGE_PIXELS or _MAX_PIXELS
    if image.width * image.height > limit:
        raise UnreadableError(
            f"it has {size_text(image.size[::-1])} pixels, more than the limit of {limit} that "
            "PIL.Image.MAX_IMAGE_PIXELS sets"
        )
    if size is not None:
        _decode_smaller(image, size, aspect)
    image.load()
    # After loading, because TIFF files are turned in loading, and say so.
    turn = _TURNS.get(_orientation(image))
    image = _as_rgb(image)
    image = image if turn is None else image.transpose(turn)
    return image if size is None else _resized(image, size, aspect)


def _decode_smaller(image: Image.Image, size: Size, aspect: str) -> None:
    """Make a JPEG file be decoded at a half, a quarter or an eighth, where that is enough."""
    # It may still have to be turned.
    excess = min(_excess(image.size, size, aspect), _excess(image.size[::-1], size, aspect))
    width, height = (max(1, int(side * _DRAFT_GAP / excess)) for side in image.size)
    image.draft(None, (width, height))


def _excess(image_size: Size, size: Size, aspect: str) -> float:
    """Return how many times larger an image of some width and height is than it has to be."""
    nearer = max if aspect == "pad" else min
    return nearer(image_size[0] / size[1], image_size[1] / size[0])


def _orientation(image: Image.Image) -> int | None:
    try:
        return image.getexif().get(_ORIENTATION)
    # Everyone shows photos with damaged EXIF as they are stored.
    except Exception:
        return None


def _as_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode to RGB, white where it is transparent."""
    if image.mode[0] in "IF":
        return Image.fromarray(_as_8_bits(image)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    canvas = Image.new("RGB", layer.size, "white")
    canvas.paste(layer, mask=layer)
    return canvas


def _as_8_bits(image: Image.Image) -> np.ndarray:
    """Scale gray values of more than 8 bits, which Pillow would clip."""
    values = np.asarray(image)
    low, high = values.min(), values.max()
    white = 65535 if image.mode[0] == "I" else 1 if high <= 1 else 255
    if not (low >= 0 and high <= white):
        raise UnreadableError(f"its values from {low:g} to {high:g} are not within 0 to {white}")
    scaled = np.rint(values * np.float32(255 / white)).astype(np.uint8)
    scaled[values == image.info.get("transparency", -1)] = 255
    return scaled


def _resized(image: Image.Image, size: Size, aspect: str) -> Image.Image:
    height, width = size
    excess = _excess(image.size, size, aspect)
    box: tuple[float, float, float, float] = (0, 0, *image.size)
    inner = (width, height)
    if aspect == "crop":
        left = max(0.0, (image.width - width * excess) / 2)
        top = max(0.0, (image.height - height * excess) / 2)
        box = (left, top, image.width - left, image.height - top)
    elif aspect == "pad":
        inner = (max(1, round(image.width / excess)), max(1, round(image.height / excess)))
    resized = image.resize(inner, Image.Resampling.LANCZOS, box, _REDUCING_GAP)
    if inner == (width, height):
        return resized
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(resized, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


def size_text(shape: tuple[int, ...]) -> str:
    """Return height and width as text."""
    return f"{shape[0]} x {shape[1]}"
