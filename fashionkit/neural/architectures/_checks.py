"""Checks of the parameters that networks are built from."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any


def sizes(
    name: str,
    value: int | Sequence[int],
    *,
    may_be_empty: bool = False,
    length: int | None = None,
) -> tuple[int, ...]:
    """Return one size or several as a tuple, all of them integers of at least 1."""
    values = tuple(value) if isinstance(value, Sequence) else (value,)
    n_right = len(values) == length if length else bool(values) or may_be_empty
    if not n_right or not all(_is(Integral, size) and size >= 1 for size in values):
        wanted = "integers" if may_be_empty else "at least one integer"
        raise _error(name, value, f"{f'{length} integers' if length else wanted}, each at least 1")
    return values


def count(name: str, value: int, *, least: int = 1) -> int:
    """Return an integer of at least ``least``."""
    if not _is(Integral, value) or value < least:
        raise _error(name, value, f"an integer of at least {least}")
    return value


def positive(name: str, value: float) -> float:
    """Return a number above 0."""
    if not _is(Real, value) or not 0 < value < float("inf"):
        raise _error(name, value, "a number above 0")
    return value


def fraction(name: str, value: float) -> float:
    """Return a number of at least 0 and below 1."""
    if not _is(Real, value) or not 0 <= value < 1:
        raise _error(name, value, "a number of at least 0 and below 1")
    return value


def one_of(name: str, value: str, options: Sequence[str]) -> str:
    """Return a value that is one of the options."""
    if not isinstance(value, str) or value not in options:
        raise _error(name, value, f"one of {tuple(options)}")
    return value


def blocks_per_stage(depth: int, n_stages: int, n_outside: int) -> int:
    """Return how many blocks of two convolutions make a network as deep as ``depth``.

    ``n_outside`` of its layers are in no block.
    """
    step = 2 * n_stages
    if not _is(Integral, depth) or depth < step + n_outside or (depth - n_outside) % step:
        first = [step * n + n_outside for n in (1, 2, 3)]
        raise _error(
            "depth",
            depth,
            f"{step}n + {n_outside}, as filters has {n_stages} stages: "
            f"{', '.join(map(str, first))} and so on",
        )
    return (depth - n_outside) // step


def _is(kind: type, value: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _error(name: str, value: Any, expected: str) -> ValueError:
    return ValueError(f"{name}={value!r} in architecture_params, expected {expected}.")
