"""Which images are none of what was trained on: those far from all training images."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from fashionkit._backbones.attach import average_fields
from fashionkit._images import Images, check_images, fit_images
from fashionkit.features import BoundedPCA, HOGFeatures
from fashionkit.features._nearest import nearest

# Height and width of the small images that are compared, at most.
_SIDE = 28

# Cells of the histograms of gradients in each direction: 4 x 4 pixels of a small image.
_CELLS = 7

# Images of fewer pixels in a direction have no two cells of two pixels: rows of tables are such.
_LEAST_SIDE = 4

# Images by which the distance of nearest neighbours is measured.
_MEASURED = 500

_IMAGES_PER_CHUNK = 256


class NeighborDetector(BaseEstimator):
    """Outlier detector that compares images with their nearest neighbours.

    An image is described by its pixels, made small, and by histograms of its gradients. Of each of
    the two, the principal components are kept, and how far the image is from what they can show.
    The score is the distance to the nearest training image [1]_.

    Parameters
    ----------
    max_samples : int, default=5000
        Number of training images to keep, drawn at random.

    n_components : int, default=256
        Number of principal components of pixels, and of histograms.

    random_state : int, RandomState instance or None, default=0
        Draws the images to keep.

    Attributes
    ----------
    references_ : ndarray of shape (n_references, n_values), dtype=float32
        What is kept of the training images.

    scales_ : ndarray of shape (n_blocks,)
        Root mean square distance of nearest neighbours by pixels, and by histograms.

    See Also
    --------
    SelectiveClassifier : Rejects what it scores lowest.

    Notes
    -----
    Pixels know noise and textures, which histograms of gradients, whose contrast is normalised, do
    not; histograms know letters and drawings, whose pixels are like those of clothes. It is
    independent of the classifier, needs no network, and takes the memory of ``max_samples`` rows of
    514 numbers. Rows of tables, in which there are no gradients, are compared by their standardised
    columns alone.

    References
    ----------
    .. [1] Y. Sun, Y. Ming, X. Zhu and Y. Li, "Out-of-Distribution Detection with Deep Nearest
       Neighbors", ICML 2022.
    """

    _parameter_constraints: dict = {
        "max_samples": [Interval(Integral, 2, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, *, max_samples: int = 5000, n_components: int = 256, random_state: Any = 0):
        self.max_samples = max_samples
        self.n_components = n_components
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Describe the training images, or some of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : ignored
            Present by convention.

        Returns
        -------
        self : NeighborDetector
            The fitted detector.
        """
        images = fit_images(self, X)
        random_state = check_random_state(self.random_state)
        rows = np.sort(random_state.permutation(len(images))[: self.max_samples])
        images = Images(images.pixels[rows], images.pixel_range)
        height, width = self.image_shape_[:2]
        self._hog = None
        if min(height, width) >= _LEAST_SIDE:
            cells = max(2, height // _CELLS), max(2, width // _CELLS)
            self._hog = HOGFeatures(pixels_per_cell=cells, signed=True, interpolate=True)
            self._hog.fit(np.asarray(images.pixels[:1]))
        blocks = self._describe(images)
        # Columns of tables have units of their own, pixels have one.
        self._units = np.ones(1, np.float32)
        if self._hog is None:
            deviation = blocks[0].std(axis=0)
            self._units = np.where(deviation > 0, deviation, 1).astype(np.float32)
            blocks[0] /= self._units
        # Of images without any gradient, the share of each component in the variance is 0 / 0.
        with np.errstate(invalid="ignore"):
            self._components = [
                BoundedPCA(self.n_components, random_state=random_state).fit(block)
                for block in blocks
            ]
        reduced = [_reduce(*pair) for pair in zip(self._components, blocks, strict=True)]
        self.scales_ = np.array([_scale_of(block) for block in reduced])
        self.references_ = self._join(reduced)
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Score images: the lower, the less they are like the training images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        scores : ndarray of shape (n_samples,), dtype=float64
            Negative distances to the nearest training image.
        """
        check_is_fitted(self)
        with warnings.catch_warnings():
            # The classifier has warned of it.
            warnings.filterwarnings("ignore", "X has pixels in the range", UserWarning)
            images = check_images(self, X)
            scores = [
                -nearest(self.references_, self._values(part), 1, metric="euclidean").distances[
                    :, 0
                ]
                for _, part in images.in_memory(_IMAGES_PER_CHUNK)
            ]
        return np.concatenate(scores).astype(np.float64)

    def _values(self, images: Images) -> np.ndarray:
        blocks = self._describe(images)
        if self._hog is None:
            blocks[0] /= self._units
        reduced = [_reduce(*pair) for pair in zip(self._components, blocks, strict=True)]
        return self._join(reduced)

    def _describe(self, images: Images) -> list[np.ndarray]:
        """Return small images as rows, and their histograms of gradients."""
        blocks: list[list[np.ndarray]] = [[], []]
        for _, part in images.in_memory(_IMAGES_PER_CHUNK):
            pixels = part.scaled(slice(None))
            if self._hog is not None:
                pixels = average_fields(pixels, _SIDE, np)
                blocks[1].append(self._hog.transform(np.asarray(part.pixels)))
            blocks[0].append(pixels.reshape(len(pixels), -1))
        return [np.concatenate(block) for block in blocks if block]

    def _join(self, blocks: list[np.ndarray]) -> np.ndarray:
        scaled = [block / scale for block, scale in zip(blocks, self.scales_, strict=True)]
        return np.concatenate(scaled, axis=1).astype(np.float32)


def make_detector(classifier: Any) -> Any:
    """Return a detector, not fitted, of what a fitted classifier takes.

    Where a pipeline begins with steps that read or prepare images, the detector does, too.
    """
    inner = classifier.estimator if isinstance(classifier, FrozenEstimator) else classifier
    steps = inner.steps[:-1] if isinstance(inner, Pipeline) else []
    leading = []
    for name, step in steps:
        if not type(step).__module__.startswith("fashionkit.preprocessing."):
            break
        leading.append((name, clone(step)))
    detector = NeighborDetector()
    return Pipeline([*leading, ("neighbors", detector)]) if leading else detector


def _reduce(pca: BoundedPCA, rows: np.ndarray) -> np.ndarray:
    """Return principal components, and the distance from what they can show."""
    reduced = pca.transform(rows)
    centred = rows - pca.pca_.mean_.astype(rows.dtype)
    left = np.square(centred).sum(axis=1) - np.square(reduced).sum(axis=1)
    return np.column_stack([reduced, np.sqrt(np.maximum(left, 0))])


def _scale_of(rows: np.ndarray) -> float:
    """Return the root mean square distance of some rows to the nearest others."""
    some = rows[:: max(1, len(rows) // _MEASURED)]
    if len(rows) == 1:
        return 1.0
    distances = nearest(rows, some, 2, metric="euclidean").distances[:, 1]  # the first is itself
    scale = float(np.sqrt(np.mean(np.square(distances))))
    return scale if scale > 0 else 1.0
