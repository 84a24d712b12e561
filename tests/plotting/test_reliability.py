"""Reliability diagrams."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from fashionkit.inspection import calibration_bins, expected_calibration_error
from fashionkit.plotting import ReliabilityDisplay

NAMES = ["cnn", "hog-svm", "hog-tree"]
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])


def test_curves_show_the_bins_that_are_not_empty():
    display = ReliabilityDisplay.from_predictions(
        [0, 1, 1, 1], PROBABILITIES, classes=[0, 1], n_bins=4, name="cnn"
    )
    line = display.lines_["cnn"]
    assert_allclose(line.get_xdata(), [0.65, 0.85])
    assert_allclose(line.get_ydata(), [1.0, 0.5])


def test_the_histogram_shows_the_fraction_of_images_in_each_bin():
    display = ReliabilityDisplay.from_predictions(
        [0, 1, 1, 1], PROBABILITIES, classes=[0, 1], n_bins=4
    )
    (stairs,) = display.axes_[1].patches
    assert_allclose(stairs.get_data().values, [0, 0, 0.5, 0.5])
    assert_allclose(stairs.get_data().edges, [0, 0.25, 0.5, 0.75, 1])


def test_the_legend_has_the_calibration_error(make_comparison):
    comparison = make_comparison(NAMES)
    display = ReliabilityDisplay.from_comparison(comparison, "cnn")
    error = expected_calibration_error(
        comparison.y_true_, comparison.probabilities_["cnn"], comparison.classes_
    )
    labels = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert labels == ["perfect calibration", f"cnn, ECE {100 * error:.2f} %"]


def test_models_without_probabilities_are_left_out_and_named(make_comparison):
    display = ReliabilityDisplay.from_comparison(make_comparison(NAMES))
    assert set(display.lines_) == {"cnn", "hog-svm"}
    label = "Confidence\nNot shown: hog-tree (no probabilities)"
    assert display.axes_[1].get_xlabel() == label


def test_an_estimator_gives_its_probabilities_and_its_name(garments):
    X, y = garments[0].reshape(300, -1), garments[1]
    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    display = ReliabilityDisplay.from_estimator(model, X, y, n_bins=5)
    bins = calibration_bins(y, model.predict_proba(X), model.classes_, n_bins=5)
    (line,) = display.lines_.values()
    assert_allclose(line.get_ydata(), bins["accuracy"].dropna())
    assert line.get_label().startswith("DecisionTreeClassifier, ECE")


def test_many_models_have_their_legend_beside_the_axes(make_comparison):
    comparison = make_comparison([f"model {i}" for i in range(30)], n_images=20)
    figure = Figure(figsize=(14, 6), layout="constrained")
    display = ReliabilityDisplay.from_comparison(comparison, ax=figure)
    figure.draw_without_rendering()
    styles = {(line.get_color(), line.get_marker()) for line in display.lines_.values()}
    assert len(styles) == 29
    legend = display.axes_[0].get_legend().get_window_extent()
    assert legend.x0 > display.axes_[0].get_window_extent().x1
    assert legend.x1 < figure.bbox.x1
    assert legend.y0 > 0


def test_it_draws_on_what_is_passed(make_comparison):
    comparison = make_comparison(NAMES)
    axes = Figure().subplots(2, 1)
    assert (ReliabilityDisplay.from_comparison(comparison, ax=axes).axes_ == axes).all()
    for ax in (Figure(), Figure().subplots()):
        upper, lower = ReliabilityDisplay.from_comparison(comparison, ax=ax).axes_
        assert upper.get_position().y0 > lower.get_position().y1


def test_keyword_arguments_reach_the_curves(make_comparison):
    display = ReliabilityDisplay.from_comparison(make_comparison(NAMES), line_kw={"lw": 5})
    assert {line.get_linewidth() for line in display.lines_.values()} == {5}


def test_an_unknown_model_and_one_without_probabilities_are_refused(make_comparison):
    with pytest.raises(ValueError, match=r"names='hog-swm' is not a model.* is 'hog-svm'"):
        ReliabilityDisplay.from_comparison(make_comparison(NAMES), "hog-swm")
    with pytest.raises(ValueError, match="LinearSVC has no predict_proba"):
        ReliabilityDisplay.from_estimator(LinearSVC(), [[0.0]], [0])
