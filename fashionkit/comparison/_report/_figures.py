"""The figures of a report, each with a text that says the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.colors import LinearSegmentedColormap

from fashionkit import plotting
from fashionkit.comparison._report._svg import INK, draw_svg
from fashionkit.comparison._report._tables import models_on_front, p_text
from fashionkit.datasets._names import percent

if TYPE_CHECKING:
    from fashionkit.comparison._comparison import Comparison

logger = logging.getLogger(__name__)

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


def make_figures(comparison: Comparison) -> dict[str, Figure]:
    """Return all figures that the results have data for, by name."""
    makers: dict[str, Callable[[Comparison], Figure]] = {"accuracy": _accuracy, "cost": _cost}
    if len(comparison.predictions_) > 1:
        makers["pairwise"] = _pairwise
    if any(one is not None for one in comparison.probabilities_.values()):
        makers["reliability"] = _reliability
    if comparison.histories_:
        makers["curves"] = _curves
    return {name: make(comparison) for name, make in makers.items()}


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


def _pairwise(comparison: Comparison) -> Figure:
    text = "; ".join(
        f"{row.first} against {row.second}: {100 * row.difference:.2f} points, "
        f"p {p_text(row.p_holm)}"
        for row in comparison.pairwise().itertuples()
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
    return _draw("reliability", title, text, "ReliabilityDisplay", comparison)


def _curves(comparison: Comparison) -> Figure:
    parts = []
    for name, history in comparison.histories_.items():
        last = ", ".join(f"{key} {values[-1]:.3g}" for key, values in history.items() if values)
        parts.append(f"{name} after the last epoch: {last}")
    title = "Learning curves"
    return _draw("curves", title, "; ".join(parts), "TrainingHistoryDisplay", comparison)


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
