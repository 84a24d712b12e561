"""A cache for pipelines where each result is computed once, by whoever asks for it first."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import joblib
from filelock import FileLock
from joblib.func_inspect import filter_args
from joblib.memory import MemorizedFunc

from fashionkit._files import write_whole
from fashionkit._times import Times, note_saved


def once(memory: Any) -> Any:
    """Make a cache compute each result once, even if two processes ask at the same time.

    :class:`joblib.Memory` looks for a result, and computes it where there is none. Of two
    processes or threads that look at the same time, both compute it. With this cache the
    second waits for the first, and reads what the first has stored.

    Parameters
    ----------
    memory : None, str, path or joblib.Memory
        The cache, or the folder to have one in.

    Returns
    -------
    memory : None or object with the interface of joblib.Memory
        For ``Pipeline(memory=...)``. It has the settings of the given ``joblib.Memory``
        and shares its results. What caches nothing, not in local files, or in its own way
        is returned as it is.

    Raises
    ------
    ValueError
        If ``memory`` is none of these.

    Notes
    -----
    The locks are empty files in the cache's folder, one for each result and each function.
    They stay there. The operating system releases the locks of a process that dies. They
    work among processes of one machine. A result that cannot be stored, say because the
    disk is full, is computed by everyone who asks for it, one after the other.
    """
    if isinstance(memory, str | os.PathLike):
        memory = joblib.Memory(os.path.expanduser(memory), verbose=0)
    if memory is not None and not hasattr(memory, "cache"):
        raise ValueError(
            f"memory={memory!r} is not a cache; pass None, the path of a folder, or a "
            "joblib.Memory."
        )
    # A subclass may cache in its own way, and other backends may have no folder.
    if type(memory) is not joblib.Memory or memory.location is None or memory.backend != "local":
        return memory
    return OnceMemory(memory)


class OnceMemory(joblib.Memory):
    """A joblib.Memory whose functions lock each of their calls."""

    def __init__(self, memory: joblib.Memory):
        self.__dict__.update(vars(memory))

    def cache(self, func: Callable | None = None, *args: Any, **kwargs: Any) -> Any:
        """Cache a function, as ``joblib.Memory.cache`` does."""
        if func is None:
            return functools.partial(self.cache, *args, **kwargs)
        cached = super().cache(func, *args, **kwargs)
        # Coroutines wait for each other within one thread, which must not wait for a lock.
        return OnceFunction(cached) if type(cached) is MemorizedFunc else cached


class OnceFunction(MemorizedFunc):
    """A cached function that looks, and computes where it must, under a lock."""

    def __init__(self, cached: MemorizedFunc):
        self.__dict__.update(vars(cached))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self._lock_call(args, kwargs) as item:
            is_stored = self.store_backend.contains_item(item)
            start = Times.now()
            result = super().__call__(*args, **kwargs)
            self._note_times(item, Times.now().since(start), is_stored)
            return result

    def call_and_shelve(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, as ``MemorizedFunc.call_and_shelve`` does."""
        with self._lock_call(args, kwargs):
            return super().call_and_shelve(*args, **kwargs)

    def _note_times(self, item: tuple[str, str], taken: Times, is_stored: bool) -> None:
        """Store how long a result has taken, or collect how long it took to who stored it."""
        file = Path(self.store_backend.location, *item, "times.json")
        with suppress(OSError, ValueError, TypeError):  # the result is right without it
            if not is_stored:
                write_whole(file, lambda path: path.write_text(json.dumps(taken)))
            else:
                note_saved(Times(*json.loads(file.read_text())).since(taken))

    @contextmanager
    def _lock_call(self, args: tuple, kwargs: dict) -> Iterator[tuple[str, str]]:
        folder = self.store_backend.location
        # Where the function's code has changed, joblib clears its results: before any of
        # them is computed anew, so that nobody clears what others have computed by then.
        with _lock(folder, self.func_id):
            self._check_previous_func_code()
        arguments = filter_args(self.func, self.ignore, args, kwargs)
        arguments_id = joblib.hash(arguments, coerce_mmap=self.mmap_mode is not None)
        item = (self.func_id, arguments_id)
        with _lock(folder, item):
            yield item


class _Held(threading.local):
    """The lock files that the current thread holds."""

    def __init__(self):
        self.paths = set()


_held = _Held()


@contextmanager
def _lock(folder: str, key: Any) -> Iterator[None]:
    """Keep all other threads, of all processes, out of the block with the same key."""
    # In the folder itself: joblib deletes what is in its subfolders, and no files here.
    path = os.path.join(os.path.abspath(folder), f"{joblib.hash(key)}.lock")
    if path in _held.paths:
        # A cached function has called another of the same name with the same arguments.
        yield
        return
    os.makedirs(folder, exist_ok=True)
    with FileLock(path):
        _held.paths.add(path)
        try:
            yield
        finally:
            _held.paths.remove(path)
