"""Outlier detection by the distance to the nearest training image."""

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

# Maximum height and width of the downscaled images that are compared.
_SIDE = 28

# Number of HOG cells in each direction, of 4 x 4 pixels of a downscaled image.
_CELLS = 7

# Minimum height and width for HOG, of two cells of two pixels; rows of tables have a height of 1.
_LEAST_SIDE = 4

# Approximate number of images on which the scale of distances is estimated.
_MEASURED = 500

_IMAGES_PER_CHUNK = 256


class NeighborDetector(BaseEstimator):
    """Outlier detector by the distance to the nearest training image [1]_.

    An image is described by its downscaled pixels and by its histograms of oriented gradients
    (HOG). Each of them is reduced to its principal components and its reconstruction error, and
    divided by the root mean square distance of nearest neighbours.

    Parameters
    ----------
    max_samples : int, default=5000
        Maximum number of training images to keep, drawn at random.

    n_components : int, default=256
        Maximum number of principal components of the pixels, and of the HOG.

    random_state : int, RandomState instance or None, default=0
        Seed of the drawn images, and of the principal components.

    Attributes
    ----------
    references_ : ndarray of shape (n_references, n_values), dtype=float32
        Descriptors of the training images.

    scales_ : ndarray of shape (2,) or (1,)
        Root mean square distance of nearest neighbours by pixels and by HOG; by pixels alone for
        images below 4 pixels in height or width.

    image_shape_ : tuple of int
        Height, width and number of channels of the images seen in ``fit``.

    n_features_in_ : int
        Number of pixels times channels of each image seen in ``fit``.

    See Also
    --------
    fashionkit.SelectiveClassifier : Classifier that rejects images of low scores.
    sklearn.neighbors.LocalOutlierFactor : Density-based outlier detector.

    Notes
    -----
    Pixels detect noise and textures, to which HOG, with its normalised contrast, is insensitive.
    HOG detects letters and drawings, whose pixels resemble those of clothes. The detector does not
    depend on the classifier, and keeps ``max_samples`` rows of 514 float32 values by default.
    Images below 4 pixels in height or width, such as rows of tables, have no HOG, and are compared
    by their standardised columns.

    References
    ----------
    .. [1] Y. Sun, Y. Ming, X. Zhu and Y. Li, "Out-of-Distribution Detection with Deep Nearest
       Neighbors", ICML 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from fashionkit import make_garments
    >>> from fashionkit.decision._outliers import NeighborDetector
    >>> X, _ = make_garments(200, random_state=0)
    >>> detector = NeighborDetector().fit(X[:150])
    >>> noise = np.random.RandomState(0).randint(0, 256, X[150:].shape, dtype=np.uint8)
    >>> bool(detector.score_samples(X[150:]).min() > detector.score_samples(noise).max())
    True
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
        """Compute the descriptors of the training images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Training images.

        y : ignored
            Not used; present for API consistency.

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
        # Columns of tables have different units, pixels have the same.
        self._units = np.ones(1, np.float32)
        if self._hog is None:
            deviation = blocks[0].std(axis=0)
            self._units = np.where(deviation > 0, deviation, 1).astype(np.float32)
            blocks[0] /= self._units
        # If all images lack gradients, the explained variance ratio of the components is 0 / 0.
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
        """Score images by their similarity to the training images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        scores : ndarray of shape (n_samples,), dtype=float64
            Negative distance to the nearest training image; the lower, the more of an outlier.
        """
        check_is_fitted(self)
        with warnings.catch_warnings():
            # The classifier has already warned about the pixel range.
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
        """Return the downscaled images as rows, and their HOG unless they are too small."""
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
    """Return an unfitted detector for the input of a fitted classifier.

    Parameters
    ----------
    classifier : classifier
        Fitted classifier.

    Returns
    -------
    detector : NeighborDetector or Pipeline
        Detector, after clones of the steps by which a Pipeline loads or preprocesses images.
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
    """Return the principal components of rows, and their reconstruction error."""
    reduced = pca.transform(rows)
    centred = rows - pca.pca_.mean_.astype(rows.dtype)
    left = np.square(centred).sum(axis=1) - np.square(reduced).sum(axis=1)
    return np.column_stack([reduced, np.sqrt(np.maximum(left, 0))])


def _scale_of(rows: np.ndarray) -> float:
    """Return the root mean square distance of rows to their nearest neighbours."""
    some = rows[:: max(1, len(rows) // _MEASURED)]
    if len(rows) == 1:
        return 1.0
    distances = nearest(rows, some, 2, metric="euclidean").distances[:, 1]  # the first is itself
    scale = float(np.sqrt(np.mean(np.square(distances))))
    return scale if scale > 0 else 1.0
