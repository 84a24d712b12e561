"""Crops of photos around the product, in colour or as a silhouette."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from fashionkit._images import LUMA

# Minimum median luma of very light products, which are not negated, as they would become black.
_VERY_LIGHT = 210


class Box(NamedTuple):
    """Bounding box in rows and columns; ``bottom`` and ``right`` are exclusive."""

    top: int
    left: int
    bottom: int
    right: int


def box_of(mask: np.ndarray) -> Box:
    """Return the bounding box of a mask; the whole photo if the mask is empty."""
    if not mask.any():
        return Box(0, 0, *mask.shape)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def square_photo(rgb: np.ndarray, mask: np.ndarray, size: int, margin: float) -> np.ndarray:
    """Crop a photo to a square around its foreground, and resize it.

    The square is moved into the photo if it fits. Otherwise the remaining area has the colour of
    the photo's border, the median of each channel.

    Parameters
    ----------
    rgb : ndarray of shape (height, width, 3), dtype uint8
        Photo.

    mask : ndarray of shape (height, width), dtype bool
        Mask of the foreground. If it is empty, the central square is used.

    size : int
        Height and width of the image.

    margin : float
        Margin at each end of the longest side of the foreground, as a fraction of this side.

    Returns
    -------
    image : ndarray of shape (size, size, 3), dtype uint8
        Square image.
    """
    height, width = mask.shape
    box = box_of(mask)
    if mask.any():
        side = (1 + 2 * margin) * max(box.bottom - box.top, box.right - box.left)
    else:
        side = min(height, width)
    side = max(1, round(min(side, max(height, width))))
    top = _start((box.top + box.bottom - side) / 2, side, height)
    left = _start((box.left + box.right - side) / 2, side, width)
    photo = Image.fromarray(rgb)
    if side > min(height, width):
        border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
        red, green, blue = np.median(border, axis=0).astype(int).tolist()
        canvas = Image.new("RGB", (side, side), (red, green, blue))
        canvas.paste(photo, (-left, -top))
    else:
        canvas = photo.crop((left, top, left + side, top + side))
    return np.asarray(canvas.resize((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0))


def _start(start: float, length: int, whole: int) -> int:
    """Return the start of an interval: moved inside if it fits, otherwise centred."""
    if length > whole:
        return -((length - whole) // 2)
    return int(min(max(0, math.floor(start)), whole - length))


def is_negated(gray: np.ndarray, mask: np.ndarray, polarity: str) -> bool:
    """Tell whether gray values must be negated to get a light product on black."""
    if polarity != "auto":
        return polarity == "negate"
    inside = gray[mask] if mask.any() else gray
    return float(np.median(inside)) < _VERY_LIGHT


def to_gray(rgb: np.ndarray) -> np.ndarray:
    """Return the luma of an RGB image, as float32 from 0 to 255."""
    return rgb @ np.array(LUMA, np.float32)


def silhouette(
    gray: np.ndarray, mask: np.ndarray, size: int, margin: float, negate: bool
) -> np.ndarray:
    """Cut out the product in gray, centred on a black square.

    Parameters
    ----------
    gray : ndarray of shape (height, width)
        Luma of the photo, from 0 to 255.

    mask : ndarray of shape (height, width), dtype bool
        Mask of the foreground. If it is empty, the whole photo is used.

    size : int
        Height and width of the image.

    margin : float
        Margin at each end of the longest side of the product, as a fraction of this side.

    negate : bool
        Whether to negate the gray values.

    Returns
    -------
    image : ndarray of shape (size, size), dtype uint8
        Image of the product.
    """
    box = box_of(mask)
    mask = mask if mask.any() else np.ones_like(mask)
    window = slice(box.top, box.bottom), slice(box.left, box.right)
    light = 255 - gray[window] if negate else gray[window]
    height, width = light.shape
    inner = size / (1 + 2 * margin)
    scale = inner / max(height, width)
    target = max(1, round(width * scale)), max(1, round(height * scale))
    # Averages over the product only, so that its edges do not become dark.
    cover = _averaged(mask[window].astype(np.float32), target)
    product = _averaged(light * mask[window], target) / np.maximum(cover, 1e-6)
    sharp = _sharpened(np.rint(np.clip(product, 0, 255)).astype(np.uint8))
    image = np.zeros((size, size), np.uint8)
    top, left = (size - target[1]) // 2, (size - target[0]) // 2
    image[top : top + target[1], left : left + target[0]] = np.rint(sharp * np.clip(cover, 0, 1))
    return image


def _averaged(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize an array of float32, with averaging where it is reduced."""
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))


def _sharpened(gray: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(gray).filter(ImageFilter.UnsharpMask(1, 100, 0)))
