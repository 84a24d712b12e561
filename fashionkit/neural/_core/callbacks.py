"""The user's callbacks: a fit uses them themselves, and clones have copies."""

from __future__ import annotations

import copy
from typing import Any


def check_callbacks(callbacks: Any) -> tuple[Any, ...]:
    """Return the callbacks of a parameter that is one, a list of them, or None."""
    several = _several(callbacks)
    for callback in several:
        if not hasattr(callback, "set_model"):
            raise TypeError(
                f"callbacks has {callback!r}, expected instances of keras.callbacks.Callback."
            )
    return several


def check_copies(callbacks: Any) -> None:
    """Name the callback that a clone cannot copy."""
    for callback in _several(callbacks):
        try:
            copy.deepcopy(callback)
        except TypeError as error:
            raise TypeError(
                f"callbacks has {callback!r}, which cannot be copied: {error}. Clones, as searches "
                "and cross-validation make for each fit, need callbacks of their own; fit the "
                "classifier itself, or give the callback a __deepcopy__."
            ) from error


def _several(callbacks: Any) -> tuple[Any, ...]:
    if callbacks is None:
        return ()
    return (callbacks,) if hasattr(callbacks, "set_model") else tuple(callbacks)
