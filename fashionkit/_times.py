"""Wall time and CPU time, also of what an earlier computation has saved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Times(NamedTuple):
    """Wall time and CPU time in seconds."""

    wall: float = 0.0
    cpu: float = 0.0

    @classmethod
    def now(cls) -> Times:
        """Return the clocks of this process."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, start: Times) -> Times:
        """Return what has passed since."""
        return Times(self.wall - start.wall, self.cpu - start.cpu)

    def plus(self, other: Times) -> Times:
        """Return the sum of both."""
        return Times(self.wall + other.wall, self.cpu + other.cpu)


_saved: ContextVar[list[Times] | None] = ContextVar("saved", default=None)


@contextmanager
def saved_times() -> Iterator[list[Times]]:
    """Collect the times that earlier computations have saved inside the block.

    Yields
    ------
    saved : list of Times
        One for each result from a cache, and one for each training that goes on from a checkpoint.
    """
    saved: list[Times] = []
    token = _saved.set(saved)
    try:
        yield saved
    finally:
        _saved.reset(token)


def note_saved(times: Times) -> None:
    """Tell who collects saved times of some."""
    if (saved := _saved.get()) is not None:
        saved.append(times)
