"""Networks trained on other images: which parts of them are wanted, and how they are cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fashionkit._backbones.pool import Keyed, freeze
from fashionkit._backbones.records import Record, find_record
from fashionkit._keras_compat import initializer_of
from fashionkit._tensorflow import keras
from fashionkit.datasets._names import choices

LEVELS = ("low", "mid", "high")
LAST = "last"
POOLINGS = ("avg", "max", "grid", "flatten")

# The resolution falls from one stage of a network to the next by about a half.
_NEXT_STAGE = 0.7


@dataclass(frozen=True)
class Backbone(Keyed):
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
    def key(self) -> Hashable:
        """Hashable form, to look compiled networks up by."""
        return freeze((self.source, self.size, self.layers, self.alpha, self.channels))

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

    @property
    def record(self) -> Record | None:
        """The record of a network by name; None for a function."""
        return find_record(self.source) if isinstance(self.source, str) else None

    def build_whole(self, weights: str | None = None) -> Any:
        """Build the network, with weights of Keras or random ones."""
        if isinstance(self.source, str):
            record = find_record(self.source)
            return record.build_whole((*self.size, 3), weights, self.alpha)
        model = self.source((*self.size, self.channels))
        _check_own_network(model, self)
        return model

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
        """Turn images in [0, 1] into what the network was trained on."""
        return images if self.record is None else self.record.preprocess(images * 255.0)

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
            raise ValueError(
                f"layers has {layer!r}, which is not a layer of backbone={self.name!r}; pass some "
                f"of {choices([*LEVELS, LAST])} or the name of a layer: {choices(usable)}."
            ) from None
        if not _is_image(tensor):
            raise ValueError(
                f"layers has {layer!r}, whose output of shape {tensor.shape} is not an image; pass "
                "a layer with height, width and channels."
            )
        return tensor


def name_of(function: Callable) -> str:
    """Return the name of a function, or of what a partial function or an object is made of."""
    inner = getattr(function, "func", function)
    return getattr(inner, "__name__", type(inner).__name__)


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
    layer = backbone.record.level_layers[number] if backbone.record else None
    if layer is not None:
        return whole.get_layer(layer).output
    padding = keras().layers.ZeroPadding2D
    tensors = [
        one.output for one in whole.layers if _is_image(one.output) and not isinstance(one, padding)
    ]
    stages = _number_stages(tensors)
    usable = [one for one in tensors if stages[max(one.shape[1:3])] == number + 2]
    if not usable:
        raise ValueError(
            f"layers has {LEVELS[number]!r}, but backbone={backbone.name!r} does not reduce images "
            f"of {backbone.size} that often; pass a larger image_size, or names of layers."
        )
    return usable[-1]


def _number_stages(tensors: Iterable[Any]) -> dict[int, int]:
    """Return the number of the stage of each side that images have, from 0 for the largest."""
    sides = sorted({max(tensor.shape[1:3]) for tensor in tensors}, reverse=True)
    stage, stages = 0, dict.fromkeys(sides[:1], 0)
    for before, side in pairwise(sides):
        stage += side <= _NEXT_STAGE * before
        stages[side] = stage
    return stages


def stages_behind(model: Any) -> list[int]:
    """Return how many stages lie behind the one of each layer of a network.

    Stages end where the resolution falls by about a half. What lies beside the way through the
    network, such as weights for its channels, counts to the stage that it acts on.

    Parameters
    ----------
    model : keras.Model
        From images to images.

    Returns
    -------
    n_behind : list of int, one for each of ``model.layers``
        0 for the last stage.
    """
    outputs = [keras().tree.flatten(layer.output)[-1] for layer in model.layers]
    stages = _number_stages(filter(_is_image, outputs))
    last = max(stages[max(output.shape[1:3])] for output in model.outputs)
    numbers = []
    # From behind: a smaller image that is followed by a larger one lies beside the way.
    stage = last
    for output in reversed(outputs):
        if _is_image(output):
            stage = min(stage, stages[max(output.shape[1:3])])
        numbers.append(last - stage)
    return numbers[::-1]


def _check_own_network(model: Any, backbone: Backbone) -> None:
    """Check what a user's function has built."""
    if not isinstance(model, keras().Model) or not getattr(model, "inputs", None):
        raise TypeError(
            f"backbone={backbone.name!r} returned {type(model).__name__}, expected a keras.Model "
            "with a known input."
        )
    if any(initializer_of(variable) is None for variable in model.variables):
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
