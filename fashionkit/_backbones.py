"""Networks trained on other images: how they are built, cut and fed."""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

from fashionkit._seeded import copy_values
from fashionkit._tensorflow import keras

LEVELS = ("low", "mid", "high")
LAST = "last"
POOLINGS = ("avg", "max", "grid", "flatten")

# The last layers with an eighth of the resolution and so on, where these are not simply those that
# come last, as in networks that reduce it in several branches.
_LEVEL_LAYERS = {
    "resnet50v2": (
        "conv2_block3_preact_relu",
        "conv3_block4_preact_relu",
        "conv4_block6_preact_relu",
    ),
    "densenet121": ("pool2_relu", "pool3_relu", "pool4_relu"),
    "inceptionv3": (None, "mixed2", "mixed7"),
}
_SMALLEST_SIDES = {"inceptionv3": 75, "inceptionresnetv2": 75, "xception": 71}
_SMALLEST_SIDE = 32
# Widths that Keras has weights for.
ALPHAS = {"mobilenetv2": (0.35, 0.5, 0.75, 1.0, 1.3, 1.4), "mobilenet": (0.25, 0.5, 0.75, 1.0)}
ALPHAS |= dict.fromkeys(("mobilenetv3small", "mobilenetv3large"), (0.75, 1.0))

# The resolution falls from one stage of a network to the next by about a half.
_NEXT_STAGE = 0.7


@dataclass(frozen=True)
class Backbone:
    """A network without its weights, and how much of it is wanted.

    Parameters
    ----------
    source : str or callable
        The name of one of Keras's networks, in small letters; or a function that builds a
        ``keras.Model`` for RGB images in [0, 1] from the shape of its input.

    size : tuple of int
        Height and width that images are resized to.

    layers : tuple of str, default=None
        Layers whose outputs are wanted; None for the network's own output.

    alpha : float, default=1.0
        Width of the network.

    channels : int, default=3
        Channels that the network takes: 1 or 3.
    """

    source: str | Callable
    size: tuple[int, int]
    layers: tuple[str, ...] | None = None
    alpha: float = 1.0
    channels: int = 3

    @property
    def name(self) -> str:
        """What errors call the network."""
        return self.source if isinstance(self.source, str) else name_of(self.source)

    @property
    def layer_name(self) -> str:
        """What the layer is called that the network becomes where it is built on."""
        if isinstance(self.source, str):
            return self.source
        return "backbone_" + re.sub(r"[^A-Za-z0-9_.]", "_", self.name)

    @property
    def n_values(self) -> int:
        """Values of an image of the network's size."""
        return self.channels * self.size[0] * self.size[1]

    def build_whole(self, weights: str | None = None) -> Any:
        """Build the network, with weights of Keras or random ones."""
        if not isinstance(self.source, str):
            model = self.source((*self.size, self.channels))
            _check_own_network(model, self)
            return model
        options = {"alpha": self.alpha} if self.source in ALPHAS else {}
        with warnings.catch_warnings():
            # For sizes without weights of their own those for 224 pixels are used, as documented.
            warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
            return _builder(self.source)(
                include_top=False, weights=weights, input_shape=(*self.size, 3), **options
            )

    def build(self, whole: Any = None) -> tuple[Any, list[str]]:
        """Build the part of the network that is needed.

        Parameters
        ----------
        whole : keras.Model, default=None
            The network to take it from; by default a new one.

        Returns
        -------
        model : keras.Model
            From preprocessed images to the outputs of the layers, in the order asked for.

        names : list of str
            What the layers were called when asked for.
        """
        whole = self.build_whole() if whole is None else whole
        names = [LAST] if self.layers is None else list(self.layers)
        tensors = [self._find(whole, layer) for layer in names]
        return keras().Model(whole.inputs[0], tensors, name=self.layer_name), names

    def preprocess(self, images: Any) -> Any:
        """Turn images in [0, 1] into what the network was trained on, by Keras's own function."""
        if not isinstance(self.source, str):
            return images
        return sys.modules[_builder(self.source).__module__].preprocess_input(images * 255.0)

    def _find(self, whole: Any, layer: str) -> Any:
        """Return the output of a layer, given by its name or level."""
        if layer == LAST:
            return _last_image(whole, self)
        if layer in LEVELS:
            return _level(whole, self, LEVELS.index(layer))
        try:
            tensor = whole.get_layer(layer).output
        except ValueError:
            usable = [one.name for one in whole.layers if _is_image(one.output)]
            levels = ", ".join(map(repr, (*LEVELS, LAST)))
            raise ValueError(
                f"layers has {layer!r}, which is no layer of backbone={self.name!r}; pass some of "
                f"{levels} or the name of a layer: {', '.join(usable)}."
            ) from None
        if not _is_image(tensor):
            raise ValueError(
                f"layers has {layer!r}, whose output of shape {tensor.shape} is no image; pass a "
                "layer with height, width and channels."
            )
        return tensor


def name_of(function: Callable) -> str:
    """Return the name of a function, or of what a partial function or an object is made of."""
    inner = getattr(function, "func", function)
    return getattr(inner, "__name__", type(inner).__name__)


def check_backbone(
    source: Any,
    weights: Any,
    image_shape: tuple[int, int, int],
    *,
    layers: Any,
    alpha: float,
    input_size: Any,
) -> tuple[Backbone, list[np.ndarray] | None]:
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

    input_size : int, tuple of int or None
        Size that images are resized to; None for their own, but no smaller than the network
        can take.

    Returns
    -------
    backbone : Backbone
        What is wanted, hashable.

    arrays : list of ndarray or None
        The weights of the classifier, where there is one, as
        :func:`~fashionkit._backbone_weights.load_weights` returns them.

    Raises
    ------
    ValueError
        If there is no such network, or it cannot have this size or width, or the classifier is
        not a fitted one.
    """
    names = (layers,) if isinstance(layers, str) else layers
    if names is not None:
        names = tuple(map(str, names))
        if not names or len(set(names)) < len(names):
            raise ValueError(
                f"layers={layers!r}, expected names of layers, none of them twice; or None for "
                "the last."
            )
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
        _builder(source)
        least = _SMALLEST_SIDES.get(source, _SMALLEST_SIDE)
        if alpha != 1.0 and source not in ALPHAS:
            raise ValueError(
                f"alpha={alpha!r}, but backbone={source!r} has one width only; pass alpha=1.0, or "
                f"one of the backbones {', '.join(map(repr, ALPHAS))}."
            )
    size = input_size
    if size is None:
        size = tuple(max(least, side) for side in image_shape[:2])
    elif isinstance(size, Integral):
        size = (size, size)
    if len(size) != 2 or not all(isinstance(side, Integral) and side >= least for side in size):
        raise ValueError(
            f"input_size={input_size!r}, expected a whole number of at least {least} pixels, "
            "which the backbone needs, or a pair (height, width) of them."
        )
    return Backbone(source, tuple(map(int, size)), names, float(alpha)), None


def _of_classifier(
    classifier: Any, layers: tuple[str, ...] | None
) -> tuple[Backbone, list[np.ndarray]]:
    """Return the network of a fitted neural classifier, and its weights."""
    inner = classifier.estimator if isinstance(classifier, FrozenEstimator) else classifier
    trained = getattr(inner, "_network", None)
    if trained is None:
        raise ValueError(
            f"weights={inner!r} is no fitted neural classifier; fit a CNNClassifier first, and "
            "wrap it in sklearn.frozen.FrozenEstimator where transformers are cloned, as in a "
            "search: clones of estimators are not fitted."
        )
    backbone = Backbone(
        trained.source, trained.source.size, layers, channels=trained.source.channels
    )
    model, _ = backbone.build(trained.keras_model())
    return backbone, copy_values(model.variables)


def attach(
    inputs: Any, backbone: Backbone, *, channels: Any = None
) -> tuple[list[Any], list[str], Any]:
    """Lead images through a backbone.

    Parameters
    ----------
    inputs : keras.KerasTensor of shape (None, height, width, channels)
        Images in [0, 1].

    backbone : Backbone
        Where to lead them. It becomes one layer, whose normalisations use their stored
        statistics always.

    channels : keras.Layer, default=None
        What makes the input of the network from images of its size, in place of repeated
        channels and Keras's preprocessing.

    Returns
    -------
    maps : list of keras.KerasTensor
        The outputs of the layers asked for.

    names : list of str
        What they were called.

    model : keras.Model
        The layer that the backbone has become.
    """
    layers, ops = keras().layers, keras().ops
    model, names = backbone.build()
    x = inputs
    if tuple(x.shape[1:3]) != backbone.size:
        if backbone.size[0] < x.shape[1] or backbone.size[1] < x.shape[2]:
            x = ops.image.resize(x, backbone.size, interpolation="bilinear", antialias=True)
        else:
            x = layers.Resizing(*backbone.size, name="resize")(x)
    if channels is not None:
        x = channels(x)
    else:
        if x.shape[-1] < backbone.channels:
            x = layers.Concatenate(name="repeat")([x] * backbone.channels)
        elif x.shape[-1] > backbone.channels:
            x = ops.matmul(x, np.array([[0.299], [0.587], [0.114]], np.float32))  # ITU-R BT.601
        x = backbone.preprocess(x)
    maps = _inference_layer()(model)(x)
    return (list(maps) if isinstance(maps, list | tuple) else [maps]), names, model


@functools.cache
def _inference_layer() -> type:
    """Return the class of layers that are networks in inference mode."""

    @keras().saving.register_keras_serializable("fashionkit")
    class InInferenceMode(keras().Layer):
        # Not ``model(x, training=False)`` in the outer network: Keras overrides that argument with
        # the outer network's mode, and normalisations would use the statistics of each batch.

        def __init__(self, network, **kwargs):
            super().__init__(**{"name": network.name, **kwargs})
            self.network = network

        def call(self, images):
            return self.network(images, training=False)

        def get_config(self):
            network = keras().saving.serialize_keras_object(self.network)
            return {**super().get_config(), "network": network}

        @classmethod
        def from_config(cls, config):
            network = keras().saving.deserialize_keras_object(config.pop("network"))
            return cls(network, **config)

    return InInferenceMode


def join(maps: Sequence[Any], pooling: str, grid: int) -> Any:
    """Pool maps of shape (n, height, width, channels) and lay them side by side, as rows.

    "grid" takes the means of ``grid`` by ``grid`` fields, which overlap by a pixel where a side
    cannot be divided; of fewer fields where a side is shorter.
    """
    layers = keras().layers
    if pooling == "avg":
        rows = [layers.GlobalAveragePooling2D()(one) for one in maps]
    elif pooling == "max":
        rows = [layers.GlobalMaxPooling2D()(one) for one in maps]
    elif pooling == "grid":
        rows = [layers.Flatten()(_average_fields(one, grid)) for one in maps]
    else:
        rows = [layers.Flatten()(one) for one in maps]
    return layers.Concatenate()(rows) if len(rows) > 1 else rows[0]


def pooled_shape(shape: tuple[int, ...], pooling: str, grid: int) -> tuple[int, int, int]:
    """Return rows, columns and channels of a map of shape (height, width, channels)."""
    fields = {"avg": 1, "max": 1, "grid": grid}.get(pooling, max(shape))
    return min(shape[0], fields), min(shape[1], fields), shape[2]


def _average_fields(maps: Any, grid: int) -> Any:
    ops = keras().ops
    for axis in (1, 2):
        side = maps.shape[axis]
        if side <= grid:
            continue
        begins = [field * side // grid for field in range(grid)]
        ends = [-(-(field + 1) * side // grid) for field in range(grid)]
        fields = [
            ops.mean(maps[:, a:b] if axis == 1 else maps[:, :, a:b], axis=axis, keepdims=True)
            for a, b in zip(begins, ends, strict=True)
        ]
        maps = ops.concatenate(fields, axis=axis)
    return maps


@functools.cache
def _builders() -> dict[str, Callable]:
    """Return the functions of Keras that build networks, by their names in small letters."""
    applications = keras().applications
    found = {name: getattr(applications, name) for name in dir(applications)}
    return {name.lower(): value for name, value in found.items() if inspect.isfunction(value)}


def _builder(name: str) -> Callable:
    if name not in _builders():
        raise ValueError(
            f"backbone={name!r} is not known; pass one of {', '.join(sorted(_builders()))}, or a "
            "function (input_shape) -> keras.Model for RGB images in [0, 1]."
        )
    return _builders()[name]


def _last_image(whole: Any, backbone: Backbone) -> Any:
    if _is_image(whole.outputs[0]):
        return whole.outputs[0]
    given = [id(tensor) for tensor in whole.inputs]
    tensors = [tensor for tensor in _images(whole) if id(tensor) not in given]
    if not tensors:
        raise ValueError(
            f"backbone={backbone.name!r} has no layer whose output is an image; there are no "
            "features to take from it."
        )
    return tensors[-1]


def _images(whole: Any) -> list[Any]:
    """Return all outputs of layers that are images, also of layers with several outputs."""
    outputs = [tensor for layer in whole.layers for tensor in keras().tree.flatten(layer.output)]
    return [tensor for tensor in outputs if _is_image(tensor)]


def _is_image(tensor: Any) -> bool:
    return len(getattr(tensor, "shape", ())) == 4


def _level(whole: Any, backbone: Backbone, number: int) -> Any:
    """Return the last output before the resolution falls to an 8th, 16th or 32nd of the input's."""
    layer = (_LEVEL_LAYERS.get(backbone.source) or [None] * 3)[number]
    if layer is not None:
        return whole.get_layer(layer).output
    padding = keras().layers.ZeroPadding2D
    tensors = [
        one.output for one in whole.layers if _is_image(one.output) and not isinstance(one, padding)
    ]
    sides = sorted({max(tensor.shape[1:3]) for tensor in tensors}, reverse=True)
    stage, stages = 0, {sides[0]: 0}
    for before, side in pairwise(sides):
        stage += side <= _NEXT_STAGE * before
        stages[side] = stage
    usable = [one for one in tensors if stages[max(one.shape[1:3])] == number + 2]
    if not usable:
        raise ValueError(
            f"layers has {LEVELS[number]!r}, but backbone={backbone.name!r} does not reduce images "
            f"of {backbone.size} that often; pass a larger input_size, or names of layers."
        )
    return usable[-1]


def _check_own_network(model: Any, backbone: Backbone) -> None:
    """Check what a user's function has built."""
    if not isinstance(model, keras().Model) or not getattr(model, "inputs", None):
        raise TypeError(
            f"backbone={backbone.name!r} returned {type(model).__name__}, expected a keras.Model "
            "with a known input."
        )
    if any(getattr(variable, "_initializer", None) is None for variable in model.variables):
        raise ValueError(
            f"backbone={backbone.name!r} returned a model with layers made outside of it; make "
            "all layers inside: clone a network that you have by keras.models.clone_model, and "
            "copy its weights by set_weights."
        )
    expected = (None, *backbone.size, backbone.channels)
    if len(model.inputs) != 1 or tuple(model.inputs[0].shape) != expected:
        raise ValueError(
            f"backbone={backbone.name!r} returned a model whose input has the shape "
            f"{tuple(model.inputs[0].shape)}, expected {expected}."
        )
