"""The weights of networks trained on other images: Keras's own, or those of a file."""

from __future__ import annotations

import functools
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fashionkit._backbones.networks import Backbone
from fashionkit._backbones.records import find_record
from fashionkit._backbones.seeded import copy_values, keras_settings, seeded
from fashionkit._images._ranges import users_level
from fashionkit._keras_compat import failed_download, no_layer_left_out

# Addresses that could not be reached, by network, width and size. A download that fails may take
# minutes to do so, and is not tried again in the same process.
_unreachable: dict[tuple[Any, ...], str] = {}


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

    Warns
    -----
    UserWarning
        If Keras cannot get its own weights for this image size, and those for the largest, which
        it has, are used instead.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or Keras cannot get its own and has no others.

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
    size = find_record(backbone.name).size_of_weights(backbone.size)
    key = backbone.name, backbone.alpha, size
    if key not in _unreachable:
        try:
            # Keras draws first weights even where others are loaded, from Python's own generator.
            with seeded(0), keras_settings():
                return _cut_weights(backbone, backbone.build_whole("imagenet"))
        except ValueError as error:
            raise ValueError(
                f"Keras has no ImageNet weights for backbone={backbone.name!r} with "
                f"alpha={backbone.alpha}: {error}"
            ) from error
        except Exception as error:  # Keras raises no other class where a download fails
            address = failed_download(error)
            if address is None:
                raise
            _unreachable[key] = address
    return _without_download(backbone, size, _unreachable[key])


def _without_download(backbone: Backbone, size: int | None, address: str) -> tuple[np.ndarray, ...]:
    """Load, from Keras's folder, weights that it could not download, or those for the largest size.

    They may be there nonetheless: put there since, or Keras cannot write there and looks elsewhere.
    """
    file = address.rpartition("/")[2] or "the weights"
    largest = max(find_record(backbone.name).weights_sizes, default=size)
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras"), "models")
    for candidate in dict.fromkeys((file, file.replace(f"_{size}_", f"_{largest}_"))):
        path = (folder / candidate).expanduser()
        if path.is_file():
            if candidate != file:
                _warn_of_substitute(file, candidate, str(folder), address)
            return _from_file(backbone, str(path), path.stat().st_mtime_ns)
    raise FileNotFoundError(
        f"weights='imagenet' of backbone={backbone.name!r} are unavailable: {file} is not in "
        f"{folder}, and {address} could not be reached. Connect to the internet once, in a new "
        "process; or put that file there (the environment variable KERAS_HOME names another "
        "folder than ~/.keras); or pass the path of a weights file as weights."
    )


@functools.cache
def _warn_of_substitute(file: str, substitute: str, folder: str, address: str) -> None:
    """Say, once in a process, that weights for another size are used."""
    message = (
        f"weights='imagenet': {file} is not in {folder}, and {address} could not be reached; "
        f"{substitute}, which is there, is used instead. To use the weights for this image size, "
        "put that file there, or connect to the internet once, in a new process."
    )
    warnings.warn(message, UserWarning, stacklevel=users_level())


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
