"""Bring pixels of any mode to RGB of some size, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from fashionkit._images import on_white

# Where the user has lifted Pillow's own limit, this one is left: its default for errors.
_MAX_PIXELS = 178_956_970

# Large images are converted some rows at a time: copies are of this many pixels at most.
_STRIP_PIXELS = 2**20

# Averages of blocks may shrink an image to no less than this many times its final size.
_REDUCING_GAP = 3.0

QUARTER_TURNS = {
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
}

Size = tuple[int, int]


class UnreadableError(ValueError):
    """Why a file cannot be read as an image."""


class UnknownFormatError(UnreadableError):
    """The file is of no format that is read."""


class TooLargeError(UnreadableError):
    """The image has more pixels than are decoded."""


def max_pixels() -> int:
    """Return the most pixels that are decoded of any image."""
    return Image.MAX_IMAGE_PIXELS or _MAX_PIXELS


def check_pixels(width: int, height: int, limit: int | None = None) -> None:
    """Refuse images that are too large to decode: of more pixels than Pillow or we allow."""
    shape = size_text((height, width))
    if limit is not None and width * height > limit:
        raise TooLargeError(f"it has {shape} pixels, more than the limit of {limit}")
    if width * height > max_pixels():
        raise TooLargeError(
            f"it has {shape} pixels, more than the limit of {max_pixels()} that "
            "PIL.Image.MAX_IMAGE_PIXELS sets"
        )


def to_rgb(
    image: Image.Image, turn: Image.Transpose | None, size: Size | None, aspect: str
) -> Image.Image:
    """Convert a loaded image of any mode to RGB of some size, white where it is transparent."""
    width, height = image.size
    upright = (height, width) if turn in QUARTER_TURNS else (width, height)
    factor = 1 if size is None else max(1, int(excess(upright, size, aspect) / _REDUCING_GAP))
    image = _as_rgb(image, factor)
    image = image if turn is None else image.transpose(turn)
    if size is None:
        return image
    return resized(image, (upright[0] / factor, upright[1] / factor), size, aspect)


def excess(image_size: tuple[float, float], size: Size, aspect: str) -> float:
    """Return how many times larger an image of some width and height is than it has to be."""
    nearer = max if aspect in ("pad", "fit") else min
    scale = nearer(image_size[0] / size[1], image_size[1] / size[0])
    return max(1.0, scale) if aspect == "fit" else scale  # which enlarges nothing


def resized(
    image: Image.Image, image_size: tuple[float, float], size: Size, aspect: str
) -> Image.Image:
    """Resize an RGB image, of whose last column and row fractions may count."""
    height, width = size
    scale = excess(image_size, size, aspect)
    box = (0.0, 0.0, *image_size)
    inner = (width, height)
    if aspect == "crop":
        left = max(0.0, (image_size[0] - width * scale) / 2)
        top = max(0.0, (image_size[1] - height * scale) / 2)
        box = (left, top, image_size[0] - left, image_size[1] - top)
    elif aspect in ("pad", "fit"):
        inner = (max(1, round(image_size[0] / scale)), max(1, round(image_size[1] / scale)))
    image = image.resize(inner, Image.Resampling.LANCZOS, box, _REDUCING_GAP)
    if inner == (width, height) or aspect == "fit":
        return image
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(image, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


def _as_rgb(image: Image.Image, factor: int) -> Image.Image:
    """Convert to RGB, and average blocks of ``factor`` by ``factor`` pixels."""
    if image.mode in ("L", "RGB") and not image.has_transparency_data:
        image = image.reduce(factor) if factor > 1 else image
        return image.convert("RGB") if image.mode != "RGB" else image
    white = _white(image) if image.mode[0] in "IF" else None
    canvas = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    for top, strip in _strips(image, factor):
        strip = on_white(strip if white is None else _as_8_bits(strip, white))
        canvas.paste(strip.reduce(factor) if factor > 1 else strip, (0, top // factor))
    return canvas


def _strips(image: Image.Image, factor: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """Yield rows of an image, a multiple of ``factor`` of them, after their position."""
    n_rows = factor * max(1, _STRIP_PIXELS // (image.width * factor))
    for top in range(0, image.height, n_rows):
        bottom = min(top + n_rows, image.height)
        yield top, image.crop((0, top, image.width, bottom))


def _white(image: Image.Image) -> int:
    """Return what stands for white in gray values of more than 8 bits."""
    arrays = (np.asarray(strip) for _, strip in _strips(image))
    ends = np.array([(array.min(), array.max()) for array in arrays])
    # Only TIFF files of 12 bits keep their scale.
    n_bits = getattr(image, "tag_v2", {}).get(258, (16,))[0]
    return white_level(ends.min(), ends.max(), None if image.mode[0] == "F" else min(n_bits, 16))


def _as_8_bits(image: Image.Image, white: int) -> Image.Image:
    """Scale gray values of more than 8 bits, which Pillow would clip."""
    values = np.asarray(image)
    gray = scaled(values, white)
    gray[values == image.info.get("transparency", -1)] = 255
    return Image.fromarray(gray)


def white_level(low: float, high: float, n_bits: int | None) -> int:
    """Return what stands for white in values of a number of bits, None for floating point."""
    white = 2**n_bits - 1 if n_bits is not None else 1 if high <= 1 else 255
    if not (low >= 0 and high <= white):
        raise UnreadableError(f"its values from {low:g} to {high:g} are not within 0 to {white}")
    return white


def scaled(values: np.ndarray, white: int) -> np.ndarray:
    """Return values from 0 to ``white`` as uint8, without a whole copy of another dtype."""
    result = np.empty(values.shape, np.uint8)
    n_rows = max(1, _STRIP_PIXELS * len(values) // max(1, values.size))
    for top in range(0, len(values), n_rows):
        rows = slice(top, top + n_rows)
        result[rows] = np.rint(values[rows].astype(np.float32) * np.float32(255 / white))
    return result


def size_text(shape: tuple[int, ...]) -> str:
    """Return height and width as text."""
    return f"{shape[0]} x {shape[1]}"
