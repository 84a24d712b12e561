"""Views of images: mirrored, or shifted by a pixel, for predictions that average over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

# Names of the sets of views, as parameters take them; None is the images alone.
VIEWS = ("flip", "shift", "flip+shift")

# One pixel on each side of the images.
_BORDER = ((0, 0), (1, 1), (1, 1), (0, 0))


def make_views(images: Any, views: str | None, pad: Callable[[Any, Any], Any]) -> Iterator[Any]:
    """Yield images as they are, then shifted along the diagonal, then mirrored.

    Parameters
    ----------
    images : ndarray or tensor of shape (n_samples, height, width, channels)
        Images.

    views : {"flip", "shift", "flip+shift"} or None
        Which views to yield after the images themselves. "shift" yields them moved by one pixel
        towards the lower right and the upper left corner; "flip" the mirror images of all views
        before it. None yields nothing more.

    pad : callable
        Adds a border to the images, as ``keras.ops.pad(images, pad_width)`` and
        ``numpy.pad(images, pad_width)`` do.

    Yields
    ------
    view : ndarray or tensor of shape (n_samples, height, width, channels)
        All of the images, in one of the views.

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
