"""Identifiers, labels and metadata of the indexed images."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d

from fashionkit.datasets import ImageFolder
from fashionkit.datasets._names import choices, shortened

if TYPE_CHECKING:
    import pandas as pd

# Names of columns that every table of results may have.
RESERVED = ("query", "id", "distance", "label")


def check_ids(ids: Any, X: Any, n_images: int, known: np.ndarray | None) -> np.ndarray:
    """Validate the ids of new images.

    Parameters
    ----------
    ids : array-like of shape (n_images,) or None
        Integers or strings. None uses the paths of files, or the next integers.

    X : array-like
        Images.

    n_images : int
        Number of images.

    known : ndarray or None
        Ids of the images that are already indexed.

    Returns
    -------
    ids : ndarray of shape (n_images,), dtype int64 or str
        The ids.

    Raises
    ------
    ValueError
        If an id occurs twice, is already indexed, or is of another type than the indexed ones.
    """
    if ids is None and isinstance(X, ImageFolder):
        ids = X.filenames
    elif ids is None:
        first = 0
        if known is not None and len(known):
            if known.dtype.kind != "i":
                raise ValueError(
                    f"ids=None, but the indexed images have ids such as {known[0].item()!r}; pass "
                    "an id for each new image."
                )
            first = int(known.max()) + 1
        ids = np.arange(first, first + n_images)
    ids = _plain(ids, "ids")
    if ids.dtype.kind not in "iU":
        raise ValueError(f"ids has the dtype {ids.dtype}, expected integers or strings.")
    check_consistent_length(ids, np.empty(n_images))
    if known is not None and len(known) and known.dtype.kind != ids.dtype.kind:
        raise ValueError(
            f"ids has {ids[0].item()!r}, but the indexed images have ids such as "
            f"{known[0].item()!r}; pass only integers or only strings."
        )
    values, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"ids has {_shown(values[counts > 1])} more than once; pass unique ids.")
    if known is not None and np.isin(values, known).any():
        raise ValueError(
            f"ids has {_shown(values[np.isin(values, known)])}, which indexed images have; remove "
            "these images first, or pass other ids."
        )
    return ids


def _shown(ids: np.ndarray) -> str:
    return shortened([repr(one) for one in ids.tolist()], 3)


def check_labels(y: Any, n_images: int) -> np.ndarray | None:
    """Validate the labels of new images; None if there are none."""
    if y is None:
        return None
    labels = _plain(column_or_1d(y, warn=True), "y")
    check_consistent_length(labels, np.empty(n_images))
    return labels


def check_metadata(metadata: Any, n_images: int) -> dict[str, np.ndarray]:
    """Return the columns of metadata as arrays of numbers or strings.

    Raises
    ------
    TypeError
        If the metadata is not a table, or a column mixes types.

    ValueError
        If a column has an invalid name or another number of values than there are images.
    """
    if metadata is None:
        return {}
    if not hasattr(metadata, "items"):
        raise TypeError(
            f"metadata is a {type(metadata).__name__}, expected a DataFrame or a dict of columns "
            "with one value for each image."
        )
    columns = {}
    for name, column in metadata.items():
        if not isinstance(name, str) or name in RESERVED:
            raise ValueError(
                f"metadata has the column {name!r}, expected a string other than "
                f"{choices(RESERVED)}, which are reserved for results; rename the column."
            )
        columns[name] = _plain(column, f"metadata[{name!r}]")
        if len(columns[name]) != n_images:
            raise ValueError(
                f"metadata[{name!r}] has {len(columns[name])} values, but there are {n_images} "
                "images; pass one value for each image."
            )
    return columns


def joined(before: np.ndarray, new: np.ndarray, name: str) -> np.ndarray:
    """Append new values to those of the indexed images, which must be of the same type."""
    kinds = {before.dtype.kind, new.dtype.kind}
    if "U" in kinds and len(kinds) > 1:
        raise ValueError(
            f"{name} has the dtype {new.dtype}, but that of the indexed images is {before.dtype}; "
            "pass only numbers or only strings."
        )
    return np.concatenate([before, new])


def select(where: Any, table: Callable[[], pd.DataFrame], n_images: int) -> np.ndarray:
    """Return the rows of the indexed images that a filter selects.

    Parameters
    ----------
    where : array-like of bool or callable
        Filter, as in :meth:`~fashionkit.ImageSearch.search`.

    table : callable
        Function that returns the table passed to a callable filter.

    n_images : int
        Number of indexed images.

    Returns
    -------
    rows : ndarray of shape (n_selected,), dtype int64
        Selected rows, in increasing order.

    Raises
    ------
    ValueError
        If the filter is not a boolean mask, or selects nothing.
    """
    mask = np.asarray(where(table()) if callable(where) else where)
    if mask.shape != (n_images,) or mask.dtype != bool:
        what = "returned" if callable(where) else "is"
        raise ValueError(
            f"where {what} an array of shape {mask.shape} and dtype {mask.dtype}, expected "
            f"{n_images} values of dtype bool, one for each indexed image."
        )
    rows = np.flatnonzero(mask)
    if not len(rows):
        raise ValueError(
            f"where selects 0 of {n_images} indexed images; pass a filter that selects more."
        )
    return rows


def _plain(values: Any, name: str) -> np.ndarray:
    """Return values as an array of numbers or strings, which can be saved without pickling."""
    import pandas as pd

    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} has the shape {array.shape}, expected (n_images,).")
    if array.dtype.kind == "M":
        return np.where(np.isnat(array), "", np.datetime_as_string(array))
    if array.dtype.kind == "O":
        missing = pd.isna(array)
        if all(isinstance(value, date) for value in array[~missing]) and not missing.all():
            array = array.copy()  # the caller's own is left unchanged
            array[~missing] = [value.isoformat() for value in array[~missing]]
        are_texts = [isinstance(value, str) for value in array[~missing]]
        if all(are_texts):
            return np.where(missing, "", array).astype(str)
        if any(are_texts):
            raise TypeError(f"{name} mixes several types, expected numbers, strings or dates.")
        try:
            array = np.array(np.where(missing, np.nan, array).tolist())
        except ValueError:
            array = np.empty(0, dtype=object)
    if array.dtype.kind == "u" or (array.dtype.kind == "i" and array.dtype != np.int64):
        array = array.astype(np.int64)
    if array.dtype.kind not in "biufU" or array.ndim != 1:
        raise TypeError(f"{name} mixes several types, expected numbers, strings or dates.")
    return array
