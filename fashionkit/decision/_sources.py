"""Files of a source of photos: a folder, a pattern, or a list of paths."""

from __future__ import annotations

import glob
import os
from typing import Any, NamedTuple

import numpy as np

from fashionkit.datasets import ImageFolder
from fashionkit.datasets._listing import list_paths

# Extensions of other files in folders of photos: texts and tables, documents, archives, videos and
# audio, side files of cameras and editors, and models.
_NO_IMAGES = {
    *(".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml"),
    *(".ini", ".log", ".html", ".htm", ".css", ".js", ".py", ".ipynb", ".parquet", ".sqlite"),
    *(".pdf", ".doc", ".docx", ".odt", ".xls", ".xlsx", ".ods", ".ppt", ".pptx"),
    *(".zip", ".gz", ".tgz", ".tar", ".rar", ".7z"),
    *(".mp4", ".mov", ".avi", ".mkv", ".webm", ".mp3", ".wav"),
    *(".xmp", ".aae", ".thm", ".fashionkit", ".onnx", ".npy", ".npz"),
}


class Source(NamedTuple):
    """Absolute paths of the files, and (path, reason) of each folder that cannot be listed."""

    paths: list[str]
    skipped: list[tuple[str, str]]


def list_source(source: Any) -> Source:
    """List the files of a folder, a pattern, a list of paths or an ImageFolder.

    Parameters
    ----------
    source : str, path-like, array-like of these or ImageFolder
        Photo, folder with photos at any depth, pattern such as ``"photos/*.jpg"``, or list of
        photos and folders. In folders, files whose extension is not that of an image, such as
        "notes.txt", are ignored.

    Returns
    -------
    source : Source
        Files in the order of the list, or sorted by name.

    Raises
    ------
    FileNotFoundError
        If a file does not exist, or no file matches the pattern.

    TypeError
        If ``source`` has an unsupported type.

    ValueError
        If ``source`` contains no files.
    """
    if isinstance(source, ImageFolder):
        return Source([str(path) for path in source.filenames], list(source.skipped))
    if isinstance(source, str | os.PathLike):
        path = os.path.expanduser(source)
        if not os.path.lexists(path) and glob.has_magic(str(path)):
            source = sorted(glob.glob(str(path), recursive=True))
            if not source:
                raise FileNotFoundError(
                    f"source={str(path)!r} fits no file, expected at least one; check the pattern "
                    "and the current directory."
                )
        elif os.path.lexists(path) and not os.path.exists(path):
            source = [path]  # a broken link, which becomes a row of status "error"
    elif hasattr(source, "to_numpy"):
        source = source.to_numpy(dtype=object).ravel()
    elif not isinstance(source, list | tuple | np.ndarray):
        raise TypeError(
            f"source={source!r}, expected photos; pass a folder, a photo, a pattern such as "
            "'photos/*.jpg', a list of paths, or an ImageFolder."
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
                "is called like an image, expected at least one photo; pass another folder, or a "
                "list of files."
            )
    return Source(paths, listing.skipped)


def _is_something_else(path: str) -> bool:
    """Return whether the extension of a file is not that of an image, but a text, a video etc.

    Files of unknown extensions, and files that are listed explicitly, are read all the same.
    """
    return os.path.splitext(path)[1].lower() in _NO_IMAGES


def _is_folder(path: Any) -> bool:
    """Return whether a path is a folder to list.

    A folder with an extension, such as "a.jpg", is a mistake in a list of photos, and becomes a row
    of status "error".
    """
    is_path = isinstance(path, str | os.PathLike)
    return is_path and os.path.isdir(path) and not os.path.splitext(path)[1]


def _list_each(sources: list[Any]) -> Source:
    """Return the files of folders and photos, in the order of the list, each once."""
    parts = [list_source(one if _is_folder(one) else [one]) for one in sources]
    paths = dict.fromkeys(path for part in parts for path in part.paths)
    return Source(list(paths), [one for part in parts for one in part.skipped])
