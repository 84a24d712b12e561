"""The accuracy of models, with 95 % intervals."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils._param_validation import validate_params

from fashionkit.datasets._names import percent
from fashionkit.plotting._axes import one_axes, percent_ticks, with_defaults, write_note
from fashionkit.plotting._colors import model_style
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._frames import require_columns

if TYPE_CHECKING:
    import pandas as pd

_MAX_LETTERS = 40  # of a line of a model's name


class AccuracyDisplay:
    """Accuracy of each model with its 95 % interval, most accurate first.

    Create it by :meth:`from_comparison`, or from a table and call :meth:`plot`.

    Parameters
    ----------
    frame : DataFrame
        One row per model with the columns ``model``, ``accuracy``, ``accuracy_low`` and
        ``accuracy_high``, as returned by ``Comparison.to_frame``. Models whose accuracy is NaN are
        omitted, and listed in a note; intervals that are NaN are not drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with one row per model.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the axes.

    errorbar_ : matplotlib.container.ErrorbarContainer
        Points with their intervals.

    text_ : list of matplotlib.text.Text
        Accuracy of each model, at the right.

    See Also
    --------
    ParetoDisplay : Accuracy against the cost of a prediction.
    PairwiseDisplay : Significance of the differences.

    Notes
    -----
    Overlapping intervals do not imply that two models are equal: on the same images, their
    difference is often more certain than either accuracy.

    Examples
    --------
    >>> import pandas as pd
    >>> from fashionkit.plotting import AccuracyDisplay
    >>> frame = pd.DataFrame(
    ...     {
    ...         "model": ["cnn", "hog-svm"],
    ...         "accuracy": [0.9031, 0.9021],
    ...         "accuracy_low": [0.8971, 0.8961],
    ...         "accuracy_high": [0.9087, 0.9078],
    ...     }
    ... )
    >>> display = AccuracyDisplay(frame).plot()
    >>> [text.get_text() for text in display.text_]
    ['90.31 %', '90.21 %']
    """

    def __init__(self, frame: pd.DataFrame):
        self.frame = frame

    @classmethod
    @document_parameters
    def from_comparison(
        cls,
        comparison: Any,
        *,
        ax: Any = None,
        errorbar_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the accuracy of all models of a comparison.

        Parameters
        ----------
        {comparison}

        {ax}

        {errorbar_kw}

        {text_kw}

        Returns
        -------
        display : AccuracyDisplay
            Display, already drawn.
        """
        return cls(comparison.to_frame()).plot(ax, errorbar_kw=errorbar_kw, text_kw=text_kw)

    @validate_params(
        {"ax": "no_validation", "errorbar_kw": [dict, None], "text_kw": [dict, None]},
        prefer_skip_nested_validation=True,
    )
    @document_parameters
    def plot(
        self,
        ax: Any = None,
        *,
        errorbar_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw one row per model.

        Parameters
        ----------
        {ax}

        {errorbar_kw}

        {text_kw}

        Returns
        -------
        display : AccuracyDisplay
            This display.

        Raises
        ------
        ValueError
            If the table lacks a column.
        """
        from matplotlib.lines import Line2D
        from matplotlib.text import Text

        require_columns(self.frame, ["model", "accuracy", "accuracy_low", "accuracy_high"])
        frame = self.frame.sort_values("accuracy", ascending=False, kind="stable")
        shown = frame[frame["accuracy"].notna()]
        names = [textwrap.fill(str(name), _MAX_LETTERS) for name in shown["model"]]
        accuracy = shown["accuracy"].to_numpy(float)
        rows = np.arange(len(shown))
        self.ax_ = one_axes(ax, (7.5, 1.3 + 0.32 * max(len(names), 1)))
        self.figure_ = self.ax_.figure
        errors = np.array([accuracy - shown["accuracy_low"], shown["accuracy_high"] - accuracy])
        style = {"linestyle": "none", "capsize": 3.0, "markersize": 5.0, **model_style(0, self.ax_)}
        self.errorbar_ = self.ax_.errorbar(
            accuracy, rows, xerr=errors.clip(0.0), **with_defaults(errorbar_kw, Line2D, **style)
        )
        self.text_ = [
            self.ax_.annotate(
                percent(value),
                (1.0, row),
                xytext=(6, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                **with_defaults(text_kw, Text, va="center"),
            )
            for row, value in zip(rows, accuracy, strict=True)
        ]
        self.ax_.set_yticks(rows, names)
        self.ax_.set_ylim(max(len(rows), 1) - 0.5, -0.5)
        self.ax_.grid(visible=True, axis="x", alpha=0.3)
        percent_ticks(self.ax_.xaxis)
        self.ax_.set_title("Accuracy with 95 % interval")
        left_out = frame.loc[frame["accuracy"].isna(), "model"].tolist()
        write_note(self.ax_, "Accuracy", left_out, "no accuracy")
        return self
