"""Compiled networks, kept for whoever needs one of the same kind next: one pool per process.

Most of a small fit is building and tracing, so what is compiled is kept. The pool is bounded by
bytes, and lets go first of what was used longest ago. What a network is built from is its key; of
functions the key holds weak references, so that what was built by a closure, a lambda or a
notebook's function is dropped with it.
"""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Protocol

import numpy as np

# Bytes of all that is kept: a few dozen small networks, or a few large ones.
MAX_BYTES = 2**29

# Bytes of what TensorFlow keeps for a compiled function beside its variables: resident memory grows
# by 15 MB for a small network's three, as `python benchmarks/overhead.py pool` measures it.
BYTES_PER_FUNCTION = 5 * 2**20


class Pooled(Protocol):
    """Something compiled, of a known size."""

    n_bytes: int


class Keyed:
    """Base of parameters that know what makes two of them alike."""

    @property
    def key(self) -> Hashable:
        """Equal for objects that are alike; weak where it would hold functions."""
        raise NotImplementedError


class Pool:
    """Keeps compiled things by key, within a number of bytes.

    Parameters
    ----------
    max_bytes : int
        Maximum number of bytes of all that is kept.
    """

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes
        self._kept: OrderedDict[Hashable, list[Pooled]] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}
        self._dead: deque[weakref.ref] = deque()

    @property
    def n_bytes(self) -> int:
        """Number of bytes of all that is kept."""
        with self._lock:
            self._purge()
            return self._count()

    def __len__(self) -> int:
        with self._lock:
            self._purge()
            return sum(map(len, self._kept.values()))

    def take(self, key: Hashable) -> Pooled | None:
        """Take something out, for the caller alone; None where there is none of this kind."""
        with self._lock:
            self._purge()
            items = self._kept.get(key)
            if not items:
                return None
            item = items.pop()
            if not items:
                del self._kept[key]
            return item

    def give_back(self, key: Hashable, item: Pooled) -> None:
        """Put something in for the next caller, unless its key cannot be found again."""
        if any(isinstance(part, _Unique) for part in _parts(key)):
            return
        with self._lock:
            self._purge()
            self._kept.setdefault(key, []).append(item)
            self._kept.move_to_end(key)
            self._limit()

    def share(self, key: Hashable, make: Callable[[], Pooled]) -> Any:
        """Return what all callers with this key share, made by the first of them."""
        found = self._look_up(key)
        if found is not None:
            return found
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:  # two threads would make it twice
            try:
                found = self._look_up(key)
                if found is None:
                    found = make()
                    self.give_back(key, found)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return found

    def clear(self) -> None:
        """Let go of all that is kept."""
        with self._lock:
            self._kept.clear()
            self._dead.clear()

    def _look_up(self, key: Hashable) -> Pooled | None:
        with self._lock:
            self._purge()
            items = self._kept.get(key)
            if not items:
                return None
            self._kept.move_to_end(key)
            return items[0]

    def _count(self) -> int:
        return sum(item.n_bytes for items in self._kept.values() for item in items)

    def _limit(self) -> None:
        """Let go of what was used longest ago, but never of the last that was used."""
        while self._count() > self.max_bytes and sum(map(len, self._kept.values())) > 1:
            oldest = next(iter(self._kept))
            self._kept[oldest].pop(0)
            if not self._kept[oldest]:
                del self._kept[oldest]

    def _purge(self) -> None:
        """Drop what was built by functions that are gone."""
        while self._dead:
            gone = self._dead.popleft()
            for key in [key for key in self._kept if _holds(key, gone)]:
                del self._kept[key]

    def drop_with(
        self, reference: weakref.ref, is_finalizing: Callable[[], bool] = sys.is_finalizing
    ) -> None:
        """Drop all whose key holds a reference that has died."""
        if is_finalizing():  # Python is ending, and what this module has imported may be gone
            return
        self._dead.append(reference)
        # The garbage collector may call this while this thread holds the lock; the next who does
        # will find the reference.
        if self._lock.acquire(blocking=False):
            try:
                self._purge()
            finally:
                self._lock.release()


pool = Pool(MAX_BYTES)


def clear_cache() -> None:
    """Release the compiled networks that this process keeps for later fits and predictions.

    Fitted estimators still work. One that has predicted before keeps its compiled function; others
    compile theirs again when they are next used.

    See Also
    --------
    CNNClassifier : Classifier whose compiled networks are kept.
    BackboneFeatures : Transformer whose compiled networks are kept.

    Examples
    --------
    >>> from fashionkit import clear_cache
    >>> clear_cache()
    """
    pool.clear()


def freeze(value: Any) -> Hashable:
    """Turn nested parameters into something hashable that differs when they differ.

    Parameters
    ----------
    value : object
        Parameters, functions, arrays, or objects with a key of their own.

    Returns
    -------
    frozen : hashable
        Equal for equal parameters. Of functions it holds weak references alone.
    """
    if isinstance(value, dict):
        return dict, frozenset((name, freeze(item)) for name, item in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(map(freeze, value))
    if isinstance(value, functools.partial):
        return functools.partial, *map(freeze, (value.func, value.args, value.keywords))
    if isinstance(value, MethodType):  # made anew whenever it is looked up
        return MethodType, _by_object(value.__func__), _by_object(value.__self__)
    if isinstance(value, np.ndarray):
        numbers = value.tolist() if value.dtype.hasobject else value.tobytes()
        return np.ndarray, value.shape, value.dtype.str, freeze(numbers)
    if isinstance(value, Keyed):
        return type(value), value.key
    try:
        hash(value)
    except TypeError:
        return _Unique()  # so that nothing is reused by mistake
    is_own = type(value).__hash__ is object.__hash__ and type(value).__module__ != "builtins"
    if callable(value) or is_own:  # None and its like are not
        return _by_object(value)
    return type(value), value


def _by_object(value: Any) -> Hashable:
    """Return a key of one object, and of what it holds at the time."""
    try:
        reference = _Weak(value)
    except TypeError:  # it cannot be referred to weakly
        return _Unique()
    if isinstance(value, type | FunctionType | BuiltinFunctionType):
        return reference
    try:
        return reference, freeze(getattr(value, "__dict__", None))
    except RecursionError:  # it holds itself
        return _Unique()


class _Unique:
    """A part of a key that equals nothing else."""


class _Weak:
    """A weak reference to a function, as a part of a key."""

    def __init__(self, value: Any):
        self.reference = weakref.ref(value, pool.drop_with)
        self._hash = hash(value)

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, _Weak):
            return NotImplemented
        value = self.reference()
        return self is other or (value is not None and value == other.reference())

    def __hash__(self) -> int:
        return self._hash


def _parts(key: Any) -> Iterator[Any]:
    """Yield the parts of a key that are not collections."""
    if isinstance(key, tuple | frozenset):
        for part in key:
            yield from _parts(part)
    else:
        yield key


def _holds(key: Any, reference: weakref.ref) -> bool:
    """Tell whether a key holds a weak reference."""
    # By identity: those that have died cannot be hashed.
    return any(isinstance(part, _Weak) and part.reference is reference for part in _parts(key))


# By the identity of an array: what was made of it, as long as it is there.
_beside: dict[int, Any] = {}


def keep_beside(array: np.ndarray, make: Callable[[], Any]) -> Any:
    """Return what has been made of an array, which lasts as long as the array, and is made once.

    Parameters
    ----------
    array : ndarray
        An array that nobody changes.

    make : callable
        Makes it of the array.
    """
    found = _beside.get(id(array))
    if found is None:
        found = _beside[id(array)] = make()
        weakref.finalize(array, _beside.pop, id(array), None)
    return found
