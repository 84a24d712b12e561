"""Colours that readers with any colour vision tell apart, on light and on dark backgrounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rcParams
from matplotlib.colors import LinearSegmentedColormap, to_rgb, to_rgba

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of M. Okabe and K. Ito, "Color Universal Design", 2008; without black and yellow, which
# disappear on a dark and on a light background.
BLUE, ORANGE = "#0072B2", "#D55E00"
_COLORS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_MARKERS = "os^DvPX"


def model_style(i: int, ax: Axes) -> dict[str, Any]:
    """Return colour and marker of a model: up to 42 differ, neighbours in both."""
    color = _away_from(background(ax), _COLORS[i % 6], 0.2)
    return {"color": color, "marker": _MARKERS[(i % 6 + i // 6) % 7]}


def background(ax: Axes) -> tuple[float, float, float]:
    """Return the colour behind the axes."""
    for color in (ax.get_facecolor(), ax.figure.get_facecolor()):
        if to_rgba(color)[3] > 0.5:
            return to_rgb(color)
    # Transparent: the page is taken to be what its text is readable on.
    return (1.0, 1.0, 1.0) if luminance(rcParams["text.color"]) < 0.5 else (0.0, 0.0, 0.0)


def shades(ax: Axes, *colors: str) -> LinearSegmentedColormap:
    """Return the colours from the background of the axes to a colour, or between two over it."""
    behind = background(ax)
    first, *last = [_away_from(behind, color, 0.35) for color in colors]
    stops = [first, behind, *last] if last else [behind, first]
    return LinearSegmentedColormap.from_list("shades", stops)


def readable_on(field: Any, ax: Axes) -> Any:
    """Return the colour of text or of the background, whichever is readable on a field."""
    candidates = (rcParams["text.color"], background(ax))
    return max(candidates, key=lambda color: _contrast(color, field))


def luminance(color: Any) -> float:
    """Return the relative luminance of a colour, as WCAG 2.2 defines it, from 0 to 1."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def _contrast(one: Any, other: Any) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _away_from(behind: Any, color: str, share: float) -> tuple[float, ...]:
    """Mix a colour with a share of white on a dark background, and of black on a light one."""
    towards = float(luminance(behind) < 0.2)
    return tuple((1 - share) * np.array(to_rgb(color)) + share * towards)
