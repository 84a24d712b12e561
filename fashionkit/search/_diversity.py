"""Maximal marginal relevance: results that are similar to a query but not to each other."""

from __future__ import annotations

import numpy as np

from fashionkit.features._nearest import Neighbors

# Number of candidates for each result.
CANDIDATES = 5


def diversified(
    vectors: np.ndarray, found: Neighbors, n_results: int, diversity: float, metric: str
) -> Neighbors:
    """Choose the results of each query among its neighbours with :func:`diversify`."""
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
    """Choose the results of one query by maximal marginal relevance.

    Candidates are chosen one by one. Each time, the one that maximises ::

        (1 - diversity) * relevance - diversity * similarity

    is chosen, where ``similarity`` is its largest similarity to the candidates chosen before. This
    is the equation of section 2 of [1]_ with ``diversity = 1 - lambda``.

    Parameters
    ----------
    vectors : ndarray of shape (n_candidates, n_values), dtype float32
        Vectors of the candidates, of length 1 for "cosine".

    distances : ndarray of shape (n_candidates,)
        Distances of the candidates from the query, in increasing order.

    n_results : int
        Maximum number of candidates to choose.

    diversity : float
        Weight of the diversity, from 0 (the nearest candidates) to 1.

    metric : {"cosine", "euclidean"}
        Metric of the distances. The similarity is the cosine, or the negative Euclidean distance.

    Returns
    -------
    chosen : ndarray of shape (n_chosen,), dtype int64
        Positions of the chosen candidates, in the order of choice.

    References
    ----------
    .. [1] J. Carbonell and J. Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering
       Documents and Producing Summaries", SIGIR 1998.
    """
    n_results = min(n_results, len(distances))
    if not n_results:
        return np.empty(0, np.intp)
    relevance = (1 - distances if metric == "cosine" else -distances).astype(np.float64)
    chosen = [0]  # the first maximises relevance alone
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
