"""find_foreground: which pixels of a product photo belong to the product."""

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

# Longest side in pixels of the copy that is worked on.
_SIDE = 96

# The 95th percentile of values that dark photos are brightened to, and by how much at most.
_USUAL_BRIGHTNESS = 200.0
_MOST_BRIGHTENING = 4.0

# Of each side, what counts as the border, which shows the background mostly.
_BORDER = 0.04

# Bins of L, a and b, and what they span: clothes and rooms are rarely more colourful.
_BINS = (16, 20, 20)
_LOW = np.array([0, -60, -60], np.float32)
_SPAN = np.array([100, 120, 120], np.float32)

# Colours of the border: how many kinds, the least share of each, and a variance in all directions
# that counts as none, of CIELAB units squared.
_N_KINDS = 3
_LEAST_KIND = 0.08
_NOISE = 9.0

# Weights of the evidence, in log-odds: of the distance to the border's colours, relative to that
# of most pixels; of place and distance together once colours are compared; of the colours.
# Chosen on composites and by looking at photos, see benchmarks/foreground.py.
_DISTANCE_WEIGHT = 4.0
_USUAL_DISTANCE = 0.45
_PLACE_WEIGHT = 0.6
_COLOR_WEIGHT = 2.0
_MOST_EVIDENCE = 4.0
_N_ROUNDS = 5

# Pieces smaller than this share of the largest, such as labels on the floor, are left out: of a
# pair of shoes both are kept.
_LEAST_PIECE = 0.25

# Above this overlap of the colours inside and outside, there is nothing to tell apart.
MOST_OVERLAP = 0.8


def find_foreground(image: Any) -> np.ndarray:
    """Find the product on a photo: the pixels that differ from what surrounds them.

    Meant for photos of one product, laid out, hanging or worn. Cutting a garment into its parts
    (clothing parsing) is another task, which this does not attempt.

    Parameters
    ----------
    image : array-like of shape (height, width), (height, width, 1) or (height, width, 3), or \
            Pillow image
        A gray or RGB image, uint8 or of a range that its values tell, such as 0 to 1.

    Returns
    -------
    mask : ndarray of shape (height, width), dtype bool
        True in the foreground; False throughout if none stands out.

    Raises
    ------
    TypeError
        If it is a path.

    ValueError
        If it is not one image.

    See Also
    --------
    ProductPhotoPreprocessor : Crops photos around their foreground, or removes the background.
    fashionkit.dominant_colors : The colours of the foreground.

    Notes
    -----
    It works on a copy whose longest side is 96 pixels, in CIELAB:

    1. The border of the photo is grouped into three kinds of colours, each with its mean and
       covariance. Pixels far from all of them (Mahalanobis distance), and pixels near the
       centre, are likely to be foreground.
    2. Histograms of the colours of the likely foreground, and of the likely background and the
       border, say anew how likely each pixel is, together with its neighbours and the above.
       This is repeated five times, in the manner of [1]_ and [2]_, with local averages
       instead of a graph cut.
    3. Small pieces are left out, and holes are filled.

    Where the colours inside and outside overlap by more than 80 % (the sum of the lesser of both
    histograms, [3]_), the mask is empty.

    Garments in the colours of what they lie on are found in part only. Hangers, mannequins and
    people may be taken for part of the product, and a product that is small and in a corner is
    found together with some of the background in the middle.

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
    """Return an image of any form and range as RGB uint8."""
    if isinstance(image, str | os.PathLike):
        raise TypeError(
            f"image={os.fspath(image)!r} is a path, expected the image; pass "
            "PIL.Image.open(image), or load_images([image], image_size=256)[0]."
        )
    pixels = stacked([image])
    pixels = np.asarray(pixels)[0] if np.ndim(pixels) > 2 else np.asarray(image)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    is_image = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if not is_image or not pixels.size or pixels.dtype.kind not in "buif":
        raise ValueError(
            f"image of shape {pixels.shape} and dtype {pixels.dtype}, expected one image of shape "
            "(height, width), (height, width, 1) or (height, width, 3); pass one of a batch."
        )
    if pixels.dtype == bool:
        pixels = pixels.astype(np.float32)
    if pixels.dtype != np.uint8:
        if not np.isfinite(pixels).all():
            raise ValueError("image has NaN or infinite values, expected finite pixels.")
        pixels = to_bytes(pixels, infer_pixel_range(pixels))
    return np.repeat(pixels[..., np.newaxis], 3, axis=2) if pixels.ndim == 2 else pixels


def to_bytes(pixels: np.ndarray, pixel_range: tuple[float, float]) -> np.ndarray:
    """Return pixels of a range as uint8."""
    if pixels.dtype == np.uint8 and pixel_range == (0.0, 255.0):
        return pixels
    low, high = pixel_range
    scaled = (pixels.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


def split(rgb: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mask of the foreground, and how much colours inside and outside overlap."""
    height, width = rgb.shape[:2]
    small = reduced(rgb, _SIDE)
    lab = rgb2lab(_brightened(small)).astype(np.float32)
    border = _border(lab.shape[:2])
    bins = _bin_numbers(lab)
    inside = _iterate(lab, bins, border) > 0.5
    mask = _tidied(inside)
    overlap = _overlap(bins, mask)
    if overlap > MOST_OVERLAP:
        return np.zeros((height, width), bool), overlap
    if mask.shape == (height, width):
        return mask, overlap
    whole = Image.fromarray(mask.astype(np.uint8) * 255).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    return np.asarray(whole) > 127, overlap


def reduced(rgb: np.ndarray, side: int) -> np.ndarray:
    """Return an image whose longest side is ``side`` at most, averaged over areas."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))


def _brightened(rgb: np.ndarray) -> np.ndarray:
    """Return a dark image as light as others, so that as many of its colours differ."""
    brightest = _percentile(rgb, 95)
    factor = min(max(1.0, _USUAL_BRIGHTNESS / max(brightest, 1.0)), _MOST_BRIGHTENING)
    return np.minimum(rgb * np.float32(factor / 255), 1)


def _percentile(values: np.ndarray, percent: int) -> float:
    """Return the nearest value to a percentile, in a third of NumPy's time for few values."""
    rank = round(percent / 100 * (values.size - 1))
    return float(np.partition(values, rank, axis=None)[rank])


@lru_cache(maxsize=64)
def _border(shape: tuple[int, int]) -> np.ndarray:
    thickness = max(1, round(_BORDER * min(shape)))
    border = np.ones(shape, bool)
    border[thickness:-thickness, thickness:-thickness] = False
    return border


@lru_cache(maxsize=64)
def _place(shape: tuple[int, int]) -> np.ndarray:
    """Return log-odds of the foreground by place alone: likely in the centre, not at the ends."""
    y, x = (np.abs((np.arange(side) + 0.5) / side * 2 - 1) for side in shape)
    # Between a rectangle and an ellipse, as clothes are.
    distance = 0.5 * np.maximum(y[:, None], x) + 0.5 * np.hypot(y[:, None], x)
    share = np.clip(1.15 - distance, 0.02, 0.98)
    return np.log(share / (1 - share)).astype(np.float32)


def _bin_numbers(lab: np.ndarray) -> np.ndarray:
    numbers = ((lab - _LOW) * (np.array(_BINS, np.float32) / _SPAN)).astype(np.intp)
    numbers = np.clip(numbers, 0, np.subtract(_BINS, 1))
    return (numbers[..., 0] * _BINS[1] + numbers[..., 1]) * _BINS[2] + numbers[..., 2]


def _iterate(lab: np.ndarray, bins: np.ndarray, border: np.ndarray) -> np.ndarray:
    """Return how likely each pixel is foreground."""
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
        evidence = np.clip(evidence, -_MOST_EVIDENCE, _MOST_EVIDENCE)[bins]
        likely = _share(ndimage.gaussian_filter(_COLOR_WEIGHT * evidence, 1.0) + odds)
    return likely


def _share(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


def _histogram(bins: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the share of the colours, smoothed over bins so that neighbours count as alike."""
    counts = np.bincount(bins.ravel(), weights.ravel(), int(np.prod(_BINS))).astype(np.float32)
    # A Gaussian filter of so few bins is faster as products with matrices.
    along = [_smoothing(side) for side in _BINS]
    smooth = along[0] @ counts.reshape(_BINS[0], -1)
    smooth = along[1] @ smooth.reshape(_BINS)
    smooth = (smooth.reshape(-1, _BINS[2]) @ along[2].T).ravel()
    return smooth / max(float(smooth.sum()), 1e-9)


@lru_cache(maxsize=len(_BINS))
def _smoothing(n_bins: int) -> np.ndarray:
    """Return the matrix of a Gaussian filter over bins, of a standard deviation of one of them."""
    identity = np.eye(n_bins, dtype=np.float32)
    return ndimage.gaussian_filter1d(identity, 1.0, axis=0, mode="nearest", truncate=2.5)


def _distance_to_border(lab: np.ndarray, border: np.ndarray) -> np.ndarray:
    """Return the Mahalanobis distance of each pixel to the nearest kind of border colours."""
    colors, pixels = lab[border], lab.reshape(-1, 3)
    kinds = group(colors, _N_KINDS)
    nearest = np.full(len(pixels), np.inf, np.float32)
    for kind in range(_N_KINDS):
        members = colors[kinds == kind]
        if len(members) < _LEAST_KIND * len(colors):
            continue
        centred = members - members.mean(axis=0)
        covariance = centred.T @ centred / len(members) + _NOISE * np.eye(3)
        whitening = np.linalg.cholesky(np.linalg.inv(covariance)).astype(np.float32)
        offset = (pixels - members.mean(axis=0)) @ whitening
        np.minimum(nearest, np.einsum("ij,ij->i", offset, offset), out=nearest)
    return np.sqrt(nearest).reshape(lab.shape[:2])


def _tidied(inside: np.ndarray) -> np.ndarray:
    """Leave out small pieces and those at the ends, close gaps, and fill holes."""
    pieces, n_pieces = ndimage.label(ndimage.binary_opening(inside))
    if not n_pieces:
        return np.zeros_like(inside)
    weights = _share(_place(inside.shape))
    sizes = np.bincount(pieces.ravel(), weights.ravel())[1:]
    kept = np.append(False, sizes >= _LEAST_PIECE * sizes.max())[pieces]
    closed = ndimage.binary_closing(np.pad(kept, 2), iterations=2)[2:-2, 2:-2]
    return ndimage.binary_fill_holes(closed)


def _overlap(bins: np.ndarray, mask: np.ndarray) -> float:
    """Return what colours inside and outside share, from 0 to 1; 1 where either is empty."""
    if not mask.any() or mask.all():
        return 1.0
    inside, outside = (_histogram(bins, region.astype(np.float32)) for region in (mask, ~mask))
    return float(np.minimum(inside, outside).sum())
