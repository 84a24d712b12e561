"""Finished results on disk: each whole, checked by a hash, and of one comparison only."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from fashionkit._files import file_name, prepare_folder, write_whole
from fashionkit._images import users_level
from fashionkit.comparison._evaluation import Result
from fashionkit.comparison._fits import fit_folder, forget_fit
from fashionkit.datasets._names import choices

logger = logging.getLogger(__name__)

_HEADER = "comparison.json"
_DIGEST_SIZE = hashlib.sha256().digest_size


class Checkpoint:
    """A folder with the results of a comparison.

    Parameters
    ----------
    folder : path
        The folder, made where it is missing.

    settings : dict of str to str or int or None
        What all results have in common. Results of other settings are refused.

    Raises
    ------
    ValueError
        If the folder has results of other settings; it is left as it is.

    OSError
        If the folder is not writable.
    """

    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any]):
        self.folder = prepare_folder(folder)
        header = self.folder / _HEADER
        if header.exists():
            _check(_read(header), settings, self.folder)
        else:
            text = json.dumps(settings, indent=2)
            write_whole(header, lambda path: path.write_text(text, encoding="utf-8"))

    def read(self, model: str, key: str, part: str) -> Result | None:
        """Return a finished result; None where there is none, or none that is whole."""
        path = self._path(model, key, part)
        if not path.exists():
            return None
        try:
            with path.open("rb") as file:
                if not _is_whole(file):
                    raise ValueError("its checksum is wrong")
                file.seek(0)
                return pickle.load(file)
        except Exception as error:  # of other versions of a library, or damaged
            message = f"{path} could not be read, and is computed again: {error}"
            warnings.warn(message, UserWarning, stacklevel=users_level())
            return None

    def write(self, result: Result, key: str) -> None:
        """Write a result, or nothing of it."""
        path = self._path(result.model, key, result.part)
        try:
            write_whole(path, lambda part: _dump(result, part))
            forget_fit(self.fit_folder(result.model, key, result.part))
        except Exception as error:  # a model that holds a function, or a full disk
            logger.info("Writing %s failed.", path, exc_info=True)
            self._write_without_estimator(result, path, error)

    def fit_folder(self, model: str, key: str, part: str) -> Path:
        """Return where a network may keep the state of its training until it has a result."""
        return fit_folder(self.folder, self._path(model, key, part).stem)

    def _write_without_estimator(self, result: Result, path: Path, error: Exception) -> None:
        message = f"Model {result.model!r} could not be written to {path}: {error}"
        try:
            write_whole(path, lambda part: _dump(replace(result, estimator=None), part))
            message += ". Its results are there, and estimators_ will lack it where they are read."
        except Exception as second:  # the result in memory is still good
            message += f"; nor its results: {second}"
        warnings.warn(message, UserWarning, stacklevel=users_level())

    def _path(self, model: str, key: str, part: str) -> Path:
        return self.folder / f"{file_name(model)}-{key}-{part.replace(' ', '-')}.pickle"


def _read(header: Path) -> dict[str, Any]:
    """Return the settings in a file; nothing of a file of another kind."""
    try:
        found = json.loads(header.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _check(found: Mapping[str, Any], settings: Mapping[str, Any], folder: Path) -> None:
    names = sorted(name for name in {*found, *settings} if found.get(name) != settings.get(name))
    if names:
        raise ValueError(
            f"checkpoint_dir={str(folder)!r} has results of another comparison: {choices(names)} "
            "differ; pass another folder, or the arguments that these were computed with."
        )


class _Hashed:
    """A file that hashes what is written to it."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return self._file.write(data)


def _dump(result: Result, path: Path) -> None:
    """Pickle a result, followed by the SHA-256 of its pickle."""
    with path.open("wb") as file:
        hashed = _Hashed(file)
        pickle.dump(result, hashed, protocol=pickle.HIGHEST_PROTOCOL)
        file.write(hashed.digest.digest())
        file.flush()
        os.fsync(file.fileno())


def _is_whole(file: BinaryIO) -> bool:
    size = os.fstat(file.fileno()).st_size - _DIGEST_SIZE
    digest = hashlib.sha256()
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        digest.update(block)
        size -= len(block)
    return size == 0 and file.read() == digest.digest()
