"""Embeddings: vectors by which samples of images are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import gen_batches

from fashionkit._backbones.check import BackboneSource
from fashionkit._backbones.unwrap import unwrapped
from fashionkit.comparison._forms import flat_rows, takes_images
from fashionkit.decision._label_issues import paths_of
from fashionkit.features import BackboneFeatures, HOGFeatures
from fashionkit.inspection._predictions import probabilities_of

NAMES = ("auto", "features", "hog", "probabilities")

# Maximum number of features. Random projections to fewer features approximately preserve distances
# (Johnson and Lindenstrauss, 1984).
_MAX_FEATURES = 256

# Number of features to project at a time.
_BLOCK = 4096


class Embedding:
    """Fitted embedding of images.

    Parameters
    ----------
    model : classifier
        Fitted model.

    kind : {"features", "hog", "probabilities", "transformer"}
        Kind of the embedding.

    transformer : transformer, default=None
        Fitted transformer of the kinds "hog" and "transformer".
    """

    def __init__(self, model: Any, kind: str, transformer: Any = None) -> None:
        self.model = model
        self.kind = kind
        self.transformer = transformer

    def transform(self, X: Any) -> np.ndarray:
        """Embed images.

        Parameters
        ----------
        X : array-like of n_samples, or ImageFolder
            Images in any form.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_features), dtype=float32
            Embeddings, of at most 256 features.

        Raises
        ------
        ValueError
            If the embedding is not one row of finite numbers for each image.
        """
        if self.kind == "features":
            rows = features_of(self.model, X)
        elif self.kind == "probabilities":
            rows = probabilities_of(self.model, in_form(self.model, X))[0]
        else:
            rows = self.transformer.transform(in_form(self.transformer, X))
        rows = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
        if rows.ndim < 2 or rows.dtype.kind not in "fiub" or not np.isfinite(rows).all():
            raise ValueError(
                f"embedding {self.kind!r} returned an array of {rows.dtype} and shape "
                f"{rows.shape}, expected one row of finite numbers for each image; pass another "
                "embedding."
            )
        return project(rows.reshape(len(rows), -1))


def choose(embedding: Any, model: Any, X: Any) -> tuple[str, Any]:
    """Choose the kind of an embedding.

    Parameters
    ----------
    embedding : str or transformer
        Parameter of PredictionMonitor.

    model : classifier
        Fitted model.

    X : array-like of n_samples, or ImageFolder
        Reference images.

    Returns
    -------
    kind : {"features", "hog", "probabilities", "transformer"}
        Kind of the embedding.

    transformer : transformer or None
        Unfitted transformer for "hog" and "transformer".

    Raises
    ------
    ValueError
        If "features" is requested of a model without features.
    """
    if not isinstance(embedding, str):
        return "transformer", clone(embedding)
    if embedding == "auto":
        if has_features(model):
            embedding = "features"
        else:
            embedding = "hog" if paths_of(X) is None else "probabilities"
    elif embedding == "features" and not has_features(model):
        raise ValueError(
            f"embedding='features', but {type(unwrapped(model)).__name__} shows no features, "
            "expected a network of fashionkit or a Pipeline of several steps; pass such a model, "
            "or 'hog', 'probabilities' or a transformer."
        )
    return embedding, HOGFeatures() if embedding == "hog" else None


def in_form(estimator: Any, X: Any) -> Any:
    """Return images unchanged if an estimator accepts images, and otherwise as flat rows."""
    return X if takes_images(estimator) else flat_rows(X)


def has_features(model: Any) -> bool:
    """Return whether a model is a network of fashionkit, or a Pipeline of several steps."""
    model = unwrapped(model)
    if isinstance(model, Pipeline):
        return len(model.steps) > 1
    return isinstance(model, BackboneSource)


def features_of(model: Any, X: Any) -> np.ndarray:
    """Return the last feature maps of a network, or the input of the last step of a Pipeline."""
    model = unwrapped(model)
    if isinstance(model, Pipeline):
        X = model[:-1].transform(in_form(model, X))
        last = unwrapped(model[-1])
        return features_of(last, X) if has_features(last) else X
    features = BackboneFeatures(weights=FrozenEstimator(model), image_shape=model.image_shape_)
    features.fit(X)
    # Pixels are scaled as in the network's fit, whatever range these images span.
    features.pixel_range_ = model.pixel_range_
    return features.transform(X)


def project(rows: np.ndarray) -> np.ndarray:
    """Reduce rows to at most 256 features by a fixed Gaussian random projection.

    The projection does not depend on the data, so that exchangeable rows remain exchangeable.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Vectors.

    Returns
    -------
    projected : ndarray of shape (n_rows, min(n_features, 256)), dtype=float32
        Projected vectors.
    """
    n_features = rows.shape[1]
    if n_features <= _MAX_FEATURES:
        return rows.astype(np.float32)
    rng = np.random.RandomState(0)
    projected = np.zeros((len(rows), _MAX_FEATURES), dtype=np.float32)
    for some in gen_batches(n_features, _BLOCK):
        directions = rng.normal(size=(some.stop - some.start, _MAX_FEATURES))
        projected += rows[:, some].astype(np.float32) @ directions.astype(np.float32)
    return projected / np.float32(np.sqrt(_MAX_FEATURES))
