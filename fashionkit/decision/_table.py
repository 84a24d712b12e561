"""Rows of chunks that come in any order, in one table that takes little memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from fashionkit.decision._chunks import Columns
from fashionkit.decision._rows import DECISIONS, ERROR


class Table:
    """Rows of chunks that come in any order, kept small: equal texts are one.

    Parameters
    ----------
    n_rows : int
        Number of all files.

    chunk_size : int
        Number of files of each chunk but the last.
    """

    def __init__(self, n_rows: int, chunk_size: int) -> None:
        self._n_rows = n_rows
        self._chunk_size = chunk_size
        self._columns: dict[str, np.ndarray] = {}
        self._known: dict[Any, Any] = {}

    def add(self, number: int, columns: Columns) -> None:
        """Write the rows of a chunk into their places."""
        start = number * self._chunk_size
        for name, values in columns.items():
            column = self._column(name)
            for row, value in enumerate(values, start):  # NumPy would make arrays of lists
                value = tuple(value) if isinstance(value, list) else value
                if isinstance(value, str | tuple) and name != "path":
                    value = self._known.setdefault(value, value)
                column[row] = value

    def to_frame(self, skipped: list[tuple[str, str]]) -> pd.DataFrame:
        """Return all rows, those of folders that could not be listed at the end."""
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
