"""The tables of a report: of models, pairs, classes and images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fashionkit.comparison._metrics import metric_table
from fashionkit.comparison._results import STD, Part
from fashionkit.datasets._names import odds_text, p_text, percent
from fashionkit.plotting._pareto import pareto_front

if TYPE_CHECKING:
    from fashionkit.comparison._comparison import Comparison
    from fashionkit.comparison._metric import Metric


@dataclass(frozen=True)
class Cell:
    """A text, what it is sorted by, and how strongly it is shaded, from 0 to 1."""

    text: str
    value: float | str
    is_best: bool = False
    shade: float = 0.0

    @property
    def sort_key(self) -> float | str:
        """The value; empty where it is missing."""
        return "" if isinstance(self.value, float) and math.isnan(self.value) else self.value


@dataclass(frozen=True)
class Column:
    """A heading, and what it means."""

    label: str
    hint: str = ""
    is_text: bool = False
    lower_is_better: bool = False

    @property
    def first(self) -> str:
        """The direction that a reader wants first."""
        return "ascending" if self.is_text or self.lower_is_better else "descending"


@dataclass(frozen=True)
class TableRow:
    """A name and its cells, or the error in their place."""

    name: str
    cells: Sequence[Cell] = ()
    error: str = ""
    is_marked: bool = False


@dataclass(frozen=True)
class Table:
    """Rows that the reader can sort."""

    name: str
    caption: str
    columns: Sequence[Column]  # the first is that of the names
    rows: Sequence[TableRow] = field(default_factory=list)
    sorted_by: str = ""


def table_of_models(comparison: Comparison, part: Part) -> Table:
    """Return all metrics of all models; those on the Pareto front are marked."""
    metrics = metric_table(comparison._score_names())
    frame = comparison.to_frame(part)
    columns = [Column("model", "Name of the model.", is_text=True)]
    columns += [
        Column(m.label, m.hint, lower_is_better=m.higher_is_better is False) for m in metrics
    ]
    on_front = models_on_front(frame)
    best = {metric.name: _best(metric, frame[metric.column_names[0]]) for metric in metrics}
    rows = []
    for _, values in frame.iterrows():
        name, error = values["model"], values.get("error") or ""
        cells = [] if error else [_metric_cell(m, values, best[m.name]) for m in metrics]
        rows.append(TableRow(name, cells, error, is_marked=name in on_front))
    where = "the test images" if part == "test" else "the folds: mean ± standard deviation"
    return Table(f"models-{part}", f"All models on {where}", columns, rows, "accuracy")


def table_of_pairs(pairs: Any, margin: float) -> Table:
    """Return the verdicts on all pairs of models."""
    points = f"{100 * margin:g} points"
    columns = [
        Column("first", "The more accurate model of the pair.", is_text=True),
        Column("second", "The other model.", is_text=True),
        Column("difference", "Accuracy of the first minus that of the second."),
        Column("p", "How often chance alone makes such a difference, if there is none."),
        Column("p, corrected", "The same, corrected for the number of pairs by Holm's method."),
        Column("first better", f"Probability that the first is better by more than {points}."),
        Column("equal", f"Probability that they differ by at most {points}."),
        Column("second better", f"Probability that the second is better by more than {points}."),
    ]
    rows = []
    for row in pairs.itertuples():
        p_values = [Cell(_p_cell(value), value) for value in (row.p_value, row.p_holm)]
        odds = [Cell(odds_text(p), p, shade=p) for p in (row.p_better, row.p_equal, row.p_worse)]
        difference = Cell(f"{100 * row.difference:.2f} points", row.difference)
        cells = [Cell(row.second, row.second), difference, *p_values, *odds]
        rows.append(TableRow(row.first, cells))
    return Table("pairs", "Verdicts on all pairs of models", columns, rows)


def table_of_classes(comparison: Comparison) -> Table:
    """Return what the best model does with each class, and the F1 score of all models."""
    frame = comparison.per_class()
    best, *others = comparison.predictions_
    columns = [
        Column("class", "Name of the class.", is_text=True),
        Column("images", "Number of evaluated images of the class."),
        Column(f"precision, {best}", "Of the images predicted as the class, how many are of it."),
        Column(f"recall, {best}", "Of the images of the class, how many are predicted as it."),
    ]
    hint = "Harmonic mean of precision and recall."
    columns += [Column(f"F1, {name}", hint) for name in (best, *others)]
    f1 = {name: part["f1"].to_numpy() for name, part in frame.groupby("model", sort=False)}
    rows = []
    for i, row in enumerate(frame[frame["model"] == best].itertuples()):
        scores = [f1[name][i] for name in (best, *others)]
        cells = [Cell(f"{row.support:,}", int(row.support))]
        cells += [Cell(percent(value, 1), value) for value in (row.precision, row.recall)]
        cells += [Cell(percent(v, 1), v, is_best=v == max(scores) and bool(others)) for v in scores]
        rows.append(TableRow(comparison.class_names_[i], cells))
    return Table("classes", "Classes", columns, rows)


def table_of_images(comparison: Comparison) -> Table:
    """Return the number of images of each class to train on and to evaluate on."""
    data = comparison._data
    parts = {"training images": data.train.y}
    if data.test is not None:
        parts["test images"] = data.test.y
    columns = [Column("class", "Name of the class.", is_text=True)]
    columns += [Column(name) for name in parts]
    numbers = [[int(np.sum(y == label)) for y in parts.values()] for label in data.labels]
    rows = [
        TableRow(name, [Cell(f"{n:,}", n) for n in counts])
        for name, counts in zip(data.class_names, numbers, strict=True)
    ]
    return Table("images", "Number of images of each class", columns, rows)


def table_without_leakage(comparison: Comparison) -> Table:
    """Return the accuracy of each model with and without the images it was trained on."""
    columns = [
        Column("model", "Name of the model.", is_text=True),
        Column("all images", "Accuracy on all evaluated images."),
        Column("without them", "Accuracy without those that also stand in the training images."),
    ]
    rows = [
        TableRow(row.model, [Cell(percent(v), v) for v in (row.accuracy, row.without_leakage)])
        for row in comparison.without_leakage().itertuples()
    ]
    return Table("leakage", "Accuracy without repeated images", columns, rows)


def models_on_front(frame: Any) -> list[str]:
    """Return the models that no other beats in both accuracy and time of one prediction."""
    known = frame.dropna(subset=["accuracy", "single_predict_ms"])
    cost, accuracy = known["single_predict_ms"].to_numpy(), known["accuracy"].to_numpy()
    return known["model"].iloc[pareto_front(cost, accuracy)].tolist()


def _p_cell(p_value: float) -> str:
    """Return a p value as it stands under the heading "p"."""
    return p_text(p_value).removeprefix("p ").removeprefix("= ")


def _best(metric: Metric, values: Any) -> float:
    """Return the best value of a column; NaN where none is better than others."""
    if metric.higher_is_better is None or values.nunique() < 2:
        return math.nan
    return float(values.max() if metric.higher_is_better else values.min())


def _metric_cell(metric: Metric, values: Any, best: float) -> Cell:
    text = metric.text(values)
    first, *others = metric.column_names
    spread = values.get(first + STD, math.nan)
    if not others and not math.isnan(spread):
        text = f"{text} ± {metric.format(spread)}"
    value = float(values[first])
    return Cell(text, value, is_best=value == best)
