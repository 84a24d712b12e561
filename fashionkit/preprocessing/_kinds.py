"""Deterministic k-means clustering of a few thousand colours, in about a millisecond."""

from __future__ import annotations

import numpy as np

_N_ROUNDS = 8

# Quantile of the distances at which a new initial centre is chosen. The farthest may be an outlier.
_FAR = 0.95


def group(colors: np.ndarray, n_groups: int) -> np.ndarray:
    """Cluster colours by k-means.

    Initial centres are the mean of all colours, and then colours far from the previous centres.

    Parameters
    ----------
    colors : ndarray of shape (n_pixels, 3), dtype float32
        Colours in a perceptually uniform space, such as CIELAB.

    n_groups : int
        Maximum number of groups; some may be empty.

    Returns
    -------
    groups : ndarray of shape (n_pixels,), dtype int64
        Number of the group of each colour.
    """
    centres = colors.mean(axis=0)[np.newaxis]
    rank = min(int(_FAR * len(colors)), len(colors) - 1)
    for _ in range(n_groups - 1):
        nearest = _squared(colors, centres).min(axis=1)
        far = np.partition(nearest, rank)[rank]
        centres = np.concatenate([centres, colors[np.argmax(nearest == far)][np.newaxis]])
    for _ in range(_N_ROUNDS):
        groups = _squared(colors, centres).argmin(axis=1)
        counts = np.bincount(groups, minlength=n_groups)
        sums = [np.bincount(groups, channel, n_groups) for channel in colors.T]
        means = np.stack(sums, axis=1) / np.maximum(counts, 1)[:, np.newaxis]
        centres = np.where(counts[:, np.newaxis], means, centres).astype(np.float32)
    return groups


def _squared(colors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return squared Euclidean distances; rounding may make small ones negative."""
    products = colors @ centres.T
    products *= -2
    products += (centres**2).sum(axis=1)
    products += (colors**2).sum(axis=1)[:, np.newaxis]
    return products
