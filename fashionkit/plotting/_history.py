"""Training histories: accuracy and loss by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.pipeline import Pipeline

from fashionkit.plotting._docs import document_parameters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = (("accuracy", "Accuracy"), ("loss", "Loss"))


class TrainingHistoryDisplay:
    """Accuracy and loss of a training, by epoch.

    Create it by :meth:`from_estimator`, or from a history and call :meth:`plot`.

    Parameters
    ----------
    history : dict of str to list of float
        ``accuracy`` and ``loss`` of each epoch, and ``val_accuracy`` and ``val_loss``
        of validation data. Missing entries are not drawn.

    name : str, default=None
        Name of the model, for the legend.

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        Axes of accuracy and of loss.

    figure_ : matplotlib.figure.Figure
        Figure containing the curves.

    lines_ : dict of str to matplotlib.lines.Line2D
        Curve of each entry of the history.

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

    def __init__(self, history: Mapping[str, Sequence[float]], *, name: str | None = None):
        self.history = history
        self.name = name

    @classmethod
    @document_parameters
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: Any = None,
        name: str | None = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : object
            A fitted estimator with a ``history_``, such as
            :class:`~fashionkit.CNNClassifier`; or a Pipeline or a search whose final or
            best estimator has one.

        ax : matplotlib Axes or array-like of two, default=None
            Axes to draw on; see :meth:`plot`.

        name : str, default=None
            Name of the model, for the legend.

        {line_kw}

        Returns
        -------
        display : TrainingHistoryDisplay
            The display, already drawn.

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

    @document_parameters
    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves: training as solid lines, validation as dashed ones.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of two, default=None
            Two axes to draw on, for accuracy and loss; or one, which is divided into
            two; None for those of a new pyplot figure.

        name : str, default=None
            Name of the model, for the legend; None for that of the display.

        {line_kw}

        Returns
        -------
        display : TrainingHistoryDisplay
            This display.
        """
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D
        from matplotlib.ticker import MaxNLocator, PercentFormatter

        if line_kw is not None and not isinstance(line_kw, Mapping):
            raise TypeError(f"line_kw={line_kw!r}, expected a dict of properties of the curves.")
        line_kw = {"marker": ".", **normalize_kwargs(dict(line_kw or {}), Line2D)}
        self.axes_ = _two_axes(ax)
        self.figure_ = self.axes_[0].figure
        self.lines_ = {}
        prefix = f"{name or self.name}, " if name or self.name else ""
        for axes, (metric, label) in zip(self.axes_, _PANELS, strict=True):
            style = dict(line_kw)
            for key, part, dashes in (
                (metric, "training", "-"),
                (f"val_{metric}", "validation", "--"),
            ):
                values = self.history.get(key, ())
                if len(values):
                    epochs = np.arange(1, len(values) + 1)
                    shown = {"linestyle": dashes, "label": prefix + part, **style}
                    (self.lines_[key],) = axes.plot(epochs, values, **shown)
                    style["color"] = self.lines_[key].get_color()
            axes.set(xlabel="Epoch", ylabel=label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(visible=True, alpha=0.3)
            if axes.lines:
                axes.legend()
        self.axes_[0].yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        return self


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


def draw_training_histories(
    histories: Mapping[str, Mapping[str, Sequence[float]]],
) -> Figure:
    """Draw the histories of several models on the same axes, without pyplot.

    Parameters
    ----------
    histories : dict of str to dict
        History of each model.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots(1, 2)
    for name, history in histories.items():
        TrainingHistoryDisplay(history, name=name).plot(axes)
    return figure


def _two_axes(ax: Any) -> np.ndarray:
    """Return two axes: new ones, those passed, or the halves of a single one."""
    if ax is None:
        import matplotlib.pyplot as plt

        return plt.subplots(1, 2, figsize=(10, 4), layout="constrained")[1]
    axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if len(axes) == 1:
        spec = axes[0].get_subplotspec()
        if spec is None:
            raise ValueError("ax is not part of a grid that can be divided; pass two axes.")
        axes[0].set_axis_off()
        halves = spec.subgridspec(1, 2, wspace=0.3)
        return np.array([axes[0].figure.add_subplot(half) for half in halves])
    if len(axes) != 2:
        raise ValueError(
            f"ax has {len(axes)} axes, expected one or two; pass an array of two, as "
            "plt.subplots(1, 2) returns it."
        )
    return axes
