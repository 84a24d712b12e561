"""Images for display: reading them in any form, and drawing them in rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval

from fashionkit._images import Images, fit_images
from fashionkit.datasets._names import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Inches: width of a picture, height of a line of its title, and width of a letter.
_PICTURE = 1.1
_LINE = 0.17
_LETTER = 0.075

AT_LEAST_ONE = Interval(Integral, 1, None, closed="left")

# Constraints on what displays of pictures in rows are drawn with.
PLOT_PARAMETERS: dict[str, Any] = {
    "n_columns": [AT_LEAST_ONE],
    "figure": "no_validation",
    "im_kw": [dict, None],
    "text_kw": [dict, None],
}

_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_MAX_LETTERS = 24  # of the name of a file


def read_pictures(images: Any, image_shape: tuple[int, ...] | None = None) -> Images:
    """Validate images for display.

    Parameters
    ----------
    images : array-like
        Images in any form that the estimators take.

    image_shape : tuple of int, default=None
        Shape of flat rows; None infers it.

    Returns
    -------
    pictures : Images
        The validated images.
    """
    return fit_images(BaseEstimator(), images, image_shape=image_shape)


def draw_pictures(
    pictures: np.ndarray,
    titles: Sequence[str],
    *,
    n_columns: int,
    figure: Figure | None = None,
    im_kw: Mapping[str, Any] | None = None,
    text_kw: Mapping[str, Any] | None = None,
    room_below: float = 0.0,
) -> tuple[Figure, np.ndarray]:
    """Draw pictures in rows, each under its title.

    Parameters
    ----------
    pictures : ndarray of shape (n_samples, height, width, channels)
        Gray or RGB images, clipped to [0, 1].

    titles : sequence of str
        Title of each picture, all with the same number of lines.

    n_columns : int
        Maximum number of pictures per row.

    figure : matplotlib Figure or SubFigure, default=None
        Figure to draw on; None for a new one of pyplot.

    im_kw : dict, default=None
        Keyword arguments for ``Axes.imshow``.

    text_kw : dict, default=None
        Keyword arguments for ``Axes.set_title``.

    room_below : float, default=0.0
        Height of a new figure to be left below the pictures, in inches.

    Returns
    -------
    figure : matplotlib Figure or SubFigure
        Figure with the images.

    axes : ndarray of shape (n_samples,)
        Axes of each picture.
    """
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.text import Text

    im_kw = im_kw or {}
    limits = {} if "norm" in im_kw else {"vmin": 0, "vmax": 1}  # matplotlib takes one of them
    im_kw = {"cmap": "gray", **limits, **im_kw}
    text_kw = {"fontsize": "small", **normalize_kwargs(dict(text_kw or {}), Text)}
    n_columns = min(n_columns, len(pictures))
    n_rows = math.ceil(len(pictures) / n_columns)
    if figure is None:
        figure = _new_figure(pictures.shape[1:3], titles, n_rows, n_columns, room_below)
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, picture, title in zip(axes, pictures.clip(0.0, 1.0), titles, strict=False):
        is_gray = picture.shape[-1] == 1
        ax.imshow(picture.squeeze(-1) if is_gray else picture, **im_kw)
        ax.set_title(title, **text_kw)
        ax.set_axis_off()
    for ax in axes[len(pictures) :]:
        ax.remove()
    return figure, axes[: len(pictures)]


def draw_titled(
    images: Any,
    titles: Sequence[str],
    *,
    instead: str,
    n_columns: int,
    figure: Figure | None = None,
    im_kw: Mapping[str, Any] | None = None,
    text_kw: Mapping[str, Any] | None = None,
) -> tuple[Figure, np.ndarray]:
    """Draw the images of a table under their titles, or a sentence where there are none.

    Parameters
    ----------
    images : array-like of shape (n_samples, height, width) or \
            (n_samples, height, width, channels)
        The images.

    titles : sequence of str
        Title of each.

    instead : str
        The sentence.

    n_columns, figure, im_kw, text_kw : object
        As for :func:`draw_pictures`.

    Returns
    -------
    figure : matplotlib Figure or SubFigure
        Figure with the images.

    axes : ndarray of shape (n_samples,)
        Axes of each picture.
    """
    if not titles:
        return _draw_sentence(instead, figure), np.array([], dtype=object)
    pictures = read_pictures(images)
    check_consistent_length(pictures.pixels, titles)
    return draw_pictures(
        pictures.scaled(slice(None)),
        titles,
        n_columns=n_columns,
        figure=figure,
        im_kw=im_kw,
        text_kw=text_kw,
    )


def prediction_title(
    true: str, predicted: str, probability: float | None = None, *, path: str | None = None
) -> str:
    """Return the title of a picture: its true class, the predicted one, and the file's name."""
    certainty = "" if probability is None else f", {percent(probability, 0)}"
    title = f"{true} \N{RIGHTWARDS ARROW}\n{predicted}{certainty}"
    if path is None:
        return title
    name = Path(path).name
    if len(name) > _MAX_LETTERS:  # the end tells apart what cameras number
        name = f"{name[: _MAX_LETTERS // 3]}{_ELLIPSIS}{name[-_MAX_LETTERS // 3 * 2 :]}"
    return f"{title}\n{name}"


def _draw_sentence(sentence: str, figure: Figure | None) -> Figure:
    """Draw a sentence in place of pictures."""
    if figure is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(4, 1))
    figure.text(0.5, 0.5, sentence, ha="center", va="center")
    return figure


def _new_figure(
    shape: tuple[int, int],
    titles: Sequence[str],
    n_rows: int,
    n_columns: int,
    room_below: float,
) -> Figure:
    """Return a pyplot figure large enough for all pictures and their titles."""
    import matplotlib.pyplot as plt

    lines = [line for title in titles for line in title.split("\n")]
    width = max(_PICTURE, _LETTER * (1 + max(map(len, lines), default=0)))
    height = _PICTURE * min(max(shape[0] / shape[1], 0.25), 4.0)
    if any(titles):
        height += 0.08 + _LINE * (len(lines) // len(titles))
    size = (max(width * n_columns, 2.0), max(height * n_rows, 1.0) + room_below)
    return plt.figure(figsize=size, layout="constrained")
