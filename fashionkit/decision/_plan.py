"""Division of a model into features that are computed once, and a classifier."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from fashionkit._images import users_level
from fashionkit.datasets._choose import DEFAULT_IMAGE_SIZE
from fashionkit.features import BackboneFeatures, ColorHistogram, HOGFeatures, PixelFeatures
from fashionkit.models import make_model, make_search
from fashionkit.persistence import load_pretrained

DEFAULT_MODEL = "photos-lda"
# Replacement if the weights of its network are unavailable.
SMALL = "clothing-photos-small-v1"
SMALL_SIDE = 192

# Transformers whose output for an image does not depend on the training images.
_STATELESS = (BackboneFeatures, ColorHistogram, HOGFeatures, PixelFeatures)


class Plan(NamedTuple):
    """Parts of a model to train.

    Parameters
    ----------
    name : str
        Name of the model.

    image_size : int
        Height and width of the images in pixels.

    classifier : classifier
        Unfitted classifier on the features, or on the images.

    search : RandomizedSearchCV or None
        Search for the parameters of the classifier.

    step : str, default=""
        Name of the step of the features.

    features : transformer or None, default=None
        Fitted transformer that is applied once to all photos; None if the classifier takes images.
    """

    name: str
    image_size: int
    classifier: Any
    search: Any
    step: str = ""
    features: Any = None


def make_plan(
    model: str | None, params: dict[str, Any] | None, image_size: int | None, seed: int, n_iter: Any
) -> Plan:
    """Divide a model into features that do not depend on the training photos, and a classifier.

    Parameters
    ----------
    model : str or None
        Name of the model; None for the default.

    params : dict or None
        Parameters of the model.

    image_size : int or None
        Height and width of the images in pixels; None for those that the model requires.

    seed : int
        Seed of the model and of the search.

    n_iter : int or None
        Number of parameter combinations to search; None for no search.

    Returns
    -------
    plan : Plan
        Parts of the model.

    Raises
    ------
    FileNotFoundError
        If the weights of a model that was requested by name are unavailable.

    Warns
    -----
    UserWarning
        If the weights of the default model are unavailable, so that another network is used.
    """
    name = DEFAULT_MODEL if model is None else model
    params = params or {}
    estimator = make_model(name, random_state=seed, **params)
    size = image_size or _image_size(estimator)
    search = None
    if n_iter is not None:
        search = make_search(name, n_iter=n_iter, random_state=seed, **params)
    if not isinstance(estimator, Pipeline) or not isinstance(estimator.steps[0][1], _STATELESS):
        return Plan(name, size, estimator, search)
    (step, features), *rest = estimator.steps
    try:
        features.fit(np.zeros((1, size, size, 3), np.uint8))
    except FileNotFoundError as error:
        if model is not None:
            raise
        warnings.warn(
            f"The weights of the default model are unavailable, so that {SMALL!r} takes their "
            "place, which is less accurate. It was trained on clothing-dataset-small: evaluations "
            f"on photos of that data set are optimistic. {error}",
            UserWarning,
            stacklevel=users_level(),
        )
        name, size = f"{name} on {SMALL}", SMALL_SIDE
        features = _small_features()
    classifier = Pipeline(rest)
    if search is not None:
        space = {
            parameter: values
            for parameter, values in search.param_distributions.items()
            if not parameter.startswith(f"{step}__")
        }
        search.set_params(estimator=classifier, param_distributions=space)
    return Plan(name, size, classifier, search, step, features)


def _small_features() -> BackboneFeatures:
    """Return features of the network that is shipped with the package."""
    network = FrozenEstimator(load_pretrained(SMALL))
    return BackboneFeatures(weights=network, pooling="grid", grid=2, power=0.5, mirror=True)


def _image_size(estimator: Any) -> int:
    """Return the height and width of the photos for a model, in pixels."""
    sizes = [
        value
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "image_size" and isinstance(value, int)
    ]
    return max([DEFAULT_IMAGE_SIZE, *sizes])
