"""Nearest neighbours, by brute force or among the candidates of an approximate index."""

from __future__ import annotations

import numpy as np

from fashionkit.features._nearest import Neighbors, distances_to, nearest
from fashionkit.search._approximate import ApproximateIndex, n_candidates

# Minimum fraction of the vectors that a filter must select for the approximate index to be used.
_WIDE_FILTER = 0.5


def is_worth_it(n_vectors: int, n_neighbors: int, among: np.ndarray | None) -> bool:
    """Tell whether an approximate index helps: not for few vectors, nor with a narrow filter."""
    is_narrow = among is not None and len(among) < _WIDE_FILTER * n_vectors
    return not is_narrow and 2 * n_candidates(n_neighbors) < n_vectors


def find(
    vectors: np.ndarray,
    queries: np.ndarray,
    n_neighbors: int,
    metric: str,
    among: np.ndarray | None,
    index: ApproximateIndex | None,
) -> Neighbors:
    """Find the nearest neighbours of each query.

    Parameters
    ----------
    vectors, queries, n_neighbors, metric, among
        As in :func:`~fashionkit.features._nearest.nearest`.

    index : ApproximateIndex or None
        Index of the vectors; None compares all of them.

    Returns
    -------
    neighbors : Neighbors
        Exact distances, and rows. With an index, some nearest neighbours may be missing.
    """
    if index is None:
        return nearest(vectors, queries, n_neighbors, metric=metric, among=among)
    n_asked = n_candidates(n_neighbors) * (1 if among is None else 2)
    rows = index.candidates(queries, min(n_asked, len(vectors)))
    distances = distances_to(vectors, queries, rows, metric)
    distances[rows < 0] = np.inf
    if among is not None:
        distances[~np.isin(rows, among)] = np.inf
    order = np.lexsort((rows, distances))[:, :n_neighbors]
    found = Neighbors(*(np.take_along_axis(one, order, axis=1) for one in (distances, rows)))
    # Queries with too few candidates, such as those far from all vectors, are compared with all.
    lacking = np.flatnonzero(np.isinf(found.distances).any(axis=1))
    if len(lacking):
        exact = nearest(vectors, queries[lacking], n_neighbors, metric=metric, among=among)
        found.distances[lacking], found.rows[lacking] = exact
    return found
