"""SIFT descriptors of images, computed by OpenCV."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

from fashionkit._images import LUMA

N_VALUES = 128

# OpenCV's descriptors see nothing in an image of fewer than 3 pixels a side; in one of 8,
# a grid with a key point every 2 pixels has as many as a pyramid of 4 x 4 cells.
_SMALLEST_SIDE = 8


class Descriptors(NamedTuple):
    """The descriptors of several images; those of flat surroundings, all zeros, left out.

    Parameters
    ----------
    values : ndarray of shape (n_descriptors, 128), dtype uint8
        The descriptors, image after image.

    image : ndarray of shape (n_descriptors,)
        Which image each is from.

    position : ndarray of shape (n_descriptors, 2), dtype float32
        Where it is in the image, as shares of height and width from 0 to less than 1.
    """

    values: np.ndarray
    image: np.ndarray
    position: np.ndarray


def import_cv2() -> ModuleType:
    """Import OpenCV, which is needed here only."""
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            'SIFTFeatures needs OpenCV; pip install "fashionkit[sift]", or any of the '
            "opencv-python packages."
        ) from error
    return cv2


def as_gray(images: np.ndarray) -> np.ndarray:
    """Return images scaled to [0, 1] as OpenCV wants them: gray, uint8, and not too small."""
    gray: Any
    if images.shape[3] == 1:
        gray = images[..., 0]
    else:  # not by BLAS, whose rounding depends on how the images lie in memory
        gray = sum(weight * images[..., c] for c, weight in enumerate(np.asarray(LUMA, np.float32)))
    # Images may leave the range seen in fit.
    gray = np.rint(np.clip(gray, 0, 1) * 255).astype(np.uint8)
    missing = [max(0, _SMALLEST_SIDE - side) for side in gray.shape[1:]]
    if any(missing):
        gray = np.pad(gray, ((0, 0), *((0, n) for n in missing)), mode="edge")
    return gray


def padded_size(size: Sequence[int]) -> tuple[int, int]:
    """Return height and width that :func:`as_gray` gives images of some height and width."""
    height, width = size
    return max(height, _SMALLEST_SIDE), max(width, _SMALLEST_SIDE)


def dense_grid(size: tuple[int, int], step: int) -> np.ndarray:
    """Return rows and columns of key points every ``step`` pixels, centred in the image."""
    axes = []
    for side in size:
        count = max(1, side // step)
        axes.append((side - 1 - step * (count - 1)) / 2 + step * np.arange(count))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def dense_descriptors(images: np.ndarray, grid: np.ndarray, sizes: Sequence[float]) -> Descriptors:
    """Describe gray images at the same upright key points, of each size in turn."""
    cv2 = import_cv2()
    describers = []
    for size in sizes:
        octave, sigma = _level(size, images.shape[1:])
        points = [cv2.KeyPoint(column, row, size, 0, 1, octave) for row, column in grid.tolist()]
        # One object for each call: it is not said that threads can share one.
        sift = cv2.SIFT_create(nOctaveLayers=1, sigma=sigma)
        describers.append(partial(sift.compute, keypoints=points))
    values: np.ndarray = np.empty((len(images), len(sizes), len(grid), N_VALUES), dtype=np.uint8)
    for image, described in zip(images, values, strict=True):
        for describe, target in zip(describers, described, strict=True):
            target[:] = describe(image)[1]
    values = values.reshape(-1, N_VALUES)
    n_per_image = len(sizes) * len(grid)
    return _without_flat(
        values,
        np.repeat(np.arange(len(images)), n_per_image),
        np.tile(_shares(grid, images.shape[1:]), (len(images) * len(sizes), 1)),
    )


def detected_descriptors(images: np.ndarray) -> Descriptors:
    """Describe gray images at the key points that SIFT detects in them."""
    cv2 = import_cv2()
    sift = cv2.SIFT_create()
    values = [np.empty((0, N_VALUES), dtype=np.uint8)]
    positions: list[Any] = [np.empty((0, 2))]
    counts = []
    for image in images:
        points, described = sift.detectAndCompute(image, None)
        counts.append(len(points))
        if points:
            values.append(described.astype(np.uint8))
            positions.append([point.pt[::-1] for point in points])
    return _without_flat(
        np.concatenate(values),
        np.repeat(np.arange(len(images)), counts),
        _shares(np.concatenate(positions), images.shape[1:]),
    )


def _level(size: float, image_size: Sequence[int]) -> tuple[int, float]:
    """Return the octave for key points of some size, and how much to smooth for them.

    An image is smoothed by a radius as large as the key point's. Each octave halves the
    image, and the cost of large key points with it. In an octave the radius is from 0.8 to
    1.6 pixels; the octave 0, which has the image as it is, also serves smaller ones.
    """
    octave = math.floor(math.log2(size / 1.6))
    most = math.floor(math.log2(min(image_size) / _SMALLEST_SIDE))
    octave = max(0, min(octave, most))
    return octave, size / 2 / 2**octave


def _shares(points: np.ndarray, image_size: Sequence[int]) -> np.ndarray:
    """Return pixel coordinates as shares of height and width."""
    # Pixel centres have whole coordinates.
    shares = ((points + 0.5) / image_size).astype(np.float32)
    return np.clip(shares, 0, np.nextafter(np.float32(1), np.float32(0)))


def _without_flat(values: np.ndarray, image: np.ndarray, position: np.ndarray) -> Descriptors:
    described = values.any(axis=1)
    if described.all():
        return Descriptors(values, image, position)
    return Descriptors(values[described], image[described], position[described])


_one_thread_lock = threading.Lock()
_one_thread_users = 0
_one_thread_undo = ExitStack()


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let each thread that calls OpenCV and BLAS do the work itself, not start more.

    How many threads these libraries use is set for the whole process. The first who
    enters sets it, and the last who leaves restores it.
    """
    global _one_thread_users
    cv2 = import_cv2()
    with _one_thread_lock:
        if not _one_thread_users:
            _one_thread_undo.callback(cv2.setNumThreads, cv2.getNumThreads())
            cv2.setNumThreads(1)
            _one_thread_undo.enter_context(_limit_held_by_a_thread())
        _one_thread_users += 1
    try:
        # Once more for this thread: OpenBLAS on OpenMP keeps a number for each.
        with _libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        with _one_thread_lock:
            _one_thread_users -= 1
            if not _one_thread_users:
                _one_thread_undo.close()


@contextmanager
def _limit_held_by_a_thread() -> Iterator[None]:
    """Limit BLAS to one thread, from a thread that lives as long as the limit.

    Who enters first may leave first and live on, and threadpoolctl lets none but the
    living thread that set a limit restore it: in silence, the last who left could not.
    """
    limit = ExitStack()

    def hold() -> None:
        limit.enter_context(_libraries().limit(limits=1, user_api="blas"))

    with ThreadPoolExecutor(max_workers=1) as keeper:
        keeper.submit(hold).result()
        try:
            yield
        finally:
            keeper.submit(limit.close).result()


@cache
def _libraries() -> ThreadpoolController:
    # To find them takes as long as to describe ten images. NumPy's BLAS is always there.
    return ThreadpoolController()
