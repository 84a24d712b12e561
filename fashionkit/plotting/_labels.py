"""Names beside points, placed so that they overlap neither each other nor the points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

Box = tuple[float, float, float, float]

# Points (1/72 inch) between a point and its name: near ones first. Names further away than the
# second distance are joined to their points by a line.
_DISTANCES = (7.0, 12.0, 20.0, 30.0, 42.0, 56.0, 72.0, 90.0, 110.0, 132.0)
_ANGLES = np.deg2rad([0, 180, 90, 270, 45, 315, 135, 225, 20, 340, 160, 200, 65, 295, 115, 245])
_LINE, _LETTER = 1.25, 0.62  # height of a line and width of a letter, in font sizes


def label_points(
    ax: Axes,
    points: np.ndarray,
    names: Sequence[str],
    *,
    line: np.ndarray,
    size: tuple[float, float],
    text_kw: dict[str, Any],
) -> list[Annotation]:
    """Write a name beside each point of axes whose limits are final.

    Each name takes the nearest place that is free, to the right of its point if possible. The
    size of texts is estimated, as SVG files are shown in other fonts.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.

    points : ndarray of shape (n_points, 2)
        The points, in data.

    names : sequence of str
        Names of the points.

    line : ndarray of shape (n_corners, 2)
        A line that names should not cross, in data.

    size : tuple of float
        Width and height that the axes will have, in inches.

    text_kw : dict
        Properties of the texts, with their ``fontsize`` in points.

    Returns
    -------
    annotations : list of matplotlib.text.Annotation
        The names, in the order of the points.
    """
    area = 72.0 * np.array(size)
    to_axes = ax.transData + ax.transAxes.inverted()
    centers = to_axes.transform(points) * area
    taken = [_around(x, y, 4.0) for x, y in centers]
    taken += [_around(x, y, 1.0) for x, y in _along(to_axes.transform(line) * area)]
    annotations = []
    for (x, y), point, name in zip(centers, points, names, strict=True):
        extent = _extent(name, text_kw["fontsize"])
        dx, dy, box = _place(x, y, extent, taken, area)
        taken.append(box)
        far = math.hypot(dx, dy) > _DISTANCES[1]
        annotations.append(
            ax.annotate(
                name,
                tuple(point),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=_align(dx, "left", "right"),
                va=_align(dy, "bottom", "top"),
                arrowprops={"arrowstyle": "-", "linewidth": 0.5, "alpha": 0.5} if far else None,
                **text_kw,
            )
        )
    return annotations


def _place(
    x: float, y: float, extent: tuple[float, float], taken: Sequence[Box], area: np.ndarray
) -> tuple[float, float, Box]:
    """Return the offset of the best place for a text, and its box."""
    best: tuple[float, float, float, Box] | None = None
    for distance in _DISTANCES:
        for angle in _ANGLES:
            dx = round(distance * math.cos(angle), 3)
            dy = round(distance * math.sin(angle), 3)
            box = _box(x + dx, y + dy, dx, dy, extent)
            lost = sum(_overlap(box, other) for other in taken) + 5 * _outside(box, area)
            if best is None or lost < best[0]:
                best = (lost, dx, dy, box)
            if lost == 0:
                return dx, dy, box
    assert best is not None
    return best[1:]


def _around(x: float, y: float, radius: float) -> Box:
    return x - radius, y - radius, x + radius, y + radius


def _along(corners: np.ndarray) -> list[np.ndarray]:
    """Return positions at short distances along a line."""
    positions = []
    for start, end in itertools.pairwise(corners):
        steps = max(int(np.hypot(*(end - start)) / 4), 1)
        positions += list(np.linspace(start, end, steps))
    return positions


def _extent(name: str, font_size: float) -> tuple[float, float]:
    lines = name.split("\n")
    return _LETTER * font_size * max(map(len, lines)), _LINE * font_size * len(lines)


def _box(x: float, y: float, dx: float, dy: float, extent: tuple[float, float]) -> Box:
    """Return the box of a text that begins, is centred or ends at a point."""
    width, height = extent
    left = x - width * {"left": 0.0, "center": 0.5, "right": 1.0}[_align(dx, "left", "right")]
    low = y - height * {"bottom": 0.0, "center": 0.5, "top": 1.0}[_align(dy, "bottom", "top")]
    return left, low, left + width, low + height


def _align(offset: float, before: str, after: str) -> str:
    """Return the alignment of a text that is moved by an offset."""
    return "center" if abs(offset) < 0.01 else before if offset > 0 else after


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def _outside(box: Box, area: np.ndarray) -> float:
    """Return the area of a box that is outside of the axes."""
    whole = (box[2] - box[0]) * (box[3] - box[1])
    return whole - _overlap(box, (0.0, 0.0, float(area[0]), float(area[1])))
