"""All pairs of models as a matrix."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from fashionkit.plotting import PairwiseDisplay

MINUS = "\N{MINUS SIGN}"
COLUMNS = ["first", "second", "difference", "p_holm", "p_better", "p_worse"]
PAIRS = pd.DataFrame(
    [
        ("cnn", "hog-svm", 0.0123, 0.0004, 0.9, 0.05),
        ("cnn", "hog-tree", 0.2, 0.04, 1.0, 0.0),
        ("hog-svm", "hog-tree", -0.00001, np.nan, np.nan, np.nan),
    ],
    columns=COLUMNS,
)


def test_each_cell_has_the_difference_and_the_p_value_of_row_against_column():
    texts = [[text.get_text() for text in row] for row in PairwiseDisplay(PAIRS).plot().text_]
    assert texts == [
        ["", "+1.23\np < 0.001", "+20.00\np = 0.04"],
        [f"{MINUS}1.23\np < 0.001", "", "+0.00"],
        [f"{MINUS}20.00\np = 0.04", "+0.00", ""],
    ]


def test_shades_are_the_probability_of_better_minus_that_of_worse():
    display = PairwiseDisplay(PAIRS).plot()
    assert_allclose(display.im_.get_array(), [[0, 0.85, 1], [-0.85, 0, 0], [-1, 0, 0]])
    assert display.im_.get_clim() == (-1, 1)


def test_a_comparison_gives_its_order_and_takes_the_margin(make_comparison):
    comparison = make_comparison(["cnn", "hog-svm", "hog-tree"])
    display = PairwiseDisplay.from_comparison(comparison, margin=0.01)
    assert comparison.margin == 0.01
    for labels in (display.ax_.get_xticklabels(), display.ax_.get_yticklabels()):
        assert [label.get_text() for label in labels] == list(comparison.predictions_)


def test_a_single_model_has_no_pair(make_comparison):
    display = PairwiseDisplay.from_comparison(make_comparison(["cnn"]))
    assert display.text_[0, 0].get_text() == "no pair"


def test_more_models_than_readable_have_no_texts():
    names = [f"model {i}" for i in range(31)]
    assert PairwiseDisplay(PAIRS.iloc[:0], names=names).plot().text_ is None


def test_it_draws_on_axes_and_figures_that_are_passed():
    ax = Figure().subplots()
    assert PairwiseDisplay(PAIRS).plot(ax).ax_ is ax
    figure = Figure()
    assert PairwiseDisplay(PAIRS).plot(figure).figure_ is figure


def test_keyword_arguments_reach_shades_and_texts():
    display = PairwiseDisplay(PAIRS).plot(im_kw={"cmap": "PiYG"}, text_kw={"size": 17})
    assert display.im_.get_cmap().name == "PiYG"
    assert display.text_[0, 1].get_fontsize() == 17


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ValueError, match=r"names=\['cnn', 'hog-svm'\] lacks 'hog-tree'"):
        PairwiseDisplay(PAIRS, names=["cnn", "hog-svm"]).plot()
    with pytest.raises(ValueError, match="but not 'p_holm'"):
        PairwiseDisplay(PAIRS.drop(columns="p_holm")).plot()


def test_labels_of_many_models_lie_within_the_figure():
    names = [*map("hog-svm {}".format, range(15)), "mobilenetv2+hog-forest15"]
    rows = [
        {"first": a, "second": b, "difference": 0.01, "p_holm": 0.5, "p_better": 0.5, "p_worse": 0}
        for a, b in itertools.combinations(names, 2)
    ]
    figure = PairwiseDisplay(pd.DataFrame(rows)).plot().figure_
    figure.draw_without_rendering()
    box = figure.axes[0].get_tightbbox()
    assert min(box.x0, box.y0) >= 0
