"""The image contract: every decision about shapes, channels and pixel ranges is made here.

An estimator calls :func:`fit_images` in ``fit`` and :func:`check_images` everywhere else,
and works on the :class:`Images` that it gets back.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import (
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
)
from sklearn.utils.validation import validate_data

from fashionkit.datasets._forms import reject_single, single_image, stacked

# Images and values of one chunk: enough to keep the cores busy, few enough to fit in memory
# together with what a network makes of them.
_IMAGES_PER_CHUNK = 256
_VALUES_PER_CHUNK = 2**20

# Numbers of four bytes that processors compute with at a time, at most.
LANES = 16

# Weights of red, green and blue in the luma of ITU-R BT.601, by which colours become gray.
LUMA = (0.299, 0.587, 0.114)

# What pixels are scaled to, and by what share of it resizing may overshoot, in a few of them.
_USUAL_RANGES = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0))
_OVERSHOOT = 0.25
_FEW = 0.05

# By what share of its span pixels may be beyond a range and still be of its scale: standardised
# numbers are all of one size, and those below 0 are near to (0, 255), whatever they are.
_BEYOND = {(0.0, 1.0): _OVERSHOOT, (0.0, 255.0): 0.0}

# Images that tell, mostly, whether bytes count to 255.
_FEW_IMAGES = 16

# What holds most of other numbers, and how many of them are looked at.
_QUANTILES = (0.01, 0.99)
_SAMPLED_VALUES = 2**20

Shape = tuple[int, int, int]
PixelRange = tuple[float, float]


@dataclass(frozen=True)
class Images:
    """Validated images, still in the caller's memory and dtype.

    Parameters
    ----------
    pixels : ndarray of shape (n_samples, height, width, channels)
        A view of the caller's array wherever that is possible.

    pixel_range : tuple of float
        The values that become 0 and 1.

    n_values : int, default=None
        Values that an image becomes inside of a model that enlarges it.
    """

    pixels: np.ndarray
    pixel_range: PixelRange
    n_values: int | None = None

    def __len__(self) -> int:
        return self.pixels.shape[0]

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB."""
        return self.pixels.shape[3]

    @property
    def chunk_size(self) -> int:
        """How many images to work on at a time."""
        n_values = self.n_values or math.prod(self.pixels.shape[1:])
        size = max(1, min(_IMAGES_PER_CHUNK, _VALUES_PER_CHUNK // n_values))
        return size - size % LANES if size > LANES else size

    def chunks(self, size: int | None = None) -> Iterator[np.ndarray]:
        """Yield float32 images scaled to [0, 1], ``size`` at a time."""
        size = size or self.chunk_size
        for start in range(0, len(self), size):
            yield self.scaled(slice(start, start + size))

    def scaled(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return some of the images as float32, scaled to [0, 1]."""
        low, high = map(np.float32, self.pixel_range)
        chunk = self.pixels[rows].astype(np.float32)
        chunk -= low
        chunk /= high - low
        return chunk

    def are_whole(self) -> np.ndarray:
        """Tell which images have only whole numbers from 0 to 255."""
        if self.pixels.dtype == np.uint8:
            return np.ones(len(self), dtype=bool)
        axes = (1, 2, 3)
        inside = (self.pixels.min(axis=axes) >= 0) & (self.pixels.max(axis=axes) <= 255)
        if np.issubdtype(self.pixels.dtype, np.integer):
            return inside
        return inside & (np.rint(self.pixels) == self.pixels).all(axis=axes)


def fit_images(
    estimator: Any, X: Any, y: Any = "no_validation", *, image_shape: tuple | None = None
) -> Any:
    """Validate ``X``, and ``y`` where given, and learn the contract's attributes.

    Sets ``n_features_in_``, ``image_shape_`` and ``pixel_range_`` on the estimator, and
    ``feature_names_in_`` where ``X`` has names. The estimator's parameter ``image_shape``,
    where it has one, decides the shape of flat rows.

    Parameters
    ----------
    estimator : object
        The estimator being fitted.

    X : array-like
        Images in any form of the contract.

    y : array-like of shape (n_samples,), default="no_validation"
        Targets, validated together with ``X``.

    image_shape : tuple of int, default=None
        What decides the shape of flat rows where the estimator's parameter does not.

    Returns
    -------
    images : Images
        The validated images; together with ``y`` as a pair where ``y`` was given.

    Warns
    -----
    UserWarning
        If the dtype of ``X`` does not go with its values: bytes that are all 0 or 1, or signed
        bytes below 0.
    """
    X = stacked(X)
    reject_single(X, y)
    flat, shape = _flatten(X)
    checked = validate_data(estimator, flat, y)
    with_y = isinstance(checked, tuple)
    flat = checked[0] if with_y else checked
    requested = getattr(estimator, "image_shape", None) or image_shape
    shape = _resolve_shape(requested, shape, flat.shape[1])
    _warn_of_other_dtype(flat)
    estimator.image_shape_ = shape
    estimator.pixel_range_ = _check_range(infer_pixel_range(flat))
    images = Images(flat.reshape(-1, *shape), estimator.pixel_range_)
    return (images, checked[1]) if with_y else images


def check_images(estimator: Any, X: Any, *, n_values: int | None = None) -> Images:
    """Validate ``X`` against what ``fit`` has seen.

    Parameters
    ----------
    estimator : object
        A fitted estimator.

    X : array-like
        Images of the shape seen in ``fit``, in any form of the contract.

    n_values : int, default=None
        Values that an image becomes inside of a model that enlarges it.

    Returns
    -------
    images : Images
        The validated images, to be scaled by the range that ``fit`` recorded.

    Warns
    -----
    UserWarning
        If the pixels of ``X`` span another range than those seen in ``fit``.
    """
    fitted = estimator.image_shape_
    X = stacked(X)
    flat, shape = _flatten(X)
    if shape is None:
        _reject_one_bare_image(flat, fitted)
        flat = validate_data(estimator, flat, reset=False)
    else:
        # Not validate_data: images have no column names, and need none if fit saw a DataFrame.
        # Bytes are always finite: one image is a matter of microseconds.
        if flat.dtype != np.uint8 or not len(flat):
            flat = check_array(flat, estimator=estimator, input_name="X")
        if shape != fitted:
            if np.shape(X) in (fitted, _readable(fitted)):
                raise single_image(np.shape(X))
            raise ValueError(
                f"X has images of shape {_readable(shape)} ({flat.shape[1]} features), but "
                f"{type(estimator).__name__} is expecting {math.prod(fitted)} features as input, "
                f"images of shape {_readable(fitted)}; resize them, or fit on this shape."
            )
    _warn_of_other_range(flat, estimator.pixel_range_)
    return Images(flat.reshape(-1, *fitted), estimator.pixel_range_, n_values)


def check_targets(y: Any, images: Images) -> np.ndarray:
    """Validate targets that belong to images checked by :func:`check_images`."""
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_consistent_length(images.pixels, y)
    return y


def infer_pixel_range(pixels: np.ndarray) -> PixelRange:
    """Infer the range that pixels are meant to span from their dtype and values.

    Parameters
    ----------
    pixels : ndarray
        Pixels of any shape.

    Returns
    -------
    low, high : float
        (0, 255) for uint8; otherwise the first of (0, 1), (0, 255) and (-1, 1) that holds the
        pixels, but for what resizing overshoots. Other integers span their minimum and maximum,
        other numbers, such as standardised ones, what holds all but the outermost 2 %.
    """
    if pixels.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(pixels.min()), float(pixels.max())
    is_measured = np.issubdtype(pixels.dtype, np.floating) and np.isfinite(high - low)
    for span in _USUAL_RANGES:
        if low >= span[0] and high <= span[1]:
            return span
        overshoot = _OVERSHOOT * (span[1] - span[0])
        is_near = low >= span[0] - overshoot and high <= span[1] + overshoot
        if is_measured and is_near and _share_outside(pixels, *span) <= _FEW:
            return span
    if is_measured:
        # Not the outermost: standardised pixels that are hardly ever lit are 50 times as far out.
        low, high = map(float, np.quantile(_sample(pixels), _QUANTILES))
    return (low, high) if high > low else (low, low + 1.0)


def _sample(pixels: np.ndarray) -> np.ndarray:
    """Return images from all over, of a million values at most."""
    n_images = max(1, _SAMPLED_VALUES * len(pixels) // pixels.size)
    return pixels[:: -(-len(pixels) // n_images)]


def _share_outside(pixels: np.ndarray, low: float, high: float) -> float:
    sample = _sample(pixels)
    return float(np.mean((sample < low) | (sample > high)))


def _flatten(X: Any) -> tuple[Any, Shape | None]:
    """Return flat rows and, where the form of ``X`` tells it, the shape of each image."""
    if isinstance(X, np.ndarray) or (hasattr(X, "__array__") and len(getattr(X, "shape", ())) > 2):
        X = np.asarray(X)
        if X.ndim in (3, 4):
            shape = (*X.shape[1:], 1) if X.ndim == 3 else X.shape[1:]
            _check_shape(shape, f"X of shape {X.shape}")
            return X.reshape(X.shape[0], math.prod(shape)), shape
        if X.ndim > 4:
            raise ValueError(
                f"Found array with dim {X.ndim}: X has shape {X.shape}, expected (n_samples, "
                "n_features), (n_samples, height, width) or (n_samples, height, width, channels)."
            )
    return X, None


def _resolve_shape(requested: tuple | None, seen: Shape | None, n_features: int) -> Shape:
    """Decide the image shape: what the user asked for, what ``X`` shows, or a guess."""
    if requested is not None:
        if len(requested) not in (2, 3) or not all(
            isinstance(side, int | np.integer) for side in requested
        ):
            raise ValueError(
                f"image_shape={requested!r} is not a tuple of 2 or 3 integers; pass "
                "(height, width), (height, width, channels), or None to infer it."
            )
        shape: Any = tuple(int(side) for side in requested)
        shape = shape if len(shape) == 3 else (*shape, 1)
        _check_shape(shape, f"image_shape={requested!r}")
        if seen is not None and seen != shape:
            raise ValueError(
                f"image_shape={requested!r} but X has images of shape {_readable(seen)}; "
                "pass image_shape=None to infer it."
            )
        if math.prod(shape) != n_features:
            raise ValueError(
                f"image_shape={requested!r} has {math.prod(shape)} pixels but X has {n_features} "
                "features; pass image_shape=None to infer it."
            )
        return shape
    if seen is not None:
        return seen
    for channels in (1, 3):
        side = math.isqrt(n_features // channels)
        if side * side * channels == n_features:
            return side, side, channels
    return 1, n_features, 1


def _check_shape(shape: tuple, source: str) -> None:
    height, _, channels = shape
    if min(shape) < 1:
        raise ValueError(
            f"Found array with 0 feature(s): {source} has images without pixels; "
            "a minimum of 1 is required in each dimension."
        )
    if channels not in (1, 3):
        hint = ""
        if height in (1, 3):
            hint = "; it looks like channels first: pass np.moveaxis(X, 1, -1)"
        raise ValueError(
            f"{source} has {channels} channels, expected 1 (gray) or 3 (RGB) in the last "
            f"dimension{hint}."
        )


def _reject_one_bare_image(flat: Any, fitted: Shape) -> None:
    shape = getattr(flat, "shape", ())
    if isinstance(flat, list | tuple) and len(flat) == fitted[0] and np.ndim(flat[0]) == 1:
        shape = (len(flat), len(flat[0]))
    if len(shape) == 2 and shape == fitted[:2] and shape[1] != math.prod(fitted):
        raise ValueError(
            f"X has {shape[1]} features, but {math.prod(fitted)} features are expected as input: "
            f"X of shape {shape} looks like a single image; pass X[np.newaxis] for a batch of one."
        )


def _warn_of_other_range(pixels: np.ndarray, fitted: PixelRange) -> None:
    """Warn where pixels cannot have been scaled as those seen in ``fit`` were."""
    if pixels.dtype == np.uint8 and fitted == (0.0, 255.0):
        return
    low, high = float(pixels.min()), float(pixels.max())
    _check_finite(low, high)
    span = fitted[1] - fitted[0]
    beyond = span * _BEYOND.get(fitted, 2.0)
    lowest, highest = fitted[0] - beyond, fitted[1] + beyond
    # Another scale moves most pixels; a few are far out, such as standardised ones rarely lit.
    is_beyond = low < lowest or high > highest
    differs = is_beyond and _share_outside(pixels, lowest, highest) > _FEW
    if fitted == (0.0, 255.0):
        # An image that is black throughout fits either range.
        differs = differs or 0 < high <= 1
    elif fitted != (0.0, 1.0):
        differs = differs or 0 < high - low < span / 100
    if differs:
        other = infer_pixel_range(pixels)
        warnings.warn(
            f"X has pixels in the range {_range_text(other)}, but this estimator was fitted on "
            f"pixels in the range {_range_text(fitted)}; scale X as the training data was "
            "scaled, or predictions will be wrong.",
            UserWarning,
            stacklevel=users_level(),
        )


def _warn_of_other_dtype(pixels: np.ndarray) -> None:
    """Warn of bytes that are all 0 or 1, and of signed bytes that may have wrapped."""
    # A few images are enough to tell that they are others.
    if pixels.dtype == np.uint8 and pixels[:_FEW_IMAGES].max() <= 1 and pixels.max() == 1:
        message = (
            "X has the dtype uint8, which counts from 0 to 255, but only the values 0 and 1, so "
            "that its images are black; pass X * 255, or X.astype(np.float32), which counts from "
            "0 to 1."
        )
    elif pixels.dtype == np.int8 and pixels.min() < 0:
        message = (
            "X has the dtype int8 and values below 0, which is what pixels over 127 become in it; "
            "pass X.view(np.uint8), or X.astype(np.float32) if they are meant to be below 0."
        )
    else:
        return
    warnings.warn(message, UserWarning, stacklevel=users_level())


def users_level() -> int:
    """Return the ``stacklevel`` of the user's line, outside of this package and scikit-learn."""
    packages = (__name__.partition(".")[0], "sklearn")  # which calls fit for its Pipelines
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals["__name__"].partition(".")[0] in packages:
        frame, level = frame.f_back, level + 1
    return level


def _check_range(pixel_range: PixelRange) -> PixelRange:
    """Refuse ranges that float32, in which networks and features compute, cannot tell apart."""
    low, high = pixel_range
    _check_finite(low, high)
    if not np.float32(high) > np.float32(low):
        raise ValueError(
            f"X has values from {low!r} to {high!r}, which are one value in float32; subtract "
            "what they have in common."
        )
    return pixel_range


def _check_finite(low: float, high: float) -> None:
    largest = float(np.finfo(np.float32).max)
    if low < -largest or high > largest or high - low > largest:
        raise ValueError(
            f"X has values from {low:g} to {high:g}, too large for float32; scale X first."
        )


def _range_text(pixel_range: PixelRange) -> str:
    return f"({pixel_range[0]:g}, {pixel_range[1]:g})"


def _readable(shape: Shape) -> tuple[int, ...]:
    """Drop the channel axis of gray images, as users write their shapes."""
    return shape[:2] if shape[2] == 1 else shape
