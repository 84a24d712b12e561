"""An approximate index by faiss: which vectors may be near to a query, in little memory."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

# Vectors from which "auto" takes the approximate index: below, comparing all takes less than
# building it, and a few hundredths of a second for each query.
AUTO_SIZE = 200_000

# Candidates for each neighbour, and at least, whose distances are then computed from the vectors
# themselves.
_CANDIDATES, _LEAST_CANDIDATES = 16, 160

# Lists that the vectors are sorted into, as a multiple of the root of their number; and how many
# of these are searched.
_LISTS = 4
_PROBED = 48
_VECTORS_PER_LIST = 40  # to learn where it lies

# Values up to which vectors are kept whole; of longer ones half of the principal components are.
_ALL_KEPT = 32

_SEED = 1234


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
    """Vectors in lists of near ones, with a byte for each of half as many values.

    An inverted file [1]_ on principal components, of which it keeps the residuals in bytes: 72
    bytes for a vector of 128 values, which is 512 bytes itself. Distances are Euclidean, which sort
    vectors of length 1 as cosines do.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_values), dtype float32
        The vectors, of which the index learns and which it holds.

    References
    ----------
    .. [1] H. Jégou, M. Douze and C. Schmid, "Product Quantization for Nearest Neighbor Search",
       IEEE Transactions on Pattern Analysis and Machine Intelligence 33(1), 2011, section IV.
    """

    def __init__(self, vectors: np.ndarray):
        faiss = import_faiss()
        n_vectors, n_values = vectors.shape
        n_lists = int(min(_LISTS * n_vectors**0.5, n_vectors / 39 + 1))  # fewer, and faiss warns
        n_kept = n_values if n_values <= _ALL_KEPT else n_values // 2
        reduction = f"PCA{n_kept}," if n_kept < n_values else ""
        index = faiss.index_factory(n_values, f"{reduction}IVF{n_lists},SQ8", faiss.METRIC_L2)
        self._lists = faiss.extract_index_ivf(index)
        self._lists.cp.seed = _SEED
        n_sampled = min(n_vectors, max(_VECTORS_PER_LIST * n_lists, 10_000))
        sample = np.random.RandomState(_SEED).permutation(n_vectors)[:n_sampled]
        index.train(np.ascontiguousarray(vectors[np.sort(sample)]))
        self._lists.nprobe = min(n_lists, _PROBED)
        self._index = index
        self.add(vectors)

    def add(self, vectors: np.ndarray) -> None:
        """Add vectors, whose rows go on."""
        size = 2**16
        for start in range(0, len(vectors), size):
            self._index.add(np.ascontiguousarray(vectors[start : start + size]))

    def candidates(self, queries: np.ndarray, n_candidates: int) -> np.ndarray:
        """Return rows of vectors that may be near to each query; -1 where there are too few."""
        return self._index.search(np.ascontiguousarray(queries), n_candidates)[1]

    def __len__(self) -> int:
        return self._index.ntotal
