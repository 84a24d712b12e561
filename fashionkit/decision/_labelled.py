"""Listing of training photos with their labels and groups, from class folders and tables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashionkit.datasets._listing import list_files
from fashionkit.datasets._names import choices, shortened

# Columns of tables that do not contain labels.
_PATHS = ("path", "file", "filename", "image")
_CORRECTED = "corrected"
_BESIDE = ("confidence", "status", "reason", "set", "quality", _CORRECTED)
_GROUPS = ("group", "sender", "sender_id")
LABEL = "label"


@dataclass(frozen=True)
class Labelled:
    """Photos with one or several labels each.

    Parameters
    ----------
    paths : ndarray of shape (n_photos,), dtype=object
        Absolute paths of the files.

    targets : DataFrame of shape (n_photos, n_targets)
        Class labels of each target.

    groups : ndarray of shape (n_photos,), dtype=object, or None
        Group of each photo, which is never split; None without groups.

    n_corrected : int, default=0
        Number of labels from columns "corrected".
    """

    paths: np.ndarray
    targets: pd.DataFrame
    groups: np.ndarray | None
    n_corrected: int = 0

    def take(self, rows: np.ndarray) -> Labelled:
        """Return the photos of some row numbers."""
        groups = None if self.groups is None else self.groups[rows]
        targets = self.targets.iloc[rows].reset_index(drop=True)
        return replace(self, paths=self.paths[rows], targets=targets, groups=groups)


def list_labelled(
    folder: str | os.PathLike[str] | None,
    labels: Any = None,
    targets: Iterable[str] | None = None,
    groups: str | os.PathLike[str] | None = None,
) -> Labelled:
    """List photos and their labels.

    Parameters
    ----------
    folder : str, path-like or None
        Folder with a sub-folder of photos for each class; or, if tables label all photos, the
        folder to which their relative paths refer.

    labels : str, path-like, DataFrame, list of these or None
        Tables with a column of paths, and one or several columns of labels. If a table has a column
        "corrected", its values are the labels, and rows in which it is empty are ignored.

    targets : list of str, default=None
        Columns of labels; None for all columns that are not known to contain anything else.

    groups : str or path-like, default=None
        Column of the tables; or a CSV file with a column "file" or "path", and a column "group",
        "sender" or "sender_id".

    Returns
    -------
    listed : Labelled
        Photos, labels and groups.

    Raises
    ------
    TypeError
        If a table is neither a path nor a DataFrame.

    OSError
        If a file or folder cannot be read.

    ValueError
        If a table lacks a column or is inconsistent, or there is nothing to train on.
    """
    given = [] if labels is None else labels if isinstance(labels, list) else [labels]
    tables = [_read(table) for table in given]
    if folder is None and not tables:
        raise ValueError(
            "source=None without labels, expected photos to train on; pass a folder of class "
            "folders, or labels."
        )
    # A column takes precedence over a file or folder that happens to have its name.
    is_column = groups is not None and (
        any(str(groups) in table for table in tables) or not os.path.exists(groups)
    )
    column = str(groups) if is_column else None
    parts = [_from_table(table, folder, targets, column) for table in tables]
    # Corrections are added to the photos of the folder; a table of all labels replaces them.
    if folder is not None and all(_CORRECTED in table for table in tables):
        parts.insert(0, _from_folder(folder))
    rows = pd.concat(parts, ignore_index=True)
    if column is not None and "group" in rows:
        # A correction keeps the group of its photo: tables for review have no such column.
        rows["group"] = rows.groupby("path")["group"].ffill()
    rows = rows.drop_duplicates("path", keep="last").reset_index(drop=True)
    names = [name for name in rows.columns if name not in ("path", "group")]
    rows = _without_gaps(rows, names)
    found = rows["group"].to_numpy(object) if column is not None and "group" in rows else None
    if column is not None and (found is None or pd.isna(found).any()):
        raise ValueError(
            f"groups={column!r} is neither a file nor a column that is filled in all rows of the "
            "labels; pass the path of a CSV file, or the name of such a column."
        )
    if groups is not None and not is_column:
        found = _groups_of(rows["path"], groups)
    n_corrected = sum(
        int(table[_CORRECTED].notna().sum()) for table in tables if _CORRECTED in table
    )
    return Labelled(rows["path"].to_numpy(object), rows[names], found, n_corrected)


def _read(table: Any) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table.astype(object).where(table.notna(), None)
    if not isinstance(table, str | os.PathLike):
        raise TypeError(
            f"labels has a {type(table).__name__}, expected CSV files or DataFrames; pass one, or "
            "a list of these."
        )
    path = Path(table).expanduser()
    try:
        # Labels are read as text, so that 07 differs from 7.
        read = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(
            f"labels={str(path)!r} cannot be read as CSV in UTF-8: {error}; pass such a file."
        ) from error
    read = read.astype(object).where(read.notna(), None)
    read.attrs |= {"file": str(path), "folder": str(path.parent)}
    return read


def _from_folder(folder: str | os.PathLike[str]) -> pd.DataFrame:
    listing = list_files(folder, "skip")
    return pd.DataFrame({"path": listing.filenames.tolist(), LABEL: listing.labels}, dtype=object)


def _from_table(
    table: pd.DataFrame, folder: Any, targets: Iterable[str] | None, group: str | None
) -> pd.DataFrame:
    """Return the paths and labels of a table."""
    path = next((name for name in _PATHS if name in table), None)
    if path is None:
        raise ValueError(
            f"labels{_called(table)} has the columns {choices(table.columns, most=8)}, expected a "
            "column 'path'; rename the one that contains the paths."
        )
    if targets is not None and (missing := [name for name in targets if name not in table]):
        raise ValueError(
            f"labels{_called(table)} has no column {missing[0]!r}, expected all of targets; pass "
            f"targets out of its columns {choices(table.columns, most=8)}."
        )
    if _CORRECTED in table:
        filled = table[table[_CORRECTED].notna()]
        if filled.empty:
            raise ValueError(
                f"labels{_called(table)} has a column 'corrected' that is filled in 0 of "
                f"{len(table)} rows, expected at least 1; fill in the correct labels, or leave the "
                "table out."
            )
        table = filled.assign(**{LABEL: filled[_CORRECTED]})
        names = [LABEL]
    else:
        beside = {*_PATHS, *_BESIDE, *_GROUPS, group}
        names = [*(targets or (name for name in table if name not in beside))]
    if not names:
        raise ValueError(
            f"labels{_called(table)} has no column of labels, expected a column 'label'; rename "
            "the one that contains them, or pass its name in targets."
        )
    rows = table[names].copy()
    rows.insert(0, "path", [_whole(one, folder, table) for one in table[path]])
    if group is not None and group in table:
        rows["group"] = table[group]
    twice = rows[rows.duplicated("path", keep=False)].drop_duplicates(["path", *names])
    if twice["path"].duplicated().any():
        raise ValueError(
            f"labels{_called(table)} has {twice['path'].iloc[0]!r} twice, with different labels, "
            "expected one row for each photo; remove the wrong one."
        )
    return rows


def _called(table: pd.DataFrame) -> str:
    return f"={table.attrs['file']!r}" if "file" in table.attrs else ""


def _whole(path: Any, folder: Any, table: pd.DataFrame) -> str:
    """Return an absolute path, relative to the folder or to the file of the table."""
    path = os.path.expanduser(str(path))
    places = [folder, table.attrs.get("folder")]
    found = (os.path.join(place, path) for place in places if place is not None)
    return os.path.abspath(next((one for one in found if os.path.exists(one)), path))


def _without_gaps(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the rows with a label for every target."""
    complete = rows[names].notna().all(axis=1)
    if not complete.any():
        raise ValueError(
            "labels has no row with a label for every target, expected at least two classes; fill "
            "in the labels, or pass fewer targets."
        )
    for name in names:
        labels = rows.loc[complete, name]
        if labels.nunique() < 2:
            raise ValueError(
                f"{name} has one class, {labels.iloc[0]!r}, in all {len(labels)} photos, expected "
                "at least two; pass photos of other classes, or leave it out of targets."
            )
        _refuse_misspelt(name, labels)
    return rows[complete].reset_index(drop=True)


def _refuse_misspelt(name: str, labels: pd.Series) -> None:
    """Reject labels that only differ in capitals or spaces, which would be separate classes."""
    counts = labels.value_counts()
    seen: dict[str, Any] = {}
    for label in counts.index:
        usual = seen.setdefault(" ".join(str(label).split()).casefold(), label)
        if usual != label:
            raise ValueError(
                f"{name} has both {usual!r} ({counts[usual]} photos) and {label!r} "
                f"({counts[label]}), which differ in capitals or spaces alone; spell them alike."
            )


def _groups_of(paths: pd.Series, file: str | os.PathLike[str]) -> np.ndarray:
    """Return the group of each photo from a table of files, by the name of the file."""
    table = _read(file)
    path = next((name for name in _PATHS if name in table), None)
    group = next((name for name in _GROUPS if name in table), None)
    if path is None or group is None:
        raise ValueError(
            f"groups={os.fspath(file)!r} has the columns {choices(table.columns, most=8)}, "
            "expected 'file' or 'path', and 'group', 'sender' or 'sender_id'; rename them."
        )
    by_name: dict[str, str] = {}
    for one, sender in zip(table[path], table[group], strict=True):
        name = os.path.basename(str(one))
        if by_name.setdefault(name, sender) != sender:
            raise ValueError(
                f"groups={os.fspath(file)!r} has {name!r} twice, with different groups, expected "
                "unique file names; rename one of the files."
            )
    names = [os.path.basename(one) for one in paths]
    if unknown := [name for name in names if name not in by_name]:
        raise ValueError(
            f"groups={os.fspath(file)!r} lacks {len(unknown)} of {len(names)} photos: "
            f"{shortened([repr(name) for name in unknown], 3)}; add a row for each."
        )
    return np.array([by_name[name] for name in names], dtype=object)
