"""Gather what Pillow warns of, by the file, instead of one nameless warning after the other."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Filters of warnings belong to the process, images may be read in many threads: the first reader
# sets the filter, and the last takes it away.
_lock = threading.Lock()
_n_readers = 0
_filters: Any = None
_file = threading.local()


@contextmanager
def gathering() -> Iterator[None]:
    """Let :func:`noting` gather what Pillow warns of, in any thread."""
    global _n_readers, _filters
    with _lock:
        if not _n_readers:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
            warnings.filterwarnings("always", module=r"PIL\.")
            warnings.showwarning = _note_or(warnings.showwarning)
        _n_readers += 1
    try:
        yield
    finally:
        with _lock:
            _n_readers -= 1
            if not _n_readers:
                _filters.__exit__(None, None, None)


@contextmanager
def noting() -> Iterator[list[str]]:
    """Gather what Pillow warns of in this thread, while one file is read."""
    notes: list[str] = []
    _file.notes = notes
    try:
        yield notes
    finally:
        _file.notes = None


def _note_or(show: Any) -> Any:
    def note(message: Warning | str, category: type[Warning], *where: Any, **stream: Any) -> None:
        notes = getattr(_file, "notes", None)
        if notes is None:  # not of a file that is being read
            show(message, category, *where, **stream)
        else:
            notes.append(" ".join(str(message).split()))

    return note
