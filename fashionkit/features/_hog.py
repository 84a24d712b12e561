"""Histograms of oriented gradients, for all images of a chunk at once."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from fashionkit._images import check_images, fit_images

# Pixels or features at a time, whichever are more: a few arrays of a megabyte each.
_VALUES_PER_CHUNK = 2**17

# Keeps the norm of an empty block from 0; the value is scikit-image's.
_EPS = 1e-5

Pair = tuple[int, int]


def _gradients(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients along rows and columns, and their magnitude.

    They are differences of the two neighbours, 0 at the borders, of that channel where
    they are largest.
    """
    down = np.zeros_like(images)
    down[:, 1:-1] = images[:, 2:] - images[:, :-2]
    right = np.zeros_like(images)
    right[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    magnitude = np.hypot(down, right)
    strongest = magnitude.argmax(axis=3)[..., np.newaxis]
    down, right, magnitude = (
        np.take_along_axis(array, strongest, axis=3)[..., 0] for array in (down, right, magnitude)
    )
    return down, right, magnitude


def _cell_histograms(
    down: np.ndarray,
    right: np.ndarray,
    magnitude: np.ndarray,
    orientations: int,
    pixels_per_cell: Pair,
) -> np.ndarray:
    """Average the magnitudes of each cell by orientation.

    Pixels past the last whole cell are left out. Returns an array of shape (n_samples,
    n_cell_rows, n_cell_columns, orientations).
    """
    n_samples, height, width = magnitude.shape
    rows, columns = height // pixels_per_cell[0], width // pixels_per_cell[1]
    whole = np.s_[:, : rows * pixels_per_cell[0], : columns * pixels_per_cell[1]]

    # In float64: 45 and 135 degrees can be limits of bins, and have to be exact.
    degrees = np.rad2deg(np.arctan2(down[whole], right[whole], dtype=np.float64)) % 180
    # A hair less than 0 degrees becomes 180.
    bins = np.minimum((degrees * orientations / 180).astype(np.intp), orientations - 1)

    cell_row = np.repeat(np.arange(rows), pixels_per_cell[0])
    cell_column = np.repeat(np.arange(columns), pixels_per_cell[1])
    cell = columns * cell_row[:, np.newaxis] + cell_column
    cell = rows * columns * np.arange(n_samples)[:, np.newaxis, np.newaxis] + cell
    sums = np.bincount(
        (orientations * cell + bins).ravel(),
        weights=magnitude[whole].ravel(),
        minlength=n_samples * rows * columns * orientations,
    )
    means = sums / (pixels_per_cell[0] * pixels_per_cell[1])
    return means.astype(np.float32).reshape(n_samples, rows, columns, orientations)


def _blocks(histograms: np.ndarray, cells_per_block: Pair) -> np.ndarray:
    """Return the overlapping blocks, of shape (n_samples, n_blocks, values)."""
    windows = sliding_window_view(histograms, cells_per_block, axis=(1, 2))
    n_samples, n_rows, n_columns = windows.shape[:3]
    # The view's last axes are orientation, cell row and cell column.
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(n_samples, n_rows * n_columns, -1)


def _normalize(blocks: np.ndarray, norm: str) -> np.ndarray:
    """Scale each block, which has no negative value, to norm 1."""
    if norm in ("L1", "L1-sqrt"):
        blocks = blocks / (blocks.sum(axis=-1, keepdims=True) + _EPS)
        return np.sqrt(blocks) if norm == "L1-sqrt" else blocks
    blocks = _l2_normalize(blocks)
    return _l2_normalize(np.minimum(blocks, 0.2)) if norm == "L2-Hys" else blocks


def _l2_normalize(blocks: np.ndarray) -> np.ndarray:
    squares = np.einsum("ijk,ijk->ij", blocks, blocks)
    return blocks / np.sqrt(squares + _EPS**2)[..., np.newaxis]


class HOGFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Histograms of oriented gradients of each image.

    The image is divided into cells. The histogram of a cell says how strong its edges
    are in each direction. The histograms are normalised in overlapping blocks of cells,
    which makes them robust against changes of light [1]_.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    orientations : int, default=9
        Number of bins from 0 to 180 degrees.

    pixels_per_cell : int or pair of int, default=None
        Height and width of a cell; an int for squares. None chooses a seventh of the
        image's height and width, rounded down, but at least 2 pixels: 4 x 4 for images
        of 28 x 28. The number of features then depends little on the images' size.

    cells_per_block : int or pair of int, default=(2, 2)
        Height and width of a block in cells; an int for squares.

    block_norm : {"L1", "L1-sqrt", "L2", "L2-Hys"}, default="L2-Hys"
        How to normalise a block: by the sum of its values; the square root of that; by
        its Euclidean length; the same, then clipped at 0.2 and normalised again.

    transform_sqrt : bool, default=False
        Whether to take the square root of the pixels first, which evens out the
        contrast of dark and bright regions.

    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of flat rows. None infers
        it: a square if there is one, gray before RGB; else one row of pixels.

    Attributes
    ----------
    pixels_per_cell_ : tuple of int
        Height and width of a cell in pixels.

    cells_per_block_ : tuple of int
        Height and width of a block in cells.

    n_features_in_ : int
        Number of pixels times channels of each image seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame with string names.

    image_shape_ : tuple of int
        Height, width and channels.

    pixel_range_ : tuple of float
        Pixel values that become 0 and 1.

    See Also
    --------
    fashionkit.make_baseline : These features with classical classifiers.
    skimage.feature.hog : The same for one image.

    Notes
    -----
    The features are those of ``skimage.feature.hog(image, channel_axis=-1)`` for images
    scaled to [0, 1], up to rounding. As there, gradients are differences of the two
    neighbouring pixels, and 0 at the borders; in colour images, those of the channel
    where they are strongest. Unlike in [1]_, a pixel counts for one bin of one cell, not
    for several in part. Pixels right of and below the last whole cell are left out.

    With ``pixels_per_cell=None``, images smaller than one block are padded to it by
    repeating their last row and column. With any other value they are refused.

    References
    ----------
    .. [1] N. Dalal and B. Triggs, "Histograms of Oriented Gradients for Human
       Detection", CVPR 2005.

    Examples
    --------
    >>> from fashionkit import HOGFeatures, make_garments
    >>> X, y = make_garments(20, random_state=0)
    >>> hog = HOGFeatures().fit(X)
    >>> hog.pixels_per_cell_
    (4, 4)
    >>> hog.transform(X).shape
    (20, 1296)
    """

    _parameter_constraints: dict = {
        "orientations": [Interval(Integral, 1, None, closed="left")],
        "pixels_per_cell": [
            Interval(Integral, 1, None, closed="left"),
            tuple,
            list,
            None,
        ],
        "cells_per_block": [Interval(Integral, 1, None, closed="left"), tuple, list],
        "block_norm": [StrOptions({"L1", "L1-sqrt", "L2", "L2-Hys"})],
        "transform_sqrt": ["boolean"],
        "image_shape": [tuple, None],
    }

    def __init__(
        self,
        orientations: int = 9,
        *,
        pixels_per_cell: int | Pair | None = None,
        cells_per_block: int | Pair = (2, 2),
        block_norm: str = "L2-Hys",
        transform_sqrt: bool = False,
        image_shape: tuple[int, ...] | None = None,
    ):
        self.orientations = orientations
        self.pixels_per_cell = pixels_per_cell
        self.cells_per_block = cells_per_block
        self.block_norm = block_norm
        self.transform_sqrt = transform_sqrt
        self.image_shape = image_shape

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> HOGFeatures:
        """Learn the shape and the pixel range of the images, and choose the cells.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : ignored
            There by convention.

        Returns
        -------
        self : HOGFeatures
            The fitted transformer.
        """
        self.cells_per_block_ = _pair("cells_per_block", self.cells_per_block)
        fit_images(self, X)
        height, width = self.image_shape_[:2]
        if self.pixels_per_cell is None:
            self.pixels_per_cell_ = max(2, height // 7), max(2, width // 7)
        else:
            self.pixels_per_cell_ = _pair("pixels_per_cell", self.pixels_per_cell)
            self._check_a_block_fits()
        n_blocks = (
            max(side // pixels - cells, 0) + 1
            for side, pixels, cells in zip(
                (height, width),
                self.pixels_per_cell_,
                self.cells_per_block_,
                strict=True,
            )
        )
        self._n_features_out = math.prod((*n_blocks, *self.cells_per_block_, self.orientations))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Describe images by their histograms of oriented gradients.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out), dtype float32
            The histograms: by row and column of the block, then by row and column of
            the cell in the block, then by orientation.
        """
        check_is_fitted(self)
        images = check_images(self, X)
        features = np.empty((len(images), self._n_features_out), dtype=np.float32)
        values_per_image = max(self.n_features_in_, self._n_features_out)
        start = 0
        for chunk in images.chunks(max(1, _VALUES_PER_CHUNK // values_per_image)):
            features[start : start + len(chunk)] = self._describe(chunk)
            start += len(chunk)
        return features

    def _block_shape(self) -> Pair:
        """Return height and width of a block in pixels."""
        (height, width), (rows, columns) = self.pixels_per_cell_, self.cells_per_block_
        return rows * height, columns * width

    def _check_a_block_fits(self) -> None:
        needed, given = self._block_shape(), self.image_shape_[:2]
        if needed[0] > given[0] or needed[1] > given[1]:
            raise ValueError(
                f"pixels_per_cell={self.pixels_per_cell!r} is larger than the images "
                f"{given} allow: one block of cells_per_block={self.cells_per_block!r} "
                f"takes {needed} pixels; make either smaller, or pass "
                "pixels_per_cell=None to choose it by the size of the images."
            )

    def _describe(self, images: np.ndarray) -> np.ndarray:
        images = self._padded(images)
        if self.transform_sqrt:
            # Images may undercut the range seen in fit, and then be negative.
            images = np.sqrt(np.maximum(images, 0))
        histograms = _cell_histograms(*_gradients(images), self.orientations, self.pixels_per_cell_)
        blocks = _normalize(_blocks(histograms, self.cells_per_block_), self.block_norm)
        return blocks.reshape(len(images), -1)

    def _padded(self, images: np.ndarray) -> np.ndarray:
        """Repeat the last row and column of images that are smaller than a block."""
        height, width = self._block_shape()
        below = max(0, height - images.shape[1])
        beside = max(0, width - images.shape[2])
        if not below and not beside:
            return images
        return np.pad(images, ((0, 0), (0, below), (0, beside), (0, 0)), mode="edge")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _pair(name: str, value: Any) -> Pair:
    """Return an int or a pair of them as a pair."""
    if isinstance(value, Integral):
        return int(value), int(value)
    if len(value) != 2 or not all(isinstance(v, Integral) and v >= 1 for v in value):
        raise ValueError(
            f"{name}={value!r} is not a pair of positive integers; pass (height, "
            "width), or one int for both."
        )
    return int(value[0]), int(value[1])
