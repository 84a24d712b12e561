"""Compiled feature extraction: built once per kind, whoever's weights it is used with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fashionkit._backbones.attach import attach, join, pooled_shape
from fashionkit._backbones.networks import Backbone
from fashionkit._backbones.pool import pool
from fashionkit._backbones.seeded import CompiledModel, SeededModel
from fashionkit._tensorflow import keras

# Values of a batch's images: few enough that what the network makes of them fits into the
# processor's caches and memory, many enough to keep its cores busy.
_VALUES_PER_BATCH = 2**21


def images_per_batch(backbone: Backbone) -> int:
    """Return how many images go through a network at a time."""
    return max(1, _VALUES_PER_BATCH // backbone.n_values)


def within(dtype: Any, values: np.ndarray) -> np.ndarray:
    """Limit values to those that a type has, which are few in half precision."""
    largest = np.finfo(dtype).max
    return values if dtype == np.float32 else np.clip(values, -largest, largest)


class Extractor:
    """A compiled network from images to features, which takes the weights it uses.

    Parameters
    ----------
    backbone : Backbone
        What to compile.

    image_shape : tuple of int
        Height, width and channels of the images.

    pooling : {"avg", "max", "grid", "flatten"}
        What is kept of each layer's output.

    grid : int
        Fields per side for "grid".

    Attributes
    ----------
    names : list of str
        What the layers were called.

    shapes : list of tuple of int
        Rows, columns and channels of the features of each layer.
    """

    def __init__(
        self, backbone: Backbone, image_shape: tuple[int, int, int], pooling: str, grid: int
    ):
        def build() -> Any:
            inputs = keras().Input(image_shape)
            maps, self.names, _ = attach(inputs, backbone)
            self.shapes = [pooled_shape(one.shape[1:], pooling, grid) for one in maps]
            return keras().Model(inputs, join(maps, pooling, grid))

        self._seeded = SeededModel(build)
        self._compiled = CompiledModel(self._seeded.model)
        self.n_bytes = self._compiled.n_bytes

    @property
    def n_features(self) -> int:
        """Features of each image."""
        return self._seeded.model.output_shape[1]

    @property
    def n_variables(self) -> int:
        """Variables of the network."""
        return len(self._seeded.model.variables)

    def first_weights(self, seed: int) -> list[np.ndarray]:
        """Return random weights, in the order of the network's variables."""
        return self._seeded.first_weights(seed)

    def bind(self, arrays: list[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function from float32 images in [0, 1] to features, with these weights."""
        model = self._seeded.model
        by_variable = dict(zip(map(id, model.variables), arrays, strict=True))
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        return self._compiled.bind([by_variable[id(variable)] for variable in variables])


def borrow_extractor(
    backbone: Backbone, image_shape: tuple[int, int, int], pooling: str, grid: int
) -> Extractor:
    """Return the extractor for these arguments, made where there is none."""
    key = "extractor", backbone.key, image_shape, pooling, grid
    return pool.share(key, lambda: Extractor(backbone, image_shape, pooling, grid))
