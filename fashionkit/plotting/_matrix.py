"""Matrices of shaded cells with a text in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rcParams
from matplotlib.text import Text

from fashionkit.plotting._axes import with_defaults
from fashionkit.plotting._colors import readable_on, shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage


def draw_shades(
    ax: Axes, values: Any, colors: Sequence[str], vmin: float, im_kw: Mapping[str, Any] | None
) -> AxesImage:
    """Draw a matrix of values from ``vmin`` to 1 as shades of one or two colours."""
    limits = {} if im_kw and "norm" in im_kw else {"vmin": vmin, "vmax": 1.0}
    style = {"cmap": shades(ax, *colors), "interpolation": "nearest", **limits, **(im_kw or {})}
    return ax.imshow(values, **style)


def write_cells(
    image: AxesImage,
    texts: Sequence[Sequence[str]],
    cell: float,
    text_kw: Mapping[str, Any] | None,
) -> np.ndarray:
    """Write into each cell, in a size and a colour that is readable there.

    Parameters
    ----------
    image : matplotlib.image.AxesImage
        The shades.

    texts : sequence of sequence of str
        Text of each cell.

    cell : float
        Side of a cell, in inches.

    text_kw : dict, default=None
        Keyword arguments for ``Axes.text``.

    Returns
    -------
    written : ndarray of shape (n_rows, n_columns)
        The texts drawn.
    """
    ax = image.axes
    lines = [line for row in texts for text in row for line in text.split("\n")]
    letters = max(map(len, lines), default=1)
    size = max(min(rcParams["font.size"], 72 * cell / (0.6 * letters + 1)), 2.0)
    colors = image.to_rgba(np.asarray(image.get_array()))
    written = np.empty(colors.shape[:2], dtype=object)
    for row, column in np.ndindex(written.shape):
        style = {"ha": "center", "va": "center", "fontsize": size}
        style["color"] = readable_on(colors[row, column], ax)
        style = with_defaults(text_kw, Text, **style)
        written[row, column] = ax.text(column, row, texts[row][column], **style)
    return written
