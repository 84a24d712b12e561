"""Training histories: accuracy and loss by epoch."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import validate_params

from fashionkit.datasets._names import percent
from fashionkit.plotting._axes import (
    figure_for_file,
    legend_width,
    percent_ticks,
    two_axes,
    with_defaults,
    write_legend,
)
from fashionkit.plotting._colors import model_style
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._frames import model_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    History = Mapping[str, Sequence[float]]

# Metric, its name, and where its best value is.
_PANELS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("accuracy", "Accuracy", np.nanargmax),
    ("loss", "Loss", np.nanargmin),
)
_MAX_LETTERS = 30  # of a line of a model's name


class TrainingHistoryDisplay:
    """Learning curves: accuracy and loss of one or several trainings by epoch.

    Solid curves show the training images, dashed ones held-out images. A star marks the best
    held-out value.

    Create it by :meth:`from_estimator` or :meth:`from_comparison`, or from a history and
    call :meth:`plot`.

    Parameters
    ----------
    history : dict of str to list of float
        ``accuracy`` and ``loss`` of each epoch, and ``val_accuracy`` and ``val_loss``
        of held-out images. Missing entries are not drawn. For several models, a dict from
        the name of each to its history.

    name : str, default=None
        Name of the model, for the titles; unused for several models.

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        Axes of accuracy and of loss.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the curves.

    lines_ : dict of str to matplotlib.lines.Line2D
        Curve of each entry of the history; for several models, a dict from the name of
        each to such a dict.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by size of the training data.

    Examples
    --------
    >>> from fashionkit.plotting import TrainingHistoryDisplay
    >>> history = {"accuracy": [0.7, 0.8], "loss": [0.9, 0.6]}
    >>> display = TrainingHistoryDisplay(history).plot()
    >>> display.axes_[1].get_ylabel()
    'Loss'
    """

    def __init__(self, history: History | Mapping[str, History], *, name: str | None = None):
        self.history = history
        self.name = name

    @classmethod
    @document_parameters
    def from_estimator(
        cls,
        estimator: Any,
        *,
        name: str | None = None,
        ax: Any = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : object
            Fitted estimator with a ``history_``, such as :class:`~fashionkit.CNNClassifier`; or a
            Pipeline or a search whose final or best estimator has one.

        name : str, default=None
            Name of the model, for the titles.

        {two_ax}

        {line_kw}

        Returns
        -------
        display : TrainingHistoryDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the estimator has no ``history_``.
        """
        history = training_history(estimator)
        if history is None:
            raise ValueError(
                f"{type(estimator).__name__} has no history_; pass an estimator that "
                "was trained in epochs, such as a fitted CNNClassifier."
            )
        return cls(history, name=name).plot(ax, line_kw=line_kw)

    @classmethod
    @document_parameters
    def from_comparison(
        cls,
        comparison: Any,
        names: str | Sequence[str] | None = None,
        *,
        ax: Any = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the trainings of the networks of a comparison on the same axes.

        Parameters
        ----------
        {comparison}

        names : str or sequence of str, default=None
            Names of the models; None for all that were trained in epochs.

        {two_ax}

        {line_kw}

        Returns
        -------
        display : TrainingHistoryDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If no model was trained in epochs, or one of ``names`` was not.
        """
        histories = comparison.histories_
        if not histories:
            raise ValueError(
                "comparison has no model that was trained in epochs; compare one, such as 'cnn'."
            )
        return cls({name: histories[name] for name in model_names(names, histories)}).plot(
            ax, line_kw=line_kw
        )

    @validate_params(
        {"ax": "no_validation", "name": [str, None], "line_kw": [dict, None]},
        prefer_skip_nested_validation=True,
    )
    @document_parameters
    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        {two_ax}

        name : str, default=None
            Name of the model, for the titles; None for that of the display.

        {line_kw}

        Returns
        -------
        display : TrainingHistoryDisplay
            This display.
        """
        from matplotlib.ticker import MaxNLocator

        is_one = not any(isinstance(value, Mapping) for value in self.history.values())
        histories: Any = {name or self.name: self.history} if is_one else self.history
        width = legend_width([*([] if is_one else histories), "best held out"], _MAX_LETTERS)
        self.axes_ = two_axes(ax, (9.0 + width, 4.0))
        self.figure_ = self.axes_[0].figure
        lines: dict[Any, dict[str, Any]] = {model: {} for model in histories}
        for axes, (metric, label, best) in zip(self.axes_, _PANELS, strict=True):
            title = f"{label} by epoch"
            for i, (model, history) in enumerate(histories.items()):
                style = model_style(i, axes) | ({"marker": "."} if is_one else {})
                lines[model] |= _draw_curves(axes, history, metric, best, style, line_kw)
                if is_one:
                    title = _title(label, metric, model, history, best)
            axes.set(xlabel="Epoch", ylabel=label, title=title)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axes.grid(visible=True, alpha=0.3)
        percent_ticks(self.axes_[0].yaxis)
        self.lines_ = lines[next(iter(lines))] if is_one else lines
        _write_legend(self.axes_[1], {None: self.lines_} if is_one else lines)
        return self


def _draw_curves(
    ax: Axes,
    history: History,
    metric: str,
    best: Callable[..., Any],
    style: Mapping[str, Any],
    line_kw: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Draw training and held-out values of one model, and mark the best of the latter."""
    from matplotlib.lines import Line2D

    lines = {}
    for key, dashes in ((metric, "-"), (f"val_{metric}", "--")):
        values = np.asarray(history.get(key, ()), dtype=float)
        if not len(values):
            continue
        defaults = {"linestyle": dashes, "markersize": 4.0, **style}
        epochs = np.arange(1, len(values) + 1)
        (lines[key],) = ax.plot(epochs, values, **with_defaults(line_kw, Line2D, **defaults))
        if key != metric and not np.isnan(values).all():
            epoch, shown = best(values), lines[key].get_color()
            ax.plot(epoch + 1, values[epoch], "*", color=shown, markersize=13, zorder=3)
    return lines


def _title(
    label: str, metric: str, name: str | None, history: History, best: Callable[..., Any]
) -> str:
    """Return the title of one model's curves, with the best held-out value and its epoch."""
    title = f"{label} by epoch" + (f", {name}" if name else "")
    values = np.asarray(history.get(f"val_{metric}", ()), dtype=float)
    if not len(values) or np.isnan(values).all():
        return title
    epoch = best(values)
    value = percent(values[epoch]) if metric == "accuracy" else f"{values[epoch]:.4g}"
    return f"{title}\nbest held out: {value} in epoch {epoch + 1}"


def _write_legend(ax: Axes, lines: Mapping[Any, Mapping[str, Any]]) -> None:
    """Write beside the axes which model has which colour, and what the styles of lines mean."""
    from matplotlib import rcParams
    from matplotlib.lines import Line2D

    handles = []
    for name, curves in lines.items():
        for line in list(curves.values())[:1] if name is not None else ():
            style = {"color": line.get_color(), "marker": line.get_marker()}
            handles.append(Line2D([], [], label=textwrap.fill(name, _MAX_LETTERS), **style))
    keys = {key for curves in lines.values() for key in curves}
    styles: list[tuple[str, dict[str, Any]]] = [("training", {"linestyle": "-"})]
    if any(key.startswith("val_") for key in keys):
        styles.append(("held out", {"linestyle": "--"}))
        styles.append(("best held out", {"linestyle": "", "marker": "*", "markersize": 11}))
    for label, style in styles if keys else ():
        handles.append(Line2D([], [], color=rcParams["text.color"], label=label, **style))
    if handles:
        write_legend(ax, outside=True, handles=handles)


def training_history(estimator: Any) -> Mapping[str, Sequence[float]] | None:
    """Return the history of a fitted estimator, or of its final or best estimator.

    Parameters
    ----------
    estimator : object
        A fitted estimator, Pipeline or search.

    Returns
    -------
    history : dict of str to list of float, or None
        None if it was not trained in epochs.
    """
    if isinstance(estimator, Pipeline):
        return training_history(estimator.steps[-1][1])
    if hasattr(estimator, "best_estimator_"):
        return training_history(estimator.best_estimator_)
    history = getattr(estimator, "history_", None)
    # Other libraries keep histories of their own form under this name.
    return history if isinstance(history, Mapping) and "loss" in history else None


def draw_training_histories(histories: Mapping[str, History]) -> Figure:
    """Draw histories of several models on a new figure without pyplot, for a file."""
    return figure_for_file(TrainingHistoryDisplay(histories).plot)
