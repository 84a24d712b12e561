"""Parameters of all that reads photos: what is valid, and how they are documented."""

from __future__ import annotations

import os
from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

from fashionkit.datasets._pixels import Size

READING: dict[str, Any] = {
    "image_size": [Interval(Integral, 1, None, closed="left"), tuple, None],
    "aspect": [StrOptions({"crop", "pad", "stretch"})],
    "on_error": [StrOptions({"raise", "skip"})],
    "n_jobs": [Integral, None],
}
PATH: dict[str, Any] = {"path": [str, os.PathLike]}
PATHS: dict[str, Any] = {"paths": [str, os.PathLike, "array-like"]}

# Parameters of all that reads photos.
PARAMETERS = {
    "image_size": """
        image_size : int or tuple of int, default=None
            Height and width of the images, or one number for both. None keeps the size
            of the files, which must then be the same for all.
        """,
    "aspect": """
        aspect : {"crop", "pad", "stretch"}, default="crop"
            What happens to an image of other proportions than `image_size`. ``"crop"`` cuts off
            what is too much, the same on both sides; ``"pad"`` adds a white margin;
            ``"stretch"`` changes the proportions.
        """,
    "n_jobs": """
        n_jobs : int, default=None
            Number of threads that read; None for one, unless in a
            :func:`joblib.parallel_config` context; -1 for all processors.
        """,
    "paths": """
        paths : str, path-like, or array-like of these
            A photo, a folder with photos at any depth, or a list of photos.
        """,
}


def height_and_width(size: Any) -> Size | None:
    """Return both sides of an image size; None for that of the files."""
    if size is None or isinstance(size, Integral):
        return None if size is None else (int(size), int(size))
    if len(size) != 2 or not all(isinstance(side, Integral) and side >= 1 for side in size):  # type: ignore[operator]
        raise ValueError(
            f"image_size={size!r} is not two positive integers; pass (height, width), one integer "
            "for both, or None to keep the size of the files."
        )
    return int(size[0]), int(size[1])
