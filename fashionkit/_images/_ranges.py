"""Pixel ranges: what pixels are meant to span, and whether others span the same."""

from __future__ import annotations

import sys
import warnings

import numpy as np

from fashionkit._images._pixels import PixelRange

# What pixels are scaled to, and by what share of it resizing may overshoot, in a few of them.
_USUAL_RANGES = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0))
_OVERSHOOT = 0.25
_FEW = 0.05

# By what share of its span pixels may be beyond a range and still be of its scale: standardised
# numbers are all of one size, and those below 0 are near to (0, 255), whatever they are.
_BEYOND = {(0.0, 1.0): _OVERSHOOT, (0.0, 255.0): 0.0}
_FAR = 10.0

# Images that tell, mostly, whether bytes count to 255.
_FEW_IMAGES = 16

# What holds most of other numbers, and how many of them are looked at.
_QUANTILES = (0.01, 0.99)
_SAMPLED_VALUES = 2**20


def infer_pixel_range(pixels: np.ndarray, *, standardize: bool = False) -> PixelRange:
    """Infer the range that pixels are meant to span from their dtype and values.

    Parameters
    ----------
    pixels : ndarray
        Pixels of any shape.

    standardize : bool, default=False
        Whether numbers of other ranges become standardised ones, as is best for networks, rather
        than mostly within 0 and 1.

    Returns
    -------
    low, high : float
        (0, 255) for uint8; otherwise the first of (0, 1), (0, 255) and (-1, 1) that holds the
        pixels, but for what resizing overshoots. Other integers span their minimum and maximum,
        other numbers, such as standardised ones, what holds all but the outermost 2 %; or, to
        standardise, the mean of these and the mean plus their standard deviation.
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
        sample = _sample(pixels)
        low, high = map(float, np.quantile(sample, _QUANTILES))
        if standardize:
            most = sample[(sample >= low) & (sample <= high)].astype(np.float64)
            low, high = float(most.mean()), float(most.mean() + most.std())
    return (low, high) if high > low else (low, low + 1.0)


def _sample(pixels: np.ndarray) -> np.ndarray:
    """Return images from all over, of a million values at most."""
    n_images = max(1, _SAMPLED_VALUES * len(pixels) // pixels.size)
    return pixels[:: -(-len(pixels) // n_images)]


def _share_outside(pixels: np.ndarray, low: float, high: float) -> float:
    sample = _sample(pixels)
    return float(np.mean((sample < low) | (sample > high)))


def warn_of_other_range(pixels: np.ndarray, fitted: PixelRange) -> None:
    """Warn where pixels cannot have been scaled as those seen in ``fit`` were."""
    if pixels.dtype == np.uint8 and fitted == (0.0, 255.0):
        return
    low, high = float(pixels.min()), float(pixels.max())
    _check_finite(low, high)
    span = fitted[1] - fitted[0]
    beyond = span * _BEYOND.get(fitted, _FAR)
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


def warn_of_other_dtype(pixels: np.ndarray) -> None:
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


def check_range(pixel_range: PixelRange) -> PixelRange:
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
