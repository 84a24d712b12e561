"""Chunks of files: reading, decisions, and descriptions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fashionkit.datasets._listing import stamp
from fashionkit.decision._courier import Parcel
from fashionkit.decision._decide import ERROR
from fashionkit.decision._looks import Columns, Looks
from fashionkit.decision._reading import Reader, read_photo
from fashionkit.decision._rows import decide


@dataclass(frozen=True)
class Work:
    """Settings of the work on each chunk.

    Parameters
    ----------
    reader : Reader
        Reader of the photos.

    looks : Looks
        Descriptions of the photos.

    target_names : list of str
        Name of each target of the model.

    review_below : float or None
        Minimum confidence of an accepted prediction, for a model without ``decide``.
    """

    reader: Reader
    looks: Looks
    target_names: list[str]
    review_below: float | None

    def read(self, paths: list[str]) -> tuple[list[str], Any, list[str | None], Columns]:
        """Read a chunk, and return its paths, images, reasons of errors, and descriptions."""
        X, reasons = self.reader.read(paths)
        return paths, X, reasons, self.looks.describe(paths, [one is None for one in reasons])

    def classify(
        self, model: Any, paths: list[str], X: Any, reasons: list[str | None], looks: Columns
    ) -> Columns:
        """Return the columns of a chunk that was read, with one value for each file."""
        readable = [row for row, reason in enumerate(reasons) if reason is None]
        rows = pd.DataFrame({"path": paths, "status": ERROR, "reason": reasons})
        columns: Columns = {name: rows[name].tolist() for name in rows}
        if readable:
            decided = self._decide(model, X, [paths[row] for row in readable])
            for name in decided:
                values = columns.setdefault(name, [None] * len(paths))
                for row, value in zip(readable, decided[name].tolist(), strict=True):
                    values[row] = _plain(value)
        return columns | looks

    def _decide(self, model: Any, X: Any, paths: list[str]) -> pd.DataFrame:
        """Return the decisions on images; on paths, one by one if reading any of them fails."""
        try:
            return decide(model, X, self.target_names, self.review_below)
        except (OSError, ValueError):
            if self.reader.form != "paths":
                raise
        parts = []
        for path in paths:
            try:
                parts.append(decide(model, [path], self.target_names, self.review_below))
            except (OSError, ValueError):
                _, reason = read_photo(path, self.reader.size, self.reader.aspect)
                if reason is None:  # the model raised it, not the photo
                    raise
                parts.append(pd.DataFrame({"status": [ERROR], "reason": [reason]}))
        return pd.concat(parts, ignore_index=True)


def run_here(work: Work, model: Any, chunks: list[tuple[int, list[str]]]) -> Iterator[Any]:
    """Classify chunks in this process, and read the next chunk meanwhile.

    Parameters
    ----------
    work : Work
        Settings.

    model : estimator
        Fitted classifier.

    chunks : list of (int, list of str)
        Number and paths of each chunk.

    Yields
    ------
    number : int
        Number of the chunk.

    digest : str
        Digest of the state of its files before reading.

    columns : dict of str to list
        Columns of the chunk.
    """
    with ThreadPoolExecutor(1) as pool:
        ahead = None
        for number, paths in [*chunks, (None, None)]:
            after = None
            if paths is not None:
                after = number, pool.submit(_stamp_and_read, work, paths)
            if ahead is not None:
                done, reading = ahead
                state, read = reading.result()
                yield done, state, work.classify(model, *read)
            ahead = after


def run_there(
    work: Work, parcel: Parcel, arrays: np.ndarray, number: int, paths: list[str]
) -> tuple[int, str, Columns]:
    """Classify one chunk, in a process that may have received the model in a parcel."""
    model = parcel.unpack(arrays)
    state, read = _stamp_and_read(work, paths)
    return number, state, work.classify(model, *read)


def digest_state(paths: list[str], stamp_of: Callable[[str], Any] = stamp) -> str:
    """Return a digest of the sizes and modification times of files, to detect changes."""
    return hashlib.sha256(repr([stamp_of(path) for path in paths]).encode()).hexdigest()[:16]


def _stamp_and_read(work: Work, paths: list[str]) -> tuple[str, Any]:
    return digest_state(paths), work.read(paths)


def _plain(value: Any) -> Any:
    """Return a value as it is after writing to JSON and reading back."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple | list | set | frozenset | np.ndarray):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
