"""An approximate index by faiss: which vectors may be near to a query, in little memory."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.utils import gen_batches

# Vectors from which "auto" takes the approximate index: it takes seconds to build, and is worth
# that after about a thousand queries.
AUTO_SIZE = 200_000

# Candidates for each neighbour, and at least, whose distances are then computed from the vectors
# themselves: a vector in a few bytes says little about which of near ones is nearest.
_CANDIDATES, _LEAST_CANDIDATES = 40, 400

# Lists that the vectors are sorted into, as a multiple of the root of their number; and how many
# of these are searched.
_LISTS = 4
_PROBED = 64
_VECTORS_PER_LIST = 40  # to learn where it lies; faiss warns of fewer than 39

# Values of a vector that share four bits.
_VALUES_PER_CODE = 2

_SEED = 1234
_VECTORS_PER_BLOCK = 2**16


def is_available() -> bool:
    """Tell whether faiss is installed."""
    return find_spec("faiss") is not None


def import_faiss() -> Any:
    """Import faiss, or say how to install it."""
    try:
        import faiss
    except ImportError as error:
        raise ImportError(
            "algorithm='faiss' needs faiss-cpu 1.15 or later, which is not installed; install it "
            'with pip install "fashionkit[search]", or pass algorithm="brute".'
        ) from error
    return faiss


def n_candidates(n_neighbors: int) -> int:
    """Return how many candidates to ask for."""
    return max(_LEAST_CANDIDATES, _CANDIDATES * n_neighbors)


class ApproximateIndex:
    """Vectors in lists of near ones, with four bits for each two values.

    An inverted file of product codes [1]_ that are searched in registers [2]_: 40 bytes for a
    vector of 128 values, its number included, which is 512 bytes itself. Distances are Euclidean,
    which sort vectors of length 1 as cosines do.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_values), dtype float32
        The vectors, of which the index learns and which it holds.

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
        """Add vectors, whose rows go on."""
        for rows in gen_batches(len(vectors), _VECTORS_PER_BLOCK):
            self._index.add(np.ascontiguousarray(vectors[rows]))

    def candidates(self, queries: np.ndarray, n_candidates: int) -> np.ndarray:
        """Return rows of vectors that may be near to each query; -1 where there are too few."""
        return self._index.search(np.ascontiguousarray(queries), n_candidates)[1]

    def __len__(self) -> int:
        return self._index.ntotal
