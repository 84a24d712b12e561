"""Which of many vectors are nearest to others: exactly, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

METRICS = ("cosine", "euclidean")

# Queries and vectors of one product of matrices: 32 MB of similarities.
_QUERIES_PER_BLOCK = 1024
_SIMILARITIES_PER_BLOCK = 2**23
# Vectors of one block for a single query, whose best are then a bound for the next block.
_VECTORS_PER_BLOCK_OF_ONE = 2**14
# Vectors that are gathered at a time where only some are searched: 64 MB.
_VALUES_PER_BLOCK = 2**24


class Neighbors(NamedTuple):
    """The nearest vectors of each query, the nearest first."""

    distances: np.ndarray
    rows: np.ndarray


def normalise(vectors: np.ndarray) -> np.ndarray:
    """Scale float32 vectors to length 1, in place; those of length 0 stay as they are."""
    for rows in gen_batches(len(vectors), max(1, _VALUES_PER_BLOCK // max(1, vectors.shape[1]))):
        lengths = np.linalg.norm(vectors[rows], axis=1, keepdims=True)
        vectors[rows] /= np.where(lengths > 0, lengths, 1)
    return vectors


def nearest(
    vectors: np.ndarray,
    queries: np.ndarray,
    n_neighbors: int,
    *,
    metric: str = "cosine",
    among: np.ndarray | None = None,
) -> Neighbors:
    """Find the nearest vectors of each query by comparing all of them.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_values), dtype float32
        Vectors to search, of length 1 for "cosine".

    queries : ndarray of shape (n_queries, n_values), dtype float32
        Vectors to look for, of length 1 for "cosine".

    n_neighbors : int
        Number of vectors to find for each query, at most as many as are searched.

    metric : {"cosine", "euclidean"}, default="cosine"
        What is small between vectors that are near to each other.

    among : ndarray of int, default=None
        Rows of the vectors that are searched, increasing; None for all.

    Returns
    -------
    neighbors : Neighbors
        Distances of shape (n_queries, n_neighbors), dtype float32, and rows of the vectors,
        dtype int64. Of equal distances, the smaller row comes first.
    """
    shape = len(queries), n_neighbors
    found = Neighbors(np.empty(shape, np.float32), np.empty(shape, np.int64))
    for rows in gen_batches(len(queries), _QUERIES_PER_BLOCK):
        part = queries[rows]
        best = _most_similar(vectors, part, n_neighbors, metric, among)
        found.rows[rows], found.distances[rows] = best, distances_to(vectors, part, best, metric)
        _sort(Neighbors(found.distances[rows], found.rows[rows]))
    return found


def distances_to(
    vectors: np.ndarray, queries: np.ndarray, rows: np.ndarray, metric: str
) -> np.ndarray:
    """Return the distances of some vectors from each query.

    They are computed from differences, which are precise also where vectors are nearly the same.

    Parameters
    ----------
    vectors, queries, metric
        As in :func:`nearest`.

    rows : ndarray of shape (n_queries, n_neighbors)
        Rows of the vectors.

    Returns
    -------
    distances : ndarray of shape (n_queries, n_neighbors), dtype float32
        From 0 to 2 for "cosine": 1 less the cosine.
    """
    distances = np.empty(rows.shape, np.float32)
    size = max(1, _VALUES_PER_BLOCK // max(1, rows.shape[1] * queries.shape[1]))
    for part in gen_batches(len(queries), size):
        found, wanted = vectors[rows[part]], queries[part, np.newaxis]
        squares = np.square(found - wanted).sum(axis=2)
        distances[part] = squares / 2 if metric == "cosine" else np.sqrt(squares)
        if metric == "cosine":
            # Zeros have no direction: they are as far from others as what is at right angles.
            distances[part][~(found.any(axis=2) & wanted.any(axis=2))] = 1
    return distances


def _sort(found: Neighbors) -> None:
    """Sort by distance, then by row, in place."""
    order = np.lexsort((found.rows, found.distances))
    for values in found:
        values[:] = np.take_along_axis(values, order, axis=1)


def _most_similar(
    vectors: np.ndarray, queries: np.ndarray, n: int, metric: str, among: np.ndarray | None
) -> np.ndarray:
    """Return the rows of the n most similar vectors of some queries, in any order."""
    n_queries = len(queries)
    best = np.empty((n_queries, 0), np.int64)
    scores = np.empty((n_queries, 0), np.float32)
    for first, block in _blocks(vectors, n_queries, n, among):
        products = _products(queries, block)
        if metric == "euclidean":
            # Of |v|² - 2qv + |q|², what does not depend on the query alone, and half of it.
            products -= 0.5 * np.einsum("ij,ij->i", block, block)
        positions = np.arange(first, first + len(block))
        if scores.shape[1] == n:
            # Of most blocks, few vectors are nearer to any query than what was found before.
            nearer = np.flatnonzero((products > scores.min(axis=1, keepdims=True)).any(axis=0))
            products, positions = products[:, nearer], positions[nearer]
        chosen, new = _largest(products, n)
        best = np.concatenate([best, positions[chosen]], axis=1)
        scores = np.concatenate([scores, new], axis=1)
        chosen, scores = _largest(scores, n)
        best = np.take_along_axis(best, chosen, axis=1)
    return best if among is None else among[best]


def _products(queries: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return the inner products of queries and vectors, of shape (n_queries, n_vectors)."""
    if len(queries) == 1:
        # Memory is what takes the time of one query. BLAS would start threads for it, which wait
        # for each other: ten times as long where other processes run.
        return np.einsum("ij,j->i", block, queries[0])[np.newaxis]
    return queries @ block.T


def _largest(scores: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns of the n largest scores of each row, and these, in any order."""
    if scores.shape[1] <= n:
        return np.broadcast_to(np.arange(scores.shape[1]), scores.shape), scores
    columns = np.argpartition(scores, -n, axis=1)[:, -n:]
    return columns, np.take_along_axis(scores, columns, axis=1)


def _blocks(
    vectors: np.ndarray, n_queries: int, n: int, among: np.ndarray | None
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield vectors, and where they begin among those that are searched."""
    size = max(n, _SIMILARITIES_PER_BLOCK // n_queries, 1)
    if n_queries == 1:
        size = min(size, max(n, _VECTORS_PER_BLOCK_OF_ONE))
    if among is not None:
        size = min(size, max(n, _VALUES_PER_BLOCK // max(1, vectors.shape[1])))
    for part in gen_batches(len(vectors) if among is None else len(among), size):
        yield part.start, vectors[part] if among is None else vectors[among[part]]
