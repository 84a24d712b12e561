"""Which photos to train on, their labels and who took them: from class folders and tables."""

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

# Columns of tables of labels that are none themselves.
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
        The files, by their absolute paths.

    targets : DataFrame of shape (n_photos, n_targets)
        Their labels.

    groups : ndarray of shape (n_photos,) or None
        Photos of the same group must not be in two parts of a split.

    n_corrected : int, default=0
        Number of labels that are from a column "corrected".
    """

    paths: np.ndarray
    targets: pd.DataFrame
    groups: np.ndarray | None
    n_corrected: int = 0

    def take(self, rows: np.ndarray) -> Labelled:
        """Return some of the photos."""
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
        Photos in class folders; or, beside labels of all of them, where their paths begin.

    labels : str, path-like, DataFrame, list of these or None
        Tables with a column of paths and one or several of labels; a column "corrected" says what
        is right, where it is filled, and rows where it is not are left out.

    targets : list of str, default=None
        Columns of labels; None for all that are not known to be something else.

    groups : str or path-like, default=None
        A column of the tables; or a CSV file with a column "file" or "path" and one "group",
        "sender" or "sender_id".

    Raises
    ------
    OSError
        If a file or folder cannot be read.

    ValueError
        If a table lacks a column, contradicts itself, or there is nothing to train on.
    """
    given = [] if labels is None else labels if isinstance(labels, list) else [labels]
    tables = [_read(table) for table in given]
    if folder is None and not tables:
        raise ValueError("source=None without labels; pass a folder of class folders, or labels.")
    is_column = groups is not None and not os.path.exists(groups)
    column = str(groups) if is_column else None
    parts = [_from_table(table, folder, targets, column) for table in tables]
    # Corrections add to the photos of the folder; a table of all labels replaces its names.
    if folder is not None and all(_CORRECTED in table for table in tables):
        parts.insert(0, _from_folder(folder))
    rows = pd.concat(parts, ignore_index=True).drop_duplicates("path", keep="last")
    rows = rows.reset_index(drop=True)
    names = [name for name in rows.columns if name not in ("path", "group")]
    rows = _without_gaps(rows, names)
    found = rows["group"].to_numpy(object) if column is not None and "group" in rows else None
    if column is not None and (found is None or pd.isna(found).any()):
        raise ValueError(
            f"groups={column!r} is neither a file nor a column that is filled in all rows of the "
            "labels; pass one of these."
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
    path = Path(table).expanduser()
    try:
        # As text: the label 07 is not 7.
        read = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"labels={str(path)!r} cannot be read as CSV: {error}") from error
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
            f"labels has the columns {choices(table.columns, most=8)}, expected one called 'path'."
        )
    if targets is not None and (missing := [name for name in targets if name not in table]):
        raise ValueError(
            f"labels has no column {missing[0]!r}; it has {choices(table.columns, most=8)}."
        )
    if _CORRECTED in table:
        filled = table[table[_CORRECTED].notna()]
        if filled.empty:
            raise ValueError(
                f"labels{_called(table)} has a column 'corrected' that is filled in none of "
                f"{len(table)} rows; write into it what is right, or leave the table out."
            )
        table = filled.assign(**{LABEL: filled[_CORRECTED]})
        names = [LABEL]
    else:
        beside = {*_PATHS, *_BESIDE, *_GROUPS, group}
        names = [*(targets or (name for name in table if name not in beside))]
    if not names:
        raise ValueError("labels has no column of labels; expected one called 'label'.")
    rows = table[names].copy()
    rows.insert(0, "path", [_whole(one, folder, table) for one in table[path]])
    if group is not None and group in table:
        rows["group"] = table[group]
    twice = rows[rows.duplicated("path", keep=False)].drop_duplicates(["path", *names])
    if twice["path"].duplicated().any():
        raise ValueError(
            f"labels has {twice['path'].iloc[0]!r} twice, with different labels; remove one."
        )
    return rows


def _called(table: pd.DataFrame) -> str:
    return f"={table.attrs['file']!r}" if "file" in table.attrs else ""


def _whole(path: Any, folder: Any, table: pd.DataFrame) -> str:
    """Return an absolute path: relative ones begin in the folder, or where the table is."""
    path = os.path.expanduser(str(path))
    places = [folder, table.attrs.get("folder")]
    found = (os.path.join(place, path) for place in places if place is not None)
    return os.path.abspath(next((one for one in found if os.path.exists(one)), path))


def _without_gaps(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Leave out photos without a label."""
    complete = rows[names].notna().all(axis=1)
    if not complete.any():
        raise ValueError("labels has no row with a label; expected at least two classes.")
    for name in names:
        labels = rows.loc[complete, name]
        if labels.nunique() < 2:
            raise ValueError(
                f"{name} has one class, {labels.iloc[0]!r}, in all {len(labels)} photos; expected "
                "at least two."
            )
        _refuse_misspelt(name, labels)
    return rows[complete].reset_index(drop=True)


def _refuse_misspelt(name: str, labels: pd.Series) -> None:
    """Refuse labels that differ in capitals or spaces alone: they would be classes apart."""
    counts = labels.value_counts()
    seen: dict[str, Any] = {}
    for label in counts.index:
        usual = seen.setdefault(" ".join(str(label).split()).casefold(), label)
        if usual != label:
            raise ValueError(
                f"{name} has both {usual!r} ({counts[usual]} photos) and {label!r} "
                f"({counts[label]}), which differ in capitals or spaces alone; write them alike."
            )


def _groups_of(paths: pd.Series, file: str | os.PathLike[str]) -> np.ndarray:
    """Return the group of each photo by a table of files; each without one is its own."""
    table = _read(file)
    path = next((name for name in _PATHS if name in table), None)
    group = next((name for name in _GROUPS if name in table), None)
    if path is None or group is None:
        raise ValueError(
            f"groups={os.fspath(file)!r} has the columns {choices(table.columns, most=8)}, "
            "expected 'file' or 'path', and 'group', 'sender' or 'sender_id'."
        )
    by_name: dict[str, str] = {}
    for one, sender in zip(table[path], table[group], strict=True):
        name = os.path.basename(str(one))
        if by_name.setdefault(name, sender) != sender:
            raise ValueError(
                f"groups={os.fspath(file)!r} has {name!r} twice, with different groups; rename one "
                "of the files."
            )
    names = [os.path.basename(one) for one in paths]
    if unknown := [name for name in names if name not in by_name]:
        raise ValueError(
            f"groups={os.fspath(file)!r} lacks {len(unknown)} of {len(names)} photos: "
            f"{shortened([repr(name) for name in unknown], 3)}."
        )
    return np.array([by_name[name] for name in names], dtype=object)
