"""Thresholds of the confidence: for an error rate, for a coverage, and for outliers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, binom

# Errors that the first test of a sequence allows if there are enough images: otherwise one wrong
# label among the most confident images would end the sequence.
_TOLERATED = 5


@dataclass(frozen=True)
class Threshold:
    """Threshold of the confidence, with its coverage and risk on some images.

    Parameters
    ----------
    confidence : float
        Minimum confidence of an accepted prediction; infinity accepts none.

    coverage : float
        Fraction of the images that is accepted.

    risk : float
        Fraction of the accepted images that is misclassified; NaN if none is accepted.

    risk_bound : float
        Upper confidence limit of the error rate; 1 if no image is accepted.
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
    """Compute the coverage and the risk of a threshold on some images.

    Parameters
    ----------
    threshold : float
        Minimum confidence of an accepted prediction.

    confidence : ndarray of shape (n_samples,)
        Confidence of each prediction.

    correct : ndarray of shape (n_samples,), dtype=bool
        Whether each prediction is correct.

    confidence_level : float
        Probability that the bound holds.

    is_eligible : ndarray of shape (n_samples,), dtype=bool
        Whether each image may be accepted.

    weights : ndarray of shape (n_samples,)
        Weight of each image. The bound uses the effective number of images: the squared sum of the
        weights over the sum of their squares (Kish, 1965).

    Returns
    -------
    threshold : Threshold
        Threshold, coverage and risk.
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
    """Compute the exact upper confidence limit of an error rate (Clopper and Pearson, 1934).

    Parameters
    ----------
    n_errors, n_images : float
        Number of errors and of images; fractional for weighted images.

    confidence_level : float
        Probability that the limit holds.

    Returns
    -------
    bound : float
        Upper limit, from 0 to 1.
    """
    if n_errors >= n_images:
        return 1.0
    return float(beta.ppf(confidence_level, n_errors + 1, n_images - n_errors))


def threshold_of_coverage(
    confidence: np.ndarray, coverage: float, *, is_eligible: np.ndarray, weights: np.ndarray
) -> float:
    """Return the largest threshold that accepts at least a fraction of the images.

    Parameters
    ----------
    confidence : ndarray of shape (n_samples,)
        Confidence of each prediction.

    coverage : float
        Fraction of the weight of all images to accept.

    is_eligible : ndarray of shape (n_samples,), dtype=bool
        Whether each image may be accepted.

    weights : ndarray of shape (n_samples,)
        Positive weight of each image.

    Returns
    -------
    threshold : float
        Confidence of one of the images; the lowest eligible one if too few are eligible, infinity
        if none is.
    """
    order = _descending(confidence, is_eligible)
    if not len(order):
        return math.inf
    accepted = np.cumsum(weights[order]) / weights.sum()
    # A fraction such as 0.9 of 10 images is subject to rounding.
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
    """Return the smallest threshold that is shown to keep the error rate.

    Thresholds are tested in descending order, until the first that cannot be shown to keep the
    rate: the fixed-sequence testing of Angelopoulos et al. (2021, section 2), with exact binomial
    p-values. Each test is at the full level, unlike the union bound of Geifman and El-Yaniv (2017).
    The number of images at which the sequence begins depends only on the rate, the level and the
    number of images.

    Parameters
    ----------
    confidence : ndarray of shape (n_samples,)
        Confidence of each prediction.

    correct : ndarray of shape (n_samples,), dtype=bool
        Whether each prediction is correct.

    risk : float
        Maximum error rate of accepted predictions.

    confidence_level : float
        Probability that the error rate is kept.

    is_eligible : ndarray of shape (n_samples,), dtype=bool
        Whether each image may be accepted.

    weights : ndarray of shape (n_samples,)
        Positive weight of each image.

    Returns
    -------
    threshold : float
        Confidence of one of the images; infinity if no threshold is shown to keep the rate.
    """
    order = _descending(confidence, is_eligible)
    sorted_confidence, sorted_weights = confidence[order], weights[order]
    total = np.cumsum(sorted_weights)
    # Effective number of images, as in describe_threshold.
    n_images = total**2 / np.cumsum(np.square(sorted_weights))
    n_errors = np.cumsum(sorted_weights * ~correct[order]) / total * n_images
    # Images of equal confidence are accepted together: only the last of them is a threshold.
    is_last = np.append(sorted_confidence[1:] < sorted_confidence[:-1], True)[: len(order)]
    start = _first_number(len(order), risk, 1 - confidence_level)
    candidates = np.flatnonzero(is_last & (n_images >= start - 1e-9))
    # Binomial p-value, by the beta distribution, which also supports fractional counts.
    p_values = beta.sf(risk, n_errors[candidates] + 1, n_images[candidates] - n_errors[candidates])
    p_values = np.where(n_errors[candidates] >= n_images[candidates], 1.0, p_values)
    failed = np.flatnonzero(p_values > 1 - confidence_level)
    n_passed = failed[0] if len(failed) else len(candidates)
    return float(sorted_confidence[candidates[n_passed - 1]]) if n_passed else math.inf


def outlier_threshold(scores: np.ndarray, confidence_level: float) -> float:
    """Return the score below which images are outliers.

    It is a lower tolerance limit (Wilks, 1941): with probability ``confidence_level``, at most the
    fraction ``1 - confidence_level`` of images from the same distribution has a lower score. With
    too few images for such a limit, it is the lowest score.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores of images that are not outliers.

    confidence_level : float
        Minimum fraction of images to keep, and the probability of keeping it.

    Returns
    -------
    threshold : float
        Score of one of the images.
    """
    share, n_samples = 1 - confidence_level, len(scores)
    place = int(binom.ppf(share, n_samples, share))
    while place > 0 and binom.sf(place, n_samples, share) < confidence_level:
        place -= 1
    return float(np.partition(scores, place)[place])


def _first_number(n_images: int, risk: float, p_value: float) -> float:
    """Return the number of images at which the sequence of tests begins."""
    for n_errors in range(_TOLERATED, -1, -1):
        number = least_number(n_errors, risk, p_value)
        if number <= (n_images / 2 if n_errors else n_images):
            return number
    return math.inf


def least_number(n_errors: int, risk: float, p_value: float) -> int:
    """Return the minimum number of images that shows an error rate in spite of some errors.

    Parameters
    ----------
    n_errors : int
        Number of errors among the images.

    risk : float
        Maximum error rate.

    p_value : float
        Maximum p-value of the exact binomial test.

    Returns
    -------
    n_images : int
        Minimum number of images.
    """
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
    """Return the eligible rows by descending confidence."""
    rows = np.flatnonzero(is_eligible)
    return rows[np.argsort(-confidence[rows], kind="stable")]
