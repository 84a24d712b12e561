"""Read IDX files, the format in which MNIST and Fashion-MNIST are published."""

import gzip
import math
import os
import zlib
from typing import BinaryIO

import numpy as np

# The third byte of an IDX file says the type of its values, all big-endian.
_DTYPES: dict[int, np.dtype] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_CHUNK_BYTES = 2**20

_Stream = BinaryIO | gzip.GzipFile


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an IDX file, optionally gzipped, into an array.

    Whether the file is gzipped is decided by its first bytes, not by its name.

    Parameters
    ----------
    path : str or path-like
        File to read.

    Returns
    -------
    array : ndarray
        Values in the shape given by the file's header, in native byte order. The dtype is that of
        the file: uint8, int8, int16, int32, float32 or float64. The array owns its memory and is
        writable.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, is not an IDX file, is a truncated or corrupt
        gzip file, or holds more or fewer values than its header says.

    See Also
    --------
    fetch_fashion_mnist : Fashion-MNIST, downloaded if necessary.

    Notes
    -----
    An IDX file is two zero bytes, one byte for the type, one byte for the number of dimensions,
    each dimension as a big-endian 32-bit integer, then the values in row-major order [1]_. Memory
    is allocated only for values that the file contains, whatever its header says.

    References
    ----------
    .. [1] Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten
       digits", section "The IDX file format",
       http://yann.lecun.com/exdb/mnist/

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from fashionkit.datasets import read_idx
    >>> header = bytes([0, 0, 0x08, 2]) + bytes([0, 0, 0, 2]) + bytes([0, 0, 0, 3])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two-rows-of-three"
    ...     _ = path.write_bytes(header + bytes([1, 2, 3, 4, 5, 6]))
    ...     read_idx(path)
    array([[1, 2, 3],
           [4, 5, 6]], dtype=uint8)
    """
    path = os.path.expanduser(path)
    with open(path, "rb") as file:
        if file.peek(2)[:2] != b"\x1f\x8b":
            return _read_array(file, path)
        try:
            with gzip.GzipFile(fileobj=file, mode="rb") as stream:
                return _read_array(stream, path)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise _unreadable(path, f"a damaged gzip stream ({error})", "an intact one") from error


def _read_array(stream: _Stream, path: str | os.PathLike[str]) -> np.ndarray:
    dtype, shape = _read_header(stream, path)
    n_bytes = math.prod(shape) * dtype.itemsize
    data = _read_at_most(stream, n_bytes)
    if len(data) < n_bytes:
        raise _unreadable(
            path,
            f"{len(data)} bytes of values",
            f"{n_bytes} for the {dtype.name} array of shape {shape} of its header",
        )
    # Reading on past the values also makes gzip verify its checksum.
    if stream.read(1):
        raise _unreadable(
            path,
            f"more than {n_bytes} bytes of values",
            f"exactly as many for the {dtype.name} array of shape {shape} of its header",
        )
    try:
        array = np.ndarray(shape, dtype, buffer=data)
    except ValueError as error:
        raise _unreadable(
            path,
            f"a header of {len(shape)} dimensions, {shape}",
            f"dimensions that NumPy can hold ({error})",
        ) from error
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_header(stream: _Stream, path: str | os.PathLike[str]) -> tuple[np.dtype, tuple[int, ...]]:
    magic = _read_at_most(stream, 4)
    if not magic:
        raise _unreadable(path, "no bytes, it is empty", "an IDX header")
    if magic[:2] != b"\0\0"[: len(magic)]:
        raise _unreadable(
            path,
            f"the magic number {bytes(magic)!r}",
            "two zero bytes, the type and the number of dimensions",
        )
    if len(magic) < 4:
        raise _unreadable(path, f"{len(magic)} bytes", "a header of at least 4")
    type_code, n_dims = magic[2:]
    if type_code not in _DTYPES:
        known = ", ".join(f"0x{code:02X}" for code in _DTYPES)
        raise _unreadable(path, f"the type code 0x{type_code:02X}", f"one of {known}")
    dims = _read_at_most(stream, 4 * n_dims)
    if len(dims) < 4 * n_dims:
        raise _unreadable(
            path,
            f"a header cut short after {4 + len(dims)} bytes",
            f"{4 + 4 * n_dims} for its {n_dims} dimensions",
        )
    return _DTYPES[type_code], tuple(np.frombuffer(dims, ">u4").tolist())


def _read_at_most(stream: _Stream, n_bytes: int) -> bytearray:
    """Read ``n_bytes``, or what there is, growing with what really arrives."""
    data = bytearray()
    while len(data) < n_bytes:
        piece = stream.read(min(_CHUNK_BYTES, n_bytes - len(data)))
        if not piece:
            break
        data += piece
    return data


def _unreadable(path: str | os.PathLike[str], found: str, expected: str) -> ValueError:
    return ValueError(
        f"{os.fspath(path)!r} cannot be read as an IDX file: found {found}; "
        f"expected {expected}. If it was downloaded or copied, delete it and "
        "fetch it again."
    )
