"""Networks trained elsewhere, one record each: how it is built, fed, cut and where weights fit.

To add a network, add a record to ``RECORDS``. A function of ``keras.applications`` that has no
record gets one with the defaults.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fashionkit._keras_compat import any_input_size
from fashionkit._tensorflow import keras
from fashionkit.datasets._names import choices


@dataclass(frozen=True)
class Record:
    """A network by its name.

    Parameters
    ----------
    name : str
        Its name, in small letters.

    build : callable
        ``(input_shape, weights, **options)``, which returns a ``keras.Model`` without its top,
        with the weights "imagenet" or, for None, random ones. ``options`` is empty, or holds
        ``alpha`` where there are ``alphas``.

    preprocess : callable
        Turns RGB images in [0, 255] into what the network was trained on, in operations of Keras.

    smallest_side : int, default=32
        Smallest height and width that it takes.

    alphas : tuple of float, default=()
        Widths that there are weights for; empty where it has one width only.

    weights_sizes : tuple of int, default=()
        Sizes of square images that Keras has a file of weights for; the largest serves all other
        sizes. Empty where one file serves all sizes.

    level_layers : tuple of str or None, default=(None, None, None)
        Layers of the levels "low", "mid" and "high"; None where the level is the last output
        before the resolution falls, as it is not in networks that reduce it in several branches.
    """

    name: str
    build: Callable[..., Any]
    preprocess: Callable[[Any], Any]
    smallest_side: int = 32
    alphas: tuple[float, ...] = ()
    weights_sizes: tuple[int, ...] = ()
    level_layers: tuple[str | None, str | None, str | None] = (None, None, None)

    def build_whole(self, input_shape: tuple[int, int, int], weights: Any, alpha: float) -> Any:
        """Build the network without its top."""
        options = {"alpha": alpha} if self.alphas else {}
        # For sizes without weights of their own those for 224 pixels are used, as documented.
        with any_input_size():
            return self.build(input_shape, weights, **options)

    def size_of_weights(self, size: tuple[int, int]) -> int | None:
        """Return the size that Keras's weights for a size are of; None where one serves all."""
        is_one = size[0] == size[1] and size[0] in self.weights_sizes
        return size[0] if is_one else max(self.weights_sizes, default=None)


def of_keras(name: str, **facts: Any) -> Record:
    """Return the record of a network of ``keras.applications``, given by its name."""

    def build(input_shape: tuple[int, int, int], weights: Any, **options: Any) -> Any:
        return _applications()[name](
            include_top=False, weights=weights, input_shape=input_shape, **options
        )

    def preprocess(images: Any) -> Any:
        return sys.modules[_applications()[name].__module__].preprocess_input(images)

    return Record(name, build, preprocess, **facts)


_RESNET50V2_LEVELS = (
    "conv2_block3_preact_relu",
    "conv3_block4_preact_relu",
    "conv4_block6_preact_relu",
)

RECORDS: dict[str, Record] = {
    record.name: record
    for record in (
        of_keras("mobilenet", alphas=(0.25, 0.5, 0.75, 1.0), weights_sizes=(128, 160, 192, 224)),
        of_keras(
            "mobilenetv2",
            alphas=(0.35, 0.5, 0.75, 1.0, 1.3, 1.4),
            weights_sizes=(96, 128, 160, 192, 224),
        ),
        of_keras("mobilenetv3small", alphas=(0.75, 1.0)),
        of_keras("mobilenetv3large", alphas=(0.75, 1.0)),
        of_keras("resnet50v2", level_layers=_RESNET50V2_LEVELS),
        of_keras("densenet121", level_layers=("pool2_relu", "pool3_relu", "pool4_relu")),
        of_keras("inceptionv3", smallest_side=75, level_layers=(None, "mixed2", "mixed7")),
        of_keras("inceptionresnetv2", smallest_side=75),
        of_keras("xception", smallest_side=71),
    )
}


def find_record(name: str) -> Record:
    """Return the record of a network.

    Parameters
    ----------
    name : str
        The network's name.

    Returns
    -------
    record : Record
        Its record.

    Raises
    ------
    ValueError
        If there is no such network.
    """
    if name in RECORDS:
        return RECORDS[name]
    if name not in _applications():
        raise ValueError(
            f"backbone={name!r} is not known; pass one of {choices({*_applications(), *RECORDS})}, "
            "or a function (input_shape) -> keras.Model for RGB images in [0, 1]."
        )
    return of_keras(name)


@functools.cache
def _applications() -> dict[str, Callable]:
    """Return the functions of Keras that build networks, by their names in small letters."""
    applications = keras().applications
    found = {name: getattr(applications, name) for name in dir(applications)}
    return {name.lower(): value for name, value in found.items() if inspect.isfunction(value)}
