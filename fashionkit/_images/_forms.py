"""Make one array of a list, Series or object array of images, of NumPy or Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np

# The least side of what is no row of a table.
_LEAST_SIDE = 8


def stacked(X: Any) -> Any:
    """Return images in a container as one array, and anything else as it is.

    Parameters
    ----------
    X : object
        A list or tuple of images, or a Series or object array of images or flat rows. They must
        be of one shape. Images of Pillow are converted as those of files are: palettes to RGB,
        one bit to 0 and 255, and transparent ones lie on white.

    Returns
    -------
    X : object
        An array with one row for each image, or the same object.
    """
    if isinstance(X, np.ndarray) and X.dtype != object:
        return X
    if _is_pillow(X):
        raise ValueError(
            f"X is a single image ({X!r}), expected a batch; pass [X] for a batch of one."
        )
    is_list = isinstance(X, list | tuple)
    if not is_list:
        if getattr(X, "dtype", None) != np.dtype(object) or X.size != len(X):
            return X
        X = np.asarray(X).ravel().tolist()
    if not len(X) or not (_is_pillow(X[0]) or np.ndim(X[0]) in ((2, 3) if is_list else (1, 2, 3))):
        return X
    arrays = [_as_array(image) for image in X]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        some = ", ".join(map(str, sorted(shapes)[:3]))
        raise ValueError(
            f"X is a list of {len(arrays)} images of {len(shapes)} different shapes "
            f"({some}{', ...' if len(shapes) > 3 else ''}); resize them to one shape."
        )
    return np.stack(arrays)


def on_white(image: Any) -> Any:
    """Convert an image of Pillow to RGB, white where it is transparent."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    from PIL import Image

    layer = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    canvas = Image.new("RGB", layer.size, "white")
    canvas.paste(layer, mask=layer)
    return canvas


def reject_single(X: Any, y: Any) -> None:
    """Refuse one image, with one label or in the form of a batch of narrow gray images."""
    has_targets = y is not None and not isinstance(y, str)
    if hasattr(X, "columns") or (has_targets and np.asarray(y).size != 1):
        return
    is_rows = has_targets and isinstance(X, list)
    shape: tuple[int, ...] = np.shape(X) if is_rows else getattr(X, "shape", ())
    if len(shape) not in (2, 3) or min(shape[:2]) < _LEAST_SIDE:
        return
    if has_targets:
        raise single_image(shape)
    if len(shape) == 3 and shape[-1] in (1, 3):
        raise single_image(shape, ", or X[..., np.newaxis] if its images are gray and narrow")


def single_image(shape: tuple[int, ...], otherwise: str = "") -> ValueError:
    """Return the error for an image of some shape without the axis of a batch."""
    return ValueError(
        f"X of shape {shape} looks like a single image, expected a batch of images; pass "
        f"X[np.newaxis] for a batch of one{otherwise}."
    )


def _is_pillow(image: Any) -> bool:
    return hasattr(image, "getbands")


def _as_array(image: Any) -> np.ndarray:
    if not _is_pillow(image):
        return np.asarray(image)
    if image.mode == "RGB" or image.mode[0] in "IF":
        return np.asarray(image)
    is_gray = image.mode in ("1", "L", "LA", "La")
    return np.asarray(on_white(image).convert("L" if is_gray else "RGB"))
