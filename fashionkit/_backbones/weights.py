"""The weights of networks trained on other images: Keras's own, or those of a file."""

from __future__ import annotations

import functools
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fashionkit._backbones.networks import Backbone
from fashionkit._backbones.seeded import copy_values, keras_settings, seeded
from fashionkit._keras_compat import failed_download, no_layer_left_out


def load_weights(backbone: Backbone, weights: Any) -> tuple[np.ndarray, ...]:
    """Return the weights of the needed part of a network, in the order of its variables.

    Parameters
    ----------
    backbone : Backbone
        One of Keras's networks.

    weights : "imagenet" or path
        Where they come from.

    Returns
    -------
    arrays : tuple of ndarray
        Values of ``model.variables``, where ``model`` is what :meth:`Backbone.build` returns.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or Keras cannot get its own.

    ValueError
        If the file does not fit the network, or the network is a function.
    """
    if not isinstance(backbone.source, str):
        raise ValueError(
            f"weights={weights!r}, but backbone={backbone.name!r} is a function; pass "
            "weights=None, and load its weights inside the function, if it has some."
        )
    if isinstance(weights, str) and weights == "imagenet":
        return _imagenet(backbone)
    path = Path(weights).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f"weights={str(weights)!r} is not a file; pass 'imagenet', the path of a Keras weights "
            "file (.h5, .weights.h5 or .keras), a fitted CNNClassifier, or None for random weights."
        )
    return _from_file(backbone, str(path), path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _imagenet(backbone: Backbone) -> tuple[np.ndarray, ...]:
    try:
        # Keras draws first weights even where others are loaded, from Python's own generator.
        with seeded(0), keras_settings():
            whole = backbone.build_whole("imagenet")
    except ValueError as error:
        raise ValueError(
            f"Keras has no ImageNet weights for backbone={backbone.name!r} with "
            f"alpha={backbone.alpha}: {error}"
        ) from error
    except Exception as error:  # Keras raises no other class where a download fails
        address = failed_download(error)
        if address is None:
            raise
        file = address.rpartition("/")[2] or "the weights"
        folder = os.path.join(os.environ.get("KERAS_HOME", "~/.keras"), "models")
        raise FileNotFoundError(
            f"weights='imagenet' of backbone={backbone.name!r} are unavailable: {file} is not in "
            f"{folder}, and {address} could not be reached. Connect to the internet once; or put "
            "that file there (the environment variable KERAS_HOME names another folder than "
            "~/.keras); or pass the path of a weights file as weights."
        ) from error
    return _cut_weights(backbone, whole)


@functools.lru_cache(maxsize=4)
def _from_file(backbone: Backbone, path: str, modified: int) -> tuple[np.ndarray, ...]:
    try:
        whole = _loaded(backbone, path)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        hint = ""
        # A file that cannot be read at all fits no other width either.
        is_unreadable = isinstance(error, OSError)
        for alpha in backbone.record.alphas if backbone.record and not is_unreadable else ():
            if alpha != backbone.alpha and _fits(replace(backbone, alpha=alpha), path):
                hint = f"; it fits alpha={alpha}"
                break
        raise ValueError(
            f"weights={path!r} does not fit backbone={backbone.name!r} with "
            f"alpha={backbone.alpha}{hint}. A file must hold the weights of that network without "
            f"its top (include_top=False). Keras says: {error}"
        ) from error
    return _cut_weights(backbone, whole)


def _fits(backbone: Backbone, path: str) -> bool:
    try:
        _loaded(backbone, path)
    except Exception:  # whatever is wrong with it
        return False
    return True


def _loaded(backbone: Backbone, path: str) -> Any:
    """Build the network and load its weights, all of them."""
    with seeded(0), keras_settings():
        model = backbone.build_whole()
    # Keras only warns of layers that a file in its newer format lacks, and leaves them as they
    # were drawn.
    with no_layer_left_out():
        model.load_weights(path)
    return model


def _cut_weights(backbone: Backbone, whole: Any) -> tuple[np.ndarray, ...]:
    model, _ = backbone.build(whole)
    arrays = copy_values(model.variables)
    for variable, array in zip(model.variables, arrays, strict=True):
        if variable.name.endswith("seed_generator_state"):
            array[...] = 0  # drawn by Keras, and of no use in inference mode
        array.flags.writeable = False  # shared by all who ask
    return tuple(arrays)
