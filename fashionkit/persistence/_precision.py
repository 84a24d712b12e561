"""Half precision for the kernels of networks in files."""

from __future__ import annotations

from typing import Any

import numpy as np

from fashionkit.features import BackboneFeatures
from fashionkit.neural._core.inference import TrainedNetwork
from fashionkit.persistence._meaning import iterate_parts

# Classes that hold weights of networks, and the attributes that are lists of arrays.
_HOLDERS = {TrainedNetwork: ("trainable", "non_trainable"), BackboneFeatures: ("_arrays",)}


def narrowed(kind: type, state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of an object with its kernels in half precision.

    Kernels are arrays of at least two dimensions, which take nearly all bytes. Biases and the
    statistics of normalisations remain in single precision, as do kernels with values beyond the
    range of float16, 65,504.

    Parameters
    ----------
    kind : type
        Class of the object.

    state : dict
        State of the object.

    Returns
    -------
    state : dict
        State with kernels in float16.
    """
    names = [name for name in _HOLDERS.get(kind, ()) if name in state]
    return {**state, **{name: [_narrow(one) for one in state[name]] for name in names}}


def widen(estimator: Any) -> None:
    """Convert all kernels of a loaded estimator to single precision, in place."""
    for part in iterate_parts(estimator):
        for name in _HOLDERS.get(type(part), ()):
            arrays = vars(part).get(name)
            if isinstance(arrays, list):
                setattr(part, name, [_widen(one) for one in arrays])


def _narrow(array: np.ndarray) -> np.ndarray:
    is_kernel = array.ndim >= 2 and array.dtype == np.float32
    if not is_kernel or np.abs(array).max(initial=0) > np.finfo(np.float16).max:
        return array
    return array.astype(np.float16)


def _widen(array: Any) -> Any:
    is_half = isinstance(array, np.ndarray) and array.dtype == np.float16
    return array.astype(np.float32) if is_half else array
