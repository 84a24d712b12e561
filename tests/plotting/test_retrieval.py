"""Queries of a search and their results as pictures."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import same_color

from fashionkit import CLASS_NAMES, ImageSearch
from fashionkit.plotting import RetrievalDisplay
from fashionkit.plotting._colors import BLUE, ORANGE


@pytest.fixture(scope="module")
def search(garments):
    X, y = garments
    return ImageSearch().fit(X[:100], y[:100])


def test_results_are_marked_as_right_or_wrong(search, garments):
    X, y = garments
    display = RetrievalDisplay.from_estimator(
        search, X[100:104], y[100:104], images=X[:100], n_results=5, class_names=CLASS_NAMES
    )
    _, rows = search.kneighbors(X[100:104], 5)
    for query, axes in enumerate(display.axes_):
        assert axes[0].get_title().endswith("query")
        for ax, row in zip(axes[1:], rows[query], strict=True):
            is_right = y[row] == y[100 + query]
            assert ax.get_title().startswith(CLASS_NAMES[y[row]])
            assert ("\N{CHECK MARK}" in ax.get_title()) == is_right
            assert same_color(ax.spines["left"].get_edgecolor(), BLUE if is_right else ORANGE)
            shown = ax.images[0].get_array()
            assert np.allclose(shown, X[row] / 255)


def test_without_labels_nothing_is_marked(search, garments):
    X, _ = garments
    display = RetrievalDisplay.from_estimator(search, X[100:102], images=X[:100], n_results=3)
    assert display.axes_.shape == (2, 4)
    assert not display.axes_[0, 1].spines["left"].get_visible()


def test_what_does_not_belong_together_is_refused(search, garments):
    X, y = garments
    with pytest.raises(ValueError, match="images has 50 images, but 100 are indexed"):
        RetrievalDisplay.from_estimator(search, X[100:102], images=X[:50])
    unlabelled = ImageSearch().fit(X[:100])
    with pytest.raises(ValueError, match="search has no labels_"):
        RetrievalDisplay.from_estimator(unlabelled, X[:2], y[:2], images=X[:100])
