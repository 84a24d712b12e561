"""Descriptors into histograms of visual words: nearness, assignment, cells, normalisation."""

from __future__ import annotations

import numpy as np


def root_sift(descriptors: np.ndarray) -> np.ndarray:
    """Return the square roots of descriptors of sum 1, which have length 1."""
    values = descriptors.astype(np.float32)
    values /= values.sum(axis=1, keepdims=True)
    return np.sqrt(values, out=values)


def nearness(descriptors: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Return minus half of the squared distances of descriptors of length 1, plus 1/2."""
    # BLAS rounds a row by its place in the product, on some processors. In double precision that is
    # lost in the rounding afterwards: an image has the same features whichever are with it.
    near = (descriptors.astype(np.float64) @ words.T.astype(np.float64)).astype(np.float32)
    near -= np.einsum("ij,ij->i", words, words) / 2
    return near


def soft_assignments(nearness: np.ndarray, bandwidth: float) -> np.ndarray:
    """Return how much each descriptor belongs to each word, in place of the nearness."""
    # Without what all words have in common, which cancels out, nothing overflows.
    nearness -= nearness.max(axis=1, keepdims=True)
    nearness /= max(np.float32(bandwidth**2), np.finfo(np.float32).tiny)
    weights = np.exp(nearness, out=nearness)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def cells(position: np.ndarray, pyramid: tuple[int, ...]) -> np.ndarray:
    """Return the number of the cell on each level, of shape (n_levels, n_descriptors)."""
    numbers = np.empty((len(pyramid), len(position)), dtype=np.intp)
    first = 0
    for level, side in zip(numbers, pyramid, strict=True):
        row, column = (position * np.float32(side)).astype(np.intp).T
        # A position just below 1 may be rounded up.
        level[:] = first + side * np.minimum(row, side - 1) + np.minimum(column, side - 1)
        first += side**2
    return numbers


def hellinger(histograms: np.ndarray) -> np.ndarray:
    """Return the square roots of histograms of sum 1; empty ones as they are."""
    total = histograms.sum(axis=1, keepdims=True)
    return np.sqrt(histograms / np.where(total > 0, total, 1))
