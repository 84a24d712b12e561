"""Images that have been checked: in memory or in files, of which some are scaled at a time."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from sklearn.utils import gen_batches

# Images and values of one chunk: enough to keep the cores busy, few enough to fit in memory
# together with the outputs of a network's layers.
_IMAGES_PER_CHUNK = 256
_VALUES_PER_CHUNK = 2**20

# Numbers of four bytes that processors compute with at a time, at most.
LANES = 16

Shape = tuple[int, int, int]
PixelRange = tuple[float, float]


class LazyImages(ABC):
    """Base of images that are files, of which some are read when they are asked for.

    ``images[rows]`` are some of them, not read; ``np.asarray(images[rows])`` reads them.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int, int]:
        """Number of images, height, width and channels."""

    @property
    @abstractmethod
    def _identity(self) -> Any:
        """What decides the pixels, to be hashed instead of them."""

    @abstractmethod
    def _with_threads(self) -> Self:
        """Return the same images, to be read by as many threads as now, from any thread."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, rows: Any) -> Any: ...

    @abstractmethod
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray: ...


@dataclass(frozen=True)
class Images:
    """Validated images, still in the caller's memory and dtype, or in files.

    Parameters
    ----------
    pixels : ndarray or LazyImages of shape (n_samples, height, width, channels)
        A view of the caller's array wherever that is possible.

    pixel_range : tuple of float
        The values that become 0 and 1.

    n_values : int, default=None
        Values that an image becomes inside of a model that enlarges it.
    """

    pixels: np.ndarray | LazyImages
    pixel_range: PixelRange
    n_values: int | None = None

    def __len__(self) -> int:
        return self.pixels.shape[0]

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB."""
        return self.pixels.shape[3]

    @property
    def chunk_size(self) -> int:
        """How many images to work on at a time."""
        n_values = self.n_values or math.prod(self.pixels.shape[1:])
        size = max(1, min(_IMAGES_PER_CHUNK, _VALUES_PER_CHUNK // n_values))
        return size - size % LANES if size > LANES else size

    def chunks(self, size: int | None = None) -> Iterator[np.ndarray]:
        """Yield float32 images scaled to [0, 1], ``size`` at a time."""
        return self.scaled_parts(gen_batches(len(self), size or self.chunk_size))

    def scaled_parts(self, parts: Iterable[slice | np.ndarray]) -> Iterator[np.ndarray]:
        """Yield some of the images after others as float32 scaled to [0, 1]."""
        return map(self._scale, self._unscaled_parts(parts))

    def scaled(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return some of the images as float32, scaled to [0, 1]."""
        return self._scale(self.unscaled(rows))

    def unscaled(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return some of the images as they are, read where they are files."""
        return np.asarray(self.pixels[rows])

    def in_memory(self, size: int) -> Iterator[tuple[slice, Images]]:
        """Yield rows and the images of them in memory, ``size`` at a time, fewer of files."""
        if isinstance(self.pixels, LazyImages):
            size = self.chunk_size
        parts = list(gen_batches(len(self), size))
        for rows, pixels in zip(parts, self._unscaled_parts(parts), strict=True):
            yield rows, replace(self, pixels=pixels)

    def _scale(self, pixels: np.ndarray) -> np.ndarray:
        low, high = map(np.float32, self.pixel_range)
        chunk = pixels.astype(np.float32)
        chunk -= low
        chunk /= high - low
        return chunk

    def _unscaled_parts(self, parts: Iterable[slice | np.ndarray]) -> Iterator[np.ndarray]:
        """Yield parts of the images; files are read in a thread, one part ahead."""
        if not isinstance(self.pixels, LazyImages):
            yield from map(self.unscaled, parts)
            return
        with ThreadPoolExecutor(1) as reader:
            ahead: deque = deque()
            for part in parts:
                ahead.append(reader.submit(self.unscaled, part))
                if len(ahead) > 1:
                    yield ahead.popleft().result()
            for last in ahead:
                yield last.result()

    @property
    def identity(self) -> Any:
        """What decides the pixels: themselves, or of files, what these are."""
        return self.pixels._identity if isinstance(self.pixels, LazyImages) else self.pixels

    def are_whole(self) -> np.ndarray:
        """Tell which images have only whole numbers from 0 to 255."""
        if self.pixels.dtype == np.uint8:
            return np.ones(len(self), dtype=bool)
        assert isinstance(self.pixels, np.ndarray)
        axes = (1, 2, 3)
        inside = (self.pixels.min(axis=axes) >= 0) & (self.pixels.max(axis=axes) <= 255)
        if np.issubdtype(self.pixels.dtype, np.integer):
            return inside
        return inside & (np.rint(self.pixels) == self.pixels).all(axis=axes)
