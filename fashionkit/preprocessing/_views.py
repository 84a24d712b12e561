"""Views of images for test-time augmentation: flipped, or shifted by a pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

# Values of the parameter ``test_time_augmentation``, besides None.
VIEWS = ("flip", "shift", "flip+shift")

# One pixel on each side of the images.
_BORDER = ((0, 0), (1, 1), (1, 1), (0, 0))


def make_views(images: Any, views: str | None, pad: Callable[[Any, Any], Any]) -> Iterator[Any]:
    """Yield images unchanged, then shifted along the diagonal, then flipped from left to right.

    Parameters
    ----------
    images : ndarray or tensor of shape (n_samples, height, width, channels)
        Images.

    views : {"flip", "shift", "flip+shift"} or None
        Additional views. "shift" adds the images moved by one pixel towards the lower right and the
        upper left corner; "flip" adds all previous views flipped from left to right. None adds no
        views.

    pad : callable
        Function that pads images with zeros, such as ``keras.ops.pad`` or :func:`numpy.pad`.

    Yields
    ------
    view : ndarray or tensor of shape (n_samples, height, width, channels)
        One view of all images.

    Examples
    --------
    >>> import numpy as np
    >>> from fashionkit.preprocessing._views import make_views
    >>> image = np.array([[1, 2], [3, 4]])[np.newaxis, :, :, np.newaxis]
    >>> [view[0, :, :, 0].tolist() for view in make_views(image, "shift", np.pad)]
    [[[1, 2], [3, 4]], [[0, 0], [0, 1]], [[4, 0], [0, 0]]]
    >>> [view[0, :, :, 0].tolist() for view in make_views(image, "flip", np.pad)]
    [[[1, 2], [3, 4]], [[2, 1], [4, 3]]]
    """
    seen = [images]
    yield images
    if views and "shift" in views:
        padded = pad(images, _BORDER)
        seen += [padded[:, :-2, :-2], padded[:, 2:, 2:]]
        yield from seen[1:]
    if views and "flip" in views:
        yield from (view[:, :, ::-1] for view in seen)
