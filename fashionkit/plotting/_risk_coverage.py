"""Risk against coverage: what is gained by leaving some images to a person."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from sklearn.utils._param_validation import validate_params

from fashionkit.datasets._names import percent
from fashionkit.inspection._predictions import probabilities_of
from fashionkit.inspection._selective import areas_of_curve, risk_coverage_curve
from fashionkit.plotting._axes import (
    legend_width,
    one_axes,
    percent_ticks,
    with_defaults,
    write_legend,
    write_note,
)
from fashionkit.plotting._colors import model_style
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._frames import model_names

if TYPE_CHECKING:
    import pandas as pd

_MAX_LETTERS = 30  # of a line of a model's name
_MAX_INSIDE = 3  # models whose legend is inside of the axes
# Error rates of a handful of images are no more than chance.
_LEAST_IMAGES = 30


class RiskCoverageDisplay:
    """Risk-coverage curve: error rate of accepted images against the fraction accepted.

    Images are accepted in the order of their confidence, the probability of the predicted class.
    The legend shows the areas under the curve (AURC) [1]_ and under the generalised curve (AUGRC)
    [2]_, of which lower is better.

    Create it by :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_comparison`, or
    from tables and call :meth:`plot`.

    Parameters
    ----------
    curves : dict of str to DataFrame
        Table of :func:`~fashionkit.inspection.risk_coverage_curve` for each model.

    n_images : int
        Number of evaluated images.

    left_out : sequence of str, default=()
        Names of models without probabilities, to list in a note.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the curves.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the axes.

    lines_ : dict of str to matplotlib.lines.Line2D
        Curve of each model.

    aurc_, augrc_ : dict of str to float
        AURC and AUGRC of each model.

    See Also
    --------
    fashionkit.inspection.risk_coverage_areas : Computes the areas of the legend.
    ThresholdDisplay : Risk and coverage against the threshold.
    fashionkit.SelectiveClassifier : Classifier that chooses the threshold.

    Notes
    -----
    Points of fewer than 30 accepted images are not drawn, because their error rates are unreliable.
    The areas include all points.

    References
    ----------
    .. [1] Y. Geifman, G. Uziel and R. El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep
       Neural Classifiers", ICLR 2019.

    .. [2] J. Traub et al., "Overcoming Common Flaws in the Evaluation of Selective Classification
       Systems", NeurIPS 2024.

    Examples
    --------
    >>> from fashionkit.plotting import RiskCoverageDisplay
    >>> probabilities = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]
    >>> display = RiskCoverageDisplay.from_predictions(
    ...     [0, 1, 1, 1], probabilities, classes=[0, 1], name="cnn"
    ... )
    >>> display.lines_["cnn"].get_label()
    'cnn, AURC 27.08 %, AUGRC 15.62 %'
    """

    def __init__(
        self,
        curves: Mapping[str, pd.DataFrame],
        *,
        n_images: int,
        left_out: Sequence[str] = (),
    ):
        self.curves = curves
        self.n_images = n_images
        self.left_out = left_out

    @classmethod
    @document_parameters
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        name: str | None = None,
        ax: Any = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curve of a fitted classifier.

        Parameters
        ----------
        {estimator}

        X : array-like
            Images that the classifier was neither fitted nor calibrated on, passed to it as they
            are.

        y : array-like of shape (n_samples,)
            True labels.

        name : str, default=None
            Name of the model, for the legend; None for that of its class.

        {ax}

        {line_kw}

        Returns
        -------
        display : RiskCoverageDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the classifier has no ``predict_proba``, or the arguments are inconsistent.
        """
        probabilities, classes = probabilities_of(estimator, X)
        name = name or type(estimator).__name__
        return cls.from_predictions(
            y, probabilities, classes=classes, name=name, ax=ax, line_kw=line_kw
        )

    @classmethod
    @document_parameters
    def from_predictions(
        cls,
        y_true: Any,
        probabilities: Any,
        *,
        classes: Any,
        name: str | None = None,
        ax: Any = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curve of predicted probabilities.

        Parameters
        ----------
        {y_true}

        {probabilities}

        {classes}

        name : str, default=None
            Name of the model, for the legend; None for "model".

        {ax}

        {line_kw}

        Returns
        -------
        display : RiskCoverageDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the arguments are inconsistent.
        """
        curve = risk_coverage_curve(y_true, probabilities, classes)
        display = cls({name or "model": curve}, n_images=len(y_true))
        return display.plot(ax, line_kw=line_kw)

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
        """Draw the curves of one or several models of a comparison.

        Parameters
        ----------
        {comparison}

        names : str or sequence of str, default=None
            Names of the models; None for all. Models without probabilities are omitted, and listed
            in a note.

        {ax}

        {line_kw}

        Returns
        -------
        display : RiskCoverageDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If a model is unknown.
        """
        chosen = model_names(names, comparison.predictions_)
        found = {name: comparison.probabilities_[name] for name in chosen}
        curves = {
            name: risk_coverage_curve(comparison.y_true_, probabilities, comparison.classes_)
            for name, probabilities in found.items()
            if probabilities is not None
        }
        left_out = [name for name in chosen if name not in curves]
        display = cls(curves, n_images=len(comparison.y_true_), left_out=left_out)
        return display.plot(ax, line_kw=line_kw)

    @validate_params(
        {"ax": "no_validation", "line_kw": [dict, None]}, prefer_skip_nested_validation=True
    )
    @document_parameters
    def plot(self, ax: Any = None, *, line_kw: Mapping[str, Any] | None = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        {ax}

        {line_kw}

        Returns
        -------
        display : RiskCoverageDisplay
            This display.
        """
        from matplotlib.lines import Line2D

        areas = {name: areas_of_curve(curve, self.n_images) for name, curve in self.curves.items()}
        self.aurc_ = {name: aurc for name, (aurc, _) in areas.items()}
        self.augrc_ = {name: augrc for name, (_, augrc) in areas.items()}
        labels = {
            name: f"{name}, AURC {percent(aurc)}, AUGRC {percent(augrc)}"
            for name, (aurc, augrc) in areas.items()
        }
        outside = len(self.curves) > _MAX_INSIDE
        width = legend_width(labels.values(), _MAX_LETTERS) if outside else 0.0
        self.ax_ = one_axes(ax, (6.0 + width, 4.5))
        self.figure_ = self.ax_.figure
        self.lines_ = {}
        least = min(_LEAST_IMAGES, self.n_images) / self.n_images
        for i, (name, curve) in enumerate(self.curves.items()):
            label = labels[name] if not outside else textwrap.fill(labels[name], _MAX_LETTERS)
            style = {"label": label, "color": model_style(i, self.ax_)["color"], "linewidth": 1.6}
            shown = curve[curve["coverage"] >= least - 1e-12]
            (self.lines_[name],) = self.ax_.plot(
                shown["coverage"], shown["risk"], **with_defaults(line_kw, Line2D, **style)
            )
        self.ax_.set(
            xlim=(0, 1.01), ylabel="Error rate of accepted images", title="Risk against coverage"
        )
        self.ax_.set_ylim(bottom=0)
        self.ax_.grid(visible=True, alpha=0.3)
        percent_ticks(self.ax_.xaxis)
        percent_ticks(self.ax_.yaxis)
        write_legend(self.ax_, outside=outside)
        write_note(self.ax_, "Images accepted", self.left_out, "no probabilities")
        return self
