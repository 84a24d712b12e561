"""Which files a source of photos stands for."""

from __future__ import annotations

import glob
import os
from typing import Any, NamedTuple

import numpy as np

from fashionkit.datasets import ImageFolder
from fashionkit.datasets._listing import list_paths


class Source(NamedTuple):
    """Files to classify, by their absolute paths, and what could not be listed, with reasons."""

    paths: list[str]
    skipped: list[tuple[str, str]]


def list_source(source: Any) -> Source:
    """Return the files of a folder, a pattern, a list of paths or an ImageFolder.

    Parameters
    ----------
    source : str, path-like, array-like of these or ImageFolder
        A photo, a folder with photos at any depth, a pattern such as ``"photos/*.jpg"``, or a
        list of photos.

    Returns
    -------
    source : Source
        The files, in the order of the list, or sorted by name.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or none that fits the pattern.

    TypeError
        If it is none of these.

    ValueError
        If it has no files.
    """
    if isinstance(source, ImageFolder):
        return Source([str(path) for path in source.filenames], list(source.skipped))
    if isinstance(source, str | os.PathLike):
        path = os.path.expanduser(source)
        if not os.path.lexists(path) and glob.has_magic(str(path)):
            source = sorted(glob.glob(str(path), recursive=True))
            if not source:
                raise FileNotFoundError(f"source={str(path)!r} fits no file; check the pattern.")
        elif os.path.lexists(path) and not os.path.exists(path):
            source = [path]  # a broken link: a row says so
    elif hasattr(source, "to_numpy"):
        source = source.to_numpy(dtype=object).ravel()
    elif not isinstance(source, list | tuple | np.ndarray):
        raise TypeError(
            f"source={source!r}, expected a folder, a photo, a pattern such as 'photos/*.jpg', a "
            "list of paths, or an ImageFolder."
        )
    try:
        listing = list_paths(source, "skip")
    except (OSError, TypeError, ValueError) as error:
        said = str(error).replace("paths", "source", 1)
        raise type(error)(said) from error
    return Source(listing.filenames.tolist(), listing.skipped)
