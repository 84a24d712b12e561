"""Embeddings of images: from the parameter ``embedding`` to a fitted transformer."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline, make_union
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.validation import check_is_fitted

from fashionkit._backbones.check import BackboneSource
from fashionkit._backbones.unwrap import unwrapped
from fashionkit._images import check_images, fit_images
from fashionkit.datasets._names import choices
from fashionkit.features import BackboneFeatures, ColorHistogram, HOGFeatures, PixelFeatures
from fashionkit.features._nearest import normalise
from fashionkit.search._network import LARGEST_FLAT_MAP, Outputs, bind_network

AUTO, PRECOMPUTED = "auto", "precomputed"

# Minimum side in pixels of coloured images that "auto" treats as photos, for which the network of
# the package is more accurate than handcrafted features.
_PHOTO_SIDE = 64
_PHOTO_MODEL = "clothing-photos-small-v1"

# Minimum side in pixels of images for which "auto" computes gradients.
_HOG_SIDE = 8

# Smaller probabilities are clipped, because their logarithms are dominated by rounding.
_MIN_PROBABILITY = 1e-6

# Maximum number of images from which the mean of the maps is computed.
_MAX_MEAN_IMAGES = 1000


class ClassifierScores(TransformerMixin, BaseEstimator):
    """Transformer from images to a classifier's log-probabilities, or its decision scores.

    Parameters
    ----------
    classifier : classifier
        Fitted classifier, which is not fitted again.
    """

    def __init__(self, classifier: Any):
        self.classifier = classifier

    def fit(self, X: Any, y: Any = None) -> ClassifierScores:
        """Do nothing, as the classifier is already fitted."""
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Compute the scores, of shape (n_samples, n_scores)."""
        if hasattr(self.classifier, "predict_proba"):
            scores = np.log(np.maximum(self.classifier.predict_proba(X), _MIN_PROBABILITY))
        else:
            scores = np.asarray(self.classifier.decision_function(X))
        return scores.reshape(len(scores), -1)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class NetworkFeatures(TransformerMixin, BaseEstimator):
    """Transformer from images to the last maps of a classifier's network and its log-probabilities.

    The maps are centred on the mean of the images of ``fit``, the log-probabilities on the mean of
    each image. Both are then scaled to length 1, so that the kind of garment counts as much as its
    appearance. Test-time augmentation is not used. Images of another shape than those of the
    classifier are resized, and their log-probabilities are left out.

    Parameters
    ----------
    classifier : FrozenEstimator
        Fitted neural classifier.
    """

    _call: Callable[[np.ndarray], Outputs] | None = None

    def __init__(self, classifier: Any):
        self.classifier = classifier

    def fit(self, X: Any, y: Any = None) -> NetworkFeatures:
        """Learn the shape of the maps and their mean."""
        classifier = self.classifier.estimator
        fit_images(self, X)
        # Images are scaled as in the training of the classifier.
        self.pixel_range_ = classifier.pixel_range_
        self.maps_ = None
        if self.image_shape_ != classifier.image_shape_:
            self.maps_ = BackboneFeatures(weights=self.classifier, pooling="flatten").fit(X)
            ((n_rows, n_columns, _),) = self.maps_.feature_shapes_.values()
            if max(n_rows, n_columns) > LARGEST_FLAT_MAP:
                self.maps_.set_params(pooling="avg").fit(X)
        rows = np.linspace(0, len(X) - 1, min(len(X), _MAX_MEAN_IMAGES)).astype(int)
        self.mean_ = self._outputs(_safe_indexing(X, rows))[0].mean(axis=0)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Compute maps and log-probabilities, of shape (n_samples, n_values)."""
        maps, probabilities = self._outputs(X)
        features = normalise(maps - self.mean_)
        if probabilities is None:
            return features
        scores = np.log(np.maximum(probabilities, _MIN_PROBABILITY))
        scores -= scores.mean(axis=1, keepdims=True)
        return np.concatenate([features, normalise(scores)], axis=1)

    def _outputs(self, X: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the maps as rows, and the probabilities; None for resized images."""
        if self.maps_ is not None:
            return self.maps_.transform(X), None
        call = self._call
        if call is None:  # several threads may get here; their functions are equal
            call = self._call = bind_network(self.classifier.estimator)
        parts = [call(chunk) for chunk in check_images(self, X).chunks()]
        maps, probabilities = zip(*parts, strict=True)
        return np.concatenate(maps), np.concatenate(probabilities)

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_call": None}  # compiled again when needed


def fit_embedding(
    embedding: Any, X: Any, y: Any, image_shape: tuple[int, int, int]
) -> BaseEstimator:
    """Fit the transformer that an ``embedding`` specifies.

    Parameters
    ----------
    embedding : str, path-like or estimator
        Embedding as in :class:`~fashionkit.ImageSearch`, except "precomputed".

    X : array-like
        Images, in the form in which the user passed them.

    y : array-like of shape (n_samples,) or None
        Labels of the images, for transformers that use them.

    image_shape : tuple of int
        Height, width and channels of the images.

    Returns
    -------
    transformer : transformer
        Fitted transformer.

    Raises
    ------
    TypeError
        If the embedding is not an estimator.

    ValueError
        If the embedding is an unknown string, or a classifier that is not fitted.
    """
    if isinstance(embedding, os.PathLike) or (
        isinstance(embedding, str) and embedding.lower().endswith(".onnx")
    ):
        return BackboneFeatures(embedding).fit(X)
    if isinstance(embedding, str):
        if embedding != AUTO:
            raise ValueError(
                f"embedding={embedding!r}, expected {choices([AUTO, PRECOMPUTED])}, the path of an "
                "ONNX file with the suffix '.onnx', a transformer or a fitted classifier."
            )
        return _automatic(X, image_shape)
    if not hasattr(embedding, "fit") or isinstance(embedding, type):
        raise TypeError(
            f"embedding={embedding!r} is not an estimator; pass a transformer, a fitted "
            f"classifier, {choices([AUTO, PRECOMPUTED])}, or the path of an ONNX file."
        )
    if _is_fitted(embedding):
        # A copy, so that fitting the original again does not change the embedding.
        return copy.deepcopy(_of_fitted(embedding, X))
    if not hasattr(embedding, "transform"):
        raise ValueError(
            f"embedding={embedding!r} is a classifier that is not fitted; fit it first. If the "
            "search is cloned, wrap the classifier in sklearn.frozen.FrozenEstimator, as clones "
            "of other estimators are not fitted."
        )
    return clone(embedding).fit(X, y)


def _automatic(X: Any, image_shape: tuple[int, int, int]) -> BaseEstimator:
    """Fit the transformer that "auto" chooses for a shape of images."""
    height, width, channels = image_shape
    if min(height, width) < _HOG_SIDE:
        return PixelFeatures().fit(X)
    if channels == 1:
        return HOGFeatures().fit(X)
    if min(height, width) < _PHOTO_SIDE:
        return make_union(HOGFeatures(), ColorHistogram()).fit(X)
    from fashionkit.persistence import load_pretrained

    return _of_fitted(load_pretrained(_PHOTO_MODEL), X)


def _is_fitted(estimator: Any) -> bool:
    """Tell whether an estimator, or all steps of a Pipeline that require a fit, are fitted."""
    if isinstance(estimator, FrozenEstimator):
        return True
    parts = (
        [part for _, part in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    )
    learning = [part for part in parts if hasattr(part, "fit") and get_tags(part).requires_fit]
    try:
        for part in learning:
            check_is_fitted(part)
    except NotFittedError:
        return False
    return bool(learning)


def _of_fitted(estimator: Any, X: Any) -> BaseEstimator:
    """Return the transformer, or what a fitted classifier computes before it decides."""
    estimator = unwrapped(estimator)
    if isinstance(estimator, Pipeline) and is_classifier(estimator):
        before, last = estimator[:-1], estimator[-1]
        if not before.steps:
            return _of_fitted(last, X)
        if not isinstance(unwrapped(last), BackboneSource):
            return before
        inside = _of_fitted(last, before.transform(_safe_indexing(X, slice(0, _MAX_MEAN_IMAGES))))
        return Pipeline([*before.steps, ("embedding", inside)])
    if isinstance(estimator, BackboneSource):
        return NetworkFeatures(FrozenEstimator(estimator)).fit(X)
    if hasattr(estimator, "transform"):
        return estimator
    if hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function"):
        return ClassifierScores(estimator)
    raise ValueError(
        f"embedding={estimator!r} has no transform, predict_proba or decision_function; pass a "
        "transformer or a classifier that has one of them."
    )
