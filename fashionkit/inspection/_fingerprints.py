"""Fingerprints: the little that is kept of each image to tell which images are the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, combinations
from typing import Any

import numpy as np

from fashionkit._images import LUMA, Images

# Images are compared at this size, which the hash was designed for; smaller ones as they are.
_LONGEST_SIDE = 32

# By how many pixels of the smaller image a pixel spreads: half as far again as interpolation needs,
# so that it hardly shows how often, and how, an image was resized before.
_SPREAD = 1.5

# Standard deviation below which an image is one colour: half a gray level of 256.
_LEAST_CONTRAST = 0.5 / 255

# Number of frequencies of the hash in each direction; the hash is kept in bytes of 8 bits.
_N_FREQUENCIES = 8
_N_BYTES = 8

# Bits in which two hashes may differ: any two bytes of eight are still left to look them up by.
_MOST_BITS = 6

# Images that one is compared with in each look-up: what bounds the work where all are alike.
_MOST_NEIGHBOURS = 256

_PAIRS_PER_CHUNK = 4096
_BITS_SET = np.array([number.bit_count() for number in range(2**16)], dtype=np.uint8)


@dataclass(frozen=True)
class Fingerprints:
    """What is kept of each of some images.

    Parameters
    ----------
    digests : list of bytes
        Hash of the pixels, equal where all pixels are.

    hashes : ndarray of shape (n_samples, 8), dtype uint8
        Perceptual hash of 64 bits, similar where images look alike.

    thumbnails : ndarray of shape (n_samples, n_values), dtype float16
        The images in at most 32 x 32 pixels, with mean 0 and standard deviation 1.

    has_contrast : ndarray of shape (n_samples,), dtype bool
        Whether an image is more than one colour: hash and thumbnail mean nothing in others.
    """

    digests: list[bytes]
    hashes: np.ndarray
    thumbnails: np.ndarray
    has_contrast: np.ndarray

    def distances(self, pairs: np.ndarray) -> np.ndarray:
        """Return the root mean square differences of thumbnails.

        Parameters
        ----------
        pairs : ndarray of shape (n_pairs, 2), dtype intp
            Two images in each row.

        Returns
        -------
        distances : ndarray of shape (n_pairs,), dtype float32
            From 0 to 2: the square root of 2 - 2r, where r is the correlation of the pixels.
        """
        distances = np.empty(len(pairs), np.float32)
        for start in range(0, len(pairs), _PAIRS_PER_CHUNK):
            rows = slice(start, start + _PAIRS_PER_CHUNK)
            first, second = (self.thumbnails[pairs[rows, side]] for side in (0, 1))
            difference = first.astype(np.float32) - second.astype(np.float32)
            distances[rows] = np.sqrt(np.square(difference).mean(axis=1))
        return distances


def fingerprint(sets: Iterable[Images]) -> Fingerprints:
    """Read all images once, in chunks, and keep their fingerprints.

    Parameters
    ----------
    sets : iterable of Images
        Images of one shape; those of the second follow those of the first.

    Returns
    -------
    fingerprints : Fingerprints
        At most 6 kB for each image in colour, 2 kB for each gray one.
    """
    sets = list(sets)
    n_images = sum(map(len, sets))
    height, width, channels = sets[0].pixels.shape[1:]
    n_values = min(height, _LONGEST_SIDE) * min(width, _LONGEST_SIDE) * channels
    digests: list[bytes] = []
    hashes = np.empty((n_images, _N_BYTES), np.uint8)
    thumbnails = np.empty((n_images, n_values), np.float16)
    has_contrast = np.empty(n_images, dtype=bool)
    for chunk in chain.from_iterable(images.chunks() for images in sets):
        rows = slice(len(digests), len(digests) + len(chunk))
        chunk += 0.0  # -0 and 0 are the same number, of other bits
        digests += [blake2b(image.tobytes(), digest_size=16).digest() for image in chunk]
        small = _thumbnails(chunk)
        flat = small.reshape(len(small), -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        contrast = flat.std(axis=1, keepdims=True)
        has_contrast[rows] = contrast[:, 0] >= _LEAST_CONTRAST
        flat /= np.maximum(contrast, _LEAST_CONTRAST)
        thumbnails[rows] = flat
        hashes[rows] = perceptual_hash(flat.reshape(small.shape))
    return Fingerprints(digests, hashes, thumbnails, has_contrast)


def perceptual_hash(images: np.ndarray) -> np.ndarray:
    """Return hashes of 64 bits that change in few bits when an image changes little.

    Each bit says whether one of the 8 x 8 lowest frequencies of the discrete cosine transform,
    without those that are constant along a side, is above their median [1]_, section 3.2.1.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width, channels), dtype float32
        Images of at most 32 x 32 pixels, with mean 0 and standard deviation 1.

    Returns
    -------
    hashes : ndarray of shape (n_samples, 8), dtype uint8
        The bits, eight in a byte.

    References
    ----------
    .. [1] C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions",
       Master's thesis, Upper Austria University of Applied Sciences, Hagenberg, 2010.
    """
    gray = images @ np.array(LUMA, np.float32) if images.shape[3] == 3 else images[..., 0]
    height, width = gray.shape[1:]
    coefficients = _cosines(height) @ (gray @ _cosines(width).T)
    # What is 0 in mirrored or striped images is 0 but for rounding, which must not decide a bit.
    coefficients = np.round(coefficients.reshape(len(gray), -1), 4)
    return np.packbits(coefficients > np.median(coefficients, axis=1, keepdims=True), axis=1)


def similar_hashes(hashes: np.ndarray) -> np.ndarray:
    """Return the pairs of hashes that differ in at most 6 bits.

    Six bits are in at most six of the eight bytes, so that such a pair has two bytes in common:
    each two bytes are sorted by in turn, and only what is equal in them is compared. Where more
    than 256 hashes are equal in two bytes, each is compared with the 256 that follow it in the
    order of all bytes.

    Parameters
    ----------
    hashes : ndarray of shape (n_samples, 8), dtype uint8
        Hashes of 64 bits.

    Returns
    -------
    pairs : ndarray of shape (n_pairs, 2), dtype intp
        Each pair once, the smaller number first; all of them if no two bytes are shared by more
        than 256 hashes.
    """
    bits = np.ascontiguousarray(hashes).view(np.uint64).ravel()
    found = [np.empty((0, 2), np.intp)]
    for one, other in combinations(range(_N_BYTES), 2):
        key = hashes[:, one] * np.uint16(256) + hashes[:, other]
        order = np.lexsort((bits, key))
        sorted_key, sorted_bits = key[order], bits[order]
        rows = np.arange(len(hashes))
        n_following = np.searchsorted(sorted_key, sorted_key, side="right") - rows - 1
        for step in range(1, _MOST_NEIGHBOURS + 1):
            rows = rows[n_following[rows] >= step]
            if not len(rows):
                break
            close = rows[_n_bits(sorted_bits[rows] ^ sorted_bits[rows + step]) <= _MOST_BITS]
            pairs = np.stack([order[close], order[close + step]], axis=1)
            # Of more than two bytes in common, the first two alone list the pair.
            before = hashes[pairs[:, 0], :other] == hashes[pairs[:, 1], :other]
            found.append(pairs[before.sum(axis=1) == 1])
    return np.sort(np.concatenate(found), axis=1)


def _thumbnails(images: np.ndarray) -> np.ndarray:
    """Resize images to at most 32 x 32 pixels."""
    for axis in (1, 2):
        if images.shape[axis] > _LONGEST_SIDE:
            # One large product: thousands of small ones wait for each other's threads.
            lines: Any = np.tensordot(images, _triangles(images.shape[axis]), axes=(axis, 1))
            images = np.moveaxis(lines, -1, axis)
    return images


def _triangles(n_pixels: int) -> np.ndarray:
    """Return the weights by which a line of pixels becomes one of 32 pixels."""
    ratio = n_pixels / _LONGEST_SIDE
    centres = (np.arange(_LONGEST_SIDE)[:, np.newaxis] + 0.5) * ratio - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(n_pixels) - centres) / (_SPREAD * ratio))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _cosines(n_pixels: int) -> np.ndarray:
    """Return the lowest frequencies of the discrete cosine transform but the constant one."""
    frequencies = np.arange(1, _N_FREQUENCIES + 1)[:, np.newaxis]
    cosines = np.cos(np.pi * frequencies * (2 * np.arange(n_pixels) + 1) / (2 * n_pixels))
    return (cosines / n_pixels).astype(np.float32)


def _n_bits(bits: np.ndarray) -> Any:
    """Count the bits that are set in numbers of 64 bits."""
    words = bits.view(np.uint16).reshape(-1, 4)
    return sum(_BITS_SET[words[:, word]] for word in range(4))
