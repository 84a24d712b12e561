"""Which files are in a folder with one sub-folder per class, and of which class."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils._param_validation import validate_params

from fashionkit.datasets._names import shortened

# What systems leave in folders, in lower case; what starts with a dot is ignored as well.
_LITTER = {"__macosx", "desktop.ini", "thumbs.db"}


def list_files(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the path and the label of every file in the sub-folders."""
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"path={path!r} does not exist; pass a folder with one sub-folder per class."
        )
    if not os.path.isdir(path):
        raise NotADirectoryError(
            f"path={path!r} is a file; pass a folder with one sub-folder per class."
        )
    above = (os.path.realpath(path),)
    entries = _entries(path)
    files = {e.name: [*_walk(e.path, above)] for e in entries if os.path.isdir(e.path)}
    if not any(files.values()):
        raise ValueError(
            f"path={path!r} has {len(entries) - len(files)} files and {len(files)} sub-folders, "
            "none of them with files; expected one sub-folder per class, with images in it."
        )
    empty = [repr(label) for label in files if not files[label]]
    if empty:
        warn(
            f"{len(empty)} of {len(files)} sub-folders of {path!r} have no files: "
            f"{shortened(empty, 3)}. They do not count as classes."
        )
    labels = np.repeat([*files], [len(paths) for paths in files.values()])
    return np.array([name for paths in files.values() for name in paths]), labels


def _walk(folder: str, above: tuple[str, ...]) -> Iterator[str]:
    """Yield the files in a folder and below it; a link back to a folder above is not followed."""
    real = os.path.realpath(folder)
    if any(Path(one).is_relative_to(real) for one in above):
        return
    for entry in _entries(folder):
        if os.path.isdir(entry.path):
            yield from _walk(entry.path, (*above, real))
        else:
            yield entry.path


def _entries(folder: str) -> list[os.DirEntry]:
    with os.scandir(folder) as entries:
        visible = [e for e in entries if e.name[0] != "." and e.name.lower() not in _LITTER]
    return sorted(visible, key=lambda entry: entry.name)


def warn(message: str) -> None:
    """Warn of the user's line, behind our own functions and what validates parameters."""
    own = {__name__, f"{__package__}._folder", validate_params.__module__}
    frame: Any = sys._getframe()
    level = 1
    while frame.f_globals["__name__"] in own:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
