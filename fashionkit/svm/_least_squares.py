"""Least squares on kernel values: sums over all samples, the solution, and leave-one-out scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.linalg import blas, cholesky, solve_triangular
from sklearn.utils import gen_batches

# Values of the kernel that are in memory at a time, and how many samples they are of at least.
_VALUES_PER_CHUNK = 2**26
_MIN_PER_CHUNK = 256

# Added to the diagonal, as a share of the number of samples, where rounding makes a matrix of
# kernel values indefinite: ten times as much with each trial.
_RIDGES = (0.0, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4)


class Data(NamedTuple):
    """Samples of which only those of ``rows`` weigh something."""

    X: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    rows: np.ndarray
    classes: np.ndarray

    def aims(self, rows: np.ndarray) -> np.ndarray:
        """Return a column for each class, which is 1 for its samples."""
        return np.eye(len(self.classes))[self.targets[rows]]

    def chunks(self, size: int) -> Iterator[np.ndarray]:
        """Yield indices of the samples, ``size`` at a time."""
        for part in gen_batches(len(self.rows), size):
            yield self.rows[part]


class System(NamedTuple):
    """The least-squares problem: sums over all samples.

    ``products`` has the lower triangle of the sum of products of the kernel's columns.
    """

    products: np.ndarray
    moments: np.ndarray
    prior: np.ndarray
    total: float
    components: np.ndarray
    gamma: float

    @classmethod
    def of(cls, data: Data, components: np.ndarray, gamma: float) -> System:
        m = len(components)
        total = data.weights.sum()
        prior = np.bincount(data.targets, data.weights, len(data.classes)) / total
        products = np.zeros((m, m), order="F")
        moments = np.zeros((m, len(prior)))
        for rows in data.chunks(chunk_size(m)):
            kernel = rbf_kernel(data.X[rows], components, gamma)
            weights = data.weights[rows].astype(kernel.dtype)[:, np.newaxis]
            aims = (data.aims(rows) - prior).astype(kernel.dtype)
            moments += kernel.T @ (weights * aims)
            kernel *= np.sqrt(weights)
            syrk = blas.ssyrk if kernel.dtype == np.float32 else blas.dsyrk
            products += syrk(1.0, kernel.T, lower=1)
        return cls(products, moments, prior, total, components, gamma)

    def factorize(self, alpha: float) -> np.ndarray:
        """Return the Cholesky factor of the system, with as little of a ridge as it takes."""
        for ridge in _RIDGES:
            matrix = self.products.copy(order="F")
            for rows in gen_batches(len(matrix), chunk_size(len(matrix))):
                block = rbf_kernel(self.components[rows], self.components, self.gamma)
                matrix[rows] += alpha * self.total * block
            matrix[np.diag_indices_from(matrix)] += ridge * self.total
            try:
                return cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
            except np.linalg.LinAlgError:
                continue
        raise ValueError(
            f"alpha={alpha} is too small for these samples, whose kernel is nearly the same for "
            "all of them; pass a larger alpha, or a larger gamma."
        )


def leave_one_out(
    data: Data,
    rows: np.ndarray,
    components: np.ndarray,
    gamma: float,
    factor: np.ndarray,
    coef: np.ndarray,
    prior: np.ndarray,
) -> np.ndarray:
    """Return the scores of some samples, each by a classifier that was fitted without it."""
    scores = np.empty((len(rows), len(prior)))
    for part in gen_batches(len(rows), chunk_size(len(components))):
        kernel = rbf_kernel(data.X[rows[part]], components, gamma).astype(np.float64)
        roots = solve_triangular(factor, kernel.T, lower=True, check_finite=False)
        leverage = data.weights[rows[part], np.newaxis] * np.sum(roots**2, axis=0)[:, np.newaxis]
        aims = data.aims(rows[part]) - prior
        residual = np.maximum(1 - leverage, np.finfo(np.float32).eps)
        scores[part] = aims - (aims - kernel @ coef) / residual
    return scores + prior


def draw(
    data: Data,
    size: int,
    random_state: np.random.RandomState,
    others_than: np.ndarray | None = None,
) -> np.ndarray:
    """Draw samples, stratified by class, at least two of each where there are two.

    Of a class whose samples suffice, none of ``others_than`` is drawn.
    """
    drawn = []
    for target in range(len(data.classes)):
        members = data.rows[data.targets[data.rows] == target]
        n = max(2, size * len(members) // len(data.rows))
        if others_than is not None:
            others = np.setdiff1d(members, others_than)
            members = others if len(others) >= n else members
        drawn.append(random_state.permutation(members)[:n])
    return np.sort(np.concatenate(drawn))


def rbf_kernel(X: np.ndarray, components: np.ndarray, gamma: float) -> np.ndarray:
    """Return the RBF kernel of samples and components, in their floating-point type."""
    values = X @ components.T
    values *= 2
    values -= np.einsum("ij,ij->i", X, X)[:, np.newaxis]
    values -= np.einsum("ij,ij->i", components, components)
    values *= gamma
    np.minimum(values, 0, out=values)
    return np.exp(values, out=values)


def chunk_size(n_components: int) -> int:
    return max(_MIN_PER_CHUNK, _VALUES_PER_CHUNK // n_components)
