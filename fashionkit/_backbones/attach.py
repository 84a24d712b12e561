"""Keras layers from images to pooled features: a backbone inside another network."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from fashionkit._backbones.networks import Backbone
from fashionkit._images import LUMA
from fashionkit._tensorflow import keras


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
            x = ops.matmul(x, np.array(LUMA, np.float32)[:, np.newaxis])
        x = backbone.preprocess(x)
    maps = inference_layer()(model)(x)
    return (list(maps) if isinstance(maps, list | tuple) else [maps]), names, model


@functools.cache
def inference_layer() -> type:
    """Return the class of layers that are networks in inference mode."""

    @keras().saving.register_keras_serializable("fashionkit")
    class InInferenceMode(keras().Layer):  # type: ignore[misc]
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
        rows = [layers.Flatten()(average_fields(one, grid, keras().ops)) for one in maps]
    else:
        rows = [layers.Flatten()(one) for one in maps]
    return layers.Concatenate()(rows) if len(rows) > 1 else rows[0]


def pooled_shape(shape: tuple[int, ...], pooling: str, grid: int) -> tuple[int, int, int]:
    """Return rows, columns and channels of a map of shape (height, width, channels)."""
    fields = {"avg": 1, "max": 1, "first": 1, "grid": grid}.get(pooling, max(shape))
    return min(shape[0], fields), min(shape[1], fields), shape[2]


def average_fields(maps: Any, grid: int, ops: Any) -> Any:
    """Return the means of fields of maps, computed by ``keras.ops`` or NumPy."""
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
