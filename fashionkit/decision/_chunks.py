"""Classify a chunk of files: read them, decide, and describe what is on them."""

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
from fashionkit.decision._looks import Looks
from fashionkit.decision._reading import Reader, read_photo
from fashionkit.decision._rows import ERROR, decide

Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Work:
    """What is done to each chunk.

    Parameters
    ----------
    reader : Reader
        What reads the photos.

    looks : Looks
        What describes them.

    target_names : list of str
        Names of the model's targets.

    review_below : float or None
        Least confidence that is accepted of a model without ``decide``.
    """

    reader: Reader
    looks: Looks
    target_names: list[str]
    review_below: float | None

    def read(self, paths: list[str]) -> tuple[list[str], Any, list[str | None], Columns]:
        """Read a chunk: its paths, images, reasons of errors, and descriptions."""
        X, reasons = self.reader.read(paths)
        return paths, X, reasons, self.looks.describe(paths, [one is None for one in reasons])

    def classify(
        self, model: Any, paths: list[str], X: Any, reasons: list[str | None], looks: Columns
    ) -> Columns:
        """Return a row for each file of a chunk that was read, by column."""
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
        """Return the decisions on images; of paths, which can still fail, one by one if need be."""
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
                if reason is None:  # the model's own fault
                    raise
                parts.append(pd.DataFrame({"status": [ERROR], "reason": [reason]}))
        return pd.concat(parts, ignore_index=True)


def run_here(work: Work, model: Any, chunks: list[tuple[int, list[str]]]) -> Iterator[Any]:
    """Classify chunks one after the other, and read the next one meanwhile.

    Yields
    ------
    number, digest, columns
        Of each chunk its number, the state of its files before they were read, and its rows.
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
    """Classify one chunk in whichever process this is called in."""
    model = parcel.unpack(arrays)
    state, read = _stamp_and_read(work, paths)
    return number, state, work.classify(model, *read)


def digest_state(paths: list[str], stamp_of: Callable[[str], Any] = stamp) -> str:
    """Return a digest of the sizes and times of some files, by which changes are noticed."""
    return hashlib.sha256(repr([stamp_of(path) for path in paths]).encode()).hexdigest()[:16]


def _stamp_and_read(work: Work, paths: list[str]) -> tuple[str, Any]:
    return digest_state(paths), work.read(paths)


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it: the same, whether it was written meanwhile or not."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple | list | set | frozenset | np.ndarray):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
