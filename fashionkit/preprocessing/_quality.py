"""Quality of photos: measures, and the problems that they indicate."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from fashionkit.preprocessing._foreground import reduced
from fashionkit.preprocessing._framing import Box, to_gray

# Longest side in pixels of the reduced copy that is measured.
_SIDE = 256

# Limits beyond which a photo has a problem, chosen on photos of clothes and degraded copies of
# them, see benchmarks/photo_quality.py.
LEAST_BRIGHTNESS = 100.0
MOST_CLIPPED = 0.05
MOST_DARKNESS = 190.0
LEAST_SHARPNESS = 1.0
MOST_PROPORTION = 3.0
MOST_ENLARGEMENT = 2.0

# Minimum value of all channels of a white pixel.
_CLIPPED = 250
# Squared gradient of noise, which keeps the sharpness of an image without edges near 0.
_FLAT = 1.0


def measure(
    rgb: np.ndarray, mask: np.ndarray, box: Box, scale: float, image_size: float
) -> dict[str, float]:
    """Measure the quality of a photo.

    Parameters
    ----------
    rgb : ndarray of shape (height, width, 3), dtype uint8
        Photo, which may be reduced.

    mask : ndarray of shape (height, width), dtype bool
        Mask of the foreground.

    box : Box
        Bounding box of the foreground.

    scale : float
        Ratio of the side of the original photo to that of ``rgb``.

    image_size : float
        Length in pixels of the longest side of the box in the output image.

    Returns
    -------
    numbers : dict of str to float
        Measures, by their column names in ``ProductPhotoPreprocessor.describe``.
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
    """Return the ratio of the mean squared Laplacian to the mean squared gradient of an image.

    Both are focus measures [1]_; their ratio hardly depends on the contrast.

    Parameters
    ----------
    gray : ndarray of shape (height, width)
        Luma of the image, from 0 to 255.

    Returns
    -------
    sharpness : float
        Sharpness; 0 for an image without edges.

    References
    ----------
    .. [1] S. Pertuz, D. Puig and M. A. Garcia, "Analysis of Focus Measure Operators for
       Shape-from-Focus", Pattern Recognition 46(5), 2013.
    """
    laplacian = ndimage.laplace(gray)
    gradient = (ndimage.sobel(gray, 0) ** 2 + ndimage.sobel(gray, 1) ** 2) / 64
    return float((laplacian**2).mean() / (gradient.mean() + _FLAT))


def problems(numbers: dict[str, float], has_foreground: bool) -> str:
    """Return the names of the problems of a photo, separated by commas; "" if there are none."""
    found = {
        "too dark": numbers["brightest"] < LEAST_BRIGHTNESS,
        "too light": numbers["clipped"] > MOST_CLIPPED or numbers["darkest"] > MOST_DARKNESS,
        "blurred": numbers["sharpness"] < LEAST_SHARPNESS,
        "tiny": numbers["enlargement"] > MOST_ENLARGEMENT,
        "odd proportions": numbers["proportion"] > MOST_PROPORTION,
        "no foreground": not has_foreground,
    }
    return ", ".join(name for name, is_found in found.items() if is_found)
