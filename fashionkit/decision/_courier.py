"""Transfer of a model to worker processes, once for any number of tasks."""

from __future__ import annotations

import pickle
import threading
import uuid
from typing import Any

import numpy as np

try:
    import cloudpickle
except ImportError:  # joblib before 1.5 vendors it
    from joblib.externals import cloudpickle

# Alignment in bytes of each array in the common buffer, as numerical kernels expect.
_ALIGNMENT = 64

# The model that this process unpacked last, by the name of its parcel.
_unpacked: dict[str, Any] = {}
_unpacking = threading.Lock()


class Parcel:
    """Pickled model whose arrays are one array that processes can share.

    joblib memory-maps a large array in its worker processes, and Dask sends it to each worker once.
    The process that makes the parcel, including its threads, uses the model itself.

    Parameters
    ----------
    model : object
        Model to transfer.

    Attributes
    ----------
    name : str
        Unique identifier of the parcel.

    head : bytes
        Pickle without the arrays.

    places : list of (int, int)
        Start and length in bytes of each array in ``arrays``.

    arrays : ndarray of shape (n_bytes,), dtype=uint8
        Content of the arrays. It must be passed beside the parcel, because joblib and Dask look for
        large arrays among the arguments of a task.
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
        """Return the model, which is unpacked on the first call in a process.

        Parameters
        ----------
        arrays : ndarray of shape (n_bytes,), dtype=uint8
            Attribute ``arrays``, as received by this process.

        Returns
        -------
        model : object
            The model.
        """
        with _unpacking:
            if self.name not in _unpacked:
                parts = [arrays[start : start + size] for start, size in self.places]
                _keep(self.name, pickle.loads(self.head, buffers=parts))
            return _unpacked[self.name]

    def forget(self) -> None:
        """Release the model in this process."""
        _unpacked.pop(self.name, None)


def _keep(name: str, model: Any) -> None:
    _unpacked.clear()  # at most one model, because workers outlive a call
    _unpacked[name] = model
