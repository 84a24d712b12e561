"""Axes that displays draw on: those passed, or new ones, with pyplot or without."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import PercentFormatter

from fashionkit.datasets._names import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Size = tuple[float, float]
Layout = Literal["constrained", "compressed"]

_LEGEND_LINES = 16  # of a column
_NOTE_LETTERS = 60  # of a line


class _FittingFigure(Figure):
    """A figure that takes the size that a display needs."""


def figure_for_file(draw: Callable[..., Any], *arguments: Any, **options: Any) -> Figure:
    """Draw on a new figure that pyplot does not know, of the size that the display needs.

    Parameters
    ----------
    draw : callable
        A method of a display with a parameter ``ax``, such as
        ``AccuracyDisplay.from_comparison``.

    *arguments, **options : object
        Other arguments of the method.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> from fashionkit.plotting import ConfusionDisplay
    >>> from fashionkit.plotting._axes import figure_for_file
    >>> figure = figure_for_file(ConfusionDisplay.from_predictions, [0, 1, 1], [0, 1, 0])
    >>> len(figure.axes)  # the matrix and the scale of its shades
    2
    """
    figure = _FittingFigure(layout="constrained")
    draw(*arguments, ax=figure, **options)
    return figure


def one_axes(ax: Any, size: Size, *, layout: Layout = "constrained") -> Axes:
    """Return the axes passed, or new ones on a figure passed or, for None, of pyplot.

    Images need the layout "compressed": the other one cuts labels off beside axes whose aspect is
    fixed.
    """
    if ax is not None and not isinstance(ax, FigureBase):
        return ax
    return _new_figure(ax, size, layout).subplots()


def two_axes(ax: Any, size: Size, *, ratios: tuple[int, int] = (1, 1), below: bool = False) -> Any:
    """Return two axes side by side or one below the other.

    Parameters
    ----------
    ax : matplotlib Axes, array-like of two, Figure, SubFigure or None
        Two axes, which are returned; one, which is divided; or what to put new ones on.

    size : tuple of float
        Width and height of a new figure, in inches.

    ratios : tuple of int, default=(1, 1)
        Ratio of their widths, or of their heights where one is below the other.

    below : bool, default=False
        Whether the second is below the first.

    Returns
    -------
    axes : ndarray of shape (2,)
        The axes.

    Raises
    ------
    ValueError
        If they are other than one or two, or a single one cannot be divided.
    """
    shape = (2, 1) if below else (1, 2)
    grid: Mapping[str, Any] = {"height_ratios" if below else "width_ratios": ratios}
    if ax is None or isinstance(ax, FigureBase):
        return _new_figure(ax, size).subplots(*shape, gridspec_kw=dict(grid))
    axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if len(axes) == 1:
        spec = axes[0].get_subplotspec()
        if spec is None:
            raise ValueError("ax is not part of a grid that can be divided; pass two axes.")
        axes[0].set_axis_off()
        parts = spec.subgridspec(*shape, wspace=0.3, hspace=0.3, **grid)
        return np.array([axes[0].figure.add_subplot(part) for part in parts])
    if len(axes) != 2:
        raise ValueError(
            f"ax has {len(axes)} axes, expected one or two; pass an array of two, as "
            f"plt.subplots{shape} returns it."
        )
    return axes


def room_inside(ax: Axes, around: Size) -> Size:
    """Return the size of axes, in inches, when labels have taken what they need around them.

    Asking the layout of the figure instead would change it.
    """
    figure: Any = ax.figure
    spec = ax.get_subplotspec()
    box = ax.get_window_extent() if spec is None else spec.get_position(figure)
    if spec is None:
        return box.width / figure.dpi, box.height / figure.dpi
    # Matplotlib's default margins leave 77 % of a figure to its axes; the layout takes all.
    width, height = (side / figure.dpi / 0.77 for side in figure.bbox.size)
    return box.width * width - around[0], box.height * height - around[1]


def percent_ticks(axis: Any) -> None:
    """Write the ticks of an axis as percentages."""
    axis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))


def write_note(ax: Axes, label: str, left_out: Sequence[str], why: str) -> None:
    """Set the label of the horizontal axis, and below it which models are left out, and why."""
    lines = [label]
    if left_out:
        note = f"Not shown: {shortened(list(left_out), 5)} ({why})"
        lines += textwrap.wrap(note, _NOTE_LETTERS)
    ax.set_xlabel("\n".join(lines))


def legend_width(names: Iterable[str], max_letters: int) -> float:
    """Return the inches of a legend beside the axes, of names that are wrapped."""
    lines = [line for name in names for line in textwrap.wrap(name, max_letters)]
    column = 0.6 + 0.07 * max(map(len, lines), default=0)
    return column * math.ceil(len(lines) / _LEGEND_LINES)


def write_legend(ax: Axes, *, outside: bool, handles: Sequence[Any] | None = None) -> None:
    """Write the legend to the right of the axes, or inside where it hides least.

    A figure without a layout that makes room for it has it inside.
    """
    handles = ax.get_legend_handles_labels()[0] if handles is None else handles
    if not outside or ax.figure.figure.get_layout_engine() is None:
        ax.legend(handles=handles, loc="best", fontsize="small")
        return
    n_lines = sum(str(handle.get_label()).count("\n") + 1 for handle in handles)
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.02, 1.0),
        borderaxespad=0.0,
        fontsize="small",
        ncols=math.ceil(n_lines / _LEGEND_LINES),
    )


def with_defaults(
    properties: Mapping[str, Any] | None, artist: type, **defaults: Any
) -> dict[str, Any]:
    """Return the user's properties of an artist, with defaults for those not given."""
    from matplotlib.cbook import normalize_kwargs

    return {**defaults, **normalize_kwargs(dict(properties or {}), artist)}


def _new_figure(
    figure: FigureBase | None, size: Size, layout: Layout = "constrained"
) -> FigureBase:
    if figure is None:
        import matplotlib.pyplot as plt

        return plt.figure(figsize=size, layout=layout)
    if isinstance(figure, _FittingFigure):
        figure.set_size_inches(size)
        figure.set_layout_engine(layout)
    return figure
