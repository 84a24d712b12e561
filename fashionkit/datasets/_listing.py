"""Which files are in a folder with one sub-folder per class, and of which class."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils._param_validation import validate_params

from fashionkit.datasets._names import shortened

# What systems leave in folders, in lower case; what starts with a dot is ignored as well.
_LITTER = {
    *("$recycle.bin", "desktop.ini", "ehthumbs.db", "ehthumbs_vista.db", "found.000"),
    *("recycler", "system volume information", "thumbs.db", "zbthumbnail.info"),  # Windows
    *("__macosx", "icon\r", "network trash folder", "temporary items"),  # macOS
    *("#recycle", "#snapshot", "@eadir", "lost+found"),  # network storage, Linux
}

Skipped = list[tuple[str, str]]


def list_files(path: str, on_error: str) -> tuple[np.ndarray, np.ndarray, Skipped]:
    """Return path and label of every file in the sub-folders, and the folders left out.

    Each folder is listed once, under its own path if that is among them, else under the first
    link to it.
    """
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"path={path!r} does not exist; pass a folder with one sub-folder per class."
        )
    if not os.path.isdir(path):
        raise NotADirectoryError(
            f"path={path!r} is a file; pass a folder with one sub-folder per class."
        )
    entries = _entries(path)
    files: dict[str, list[str]] = {e.name: [] for e in entries if _is_folder(e)}
    seen = {_identity(path)}
    skipped: Skipped = []
    folders = [(e.name, e.path) for e in entries if e.name in files and not e.is_symlink()]
    links = [(e.name, e.path) for e in entries if e.name in files and e.is_symlink()]
    while folders or links:
        if not folders:
            label, link = links.pop(0)
            folders = [] if _leads_up(link) else [(label, link)]
            continue
        label, folder = folders.pop()
        try:
            identity = _identity(folder)
            inside = [] if identity in seen else _entries(folder)
        except OSError as error:
            if on_error == "raise":
                raise _not_listed(folder, error) from error
            skipped.append((folder, f"it cannot be listed: {error.strerror}"))
            continue
        seen.add(identity)
        for entry in inside:
            if _is_folder(entry):
                (links if entry.is_symlink() else folders).append((label, entry.path))
            else:
                files[label].append(entry.path)
    _warn_of_empty(path, files, len(entries) - len(files), skipped)
    for names in files.values():
        names.sort(key=lambda name: name.split(os.sep))
    labels = np.repeat([*files], [len(names) for names in files.values()])
    return np.array([name for names in files.values() for name in names]), labels, skipped


def _entries(folder: str) -> list[os.DirEntry]:
    with os.scandir(folder) as entries:
        visible = [e for e in entries if e.name[0] != "." and e.name.lower() not in _LITTER]
    return sorted(visible, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry) -> bool:
    # Entries raise errors for links in a circle.
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _identity(folder: str) -> tuple[int, int]:
    """Return what a folder is known by, whichever path leads to it."""
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _leads_up(link: str) -> bool:
    """Tell whether a link leads to a folder that it is in."""
    place = Path(os.path.realpath(os.path.dirname(link)))
    return place.is_relative_to(os.path.realpath(link))


def _not_listed(folder: str, error: OSError) -> OSError:
    return type(error)(
        error.errno,
        f"the folder {folder!r} cannot be listed: {error.strerror}. Change its permissions, remove "
        "it, or pass on_error='skip' to leave out all such folders and files.",
    )


def _warn_of_empty(path: str, files: dict[str, list[str]], n_beside: int, skipped: Skipped) -> None:
    """Warn of folders that cannot be listed, and of classes without files."""
    unlisted = shortened([f"{folder!r} ({reason})" for folder, reason in skipped], 3)
    if not any(files.values()):
        raise ValueError(
            f"path={path!r} has {n_beside} files and {len(files)} sub-folders, "
            "none of them with files; expected one sub-folder per class, with images in it."
            + (f" Left out: {unlisted}." if skipped else "")
        )
    if skipped:
        warn(f"{len(skipped)} folders in {path!r} are left out: {unlisted}.")
    empty = [repr(label) for label in files if not files[label]]
    if empty:
        warn(
            f"{len(empty)} of {len(files)} sub-folders of {path!r} have no files: "
            f"{shortened(empty, 3)}. They do not count as classes."
        )


def warn(message: str) -> None:
    """Warn of the user's line, behind our own functions and what validates parameters."""
    own = {__name__, f"{__package__}._folder", validate_params.__module__}
    frame: Any = sys._getframe()
    level = 1
    while frame.f_globals["__name__"] in own:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
