"""Risk against coverage, and thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from fashionkit import SelectiveClassifier
from fashionkit.inspection import risk_coverage_areas, risk_coverage_curve
from fashionkit.plotting import RiskCoverageDisplay, ThresholdDisplay

NAMES = ["cnn", "hog-svm", "hog-tree"]
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
Y = [0, 1, 1, 1]


def test_the_curve_is_that_of_the_table():
    display = RiskCoverageDisplay.from_predictions(Y, PROBABILITIES, classes=[0, 1], name="cnn")
    curve = risk_coverage_curve(Y, PROBABILITIES, [0, 1])
    # Four images are fewer than the number from which on error rates are drawn.
    assert_allclose(display.lines_["cnn"].get_xdata(), [1.0])
    assert_allclose(display.lines_["cnn"].get_ydata(), curve["risk"].iloc[-1:])


def test_the_legend_has_both_areas(make_comparison):
    comparison = make_comparison(NAMES)
    display = RiskCoverageDisplay.from_comparison(comparison, "cnn")
    areas = risk_coverage_areas(
        comparison.y_true_, comparison.probabilities_["cnn"], comparison.classes_
    )
    (text,) = display.ax_.get_legend().get_texts()
    assert text.get_text() == f"cnn, AURC {100 * areas[0]:.2f} %, AUGRC {100 * areas[1]:.2f} %"
    assert (display.aurc_["cnn"], display.augrc_["cnn"]) == areas


def test_models_without_probabilities_are_left_out_and_named(make_comparison):
    display = RiskCoverageDisplay.from_comparison(make_comparison(NAMES))
    assert set(display.lines_) == {"cnn", "hog-svm"}
    assert display.ax_.get_xlabel() == "Images accepted\nNot shown: hog-tree (no probabilities)"


def test_an_estimator_gives_its_probabilities_and_its_name(garments):
    X, y = garments[0].reshape(300, -1), garments[1]
    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    display = RiskCoverageDisplay.from_estimator(model, X, y)
    (line,) = display.lines_.values()
    assert_allclose(line.get_ydata()[-1], 1 - model.score(X, y))
    assert line.get_label().startswith("DecisionTreeClassifier, AURC")
    with pytest.raises(ValueError, match="LinearSVC has no predict_proba"):
        RiskCoverageDisplay.from_estimator(LinearSVC(), X, y)


def test_many_models_have_their_legend_beside_the_axes(make_comparison):
    comparison = make_comparison([f"model {i}" for i in range(8)])
    figure = Figure(figsize=(10, 5), layout="constrained")
    display = RiskCoverageDisplay.from_comparison(comparison, ax=figure)
    figure.draw_without_rendering()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.x0 > display.ax_.get_window_extent().x1
    assert legend.x1 < figure.bbox.x1


def test_it_draws_on_what_is_passed_with_the_style_that_is_passed(make_comparison):
    ax = Figure().subplots()
    display = RiskCoverageDisplay.from_comparison(make_comparison(NAMES), ax=ax, line_kw={"lw": 5})
    assert display.ax_ is ax
    assert {line.get_linewidth() for line in display.lines_.values()} == {5}
    axes = Figure().subplots(2, 1)
    thresholds = ThresholdDisplay.from_predictions(Y, PROBABILITIES, classes=[0, 1], ax=axes)
    assert (thresholds.axes_ == axes).all()


def test_thresholds_accept_what_is_at_least_as_sure():
    display = ThresholdDisplay.from_predictions(Y, PROBABILITIES, classes=[0, 1])
    line = display.lines_["coverage"]
    assert_allclose(line.get_xdata(), [0.6, 0.7, 0.8, 0.9, 1.0])
    assert_allclose(line.get_ydata(), [1, 0.75, 0.5, 0.25, 0])
    # Up to a threshold, the images of its own confidence are accepted.
    assert line.get_drawstyle() == "steps-pre"
    assert not display.threshold_lines_


def test_the_threshold_of_a_selective_classifier_is_shown(garments):
    X, y = garments[0].reshape(300, -1), garments[1]
    model = DecisionTreeClassifier(max_depth=4, random_state=0)
    clf = SelectiveClassifier(model, criterion="coverage", level=0.5, cv=0.4, random_state=0)
    display = ThresholdDisplay.from_estimator(clf.fit(X, y), X, y)
    for line in display.threshold_lines_:
        assert_allclose(line.get_xdata(), clf.threshold_)
    assert len(display.threshold_lines_) == 2


def test_a_threshold_of_costs_is_refused(garments):
    X, y = garments[0].reshape(300, -1), garments[1]
    costs = 1 - np.eye(len(np.unique(y)))
    model = DecisionTreeClassifier(max_depth=4, random_state=0)
    clf = SelectiveClassifier(model, criterion="cost", level=0.3, costs=costs, cv=0.4)
    with pytest.raises(ValueError, match="accepts by criterion='cost'"):
        ThresholdDisplay.from_estimator(clf.fit(X, y), X, y)
