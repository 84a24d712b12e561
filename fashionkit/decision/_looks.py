"""Describe photos beside what a model says of them: quality and dominant colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Looks:
    """What is described of each photo.

    Parameters
    ----------
    quality : bool
        Whether to say what is wrong with a photo.

    n_colors : int
        Number of dominant colours; 0 for none.
    """

    quality: bool
    n_colors: int

    def describe(
        self, paths: list[str], reasons: list[str | None]
    ) -> tuple[dict[str, list[Any]], list[str | None]]:
        """Describe the photos that could be read.

        Parameters
        ----------
        paths : list of str
            The files.

        reasons : list of str or None
            Why each could not be read; None for those that were.

        Returns
        -------
        columns : dict of str to list
            One value for each file, None for those that could not be read.

        reasons : list of str or None
            The same, and why a photo could not be read again.
        """
        return {}, reasons
