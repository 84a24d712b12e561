"""Which files are in a folder or a list, and of which class."""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fashionkit._images import users_level
from fashionkit.datasets._names import shortened

# What systems leave in folders, in lower case; what starts with a dot is ignored as well.
_LITTER = {
    *("$recycle.bin", "desktop.ini", "ehthumbs.db", "ehthumbs_vista.db", "found.000"),
    *("recycler", "system volume information", "thumbs.db", "zbthumbnail.info"),  # Windows
    *("__macosx", "icon\r", "network trash folder", "temporary items"),  # macOS
    *("#recycle", "#snapshot", "@eadir", "lost+found"),  # network storage, Linux
}

Skipped = list[tuple[str, str]]


class Listing(NamedTuple):
    """What was listed, if it is one; its files, their labels if any, and what was left out.

    All paths are absolute.
    """

    path: str | None
    filenames: np.ndarray
    labels: np.ndarray | None
    skipped: Skipped


# Folders of this name hold parts of a data set, not a class.
_PARTS = {"dev", "test", "testing", "train", "training", "val", "valid", "validation"}


def list_files(path: str | os.PathLike[str], on_error: str) -> Listing:
    """List the files in the sub-folders of a folder, whose names are the labels.

    Each folder is listed once, under its own path if that is among them, else under the first
    link to it.
    """
    path = _absolute(path)
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"path={path!r} does not exist; pass a folder with one sub-folder per class."
        )
    if not os.path.isdir(path):
        raise NotADirectoryError(
            f"path={path!r} is a file; pass a folder with one sub-folder per class, or read it "
            "with load_images."
        )
    entries = _entries(path)
    _reject_parts(path, entries)
    places = [(e.name, e.path, e.is_symlink()) for e in entries if _is_folder(e)]
    files, skipped = _collect(places, {_identity(path)}, on_error)
    _warn_of_empty(path, files, len(entries) - len(files), skipped)
    labels = np.repeat([*files], [len(names) for names in files.values()])
    filenames = np.array([name for names in files.values() for name in names])
    return Listing(path, filenames, labels, skipped)


def list_paths(paths: Any, on_error: str) -> Listing:
    """List a photo, the photos in a folder, at any depth, or those of a list of paths."""
    if not isinstance(paths, str | os.PathLike):
        given = np.asarray(paths, dtype=object)
        if given.ndim != 1 or not given.size:
            raise ValueError(
                f"paths of shape {given.shape}, expected at least one path, in a list or array of "
                "one dimension."
            )
        for path in given:
            if not isinstance(path, str | os.PathLike):
                raise TypeError(f"paths has {path!r}, expected str or path-like.")
        return Listing(None, np.array([_absolute(path) for path in given]), None, [])
    path = _absolute(paths)
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"paths={path!r} does not exist; pass a photo, a folder of photos, or a list of them."
        )
    if not os.path.isdir(path):
        return Listing(path, np.array([path]), None, [])
    files, skipped = _collect([("", path, False)], set(), on_error)
    if not files[""]:
        raise ValueError(f"paths={path!r} has no files; expected at least one photo.")
    return Listing(path, np.array(files[""]), None, skipped)


def _absolute(path: str | os.PathLike[str]) -> str:
    # The process may change its folder before it reads.
    return os.path.abspath(os.path.expanduser(path))


def _collect(
    places: list[tuple[str, str, bool]], seen: set[tuple[int, int]], on_error: str
) -> tuple[dict[str, list[str]], Skipped]:
    """Return the files below folders by label, sorted, and the folders that cannot be listed.

    Of each folder are given its label, its path and whether it is a link.
    """
    files: dict[str, list[str]] = {label: [] for label, _, _ in places}
    skipped: Skipped = []
    folders = [(label, path) for label, path, is_link in places if not is_link]
    links = [(label, path) for label, path, is_link in places if is_link]
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
    for names in files.values():
        names.sort(key=lambda name: name.split(os.sep))
    return files, skipped


def _reject_parts(path: str, entries: list[os.DirEntry]) -> None:
    """Tell parts of a data set, which have folders of classes in them, from classes."""
    folders = [entry for entry in entries if os.path.isdir(entry.path)]
    if not all(folder.name.lower() in _PARTS for folder in folders):
        return
    for folder in sorted(folders, key=lambda entry: not entry.name.lower().startswith("train")):
        inner = [repr(e.name) for e in _entries(folder.path) if os.path.isdir(e.path)]
        if inner:
            raise ValueError(
                f"path={path!r} has the sub-folders {shortened([repr(f.name) for f in folders], 5)}"
                f", which are parts of a data set and no classes; {folder.name!r} has the "
                f"sub-folders {shortened(inner, 3)}. Pass {folder.path!r}."
            )


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
            "none of them with files; expected one sub-folder per class, with images in it. Read "
            "photos without classes with load_images or ImageFolder.from_paths."
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


def stamp(path: str) -> tuple[int, int]:
    """Return the size and the time of the last change of a file; -1 if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def digest(path: str) -> str:
    """Return the SHA-1 of what a file holds; "" if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha1").hexdigest()
    except OSError:
        return ""


def warn_of_files(warned: dict[str, str], n_files: int) -> None:
    """Warn of what Pillow has warned of, by the file."""
    named = shortened([f"{path!r} ({warned[path]})" for path in sorted(warned)], 3)
    warn(f"Pillow warns of {len(warned)} of {n_files} files that it has read: {named}.")


def warn(message: str) -> None:
    """Warn of the user's line."""
    warnings.warn(message, UserWarning, stacklevel=users_level())
