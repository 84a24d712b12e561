"""Descriptions of photos that need no model: quality and dominant colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fashionkit.decision._colors import dominant_colors
from fashionkit.preprocessing import ProductPhotoPreprocessor

Columns = dict[str, list[Any]]

_QUALITY = "quality"


@dataclass(frozen=True)
class Looks:
    """Settings of the descriptions of each photo.

    Parameters
    ----------
    quality : bool
        Whether to describe defects of a photo.

    n_colors : int
        Number of dominant colours; 0 for none.
    """

    quality: bool
    n_colors: int

    def describe(self, paths: list[str], are_readable: list[bool]) -> Columns:
        """Describe photos.

        Parameters
        ----------
        paths : list of str
            Paths of the files.

        are_readable : list of bool
            Whether to describe each file.

        Returns
        -------
        columns : dict of str to list
            One value for each file; None if it is not to be described, or can no longer be read.
        """
        columns: Columns = {}
        if self.quality:
            columns |= _spread(_describe_quality, paths, are_readable, [_QUALITY])
        if self.n_colors:
            columns |= _spread(self._describe_colors, paths, are_readable, [])
        return columns

    def _describe_colors(self, paths: list[str]) -> pd.DataFrame:
        return dominant_colors(paths, n_colors=self.n_colors)


def _describe_quality(paths: list[str]) -> pd.DataFrame:
    return ProductPhotoPreprocessor().describe(paths)[[_QUALITY]]


def _spread(
    describe: Callable[[list[str]], pd.DataFrame],
    paths: list[str],
    are_readable: list[bool],
    names: list[str],
) -> Columns:
    """Return one value of each column for each file, one by one if any file fails."""
    rows = [row for row, is_readable in enumerate(are_readable) if is_readable]
    columns: Columns = {name: [None] * len(paths) for name in names}
    parts: list[tuple[list[int], pd.DataFrame]] = []
    try:
        if rows:
            parts = [(rows, describe([paths[row] for row in rows]))]
    except (OSError, ValueError):  # a file was removed or changed since it was read
        for row in rows:
            try:
                parts.append(([row], describe([paths[row]])))
            except (OSError, ValueError):
                continue
    for at, part in parts:
        for name in part:
            values = columns.setdefault(name, [None] * len(paths))
            for row, value in zip(at, part[name].tolist(), strict=True):
                values[row] = value
    return columns
