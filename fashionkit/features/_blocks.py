"""Normalisation of overlapping blocks of cells, the last step of HOG."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Keeps the norm of an empty block from 0; the value is scikit-image's.
EPS = 1e-5

# Where "L2-Hys" clips.
CLIPPED = 0.2

Pair = tuple[int, int]


def normalized_blocks(histograms: np.ndarray, cells_per_block: Pair, norm: str) -> np.ndarray:
    """Return the overlapping blocks of cells, each with norm 1.

    The histograms have shape (n_rows, n_columns, n_samples, orientations); the result has
    shape (n_samples, n_blocks, n_values).
    """
    windows = sliding_window_view(histograms, cells_per_block, axis=(0, 1))
    # The view's axes: block row and column, image, orientation, cell row and column.
    windows = windows.transpose(2, 0, 1, 4, 5, 3)
    n_samples, n_rows, n_columns = windows.shape[:3]
    blocks = windows.copy().reshape(n_samples, n_rows * n_columns, -1)
    if norm in ("L1", "L1-sqrt"):
        blocks /= blocks.sum(axis=-1, keepdims=True) + np.float32(EPS)
        if norm == "L1-sqrt":
            np.sqrt(blocks, out=blocks)
        return blocks
    _l2_normalize(blocks)
    if norm == "L2-Hys":
        np.minimum(blocks, np.float32(CLIPPED), out=blocks)
        _l2_normalize(blocks)
    return blocks


def _l2_normalize(blocks: np.ndarray) -> None:
    squares = np.einsum("ijk,ijk->ij", blocks, blocks)
    blocks *= (1 / np.sqrt(squares + np.float32(EPS**2)))[..., np.newaxis]
