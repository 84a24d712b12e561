"""The accuracy of models with intervals, as a figure."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from fashionkit.plotting import AccuracyDisplay
from fashionkit.plotting._axes import figure_for_file

NAMES = ["cnn", "hog-svm", "hog-tree"]


def test_models_stand_below_each_other_most_accurate_first(make_comparison):
    comparison = make_comparison(NAMES)
    comparison.frame = comparison.frame[::-1]
    display = AccuracyDisplay.from_comparison(comparison)
    expected = comparison.frame.sort_values("accuracy", ascending=False)
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == list(expected["model"])
    bottom, top = display.ax_.get_ylim()
    assert bottom > top
    assert [text.get_text() for text in display.text_] == [
        f"{100 * accuracy:.2f} %" for accuracy in expected["accuracy"]
    ]


def test_intervals_reach_from_low_to_high(make_comparison):
    frame = make_comparison(NAMES).frame
    (lines,) = AccuracyDisplay(frame).plot().errorbar_.lines[2]
    ends = np.array(lines.get_segments())[:, :, 0]
    assert_allclose(ends, frame[["accuracy_low", "accuracy_high"]])


def test_a_model_without_accuracy_is_left_out_and_named(make_comparison):
    frame = make_comparison(NAMES).frame
    frame.loc[1, ["accuracy", "accuracy_low", "accuracy_high"]] = np.nan
    display = AccuracyDisplay(frame).plot()
    assert len(display.text_) == 2
    missing = frame["model"][1]
    assert display.ax_.get_xlabel() == f"Accuracy\nNot shown: {missing} (no accuracy)"


def test_a_model_without_an_interval_is_a_point(make_comparison):
    frame = make_comparison(NAMES).frame
    frame[["accuracy_low", "accuracy_high"]] = np.nan
    assert len(AccuracyDisplay(frame).plot().text_) == 3


def test_it_draws_on_axes_and_figures_that_are_passed(make_comparison):
    comparison = make_comparison(NAMES)
    ax = Figure().subplots()
    assert AccuracyDisplay.from_comparison(comparison, ax=ax).ax_ is ax
    figure = Figure()
    assert AccuracyDisplay.from_comparison(comparison, ax=figure).figure_ is figure


@pytest.mark.parametrize("n_models", [1, 30])
def test_long_names_stay_inside_the_figure_and_apart(make_comparison, n_models):
    names = [f"a pipeline of a long and descriptive name, number {i}" for i in range(n_models)]
    figure = figure_for_file(AccuracyDisplay.from_comparison, make_comparison(names))
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.01
    assert box.x1 < width + 0.01
    assert box.y1 < height + 0.01
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(one.y0 > other.y1 - 1 for one, other in itertools.pairwise(boxes))


def test_keyword_arguments_reach_points_and_texts(make_comparison):
    style = {"errorbar_kw": {"c": "red", "capsize": 9}, "text_kw": {"size": 17}}
    display = AccuracyDisplay.from_comparison(make_comparison(NAMES), **style)
    assert display.errorbar_.lines[0].get_color() == "red"
    assert display.text_[0].get_fontsize() == 17


def test_a_table_without_intervals_is_refused(make_comparison):
    frame = make_comparison(NAMES).frame.drop(columns="accuracy_low")
    with pytest.raises(ValueError, match="but not 'accuracy_low'; pass the table of a Comp"):
        AccuracyDisplay(frame).plot()
