"""The parameters of estimators that name a network: how they are checked and resolved."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from fashionkit._backbones.networks import Backbone
from fashionkit._backbones.pool import Keyed
from fashionkit._backbones.records import RECORDS, find_record
from fashionkit._backbones.seeded import copy_values
from fashionkit._backbones.unwrap import unwrapped
from fashionkit.datasets._names import choices


class BackboneSource(ABC):
    """Base of estimators whose fitted network can be the backbone of another estimator."""

    @abstractmethod
    def _backbone_source(self) -> tuple[Any, Any] | None:
        """Return how the network is built, and the network itself.

        Returns
        -------
        source : callable
            Builds the network from the shape of its input, and has the attributes ``size``
            (height and width) and ``channels`` of its images.

        model : keras.Model
            The fitted network. None in place of both where nothing is fitted yet.
        """


def check_backbone(
    source: Any,
    weights: Any,
    image_shape: tuple[int, int, int],
    *,
    layers: Any,
    alpha: float,
    image_size: Any,
) -> tuple[Backbone, Sequence[np.ndarray] | None]:
    """Resolve the parameters that say which network is wanted, and how much of it.

    Parameters
    ----------
    source : str or callable
        As in :class:`Backbone`.

    weights : str, path, classifier or None
        Where its weights come from. A fitted classifier is source and weights in one.

    image_shape : tuple of int
        Shape of the images.

    layers : str, sequence of str or None
        Names of layers, or levels.

    alpha : float
        Width of the network.

    image_size : int, tuple of int or None
        Size that images are resized to; None for their own, but no smaller than the network
        can take.

    Returns
    -------
    backbone : Backbone
        What is wanted, hashable.

    arrays : list of ndarray or None
        The weights of the classifier, where there is one, as
        :func:`~fashionkit._backbones.weights.load_weights` returns them.

    Raises
    ------
    ValueError
        If there is no such network, or it cannot have this size or width, or the classifier is
        not a fitted one.
    """
    names = check_layers(layers)
    if isinstance(weights, BaseEstimator):
        return _of_classifier(weights, names)
    if weights is not None and not isinstance(weights, str | os.PathLike):
        raise TypeError(
            f"weights={weights!r}, expected 'imagenet', the path of a file, a fitted "
            "CNNClassifier, or None for random weights."
        )
    least = 1
    if isinstance(source, str):
        source = source.lower()
        record = find_record(source)
        least = record.smallest_side
        if alpha != 1.0 and not record.alphas:
            several = choices(name for name, other in RECORDS.items() if other.alphas)
            raise ValueError(
                f"alpha={alpha!r}, but backbone={source!r} has one width only; pass alpha=1.0, or "
                f"one of the backbones {several}."
            )
    if image_size is None:
        size = max(least, image_shape[0]), max(least, image_shape[1])
    else:
        size = check_size(image_size, least, "image_size")
    return Backbone(source, size, names, float(alpha)), None


def check_layers(layers: Any) -> tuple[str, ...] | None:
    """Return names of layers, given by one or several; None for the last layer."""
    if layers is None:
        return None
    names = (layers,) if isinstance(layers, str) else tuple(map(str, layers))
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"layers={layers!r}, expected names of layers, none of them twice; or None for "
            "the last."
        )
    return names


def resize_backbone(backbone: Backbone, image_size: Any, name: str) -> Backbone:
    """Return the same network for images of another size.

    Parameters
    ----------
    backbone : Backbone
        The network.

    image_size : int or tuple of int
        The size that its images are resized to.

    name : str
        What the user calls the size.

    Raises
    ------
    ValueError
        If the network cannot have this size.
    """
    record = backbone.record
    if record is None and isinstance(backbone.source, Keyed):
        raise ValueError(
            f"{name}={image_size!r}, but weights is a fitted classifier, whose network has the "
            f"size of its images, {backbone.size}; pass {name}=None."
        )
    size = check_size(image_size, 1 if record is None else record.smallest_side, name)
    return replace(backbone, size=size)


def check_size(image_size: Any, least: int, name: str) -> tuple[int, int]:
    """Return height and width, given by one number or two; fewer than ``least`` are refused."""
    size = (image_size, image_size) if isinstance(image_size, Integral) else image_size
    if len(size) != 2 or not all(isinstance(side, Integral) and side >= least for side in size):  # type: ignore[operator]
        raise ValueError(
            f"{name}={image_size!r}, expected a whole number of at least {least} pixels, which "
            "the backbone needs, or a pair (height, width) of them."
        )
    height, width = map(int, size)
    return height, width


def _of_classifier(
    classifier: Any, layers: tuple[str, ...] | None
) -> tuple[Backbone, list[np.ndarray]]:
    """Return the network of a fitted neural classifier, and its weights."""
    inner = unwrapped(classifier)
    found = inner._backbone_source() if isinstance(inner, BackboneSource) else None
    if found is None:
        raise ValueError(
            f"weights={inner!r} is not a fitted neural classifier; fit a CNNClassifier first, and "
            "wrap it in sklearn.frozen.FrozenEstimator where transformers are cloned, as in a "
            "search: clones of estimators are not fitted."
        )
    source, network = found
    backbone = Backbone(source, source.size, layers, channels=source.channels)
    model, _ = backbone.build(network)
    return backbone, copy_values(model.variables)
