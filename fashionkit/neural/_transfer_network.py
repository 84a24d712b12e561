"""The network of transfer learning: a backbone, and a head on its features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fashionkit._backbones.attach import attach, inference_layer, join
from fashionkit._backbones.networks import Backbone, stages_behind
from fashionkit._tensorflow import keras
from fashionkit.neural.architectures._pieces import probabilities


def transfer(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    backbone: Backbone,
    channels: str,
    pooling: str,
    grid: int,
    head_units: Sequence[int],
    dropout: float,
    n_tuned: int | None,
) -> Any:
    """Build the network, without the backbone's weights.

    Parameters
    ----------
    input_shape : tuple of int
        Height, width and channels of images with pixels in [0, 1].

    n_classes : int
        Number of classes.

    backbone : Backbone
        The network to build on, which becomes one layer.

    channels : {"repeat", "conv"}
        What makes three channels: repetition, or a trained convolution.

    pooling : {"avg", "max", "grid", "flatten"}
        What is kept of each of the backbone's layers.

    grid : int
        Fields per side for "grid".

    head_units : sequence of int
        Units of the dense layers before the last one.

    dropout : float
        Dropout after each of them, or after the pooling where there are none.

    n_tuned : int or None
        How many of the backbone's last layers are trained; None for all.

    Returns
    -------
    model : keras.Model
        From images to probabilities.
    """
    layers = keras().layers
    inputs = layers.Input(input_shape, name="images")
    make_channels = None
    if channels == "conv":
        make_channels = layers.Conv2D(
            backbone.channels, 3, padding="same", activation="relu", name="channels"
        )
    maps, _, model = attach(inputs, backbone, channels=make_channels)
    if n_tuned is not None:
        for layer in model.layers[: max(0, len(model.layers) - n_tuned)]:
            layer.trainable = False
    outputs = _add_head(join(maps, pooling, grid), n_classes, head_units, dropout)
    return keras().Model(inputs, outputs, name="transfer")


def stages_behind_variables(model: Any) -> list[int]:
    """Return how many stages of the backbone lie behind the one of each trained variable.

    It is 0 for the backbone's last stage, and for what is new: the head, and a convolution that
    makes the channels.
    """
    inference: Any = inference_layer()
    (backbone,) = (layer.network for layer in model.layers if isinstance(layer, inference))
    behind = {
        id(variable): number
        for layer, number in zip(backbone.layers, stages_behind(backbone), strict=True)
        for variable in layer.variables
    }
    return [behind.get(id(variable), 0) for variable in model.trainable_variables]


def head(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    head_units: Sequence[int],
    dropout: float,
) -> Any:
    """Build the head alone, for rows of features that are given as images of one pixel."""
    layers = keras().layers
    inputs = layers.Input(input_shape, name="features")
    rows = layers.Reshape((int(np.prod(input_shape)),), name="rows")(inputs)
    outputs = _add_head(rows, n_classes, head_units, dropout)
    return keras().Model(inputs, outputs, name="head")


def _add_head(rows: Any, n_classes: int, head_units: Sequence[int], dropout: float) -> Any:
    layers = keras().layers
    x = rows
    for depth, units in enumerate(head_units, start=1):
        x = layers.Dense(units, activation="relu", name=f"hidden_{depth}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout_{depth}")(x)
    if dropout and not head_units:
        x = layers.Dropout(dropout, name="dropout")(x)
    return probabilities(x, n_classes)
