"""PixelFeatures: images as flat rows of pixels in [0, 1]."""

from __future__ import annotations

import numpy as np
from sklearn.base import OneToOneFeatureMixin

from fashionkit._images import Images
from fashionkit.features._base import ImageTransformer


class PixelFeatures(OneToOneFeatureMixin, ImageTransformer):
    """Pixels of each image, scaled to between 0 and 1, as flat rows.

    They are the input of the simplest baselines. The same images give the same rows in every form
    of the image contract.

    Parameters
    ----------
    image_shape : tuple of int, default=None
        Shape of the image in each flat row: ``(height, width)`` or ``(height, width, channels)``.
        None infers it: a square if possible, gray rather than RGB; otherwise a single row of
        pixels.

    Attributes
    ----------
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
    HOGFeatures : Histograms of edge directions.

    Examples
    --------
    >>> from fashionkit import make_garments
    >>> from fashionkit.features import PixelFeatures
    >>> X, y = make_garments(20, random_state=0)
    >>> PixelFeatures().fit_transform(X).shape
    (20, 784)
    """

    _parameter_constraints: dict = {"image_shape": [tuple, None]}

    def __init__(self, *, image_shape: tuple[int, ...] | None = None):
        self.image_shape = image_shape

    def _fit(self, images: Images) -> None:
        self._n_features_out = self.n_features_in_

    def _transform_chunk(self, pixels: np.ndarray) -> np.ndarray:
        return pixels.reshape(len(pixels), -1)
