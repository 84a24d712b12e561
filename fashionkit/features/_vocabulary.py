"""Vocabularies of visual words: descriptors drawn from images, and their clusters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from joblib import Parallel, delayed
from sklearn.cluster import MiniBatchKMeans
from sklearn.utils import gen_batches
from threadpoolctl import threadpool_limits

from fashionkit._images import Images
from fashionkit.features._descriptors import N_VALUES, Descriptors, one_thread_each
from fashionkit.features._words import root_sift

# Number of images to draw descriptors from at a time, until there are enough.
_IMAGES_PER_SAMPLE = 1024

# Maximum number of descriptors of one image.
_DESCRIPTORS_PER_IMAGE = 20


def draw_descriptors(
    images: Images,
    describe: Callable[[np.ndarray], Descriptors],
    chunk_size: int,
    *,
    max_descriptors: int,
    n_jobs: int | None,
    random_state: np.random.RandomState,
) -> np.ndarray:
    """Draw descriptors to learn the vocabulary from.

    Parameters
    ----------
    images : Images
        Images to describe, in a random order.

    describe : callable
        Returns the descriptors of images scaled to [0, 1].

    chunk_size : int
        Number of images that a thread describes at a time.

    max_descriptors : int
        Maximum number of descriptors.

    n_jobs : int or None
        Number of threads.

    random_state : RandomState
        Draws images and descriptors.

    Returns
    -------
    descriptors : ndarray of shape (n_descriptors, 128), dtype uint8
        Empty if no image has any.
    """
    order = random_state.permutation(len(images))
    drawn, missing = [], max_descriptors
    for start in range(0, len(order), _IMAGES_PER_SAMPLE):
        rows = np.sort(order[start : start + _IMAGES_PER_SAMPLE])
        chunks = [rows[chunk] for chunk in gen_batches(len(rows), chunk_size)]
        # A seed for each chunk: threads take chunks in any order.
        seeds = random_state.randint(np.iinfo(np.int32).max, size=len(chunks))
        with one_thread_each():
            found = Parallel(n_jobs, require="sharedmem")(
                delayed(_draw_from_chunk)(chunk, describe, seed)
                for chunk, seed in zip(images.scaled_parts(chunks), seeds, strict=True)
            )
        for descriptors in found:
            drawn.append(descriptors[:missing])
            missing -= len(drawn[-1])
        if not missing:
            break
    return np.concatenate(drawn)


def make_vocabulary(
    descriptors: np.ndarray, n_words: int, random_state: np.random.RandomState
) -> np.ndarray:
    """Cluster descriptors into visual words.

    Parameters
    ----------
    descriptors : ndarray of shape (n_descriptors, 128), dtype uint8
        Descriptors. If there are none, there is one word, of zeros.

    n_words : int
        Number of words.

    random_state : RandomState
        Starts the clustering.

    Returns
    -------
    vocabulary : ndarray of shape (n_words, 128), dtype float32
        The centres of the clusters.
    """
    if not len(descriptors):
        return np.zeros((1, N_VALUES), dtype=np.float32)
    clusters = MiniBatchKMeans(n_words, batch_size=4096, n_init=1, random_state=random_state)
    # Its steps are small: threads that wait for each other make it slower, on busy cores
    # many times slower.
    with one_thread_each(), threadpool_limits(1, user_api="openmp"):
        clusters.fit(root_sift(descriptors))
    return clusters.cluster_centers_.astype(np.float32)


def _draw_from_chunk(
    images: np.ndarray, describe: Callable[[np.ndarray], Descriptors], seed: int
) -> np.ndarray:
    found = describe(images)
    return found.values[_some_of_each_image(found.image, np.random.RandomState(seed))]


def _some_of_each_image(image: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
    """Return the rows of randomly drawn descriptors, a limited number of each image."""
    shuffled = random_state.permutation(len(image))
    by_image = shuffled[np.argsort(image[shuffled], kind="stable")]
    image = image[by_image]
    rank = np.arange(len(image)) - np.searchsorted(image, image)
    return np.sort(by_image[rank < _DESCRIPTORS_PER_IMAGE])
