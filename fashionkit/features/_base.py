"""Base of the transformers from images to features."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils.validation import check_is_fitted

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import Images, check_images, fit_images, reject_single


class ImageTransformer(DocLinkMixin, TransformerMixin, BaseEstimator):
    """Transformer from images of any form to rows of floating-point features.

    A subclass has ``_fit``, which sets ``_n_features_out``, and ``_transform_chunk``, or
    ``_transform`` where it does not work on chunks one after the other.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the shape and the pixel range of the images, and the parameters of the features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : array-like, default=None
            Targets. Only their number is used, to refuse a single image without the axis of a
            batch.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        reject_single(X, y)
        self._fit(fit_images(self, X))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Compute the features of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out), dtype float32
            Features, in the order of ``get_feature_names_out``; float16 if the transformer has
            ``dtype="float16"``.
        """
        check_is_fitted(self)
        images = check_images(self, X)
        dtype = getattr(self, "dtype", np.float32)
        features = np.empty((len(images), self._n_features_out), dtype=dtype)
        self._transform(images, features)
        return features

    def _fit(self, images: Images) -> None:
        """Learn what the features need, and set ``_n_features_out``."""
        raise NotImplementedError

    def _transform(self, images: Images, features: np.ndarray) -> None:
        """Write the features of all images, in chunks."""
        start = 0
        for chunk in images.chunks(self._images_per_chunk()):
            stop = start + len(chunk)
            features[start:stop] = self._transform_chunk(chunk)
            start = stop

    def _images_per_chunk(self) -> int | None:
        """Return how many images to work on at a time; None leaves it to the images."""
        return None

    def _transform_chunk(self, pixels: np.ndarray) -> np.ndarray:
        """Return the features of some images, which are float32 and scaled to [0, 1]."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags
