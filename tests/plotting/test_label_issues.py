"""Pictures of label issues."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from PIL import Image
from sklearn.naive_bayes import GaussianNB

from fashionkit import CLASS_NAMES, ImageFolder, find_label_issues
from fashionkit.plotting import LabelIssuesDisplay


@pytest.fixture(scope="module")
def issues(garments):
    X, y = garments[0].reshape(300, -1), garments[1]
    return find_label_issues(GaussianNB(), X, y, cv=3, class_names=CLASS_NAMES)


def test_the_likeliest_issues_are_drawn_with_both_labels(garments, issues):
    display = LabelIssuesDisplay.from_issues(garments[0], issues, n_issues=4)
    pd.testing.assert_frame_equal(display.issues, issues[:4])
    assert display.axes_.shape == (4,)
    for ax, row in zip(display.axes_, issues.itertuples(), strict=False):
        assert ax.get_title() == f"{row.label} →\n{row.predicted}, {100 * row.confidence:.0f} %"
        assert_allclose(ax.images[0].get_array(), garments[0][row.index] / 255)


def test_an_estimator_and_probabilities_give_the_same(garments, issues):
    X, y = garments[0].reshape(300, -1), garments[1]
    one = LabelIssuesDisplay.from_estimator(GaussianNB(), X, y, cv=3, class_names=CLASS_NAMES)
    pd.testing.assert_frame_equal(one.issues, issues[:20])
    probabilities = np.random.RandomState(0).dirichlet(np.ones(10), 300)
    two = LabelIssuesDisplay.from_predictions(X, y, probabilities, n_issues=None)
    expected = find_label_issues(None, X, y, probabilities=probabilities)
    pd.testing.assert_frame_equal(two.issues, expected)
    assert len(two.axes_) == len(expected)


def test_issues_of_one_pair_are_drawn_alone(garments, issues):
    label, predicted = issues.loc[0, ["label", "predicted"]]
    display = LabelIssuesDisplay.from_issues(
        garments[0], issues, label=label, predicted=predicted, n_issues=None
    )
    pairs = set(zip(display.issues["label"], display.issues["predicted"], strict=True))
    assert pairs == {(label, predicted)}


def test_pictures_are_drawn_on_the_figure_given_in_columns(garments, issues):
    figure = Figure()
    display = LabelIssuesDisplay.from_issues(
        garments[0],
        issues,
        n_issues=5,
        figure=figure,
        n_columns=2,
        im_kw={"cmap": "viridis"},
        text_kw={"size": 17},
    )
    assert display.figure_ is figure
    ax = display.axes_[0]
    assert ax.get_subplotspec().get_gridspec().get_geometry() == (3, 2)
    assert (ax.images[0].get_cmap().name, ax.title.get_fontsize()) == ("viridis", 17)


def test_without_issues_it_says_so(garments, issues):
    display = LabelIssuesDisplay.from_issues(garments[0], issues[:0])
    assert [text.get_text() for text in display.figure_.texts] == ["No label issues"]
    assert len(display.axes_) == 0


def test_of_files_only_those_that_are_drawn_are_read(tmp_path):
    for i in range(6):
        path = tmp_path / f"{i}.png"
        if i in (2, 5):
            Image.new("RGB", (8, 8), (40 * i, 0, 0)).save(path)
        else:
            path.write_text("no image")
    folder = ImageFolder.from_paths(tmp_path, image_size=8)
    probabilities = np.eye(2)[[0, 0, 1, 1, 1, 0]]
    y = [0, 0, 0, 1, 1, 1]
    issues = find_label_issues(None, folder, y, probabilities=probabilities)
    display = LabelIssuesDisplay.from_issues(folder, issues)
    assert sorted(ax.get_title().split("\n")[2] for ax in display.axes_) == ["2.png", "5.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"issues": pd.DataFrame({"index": [1]})}, "issues lacks the columns 'label', 'predicted'"),
        ({"X": np.zeros((2, 28, 28))}, r"issues has the index \d+, but X has 2 images"),
        ({"label": "Hat"}, "label='Hat' is not a class"),
        ({"predicted": "Hat"}, "predicted='Hat' is not a class"),
        ({"n_issues": 0}, "'n_issues' parameter of LabelIssuesDisplay.from_issues"),
        ({"n_columns": 0}, "'n_columns' parameter of LabelIssuesDisplay.from_issues"),
    ],
)
def test_what_does_not_belong_together_is_refused(garments, issues, arguments, message):
    with pytest.raises(ValueError, match=message):
        LabelIssuesDisplay.from_issues(**{"X": garments[0], "issues": issues, **arguments})
