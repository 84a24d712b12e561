"""Photos in files or arrays, read one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import issparse
from sklearn.base import clone

from fashionkit._images import LazyImages, check_images, fit_images
from fashionkit.datasets import ImageFolder
from fashionkit.datasets._listing import list_paths, warn_of_files
from fashionkit.datasets._names import shortened
from fashionkit.datasets._photo import read_whole, refusal
from fashionkit.datasets._pixels import UnreadableError
from fashionkit.datasets._warned import gathering, noting
from fashionkit.preprocessing._foreground import as_rgb, to_bytes


class Photo(NamedTuple):
    """Photo: its RGB pixels, which may be reduced, and its original height and width."""

    rgb: np.ndarray
    size: tuple[int, int]


def find_paths(X: Any) -> np.ndarray | None:
    """Return the paths in ``X``; None if ``X`` contains images.

    Parameters
    ----------
    X : object
        ImageFolder; or a list, array, Series or DataFrame with one column of paths; or images.

    Returns
    -------
    paths : ndarray of shape (n_samples,) of str, or None
        Absolute paths.

    Raises
    ------
    TypeError
        If only some values are paths, or ``X`` is a single path.

    ValueError
        If ``X`` has several columns of paths.
    """
    if isinstance(X, ImageFolder):
        return X.filenames
    if isinstance(X, str | os.PathLike):
        raise TypeError(f"X={str(X)!r} is a single path, expected a list of paths; pass [X].")
    if isinstance(X, LazyImages) or issparse(X) or not hasattr(X, "__len__") or not len(X):
        return None
    shape: tuple[int, ...] = getattr(X, "shape", (len(X),))
    kind = getattr(getattr(X, "dtype", None), "kind", "O")
    if kind not in "OUT" or not (len(shape) == 1 or shape[1:] == (1,)):
        _refuse_columns_of_paths(X, shape)
        return None
    values = list(X) if isinstance(X, list | tuple) else np.asarray(X, dtype=object).ravel()
    if not isinstance(values[0], str | os.PathLike):
        return None
    return list_paths(values, "raise").filenames


def _refuse_columns_of_paths(X: Any, shape: tuple[int, ...]) -> None:
    """Raise an error if a table has several columns of paths."""
    if len(shape) != 2 or not shape[1]:
        return
    first = X.iloc[0] if hasattr(X, "iloc") else X[0]
    if any(isinstance(one, str | os.PathLike) for one in first):
        names = list(map(str, getattr(X, "columns", range(shape[1]))))
        raise ValueError(
            f"X has {shape[1]} columns ({shortened(names, 5)}), expected one column of paths; pass "
            "this column, such as X['path']."
        )


def are_sizes_free(X: Any) -> bool:
    """Tell whether ``X`` is a list, Series or object array of images of any sizes."""
    is_list = isinstance(X, list | tuple)
    if not is_list and not (
        getattr(X, "dtype", None) == np.dtype(object) and len(X.shape) == 1 and len(X)
    ):
        return False
    if not len(X):
        return False
    first = X[0] if is_list else np.asarray(X)[0]
    return hasattr(first, "getbands") or np.ndim(first) in (2, 3)


class Photos:
    """Sequence of photos, of which each thread reads one at a time.

    Parameters
    ----------
    estimator : estimator
        Estimator that validates arrays. If it is fitted, flat rows must have the same length.

    X : object
        Photos: paths, images of any sizes, or an array of images.

    side : int
        Maximum side in pixels to which files are reduced.

    Attributes
    ----------
    paths : ndarray of shape (n_samples,) of str, or None
        Absolute paths; None for images.

    are_rows : bool
        Whether the images are flat rows.

    Raises
    ------
    TypeError
        If only some values are paths, or ``X`` is a single path.

    ValueError
        If ``X`` is empty, or the images are invalid.
    """

    def __init__(self, estimator: Any, X: Any, side: int) -> None:
        self.paths = find_paths(X)
        self.are_rows = False
        self._side = side
        self._warned: dict[str, str] = {}
        if self.paths is not None:
            return
        if len(getattr(X, "shape", (0,))) == 1 and hasattr(X, "__len__") and not len(X):
            raise ValueError(
                "X is empty, expected at least one photo; pass its path or its pixels."
            )
        if are_sizes_free(X):
            self._images: Any = list(X)
            return
        images = _checked(estimator, X)
        self.are_rows = len(getattr(X, "shape", (0, 0))) <= 2
        self._images = images.pixels
        self._range = images.pixel_range

    def __len__(self) -> int:
        return len(self._images if self.paths is None else self.paths)

    def each(self, work: Callable[[Photo], Any], n_jobs: int | None) -> list[Any]:
        """Return the results of a function for all photos, computed in threads."""
        with gathering():
            results = Parallel(n_jobs, require="sharedmem")(
                delayed(self._work)(work, row) for row in range(len(self))
            )
        if self._warned:
            warn_of_files(self._warned, len(self))
        return results

    def _work(self, work: Callable[[Photo], Any], row: int) -> Any:
        try:
            return work(self._get(row))
        except ValueError as error:
            if self.paths is not None:
                raise
            raise ValueError(f"X[{row}]: {error}") from error

    def _get(self, row: int) -> Photo:
        if self.paths is not None:
            path = str(self.paths[row])
            try:
                with noting() as notes:
                    photo = Photo(*read_whole(path, self._side))
            except UnreadableError as reason:
                raise refusal(path, reason) from reason
            if notes:
                self._warned[path] = notes[0]
            return photo
        if isinstance(self._images, list):
            rgb = as_rgb(self._images[row])
        else:
            pixels = to_bytes(np.asarray(self._images[row]), self._range)
            rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
        return Photo(rgb, rgb.shape[:2])


def _checked(estimator: Any, X: Any) -> Any:
    """Validate arrays. Flat rows must be as in ``fit``; images may be of any size."""
    is_table = len(getattr(X, "shape", (0, 0))) <= 2
    if is_table and hasattr(estimator, "image_shape_"):
        return check_images(estimator, X)
    return fit_images(clone(estimator), X)
