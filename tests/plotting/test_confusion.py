"""Confusion matrices as figures."""

from __future__ import annotations

import os

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.tree import DecisionTreeClassifier

from fashionkit import CLASS_NAMES
from fashionkit.plotting import ConfusionDisplay
from fashionkit.plotting._axes import figure_for_file
from fashionkit.plotting._colors import luminance
from fashionkit.plotting._confusion import draw_confusion_matrix

COUNTS = np.array([[3, 1, 0], [0, 1999, 1], [0, 0, 0]])


def texts(display):
    return [[text.get_text() for text in row] for row in display.text_]


def test_cells_show_percentages_of_their_row():
    display = ConfusionDisplay(COUNTS).plot()
    assert texts(display) == [["75 %", "25 %", ""], ["", "100 %", "< 1 %"], ["", "", ""]]
    assert_allclose(display.im_.get_array()[0], [0.75, 0.25, 0])


def test_half_a_percent_is_not_written_as_none():
    display = ConfusionDisplay([[199, 1], [0, 1]]).plot()
    assert texts(display)[0] == ["100 %", "< 1 %"]


def test_cells_may_show_counts_in_the_same_shades():
    display = ConfusionDisplay(COUNTS).plot(values="count")
    assert texts(display) == [["3", "1", ""], ["", "1999", "1"], ["", "", ""]]
    assert_allclose(display.im_.get_array()[0], [0.75, 0.25, 0])


def test_the_title_has_name_accuracy_and_number_of_images():
    display = ConfusionDisplay(COUNTS, name="hog-svm").plot()
    assert display.ax_.get_title() == "hog-svm\naccuracy 99.90 %, 2,004 images"
    assert ConfusionDisplay([[1]]).plot().ax_.get_title() == "accuracy 100.00 %, 1 image"


def test_rows_and_columns_are_named():
    display = ConfusionDisplay.from_predictions(
        [6, 6, 4], [4, 6, 4], class_names=CLASS_NAMES, name="cnn"
    )
    for labels in (display.ax_.get_xticklabels(), display.ax_.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["Coat", "Shirt"]
    assert_array_equal(display.counts, [[1, 0], [1, 1]])


def test_an_estimator_gives_its_predictions_and_its_name(garments):
    X, y = garments[0].reshape(300, -1), garments[1]
    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    display = ConfusionDisplay.from_estimator(model, X, y)
    assert display.ax_.get_title().startswith("DecisionTreeClassifier\n")
    assert np.trace(display.counts) == np.sum(model.predict(X) == y)


def test_a_comparison_gives_the_matrix_of_one_model(make_comparison):
    comparison = make_comparison(["cnn", "hog-svm"])
    display = ConfusionDisplay.from_comparison(comparison, "hog-svm", values="count")
    assert_array_equal(display.counts, comparison.confusion_matrix("hog-svm"))
    assert display.ax_.get_title().startswith("hog-svm\n")
    assert display.ax_.get_xticklabels()[2].get_text() == "Class 2"


def test_it_draws_on_axes_and_figures_that_are_passed():
    ax = Figure().subplots()
    assert ConfusionDisplay(COUNTS).plot(ax).ax_ is ax
    for figure in (Figure(), Figure().subfigures(1, 2)[1]):
        assert ConfusionDisplay(COUNTS).plot(figure).figure_ is figure


def test_keyword_arguments_reach_shades_and_texts():
    style = {"im_kw": {"cmap": "viridis"}, "text_kw": {"size": 17, "color": "red"}}
    display = ConfusionDisplay(COUNTS).plot(**style)
    assert display.im_.get_cmap().name == "viridis"
    assert display.text_[0, 0].get_fontsize() == 17
    assert display.text_[0, 0].get_color() == "red"


@pytest.mark.parametrize("n_classes", [2, 10])
def test_labels_stay_inside_the_figure(n_classes):
    names = [f"a garment of a long class name {i}" for i in range(n_classes)]
    figure = draw_confusion_matrix(np.eye(n_classes, dtype=int), names, title="model")
    figure.savefig(os.devnull, format="png")
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.01
    assert box.x1 < width + 0.01
    assert box.y1 < height + 0.01


@pytest.mark.parametrize("n_classes", [2, 12])
@pytest.mark.parametrize("values", ["percent", "count"])
def test_texts_stay_inside_their_cells(n_classes, values):
    counts = np.full((n_classes, n_classes), 1234)
    figure = figure_for_file(ConfusionDisplay(counts).plot, values=values)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    cell = ax.get_window_extent().width / n_classes
    assert max(text.get_window_extent().width for text in ax.texts) < cell


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_texts_are_readable_on_every_shade(style):
    import matplotlib.pyplot as plt

    shades = np.linspace(0, 1000, 20).astype(int)
    counts = np.zeros((20, 20), dtype=int)
    counts[np.arange(20), 0], counts[np.arange(20), 1] = shades, 1000 - shades
    with plt.style.context(style):
        display = ConfusionDisplay(counts).plot()
        page = luminance(rcParams["axes.facecolor"])
    assert abs(luminance(display.im_.cmap(0.0)) - page) < 0.01
    for row in range(20):
        field = luminance(display.im_.to_rgba(display.im_.get_array()[row, 0]))
        text = luminance(to_rgb(display.text_[row, 0].get_color()))
        low, high = sorted((field, text))
        assert (high + 0.05) / (low + 0.05) > 4.5  # WCAG 2.2, criterion 1.4.3


def test_more_classes_than_readable_have_no_texts():
    assert ConfusionDisplay(np.eye(31)).plot().text_ is None


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: ConfusionDisplay(np.zeros((2, 3))).plot(), r"shape \(2, 3\), expected a square"),
        (lambda: ConfusionDisplay(COUNTS, class_names=["a"]).plot(), "1 names, but counts has 3"),
        (lambda: ConfusionDisplay(COUNTS).plot(values="share"), "'values' parameter"),
        (lambda: ConfusionDisplay.from_predictions([0, 1], [0]), "inconsistent numbers"),
        (lambda: ConfusionDisplay.from_predictions([0.5], [0]), "Unknown label type"),
    ],
)
def test_what_does_not_belong_together_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
