"""find_foreground: segmentation of the product on a photo."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2lab

from fashionkit._images import infer_pixel_range, stacked
from fashionkit.preprocessing._kinds import group

# Longest side in pixels of the reduced copy that is segmented.
_SIDE = 96

# 95th percentile of the values to which dark photos are brightened, and the maximum factor.
_USUAL_BRIGHTNESS = 200.0
_MAX_BRIGHTENING = 4.0

# Thickness of the border, which mostly shows the background, as a fraction of the shorter side.
_BORDER = 0.04

# Number of bins of L, a and b, and their ranges, beyond which clothes and rooms rarely are.
_BINS = (16, 20, 20)
_LOW = np.array([0, -60, -60], np.float32)
_SPAN = np.array([100, 120, 120], np.float32)

# Number of clusters of border colours, the minimum fraction of the border in each, and the variance
# of noise in squared CIELAB units, which is added to their covariances.
_N_KINDS = 3
_MIN_KIND = 0.08
_NOISE = 9.0

# Weights of the log-odds: of the relative distance from the border's colours, and its neutral
# value; of position and distance in the iterations; of the colours, and their maximum. Chosen on
# composites and by looking at photos, see benchmarks/foreground.py.
_DISTANCE_WEIGHT = 4.0
_USUAL_DISTANCE = 0.45
_PLACE_WEIGHT = 0.6
_COLOR_WEIGHT = 2.0
_MAX_EVIDENCE = 4.0
_N_ROUNDS = 5

# Minimum size of a region, as a fraction of the largest. Both shoes of a pair are kept, but not
# small objects such as labels on the floor.
_MIN_PIECE = 0.25

# Maximum overlap of the colours of foreground and background, above which they are not told apart.
MAX_OVERLAP = 0.8


def find_foreground(image: Any) -> np.ndarray:
    """Segment the product on a photo from its background.

    The photo should show one product, laid out, hanging or worn. Segmenting a garment into its
    parts (clothing parsing) is not supported.

    Read more in the :ref:`User Guide <product_photos>`.

    Parameters
    ----------
    image : array-like of shape (height, width), (height, width, 1) or (height, width, 3), or \
            Pillow image
        Gray or RGB image, of dtype uint8 or of a pixel range that can be inferred, such as 0 to 1.

    Returns
    -------
    mask : ndarray of shape (height, width), dtype bool
        True for pixels of the foreground. All False if no foreground stands out.

    Raises
    ------
    TypeError
        If ``image`` is a path.

    ValueError
        If ``image`` is not a single gray or RGB image, or has NaN or infinite values.

    See Also
    --------
    ProductPhotoPreprocessor : Crops photos around their foreground, or removes the background.
    fashionkit.dominant_colors : Finds the colours of the foreground.

    Notes
    -----
    The photo is reduced to a longest side of 96 pixels and converted to CIELAB. Then

    1. the colours of the border are clustered into three groups, each with its mean and covariance.
       Pixels far from all groups (in Mahalanobis distance) and pixels near the centre are likely to
       be foreground.
    2. the probability of each pixel is updated by the colour histograms of the likely foreground,
       and of the likely background with the border. It is smoothed over neighbouring pixels, and
       combined with the evidence of step 1. This is repeated five times, similar to [1]_ and [2]_,
       but with a Gaussian filter instead of a graph cut.
    3. small regions are removed, and holes are filled.

    The mask is empty if the intersection of the colour histograms of foreground and background [3]_
    exceeds 80 %.

    Garments of the same colour as their background are found only in part. Hangers, mannequins and
    people may be included. For a small product in a corner, some of the background in the centre
    may be included too.

    References
    ----------
    .. [1] Y. Boykov and M.-P. Jolly, "Interactive Graph Cuts for Optimal Boundary & Region
       Segmentation of Objects in N-D Images", International Conference on Computer Vision, 2001.

    .. [2] C. Rother, V. Kolmogorov and A. Blake, "GrabCut: Interactive Foreground Extraction
       using Iterated Graph Cuts", ACM Transactions on Graphics 23(3), 2004.

    .. [3] M. J. Swain and D. H. Ballard, "Color Indexing", International Journal of Computer
       Vision 7(1), 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from fashionkit.preprocessing import find_foreground
    >>> photo = np.full((60, 40, 3), 240, np.uint8)
    >>> photo[15:50, 10:30] = [20, 40, 120]
    >>> mask = find_foreground(photo)
    >>> mask.shape, bool(mask[30, 20]), bool(mask[5, 5])
    ((60, 40), True, False)
    >>> bool(find_foreground(photo[:15]).any())
    False
    """
    return split(as_rgb(image))[0]


def as_rgb(image: Any) -> np.ndarray:
    """Convert an image of any form and pixel range to RGB uint8."""
    if isinstance(image, str | os.PathLike):
        raise TypeError(
            f"image={os.fspath(image)!r} is a path, expected an image; pass "
            "PIL.Image.open(image), or load_images([image], image_size=256)[0]."
        )
    pixels = stacked([image])
    pixels = np.asarray(pixels)[0] if np.ndim(pixels) > 2 else np.asarray(image)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    is_image = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if not is_image or not pixels.size or pixels.dtype.kind not in "buif":
        raise ValueError(
            f"image has the shape {pixels.shape} and the dtype {pixels.dtype}, expected numbers of "
            "shape (height, width), (height, width, 1) or (height, width, 3); pass one gray or "
            "RGB image."
        )
    if pixels.dtype == bool:
        pixels = pixels.astype(np.float32)
    if pixels.dtype != np.uint8:
        if not np.isfinite(pixels).all():
            raise ValueError(
                "image has NaN or infinite values, expected finite ones; replace them first."
            )
        pixels = to_bytes(pixels, infer_pixel_range(pixels))
    return np.repeat(pixels[..., np.newaxis], 3, axis=2) if pixels.ndim == 2 else pixels


def to_bytes(pixels: np.ndarray, pixel_range: tuple[float, float]) -> np.ndarray:
    """Scale pixels from their range to uint8."""
    if pixels.dtype == np.uint8 and pixel_range == (0.0, 255.0):
        return pixels
    low, high = pixel_range
    scaled = (pixels.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


def split(rgb: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mask of the foreground, and its overlap with the background in colours."""
    height, width = rgb.shape[:2]
    small = reduced(rgb, _SIDE)
    lab = rgb2lab(_brightened(small)).astype(np.float32)
    border = _border(lab.shape[:2])
    bins = _bin_numbers(lab)
    inside = _iterate(lab, bins, border) > 0.5
    mask = _tidied(inside)
    overlap = _overlap(bins, mask)
    if overlap > MAX_OVERLAP:
        return np.zeros((height, width), bool), overlap
    if mask.shape == (height, width):
        return mask, overlap
    whole = Image.fromarray(mask.astype(np.uint8) * 255).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    return np.asarray(whole) > 127, overlap


def reduced(rgb: np.ndarray, side: int) -> np.ndarray:
    """Reduce an image to a maximum side by area averaging."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))


def _brightened(rgb: np.ndarray) -> np.ndarray:
    """Return an image in [0, 1], brightened if dark, so that its colours are distinguishable."""
    brightest = _percentile(rgb, 95)
    factor = min(max(1.0, _USUAL_BRIGHTNESS / max(brightest, 1.0)), _MAX_BRIGHTENING)
    return np.minimum(rgb * np.float32(factor / 255), 1)


def _percentile(values: np.ndarray, percent: int) -> float:
    """Return the value of the nearest rank, in a third of the time of ``np.percentile``."""
    rank = round(percent / 100 * (values.size - 1))
    return float(np.partition(values, rank, axis=None)[rank])


@lru_cache(maxsize=64)
def _border(shape: tuple[int, int]) -> np.ndarray:
    """Return the mask of the border of an image."""
    thickness = max(1, round(_BORDER * min(shape)))
    border = np.ones(shape, bool)
    border[thickness:-thickness, thickness:-thickness] = False
    return border


@lru_cache(maxsize=64)
def _place(shape: tuple[int, int]) -> np.ndarray:
    """Return the log-odds of the foreground by position: high in the centre, low at the edges."""
    y, x = (np.abs((np.arange(side) + 0.5) / side * 2 - 1) for side in shape)
    # Between a rectangle and an ellipse, like the shapes of clothes.
    distance = 0.5 * np.maximum(y[:, None], x) + 0.5 * np.hypot(y[:, None], x)
    share = np.clip(1.15 - distance, 0.02, 0.98)
    return np.log(share / (1 - share)).astype(np.float32)


def _bin_numbers(lab: np.ndarray) -> np.ndarray:
    """Return the number of the colour bin of each pixel."""
    numbers = ((lab - _LOW) * (np.array(_BINS, np.float32) / _SPAN)).astype(np.intp)
    numbers = np.clip(numbers, 0, np.subtract(_BINS, 1))
    return (numbers[..., 0] * _BINS[1] + numbers[..., 1]) * _BINS[2] + numbers[..., 2]


def _iterate(lab: np.ndarray, bins: np.ndarray, border: np.ndarray) -> np.ndarray:
    """Return the probability of the foreground for each pixel."""
    distance = _distance_to_border(lab, border)
    usual = max(_percentile(distance, 95), 1e-3)
    relative = np.clip(distance / usual, 0, 1)
    odds = _place(lab.shape[:2]) + _DISTANCE_WEIGHT * (relative - _USUAL_DISTANCE)
    likely = _share(odds)
    odds = odds * _PLACE_WEIGHT
    of_border = _histogram(bins, border)
    for _ in range(_N_ROUNDS):
        inside = _histogram(bins, likely)
        outside = (_histogram(bins, 1 - likely) + of_border) / 2
        evidence = np.log((inside + 1e-5) / (outside + 1e-5))
        evidence = np.clip(evidence, -_MAX_EVIDENCE, _MAX_EVIDENCE)[bins]
        likely = _share(ndimage.gaussian_filter(_COLOR_WEIGHT * evidence, 1.0) + odds)
    return likely


def _share(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


def _histogram(bins: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted colour histogram, smoothed over bins and normalised to a sum of 1."""
    counts = np.bincount(bins.ravel(), weights.ravel(), int(np.prod(_BINS))).astype(np.float32)
    # For few bins, a Gaussian filter is faster as products with matrices.
    along = [_smoothing(side) for side in _BINS]
    smooth = along[0] @ counts.reshape(_BINS[0], -1)
    smooth = along[1] @ smooth.reshape(_BINS)
    smooth = (smooth.reshape(-1, _BINS[2]) @ along[2].T).ravel()
    return smooth / max(float(smooth.sum()), 1e-9)


@lru_cache(maxsize=len(_BINS))
def _smoothing(n_bins: int) -> np.ndarray:
    """Return the matrix of a Gaussian filter over bins, with a standard deviation of one bin."""
    identity = np.eye(n_bins, dtype=np.float32)
    return ndimage.gaussian_filter1d(identity, 1.0, axis=0, mode="nearest", truncate=2.5)


def _distance_to_border(lab: np.ndarray, border: np.ndarray) -> np.ndarray:
    """Return the Mahalanobis distance of each pixel from the nearest group of border colours."""
    colors, pixels = lab[border], lab.reshape(-1, 3)
    kinds = group(colors, _N_KINDS)
    nearest = np.full(len(pixels), np.inf, np.float32)
    for kind in range(_N_KINDS):
        members = colors[kinds == kind]
        if len(members) < _MIN_KIND * len(colors):
            continue
        centred = members - members.mean(axis=0)
        covariance = centred.T @ centred / len(members) + _NOISE * np.eye(3)
        whitening = np.linalg.cholesky(np.linalg.inv(covariance)).astype(np.float32)
        offset = (pixels - members.mean(axis=0)) @ whitening
        np.minimum(nearest, np.einsum("ij,ij->i", offset, offset), out=nearest)
    return np.sqrt(nearest).reshape(lab.shape[:2])


def _tidied(inside: np.ndarray) -> np.ndarray:
    """Remove small regions and those near the edges, close gaps, and fill holes."""
    pieces, n_pieces = ndimage.label(ndimage.binary_opening(inside))
    if not n_pieces:
        return np.zeros_like(inside)
    weights = _share(_place(inside.shape))
    sizes = np.bincount(pieces.ravel(), weights.ravel())[1:]
    kept = np.append(False, sizes >= _MIN_PIECE * sizes.max())[pieces]
    closed = ndimage.binary_closing(np.pad(kept, 2), iterations=2)[2:-2, 2:-2]
    return ndimage.binary_fill_holes(closed)


def _overlap(bins: np.ndarray, mask: np.ndarray) -> float:
    """Return the intersection of the colour histograms inside and outside of a mask, in [0, 1].

    It is 1 if either is empty.
    """
    if not mask.any() or mask.all():
        return 1.0
    inside, outside = (_histogram(bins, region.astype(np.float32)) for region in (mask, ~mask))
    return float(np.minimum(inside, outside).sum())
