"""Precision, recall and average precision of a search."""

from __future__ import annotations

import numpy as np
import pytest

from fashionkit import ImageSearch
from fashionkit.search import evaluate_search

LINE = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
LABELS = ["a", "b", "a", "b", "a"]


@pytest.fixture
def line():
    return ImageSearch("precomputed", metric="euclidean").fit(LINE, LABELS)


def test_scores_are_those_of_their_definitions(line):
    scores = evaluate_search(line, [[-1.0], [5.0]], ["a", "b"], n_neighbors=3)
    # Found are a, b, a for the first, and a, b, a for the second.
    assert scores.loc["a"].tolist() == pytest.approx([1, 2 / 3, 2 / 3, 1, (1 + 2 / 3) / 3])
    assert scores.loc["b"].tolist() == pytest.approx([1, 1 / 3, 1 / 2, 1, (1 / 2) / 2])
    assert scores.loc["all", "precision"] == pytest.approx(0.5)
    assert scores.loc["all", "n_queries"] == 2


def test_queries_are_averaged_by_what_is_given(line):
    queries = [[-1.0], [5.0], [5.0]]
    scores = evaluate_search(
        line, queries, ["a", "b", "a"], n_neighbors=1, by=["anna", "ben", "ben"]
    )
    assert scores["precision"].tolist() == pytest.approx([1, 0.5, 2 / 3])
    assert scores.index.tolist() == ["anna", "ben", "all"]


def test_results_of_the_own_group_do_not_count(line):
    groups = ["x", "y", "y", "y", "y"]
    scores = evaluate_search(
        line, [[0.1]], ["a"], n_neighbors=2, groups=["x"], indexed_groups=groups
    )
    # The first one is left out, so that b at 1 and a at 2 are found, of the a at 2 and at 4.
    assert scores.loc["a"].tolist() == pytest.approx([1, 0.5, 0.5, 1, 0.25])
    with pytest.raises(ValueError, match="only 1 indexed images are of another group"):
        evaluate_search(line, [[0.1]], ["a"], n_neighbors=2, groups=["y"], indexed_groups=groups)


def test_labels_that_are_not_indexed_have_no_recall(line):
    scores = evaluate_search(line, [[0.0]], ["c"], n_neighbors=2)
    assert scores.loc["c", "precision"] == 0
    assert np.isnan(scores.loc["c", "recall"])


def test_what_cannot_be_evaluated_is_refused(line):
    with pytest.raises(ValueError, match=r"search has no labels_; pass y"):
        evaluate_search(ImageSearch("precomputed").fit(LINE), LINE, LABELS)
    with pytest.raises(ValueError, match="indexed_groups=None; pass both"):
        evaluate_search(line, LINE, LABELS, groups=LABELS)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        evaluate_search(line, LINE, LABELS[:2])
