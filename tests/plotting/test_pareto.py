"""Accuracy against cost, as a figure."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from fashionkit.plotting import ParetoDisplay
from fashionkit.plotting._axes import figure_for_file


def table(accuracy, cost):
    names = [f"model {i}" for i in range(len(cost))]
    return pd.DataFrame({"model": names, "accuracy": accuracy, "single_predict_ms": cost})


def test_the_front_has_the_models_that_no_other_beats():
    random = np.random.RandomState(0)
    frame = table(random.randint(80, 100, 40) / 100, random.randint(1, 20, 40))
    accuracy, cost = frame["accuracy"], frame["single_predict_ms"]
    beaten = [
        np.any((accuracy >= a) & (cost <= c) & ((accuracy > a) | (cost < c)))
        for a, c in zip(accuracy, cost, strict=True)
    ]
    best = frame[~np.array(beaten)].drop_duplicates(["accuracy", "single_predict_ms"])
    display = ParetoDisplay(frame).plot()
    assert display.front_ == best.sort_values("single_predict_ms")["model"].tolist()
    assert_allclose(display.line_.get_ydata(), best["accuracy"].sort_values())


def test_points_lie_at_cost_and_accuracy_under_their_names(make_comparison):
    comparison = make_comparison(["cnn", "hog-svm", "hog-tree"])
    display = ParetoDisplay.from_comparison(comparison)
    expected = comparison.frame[["single_predict_ms", "accuracy"]]
    assert_allclose(display.scatter_.get_offsets(), expected)
    assert [text.get_text() for text in display.text_] == list(comparison.frame["model"])
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_xlabel() == "Time of a single prediction in milliseconds"


def test_the_cost_may_be_any_column_on_a_linear_axis(make_comparison):
    comparison = make_comparison(["cnn", "hog-svm"])
    display = ParetoDisplay.from_comparison(comparison, cost="n_bytes", log_scale=False)
    assert_allclose(display.scatter_.get_offsets()[:, 0], comparison.frame["n_bytes"])
    assert display.ax_.get_xscale() == "linear"


def test_models_without_a_cost_are_left_out_and_named():
    frame = table([0.9, 0.8, 0.7, np.nan], [1.0, np.nan, 0.0, 2.0])
    display = ParetoDisplay(frame).plot()
    assert [text.get_text() for text in display.text_] == ["model 0"]
    note = "Not shown: model 1, model 2, model 3 (no value)"
    assert display.ax_.get_xlabel().split("\n")[1] == note
    assert len(ParetoDisplay(frame).plot(log_scale=False).text_) == 2


def test_without_any_cost_only_the_note_is_left():
    display = ParetoDisplay(table([0.9], [np.nan])).plot()
    assert display.front_ == display.text_ == []


@pytest.mark.parametrize("seed", range(3))
def test_names_of_many_models_overlap_neither_each_other_nor_points(seed):
    random = np.random.RandomState(seed)
    frame = table(random.uniform(0.7, 0.95, 30), 10 ** random.uniform(-1, 2, 30))
    figure = figure_for_file(ParetoDisplay(frame).plot)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    boxes = [text.get_bbox_patch() or _box(text) for text in ax.texts]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    points = ax.transData.transform(ax.collections[0].get_offsets())
    assert not any(box.contains(*point) for box in boxes for point in points)
    area = ax.get_window_extent().padded(1)
    assert all(area.contains(box.x0, box.y0) and area.contains(box.x1, box.y1) for box in boxes)


def _box(text):
    """Return the box of the letters, without the line to the point."""
    from matplotlib.text import Text

    return Text.get_window_extent(text)


def test_names_may_be_long():
    frame = table([0.9, 0.91], [1, 2])
    frame["model"] = ["a pipeline of a long and descriptive name"] * 2
    (first, _) = ParetoDisplay(frame).plot().text_
    assert first.get_text() == "a pipeline of a long and\ndescriptive name"


def test_it_draws_on_axes_and_figures_that_are_passed():
    frame = table([0.9, 0.8], [2, 1])
    ax = Figure().subplots()
    assert ParetoDisplay(frame).plot(ax).ax_ is ax
    figure = Figure()
    assert ParetoDisplay(frame).plot(figure).figure_ is figure
    assert ParetoDisplay(frame).plot(Figure().add_axes((0.1, 0.1, 0.8, 0.8))).front_


def test_keyword_arguments_reach_points_line_and_names():
    style = {"scatter_kw": {"s": 99}, "line_kw": {"lw": 5}, "text_kw": {"size": 17}}
    display = ParetoDisplay(table([0.9, 0.8], [2, 1])).plot(**style)
    assert display.scatter_.get_sizes() == [99]
    assert display.line_.get_linewidth() == 5
    assert display.text_[0].get_fontsize() == 17


def test_an_unknown_cost_is_refused_with_the_nearest(make_comparison):
    with pytest.raises(ValueError, match=r"cost='fit_second' is not a col.* 'fit_seconds'"):
        ParetoDisplay.from_comparison(make_comparison(["cnn"]), cost="fit_second")
