"""BoundedPCA: principal components, fewer where the data has fewer."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import LazyImages, read_rows

_DTYPES = [np.float64, np.float32, np.float16]

# Maximum number of values that are projected at a time.
_VALUES_PER_CHUNK = 2**25


class BoundedPCA(DocLinkMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Principal component analysis with a maximum number of components.

    :class:`~sklearn.decomposition.PCA` raises an error for more components than samples or
    features, which a pipeline for data of any size cannot know beforehand. BoundedPCA returns as
    many as possible. It can be fitted on a random subset of the samples, and it projects in chunks,
    so that features in half precision are never converted as a whole.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    n_components : int, default=200
        Maximum number of components to keep.

    max_samples : int, default=None
        Maximum number of samples to fit the components on, drawn at random; None for all.

    random_state : int, RandomState instance or None, default=None
        Seed of the drawn samples, and of the randomised solver that scikit-learn chooses for large
        data. Pass an int for reproducible components.

    Attributes
    ----------
    pca_ : PCA
        Fitted principal component analysis.

    n_features_in_ : int
        Number of features seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen in ``fit``, where they are all strings.

    See Also
    --------
    sklearn.decomposition.PCA : The transformer that BoundedPCA fits.

    Examples
    --------
    >>> from fashionkit import BoundedPCA, make_garments
    >>> X, y = make_garments(20, random_state=0)
    >>> BoundedPCA(200).fit_transform(X.reshape(20, -1)).shape
    (20, 20)
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [Interval(Integral, 2, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 200,
        *,
        max_samples: int | None = None,
        random_state: Any = None,
    ):
        self.n_components = n_components
        self.max_samples = max_samples
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> BoundedPCA:
        """Fit the components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        y : ignored
            Not used; present for API consistency.

        Returns
        -------
        self : BoundedPCA
            The fitted transformer.
        """
        X = validate_data(self, read_rows(X), dtype=_DTYPES, ensure_min_samples=2)
        random_state = self.random_state
        if self.max_samples is not None and self.max_samples < len(X):
            random_state = check_random_state(random_state)
            chosen = random_state.permutation(len(X))[: self.max_samples]
            X = X[np.sort(chosen)]
        if X.dtype == np.float16:
            X = X.astype(np.float32)
        self.pca_ = PCA(min(self.n_components, *X.shape), random_state=random_state).fit(X)
        # Of another layout in memory, as a pickle has them, products differ in their last bits.
        self.pca_.components_ = np.ascontiguousarray(self.pca_.components_)
        self._n_features_out = self.pca_.n_components_
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Project samples onto the components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        components : ndarray of shape (n_samples, n_components)
            Projected samples, in the floating-point type of ``X``; float32 for half precision.
        """
        check_is_fitted(self)
        if isinstance(X, LazyImages) and len(X) > (size := _chunk_size(X)):
            return np.concatenate([self.transform(X[part]) for part in gen_batches(len(X), size)])
        X = validate_data(self, read_rows(X), dtype=_DTYPES, reset=False)
        dtype = np.float32 if X.dtype == np.float16 else X.dtype
        size = _chunk_size(X)
        return np.concatenate(
            [
                self.pca_.transform(X[start : start + size].astype(dtype, copy=False))
                for start in range(0, len(X), size)
            ]
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _chunk_size(X: Any) -> int:
    return max(1, _VALUES_PER_CHUNK // math.prod(X.shape[1:]))
