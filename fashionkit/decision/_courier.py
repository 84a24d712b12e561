"""Send a model to worker processes once, however many tasks they get."""

from __future__ import annotations

import pickle
import threading
import uuid
from typing import Any

import numpy as np

try:
    import cloudpickle
except ImportError:  # until joblib 1.5, which has it inside
    from joblib.externals import cloudpickle

# Arrays lie in the buffer at multiples of this many bytes, as kernels expect them.
_ALIGNMENT = 64

# The model that this process has unpacked last, by its parcel's name.
_unpacked: dict[str, Any] = {}
_unpacking = threading.Lock()


class Parcel:
    """A model in a form that processes share: its arrays are one array.

    joblib maps a large array into the memory of its worker processes, and Dask sends one to each
    worker once. The process that makes the parcel, and its threads, use the model itself.

    Parameters
    ----------
    model : object
        What is sent.

    Attributes
    ----------
    name : str
        What it is known by in a process.

    head : bytes
        Its pickle, but for the arrays.

    places : list of tuple of int
        Where in the array each buffer of the pickle begins, and how long it is.

    arrays : ndarray of uint8
        The buffers. It is passed beside the parcel: joblib and Dask look for large arrays among
        the arguments of a task.
    """

    def __init__(self, model: Any) -> None:
        self.name = uuid.uuid4().hex
        buffers: list[pickle.PickleBuffer] = []
        self.head = cloudpickle.dumps(model, protocol=5, buffer_callback=buffers.append)
        raw = [buffer.raw() for buffer in buffers]
        self.places = []
        end = 0
        for one in raw:
            start = -(-end // _ALIGNMENT) * _ALIGNMENT
            self.places.append((start, one.nbytes))
            end = start + one.nbytes
        self.arrays = np.zeros(end, np.uint8)
        for (start, size), one in zip(self.places, raw, strict=True):
            self.arrays[start : start + size] = np.frombuffer(one, np.uint8)
        _keep(self.name, model)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "arrays"}

    def unpack(self, arrays: np.ndarray) -> Any:
        """Return the model, which a process unpacks when it needs it first.

        Parameters
        ----------
        arrays : ndarray of uint8
            The attribute `arrays`, as it came to this process.
        """
        with _unpacking:
            if self.name not in _unpacked:
                parts = [arrays[start : start + size] for start, size in self.places]
                _keep(self.name, pickle.loads(self.head, buffers=parts))
            return _unpacked[self.name]

    def forget(self) -> None:
        """Let go of the model in this process."""
        _unpacked.pop(self.name, None)


def _keep(name: str, model: Any) -> None:
    _unpacked.clear()  # one at a time: workers outlive a call
    _unpacked[name] = model
