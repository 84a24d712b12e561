"""Maximal marginal relevance: results that are near to a query and unlike each other."""

from __future__ import annotations

import numpy as np

from fashionkit.features._nearest import Neighbors

# Candidates for each result.
CANDIDATES = 5


def diversified(
    vectors: np.ndarray, found: Neighbors, n_results: int, diversity: float, metric: str
) -> Neighbors:
    """Choose results of each query among those found, as :func:`diversify` does."""
    chosen = np.array(
        [
            diversify(vectors[rows], distances, n_results, diversity, metric)
            for distances, rows in zip(*found, strict=True)
        ]
    )
    return Neighbors(*(np.take_along_axis(values, chosen, axis=1) for values in found))


def diversify(
    vectors: np.ndarray, distances: np.ndarray, n_results: int, diversity: float, metric: str
) -> np.ndarray:
    """Choose results of one query by maximal marginal relevance.

    One after the other, the candidate is chosen whose relevance, weighted by 1 less the
    diversity, is largest after its largest similarity to those chosen before, weighted by the
    diversity, is subtracted: the equation of [1]_, section 2, of which ``diversity`` is 1 less
    its lambda.

    Parameters
    ----------
    vectors : ndarray of shape (n_candidates, n_values), dtype float32
        Vectors of the candidates, of length 1 for "cosine".

    distances : ndarray of shape (n_candidates,)
        Their distances from the query, increasing.

    n_results : int
        Number of candidates to choose, at most.

    diversity : float
        From 0, the nearest, to 1.

    metric : {"cosine", "euclidean"}
        Similarity is the cosine, or the negative distance.

    Returns
    -------
    chosen : ndarray of int
        The candidates, in the order in which they are chosen.

    References
    ----------
    .. [1] J. Carbonell and J. Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering
       Documents and Producing Summaries", SIGIR 1998.
    """
    n_results = min(n_results, len(distances))
    if not n_results:
        return np.empty(0, np.intp)
    relevance = (1 - distances if metric == "cosine" else -distances).astype(np.float64)
    chosen = [0]  # there is nothing yet that it could be like
    nearest = np.full(len(distances), -np.inf)
    for _ in range(n_results - 1):
        nearest = np.maximum(nearest, _similarities(vectors, vectors[chosen[-1]], metric))
        marginal = (1 - diversity) * relevance - diversity * nearest
        marginal[chosen] = -np.inf
        chosen.append(int(marginal.argmax()))
    return np.array(chosen)


def _similarities(vectors: np.ndarray, vector: np.ndarray, metric: str) -> np.ndarray:
    if metric == "cosine":
        return vectors @ vector
    return -np.linalg.norm(vectors - vector, axis=1)
