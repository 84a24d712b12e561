"""The figures of a report, each with a text that says the same."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.colors import LinearSegmentedColormap

from fashionkit import plotting
from fashionkit.comparison._report._svg import INK, draw_svg
from fashionkit.comparison._report._tables import models_on_front
from fashionkit.datasets._names import p_text, percent

if TYPE_CHECKING:
    import pandas as pd

    from fashionkit.comparison._comparison import Comparison

logger = logging.getLogger(__name__)

_N_CURVES = 8  # that can be told apart in one figure

# Shades of the pairwise verdicts: see-through, so that text is readable on any background.
_SHADES = LinearSegmentedColormap.from_list(
    "verdicts", [(0.84, 0.37, 0.0, 0.4), (0.5, 0.5, 0.5, 0.0), (0.0, 0.45, 0.7, 0.4)]
)


@dataclass(frozen=True)
class Figure:
    """A drawing, or why there is none, and what it shows in words."""

    name: str
    title: str
    text: str
    svg: str = ""
    error: str = ""


def make_figures(comparison: Comparison, pairs: pd.DataFrame) -> dict[str, Figure]:
    """Return all figures that the results have data for, by name."""
    figures = [_accuracy(comparison), _cost(comparison)]
    if any(one is not None for one in comparison.probabilities_.values()):
        figures.append(_reliability(comparison))
    if comparison.histories_:
        figures.append(_curves(comparison))
    if len(pairs):
        figures.append(_pairwise(comparison, pairs))
    return {figure.name: figure for figure in figures}


def _accuracy(comparison: Comparison) -> Figure:
    frame = _ranked(comparison)
    text = "; ".join(
        f"{row.model} {percent(row.accuracy)} "
        f"({percent(row.accuracy_low, 1)} to {percent(row.accuracy_high, 1)})"
        for row in frame.itertuples()
    )
    title = "Accuracy with its 95 % interval"
    return _draw("accuracy", title, text, "AccuracyDisplay", comparison)


def _cost(comparison: Comparison) -> Figure:
    frame = _ranked(comparison)
    on_front = frame[frame["model"].isin(models_on_front(frame))]
    models = ", ".join(
        f"{row.model} ({percent(row.accuracy)}, {row.single_predict_ms:.3g} ms)"
        for row in on_front.itertuples()
    )
    text = f"No other model is both as accurate and as fast as these, the Pareto front: {models}"
    return _draw(
        "cost",
        "Accuracy against the time of one prediction, and the Pareto front",
        text,
        "ParetoDisplay",
        comparison,
    )


def _pairwise(comparison: Comparison, pairs: pd.DataFrame) -> Figure:
    text = "; ".join(
        f"{row.first} against {row.second}: {100 * row.difference:.2f} points, {p_text(row.p_holm)}"
        for row in pairs.itertuples()
    )
    title = "Accuracy of the row minus that of the column, in percentage points"
    options = {"im_kw": {"cmap": _SHADES}, "text_kw": {"color": INK}}
    return _draw("pairwise", title, text, "PairwiseDisplay", comparison, **options)


def _reliability(comparison: Comparison) -> Figure:
    errors = _ranked(comparison).set_index("model")["expected_calibration_error"].dropna()
    text = "Expected calibration error: " + "; ".join(
        f"{name} {percent(error, 1)}" for name, error in errors.items()
    )
    title = "Reliability: how often predictions of each confidence are right"
    names = [name for name, known in comparison.probabilities_.items() if known is not None]
    return _draw_curves("reliability", title, text, "ReliabilityDisplay", comparison, names)


def _curves(comparison: Comparison) -> Figure:
    parts = []
    for name, history in comparison.histories_.items():
        last = ", ".join(f"{key} {values[-1]:.3g}" for key, values in history.items() if values)
        parts.append(f"{name} after the last epoch: {last}")
    text, names = "; ".join(parts), list(comparison.histories_)
    return _draw_curves(
        "curves", "Learning curves", text, "TrainingHistoryDisplay", comparison, names
    )


def _draw_curves(
    name: str, title: str, text: str, display: str, comparison: Comparison, names: list[str]
) -> Figure:
    """Draw the curves of as many models as can be told apart."""
    if len(names) <= _N_CURVES:
        return _draw(name, title, text, display, comparison)
    title = f"{title}; the {_N_CURVES} most accurate models"
    return _draw(name, title, text, display, comparison, names=names[:_N_CURVES])


def _draw(
    name: str, title: str, text: str, display: str, comparison: Comparison, **options: Any
) -> Figure:
    """Draw a display of :mod:`fashionkit.plotting`; one that fails leaves a sentence."""
    try:
        draw = getattr(plotting, display).from_comparison
        svg = draw_svg(f"figure-{name}", draw, comparison, **options)
    except Exception as error:  # the rest of the report is still worth writing
        logger.info("Drawing %s failed.", display, exc_info=True)
        return Figure(name, title, text, error=f"{type(error).__name__}: {error}")
    return Figure(name, title, text, svg)


def _ranked(comparison: Comparison) -> Any:
    """Return the rows of the models that have results."""
    frame = comparison.to_frame()
    return frame[frame["model"].isin(list(comparison.predictions_))]
