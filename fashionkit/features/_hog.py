"""HOGFeatures: histograms of oriented gradients, of all images of a chunk at once."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils._param_validation import Interval, StrOptions

from fashionkit._images import Images
from fashionkit.features._base import ImageTransformer
from fashionkit.features._blocks import Pair, normalized_blocks
from fashionkit.features._gradients import (
    Votes,
    cell_histograms,
    votes_of_floats,
    votes_of_uint8,
)

# Maximum number of pixels' bins, and of features, in a chunk: what a core's cache holds.
_VALUES_PER_CHUNK = 2**18

# Number of images in a thread's task: enough to outweigh the cost of starting it.
_IMAGES_PER_TASK = 1024


class HOGFeatures(ClassNamePrefixFeaturesOutMixin, ImageTransformer):
    """Histograms of oriented gradients (HOG) of each image.

    The image is divided into cells. The histogram of a cell measures the strength of its edges in
    each direction. The histograms are normalised in overlapping blocks of cells, which makes them
    robust to changes of lighting [1]_.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    orientations : int, default=9
        Number of orientation bins, from 0 to 180 degrees, or to 360 with ``signed``.

    pixels_per_cell : int, pair of int, or list of these, default=None
        Height and width of a cell in pixels; an int for squares. A list computes several scales,
        concatenated: ``[4, 7]`` is the features of cells of 4 x 4 pixels, then those of 7 x 7. None
        chooses a ninth of the image's height and width, rounded down, but at least 2 pixels: 3 x 3
        for images of 28 x 28. The number of features then hardly depends on the image size.

    cells_per_block : int or pair of int, default=(2, 2)
        Height and width of a block in cells, at every scale; an int for squares.

    block_norm : {"L1", "L1-sqrt", "L2", "L2-Hys"}, default="L2-Hys"
        Normalisation of a block: by the L1 norm; the square root of that; by the L2 norm; the same,
        then clipped at 0.2 and normalised again.

    transform_sqrt : bool, default=False
        Whether to take the square root of the pixels first, which equalises the contrast of dark
        and bright regions.

    signed : bool, default=False
        Whether to distinguish edges from dark to bright from those from bright to dark. This is
        useful if the background is always darker, or always brighter.

    interpolate : bool, default=False
        Whether to distribute a pixel's vote over the two nearest bins and the four nearest cells,
        weighted by proximity, as in [1]_. A small shift or rotation of the image then changes the
        features little. Otherwise it goes to one bin of one cell, as in scikit-image.

    n_jobs : int, default=None
        Number of threads in ``transform``; None for one, unless in a
        :func:`joblib.parallel_config` context; -1 for all processors.

    image_shape : tuple of int, default=None
        Shape of the image in each flat row: ``(height, width)`` or ``(height, width, channels)``.
        None infers it: a square if possible, gray rather than RGB; otherwise a single row of
        pixels.

    Attributes
    ----------
    pixels_per_cell_ : list of tuple of int
        Height and width of a cell in pixels, for each scale.

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
    fashionkit.make_baseline : Pipelines of these features and a classical classifier.
    skimage.feature.hog : HOG features of one image.

    Notes
    -----
    The features are ordered by scale, then by row and column of the block, then by row and
    column of the cell in the block, then by orientation.

    Without ``signed`` and ``interpolate`` the features are those of
    ``skimage.feature.hog(image, channel_axis=-1)`` for images scaled to [0, 1], up to
    rounding. A gradient that is exactly on the limit of two bins, such as 45 degrees with
    4, 8 or 12 orientations, or equally strong in two channels, goes where rounding puts
    it: that of ``image / 255`` in scikit-image, none here for whole numbers. As there,
    gradients are differences of the two neighbouring pixels, and 0 at the borders; in
    colour images, those of the channel where they are strongest. Pixels right of and
    below the last whole cell are left out.

    With ``interpolate`` these pixels contribute to the last cell, and the part of a vote that falls
    beyond the centres of the first and the last cells is lost. Unlike in [1]_, blocks are not
    weighted by a Gaussian window.

    Images of integers from 0 to 255, of any dtype, are the fastest, because all their possible
    gradients are computed once.

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
    [(3, 3)]
    >>> hog.transform(X).shape
    (20, 2304)

    Several scales, which know dark from bright:

    >>> hog = HOGFeatures(12, pixels_per_cell=[4, 7], signed=True, interpolate=True)
    >>> hog.fit_transform(X).shape
    (20, 2160)
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
        "signed": ["boolean"],
        "interpolate": ["boolean"],
        "n_jobs": [Integral, None],
        "image_shape": [tuple, None],
    }

    def __init__(
        self,
        orientations: int = 9,
        *,
        pixels_per_cell: int | Pair | list[int | Pair] | None = None,
        cells_per_block: int | Pair = (2, 2),
        block_norm: str = "L2-Hys",
        transform_sqrt: bool = False,
        signed: bool = False,
        interpolate: bool = False,
        n_jobs: int | None = None,
        image_shape: tuple[int, ...] | None = None,
    ):
        self.orientations = orientations
        self.pixels_per_cell = pixels_per_cell
        self.cells_per_block = cells_per_block
        self.block_norm = block_norm
        self.transform_sqrt = transform_sqrt
        self.signed = signed
        self.interpolate = interpolate
        self.n_jobs = n_jobs
        self.image_shape = image_shape

    def _fit(self, images: Images) -> None:
        self.cells_per_block_ = _pair("cells_per_block", self.cells_per_block)
        self.pixels_per_cell_ = self._choose_scales()
        self._n_features_out = sum(self._size(scale) for scale in self.pixels_per_cell_)

    def _choose_scales(self) -> list[Pair]:
        """Return height and width of the cells of each scale."""
        height, width = self.image_shape_[:2]
        if self.pixels_per_cell is None:
            return [(max(2, height // 9), max(2, width // 9))]
        several = isinstance(self.pixels_per_cell, list)
        scales: Any = self.pixels_per_cell if several else [self.pixels_per_cell]
        if not scales:
            raise ValueError(
                "pixels_per_cell=[] has no scale; pass None to choose one by the size of the "
                "images."
            )
        pairs = [_pair("pixels_per_cell", scale) for scale in scales]
        for scale, pair in zip(scales, pairs, strict=True):
            self._check_a_block_fits(scale, pair)
        return pairs

    def _check_a_block_fits(self, scale: Any, pixels_per_cell: Pair) -> None:
        needed, given = self._block_shape(pixels_per_cell), self.image_shape_[:2]
        if needed[0] > given[0] or needed[1] > given[1]:
            raise ValueError(
                f"pixels_per_cell={scale!r} is larger than the images {given} allow: one "
                f"block of cells_per_block={self.cells_per_block!r} takes {needed} pixels; "
                "make either smaller, or pass pixels_per_cell=None to choose it by the size "
                "of the images."
            )

    def _block_shape(self, pixels_per_cell: Pair) -> Pair:
        """Return height and width of a block in pixels."""
        (height, width), (rows, columns) = pixels_per_cell, self.cells_per_block_
        return rows * height, columns * width

    def _size(self, pixels_per_cell: Pair) -> int:
        """Return the number of features of one scale."""
        n_blocks = (
            max(side // pixels - cells, 0) + 1
            for side, pixels, cells in zip(
                self.image_shape_, pixels_per_cell, self.cells_per_block_, strict=False
            )
        )
        return math.prod((*n_blocks, *self.cells_per_block_, self.orientations))

    def _transform(self, images: Images, features: np.ndarray) -> None:
        # Threads, whatever the context prefers: each writes its rows of one array.
        Parallel(self.n_jobs, require="sharedmem")(
            delayed(self._describe_into)(features[rows], part)
            for rows, part in images.in_memory(_IMAGES_PER_TASK)
        )

    def _describe_into(self, features: np.ndarray, images: Images) -> None:
        """Write the features of some images, in chunks."""
        n_bins = math.prod(self.image_shape_[:2]) * (self.orientations + self.interpolate)
        size = max(1, _VALUES_PER_CHUNK // max(n_bins, self._n_features_out))
        for rows, chunk in images.in_memory(size):
            self._describe(chunk, features[rows])

    def _describe(self, images: Images, features: np.ndarray) -> None:
        """Write the features of one chunk.

        A table has the votes of all images of whole numbers, so that these have the same
        features in whatever type, and beside whatever other images.
        """
        options = self.orientations, self.signed, self.interpolate
        whole = np.zeros(len(images), dtype=bool)
        if images.pixel_range == (0, 255) and not self.transform_sqrt:
            whole = images.are_whole()
        if whole.any():
            rows = slice(None) if whole.all() else whole
            pixels = self._padded(images.unscaled(rows).astype(np.uint8, copy=False))
            features[rows] = self._histograms(votes_of_uint8(pixels, *options))
        if not whole.all():
            rows = ~whole if whole.any() else slice(None)
            pixels = images.scaled(rows)
            if self.transform_sqrt:
                # Images may undercut the range seen in fit, and then be negative.
                pixels = np.sqrt(np.maximum(pixels, 0))
            features[rows] = self._histograms(votes_of_floats(self._padded(pixels), *options))

    def _histograms(self, votes: Votes) -> np.ndarray:
        """Return the normalised histograms of all scales, of shape (n_samples, n_features)."""
        scales = [
            normalized_blocks(cells, self.cells_per_block_, self.block_norm)
            for cells in cell_histograms(votes, self.orientations, self.pixels_per_cell_)
        ]
        rows = [blocks.reshape(len(blocks), -1) for blocks in scales]
        return rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)

    def _padded(self, images: np.ndarray) -> np.ndarray:
        """Repeat the last row and column of images that are smaller than a block."""
        height, width = self._block_shape(self.pixels_per_cell_[0])
        below = max(0, height - images.shape[1])
        beside = max(0, width - images.shape[2])
        if not below and not beside:
            return images
        return np.pad(images, ((0, 0), (0, below), (0, beside), (0, 0)), mode="edge")


def _pair(name: str, value: Any) -> Pair:
    """Return an int or a pair of them as a pair."""
    pair = (value, value) if isinstance(value, Integral) else value
    if (
        not isinstance(pair, tuple | list)
        or len(pair) != 2
        or not all(isinstance(v, Integral) and v >= 1 for v in pair)  # type: ignore[operator]
    ):
        raise ValueError(
            f"{name}={value!r} is not a pair of positive integers; pass (height, "
            "width), one int for both, or, for pixels_per_cell, a list of these."
        )
    return int(pair[0]), int(pair[1])
