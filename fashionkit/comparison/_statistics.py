"""Statistics of paired results: intervals, tests, and probabilities of practical differences."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import betaincc, betaincinv, betaln, xlog1py, xlogy

LEVEL = 0.95

# Nodes and weights of integrals from 0 to 1 over the Dirichlet distribution, and what is left out
# at both ends: the integrand is smooth, and the error below 1e-9.
_NODES, _WEIGHTS = (np.polynomial.legendre.leggauss(100) + np.array([[1.0], [0.0]])) / 2
_TAIL = 1e-12


class Odds(NamedTuple):
    """Probabilities that the first of two models is better, practically equal, or worse."""

    better: float
    equal: float
    worse: float


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
    interval = stats.binomtest(n_right, n).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def resampled_interval(scores: np.ndarray, test_share: float) -> tuple[float, float]:
    """Return the 95 % interval of the mean score of folds (Nadeau and Bengio, 2003, section 3).

    Parameters
    ----------
    scores : ndarray of shape (n_folds,)
        Score on each fold.

    test_share : float
        Number of test images over number of training images of a fold.

    Returns
    -------
    low, high : float
        The interval; NaN for fewer than two folds.
    """
    if len(scores) < 2:
        return np.nan, np.nan
    half = stats.t.ppf((1 + LEVEL) / 2, len(scores) - 1) * _resampled_error(scores, test_share)
    return float(scores.mean() - half), float(scores.mean() + half)


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
    return float(stats.binomtest(only_first, n).pvalue) if n else 1.0


def resampled_t_test(differences: np.ndarray, test_share: float) -> float:
    """Return the p value of the corrected resampled t-test (Nadeau and Bengio, 2003).

    Parameters
    ----------
    differences : ndarray of shape (n_folds,)
        Difference of the scores of two models on each fold.

    test_share : float
        Number of test images over number of training images of a fold.

    Returns
    -------
    p_value : float
        Two-sided; NaN for fewer than two folds.
    """
    if len(differences) < 2:
        return np.nan
    error, mean = _resampled_error(differences, test_share), differences.mean()
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / error, len(differences) - 1))


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


def correlated_t_odds(differences: np.ndarray, test_share: float, margin: float) -> Odds:
    """Return the posterior odds of the Bayesian correlated t-test.

    The posterior of the mean difference is Student's t distribution around its mean, with the
    correlation of folds that share training images (Corani and Benavoli 2015; Benavoli, Corani,
    Demsar and Zaffalon 2017, section 3.1).

    Parameters
    ----------
    differences : ndarray of shape (n_folds,)
        Score of the first model minus that of the second on each fold.

    test_share : float
        Number of test images over number of training images of a fold.

    margin : float
        Largest difference that is practically none.

    Returns
    -------
    odds : Odds
        NaN for fewer than two folds.
    """
    if len(differences) < 2:
        return Odds(np.nan, np.nan, np.nan)
    mean, error = differences.mean(), _resampled_error(differences, test_share)
    if error == 0:
        return Odds(float(mean > margin), float(abs(mean) <= margin), float(mean < -margin))
    posterior = stats.t(len(differences) - 1, mean, error)
    return _odds(posterior.sf(margin), posterior.cdf(-margin))


def dirichlet_odds(only_first: int, only_second: int, n: int, margin: float) -> Odds:
    """Return the posterior odds of the difference in accuracy on one test set.

    Each image is one of three kinds: only the first model is right, only the second, or both or
    none. Their shares have a Dirichlet distribution, after a prior of one image of the third kind,
    as in the Bayesian sign test (Benavoli, Corani, Demsar and Zaffalon 2017, section 4.1). The
    difference in accuracy is the first share minus the second.

    Parameters
    ----------
    only_first, only_second : int
        Number of images that only the first, or only the second, of two models
        classified correctly.

    n : int
        Number of images.

    margin : float
        Largest difference that is practically none.

    Returns
    -------
    odds : Odds
        The probabilities.
    """
    n_alike = n - only_first - only_second + 1
    if only_first + only_second == 0:
        return Odds(0.0, 1.0, 0.0)
    exceeds = partial(_exceeds, n_alike=n_alike, margin=margin)
    return _odds(exceeds(only_first, only_second), exceeds(only_second, only_first))


def _exceeds(ours: int, others: int, n_alike: int, margin: float) -> float:
    """Return the probability that the first of three shares exceeds the second by a margin.

    The share of images on which the models differ, and that of the first model among them, are
    independent and have beta distributions: one integral over the former.
    """
    if not ours:
        return 0.0
    if not others:
        return float(betaincc(ours, n_alike, margin))
    n_differing = ours + others
    low, high = betaincinv(n_differing, n_alike, [_TAIL, 1 - _TAIL])
    low = max(low, margin)
    if low >= high:
        return 0.0
    share = low + (high - low) * _NODES
    density = np.exp(
        xlogy(n_differing - 1, share) + xlog1py(n_alike - 1, -share) - betaln(n_differing, n_alike)
    )
    return float(
        (high - low) * np.sum(_WEIGHTS * density * betaincc(ours, others, (1 + margin / share) / 2))
    )


def _odds(better: float, worse: float) -> Odds:
    better, worse = min(max(float(better), 0.0), 1.0), min(max(float(worse), 0.0), 1.0)
    return Odds(better, max(0.0, 1 - (better + worse)), worse)


def _resampled_error(scores: np.ndarray, test_share: float) -> float:
    """Return the standard error of a mean over folds that share training images."""
    if np.ptp(scores) == 0:  # without the rounding errors of a variance
        return 0.0
    return float(np.sqrt((1 / len(scores) + test_share) * scores.var(ddof=1)))
