"""Vectors of images: embedded, projected on principal components and scaled."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import _safe_indexing, gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from fashionkit._images import check_images, fit_images, reject_single, stacked
from fashionkit.features import BoundedPCA
from fashionkit.features._nearest import normalise
from fashionkit.persistence._describe import stable_repr
from fashionkit.search._embedding import PRECOMPUTED, fit_embedding

# Maximum number of images from which the projection is learned, and that are embedded at a time.
_SAMPLED_IMAGES = 20_000
_IMAGES_PER_CHUNK = 2048
_SEED = 0

# Parameters that determine the vectors.
_SETTINGS = ("embedding", "n_components", "metric")


class ImageVectors(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base class of estimators that compare images by the vectors of an embedding.

    Subclasses have the parameters ``embedding``, ``n_components`` and ``metric``.
    """

    embedding: Any
    n_components: int | None
    metric: str

    embedding_: Any
    reduction_: BoundedPCA | None
    image_shape_: tuple[int, int, int]
    _fitted_settings: list[str]

    def transform(self, X: Any) -> np.ndarray:
        """Compute the vectors of images.

        Parameters
        ----------
        X : array-like
            Images of the shape seen in :meth:`fit`.

        Returns
        -------
        vectors : ndarray of shape (n_samples, n_values), dtype float32
            Vectors as the search compares them, of length 1 for ``metric="cosine"``.

        Raises
        ------
        ValueError
            If the images are invalid or of another shape, the embedding is not finite, or
            ``metric`` was changed after :meth:`fit`.
        """
        check_is_fitted(self)
        self._check_settings(("metric",))
        return self._embed(self._check(X))

    def _start(self, X: Any, y: Any) -> Any:
        """Validate the images of ``fit``."""
        X = stacked(X)
        reject_single(X, y)
        for name in ("image_shape_", "pixel_range_"):
            self.__dict__.pop(name, None)
        if self._is_precomputed():
            return validate_data(self, X, dtype=[np.float32, np.float64])
        fit_images(self, X)
        return _indexable(X)

    def _learn(self, X: Any, y: Any) -> np.ndarray:
        """Fit the embedding and the projection to validated images; return their vectors."""
        n_images = len(X)
        self.embedding_ = (
            None
            if self._is_precomputed()
            else fit_embedding(self.embedding, X, y, self.image_shape_)
        )
        self.reduction_ = None
        sampled = np.random.RandomState(_SEED).permutation(n_images)[:_SAMPLED_IMAGES]
        sampled.sort()
        sample = self._raw(X if len(sampled) == n_images else _safe_indexing(X, sampled))
        if self.n_components is not None and sample.shape[1] > self.n_components and n_images > 1:
            with np.errstate(invalid="ignore"):  # identical images have no variance
                self.reduction_ = BoundedPCA(self.n_components, random_state=_SEED).fit(sample)
        vectors = self._finish(sample)
        if len(sampled) < n_images:
            others = np.setdiff1d(np.arange(n_images), sampled, assume_unique=True)
            first, vectors = vectors, np.empty((n_images, vectors.shape[1]), np.float32)
            vectors[sampled] = first
            del first, sample
            for part in gen_batches(len(others), _IMAGES_PER_CHUNK):
                vectors[others[part]] = self._embed(_safe_indexing(X, others[part]))
        self._n_features_out = vectors.shape[1]
        self._fitted_settings = [self._setting(name) for name in _SETTINGS]
        return vectors

    def _check(self, X: Any) -> Any:
        """Validate images against those seen in ``fit``."""
        if self.embedding_ is None:
            return validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        X = stacked(X)
        check_images(self, X)
        return _indexable(X)

    def _check_settings(self, names: tuple[str, ...] = _SETTINGS) -> None:
        """Raise an error if parameters that determine the vectors were changed after ``fit``."""
        fitted = dict(zip(_SETTINGS, self._fitted_settings, strict=True))
        for name in names:
            before, now = fitted[name], self._setting(name)
            if before != now:
                raise ValueError(
                    f"{now}, but the indexed vectors were made with {before}, so that vectors "
                    "cannot be compared; set the parameter back, or fit the search again."
                )

    def _embed(self, X: Any) -> np.ndarray:
        """Compute the vectors of validated images in chunks."""
        parts = [
            self._finish(self._raw(_safe_indexing(X, rows)))
            for rows in gen_batches(len(X), _IMAGES_PER_CHUNK)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _raw(self, X: Any) -> np.ndarray:
        """Return the output of the embedding as finite rows."""
        rows = X if self.embedding_ is None else self.embedding_.transform(X)
        rows = np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows)
        rows = rows.reshape(len(rows), -1)
        if not np.isfinite(rows).all():
            raise ValueError(
                f"embedding={self.embedding!r} returned NaN or infinite values, expected finite "
                "ones; check its weights and the pixel range."
            )
        return rows

    def _finish(self, rows: np.ndarray) -> np.ndarray:
        """Project and scale the output of the embedding."""
        if self.reduction_ is not None:
            rows = self.reduction_.transform(rows)
        vectors = np.array(rows, dtype=np.float32, order="C")
        return normalise(vectors) if self.metric == "cosine" else vectors

    def _setting(self, name: str) -> str:
        """Return a parameter as a string that is the same in all processes."""
        return f"{name}={stable_repr(getattr(self, name))}"

    def _is_precomputed(self) -> bool:
        return isinstance(self.embedding, str) and self.embedding == PRECOMPUTED


def _indexable(X: Any) -> Any:
    """Return images in a form whose rows can be indexed."""
    return X if hasattr(X, "iloc") or hasattr(X, "shape") else np.asarray(X)
