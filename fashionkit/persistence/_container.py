"""Container of a saved model: a zip archive of a header, a tree of objects, and arrays.

=================== ==============================================================================
member              content
=================== ==============================================================================
``fashionkit.json`` header: format, versions, description, and the size and SHA-256 of each other
                    member
``schema.json``     tree of objects, as skops writes it
``0.npy``, ...      arrays, not compressed, each at a multiple of 64 bytes, so that they can be
                    mapped into memory
=================== ==============================================================================

The directory of the archive is checked completely before anything is unpacked.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import mmap
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from fashionkit._files import ModelFileError

FORMAT = 1
HEADER, SCHEMA = "fashionkit.json", "schema.json"

_ALIGNMENT = 64
_ALIGNMENT_FIELD = 0xD935  # extra field for alignment, as in Android's zipalign
_LARGE, _ZIP64_FIELD_SIZE = 2**31, 20  # size from which ZIP64 is needed; size of its field
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
# A constant time, so that the same model gives the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)

# Maximum sizes: far above those of models, and below what would exhaust the memory.
_MAX_MEMBERS = 200_000
_MAX_JSON = 32 * 2**20
_MAX_NODES = 500_000
_MAX_RATIO = 200
_MAX_HEAD = 12_000
_NAMES = re.compile(r"fashionkit\.json|schema\.json|\d{1,9}\.npy", re.ASCII)
_KINDS = "?biufcSU"


class Writer:
    """Writer of a container, with the methods of a ZipFile that skops uses."""

    def __init__(self, path: Path):
        self._path = path
        self._file = path.open("wb")
        self._zip = ZipFile(self._file, "w", ZIP_STORED, allowZip64=True)
        self.members: dict[str, dict[str, Any]] = {}
        self.names: dict[str, str] = {}

    def namelist(self) -> set[str]:
        """Return the names that skops has used so far."""
        return set(self.names)

    def writestr(self, name: str, data: Any) -> None:
        """Write an array in NumPy's format, under a new name."""
        self.names[name] = f"{len(self.names)}.npy"
        self._write(self.names[name], memoryview(data), ZIP_STORED)

    def write_json(self, name: str, content: Any) -> None:
        """Write a member of JSON, compressed."""
        text = json.dumps(content, separators=(",", ":"), allow_nan=True)
        self._write(name, memoryview(text.encode()), ZIP_DEFLATED)

    def _write(self, name: str, data: memoryview, compression: int) -> None:
        info = ZipInfo(name, _TIME)
        info.compress_type = compression
        info.external_attr = 0o644 << 16
        is_large = data.nbytes >= _LARGE
        if compression == ZIP_STORED:
            info.extra = self._padding(name, is_large)
        digest = hashlib.sha256(data).hexdigest()
        self.members[name] = {"size": data.nbytes, "sha256": digest}
        with self._zip.open(info, "w", force_zip64=is_large) as member:
            member.write(data)

    def _padding(self, name: str, is_large: bool) -> bytes:
        """Return an extra field after which the data begin at a multiple of 64 bytes."""
        begin = self._file.tell() + _LOCAL_HEADER.size + len(name) + 4
        missing = -(begin + is_large * _ZIP64_FIELD_SIZE) % _ALIGNMENT
        return struct.pack("<2H", _ALIGNMENT_FIELD, missing) + bytes(missing)

    def close(self) -> None:
        """Write the directory of the archive, and flush the file to disk."""
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Close the file without completing it."""
        self._file.close()


class Reader:
    """Reader of a container, which checks its members first.

    Parameters
    ----------
    file : binary file
        Open file on disk.

    name : str
        Name of the file in errors.

    mmap_mode : {"r", "c"} or None
        Mode in which arrays are mapped into memory; None reads them.

    verify : bool
        Whether to check the SHA-256 of arrays. That of the tree is always checked.
    """

    def __init__(self, file: Any, name: str, mmap_mode: str | None = None, verify: bool = True):
        self._file, self.name = file, name
        self._mode, self._verify = mmap_mode, verify
        self._map: mmap.mmap | None = None
        self.n_bytes = os.fstat(file.fileno()).st_size
        self._members = _list_members(file, name)
        self.header = _check_header(self._read_json(HEADER, None), self._members, name)

    def hash(self) -> str:
        """Return the SHA-256 of the whole file."""
        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").hexdigest()

    def refuse(self, reason: str) -> ModelFileError:
        """Return the error for a refused file."""
        return refusal(self.name, reason)

    def read_schema(self) -> dict[str, Any]:
        """Return the tree of objects."""
        return self._read_json(SCHEMA, self.header["members"][SCHEMA]["sha256"])

    def _read_json(self, name: str, sha256: str | None) -> dict[str, Any]:
        info, begin = self._members[name]
        self._file.seek(begin)
        packed = self._file.read(info.compress_size)
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            # At most as many bytes as in the directory, which has been checked.
            text = unpacker.decompress(packed, info.file_size)
        except zlib.error as error:
            raise self.refuse(f"its member {name} is damaged ({error}).") from error
        if len(text) != info.file_size or zlib.crc32(text) != info.CRC:
            raise self.refuse(f"its member {name} is damaged (CRC).")
        if sha256 is not None and hashlib.sha256(text).hexdigest() != sha256:
            raise self.refuse(f"its member {name} is damaged or was changed (SHA-256).")
        return _parse(text, self)

    def read_array(self, name: Any) -> np.ndarray:
        """Return an array, read or mapped into memory."""
        if not isinstance(name, str) or name not in self._members or name in (HEADER, SCHEMA):
            raise self.refuse(f"its array {name!r} is missing.")
        info, begin = self._members[name]
        self._file.seek(begin)
        head = io.BytesIO(self._file.read(min(info.file_size, _MAX_HEAD)))
        shape, is_fortran, dtype = self._read_head(head, name)
        offset, count = head.tell(), math.prod(shape)
        if count * dtype.itemsize != info.file_size - offset:
            raise self.refuse(
                f"its array {name} has {info.file_size - offset} bytes, expected "
                f"{count * dtype.itemsize} for the shape {shape} and the dtype {dtype}."
            )
        expected = self.header["members"][name]["sha256"] if self._verify else None
        if self._mode is None:
            flat = self._read_flat(head, begin, offset, count, dtype, expected, name)
        else:
            flat = self._map_flat(begin, offset, count, dtype, info.file_size, expected, name)
        return flat.reshape(shape, order="F" if is_fortran else "C")

    def _read_head(self, head: io.BytesIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        try:
            version = np.lib.format.read_magic(head)
            shape, is_fortran, dtype = read[version](head)
        except Exception as error:
            raise self.refuse(f"its member {name} is not an array in NumPy's format.") from error
        fields = [dtype] if dtype.fields is None else [one for one, *_ in dtype.fields.values()]
        if dtype.hasobject or any(one.kind not in _KINDS or one.subdtype for one in fields):
            raise self.refuse(f"its array {name} has the dtype {dtype}, which is not allowed.")
        if not all(type(side) is int and 0 <= side < 2**48 for side in shape) or len(shape) > 32:
            raise self.refuse(f"its array {name} has the invalid shape {shape}.")
        return shape, is_fortran, dtype

    def _read_flat(
        self,
        head: io.BytesIO,
        begin: int,
        offset: int,
        count: int,
        dtype: np.dtype,
        expected: str | None,
        name: str,
    ) -> np.ndarray:
        flat = np.empty(count, dtype)
        self._file.seek(begin + offset)
        data: Any = flat.view(np.uint8) if flat.nbytes else bytearray()
        if self._file.readinto(data) != flat.nbytes:
            raise self.refuse(f"its member {name} is truncated.")
        if expected is not None:
            digest = hashlib.sha256(head.getbuffer()[:offset])
            digest.update(data)
            self._compare(digest.hexdigest(), expected, name)
        return flat

    def _map_flat(
        self,
        begin: int,
        offset: int,
        count: int,
        dtype: np.dtype,
        size: int,
        expected: str | None,
        name: str,
    ) -> np.ndarray:
        if self._map is None:
            access = mmap.ACCESS_READ if self._mode == "r" else mmap.ACCESS_COPY
            self._map = mmap.mmap(self._file.fileno(), 0, access=access)
        if expected is not None:
            with memoryview(self._map)[begin : begin + size] as data:
                self._compare(hashlib.sha256(data).hexdigest(), expected, name)
        return np.frombuffer(self._map, dtype, count, begin + offset)

    def _compare(self, digest: str, expected: str, name: str) -> None:
        if digest != expected:
            raise self.refuse(f"its member {name} is damaged or was changed (SHA-256).")


@contextmanager
def open_model(
    path: str | os.PathLike[str], mmap_mode: str | None = None, verify: bool = True
) -> Iterator[Reader]:
    """Open the file of a saved model.

    Parameters
    ----------
    path : str or path-like
        Path of the file.

    mmap_mode : {"r", "c"} or None
        Mode in which arrays are mapped into memory; None reads them.

    verify : bool
        Whether to check the SHA-256 of arrays.

    Yields
    ------
    reader : Reader
        Reader of the file.

    Raises
    ------
    ModelFileError
        If the file is not a saved model, or is damaged.

    OSError
        If the file cannot be opened.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise IsADirectoryError(f"path={str(path)!r} is a folder; pass the file of a model.")
    with path.open("rb") as file:
        yield Reader(file, str(path), mmap_mode, verify)


def refusal(name: str, reason: str) -> ModelFileError:
    """Return the error for a refused file, by its name."""
    return ModelFileError(f"{name!r} is refused: {reason}")


def _list_members(file: Any, name: str) -> dict[str, tuple[ZipInfo, int]]:
    """Return the members of an archive, each with the position of its data."""
    refuse = partial(refusal, name)
    try:
        with ZipFile(file) as archive:
            infos, end = archive.infolist(), archive.start_dir
    except Exception as error:  # of many kinds: BadZipFile, struct.error, ValueError and others
        raise refuse(_what_else(file)) from error
    if len(infos) > _MAX_MEMBERS:
        raise refuse(f"it has {len(infos):,} members, expected at most {_MAX_MEMBERS:,}.")
    members: dict[str, tuple[ZipInfo, int]] = {}
    for info in infos:
        if not _NAMES.fullmatch(info.filename) or info.filename in members:
            raise refuse(f"its member {info.filename!r} is unknown, or occurs twice.")
        is_json = info.filename.endswith(".json")
        if info.flag_bits & 1 or info.compress_type != (ZIP_DEFLATED if is_json else ZIP_STORED):
            raise refuse(f"its member {info.filename} has an unexpected compression or encryption.")
        if is_json:
            limit = min(_MAX_JSON, 1_000 + _MAX_RATIO * info.compress_size)
            if info.file_size > limit:
                raise refuse(
                    f"its member {info.filename} would have {info.file_size:,} bytes, expected at "
                    f"most {limit:,}."
                )
        elif info.file_size != info.compress_size:
            raise refuse(f"its member {info.filename} has two different sizes.")
        members[info.filename] = info, _begin_of_data(file, info, refuse)
    if not {HEADER, SCHEMA} <= set(members):
        raise refuse("it is a zip archive, but not a model that fashionkit.save has written.")
    position = 0
    for info, begin in sorted(members.values(), key=lambda member: member[1]):
        if info.header_offset < position or begin + info.compress_size > end:
            raise refuse(
                f"its member {info.filename} overlaps with another one or with the directory."
            )
        position = begin + info.compress_size
    return members


def _begin_of_data(file: Any, info: ZipInfo, refuse: Callable[[str], ModelFileError]) -> int:
    """Return the position of the data of a member, after its local header."""
    file.seek(info.header_offset)
    head = file.read(_LOCAL_HEADER.size)
    if len(head) == _LOCAL_HEADER.size:
        signature, *_, n_name, n_extra = _LOCAL_HEADER.unpack(head)
        if signature == b"PK\3\4" and file.read(n_name) == info.filename.encode():
            return info.header_offset + _LOCAL_HEADER.size + n_name + n_extra
    raise refuse(f"its member {info.filename} is not at the position in the directory.")


def _what_else(file: Any) -> str:
    """Return a reason for a file that is not a zip archive."""
    file.seek(0)
    begin = file.read(4)
    if begin[:1] == b"\x80":
        return "it looks like a pickle, which runs code when it is opened; see fashionkit.save."
    if begin.startswith(b"PK"):
        return "it is a damaged or truncated zip archive; copy it again from its source."
    return "it is not a file that fashionkit.save has written, or is damaged."


def _check_header(
    header: dict[str, Any], members: dict[str, tuple[ZipInfo, int]], name: str
) -> dict[str, Any]:
    """Check that a header has a supported format and lists all members."""
    version = header.get("format")
    if type(version) is not int or version < 1:
        raise refusal(name, "its header has no valid format number.")
    if version > FORMAT:
        versions = header.get("versions")
        by = str(versions.get("fashionkit", "")) if isinstance(versions, dict) else "?"
        raise refusal(
            name,
            f"it was written by fashionkit {by[:40]} in format {version}, but this release reads "
            f"formats up to {FORMAT}; update fashionkit.",
        )
    listed = header.get("members")
    others = set(members) - {HEADER}
    if not isinstance(listed, dict) or set(listed) != others:
        raise refusal(name, "its header lists other members.")
    for member, entry in listed.items():
        digest = entry.get("sha256") if isinstance(entry, dict) else None
        if not isinstance(digest, str) or entry.get("size") != members[member][0].file_size:
            raise refusal(name, f"its header has another size for {member}.")
    return header


def _parse(text: bytes, reader: Reader) -> dict[str, Any]:
    """Parse a JSON object of a limited number of nodes."""
    if text.count(b"{") + text.count(b"[") > _MAX_NODES:
        raise reader.refuse(f"its JSON has more than {_MAX_NODES:,} nodes.")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise reader.refuse("one of its members is not valid JSON.") from error
    if not isinstance(content, dict):
        raise reader.refuse("one of its members is not a JSON object.")
    return content
