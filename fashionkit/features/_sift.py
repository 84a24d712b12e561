"""SIFTFeatures: bags of visual words, histograms of SIFT descriptors by position."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import csr_array
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from fashionkit._images import Images
from fashionkit.features._base import ImageTransformer
from fashionkit.features._descriptors import (
    N_VALUES,
    Descriptors,
    as_gray,
    dense_descriptors,
    dense_grid,
    detected_descriptors,
    import_cv2,
    one_thread_each,
    padded_size,
)
from fashionkit.features._vocabulary import draw_descriptors, make_vocabulary
from fashionkit.features._words import (
    cells,
    hellinger,
    nearness,
    root_sift,
    soft_assignments,
)

# Maximum number of values of descriptors, or of their assignments to words, in a chunk: a few
# arrays of 4 megabytes each.
_VALUES_PER_CHUNK = 2**20

# SIFT rarely detects more key points than one in this number of pixels.
_PIXELS_PER_DETECTED_KEYPOINT = 16

_MAX_WORDS = 200
_DESCRIPTORS_PER_WORD = 10


class SIFTFeatures(ClassNamePrefixFeaturesOutMixin, ImageTransformer):
    r"""Bag of visual words: histograms of the SIFT descriptors of each image.

    A SIFT descriptor measures the strength of edges in each direction around a key point [1]_.
    ``fit`` clusters the descriptors of the training images into a vocabulary of visual words.
    ``transform`` counts the words of each image [2]_, separately in the cells of a spatial grid
    [3]_.

    Needs OpenCV: ``pip install "fashionkit[sift]"``, or any of the opencv-python packages.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    n_words : int, default=None
        Number of visual words. None chooses 200, but at most a tenth of the number of descriptors
        that the vocabulary is learnt from.

    keypoints : {"dense", "detected"}, default="dense"
        Key points to describe: those of a regular grid, upright; or those that SIFT detects, at
        their scale and orientation. Detection suits photographs with fine texture. In half of
        Fashion-MNIST's images, which are small and smooth, it finds 4 points or fewer.

    step : int, default=None
        Distance of the grid's points in pixels. None chooses a seventh of the image's shorter side,
        rounded down, but at least 2: 4 pixels for images of 28 x 28. Ignored for detected key
        points.

    sizes : float or sequence of float, default=None
        Diameters of the grid's key points in pixels, as in ``cv2.KeyPoint``. Every point of the
        grid is described once in each size. A descriptor covers a square of 6 diameters. None
        chooses one size, so that this square is a third of the image's shorter side, but at least
        1. Ignored for detected key points.

    assignment : {"soft", "hard"}, default="soft"
        Whether a descriptor counts for all words, weighted by proximity, or for the nearest word
        alone.

    bandwidth : float, default=0.25
        Standard deviation of the kernel of soft assignment; see Notes. Descriptors have unit
        length.

    pyramid : tuple of int, default=(4,)
        Number of cells along each side of the image. Several numbers define a spatial pyramid with
        one level for each: ``(1, 2, 4)`` is that of [3]_. ``(1,)`` is a bag of words without
        positions.

    max_descriptors : int, default=100000
        Maximum number of descriptors to learn the vocabulary from. They are drawn from
        randomly chosen images, at most 20 of each.

    n_jobs : int, default=None
        Number of threads to compute descriptors with; None for one, unless in a
        :func:`joblib.parallel_config` context; -1 for all processors. The features do not depend on
        it.

    image_shape : tuple of int, default=None
        Shape of the image in each flat row: ``(height, width)`` or ``(height, width, channels)``.
        None infers it: a square if possible, gray rather than RGB; otherwise a single row of
        pixels.

    random_state : int, RandomState instance or None, default=None
        Seed of the drawn descriptors and of the clustering. Pass an int for a reproducible
        vocabulary.

    Attributes
    ----------
    vocabulary_ : ndarray of shape (n_words, 128), dtype float32
        Visual words: cluster centres of the descriptors.

    step_ : int
        Distance of the grid's points in pixels. Only for dense key points.

    sizes_ : tuple of float
        Diameters of the grid's key points in pixels. Only for dense key points.

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
    HOGFeatures : Histograms of edge directions by position, without a vocabulary.
    fashionkit.make_baseline : Pipelines of these features and a classical classifier.
    sklearn.cluster.MiniBatchKMeans : Clustering that computes the vocabulary.

    Notes
    -----
    The features are ordered by level of the pyramid, then by row and column of the cell, then
    by word.

    Colours become gray with the weights 0.299, 0.587 and 0.114 of ITU-R BT.601, and
    pixels 8-bit integers. Images of fewer than 8 pixels along a side are padded to 8 by
    repeating their last row or column.

    Descriptors are compared as in RootSIFT [4]_: divided by their sum, then replaced by
    their square roots, so that the Euclidean distance is the Hellinger distance. At the
    points of a grid, images are smoothed by a Gaussian whose standard deviation is half
    of the key point's diameter. That is how much SIFT smooths where it detects a key
    point of that size. The descriptors of flat surroundings, which are zero, are left out.

    With soft assignment, a descriptor :math:`d` counts for the word :math:`w_i` by

    .. math::

        \frac{\exp(-\|d - w_i\|^2 / 2 \sigma^2)}
             {\sum_j \exp(-\|d - w_j\|^2 / 2 \sigma^2)}

    where :math:`\sigma` is the ``bandwidth``. This is the "codeword uncertainty" of [5]_.

    The histograms of all cells, in all levels of the pyramid, make one vector. It is
    divided by its sum, then replaced by its square roots, which suits linear and Gaussian
    kernels [6]_. All levels weigh the same. An image without descriptors, such as a
    flat one, has the zero vector. If all images seen in ``fit`` are flat, ``n_words=None``
    makes a single word, of zeros.

    While descriptors and the vocabulary are computed, OpenCV and BLAS use one thread for each of
    ``n_jobs``, in the whole process.

    References
    ----------
    .. [1] D. G. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints",
       International Journal of Computer Vision 60(2), 2004.
    .. [2] G. Csurka, C. R. Dance, L. Fan, J. Willamowski and C. Bray, "Visual
       Categorization with Bags of Keypoints", ECCV Workshop on Statistical Learning in
       Computer Vision, 2004.
    .. [3] S. Lazebnik, C. Schmid and J. Ponce, "Beyond Bags of Features: Spatial Pyramid
       Matching for Recognizing Natural Scene Categories", CVPR 2006.
    .. [4] R. Arandjelović and A. Zisserman, "Three Things Everyone Should Know to Improve
       Object Retrieval", CVPR 2012.
    .. [5] J. C. van Gemert, C. J. Veenman, A. W. M. Smeulders and J.-M. Geusebroek,
       "Visual Word Ambiguity", IEEE Transactions on Pattern Analysis and Machine
       Intelligence 32(7), 2010.
    .. [6] A. Vedaldi and A. Zisserman, "Efficient Additive Kernels via Explicit Feature
       Maps", IEEE Transactions on Pattern Analysis and Machine Intelligence 34(3), 2012.

    Examples
    --------
    >>> from fashionkit import make_garments
    >>> from fashionkit.features import SIFTFeatures
    >>> X, y = make_garments(100, random_state=0)
    >>> sift = SIFTFeatures(50, random_state=0).fit(X)
    >>> sift.vocabulary_.shape
    (50, 128)
    >>> sift.transform(X).shape
    (100, 800)
    """

    _parameter_constraints: dict = {
        "n_words": [Interval(Integral, 1, None, closed="left"), None],
        "keypoints": [StrOptions({"dense", "detected"})],
        "step": [Interval(Integral, 1, None, closed="left"), None],
        "sizes": [Interval(Real, 0, None, closed="neither"), "array-like", None],
        "assignment": [StrOptions({"soft", "hard"})],
        "bandwidth": [Interval(Real, 0, None, closed="neither")],
        "pyramid": [tuple, list],
        "max_descriptors": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "image_shape": [tuple, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_words: int | None = None,
        *,
        keypoints: str = "dense",
        step: int | None = None,
        sizes: float | Iterable[float] | None = None,
        assignment: str = "soft",
        bandwidth: float = 0.25,
        pyramid: tuple[int, ...] = (4,),
        max_descriptors: int = 100_000,
        n_jobs: int | None = None,
        image_shape: tuple[int, ...] | None = None,
        random_state: Any = None,
    ):
        self.n_words = n_words
        self.keypoints = keypoints
        self.step = step
        self.sizes = sizes
        self.assignment = assignment
        self.bandwidth = bandwidth
        self.pyramid = pyramid
        self.max_descriptors = max_descriptors
        self.n_jobs = n_jobs
        self.image_shape = image_shape
        self.random_state = random_state

    def _fit(self, images: Images) -> None:
        import_cv2()  # without it, say so before any work
        self._pyramid = _cells_per_side(self.pyramid)
        if self.keypoints == "dense":
            self._choose_grid()
        random_state = check_random_state(self.random_state)
        descriptors = draw_descriptors(
            images,
            self._describe,
            self._chunk_size(N_VALUES),
            max_descriptors=self.max_descriptors,
            n_jobs=self.n_jobs,
            random_state=random_state,
        )
        if not len(descriptors) and self.keypoints == "detected":
            raise ValueError(
                f"keypoints='detected' found no key point in the {len(images)} images of X, of "
                f"shape {self.image_shape_}: they are too small or too smooth; pass "
                "keypoints='dense'."
            )
        n_words = self._choose_n_words(len(descriptors))
        self.vocabulary_ = make_vocabulary(descriptors, n_words, random_state)
        self._n_cells = sum(side**2 for side in self._pyramid)
        self._n_features_out = self._n_cells * len(self.vocabulary_)

    def _choose_grid(self) -> None:
        """Choose the key points by the size of the images, where the parameters do not."""
        size = padded_size(self.image_shape_[:2])
        shorter = min(size)
        self.step_ = max(2, shorter // 7) if self.step is None else int(self.step)
        self.sizes_ = (max(1.0, shorter / 18),) if self.sizes is None else _sizes(self.sizes)
        if max(self.sizes_) > shorter:
            raise ValueError(
                f"sizes={self.sizes!r} has key points larger than the images "
                f"{self.image_shape_[:2]}; pass smaller ones, or None to choose by the size of "
                "the images."
            )
        self._grid = dense_grid(size, self.step_)

    def _choose_n_words(self, n_descriptors: int) -> int:
        """Choose the number of words by that of descriptors, where the parameter does not."""
        if self.n_words is None:
            return min(_MAX_WORDS, max(1, n_descriptors // _DESCRIPTORS_PER_WORD))
        if self.n_words > n_descriptors:
            raise ValueError(
                f"n_words={self.n_words} is more than the {n_descriptors} descriptors drawn from "
                f"X with max_descriptors={self.max_descriptors}; pass fewer words, more images, "
                "or n_words=None to choose by the number of descriptors."
            )
        return self.n_words

    def _chunk_size(self, values_per_descriptor: int) -> int:
        """Return how many images to work on at a time."""
        height, width, channels = self.image_shape_
        if self.keypoints == "dense":
            n_descriptors = len(self._grid) * len(self.sizes_)
        else:
            n_descriptors = height * width // _PIXELS_PER_DETECTED_KEYPOINT
        n_values = max(n_descriptors * values_per_descriptor, height * width * channels)
        return max(1, _VALUES_PER_CHUNK // n_values)

    def _transform(self, images: Images, features: np.ndarray) -> None:
        size = self._chunk_size(max(N_VALUES, len(self.vocabulary_)))
        with one_thread_each():
            # Threads, whatever the context prefers: each writes its rows of one array.
            Parallel(self.n_jobs, require="sharedmem")(
                delayed(self._count_into)(features[size * i : size * (i + 1)], chunk)
                for i, chunk in enumerate(images.chunks(size))
            )

    def _describe(self, images: np.ndarray) -> Descriptors:
        gray = as_gray(images)
        if self.keypoints == "dense":
            return dense_descriptors(gray, self._grid, self.sizes_)
        return detected_descriptors(gray)

    def _count_into(self, features: np.ndarray, images: np.ndarray) -> None:
        """Write the normalised histograms of some images."""
        found = self._describe(images)
        histogram = self._n_cells * found.image + cells(found.position, self._pyramid)
        histograms = self._count(found.values, histogram, self._n_cells * len(images))
        features[:] = hellinger(histograms.reshape(features.shape))

    def _count(self, values: np.ndarray, histogram: np.ndarray, n_histograms: int) -> np.ndarray:
        """Count the words of descriptors in the histograms that each descriptor belongs to."""
        n_words = len(self.vocabulary_)
        near = nearness(root_sift(values), self.vocabulary_)
        if self.assignment == "hard":
            bins = n_words * histogram + near.argmax(axis=1)
            counts = np.bincount(bins.ravel(), minlength=n_histograms * n_words)
            return counts.astype(np.float32)
        weights = soft_assignments(near, self.bandwidth)
        belongs = (histogram.ravel(), np.tile(np.arange(len(values)), len(histogram)))
        ones = np.ones(histogram.size, dtype=np.float32)
        return csr_array((ones, belongs), shape=(n_histograms, len(values))) @ weights


def _sizes(sizes: Any) -> tuple[float, ...]:
    """Return one size or several as a tuple."""
    several = (sizes,) if isinstance(sizes, Real) else tuple(sizes)
    if not several or not all(isinstance(size, Real) and 0 < size < np.inf for size in several):  # type: ignore[operator]
        raise ValueError(
            f"sizes={sizes!r} are not positive numbers; pass one diameter or several, or None "
            "to choose by the size of the images."
        )
    return tuple(map(float, several))


def _cells_per_side(pyramid: Any) -> tuple[int, ...]:
    if not pyramid or not all(isinstance(side, Integral) and side >= 1 for side in pyramid):  # type: ignore[operator]
        raise ValueError(
            f"pyramid={pyramid!r} is not a tuple of positive integers; pass the number of "
            "cells along a side for each level, such as (1, 2, 4)."
        )
    return tuple(map(int, pyramid))
