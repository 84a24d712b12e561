"""Pairs of images that are the same, from what is kept of each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from fashionkit.features._nearest import nearest
from fashionkit.inspection._fingerprints import Fingerprints, similar_hashes

KINDS = ("file", "identical", "near", "product")

# Number of identical images that are paired with all the others: ten thousand blank images would
# otherwise be fifty million pairs.
_MOST_PARTNERS = 16

# Number of others that an image is paired with as the same product.
_MOST_PRODUCTS = 8

# Rows of the images in the first and in the second set that are identical to each other.
Group = tuple[list[int], list[int]]
Pair = tuple[int, int]
Found = dict[Pair, tuple[str, float]]


def find_pairs(
    prints: Fingerprints,
    max_distance: float,
    *,
    n_first: int | None = None,
    file_hash: Callable[[int], bytes] | None = None,
    vectors: np.ndarray | None = None,
    max_product_distance: float = 0.0,
) -> Found:
    """Find pairs of images that are the same, to the byte, to the pixel, nearly, or as products.

    Parameters
    ----------
    prints : Fingerprints
        What is kept of each image.

    max_distance : float
        Maximum distance of images that are nearly the same.

    n_first : int, default=None
        Number of images of the first of two sets that are compared with each other; None
        compares all within one set.

    file_hash : callable, default=None
        Returns the hash of the file of a row, empty for an image that is none. It is asked of
        identical images only.

    vectors : ndarray of shape (n_samples, n_values), dtype float32, default=None
        Embedding of each image, of length 1.

    max_product_distance : float, default=0.0
        Maximum cosine distance of images that show the same product.

    Returns
    -------
    pairs : dict of tuple of int to (str, float)
        Kind and distance by the rows of a pair: within one set the smaller first, otherwise
        that in the first set and that in the second.
    """
    is_within = n_first is None
    first = len(prints.digests) if n_first is None else n_first
    groups = _identical(prints.digests, first, is_within=is_within)
    found: Found = {pair: ("identical", 0.0) for group in groups for pair in _pairs(group, group)}
    for pair, distance in _near(prints, groups, first, max_distance):
        found[pair] = "near", distance
    if vectors is not None:
        for pair, distance in _products(vectors, n_first, max_product_distance):
            found.setdefault(pair, ("product", distance))
    if is_within:
        found = {pair: what for pair, what in found.items() if pair[0] < pair[1]}
    if file_hash is not None:
        offset = 0 if is_within else first
        for (one, other), (kind, _) in found.items():
            if kind == "identical" and file_hash(one) == file_hash(other + offset) != b"":
                found[one, other] = "file", 0.0
    return found


def _identical(digests: list[bytes], n_first: int, *, is_within: bool) -> list[Group]:
    """Group images with the same pixels, each group in the order of its first image."""
    groups: dict[bytes, Group] = {}
    for row, digest in enumerate(digests):
        first, second = groups.setdefault(digest, ([], []))
        if row < n_first:
            first.append(row)
        else:
            second.append(row - n_first)
    return [(first, first if is_within else second) for first, second in groups.values()]


def _near(
    prints: Fingerprints, groups: list[Group], n_first: int, max_distance: float
) -> Iterator[tuple[Pair, float]]:
    """Yield pairs of images that are nearly the same, and their distances."""
    # One image of each group stands for all.
    rows = np.array([first[0] if first else n_first + second[0] for first, second in groups])
    candidates = np.flatnonzero(prints.has_contrast[rows])
    pairs = candidates[similar_hashes(prints.hashes[rows[candidates]])]
    in_first, in_second = (np.array([bool(group[side]) for group in groups]) for side in (0, 1))
    one, other = pairs.T
    is_asked = (in_first[one] & in_second[other]) | (in_first[other] & in_second[one])
    pairs = pairs[is_asked]
    distances = prints.distances(rows[pairs])
    is_near = distances <= max_distance
    for (one, other), distance in zip(pairs[is_near], distances[is_near].tolist(), strict=True):
        for first, second in ((groups[one], groups[other]), (groups[other], groups[one])):
            for pair in _pairs(first, second):
                yield pair, distance


def _products(
    vectors: np.ndarray, n_first: int | None, max_distance: float
) -> Iterator[tuple[Pair, float]]:
    """Yield pairs of images with near embeddings, each from both sides."""
    queries, others = vectors, vectors
    n_others = _MOST_PRODUCTS + 1  # itself
    if n_first is not None:
        queries, others, n_others = vectors[:n_first], vectors[n_first:], _MOST_PRODUCTS
    distances, rows = nearest(others, queries, min(n_others, len(others)))
    for query, column in np.argwhere(distances <= max_distance).tolist():
        other, distance = int(rows[query, column]), float(distances[query, column])
        if n_first is not None:
            yield (query, other), distance
        elif other != query:
            yield (min(query, other), max(query, other)), distance


def _pairs(first: Group, second: Group) -> Iterator[Pair]:
    """Yield pairs of an image of a group in the first set and one of a group in the second."""
    left, right = first[0], second[1]
    yield from product(left[:_MOST_PARTNERS], right)
    yield from product(left[_MOST_PARTNERS:], right[:_MOST_PARTNERS])
