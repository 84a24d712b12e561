"""Reading of photos in the form that a model expects: size, channels and pixel range."""

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

# Maximum number of photos, and of their pixel values, in a chunk.
_MOST_PHOTOS = 256
_MOST_VALUES = 2**24

# Size at which photos are decoded to check that they are readable, if the model reads them itself.
_LEAST_SIZE = (64, 64)


@dataclass(frozen=True)
class Reader:
    """Settings to read photos for a model.

    Parameters
    ----------
    size : tuple of int
        Height and width of the images in pixels.

    aspect : {"crop", "pad", "stretch"}, default="crop"
        Treatment of photos of another aspect ratio.

    channels : {1, 3}, default=3
        Number of channels of the images; 1 for gray.

    pixel_range : tuple of float, default=(0.0, 255.0)
        Values of black and white.

    form : {"images", "rows", "table", "paths"}, default="images"
        Input of the model: images, flat rows, a DataFrame with ``columns``, or paths of readable
        files.

    columns : tuple of str, default=()
        Column names of a table.
    """

    size: Size
    aspect: str = "crop"
    channels: int = 3
    pixel_range: tuple[float, float] = (0.0, 255.0)
    form: str = "images"
    columns: tuple[str, ...] = ()

    @property
    def chunk_size(self) -> int:
        """Number of photos in a chunk."""
        return max(1, min(_MOST_PHOTOS, _MOST_VALUES // math.prod((*self.size, self.channels))))

    def read(self, paths: list[str]) -> tuple[Any, list[str | None]]:
        """Read photos.

        Parameters
        ----------
        paths : list of str
            Paths of the files.

        Returns
        -------
        X : ndarray, DataFrame or list of str, of n_readable rows
            Readable images in the form that the model expects.

        reasons : list of str or None
            Reason why each file cannot be read; None for those in ``X``.
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
        """Convert images to the form that the model expects.

        Parameters
        ----------
        images : list of ndarray of shape (height, width, 3), dtype=uint8
            RGB images of this reader's size.

        Returns
        -------
        X : ndarray or DataFrame of n_images rows
            The images.
        """
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
    """Read a photo in RGB.

    Parameters
    ----------
    path : str
        Path of the file.

    size : tuple of int or None
        Height and width of the image in pixels; None for those of the photo.

    aspect : {"crop", "pad", "stretch"}
        Treatment of photos of another aspect ratio.

    Returns
    -------
    image : ndarray of shape (height, width, 3), dtype=uint8, or None
        Image; None if the file cannot be read, or changes during reading.

    reason : str or None
        Reason why the file cannot be read; None for an image.
    """
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
    """Make the reader for the images that a fitted model expects.

    Parameters
    ----------
    model : estimator
        Fitted classifier, pipeline or search.

    image_size : int or tuple of int, default=None
        Height and width of the images in pixels; None for those of the training images.

    Returns
    -------
    reader : Reader
        Reader of photos.

    Raises
    ------
    ValueError
        If the size of the images is unknown and ``image_size`` is None, or if the model expects
        another size.

    Warns
    -----
    UserWarning
        If the model expects gray images.
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
            "pass image_size=None to use these."
        )
    if channels == 1:
        warnings.warn(
            f"The model takes gray images of {height} x {width} pixels, to which photos are "
            "reduced, including their background. If it was trained on images without background, "
            "put ProductPhotoPreprocessor before it in a Pipeline.",
            UserWarning,
            stacklevel=2,
        )
    return Reader((height, width), "crop", channels, pixel_range, form, columns)


def first_parts(model: Any) -> list[Any]:
    """Return the nested estimators that receive the input of a model, the outermost first."""
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
    """Infer the shape of the images of a model from its number of features."""
    n_features = next(
        (part.n_features_in_ for part in first_parts(model) if hasattr(part, "n_features_in_")),
        None,
    )
    if n_features is None:
        raise ValueError(
            f"model={type(model).__name__} does not tell the size of its images; pass "
            "image_size=(height, width)."
            if given is None
            else f"model={type(model).__name__} does not tell its number of features, expected a "
            "fitted model with n_features_in_; fit it, or wrap it in a Pipeline after ImageLoader."
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
