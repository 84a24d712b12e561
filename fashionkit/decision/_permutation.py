"""Permutation tests of the difference of two samples.

Under the null hypothesis, the rows of both samples are exchangeable, so that p values are valid for
samples of any size.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

# Number of bins of the pooled values, at whose edges distribution functions are evaluated.
_N_BINS = 1_000

# Number of permutations of a kernel matrix at a time.
_CHUNK = 128

# Number of rows above which kernel matrices are float32, which halves the time. The rounding errors
# are a thousandth of the spread of permutations, and ties are unlikely.
_MANY = 512

# Tolerance for rounding errors when permutations are compared with the observed statistic.
_TOLERANCE = 1e-9


class Difference(NamedTuple):
    """Distance of two samples, with the p value of its permutation test."""

    statistic: float
    p_value: float


def compare_shares(
    reference: np.ndarray, new: np.ndarray, n_permutations: int, rng: np.random.Generator
) -> Difference:
    """Compare shares of categories by the total variation distance.

    Time and memory do not depend on the number of rows.

    Parameters
    ----------
    reference, new : ndarray of shape (n_categories,), dtype=int
        Number of rows of each category in the reference sample and in the new one.

    n_permutations : int
        Number of permutations.

    rng : Generator
        Random number generator of the permutations.

    Returns
    -------
    difference : Difference
        Half the sum of the absolute differences of shares, from 0 to 1, and its p value.
    """
    pooled = reference + new
    drawn = _draw(pooled, int(new.sum()), n_permutations, rng)
    observed = _total_variation(reference, new)
    return _difference(observed, _total_variation(pooled - drawn, drawn))


def compare_values(
    reference: np.ndarray, new: np.ndarray, n_permutations: int, rng: np.random.Generator
) -> Difference:
    """Compare distributions of a scalar by the Kolmogorov-Smirnov distance.

    The distribution functions are evaluated at up to 999 quantiles of the pooled values. These do
    not depend on the sample of a value, so that the test remains exact. Time and memory do not
    depend on the number of rows, except for sorting the pooled values.

    Parameters
    ----------
    reference, new : ndarray of shape (n_rows,)
        Values of the reference sample and of the new one.

    n_permutations : int
        Number of permutations.

    rng : Generator
        Random number generator of the permutations.

    Returns
    -------
    difference : Difference
        Maximum difference of the distribution functions, from 0 to 1, and its p value.
    """
    pooled = np.concatenate([reference, new])
    probabilities = np.linspace(0, 1, _N_BINS + 1)[1:-1]
    edges = np.unique(np.quantile(pooled, probabilities, method="inverted_cdf"))
    first, second = (
        np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
        for values in (reference, new)
    )
    drawn = _draw(first + second, len(new), n_permutations, rng)
    observed = _largest_gap(first, second)
    return _difference(observed, _largest_gap(first + second - drawn, drawn))


def compare_rows(
    reference: np.ndarray, new: np.ndarray, n_permutations: int, rng: np.random.Generator
) -> Difference:
    """Compare distributions of vectors by the squared maximum mean discrepancy.

    Its unbiased estimate uses a Gaussian kernel whose bandwidth is the median distance of the
    pooled rows (Gretton, Borgwardt, Rasch, Schölkopf and Smola, 2012, lemma 6 and section 8). Time
    and memory grow with the square of the number of rows.

    Parameters
    ----------
    reference, new : ndarray of shape (n_rows, n_features)
        Vectors of the reference sample and of the new one, at least two each.

    n_permutations : int
        Number of permutations.

    rng : Generator
        Random number generator of the permutations.

    Returns
    -------
    difference : Difference
        Estimate and its p value. For samples of the same distribution, the estimate is about 0, and
        may be negative.
    """
    n_first, n_second = len(reference), len(new)
    kernel = _gaussian_kernel(np.concatenate([reference, new]).astype(np.float64))
    if len(kernel) > _MANY:
        kernel = kernel.astype(np.float32)
    is_first = np.zeros((len(kernel), 1), kernel.dtype)
    is_first[:n_first] = 1
    observed = _squared_discrepancy(kernel, is_first, n_first, n_second)[0]
    permuted = []
    for start in range(0, n_permutations, _CHUNK):
        n_columns = min(_CHUNK, n_permutations - start)
        columns = rng.permuted(np.repeat(is_first, n_columns, axis=1), axis=0)
        permuted.append(_squared_discrepancy(kernel, columns, n_first, n_second))
    return _difference(observed, np.concatenate(permuted))


def _draw(
    pooled: np.ndarray, n_new: int, n_permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw the number of rows of each category in the new sample, for each permutation."""
    return rng.multivariate_hypergeometric(pooled, n_new, n_permutations, method="marginals")


def _total_variation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    shares = [counts / counts.sum(axis=-1, keepdims=True) for counts in (first, second)]
    return np.abs(shares[0] - shares[1]).sum(axis=-1) / 2


def _largest_gap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    functions = [
        counts.cumsum(axis=-1) / counts.sum(axis=-1, keepdims=True) for counts in (first, second)
    ]
    return np.abs(functions[0] - functions[1]).max(axis=-1)


def _gaussian_kernel(rows: np.ndarray) -> np.ndarray:
    """Return the kernel matrix of all pairs of rows, with a diagonal of zeros."""
    squares = euclidean_distances(rows, squared=True)
    median = np.median(squares[np.triu_indices(len(rows), 1)])
    kernel = np.exp(-squares / (2 * median if median > 0 else 1.0))
    np.fill_diagonal(kernel, 0)
    return kernel


def _squared_discrepancy(
    kernel: np.ndarray, is_first: np.ndarray, n_first: int, n_second: int
) -> np.ndarray:
    """Estimate the squared discrepancy for each column, which is 1 for rows of the first sample."""
    sums = kernel.sum(axis=0, dtype=np.float64)
    within_first = np.einsum("ij,ij->j", kernel @ is_first, is_first, dtype=np.float64)
    across = sums @ is_first - within_first
    within_second = sums.sum() - within_first - 2 * across
    return (
        within_first / (n_first * (n_first - 1))
        + within_second / (n_second * (n_second - 1))
        - 2 * across / (n_first * n_second)
    )


def _difference(observed: np.ndarray | float, permuted: np.ndarray) -> Difference:
    """Compute the p value, counting the observed samples (Phipson and Smyth, 2010)."""
    n_extreme = int(np.sum(permuted >= observed - _TOLERANCE))
    return Difference(float(observed), (1 + n_extreme) / (1 + len(permuted)))
