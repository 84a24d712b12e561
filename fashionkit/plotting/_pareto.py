"""Accuracy against cost, with the models that no other beats in both."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils._param_validation import validate_params

from fashionkit.datasets._names import unknown
from fashionkit.plotting._axes import (
    one_axes,
    percent_ticks,
    room_inside,
    with_defaults,
    write_note,
)
from fashionkit.plotting._colors import model_style
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._frames import require_columns
from fashionkit.plotting._labels import label_points

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LABELS = {
    "single_predict_ms": "Time of a single prediction in milliseconds",
    "predict_ms_per_image": "Time of prediction in milliseconds per image",
    "predict_cpu_ms_per_image": "CPU time of prediction in milliseconds per image",
    "fit_seconds": "Time of fit in seconds",
    "fit_cpu_seconds": "CPU time of fit in seconds",
    "n_parameters": "Number of parameters",
    "n_bytes": "Size in bytes",
}
_AROUND = (0.9, 1.0)  # inches that ticks, labels and title need
_MAX_LETTERS = 24  # of a line of a model's name


class ParetoDisplay:
    """Accuracy of each model against its cost, with the Pareto front.

    The Pareto front consists of the models that no other model dominates by being both as accurate
    and as cheap. Its line shows the best accuracy for a cost.

    Create it by :meth:`from_comparison`, or from a table and call :meth:`plot`.

    Parameters
    ----------
    frame : DataFrame
        One row per model with the columns ``model``, ``accuracy`` and that of the cost, as returned
        by ``Comparison.to_frame``. Models with a missing value are omitted, and listed in a note.

    cost : str, default="single_predict_ms"
        Column of the cost, of which lower is better, such as ``"predict_ms_per_image"``,
        ``"fit_seconds"``, ``"n_parameters"`` or ``"n_bytes"``.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the points.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the axes.

    scatter_ : matplotlib.collections.PathCollection
        The points.

    line_ : matplotlib.lines.Line2D
        The Pareto front.

    text_ : list of matplotlib.text.Annotation
        Names of the models.

    front_ : list of str
        Names of the models on the Pareto front, cheapest first.

    See Also
    --------
    AccuracyDisplay : Accuracy of each model with its interval.

    Examples
    --------
    >>> import pandas as pd
    >>> from fashionkit.plotting import ParetoDisplay
    >>> frame = pd.DataFrame(
    ...     {
    ...         "model": ["cnn", "hog-knn", "hog-tree"],
    ...         "accuracy": [0.91, 0.86, 0.75],
    ...         "single_predict_ms": [2.0, 3.0, 0.4],
    ...     }
    ... )
    >>> ParetoDisplay(frame).plot().front_
    ['hog-tree', 'cnn']
    """

    def __init__(self, frame: pd.DataFrame, *, cost: str = "single_predict_ms"):
        self.frame = frame
        self.cost = cost

    @classmethod
    @document_parameters
    def from_comparison(
        cls,
        comparison: Any,
        *,
        cost: str = "single_predict_ms",
        log_scale: bool = True,
        ax: Any = None,
        scatter_kw: Mapping[str, Any] | None = None,
        line_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw accuracy and cost of all models of a comparison.

        Parameters
        ----------
        {comparison}

        cost : str, default="single_predict_ms"
            Column of the cost, of which lower is better.

        {log_scale}

        {ax}

        {scatter_kw}

        {line_kw}

        {text_kw}

        Returns
        -------
        display : ParetoDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If there is no column ``cost``.
        """
        display = cls(comparison.to_frame(), cost=cost)
        return display.plot(
            ax, log_scale=log_scale, scatter_kw=scatter_kw, line_kw=line_kw, text_kw=text_kw
        )

    @validate_params(
        {
            "ax": "no_validation",
            "log_scale": ["boolean"],
            "scatter_kw": [dict, None],
            "line_kw": [dict, None],
            "text_kw": [dict, None],
        },
        prefer_skip_nested_validation=True,
    )
    @document_parameters
    def plot(
        self,
        ax: Any = None,
        *,
        log_scale: bool = True,
        scatter_kw: Mapping[str, Any] | None = None,
        line_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the points, their names and the Pareto front.

        Parameters
        ----------
        {ax}

        {log_scale}

        {scatter_kw}

        {line_kw}

        {text_kw}

        Returns
        -------
        display : ParetoDisplay
            This display.

        Raises
        ------
        ValueError
            If the table lacks a column.
        """
        from matplotlib.collections import PathCollection
        from matplotlib.lines import Line2D
        from matplotlib.text import Text

        names, cost, accuracy, left_out = self._points(log_scale)
        self.ax_ = one_axes(ax, (7.5, 4.5 + 0.06 * len(names)))
        self.figure_ = self.ax_.figure
        first, second = model_style(0, self.ax_), model_style(1, self.ax_)
        self.scatter_ = self.ax_.scatter(
            cost,
            accuracy,
            **with_defaults(scatter_kw, PathCollection, color=first["color"], zorder=3),
        )
        front = pareto_front(cost, accuracy)
        self.front_ = [names[i] for i in front]
        style = {"color": second["color"], "linewidth": 1.2, "drawstyle": "steps-post"}
        (self.line_,) = self.ax_.plot(
            cost[front], accuracy[front], **with_defaults(line_kw, Line2D, **style)
        )
        if log_scale and len(cost):
            _log_axis(self.ax_, cost)
        _widen(self.ax_)
        self.ax_.grid(visible=True, alpha=0.3)
        percent_ticks(self.ax_.yaxis)
        self.ax_.set(ylabel="Accuracy", title="Accuracy against cost, and the Pareto front")
        write_note(self.ax_, _LABELS.get(self.cost, self.cost), left_out, "no value")
        lines = [textwrap.fill(name, _MAX_LETTERS) for name in names]
        text_style = with_defaults(text_kw, Text, fontsize=8.0)
        points = np.column_stack([cost, accuracy])
        self.text_ = label_points(
            self.ax_,
            points,
            lines,
            line=_steps(points[front]),
            size=room_inside(self.ax_, _AROUND),
            text_kw=text_style,
        )
        return self

    def _points(self, log_scale: bool) -> tuple[list[str], np.ndarray, np.ndarray, list[str]]:
        """Return names, cost and accuracy of the models, and the names of those left out."""
        require_columns(self.frame, ["model", "accuracy"])
        numbers = self.frame.select_dtypes("number").columns.drop("accuracy")
        if self.cost not in numbers:
            raise unknown("cost", self.cost, numbers, what="a column of numbers of the table")
        cost = self.frame[self.cost].to_numpy(float)
        accuracy = self.frame["accuracy"].to_numpy(float)
        shown = np.isfinite(cost) & np.isfinite(accuracy)
        if log_scale:
            shown &= cost > 0
        names = self.frame["model"].astype(str).to_numpy(object)
        return names[shown].tolist(), cost[shown], accuracy[shown], names[~shown].tolist()


def pareto_front(cost: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Return the positions of the points that no other dominates, cheapest first."""
    order = np.lexsort((-accuracy, cost))
    best = np.maximum.accumulate(accuracy[order])
    is_better = np.r_[True, accuracy[order][1:] > best[:-1]] if len(order) else np.array([], bool)
    return order[is_better]


def _steps(corners: np.ndarray) -> np.ndarray:
    """Return the corners of the line that goes to the right before it goes up."""
    between = np.column_stack([corners[1:, 0], corners[:-1, 1]])
    steps = np.empty((max(2 * len(corners) - 1, 0), 2))
    steps[::2], steps[1::2] = corners, between
    return steps


def _log_axis(ax: Axes, cost: np.ndarray) -> None:
    """Make the horizontal axis logarithmic, with ticks in plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_xscale("log")
    is_wide = cost.max() > 300 * cost.min()
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if is_wide else (1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    ax.xaxis.set_minor_locator(NullLocator())


def _widen(ax: Axes) -> None:
    """Leave room for names around the points, and fix the limits."""
    ax.margins(x=0.12, y=0.12)
    ax.autoscale_view()
    low, high = ax.get_ylim()
    ax.set(xlim=ax.get_xlim(), ylim=(low, min(high, 1.01)))
