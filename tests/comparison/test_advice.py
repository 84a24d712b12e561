"""What to do next, against direct computations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix

from fashionkit.comparison._report._advice import (
    cheaper_model,
    confused_pairs,
    equals_of_best,
    review_for,
)


def verdicts(*rows):
    columns = ["first", "second", "difference", "p_holm", "p_better", "p_equal"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("seed", range(5))
def test_the_accuracy_of_a_pair_as_one_class_is_that_of_relabelled_images(seed):
    rng = np.random.RandomState(seed)
    y_true, y_pred = rng.randint(0, 5, (2, 100))
    pairs = confused_pairs(confusion_matrix(y_true, y_pred), most=10)
    for pair in pairs:
        merged = [np.where(y == pair.second, pair.first, y) for y in (y_true, y_pred)]
        assert pair.accuracy_if_one == pytest.approx(accuracy_score(*merged))


def test_pairs_are_sorted_by_their_confusions_in_both_directions():
    counts = np.array([[50, 4, 5], [3, 50, 0], [1, 2, 50]])
    pairs = confused_pairs(counts)
    assert [(pair.first, pair.second, pair.n_mistakes) for pair in pairs] == [
        (0, 1, 7),
        (0, 2, 6),
        (1, 2, 2),
    ]
    assert pairs[0].share_of_mistakes == pytest.approx(7 / 15)


def test_classes_that_are_never_confused_are_no_pairs():
    assert confused_pairs(np.diag([5, 5, 5])) == []
    assert len(confused_pairs(np.array([[5, 1, 0], [0, 5, 0], [0, 0, 5]]))) == 1


@given(st.integers(0, 10_000))
def test_the_review_is_the_smallest_that_leaves_the_wanted_accuracy(seed):
    rng = np.random.RandomState(seed)
    confidence = rng.randint(0, 20, 120) / 20
    right = rng.uniform(size=120) < 0.8 + 0.2 * confidence
    possible = []
    for below in np.unique(confidence):
        kept = confidence >= below
        if kept.sum() >= 10 and right[kept].mean() >= 0.9:  # one mistake in 10
            possible.append((1 - kept.mean(), below, right[kept].mean()))
    review = review_for(confidence, right, 0.9)
    if not possible:
        assert review is None
    else:
        share, below, accuracy = min(possible)
        assert (review.share, review.below) == (pytest.approx(share), below)
        assert review.accuracy == pytest.approx(accuracy)


def test_nothing_is_reviewed_where_all_images_are_accurate_enough():
    assert review_for(np.linspace(0, 1, 100), np.arange(100) > 0).share == 0


def test_a_few_right_images_do_not_make_98_percent_reachable():
    confidence = np.linspace(1, 0, 200)
    assert review_for(confidence, np.arange(200) < 48) is None
    assert review_for(confidence, np.arange(200) < 49).share == pytest.approx(0.75)


TIMES = {"best": 10.0, "equal": 5.0, "slow": 5.1, "worse": 0.1}


@pytest.mark.parametrize(
    ("second", "p_holm", "p_better", "p_equal", "found"),
    [
        ("equal", 0.5, 0.5, 0.3, True),  # within chance
        ("equal", 0.01, 0.02, 0.97, True),  # surely different, but by too little to matter
        ("equal", 0.06, 0.96, 0.04, False),  # within chance, but most probably worse
        ("worse", 0.01, 0.9, 0.1, False),
        ("slow", 0.5, 0.5, 0.3, False),
    ],
)
def test_a_cheaper_model_is_equal_and_twice_as_fast(second, p_holm, p_better, p_equal, found):
    pairs = verdicts(("best", second, 0.01, p_holm, p_better, p_equal))
    cheaper = cheaper_model("best", pairs, TIMES)
    assert (cheaper is not None) == found
    if found:
        assert (cheaper.name, cheaper.times_faster) == ("equal", 2.0)


def test_the_most_accurate_of_the_cheaper_models_is_proposed():
    pairs = verdicts(
        ("best", "equal", 0.01, 0.5, 0.5, 0.3),
        ("best", "worse", 0.02, 0.5, 0.5, 0.3),
        ("equal", "worse", 0.01, 0.5, 0.5, 0.3),
    )
    assert cheaper_model("best", pairs, TIMES).name == "equal"


def test_the_equals_of_the_best_are_those_within_chance():
    pairs = verdicts(
        ("best", "equal", 0.01, 0.5, 0.5, 0.3),
        ("best", "worse", 0.2, 0.001, 1.0, 0.0),
        ("equal", "worse", 0.2, 0.5, 1.0, 0.0),
    )
    assert equals_of_best("best", pairs) == ["equal"]
    assert equals_of_best("worse", pairs) is None
    assert equals_of_best("best", pairs.assign(p_holm=np.nan)) is None
