"""How do images, trainings and mistakes look? Figures by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit._inspection_plots import MistakesDisplay, plot_explanations
from fashionkit._names import name_labels
from fashionkit._pictures import draw_pictures, read_pictures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MistakesDisplay", "TrainingHistoryDisplay", "plot_explanations", "plot_samples"]

_PANELS = (("accuracy", "Accuracy"), ("loss", "Loss"))
_MAX_READABLE_CLASSES = 30


class TrainingHistoryDisplay:
    """Accuracy and loss over the epochs of a training.

    Create it by :meth:`from_estimator`, or from a history.

    Parameters
    ----------
    history : dict of str to list of float
        ``accuracy`` and ``loss`` of each epoch, and ``val_accuracy`` and ``val_loss``
        where the training had validation data. What is missing is not drawn.

    name : str, default=None
        What the curves belong to, for the legend.

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        The axes of accuracy and of loss.

    figure_ : matplotlib.figure.Figure
        The figure they are in.

    lines_ : dict of str to matplotlib.lines.Line2D
        The curve of each entry of the history.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores over the size of the
        training data.

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
    def from_estimator(
        cls, estimator: Any, *, ax: Any = None, name: str | None = None, **line_kw: Any
    ) -> Self:
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : object
            A fitted estimator with a ``history_``, such as
            :class:`~fashionkit.CNNClassifier`; or a Pipeline or a search, whose final
            or best estimator has one.

        ax : matplotlib Axes or array-like of two, default=None
            See :meth:`plot`.

        name : str, default=None
            What the curves belong to, for the legend.

        **line_kw : dict
            Properties of the curves, passed to ``Axes.plot``.

        Returns
        -------
        display : TrainingHistoryDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the estimator has no history.
        """
        history = training_history(estimator)
        if history is None:
            raise ValueError(
                f"{type(estimator).__name__} has no history_: pass an estimator that "
                "has been trained in epochs, such as a fitted CNNClassifier."
            )
        return cls(history, name=name).plot(ax, **line_kw)

    def plot(self, ax: Any = None, *, name: str | None = None, **line_kw: Any) -> Self:
        """Draw the curves: training as solid lines, validation as dashed ones.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of two, default=None
            Two axes to draw on, for accuracy and loss; or one, which is divided into
            two. By default, those of a new figure of pyplot.

        name : str, default=None
            What the curves belong to, for the legend; by default the display's.

        **line_kw : dict
            Properties of the curves, passed to ``Axes.plot``.

        Returns
        -------
        display : TrainingHistoryDisplay
            This display.
        """
        from matplotlib.ticker import MaxNLocator, PercentFormatter

        self.axes_ = _two_axes(ax)
        self.figure_ = self.axes_[0].figure
        self.lines_ = {}
        prefix = f"{name or self.name}, " if name or self.name else ""
        for axes, (metric, label) in zip(self.axes_, _PANELS, strict=True):
            style = {"marker": ".", **line_kw}
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
        self.axes_[0].yaxis.set_major_formatter(PercentFormatter(1.0))
        return self


@validate_params(
    {
        "images": ["array-like"],
        "labels": ["array-like", None],
        "class_names": ["array-like", dict, None],
        "n_columns": [Interval(Integral, 1, None, closed="left")],
        "image_shape": [tuple, None],
        "figure": "no_validation",
    },
    prefer_skip_nested_validation=True,
)
def plot_samples(
    images: Any,
    labels: Any = None,
    *,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    n_columns: int = 10,
    image_shape: tuple[int, ...] | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Show images in rows, each with the name of its class.

    All images given are shown: pass as many as can be looked at.

    Parameters
    ----------
    images : array-like of shape (n_samples, n_features), \
            (n_samples, height, width) or (n_samples, height, width, channels)
        Images, gray or RGB, of any pixel range.

    labels : array-like of shape (n_samples,), default=None
        Labels to write above the images.

    class_names : sequence or dict of str, default=None
        The name of each label, for example
        :data:`~fashionkit.CLASS_NAMES`; None to write the labels themselves.

    n_columns : int, default=10
        Images per row.

    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of flat rows. None infers
        it: a square if there is one, gray before RGB; else one row of pixels.

    figure : matplotlib Figure or SubFigure, default=None
        What to draw on; by default a new figure of pyplot.

    Returns
    -------
    figure : matplotlib Figure or SubFigure
        The figure.

    Raises
    ------
    ValueError
        If ``images`` are no images, ``labels`` are not as many, or a label has no name
        in ``class_names``.

    Examples
    --------
    >>> from fashionkit import CLASS_NAMES, make_garments
    >>> from fashionkit.plotting import plot_samples
    >>> X, y = make_garments(20, random_state=0)
    >>> figure = plot_samples(X, y, class_names=CLASS_NAMES)
    >>> len(figure.axes)
    20
    """
    samples = read_pictures(images, image_shape)
    titles = [""] * len(samples) if labels is None else name_labels(labels, class_names)
    check_consistent_length(samples.pixels, titles)
    figure, _ = draw_pictures(
        samples.scaled(slice(None)), titles, n_columns=n_columns, figure=figure
    )
    return figure


def training_history(estimator: Any) -> Mapping[str, Sequence[float]] | None:
    """Return the history of a fitted estimator, or of the final one within it.

    Parameters
    ----------
    estimator : object
        A fitted estimator, Pipeline or search.

    Returns
    -------
    history : dict of str to list of float, or None
        None if nothing in it was trained in epochs.
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
    """Draw the trainings of several models over each other, without pyplot.

    Parameters
    ----------
    histories : dict of str to dict
        The history of each model.

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


def draw_confusion_matrix(
    counts: np.ndarray, class_names: Sequence[str], *, title: str = ""
) -> Figure:
    """Draw a confusion matrix as percentages of each true class, without pyplot.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes)
        Images of each true class (row) that were given each class (column).

    class_names : sequence of str
        The name of each class.

    title : str, default=""
        The figure's title.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    """
    from matplotlib.figure import Figure

    n_classes = len(class_names)
    readable = n_classes <= _MAX_READABLE_CLASSES
    percent = 100.0 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(max(2.5 + 0.55 * n_classes, 4.0), 20.0)
    figure = Figure(figsize=(side, side), layout="constrained")
    ax = figure.subplots()
    display = ConfusionMatrixDisplay(percent, display_labels=class_names).plot(
        ax=ax,
        cmap="Blues",
        values_format=".0f",
        include_values=readable,
        colorbar=not readable,
        im_kw={"vmin": 0.0, "vmax": 100.0},
    )
    if readable:  # a "0" is a few images, an empty field is none
        for text in display.text_[counts == 0]:
            text.set_text("")
        # scikit-learn chooses by the largest value in the matrix, not by the colours' range.
        dark, light = display.im_.cmap(1.0), display.im_.cmap(0.0)
        for text, value in zip(display.text_.flat, percent.flat, strict=True):
            text.set_color(light if value >= 50 else dark)
    ticks = np.arange(n_classes)
    ax.set_xticks(ticks, class_names, rotation=45, ha="right", rotation_mode="anchor")
    title = f"{title}\n% of each true class".strip()
    ax.set(title=title, xlabel="Predicted class", ylabel="True class")
    return figure


def _two_axes(ax: Any) -> np.ndarray:
    """Return two axes: new ones, those given, or the halves of the one given."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
        return axes
    axes: Sequence[Axes] = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if len(axes) == 1:
        spec = axes[0].get_subplotspec()
        if spec is None:
            raise ValueError("ax is not part of a grid that can be divided; pass two axes.")
        axes[0].set_axis_off()
        halves = spec.subgridspec(1, 2, wspace=0.3)
        return np.array([axes[0].figure.add_subplot(half) for half in halves])
    if len(axes) != 2:
        raise ValueError(f"ax has {len(axes)} axes, expected one or two.")
    return axes
