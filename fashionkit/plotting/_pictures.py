"""Images on a page: reading them in any form, and drawing them in rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from fashionkit._images import Images, fit_images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Inches: a picture's width, a line of its title, and a letter of that.
_PICTURE = 1.1
_LINE = 0.17
_LETTER = 0.075


class _Contract(BaseEstimator):
    """What the image contract asks for: an estimator that may know its image shape."""

    def __init__(self, image_shape: tuple[int, ...] | None = None):
        self.image_shape = image_shape


def read_pictures(images: Any, image_shape: tuple[int, ...] | None = None) -> Images:
    """Validate images that are to be shown.

    Parameters
    ----------
    images : array-like
        Images in any form of the contract.

    image_shape : tuple of int, default=None
        The shape of flat rows; None infers it.

    Returns
    -------
    pictures : Images
        The images.
    """
    return fit_images(_Contract(image_shape), images)


def draw_pictures(
    pictures: np.ndarray,
    titles: Sequence[str],
    *,
    n_columns: int,
    figure: Figure | None = None,
) -> tuple[Figure, np.ndarray]:
    """Draw pictures in rows, each under its title.

    Parameters
    ----------
    pictures : ndarray of shape (n_samples, height, width, channels)
        Gray or RGB, from 0 to 1; beyond that is cut off.

    titles : sequence of str
        One title for each picture, of the same number of lines.

    n_columns : int
        Pictures per row.

    figure : matplotlib Figure or SubFigure, default=None
        What to draw on; by default a new figure of pyplot.

    Returns
    -------
    figure : matplotlib Figure or SubFigure
        The figure.

    axes : ndarray of shape (n_samples,)
        The axes of each picture.
    """
    n_columns = min(n_columns, len(pictures))
    n_rows = math.ceil(len(pictures) / n_columns)
    if figure is None:
        figure = _new_figure(pictures.shape[1:3], titles, n_rows, n_columns)
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, picture, title in zip(axes, pictures.clip(0.0, 1.0), titles, strict=False):
        is_gray = picture.shape[-1] == 1
        ax.imshow(picture.squeeze(-1) if is_gray else picture, "gray", vmin=0, vmax=1)
        ax.set_title(title, fontsize="small")
        ax.set_axis_off()
    for ax in axes[len(pictures) :]:
        ax.remove()
    return figure, axes[: len(pictures)]


def _new_figure(
    shape: tuple[int, int], titles: Sequence[str], n_rows: int, n_columns: int
) -> Figure:
    """Return a figure of pyplot that has room for all pictures and their titles."""
    import matplotlib.pyplot as plt

    lines = [line for title in titles for line in title.split("\n")]
    width = max(_PICTURE, _LETTER * max(map(len, lines), default=0))
    height = _PICTURE * min(max(shape[0] / shape[1], 0.25), 4.0)
    if any(titles):
        height += 0.08 + _LINE * (len(lines) // len(titles))
    size = (max(width * n_columns, 2.0), max(height * n_rows, 1.0))
    return plt.figure(figsize=size, layout="constrained")
