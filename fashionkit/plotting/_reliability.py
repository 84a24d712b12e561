"""Reliability diagrams: whether probabilities are as often right as they say."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils._param_validation import validate_params

from fashionkit.datasets._names import percent
from fashionkit.inspection._calibration import calibration_bins, error_of_bins
from fashionkit.inspection._predictions import probabilities_of
from fashionkit.plotting._axes import (
    legend_width,
    percent_ticks,
    two_axes,
    with_defaults,
    write_legend,
    write_note,
)
from fashionkit.plotting._colors import model_style
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._frames import model_names

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MAX_LETTERS = 30  # of a line of a model's name
_MAX_INSIDE = 2  # models whose legend is inside of the axes
_LIMITS = (-0.02, 1.02)


class ReliabilityDisplay:
    """Reliability diagram of the most probable class, with a histogram of confidences.

    A point shows the accuracy of the images in one bin of the confidence, the probability of the
    predicted class [1]_. Below the diagonal, a model is overconfident. The legend shows the
    expected calibration error (ECE).

    Create it by :meth:`from_estimator`, :meth:`from_predictions` or
    :meth:`from_comparison`, or from tables and call :meth:`plot`.

    Parameters
    ----------
    bins : dict of str to DataFrame
        Table of :func:`~fashionkit.inspection.calibration_bins` for each model.

    left_out : sequence of str, default=()
        Names of models without probabilities, to list in a note.

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        Axes of the diagram and of the histogram.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the axes.

    lines_ : dict of str to matplotlib.lines.Line2D
        Curve of each model.

    See Also
    --------
    fashionkit.inspection.expected_calibration_error : Computes the ECE of the legend.
    sklearn.calibration.CalibrationDisplay : Reliability diagram of binary classifiers.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017, figure 1.

    Examples
    --------
    >>> from fashionkit.plotting import ReliabilityDisplay
    >>> probabilities = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]
    >>> display = ReliabilityDisplay.from_predictions(
    ...     [0, 1, 1, 1], probabilities, classes=[0, 1], n_bins=4, name="cnn"
    ... )
    >>> display.lines_["cnn"].get_label()
    'cnn, ECE 35.00 %'
    """

    def __init__(self, bins: Mapping[str, pd.DataFrame], *, left_out: Sequence[str] = ()):
        self.bins = bins
        self.left_out = left_out

    @classmethod
    @document_parameters
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_bins: int = 15,
        name: str | None = None,
        ax: Any = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the reliability diagram of a fitted classifier.

        Parameters
        ----------
        {estimator}

        X : array-like
            Images, passed to the classifier as they are.

        y : array-like of shape (n_samples,)
            True labels.

        {n_bins}

        name : str, default=None
            Name of the model, for the legend; None for that of its class.

        {two_ax}

        {line_kw}

        Returns
        -------
        display : ReliabilityDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the classifier has no ``predict_proba``, or the arguments are inconsistent.
        """
        probabilities, classes = probabilities_of(estimator, X)
        return cls.from_predictions(
            y,
            probabilities,
            classes=classes,
            n_bins=n_bins,
            name=name or type(estimator).__name__,
            ax=ax,
            line_kw=line_kw,
        )

    @classmethod
    @document_parameters
    def from_predictions(
        cls,
        y_true: Any,
        probabilities: Any,
        *,
        classes: Any,
        n_bins: int = 15,
        name: str | None = None,
        ax: Any = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the reliability diagram of predicted probabilities.

        Parameters
        ----------
        {y_true}

        {probabilities}

        {classes}

        {n_bins}

        name : str, default=None
            Name of the model, for the legend; None for "model".

        {two_ax}

        {line_kw}

        Returns
        -------
        display : ReliabilityDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the arguments are inconsistent.
        """
        bins = calibration_bins(y_true, probabilities, classes, n_bins=n_bins)
        return cls({name or "model": bins}).plot(ax, line_kw=line_kw)

    @classmethod
    @document_parameters
    def from_comparison(
        cls,
        comparison: Any,
        names: str | Sequence[str] | None = None,
        *,
        n_bins: int = 15,
        ax: Any = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the reliability diagram of one or several models of a comparison.

        Parameters
        ----------
        {comparison}

        names : str or sequence of str, default=None
            Names of the models; None for all. Models without probabilities are omitted, and listed
            in a note.

        {n_bins}

        {two_ax}

        {line_kw}

        Returns
        -------
        display : ReliabilityDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If a model is unknown.
        """
        chosen = model_names(names, comparison.predictions_)
        found = {name: comparison.probabilities_[name] for name in chosen}
        bins = {
            name: calibration_bins(
                comparison.y_true_, probabilities, comparison.classes_, n_bins=n_bins
            )
            for name, probabilities in found.items()
            if probabilities is not None
        }
        left_out = [name for name in chosen if name not in bins]
        return cls(bins, left_out=left_out).plot(ax, line_kw=line_kw)

    @validate_params(
        {"ax": "no_validation", "line_kw": [dict, None]}, prefer_skip_nested_validation=True
    )
    @document_parameters
    def plot(self, ax: Any = None, *, line_kw: Mapping[str, Any] | None = None) -> Self:
        """Draw the curves and, below, a histogram of the confidences.

        Parameters
        ----------
        {two_ax}

        {line_kw}

        Returns
        -------
        display : ReliabilityDisplay
            This display.
        """
        from matplotlib import rcParams
        from matplotlib.lines import Line2D

        outside = len(self.bins) > _MAX_INSIDE
        labels = [f"{name}, ECE {percent(error_of_bins(bins))}" for name, bins in self.bins.items()]
        width = legend_width(labels, _MAX_LETTERS) if outside else 0.0
        self.axes_ = two_axes(ax, (5.5 + width, 6.0), ratios=(3, 1), below=True)
        diagram, histogram = self.axes_
        self.figure_ = diagram.figure
        color = rcParams["text.color"]
        diagram.plot([0, 1], [0, 1], ":", color=color, label="perfect calibration")
        self.lines_ = {}
        for i, (name, bins) in enumerate(self.bins.items()):
            label = textwrap.fill(labels[i], _MAX_LETTERS)
            style = {"label": label, "markersize": 5.0, **model_style(i, diagram)}
            filled = bins[bins["count"] > 0]
            (self.lines_[name],) = diagram.plot(
                filled["confidence"], filled["accuracy"], **with_defaults(line_kw, Line2D, **style)
            )
            _draw_histogram(histogram, bins, self.lines_[name].get_color())
        diagram.set(xlim=_LIMITS, ylim=_LIMITS, ylabel="Accuracy", title="Reliability diagram")
        write_legend(diagram, outside=outside)
        histogram.set(xlim=_LIMITS, ylabel="Images")
        for axes in self.axes_:
            axes.grid(visible=True, alpha=0.3)
            percent_ticks(axes.xaxis)
            percent_ticks(axes.yaxis)
        write_note(histogram, "Confidence", self.left_out, "no probabilities")
        return self


def _draw_histogram(ax: Axes, bins: pd.DataFrame, color: Any) -> None:
    """Draw the fraction of the images in each bin."""
    edges = np.append(bins["low"].to_numpy(), bins["high"].iloc[-1])
    ax.stairs(bins["count"] / bins["count"].sum(), edges, color=color, linewidth=1.3)
