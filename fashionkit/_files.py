"""Files that are never half written, and the error of those that are not what they should be."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any


class ModelFileError(ValueError):
    """Error raised when a model file is damaged, of another kind, or not trusted.

    The message says why the file was refused and what to do.

    See Also
    --------
    fashionkit.load : Raises this error.

    Examples
    --------
    >>> import fashionkit
    >>> from fashionkit.persistence import ModelFileError
    >>> try:
    ...     fashionkit.load(fashionkit.__file__)
    ... except ModelFileError:
    ...     print("not a model")
    not a model
    """


def prepare_folder(folder: str | os.PathLike[str]) -> Path:
    """Make a folder, and make sure that files can be written to it.

    Parameters
    ----------
    folder : str or path-like
        The folder.

    Returns
    -------
    folder : Path
        The same, ``~`` expanded.

    Raises
    ------
    OSError
        If it cannot be made or written to.
    """
    folder = Path(folder).expanduser()
    probe = folder / f".{uuid.uuid4().hex}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(
            error.errno, f"Cannot write to the folder {str(folder)!r}: {error.strerror}"
        ) from error
    return folder


def file_name(name: str) -> str:
    """Return a name that every file system takes."""
    return re.sub(r"[^\w.-]+", "_", name)[:50]


def write_whole(path: Path, write: Callable[[Path], Any]) -> Path:
    """Write a file under another name first, so that none is ever half written."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
