"""Evaluation of a search: precision, recall and average precision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import _safe_indexing, check_consistent_length, column_or_1d, gen_batches
from sklearn.utils._param_validation import HasMethods, Interval, validate_params

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
_QUERIES_PER_CHUNK = 4096


@validate_params(
    {
        "search": [HasMethods(["kneighbors"])],
        "X": "no_validation",
        "y": ["array-like"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "by": ["array-like", None],
        "groups": ["array-like", None],
        "indexed_groups": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def evaluate_search(
    search: Any,
    X: Any,
    y: Any,
    *,
    n_neighbors: int = 10,
    by: Any = None,
    groups: Any = None,
    indexed_groups: Any = None,
) -> pd.DataFrame:
    """Compute precision and recall of a search on queries with known labels.

    A result is relevant if it has the label of the query.

    Read more in the :ref:`User Guide <similar_images>`.

    Parameters
    ----------
    search : ImageSearch
        Search that was fitted with labels.

    X : array-like
        Queries: images of the shape seen in ``search.fit``. They should not be indexed themselves,
        because each would find itself first.

    y : array-like of shape (n_queries,)
        Labels of the queries.

    n_neighbors : int, default=10
        Number of results for each query.

    by : array-like of shape (n_queries,), default=None
        Values by which the scores of the queries are averaged, such as the senders of the photos.
        None uses the labels.

    groups : array-like of shape (n_queries,), default=None
        Group of each query, such as the sender of the photo. Indexed images of the group of a query
        are excluded from its results.

    indexed_groups : array-like of shape (n_images,), default=None
        Group of each indexed image, in the order of ``search.ids_``. Required with ``groups``.

    Returns
    -------
    scores : DataFrame
        One row for each value of ``by``, sorted, and a last row "all" for all queries. Each row is
        the mean over its queries of the following columns:

        - ``n_queries``: number of queries;
        - ``precision``: fraction of the results that are relevant;
        - ``recall``: fraction of the relevant indexed images that are among the results;
        - ``hit_rate``: fraction of the queries with at least one relevant result, which papers on
          metric learning call recall@k [1]_;
        - ``average_precision``: sum of the precision at the rank of each relevant result, divided
          by the maximum number of relevant results [2]_. In the last row it is the mean average
          precision at ``n_neighbors``.

        A query without a relevant indexed image counts as 0, except in the recall, from which it
        is excluded.

    Raises
    ------
    ValueError
        If the search was fitted without labels, the arguments have inconsistent lengths, ``by``
        contains "all", or too few indexed images are of another group.

    See Also
    --------
    fashionkit.ImageSearch : Finds the most similar images.
    fashionkit.plotting.RetrievalDisplay : Draws queries and their results.

    References
    ----------
    .. [1] H. Jégou, M. Douze and C. Schmid, "Product Quantization for Nearest Neighbor Search",
       IEEE Transactions on Pattern Analysis and Machine Intelligence 33(1), 2011, section V.

    .. [2] C. D. Manning, P. Raghavan and H. Schütze, "Introduction to Information Retrieval",
       Cambridge University Press, 2008, section 8.4.

    Examples
    --------
    >>> from fashionkit import ImageSearch, make_garments
    >>> from fashionkit.search import evaluate_search
    >>> X, y = make_garments(300, random_state=0)
    >>> search = ImageSearch().fit(X[:200], y[:200])
    >>> scores = evaluate_search(search, X[200:], y[200:], n_neighbors=5)
    >>> bool(scores.loc["all", "precision"] > 0.7)
    True
    """
    y = column_or_1d(y, warn=True)
    n_queries = len(X)
    check_consistent_length(y, np.empty(n_queries))
    labels = getattr(search, "labels_", None)
    if labels is None:
        raise ValueError("search has no labels_; pass y to search.fit.")
    excluded = _check_groups(groups, indexed_groups, n_queries, len(labels))
    relevant = np.empty((n_queries, n_neighbors), dtype=bool)
    n_relevant = np.empty(n_queries, np.int64)
    for rows in gen_batches(n_queries, _QUERIES_PER_CHUNK):
        part = _safe_indexing(X, rows)
        if excluded is None:
            _, found = search.kneighbors(part, n_neighbors)
        else:
            found = _of_other_groups(search, part, n_neighbors, excluded[0][rows], excluded[1])
        relevant[rows] = labels[found] == y[rows, np.newaxis]
        n_relevant[rows] = _count_relevant(y[rows], labels, excluded, rows)
    return _average(_scores(relevant, n_relevant), y if by is None else column_or_1d(by))


def _check_groups(
    groups: Any, indexed_groups: Any, n_queries: int, n_images: int
) -> tuple[np.ndarray, np.ndarray] | None:
    if groups is None and indexed_groups is None:
        return None
    if groups is None or indexed_groups is None:
        missing = "groups" if groups is None else "indexed_groups"
        raise ValueError(f"{missing}=None; pass both groups and indexed_groups, or neither.")
    groups, indexed_groups = column_or_1d(groups), column_or_1d(indexed_groups)
    check_consistent_length(groups, np.empty(n_queries))
    check_consistent_length(indexed_groups, np.empty(n_images))
    return groups, indexed_groups


def _of_other_groups(
    search: Any, X: Any, n: int, groups: np.ndarray, indexed_groups: np.ndarray
) -> np.ndarray:
    """Return the rows of the nearest images of other groups than that of each query."""
    values, counts = np.unique(indexed_groups, return_counts=True)
    own = dict(zip(values.tolist(), counts.tolist(), strict=True))
    most = max(own.get(group, 0) for group in groups.tolist())
    if n + most > len(indexed_groups):
        n_others = len(indexed_groups) - most
        raise ValueError(
            f"n_neighbors={n}, but only {n_others} indexed images are of another group than the "
            "query; pass a smaller n_neighbors."
        )
    _, found = search.kneighbors(X, n + most)
    is_own = indexed_groups[found] == groups[:, np.newaxis]
    order = np.argsort(is_own, axis=1, kind="stable")[:, :n]
    return np.take_along_axis(found, order, axis=1)


def _count_relevant(
    y: np.ndarray, labels: np.ndarray, excluded: tuple[np.ndarray, np.ndarray] | None, rows: slice
) -> np.ndarray:
    """Return the number of indexed images that are relevant to each query."""
    if excluded is None:
        return _counts(labels.tolist(), y.tolist())
    groups, indexed_groups = excluded
    pairs = list(zip(labels.tolist(), indexed_groups.tolist(), strict=True))
    own = _counts(pairs, list(zip(y.tolist(), groups[rows].tolist(), strict=True)))
    return _counts(labels.tolist(), y.tolist()) - own


def _counts(values: Sequence[Any], wanted: Sequence[Any]) -> np.ndarray:
    """Return how often each wanted value occurs among the values."""
    counted = Counter(values)
    return np.array([counted[one] for one in wanted], np.int64)


def _scores(relevant: np.ndarray, n_relevant: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scores of each query."""
    n = relevant.shape[1]
    n_found = relevant.sum(axis=1)
    precision_at = relevant.cumsum(axis=1) / np.arange(1, n + 1)
    possible = np.minimum(n_relevant, n)
    return {
        "precision": n_found / n,
        "recall": np.where(n_relevant > 0, n_found / np.maximum(n_relevant, 1), np.nan),
        "hit_rate": (n_found > 0).astype(np.float64),
        "average_precision": (precision_at * relevant).sum(axis=1) / np.maximum(possible, 1),
    }


def _average(scores: dict[str, np.ndarray], by: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    check_consistent_length(by, scores["precision"])
    table = pd.DataFrame(scores)
    if ALL in by.tolist():
        raise ValueError(
            f"by has the value {ALL!r}, which is the name of the last row; rename the value."
        )
    grouped = table.groupby(by)
    means = grouped.mean()
    means.insert(0, "n_queries", grouped.size())
    means.loc[ALL] = [len(table), *table.mean()]
    means["n_queries"] = means["n_queries"].astype(np.int64)
    means.index.name = None
    return means
