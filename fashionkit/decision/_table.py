"""Memory-efficient table of the rows of chunks, which arrive in any order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from fashionkit.decision._decide import ERROR
from fashionkit.decision._looks import Columns
from fashionkit.decision._rows import DECISIONS


class Table:
    """Table of the rows of chunks, in which equal strings are stored once.

    Parameters
    ----------
    n_rows : int
        Number of files.

    chunk_size : int
        Number of files in each chunk except the last.
    """

    def __init__(self, n_rows: int, chunk_size: int) -> None:
        self._n_rows = n_rows
        self._chunk_size = chunk_size
        self._columns: dict[str, np.ndarray] = {}
        self._known: dict[Any, Any] = {}

    def add(self, number: int, columns: Columns) -> None:
        """Add the rows of a chunk.

        Parameters
        ----------
        number : int
            Number of the chunk, from 0.

        columns : dict of str to list
            Columns of the chunk.
        """
        start = number * self._chunk_size
        for name, values in columns.items():
            column = self._column(name)
            for row, value in enumerate(values, start):  # a slice would turn lists into arrays
                value = tuple(value) if isinstance(value, list) else value
                if isinstance(value, str | tuple) and name != "path":
                    value = self._known.setdefault(value, value)
                column[row] = value

    def to_frame(self, skipped: list[tuple[str, str]]) -> pd.DataFrame:
        """Return all rows, followed by those of folders that could not be listed.

        Parameters
        ----------
        skipped : list of (str, str)
            Path and reason of each folder that could not be listed.

        Returns
        -------
        frame : DataFrame of shape (n_rows + n_skipped, n_columns)
            The rows.
        """
        order = ["path", *DECISIONS, *(n for n in self._columns if n not in {"path", *DECISIONS})]
        frame = pd.DataFrame({name: self._column(name) for name in order})
        if skipped:
            more = pd.DataFrame(skipped, columns=["path", "reason"]).assign(status=ERROR)
            frame = pd.concat([frame, more], ignore_index=True)[order]
        frame["reason"] = frame["reason"].fillna("")
        sets = [one or () for one in self._column("set")] + [()] * len(skipped)
        frame["set"] = pd.Series(sets, dtype=object)
        return frame

    def _column(self, name: str) -> np.ndarray:
        if name not in self._columns:
            is_number = name.endswith("confidence") or name.startswith("share_")
            self._columns[name] = (
                np.full(self._n_rows, math.nan)
                if is_number
                else np.full(self._n_rows, None, object)
            )
        return self._columns[name]
