"""Which predictions to accept: the confidence from which on a promise holds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, binom

# Errors that the first test of a sequence tolerates, where there are enough images: with none, one
# wrong label among the most confident images would end it.
_TOLERATED = 5


@dataclass(frozen=True)
class Threshold:
    """The least confidence that is accepted, and what it means for the images it was chosen on.

    Parameters
    ----------
    confidence : float
        Predictions with at least this confidence are accepted; infinity accepts none.

    coverage : float
        Share of the images that are accepted.

    risk : float
        Share of the accepted images that are classified wrongly; NaN where none is.

    risk_bound : float
        Upper limit of the error rate, by Clopper and Pearson; 1 where no image is accepted.
    """

    confidence: float
    coverage: float
    risk: float
    risk_bound: float


def describe_threshold(
    threshold: float,
    confidence: np.ndarray,
    correct: np.ndarray,
    *,
    confidence_level: float,
    is_eligible: np.ndarray,
    weights: np.ndarray,
) -> Threshold:
    """Say what a threshold means for some images.

    Parameters
    ----------
    threshold : float
        Least confidence that is accepted.

    confidence : ndarray of shape (n_samples,)
        Confidence of each prediction.

    correct : ndarray of shape (n_samples,), dtype=bool
        Whether it is right.

    confidence_level : float
        Probability that the bound holds.

    is_eligible : ndarray of shape (n_samples,), dtype=bool
        Whether an image may be accepted at all.

    weights : ndarray of shape (n_samples,)
        Weights of the images. Those that are not equal count as fewer images: the square of their
        sum, divided by the sum of their squares (Kish 1965).

    Returns
    -------
    threshold : Threshold
        The threshold, coverage and risk.
    """
    accepted = is_eligible & (confidence >= threshold)
    total = weights[accepted].sum()
    coverage = float(total / weights.sum())
    if not total:
        return Threshold(float(threshold), coverage, math.nan, 1.0)
    risk = float(weights[accepted & ~correct].sum() / total)
    n_images = total**2 / np.square(weights[accepted]).sum()
    return Threshold(
        float(threshold), coverage, risk, risk_bound(risk * n_images, n_images, confidence_level)
    )


def risk_bound(n_errors: float, n_images: float, confidence_level: float) -> float:
    """Return the upper limit of an error rate, by Clopper and Pearson (1934).

    Parameters
    ----------
    n_errors, n_images : float
        Number of errors, and of images.

    confidence_level : float
        Probability that the limit holds.

    Returns
    -------
    bound : float
        From 0 to 1.
    """
    if n_errors >= n_images:
        return 1.0
    return float(beta.ppf(confidence_level, n_errors + 1, n_images - n_errors))


def threshold_of_coverage(
    confidence: np.ndarray, coverage: float, *, is_eligible: np.ndarray, weights: np.ndarray
) -> float:
    """Return the largest threshold that accepts at least a share of the images."""
    order = _descending(confidence, is_eligible)
    if not len(order):
        return math.inf
    accepted = np.cumsum(weights[order]) / weights.sum()
    # A share such as 0.9 of 10 images is not exact.
    place = min(int(np.searchsorted(accepted, coverage - 1e-12)), len(order) - 1)
    return float(confidence[order[place]])


def threshold_of_risk(
    confidence: np.ndarray,
    correct: np.ndarray,
    risk: float,
    *,
    confidence_level: float,
    is_eligible: np.ndarray,
    weights: np.ndarray,
) -> float:
    """Return the smallest threshold of which it is sure that it keeps the error rate.

    Thresholds are tested one after the other, from the largest on, until the first that cannot
    be shown to keep the rate: the fixed-sequence testing of Angelopoulos et al. (2021), with exact
    binomial p-values. Each test is at the full level, unlike the union bound of Geifman and
    El-Yaniv (2017). The sequence begins at a number of images that depends on the rate, the level
    and the number of images alone.

    Parameters
    ----------
    confidence : ndarray of shape (n_samples,)
        Confidence of each prediction.

    correct : ndarray of shape (n_samples,), dtype=bool
        Whether it is right.

    risk : float
        Largest error rate of what is accepted.

    confidence_level : float
        Probability that it is kept.

    is_eligible : ndarray of shape (n_samples,), dtype=bool
        Whether an image may be accepted at all.

    weights : ndarray of shape (n_samples,)
        Weights of the images, above 0.

    Returns
    -------
    threshold : float
        Infinity where no threshold keeps the rate.
    """
    order = _descending(confidence, is_eligible)
    sorted_confidence, sorted_weights = confidence[order], weights[order]
    total = np.cumsum(sorted_weights)
    # Images of unequal weights count as fewer, and images of weight 0 are not here.
    n_images = total**2 / np.cumsum(np.square(sorted_weights))
    n_errors = np.cumsum(sorted_weights * ~correct[order]) / total * n_images
    # Images of one confidence are accepted together: only the last of them is a threshold.
    is_last = np.append(sorted_confidence[1:] < sorted_confidence[:-1], True)[: len(order)]
    start = _first_number(len(order), risk, 1 - confidence_level)
    candidates = np.flatnonzero(is_last & (n_images >= start - 1e-9))
    # The p-value by the beta distribution, which also takes weighted counts.
    p_values = beta.sf(risk, n_errors[candidates] + 1, n_images[candidates] - n_errors[candidates])
    p_values = np.where(n_errors[candidates] >= n_images[candidates], 1.0, p_values)
    failed = np.flatnonzero(p_values > 1 - confidence_level)
    n_passed = failed[0] if len(failed) else len(candidates)
    return float(sorted_confidence[candidates[n_passed - 1]]) if n_passed else math.inf


def outlier_threshold(scores: np.ndarray, confidence_level: float) -> float:
    """Return the score below which images are outliers.

    Of images like those given, at most ``1 - confidence_level`` have lower scores, with the
    probability ``confidence_level``: a tolerance limit of Wilks (1941). Of fewer images than that
    takes, it is the lowest score.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores of images that are no outliers.

    confidence_level : float
        Share of images that are kept, and the probability of that.

    Returns
    -------
    threshold : float
        A score of one of the images.
    """
    share, n_samples = 1 - confidence_level, len(scores)
    place = int(binom.ppf(share, n_samples, share))
    while place > 0 and binom.sf(place, n_samples, share) < confidence_level:
        place -= 1
    return float(np.partition(scores, place)[place])


def _first_number(n_images: int, risk: float, p_value: float) -> float:
    """Return from how many images on thresholds are tested."""
    for n_errors in range(_TOLERATED, -1, -1):
        number = least_number(n_errors, risk, p_value)
        if number <= (n_images / 2 if n_errors else n_images):
            return number
    return math.inf


def least_number(n_errors: int, risk: float, p_value: float) -> int:
    """Return the least number of images that show, with some errors, that the rate is kept."""
    low, high = n_errors, n_errors + 1
    while binom.cdf(n_errors, high, risk) > p_value:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if binom.cdf(n_errors, middle, risk) > p_value:
            low = middle
        else:
            high = middle
    return high


def _descending(confidence: np.ndarray, is_eligible: np.ndarray) -> np.ndarray:
    """Return the rows that may be accepted, most confident first."""
    rows = np.flatnonzero(is_eligible)
    return rows[np.argsort(-confidence[rows], kind="stable")]
