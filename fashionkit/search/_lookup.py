"""The nearest vectors: all compared, or those that an approximate index proposes."""

from __future__ import annotations

import numpy as np

from fashionkit.features._nearest import Neighbors, distances_to, nearest
from fashionkit.search._approximate import ApproximateIndex, n_candidates

# With a filter that leaves at least this share, the approximate index is asked first.
_WIDE_FILTER = 0.5


def is_worth_it(n_vectors: int, n_neighbors: int, among: np.ndarray | None) -> bool:
    """Tell whether an approximate index helps: not for few vectors, nor behind a narrow filter."""
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
    """Find the nearest vectors of each query.

    Parameters
    ----------
    vectors, queries, n_neighbors, metric, among
        As in :func:`~fashionkit.features._nearest.nearest`.

    index : ApproximateIndex or None
        An index of the vectors; None compares all of them.

    Returns
    -------
    neighbors : Neighbors
        Distances, which are exact, and rows. An index may miss some of the nearest.
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
    # Of what lies far from all, or is left by few, all vectors are compared.
    lacking = np.flatnonzero(np.isinf(found.distances).any(axis=1))
    if len(lacking):
        exact = nearest(vectors, queries[lacking], n_neighbors, metric=metric, among=among)
        found.distances[lacking], found.rows[lacking] = exact
    return found
