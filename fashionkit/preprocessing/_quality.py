"""What may be wrong with a photo, and the numbers that say so."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from fashionkit.preprocessing._foreground import reduced
from fashionkit.preprocessing._framing import Box, to_gray

# Longest side in pixels of the copy that is measured.
_SIDE = 256

# Limits, beyond which a photo has a problem. Chosen on photos of clothes and altered copies of
# them: benchmarks/photo_quality.py.
LEAST_BRIGHTNESS = 100.0
MOST_CLIPPED = 0.05
MOST_DARKNESS = 190.0
LEAST_SHARPNESS = 1.0
MOST_PROPORTION = 3.0
MOST_ENLARGEMENT = 2.0

_CLIPPED = 250
# Of a squared gradient: below it there is nothing but noise.
_FLAT = 1.0


def measure(
    rgb: np.ndarray, mask: np.ndarray, box: Box, scale: float, image_size: float
) -> dict[str, float]:
    """Return the numbers that tell the quality of a photo.

    Parameters
    ----------
    rgb : ndarray of shape (height, width, 3), dtype uint8
        The photo, perhaps reduced.

    mask : ndarray of shape (height, width), dtype bool
        Its foreground.

    box : Box
        Around the foreground.

    scale : float
        Pixels in the file for each of ``rgb``, along a side.

    image_size : float
        Pixels that the longest side of the box becomes.

    Returns
    -------
    numbers : dict of str to float
        By the names of the columns of ``ProductPhotoPreprocessor.describe``.
    """
    small = reduced(rgb, _SIDE)
    gray = to_gray(small)
    inside = np.asarray(
        Image.fromarray(mask).resize(small.shape[1::-1], Image.Resampling.NEAREST), bool
    )
    clipped = (small.min(axis=2) >= _CLIPPED)[inside] if inside.any() else np.zeros(1)
    height, width = rgb.shape[:2]
    longest = scale * max(box.bottom - box.top, box.right - box.left)
    return {
        "brightest": float(np.percentile(gray, 95)),
        "darkest": float(np.percentile(gray, 5)),
        "clipped": float(clipped.mean()),
        "sharpness": sharpness(gray),
        "proportion": max(height, width) / min(height, width),
        "enlargement": image_size / longest,
    }


def sharpness(gray: np.ndarray) -> float:
    """Return the mean squared Laplacian of an image relative to its mean squared gradient.

    Parameters
    ----------
    gray : ndarray of shape (height, width)
        From 0 to 255.

    Returns
    -------
    sharpness : float
        0 of an image without edges. Both are focus measures; their ratio does not depend on
        contrast.
    """
    laplacian = ndimage.laplace(gray)
    gradient = (ndimage.sobel(gray, 0) ** 2 + ndimage.sobel(gray, 1) ** 2) / 64
    return float((laplacian**2).mean() / (gradient.mean() + _FLAT))


def problems(numbers: dict[str, float], has_foreground: bool) -> str:
    """Return what is wrong, in words with commas between; "" if nothing is."""
    found = {
        "too dark": numbers["brightest"] < LEAST_BRIGHTNESS,
        "too light": numbers["clipped"] > MOST_CLIPPED or numbers["darkest"] > MOST_DARKNESS,
        "blurred": numbers["sharpness"] < LEAST_SHARPNESS,
        "tiny": numbers["enlargement"] > MOST_ENLARGEMENT,
        "odd proportions": numbers["proportion"] > MOST_PROPORTION,
        "no foreground": not has_foreground,
    }
    return ", ".join(name for name, is_found in found.items() if is_found)
