"""Statistics of proportions: a confidence interval, a paired test, and its correction."""

from __future__ import annotations

import numpy as np
from scipy.stats import binomtest


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion (Wilson, 1927).

    Parameters
    ----------
    n_right : int
        Number of successes.

    n : int
        Number of trials.

    Returns
    -------
    low, high : float
        The interval.
    """
    interval = binomtest(n_right, n).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the p value of the exact, two-sided McNemar test (1947).

    Parameters
    ----------
    only_first, only_second : int
        Number of images that only the first, or only the second, of two models
        classified correctly.

    Returns
    -------
    p_value : float
        1.0 where both numbers are zero.
    """
    n = only_first + only_second
    return float(binomtest(only_first, n).pvalue) if n else 1.0


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct p values for multiple testing by the step-down method of Holm (1979).

    Parameters
    ----------
    p_values : ndarray of shape (n_tests,)
        Uncorrected p values.

    Returns
    -------
    corrected : ndarray of shape (n_tests,)
        Corrected p values, at most 1.
    """
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.maximum.accumulate(p_values[order] * factors)
    return corrected.clip(max=1.0)
