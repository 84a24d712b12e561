"""Ctrl-C in a fit: what is kept, and how it is said."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any


class TrainingInterrupted(UserWarning):
    """Warning that training was interrupted by Ctrl-C; the weights trained until then are kept.

    It is a UserWarning, so that filters of warnings can turn it into an error.

    See Also
    --------
    fashionkit.CNNClassifier : Classifier whose ``fit`` warns after an interruption.

    Examples
    --------
    >>> import warnings
    >>> from fashionkit.neural import TrainingInterrupted
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", TrainingInterrupted)
    ...     # clf.fit(X, y) now raises TrainingInterrupted after Ctrl-C
    """


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
