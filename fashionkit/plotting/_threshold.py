"""Thresholds: what is accepted, and how much of it is wrong, for each least confidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils._param_validation import validate_params

from fashionkit.inspection._predictions import probabilities_of
from fashionkit.inspection._selective import risk_coverage_curve
from fashionkit.plotting._axes import percent_ticks, two_axes, with_defaults
from fashionkit.plotting._colors import model_style
from fashionkit.plotting._docs import document_parameters

if TYPE_CHECKING:
    import pandas as pd

_LEAST_IMAGES = 30


class ThresholdDisplay:
    """Coverage and error rate of accepted images against the confidence threshold.

    A vertical line shows the threshold in use.

    Create it by :meth:`from_estimator` or :meth:`from_predictions`, or from a table and call
    :meth:`plot`.

    Parameters
    ----------
    curve : DataFrame
        Table of :func:`~fashionkit.inspection.risk_coverage_curve`.

    n_images : int
        Number of evaluated images.

    threshold : float, default=None
        Threshold in use; None for none.

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        Axes of the coverage and of the risk.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the axes.

    lines_ : dict of str to matplotlib.lines.Line2D
        The curves "coverage" and "risk".

    threshold_lines_ : list of matplotlib.lines.Line2D
        Vertical lines at the threshold, one on each axes; empty without a threshold.

    See Also
    --------
    RiskCoverageDisplay : Risk and coverage against each other.
    fashionkit.SelectiveClassifier : Classifier that chooses the threshold.

    Notes
    -----
    Error rates of fewer than 30 accepted images are not drawn, because they are unreliable.

    Examples
    --------
    >>> from fashionkit.plotting import ThresholdDisplay
    >>> probabilities = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]
    >>> display = ThresholdDisplay.from_predictions(
    ...     [0, 1, 1, 1], probabilities, classes=[0, 1], threshold=0.75
    ... )
    >>> display.lines_["coverage"].get_ydata().tolist()
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """

    def __init__(self, curve: pd.DataFrame, *, n_images: int, threshold: float | None = None):
        self.curve = curve
        self.n_images = n_images
        self.threshold = threshold

    @classmethod
    @document_parameters
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        ax: Any = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves of a fitted classifier, with its threshold if it has one.

        Parameters
        ----------
        estimator : object
            Fitted :class:`~fashionkit.SelectiveClassifier`, or any classifier with
            ``predict_proba``.

        X : array-like
            Images that the classifier was neither fitted nor calibrated on, passed to it as they
            are.

        y : array-like of shape (n_samples,)
            True labels.

        {two_ax}

        {line_kw}

        Returns
        -------
        display : ThresholdDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the classifier has no ``predict_proba``, chooses by expected costs, or the arguments
            are inconsistent.
        """
        probabilities, classes = probabilities_of(estimator, X)
        if getattr(estimator, "criterion", None) == "cost" and hasattr(estimator, "threshold_"):
            raise ValueError(
                "estimator accepts by criterion='cost', expected costs instead of confidences; "
                "pass the probabilities to from_predictions to draw what confidences would do."
            )
        return cls.from_predictions(
            y,
            probabilities,
            classes=classes,
            threshold=getattr(estimator, "threshold_", None),
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
        threshold: float | None = None,
        ax: Any = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves of predicted probabilities.

        Parameters
        ----------
        {y_true}

        {probabilities}

        {classes}

        threshold : float, default=None
            Threshold in use; None for none.

        {two_ax}

        {line_kw}

        Returns
        -------
        display : ThresholdDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the arguments are inconsistent.
        """
        curve = risk_coverage_curve(y_true, probabilities, classes)
        display = cls(curve, n_images=len(y_true), threshold=threshold)
        return display.plot(ax, line_kw=line_kw)

    @validate_params(
        {"ax": "no_validation", "line_kw": [dict, None]}, prefer_skip_nested_validation=True
    )
    @document_parameters
    def plot(self, ax: Any = None, *, line_kw: Mapping[str, Any] | None = None) -> Self:
        """Draw the coverage and, below, the error rate of accepted images.

        Parameters
        ----------
        {two_ax}

        {line_kw}

        Returns
        -------
        display : ThresholdDisplay
            This display.
        """
        from matplotlib import rcParams
        from matplotlib.lines import Line2D

        self.axes_ = two_axes(ax, (5.5, 5.5), below=True)
        above, below = self.axes_
        self.figure_ = above.figure
        curve = self.curve[::-1]  # by rising threshold
        color = model_style(0, above)["color"], model_style(1, below)["color"]
        # Between two confidences the same images are accepted.
        thresholds = np.append(curve["threshold"], 1.0)
        coverage = np.append(curve["coverage"], 0.0)
        style = {"color": color[0], "linewidth": 1.6, "drawstyle": "steps-pre"}
        lines = {"coverage": (thresholds, coverage)}
        least = min(_LEAST_IMAGES, self.n_images) / self.n_images
        shown = curve[curve["coverage"] >= least - 1e-12]
        lines["risk"] = shown["threshold"], shown["risk"]
        self.lines_ = {}
        for axes, (name, values), one in zip(self.axes_, lines.items(), color, strict=True):
            settings = with_defaults(line_kw, Line2D, **{**style, "color": one})
            (self.lines_[name],) = axes.plot(*values, **settings)
        self.threshold_lines_ = []
        lowest = float(self.curve["threshold"].min())
        for axes in self.axes_:
            axes.set_xlim(max(0.0, lowest - 0.02), 1.01)
            axes.grid(visible=True, alpha=0.3)
            percent_ticks(axes.xaxis)
            percent_ticks(axes.yaxis)
            if self.threshold is not None and np.isfinite(self.threshold):
                label = f"threshold {self.threshold:.3f}"
                line = axes.axvline(
                    self.threshold, color=rcParams["text.color"], linestyle=":", label=label
                )
                self.threshold_lines_.append(line)
        if self.threshold_lines_:
            above.legend(handles=self.threshold_lines_[:1], loc="lower left", fontsize="small")
        above.set(ylim=(0, 1.02), ylabel="Images accepted", title="What a threshold accepts")
        below.set(ylabel="Error rate of accepted", xlabel="Least confidence accepted")
        below.set_ylim(bottom=0)
        return self
