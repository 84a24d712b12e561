"""Which files a source of photos stands for."""

from __future__ import annotations

import glob
import os
from typing import Any, NamedTuple

import numpy as np

from fashionkit.datasets import ImageFolder
from fashionkit.datasets._listing import list_paths

# What else lies in folders of photos: texts and tables, documents, archives, films and sounds,
# what cameras and editors write beside photos, and models.
_NO_IMAGES = {
    *(".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml"),
    *(".ini", ".log", ".html", ".htm", ".css", ".js", ".py", ".ipynb", ".parquet", ".sqlite"),
    *(".pdf", ".doc", ".docx", ".odt", ".xls", ".xlsx", ".ods", ".ppt", ".pptx"),
    *(".zip", ".gz", ".tgz", ".tar", ".rar", ".7z"),
    *(".mp4", ".mov", ".avi", ".mkv", ".webm", ".mp3", ".wav"),
    *(".xmp", ".aae", ".thm", ".fashionkit", ".onnx", ".npy", ".npz"),
}


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
        list of photos and folders. Files in folders whose names say that they are something else
        than images, such as "notes.txt", are left out.

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
    if isinstance(source, list) and any(map(_is_folder, source)):
        return _list_each(source)
    try:
        listing = list_paths(source, "skip")
    except (OSError, TypeError, ValueError) as error:
        said = str(error).replace("paths", "source", 1)
        raise type(error)(said) from error
    paths = listing.filenames.tolist()
    if isinstance(source, str | os.PathLike) and os.path.isdir(os.path.expanduser(source)):
        paths = [path for path in paths if not _is_something_else(path)]
        if not paths:
            raise ValueError(
                f"source={os.fspath(source)!r} has {len(listing.filenames)} files, none of which "
                "is called like an image; expected at least one photo."
            )
    return Source(paths, listing.skipped)


def _is_something_else(path: str) -> bool:
    """Tell whether a file's name says that it is a text, a video or the like, and no image.

    Any other file is tried, and so is any that is named itself, not by its folder.
    """
    return os.path.splitext(path)[1].lower() in _NO_IMAGES


def _is_folder(path: Any) -> bool:
    """Return whether a path of a list stands for what is in it, and not for a photo that it is not.

    Among photos, a folder that is called like one is a mistake, and becomes a row that says so.
    """
    is_path = isinstance(path, str | os.PathLike)
    return is_path and os.path.isdir(path) and not os.path.splitext(path)[1]


def _list_each(sources: list[Any]) -> Source:
    """Return the files of folders and photos, in the order of the list, each once."""
    parts = [list_source(one if _is_folder(one) else [one]) for one in sources]
    paths = dict.fromkeys(path for part in parts for path in part.paths)
    return Source(list(paths), [one for part in parts for one in part.skipped])
