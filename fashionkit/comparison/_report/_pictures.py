"""The pictures of a report: each is stored once, and all together are bounded."""

from __future__ import annotations

import base64
import io
import logging
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from fashionkit.datasets import ImageFolder
from fashionkit.plotting._pictures import read_pictures

logger = logging.getLogger(__name__)

_THUMBNAIL = 96  # pixels of the longer side
_CRISP = 48  # up to this side, images are enlarged pixel by pixel
_ENLARGED = 112  # at most to this side
_SMALLEST = 8  # of a side; numbers that make smaller images are a table
_JPEG_QUALITY = 80


class Album:
    """Pictures of some of the images, by their positions.

    Parameters
    ----------
    images : array-like or ImageFolder
        Images in any form of the contract.

    max_bytes : int
        Bytes of all pictures, as they are written to the file.

    Attributes
    ----------
    sources : dict of int to str
        Data URI of each stored picture.

    size : tuple of int
        Width and height at which pictures are shown; (0, 0) if the data are no images.

    is_crisp : bool
        Whether they are enlarged without smoothing.

    error : str
        Why no more pictures could be read; empty where they could.
    """

    def __init__(self, images: Any, max_bytes: int):
        self.sources: dict[int, str] = {}
        self.size = (0, 0)
        self.is_crisp = False
        self.error = ""
        self._left = max_bytes
        self._is_full = False
        try:
            self._images = images if isinstance(images, ImageFolder) else _quietly_read(images)
            self._choose_size()
        except Exception as error:  # the rest of the report is still worth writing
            self._give_up(error)

    def __bool__(self) -> bool:
        return self.size != (0, 0)

    def __contains__(self, row: Any) -> bool:
        return row in self.sources

    def add(self, rows: Iterable[int]) -> None:
        """Store the pictures of some images, in this order, until the album is full."""
        if not self or self._is_full:
            return
        new = [row for row in dict.fromkeys(map(int, rows)) if row not in self.sources]
        try:
            pictures = self._read(np.array(new, dtype=np.int64))
        except Exception as error:  # a file may have gone since the models read it
            self._give_up(error)
            return
        for row, picture in zip(new, pictures, strict=True):
            source = _data_uri(picture, self.is_crisp)
            if len(source) > self._left:
                self._is_full = True
                return
            self._left -= len(source)
            self.sources[row] = source

    def _choose_size(self) -> None:
        """Choose how large pictures are shown, where the images are large enough to be images."""
        images = self._images if isinstance(self._images, ImageFolder) else self._images.pixels
        height, width = images.shape[1:3]
        if min(height, width) < _SMALLEST:
            return
        longer = max(height, width)
        self.is_crisp = longer <= _CRISP
        scale = _ENLARGED // longer if self.is_crisp else _THUMBNAIL / longer
        self.size = (max(1, round(width * scale)), max(1, round(height * scale)))

    def _give_up(self, error: Exception) -> None:
        logger.info("Reading pictures failed.", exc_info=True)
        self.error = f"{type(error).__name__}: {error}"
        self._is_full = True

    def _read(self, rows: np.ndarray) -> np.ndarray:
        """Read some images: bytes of shape (n_rows, height, width, channels)."""
        if not len(rows):
            return np.empty((0, 1, 1, 1), np.uint8)
        if isinstance(self._images, ImageFolder):
            paths = self._images.filenames[rows]
            size = self.size[::-1]
            aspect = self._images.aspect
            return np.asarray(ImageFolder.from_paths(paths, image_size=size, aspect=aspect))
        return np.rint(255.0 * self._images.scaled(rows).clip(0.0, 1.0)).astype(np.uint8)


def _quietly_read(images: Any) -> Any:
    """Validate images, of whose unusual ranges the models have warned already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_pictures(images)


def _data_uri(pixels: np.ndarray, is_crisp: bool) -> str:
    image = Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    file = io.BytesIO()
    if is_crisp:
        image.save(file, "PNG", optimize=True)
    else:
        image.save(file, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    kind = "png" if is_crisp else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
