"""Ctrl-C in a fit: what is kept, and how it is said."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any


class TrainingInterrupted(UserWarning):
    """Warning that training was interrupted by Ctrl-C; the weights trained until then are kept."""


def kept_if_interrupted(fit: Callable) -> Callable:
    """Leave an estimator as it was fitted before where Ctrl-C ends a fit without a result."""

    @wraps(fit)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = dict(vars(self))
        try:
            return fit(self, *args, **kwargs)
        except KeyboardInterrupt:
            vars(self).clear()
            vars(self).update(before)
            raise

    return wrapped
