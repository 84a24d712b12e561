"""Embeddings: where images lie, as rows of numbers that samples of images are compared by."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, gen_batches

from fashionkit._backbones.check import BackboneSource
from fashionkit._backbones.unwrap import unwrapped
from fashionkit.comparison._forms import flat_rows, takes_images
from fashionkit.decision._label_issues import paths_of
from fashionkit.features import BackboneFeatures, HOGFeatures
from fashionkit.inspection._predictions import probabilities_of

NAMES = ("auto", "features", "hog", "probabilities")

# Numbers that are kept of each image: random projections keep distances (Johnson-Lindenstrauss).
_MAX_FEATURES = 256

# Features to project at a time.
_BLOCK = 4096


class Embedding:
    """An embedding that is chosen and, where it has to be, fitted.

    Parameters
    ----------
    model : classifier
        The fitted model.

    kind : str
        "features", "hog", "probabilities" or "transformer".

    transformer : transformer, default=None
        What is fitted for "hog" and "transformer".
    """

    def __init__(self, model: Any, kind: str, transformer: Any = None) -> None:
        self.model = model
        self.kind = kind
        self.transformer = transformer

    def transform(self, X: Any) -> np.ndarray:
        """Return a row for each image."""
        if self.kind == "features":
            rows = features_of(self.model, X)
        elif self.kind == "probabilities":
            rows = probabilities_of(self.model, in_form(self.model, X))[0]
        else:
            rows = self.transformer.transform(in_form(self.transformer, X))
        rows = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
        if rows.ndim < 2 or rows.dtype.kind not in "fiub" or not np.isfinite(rows).all():
            raise ValueError(
                f"the embedding {self.kind!r} returned {rows.dtype} of shape {rows.shape}, with or "
                "without NaN; pass an embedding of finite numbers, one row for each image."
            )
        return project(rows.reshape(len(rows), -1))


def choose(embedding: Any, model: Any, X: Any) -> tuple[str, Any]:
    """Return the kind of an embedding, and the transformer to be fitted for it, if any."""
    if not isinstance(embedding, str):
        return "transformer", clone(embedding)
    if embedding == "auto":
        if has_features(model):
            embedding = "features"
        else:
            embedding = "hog" if paths_of(X) is None else "probabilities"
    elif embedding == "features" and not has_features(model):
        raise ValueError(
            f"embedding='features', but {type(unwrapped(model)).__name__} shows no features; pass "
            "'hog', 'probabilities' or a transformer, or a model that is a network of fashionkit "
            "or a Pipeline."
        )
    return embedding, HOGFeatures() if embedding == "hog" else None


def in_form(estimator: Any, X: Any) -> Any:
    """Return images in the form that an estimator takes: as they are, or as flat rows."""
    return X if takes_images(estimator) else flat_rows(X)


def take(X: Any, rows: np.ndarray) -> Any:
    """Return some of the images."""
    return _safe_indexing(X, rows)


def has_features(model: Any) -> bool:
    """Tell whether a model is a network of ours, or a Pipeline of features and a classifier."""
    model = unwrapped(model)
    if isinstance(model, Pipeline):
        return len(model.steps) > 1
    return isinstance(model, BackboneSource)


def features_of(model: Any, X: Any) -> np.ndarray:
    """Return the last layer of a network, or what the last step of a Pipeline gets."""
    model = unwrapped(model)
    if isinstance(model, Pipeline):
        X = model[:-1].transform(in_form(model, X))
        last = unwrapped(model[-1])
        return features_of(last, X) if has_features(last) else X
    features = BackboneFeatures(weights=FrozenEstimator(model), image_shape=model.image_shape_)
    features.fit(X)
    # As the network scales them, whatever range these images span.
    features.pixel_range_ = model.pixel_range_
    return features.transform(X)


def project(rows: np.ndarray) -> np.ndarray:
    """Return few numbers for each row, by a random projection that is always the same.

    It knows nothing of the data: rows that were exchangeable remain so.
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
