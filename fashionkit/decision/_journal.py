"""Checkpoint file of finished chunks, which survives an interruption at any time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from filelock import FileLock, Timeout

from fashionkit._files import write_whole
from fashionkit.datasets._names import shortened

# Number of hexadecimal digits of a checksum.
_DIGITS = 16

# Maximum number of characters of a value in an error message.
_MOST_SHOWN = 40


class Journal:
    """File to which each finished chunk is appended as one line with a checksum.

    The first line contains the settings of the classification. An incomplete line, or one with a
    wrong checksum, is where a process was killed: it and all following lines are removed.

    Parameters
    ----------
    path : str or path-like
        Path of the file, which is created if missing.

    settings : dict of str to JSON
        Settings common to all chunks. A file with other settings is rejected.

    Attributes
    ----------
    records : dict of int to dict
        Last record of each chunk in the file.

    Raises
    ------
    ValueError
        If the file has other settings, which the error names, is not a checkpoint, or is being
        written by another process.

    IsADirectoryError
        If the path is a folder.

    OSError
        If the file cannot be read or written.
    """

    def __init__(self, path: str | os.PathLike[str], settings: Mapping[str, Any]) -> None:
        self.path = Path(path).expanduser()
        if self.path.is_dir():
            raise IsADirectoryError(
                f"checkpoint_path={str(self.path)!r} is a folder; pass the name of a file."
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.records: dict[int, dict[str, Any]] = {}
        self._settings = dict(settings)
        self._lock = FileLock(f"{self.path}.lock")
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise ValueError(
                f"checkpoint_path={str(self.path)!r} is being written by another process; wait "
                "until it has finished, or pass another path."
            ) from error
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        if self._file is not None:
            self._file.close()
        self._lock.release()

    def append(self, chunk: int, record: dict[str, Any]) -> None:
        """Append the record of a chunk, and flush it to the disk."""
        assert self._file is not None
        self._file.write(_line([chunk, record]))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _open(self) -> None:
        if not self.path.exists() or not self.path.stat().st_size:
            write_whole(self.path, lambda part: part.write_bytes(_line(self._settings)))
        with self.path.open("rb") as file:
            found = _content(file.readline())
            if not isinstance(found, dict):
                raise ValueError(
                    f"checkpoint_path={str(self.path)!r} is a file of another kind, expected a "
                    "checkpoint of classify_photos; pass another path."
                )
            self._check(found)
            end = file.tell()
            for line in file:
                content = _content(line)
                if content is None:
                    break
                chunk, record = content
                self.records[chunk] = record
                end = file.tell()
        self._file = self.path.open("r+b")
        self._file.truncate(end)
        self._file.seek(end)

    def _check(self, found: Mapping[str, Any]) -> None:
        differ = [
            f"{name} (it has {_short(found.get(name))}, not {_short(self._settings.get(name))})"
            for name in dict.fromkeys([*self._settings, *found])
            if found.get(name) != self._settings.get(name)
        ]
        if differ:
            raise ValueError(
                f"checkpoint_path={str(self.path)!r} is of another classification: "
                f"{shortened(differ)}; pass another path, or remove the file to start again."
            )


def _line(content: Any) -> bytes:
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()
    return _checksum(text) + b" " + text + b"\n"


def _content(line: bytes) -> Any:
    """Return the content of a line; None if it is incomplete or corrupt."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != _checksum(text):
        return None
    return json.loads(text)


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:_DIGITS].encode()


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
