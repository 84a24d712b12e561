"""Last feature maps and probabilities of a network, in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fashionkit._backbones.networks import Backbone
from fashionkit._backbones.pool import pool
from fashionkit._backbones.seeded import CompiledModel, SeededModel, copy_values
from fashionkit._tensorflow import keras

# Maximum number of rows and columns of maps that are flattened, as positions matter in small
# images. Larger maps are averaged over positions, as in the networks for photos.
LARGEST_FLAT_MAP = 4


class Outputs(NamedTuple):
    """Last feature maps, as rows, and probabilities of some images."""

    maps: np.ndarray
    probabilities: np.ndarray


def bind_network(classifier: Any) -> Callable[[np.ndarray], Outputs]:
    """Return a function from images to the last maps of a network and its probabilities.

    Parameters
    ----------
    classifier : BackboneSource
        A fitted neural classifier.

    Returns
    -------
    call : callable
        Thread-safe function from float32 images in [0, 1] to maps of shape (n_samples, n_values)
        and probabilities of shape (n_samples, n_classes). It copies the current weights.
    """
    source, network = classifier._backbone_source()
    compiled = pool.share(("maps and outputs", source.key), lambda: _Compiled(source))
    n_classes = len(classifier.classes_)
    n_outputs = network.output_shape[1]
    call = compiled.bind_in_order(copy_values(network.variables))

    def run(images: np.ndarray) -> Outputs:
        rows = call(images)
        # If the network has outputs other than those of the classes, the classes come last.
        return Outputs(rows[:, :-n_outputs], rows[:, -n_classes:])

    return run


class _Compiled(CompiledModel):
    """Network compiled to return its last maps and its outputs, concatenated."""

    def __init__(self, source: Any):
        backbone = Backbone(source, source.size, channels=source.channels)
        whole = SeededModel(backbone.build_whole).model
        tensor = backbone.build(whole)[0].outputs[0]
        is_large, n_values = max(tensor.shape[1:3]) > LARGEST_FLAT_MAP, math.prod(tensor.shape[1:])
        both = keras().Model(whole.inputs[0], [tensor, whole.outputs[0]])

        def run(images: Any) -> Any:
            ops = keras().ops
            maps, outputs = both(images, training=False)
            rows = ops.mean(maps, axis=(1, 2)) if is_large else ops.reshape(maps, (-1, n_values))
            return ops.concatenate([rows, outputs], axis=1)

        super().__init__(whole, run)
        variables = [*whole.trainable_variables, *whole.non_trainable_variables]
        positions = {id(variable): position for position, variable in enumerate(whole.variables)}
        self._order = [positions[id(variable)] for variable in variables]

    def bind_in_order(self, arrays: list[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function with weights in the order of ``network.variables``."""
        return self.bind([arrays[position] for position in self._order])
