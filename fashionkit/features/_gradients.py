"""Gradients of images, and histograms of their orientations in cells of pixels.

Arrays have the images behind the rows and columns: what is done for a pixel is done for
that pixel of all images of a chunk in one contiguous sweep.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

# A difference of two uint8 pixels is one of this many, from -255 to 255.
_N_DIFFERENCES = 511


class Votes(NamedTuple):
    """Which bin of orientation each pixel votes for, and how strongly.

    Parameters
    ----------
    bins : ndarray of int
        The bin.

    weights : ndarray of float32, shaped as ``bins``
        Its share of the gradient's magnitude.

    next_weights : ndarray of float32, shaped as ``bins``, or None
        The share of the next bin; after the last bin comes the first. None if votes are
        not shared.
    """

    bins: np.ndarray
    weights: np.ndarray
    next_weights: np.ndarray | None


def votes_of_floats(
    images: np.ndarray, orientations: int, signed: bool, interpolate: bool
) -> Votes:
    """Return the votes of images of shape (n_samples, height, width, channels), float32."""
    return _vote(*_gradients(images), orientations, signed, interpolate)


def votes_of_uint8(images: np.ndarray, orientations: int, signed: bool, interpolate: bool) -> Votes:
    """Return the votes of images of dtype uint8, scaled to [0, 1]: a table knows all of them."""
    down, right = _gradients(images.astype(np.int16))
    middle = _N_DIFFERENCES // 2
    index = (down.astype(np.intp) + middle) * _N_DIFFERENCES + (right + middle)
    table = _table(orientations, signed, interpolate)
    shares: Any = (None if column is None else column.take(index) for column in table)
    return Votes(*shares)


def cell_histograms(
    votes: Votes, orientations: int, scales: list[tuple[int, int]]
) -> list[np.ndarray]:
    """Average the votes in the cells of each scale.

    Parameters
    ----------
    votes : Votes
        Of shape (height, width, n_samples).

    orientations : int
        Number of bins.

    scales : list of pairs of int
        Height and width of a cell in pixels. Pixels right of and below the last whole
        cell count only where votes are shared between cells, which they are if they are
        between bins.

    Returns
    -------
    histograms : list of ndarray of shape (n_rows, n_columns, n_samples, orientations)
        By scale.
    """
    height, width, n_samples = votes.bins.shape
    next_weights = votes.next_weights
    interpolate = next_weights is not None
    # One bin more takes what the last one shares with the first, until it is folded back.
    n_bins = orientations + interpolate
    planes: np.ndarray = np.zeros(votes.bins.size * n_bins, dtype=np.float32)
    index = np.arange(0, planes.size, n_bins)
    index += votes.bins.ravel()
    planes[index] = votes.weights.ravel()
    if next_weights is not None:
        index += 1
        planes[index] = next_weights.ravel()
    planes = planes.reshape(height, width, -1)

    histograms = []
    for pixels in scales:
        sums = sum_cells(planes, pixels[0], interpolate)
        sums = sum_cells(sums.swapaxes(0, 1), pixels[1], interpolate).swapaxes(0, 1)
        cells = (sums / np.float32(pixels[0] * pixels[1])).reshape(
            *sums.shape[:2], n_samples, n_bins
        )
        if interpolate:
            cells[..., 0] += cells[..., -1]
            cells = cells[..., :-1]
        histograms.append(cells)
    return histograms


def _gradients(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients along rows and columns, of shape (height, width, n_samples).

    They are differences of the two neighbours, 0 at the borders, of that channel where
    they are largest.
    """
    images = np.ascontiguousarray(images.transpose(3, 1, 2, 0))
    down = np.zeros_like(images)
    np.subtract(images[:, 2:], images[:, :-2], out=down[:, 1:-1])
    right = np.zeros_like(images)
    np.subtract(images[:, :, 2:], images[:, :, :-2], out=right[:, :, 1:-1])
    if len(images) == 1:
        return down[0], right[0]
    strongest = np.hypot(down, right).argmax(axis=0)[np.newaxis]
    down, right = (np.take_along_axis(array, strongest, axis=0)[0] for array in (down, right))
    return down, right


def _vote(
    down: np.ndarray, right: np.ndarray, orientations: int, signed: bool, interpolate: bool
) -> Votes:
    """Turn gradients into votes."""
    magnitude = np.hypot(down, right)
    period = 360 if signed else 180
    # In float64 where bins are not shared: 45 and 135 degrees can be limits of bins, and
    # have to be exact.
    angles = np.arctan2(down, right, dtype=None if interpolate else np.float64)
    position = np.rad2deg(angles) % period * orientations / period
    if not interpolate:
        # A hair less than 0 degrees becomes the whole period.
        bins = np.minimum(position.astype(np.intp), orientations - 1)
        return Votes(bins, magnitude.astype(np.float32), None)
    position -= 0.5  # the centre of the first bin is 0
    lower = np.floor(position)
    share = position - lower
    bins = lower.astype(np.intp) % orientations
    weights = (magnitude * (1 - share)).astype(np.float32)
    return Votes(bins, weights, (magnitude * share).astype(np.float32))


@lru_cache(maxsize=16)
def _table(orientations: int, signed: bool, interpolate: bool) -> Votes:
    """Return the votes of all gradients that images of dtype uint8 can have."""
    differences = np.arange(_N_DIFFERENCES) - _N_DIFFERENCES // 2
    down, right = np.meshgrid(differences / 255, differences / 255, indexing="ij")
    votes = _vote(down.ravel(), right.ravel(), orientations, signed, interpolate)
    # Small numbers keep the table within the processor's cache.
    small = np.int16 if orientations <= np.iinfo(np.int16).max else np.intp
    return votes._replace(bins=votes.bins.astype(small))


def sum_cells(values: np.ndarray, pixels: int, interpolate: bool) -> np.ndarray:
    """Sum the values of each cell, which is ``pixels`` long, along the first axis."""
    n_cells = len(values) // pixels
    if not interpolate:
        whole = values[: n_cells * pixels]
        return whole.reshape(n_cells, pixels, *values.shape[1:]).sum(axis=1)
    # A pixel counts for the two cells between whose centres it lies, by nearness.
    sums = np.zeros((n_cells, *values.shape[1:]), dtype=np.float32)
    centre = (pixels - 1) / 2
    for offset in range(-(pixels // 2), pixels + (pixels + 1) // 2):
        weight = np.float32(1 - abs(offset - centre) / pixels)
        if weight <= 0:
            continue
        first = 1 if offset < 0 else 0
        stop = min(n_cells, (len(values) - 1 - offset) // pixels + 1)
        start = first * pixels + offset
        sums[first:stop] += weight * values[start : start + (stop - first) * pixels : pixels]
    return sums
