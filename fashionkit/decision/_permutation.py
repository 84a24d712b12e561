"""Permutation tests: whether two samples differ by more than chance.

Under the null hypothesis the rows of both samples are exchangeable, so that p values are valid for
any size. Time and memory do not grow with the number of rows, except for one sort.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

# Bins of the pooled values, between which a distribution function is evaluated.
_N_BINS = 1_000

# Permutations of a kernel matrix at a time.
_CHUNK = 128

# Rows whose kernel matrix is multiplied in half the time in float32. Its rounding errors are a
# thousandth of the spread of permutations, and ties are unlikely.
_MANY = 512

# Rounding errors must not decide whether a permutation is as extreme as what is observed.
_TOLERANCE = 1e-9


class Difference(NamedTuple):
    """The distance of two samples, and the p value of its permutation test."""

    statistic: float
    p_value: float


def compare_shares(
    reference: np.ndarray, new: np.ndarray, n_permutations: int, rng: np.random.Generator
) -> Difference:
    """Compare shares of categories by their total variation distance.

    Parameters
    ----------
    reference, new : ndarray of shape (n_categories,), dtype int
        Number of rows of each category.

    n_permutations : int
        Number of permutations.

    rng : Generator
        Draws them.

    Returns
    -------
    difference : Difference
        The distance is half the sum of absolute differences, from 0 to 1: the share of rows that
        would have to change their category.
    """
    pooled = reference + new
    drawn = _draw(pooled, int(new.sum()), n_permutations, rng)
    observed = _total_variation(reference, new)
    return _difference(observed, _total_variation(pooled - drawn, drawn))


def compare_values(
    reference: np.ndarray, new: np.ndarray, n_permutations: int, rng: np.random.Generator
) -> Difference:
    """Compare distributions of a number by the Kolmogorov-Smirnov distance.

    The distribution functions are evaluated at no more than 1,000 quantiles of the pooled values.
    These do not depend on which sample a value is from, so that the test remains exact.

    Parameters
    ----------
    reference, new : ndarray of shape (n_rows,)
        The values.

    n_permutations : int
        Number of permutations.

    rng : Generator
        Draws them.

    Returns
    -------
    difference : Difference
        The distance is the largest difference of the distribution functions, from 0 to 1.
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
    """Compare distributions of vectors by the maximum mean discrepancy.

    It is the unbiased estimate of its square with a Gaussian kernel, whose bandwidth is the median
    distance of the pooled rows (Gretton, Borgwardt, Rasch, Schölkopf and Smola 2012, lemma 6 and
    section 8). Memory and time grow with the square of the number of rows.

    Parameters
    ----------
    reference, new : ndarray of shape (n_rows, n_features)
        The vectors, at least two of each.

    n_permutations : int
        Number of permutations.

    rng : Generator
        Draws them.

    Returns
    -------
    difference : Difference
        The estimate is about 0, and may be below it, for samples of one distribution.
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
    """Draw how many rows of each category fall to the new sample when all are permuted."""
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
    """Return the kernel matrix of all pairs of rows, with zeros in its diagonal."""
    squares = euclidean_distances(rows, squared=True)
    median = np.median(squares[np.triu_indices(len(rows), 1)])
    kernel = np.exp(-squares / (2 * median if median > 0 else 1.0))
    np.fill_diagonal(kernel, 0)
    return kernel


def _squared_discrepancy(
    kernel: np.ndarray, is_first: np.ndarray, n_first: int, n_second: int
) -> np.ndarray:
    """Estimate the squared discrepancy, for each column that says which rows are the first."""
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
    """Count permutations at least as extreme, and the observed one (Phipson and Smyth 2010)."""
    n_extreme = int(np.sum(permuted >= observed - _TOLERANCE))
    return Difference(float(observed), (1 + n_extreme) / (1 + len(permuted)))
