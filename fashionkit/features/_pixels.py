"""Pixels as features: the contract's images, as flat rows in [0, 1]."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import (
    OneToOneFeatureMixin,
    _fit_context,
)
from sklearn.utils.validation import check_is_fitted

from fashionkit._images import check_images, fit_images
from fashionkit.features._base import ImageTransformer


class PixelFeatures(OneToOneFeatureMixin, ImageTransformer):
    """Images as flat rows of pixels between 0 and 1.

    What the simplest baselines work on. The same images give the same rows in every
    form that images can have.

    Parameters
    ----------
    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of flat rows. None infers
        it: a square if there is one, gray before RGB; else one row of pixels.

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
    HOGFeatures : Directions of edges.

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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> PixelFeatures:
        """Learn the shape and the pixel range of the images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : ignored
            There by convention.

        Returns
        -------
        self : PixelFeatures
            The fitted transformer.
        """
        fit_images(self, X)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Scale and flatten images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_features), dtype float32
            Their pixels.
        """
        check_is_fitted(self)
        images = check_images(self, X)
        rows = np.empty((len(images), self.n_features_in_), dtype=np.float32)
        start = 0
        for chunk in images.chunks():
            rows[start : start + len(chunk)] = chunk.reshape(len(chunk), -1)
            start += len(chunk)
        return rows
