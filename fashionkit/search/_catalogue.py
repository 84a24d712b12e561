"""What is known of each indexed image beside its vector: id, label and metadata."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d

from fashionkit.datasets import ImageFolder
from fashionkit.datasets._names import choices, shortened

if TYPE_CHECKING:
    import pandas as pd

# What results have columns for anyway.
RESERVED = ("query", "id", "distance", "label")


def check_ids(ids: Any, X: Any, n_images: int, known: np.ndarray | None) -> np.ndarray:
    """Return the ids of new images, which no other image has.

    Parameters
    ----------
    ids : array-like of shape (n_images,) or None
        Whole numbers or texts; None for the paths of files, or for numbers that go on.

    X : array-like
        The images.

    n_images : int
        Number of images.

    known : ndarray or None
        Ids of the images before.

    Returns
    -------
    ids : ndarray of shape (n_images,)
        Of whole numbers, dtype int64, or of texts.

    Raises
    ------
    ValueError
        If an id is given twice, is there already, or is of another kind.
    """
    if ids is None and isinstance(X, ImageFolder):
        ids = X.filenames
    elif ids is None:
        first = 0
        if known is not None and len(known):
            if known.dtype.kind != "i":
                raise ValueError(
                    f"ids=None, but the images before have ids such as {known[0].item()!r}; pass "
                    "ids for these."
                )
            first = int(known.max()) + 1
        ids = np.arange(first, first + n_images)
    ids = _plain(ids, "ids")
    if ids.dtype.kind not in "iU":
        raise ValueError(f"ids have the type {ids.dtype}, expected whole numbers or texts.")
    check_consistent_length(ids, np.empty(n_images))
    if known is not None and len(known) and known.dtype.kind != ids.dtype.kind:
        raise ValueError(
            f"ids has {ids[0].item()!r}, but the images before have ids such as "
            f"{known[0].item()!r}; pass all as whole numbers or all as texts."
        )
    values, counts = np.unique(ids, return_counts=True)
    twice = values[counts > 1].tolist()
    if known is not None:
        twice += np.intersect1d(values, known).tolist()
    if twice:
        raise ValueError(
            f"ids has {shortened(list(map(repr, twice)), 3)}, which other images have; each image "
            "needs an id of its own. Remove the others first, or pass other ids."
        )
    return ids


def check_labels(y: Any, n_images: int) -> np.ndarray | None:
    """Return the labels of images as numbers or texts, None without."""
    if y is None:
        return None
    labels = _plain(column_or_1d(y, warn=True), "y")
    check_consistent_length(labels, np.empty(n_images))
    return labels


def check_metadata(metadata: Any, n_images: int) -> dict[str, np.ndarray]:
    """Return columns of metadata as arrays of numbers or texts.

    Raises
    ------
    TypeError, ValueError
        If it is no table with a row for each image.
    """
    if metadata is None:
        return {}
    if not hasattr(metadata, "items"):
        raise TypeError(
            f"metadata is a {type(metadata).__name__}, expected a DataFrame, or a dict of columns, "
            "with a row for each image."
        )
    columns = {}
    for name, column in metadata.items():
        if not isinstance(name, str) or name in RESERVED:
            raise ValueError(
                f"metadata has the column {name!r}; expected names that are texts, other than "
                f"{choices(RESERVED)}, which results have anyway."
            )
        columns[name] = _plain(column, f"metadata[{name!r}]")
        if len(columns[name]) != n_images:
            raise ValueError(
                f"metadata[{name!r}] has {len(columns[name])} values, but there are {n_images} "
                "images; pass one for each."
            )
    return columns


def joined(before: np.ndarray, new: np.ndarray, name: str) -> np.ndarray:
    """Append an array to another of the same kind."""
    kinds = {before.dtype.kind, new.dtype.kind}
    if "U" in kinds and len(kinds) > 1:
        raise ValueError(
            f"{name} has the type {new.dtype}, but {before.dtype} in what was indexed before; "
            "pass the same kind of values."
        )
    return np.concatenate([before, new])


def select(where: Any, table: Callable[[], pd.DataFrame], n_images: int) -> np.ndarray:
    """Return the rows that a filter leaves.

    Parameters
    ----------
    where : array-like of bool or callable
        The filter.

    table : callable
        Returns the table that a callable filter gets.

    n_images : int
        Number of indexed images.

    Returns
    -------
    rows : ndarray of int
        The rows, increasing.

    Raises
    ------
    ValueError
        If the filter is no mask, or leaves nothing.
    """
    mask = np.asarray(where(table()) if callable(where) else where)
    if mask.shape != (n_images,) or mask.dtype != bool:
        what = "returned" if callable(where) else "is"
        raise ValueError(
            f"where {what} an array of shape {mask.shape} and type {mask.dtype}, expected "
            f"{n_images} values of type bool, one for each indexed image."
        )
    rows = np.flatnonzero(mask)
    if not len(rows):
        raise ValueError(
            f"where leaves none of the {n_images} indexed images; pass a wider filter."
        )
    return rows


def _plain(values: Any, name: str) -> np.ndarray:
    """Return values as an array of numbers or texts, which files can hold."""
    import pandas as pd

    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} has the shape {array.shape}, expected one dimension.")
    if array.dtype.kind == "M":
        return np.datetime_as_string(array).astype(str)
    if array.dtype.kind == "O":
        missing = pd.isna(array)
        are_texts = [isinstance(value, str) for value in array[~missing]]
        if all(are_texts):
            return np.where(missing, "", array).astype(str)
        if any(are_texts):
            raise TypeError(f"{name} has values of several types, expected numbers, or texts.")
        try:
            array = np.array(np.where(missing, np.nan, array).tolist())
        except ValueError:
            array = np.empty(0, dtype=object)
    if array.dtype.kind == "u" or (array.dtype.kind == "i" and array.dtype != np.int64):
        array = array.astype(np.int64)
    if array.dtype.kind not in "biufU" or array.ndim != 1:
        raise TypeError(f"{name} has values of several types, expected numbers, or texts.")
    return array
