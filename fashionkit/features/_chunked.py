"""ChunkedTransformer: any transformer, fitted on a sample and applied chunk by chunk."""

from __future__ import annotations

import os
import tempfile
import weakref
from contextlib import suppress
from numbers import Integral
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, _fit_context, clone
from sklearn.utils import check_random_state, gen_batches, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_consistent_length, check_is_fitted

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import reject_single, stacked


def _has_names(self: ChunkedTransformer) -> bool:
    fitted = getattr(self, "transformer_", self.transformer)
    return hasattr(fitted, "get_feature_names_out")


class ChunkedTransformer(DocLinkMixin, MetaEstimatorMixin, TransformerMixin, BaseEstimator):
    """Meta-transformer that is fitted on a sample and transforms images in chunks.

    A pipeline of transformers computes the output of each step for all images before the next one
    begins. HOG features of 600,000 images take 7 GB, even if only 200 principal components of each
    are needed. In chunks, only the result is in memory, or nothing if it is memory-mapped.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    transformer : transformer or Pipeline
        Transformer from images to features. It is cloned.

    max_samples : int, default=20000
        Maximum number of images to fit it on, drawn at random; None for all.

    chunk_size : int, default=5000
        Number of images to transform at a time.

    directory : str or path-like, default=None
        Folder for the memory-mapped result of ``transform``, which is used if there is more than
        one chunk. The file is deleted together with the array. None keeps the result in memory.

    random_state : int, RandomState instance or None, default=None
        Seed of the sample.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer.

    n_features_in_ : int
        Number of features seen in ``fit``, if the transformer has this attribute.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen in ``fit``, where they are all strings.

    See Also
    --------
    fashionkit.NystroemClassifier : Kernel classifier for hundreds of thousands of samples.
    fashionkit.ImageFolder : Images in files, read in chunks.

    Examples
    --------
    >>> from fashionkit import BoundedPCA, ChunkedTransformer, HOGFeatures, make_garments
    >>> from sklearn.pipeline import make_pipeline
    >>> X, y = make_garments(60, random_state=0)
    >>> steps = make_pipeline(HOGFeatures(), BoundedPCA(20))
    >>> features = ChunkedTransformer(steps, max_samples=40, chunk_size=25, random_state=0)
    >>> features.fit_transform(X).shape
    (60, 20)
    """

    _parameter_constraints: dict = {
        "transformer": [HasMethods(["fit", "transform"])],
        "max_samples": [Interval(Integral, 2, None, closed="left"), None],
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
        "directory": [str, os.PathLike, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        transformer: Any,
        *,
        max_samples: int | None = 20_000,
        chunk_size: int = 5_000,
        directory: str | os.PathLike | None = None,
        random_state: Any = None,
    ):
        self.transformer = transformer
        self.max_samples = max_samples
        self.chunk_size = chunk_size
        self.directory = directory
        self.random_state = random_state

    # The transformer validates its parameters itself.
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> ChunkedTransformer:
        """Fit the transformer on a sample of the images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : array-like of shape (n_samples,), default=None
            Targets; those of the sample are passed to the transformer.

        Returns
        -------
        self : ChunkedTransformer
            The fitted transformer.
        """
        X = stacked(X)
        reject_single(X, y)
        n_samples = _num_samples(X)
        if self.max_samples is not None and n_samples > self.max_samples:
            check_consistent_length(X, y)
            drawn = check_random_state(self.random_state).permutation(n_samples)
            rows = np.sort(drawn[: self.max_samples])
            X, y = _take(X, rows), None if y is None else _take(y, rows)
        self.transformer_ = clone(self.transformer).fit(X, y)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.transformer_, name):
                setattr(self, name, getattr(self.transformer_, name))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Transform images in chunks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out)
            Output of the transformer, memory-mapped if ``directory`` is given.

        Raises
        ------
        TypeError
            If the transformer returns sparse matrices.
        """
        check_is_fitted(self)
        X = stacked(X)
        n_samples = _num_samples(X)
        if n_samples <= self.chunk_size:
            return self._transform_chunk(X)
        features: np.ndarray | None = None
        for rows in gen_batches(n_samples, self.chunk_size):
            chunk = self._transform_chunk(_take(X, rows))
            if features is None:
                features = self._allocate((n_samples, *chunk.shape[1:]), chunk.dtype)
            features[rows] = chunk
        assert features is not None
        return features

    @available_if(_has_names)
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the transformer's features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input features, as the transformer takes them.

        Returns
        -------
        names : ndarray of str
            One name for each column.
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(input_features)

    def _transform_chunk(self, X: Any) -> np.ndarray:
        chunk = self.transformer_.transform(X)
        if hasattr(chunk, "toarray"):
            raise TypeError(
                f"transformer returns {type(chunk).__name__}, expected rows of numbers; have it "
                "return dense arrays, as sparse_output=False does."
            )
        return np.asarray(chunk)

    def _allocate(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        if self.directory is None:
            return np.empty(shape, dtype)
        handle, path = tempfile.mkstemp(".npy", "features-", self.directory)
        os.close(handle)
        features = open_memmap(path, "w+", dtype, shape)
        weakref.finalize(features, _remove, path)
        return features

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags = inner.input_tags
        tags.target_tags = inner.target_tags
        tags.transformer_tags = inner.transformer_tags
        tags.non_deterministic = inner.non_deterministic
        return tags


def _take(values: Any, rows: slice | np.ndarray) -> Any:
    """Return some rows, of files unread."""
    if not hasattr(values, "__getitem__"):
        values = np.asarray(values)
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if isinstance(values, list | tuple) and not isinstance(rows, slice):
        return [values[row] for row in rows]
    return values[rows]


def _remove(path: str) -> None:
    with suppress(OSError):
        os.remove(path)
