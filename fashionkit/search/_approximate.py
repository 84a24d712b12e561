"""Approximate nearest neighbours with faiss, in little memory."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.utils import gen_batches

# Minimum number of vectors for which "auto" uses the approximate index. Building it takes seconds,
# which about a thousand queries save again.
AUTO_SIZE = 200_000

# Number of candidates for each neighbour, and their minimum number. Their exact distances are then
# computed, as compressed vectors do not rank near neighbours reliably.
_CANDIDATES, _LEAST_CANDIDATES = 40, 400

# Number of inverted lists, as a multiple of the square root of the number of vectors; number of
# lists that a query searches.
_LISTS = 4
_PROBED = 64
_VECTORS_PER_LIST = 40  # to train its centroid; faiss warns about fewer than 39

# Number of values of a vector that one code of four bits represents.
_VALUES_PER_CODE = 2

_SEED = 1234
_VECTORS_PER_BLOCK = 2**16


def is_available() -> bool:
    """Tell whether faiss is installed."""
    return find_spec("faiss") is not None


def import_faiss() -> Any:
    """Return the module faiss, or raise an ImportError that says how to install it."""
    try:
        import faiss
    except ImportError as error:
        raise ImportError(
            "algorithm='faiss' needs faiss-cpu 1.15 or later, which is not installed; install it "
            'with pip install "fashionkit[search]", or pass algorithm="brute".'
        ) from error
    return faiss


def n_candidates(n_neighbors: int) -> int:
    """Return the number of candidates for a number of neighbours."""
    return max(_LEAST_CANDIDATES, _CANDIDATES * n_neighbors)


class ApproximateIndex:
    """Inverted file of product codes, with four bits for every two values.

    An inverted file with product quantisation [1]_, searched in registers [2]_. A vector of 128
    values takes 40 bytes instead of 512, its row number included. Distances are Euclidean; they
    rank vectors of length 1 in the same order as cosine distances.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_values), dtype float32
        Vectors to train the index on and to add to it.

    References
    ----------
    .. [1] H. Jégou, M. Douze and C. Schmid, "Product Quantization for Nearest Neighbor Search",
       IEEE Transactions on Pattern Analysis and Machine Intelligence 33(1), 2011, section IV.

    .. [2] F. André, A.-M. Kermarrec and N. Le Scouarnec, "Cache locality is not enough:
       High-Performance Nearest Neighbor Search with Product Quantization Fast Scan", Proceedings of
       the VLDB Endowment 9(4), 2015.
    """

    def __init__(self, vectors: np.ndarray):
        faiss = import_faiss()
        n_vectors, n_values = vectors.shape
        n_lists = max(1, int(min(_LISTS * n_vectors**0.5, n_vectors / _VECTORS_PER_LIST)))
        shared = 1 if n_values % _VALUES_PER_CODE else _VALUES_PER_CODE
        index = faiss.index_factory(
            n_values, f"IVF{n_lists},PQ{n_values // shared}x4fs", faiss.METRIC_L2
        )
        index.cp.seed = index.pq.cp.seed = _SEED
        n_sampled = min(n_vectors, max(_VECTORS_PER_LIST * n_lists, 10_000))
        sample = np.random.RandomState(_SEED).permutation(n_vectors)[:n_sampled]
        index.train(np.ascontiguousarray(vectors[np.sort(sample)]))
        index.nprobe = min(n_lists, _PROBED)
        self._index = index
        self.add(vectors)

    def add(self, vectors: np.ndarray) -> None:
        """Add vectors; their rows follow those of the previous ones."""
        for rows in gen_batches(len(vectors), _VECTORS_PER_BLOCK):
            self._index.add(np.ascontiguousarray(vectors[rows]))

    def candidates(self, queries: np.ndarray, n_candidates: int) -> np.ndarray:
        """Return the rows of the candidates for each query, padded with -1."""
        return self._index.search(np.ascontiguousarray(queries), n_candidates)[1]

    def __len__(self) -> int:
        return self._index.ntotal
