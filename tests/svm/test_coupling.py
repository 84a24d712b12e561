"""Pairwise coupling: from the probabilities of pairs of classes to those of all classes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from fashionkit.svm._coupling import couple


def pairwise(probabilities):
    """Return how often each class beats each other one, if it has these probabilities."""
    p = np.asarray(probabilities)
    return p[:, :, np.newaxis] / (p[:, :, np.newaxis] + p[:, np.newaxis, :])


def random_wins(n_samples, n_classes, seed=0):
    """Return probabilities of pairs that agree with none of all classes."""
    wins = np.random.default_rng(seed).random((n_samples, n_classes, n_classes))
    upper = np.triu(wins, 1)
    return upper + np.tril(1 - upper.transpose(0, 2, 1), -1)


def disagreement(p, wins):
    """Return what coupling minimises: (2.1) of Wu, Lin and Weng, by their second method."""
    return sum(
        (wins[j, i] * p[i] - wins[i, j] * p[j]) ** 2
        for i in range(len(p))
        for j in range(len(p))
        if i != j
    )


@pytest.mark.parametrize("n_classes", [2, 3, 10, 40])
def test_coupling_recovers_the_probabilities_that_the_pairs_come_from(n_classes):
    p = np.random.default_rng(0).dirichlet(np.ones(n_classes), 50)
    p = (p + 0.001) / (p + 0.001).sum(axis=1, keepdims=True)
    assert_allclose(couple(pairwise(p)), p, rtol=1e-9)


def test_coupling_two_classes_changes_nothing():
    wins = random_wins(20, 2)
    assert_allclose(couple(wins), np.stack([wins[:, 0, 1], wins[:, 1, 0]], axis=1), rtol=1e-12)


def test_coupling_ignores_the_diagonal():
    wins = random_wins(5, 4)
    expected = couple(wins)
    wins[:, range(4), range(4)] = [[0.3, 1, 0, 7]]
    assert_array_equal(couple(wins), expected)


def test_coupling_does_not_change_what_it_is_given():
    wins = np.triu(np.ones((1, 3, 3)), 1)
    before = wins.copy()
    couple(wins)
    assert_array_equal(wins, before)


@pytest.mark.parametrize("n_classes", [3, 4, 6])
def test_coupled_probabilities_agree_best_with_contradictory_pairs(n_classes):
    wins = random_wins(5, n_classes)
    for probabilities, of_pairs in zip(couple(wins), wins, strict=True):
        best = minimize(
            disagreement,
            np.full(n_classes, 1 / n_classes),
            args=(of_pairs,),
            method="SLSQP",
            bounds=[(0, 1)] * n_classes,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert_allclose(probabilities, best.x, atol=1e-5)
        assert disagreement(probabilities, of_pairs) <= best.fun + 1e-12


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_pairs_that_are_certain_order_the_classes(n_classes):
    wins = np.triu(np.ones((1, n_classes, n_classes)), 1)
    (probabilities,) = couple(wins)
    assert probabilities[0] > 1 - 1e-5
    assert np.all(np.diff(probabilities) < 0)
    assert np.all(probabilities > 0)


def test_pairs_that_are_certain_and_go_round_leave_classes_equal():
    wins = np.array([[[0, 1, 0], [0, 0, 1], [1, 0, 0]]])
    assert_allclose(couple(wins), [[1 / 3, 1 / 3, 1 / 3]])


def test_the_order_of_classes_does_not_matter_to_coupling():
    wins, order = random_wins(10, 5), [3, 0, 4, 1, 2]
    permuted = wins[:, order][:, :, order]
    assert_allclose(couple(permuted), couple(wins)[:, order], rtol=1e-9)
