"""Read photos as a model takes them: its size, its channels, its range of pixels."""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from fashionkit.datasets._listing import stamp
from fashionkit.datasets._parameters import height_and_width
from fashionkit.datasets._photo import read_image
from fashionkit.datasets._pixels import Size, UnreadableError
from fashionkit.datasets._warned import noting
from fashionkit.persistence._describe import with_images
from fashionkit.preprocessing import ImageLoader, ProductPhotoPreprocessor

# Maximum number of photos, and of values of their pixels, that are read at a time.
_MOST_PHOTOS = 256
_MOST_VALUES = 2**24

# To which photos are decoded that are only to be tried, before a model reads them itself.
_LEAST_SIZE = (64, 64)


@dataclass(frozen=True)
class Reader:
    """How photos are read for a model.

    Parameters
    ----------
    size : tuple of int
        Height and width of the images.

    aspect : {"crop", "pad", "stretch"}, default="crop"
        What happens to photos of other proportions.

    channels : {1, 3}, default=3
        Number of channels of the images; 1 for gray.

    pixel_range : tuple of float, default=(0.0, 255.0)
        What black and white become.

    form : {"images", "rows", "table", "paths"}, default="images"
        What the model is given: images, flat rows, a DataFrame with `columns`, or paths of what
        can be read.

    columns : tuple of str, default=()
        Names of the features of a table.
    """

    size: Size
    aspect: str = "crop"
    channels: int = 3
    pixel_range: tuple[float, float] = (0.0, 255.0)
    form: str = "images"
    columns: tuple[str, ...] = ()

    @property
    def chunk_size(self) -> int:
        """Number of photos to read at a time."""
        return max(1, min(_MOST_PHOTOS, _MOST_VALUES // math.prod((*self.size, self.channels))))

    def read(self, paths: list[str]) -> tuple[Any, list[str | None]]:
        """Read photos.

        Parameters
        ----------
        paths : list of str
            The files.

        Returns
        -------
        X : ndarray, DataFrame or list of str, of n_readable rows
            The images that could be read, as the model takes them.

        reasons : list of str or None
            Why each file could not be read; None for those in `X`.
        """
        images, reasons = [], []
        for path in paths:
            image, reason = read_photo(path, self.size, self.aspect)
            reasons.append(reason)
            if image is not None and self.form != "paths":
                images.append(image)
        if self.form == "paths":
            rows = zip(paths, reasons, strict=True)
            return [path for path, reason in rows if reason is None], reasons
        return self.as_given(images), reasons

    def as_given(self, images: list[np.ndarray]) -> Any:
        """Return images in RGB, of this reader's size, as the model takes them."""
        images = images if self.channels == 3 else list(map(_gray, images))
        X = np.stack(images) if images else np.empty((0, *self.size, self.channels), np.uint8)
        low, high = self.pixel_range
        if (low, high) != (0, 255):
            X = (low + X * ((high - low) / 255)).astype(np.float32)
        if self.form == "images":
            return X
        rows = X.reshape(len(X), -1)
        return rows if self.form == "rows" else pd.DataFrame(rows, columns=list(self.columns))


def read_photo(path: str, size: Size | None, aspect: str) -> tuple[np.ndarray | None, str | None]:
    """Return a photo in RGB, or why it cannot be read; one that changes meanwhile cannot."""
    if os.path.isdir(path):
        return None, "it is a folder"
    before = stamp(path)
    try:
        with noting():
            image = read_image(path, size, aspect)
    except MemoryError:
        return None, "there is not enough memory to decode it"
    except (OSError, ValueError) as error:  # also UnreadableError
        if not os.path.lexists(path):
            return None, "there is no such file, or no longer"
        return None, _said(error)
    if stamp(path) != before:
        return None, "it changed while it was read; classify it again"
    return image, None


def make_reader(model: Any, image_size: Any = None) -> Reader:
    """Find out which images a fitted model takes.

    Parameters
    ----------
    model : estimator
        A fitted classifier, pipeline or search.

    image_size : int or tuple of int, default=None
        Height and width of the images; None for what the model says.

    Returns
    -------
    reader : Reader
        What reads them.

    Raises
    ------
    ValueError
        If the model does not say, and `image_size` is None, or if it says otherwise.

    Warns
    -----
    UserWarning
        If the model takes gray images.
    """
    given = height_and_width(image_size)
    for part in first_parts(model):
        if isinstance(part, ImageLoader):
            return Reader(height_and_width(part.image_size), part.aspect)  # type: ignore[arg-type]
        if isinstance(part, ProductPhotoPreprocessor):
            return Reader(_LEAST_SIZE, form="paths")
    images = next(with_images(model), None)
    columns = tuple(map(str, getattr(model, "feature_names_in_", ())))
    if images is not None:
        height, width, channels = images.image_shape_
        low, high = getattr(images, "pixel_range_", (0, 255))
        pixel_range = float(low), float(high)
        form = "images"
    else:
        height, width, channels = _shape_of_rows(model, given)
        pixel_range, form = (0.0, 255.0), "table" if columns else "rows"
    if given not in (None, (height, width)):
        raise ValueError(
            f"image_size={image_size!r}, but the model takes images of {height} x {width} pixels; "
            "pass None for these."
        )
    if channels == 1:
        warnings.warn(
            f"The model takes gray images of {height} x {width} pixels: photos are reduced to "
            "these, with all that is around a garment. If it was trained on silhouettes, put "
            "ProductPhotoPreprocessor before it, in a Pipeline.",
            UserWarning,
            stacklevel=2,
        )
    return Reader((height, width), "crop", channels, pixel_range, form, columns)


def first_parts(model: Any) -> list[Any]:
    """Return the fitted estimators that see the input of a model first, the outermost first."""
    parts = []
    while model is not None:
        parts.append(model)
        members = getattr(model, "estimators_", None)
        if hasattr(model, "steps"):
            model = model.steps[0][1]
        elif isinstance(members, list) and members:
            model = members[0]
        else:
            inner = ("best_estimator_", "estimator_", "estimator", "transformer_")
            model = next((vars(model)[name] for name in inner if name in vars(model)), None)
        if not hasattr(model, "get_params"):
            break
    return parts


def _shape_of_rows(model: Any, given: Size | None) -> tuple[int, int, int]:
    """Guess which images a model takes that knows only how many values a row has."""
    n_features = next(
        (part.n_features_in_ for part in first_parts(model) if hasattr(part, "n_features_in_")),
        None,
    )
    if n_features is None:
        raise ValueError(
            f"model={type(model).__name__} does not say how large its images are; pass "
            "image_size=(height, width)."
            if given is None
            else f"model={type(model).__name__} is not fitted, or does not say what it takes."
        )
    for channels in (1, 3):
        height, width = given or (math.isqrt(n_features // channels),) * 2
        if height * width * channels == n_features:
            return height, width, channels
    raise ValueError(
        f"model={type(model).__name__} takes rows of {n_features} values, which are not "
        + ("a square gray or RGB image" if given is None else f"{given[0]} x {given[1]} pixels")
        + "; pass the image_size=(height, width) that it was trained on."
    )


def _gray(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).convert("L"))[..., np.newaxis]


def _said(error: Exception) -> str:
    if isinstance(error, UnreadableError):
        return str(error)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
