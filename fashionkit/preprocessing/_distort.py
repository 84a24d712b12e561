"""Distortions of a batch of images, in operations of Keras.

Images are float32 in [0, 1], of shape (n, height, width, channels), of which only n may be dynamic.
Random numbers come from an object with the methods ``uniform`` and ``beta`` of
:class:`numpy.random.Generator`.
"""

from __future__ import annotations

import math
from typing import Any


def _ops() -> Any:
    # Imported here, so that importing fashionkit does not start TensorFlow.
    from fashionkit._tensorflow import keras

    return keras().ops


def count(images: Any) -> Any:
    """Return the number of images, as a tensor if it is dynamic."""
    return _ops().shape(images)[0]


def draw(random: Any, low: float, high: float, n: Any) -> Any:
    """Draw n numbers from a uniform distribution."""
    return _ops().cast(random.uniform(low, high, (n,)), "float32")


def draw_shifts(random: Any, largest: tuple[int, int], n: Any) -> Any:
    """Draw n pairs of integers, each from ``-largest`` to ``largest``."""
    return _ops().stack([_draw_whole(random, 2 * side, n) - side for side in largest], axis=1)


def _draw_whole(random: Any, largest: int, n: Any) -> Any:
    """Draw n integers from 0 to ``largest``."""
    ops = _ops()
    numbers = ops.cast(draw(random, 0.0, largest + 1.0, n), "int32")
    # A number just below the upper limit may be rounded to it.
    return ops.minimum(numbers, largest)


def halve(rows: Any, seed: int) -> Any:
    """Return a pseudorandom 0 or 1 for each row, which depends only on the row and the seed."""
    ops = _ops()
    mixed = ops.cast(rows, "int64") % 2**31 + (seed * 2_654_435_761 + 12_345) % 2**31
    # Middle bits of squares (a hash), within the range of int64.
    for factor in (668_265_261, 1_103_515_245, 741_103_597):
        mixed = mixed % 2**31 * factor % 2**31
        mixed = (mixed * mixed + factor) // 2**20
    return mixed // 2**5 % 2


def flip_and_shift(images: Any, flipped: Any, shifts: Any, fill_mode: str) -> Any:
    """Flip images from left to right, then shift them, by copying pixels.

    Parameters
    ----------
    images : tensor of shape (n, height, width, channels)
        Images.

    flipped : tensor of shape (n,), dtype bool
        Whether to flip each image.

    shifts : tensor of shape (n, 2), dtype int32
        Number of pixels to shift downwards and to the right.

    fill_mode : {"constant", "nearest", "reflect"}
        Values of pixels from beyond the border.

    Returns
    -------
    images : tensor of shape (n, height, width, channels)
        Images equal to those of :func:`transform`, at a lower cost.
    """
    ops = _ops()
    height, width, _ = images.shape[1:]
    rows = ops.arange(height, dtype="int32") - shifts[:, :1]
    columns = ops.arange(width, dtype="int32") - shifts[:, 1:]
    columns = ops.where(flipped[:, None], width - 1 - columns, columns)
    # Copying rows, then columns, is much faster than copying single pixels.
    moved = _pick(images, rows, fill_mode)
    moved = _pick(ops.transpose(moved, (0, 2, 1, 3)), columns, fill_mode)
    return ops.transpose(moved, (0, 2, 1, 3))


def _pick(images: Any, rows: Any, fill_mode: str) -> Any:
    """Return the given rows of each image, which may be beyond the border."""
    ops = _ops()
    height, width, channels = images.shape[1:]
    lines = ops.reshape(images, (-1, width * channels))
    n_lines = ops.shape(lines)[0]
    if fill_mode == "reflect":
        rows = rows % (2 * height)
        inside = ops.minimum(rows, 2 * height - 1 - rows)
    else:
        inside = ops.clip(rows, 0, height - 1)
    numbers = inside + ops.arange(0, n_lines, height, dtype="int32")[:, None]
    if fill_mode == "constant":
        # One black line, which all images share.
        lines = ops.concatenate([lines, ops.zeros((1, width * channels), dtype="float32")], axis=0)
        numbers = ops.where(inside == rows, numbers, n_lines)
    return ops.reshape(ops.take(lines, numbers, axis=0), (-1, height, width, channels))


def transform(
    images: Any, flipped: Any, angles: Any, scales: Any, shifts: Any, fill_mode: str
) -> Any:
    """Flip, rotate, scale and shift images, in this order, by one affine map for each.

    Parameters
    ----------
    images : tensor of shape (n, height, width, channels)
        Images.

    flipped : tensor of shape (n,), dtype bool
        Whether to flip each image from left to right.

    angles : tensor of shape (n,)
        Angles in degrees of the counterclockwise rotation around the centre.

    scales : tensor of shape (n,)
        Factors of the enlargement around the centre.

    shifts : tensor of shape (n, 2)
        Number of pixels to shift downwards and to the right.

    fill_mode : {"constant", "nearest", "reflect"}
        Values of pixels from beyond the border.

    Returns
    -------
    images : tensor of shape (n, height, width, channels)
        Images interpolated bilinearly.
    """
    ops = _ops()
    height, width, _ = images.shape[1:]
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    angles = angles * (math.pi / 180)
    cos, sin = ops.cos(angles) / scales, ops.sin(angles) / scales
    mirror = 1.0 - 2.0 * ops.cast(flipped, "float32")
    # The inverse map, from each pixel of the result to its origin.
    x_by_x, x_by_y, y_by_x, y_by_y = mirror * cos, -mirror * sin, sin, cos
    shifts = ops.cast(shifts, "float32")
    from_y, from_x = shifts[:, 0] + middle_y, shifts[:, 1] + middle_x
    x_offset = middle_x - x_by_x * from_x - x_by_y * from_y
    y_offset = middle_y - y_by_x * from_x - y_by_y * from_y
    none = ops.zeros_like(cos)
    matrices = ops.stack([x_by_x, x_by_y, x_offset, y_by_x, y_by_y, y_offset, none, none], axis=1)
    return ops.image.affine_transform(
        images,
        matrices,
        interpolation="bilinear",
        fill_mode=fill_mode,
        fill_value=0.0,
        data_format="channels_last",
    )


def change_contrast(images: Any, factors: Any) -> Any:
    """Multiply the differences of pixels from the mean of their image, and clip to [0, 1]."""
    ops = _ops()
    factors = factors[:, None, None, None]
    means = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return ops.clip(images * factors + means * (1.0 - factors), 0.0, 1.0)


def erase(
    images: Any,
    random: Any,
    probability: float,
    area: tuple[float, float],
    aspect: float,
    value: float | str,
) -> Any:
    """Erase a random rectangle of some of the images.

    Parameters
    ----------
    images : tensor of shape (n, height, width, channels)
        Images.

    random : object
        Random number generator.

    probability : float
        Probability of erasing a rectangle of an image.

    area : tuple of float
        Minimum and maximum area of the rectangle, as fractions of the image.

    aspect : float
        Minimum ratio of height to width, and of width to height.

    value : float or "random"
        Value of erased pixels; "random" for noise.

    Returns
    -------
    images : tensor of shape (n, height, width, channels)
        Images with erased rectangles.
    """
    ops = _ops()
    height, width, channels = images.shape[1:]
    n = ops.shape(images)[0]
    n_pixels = draw(random, *area, n) * (height * width)
    # Limits of the ratios with which a rectangle fits into the image.
    lowest, highest = ops.log(n_pixels / width**2), ops.log(height**2 / n_pixels)
    low, high = ops.maximum(lowest, math.log(aspect)), ops.minimum(highest, -math.log(aspect))
    ratios = low + draw(random, 0.0, 1.0, n) * (high - low)
    # If the image is too narrow for these ratios, the nearest ratio that fits is used.
    ratios = ops.exp(ops.clip(ratios, lowest, highest))
    sides = ops.sqrt(n_pixels * ratios), ops.sqrt(n_pixels / ratios)
    chosen = draw(random, 0.0, 1.0, n) >= 1.0 - probability
    masks = []
    for length, side in zip((height, width), sides, strict=True):
        side = ops.clip(ops.round(side), 1, length)
        first = ops.floor(draw(random, 0.0, 1.0, n) * (length - side + 1))
        first = ops.minimum(first, length - side)
        masks.append(_between(first, first + side, length))
    mask = masks[0][:, :, None, None] & masks[1][:, None, :, None] & chosen[:, None, None, None]
    if value == "random":
        value = ops.cast(random.uniform(0.0, 1.0, (n, height, width, channels)), "float32")
    else:
        value = float(value)  # a NumPy float64 would convert the images to float64
    return ops.where(mask, value, images)


def _between(first: Any, last: Any, length: int) -> Any:
    """Return a mask of the integers below ``length`` from ``first`` to before ``last``."""
    numbers = _ops().arange(length, dtype="float32")
    return (numbers >= first[:, None]) & (numbers < last[:, None])


def mix(images: Any, targets: Any, random: Any, mixup: float, cutmix: float) -> tuple[Any, Any]:
    """Mix each image and its targets with the next ones of the batch.

    Parameters
    ----------
    images : tensor of shape (n, height, width, channels)
        Images.

    targets : tensor of shape (n, n_outputs) or None
        Targets of the images.

    random : object
        Random number generator.

    mixup, cutmix : float
        Parameters alpha of the Beta distributions; 0 is off. At least one is positive.

    Returns
    -------
    images : tensor of shape (n, height, width, channels)
        Mixed images.

    targets : tensor of shape (n, n_outputs) or None
        Targets mixed in the proportions of the images.
    """
    ops = _ops()
    n = ops.shape(images)[0]
    if not cutmix:
        kept = _blend(random, mixup, n)
    elif not mixup:
        kept = _cut(random, cutmix, n, images.shape[1:3])
    else:
        blended, cut = (
            _blend(random, mixup, n),
            _cut(random, cutmix, n, images.shape[1:3]),
        )
        kept = ops.where(draw(random, 0.0, 1.0, 1) < 0.5, blended, cut)
    images = images * kept + ops.roll(images, -1, axis=0) * (1.0 - kept)
    if targets is not None:
        share = ops.mean(kept, axis=(1, 2, 3))[:, None]
        targets = targets * share + ops.roll(targets, -1, axis=0) * (1.0 - share)
    return images, targets


def _blend(random: Any, alpha: float, n: Any) -> Any:
    """Draw the weight of each image for mixup."""
    return _ops().cast(random.beta(alpha, alpha, (n,)), "float32")[:, None, None, None]


def _cut(random: Any, alpha: float, n: Any, sides: tuple[int, int]) -> Any:
    """Draw a mask of each image for CutMix: 1 for kept pixels, 0 for replaced ones."""
    ops = _ops()
    share = ops.cast(random.beta(alpha, alpha, (n,)), "float32")
    masks = []
    for length in sides:
        half = ops.sqrt(1.0 - share) * (length / 2)
        middle = draw(random, 0.0, length, n)
        # The part of a rectangle beyond the border is cut off.
        masks.append(_between(ops.round(middle - half), ops.round(middle + half), length))
    cut = masks[0][:, :, None, None] & masks[1][:, None, :, None]
    return 1.0 - ops.cast(cut, "float32")
