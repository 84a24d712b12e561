"""Permutation tests of two samples."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics.pairwise import rbf_kernel

from fashionkit.decision import _permutation
from fashionkit.decision._permutation import compare_rows, compare_shares, compare_values


def rng(seed=0):
    return np.random.default_rng(seed)


def counts(draws, p):
    """Draw many, for few ties."""
    return draws.multinomial(5_000, p)


class TestStatistics:
    def test_shares_differ_by_their_total_variation(self):
        difference = compare_shares(np.array([60, 30, 10]), np.array([2, 4, 4]), 19, rng())
        assert_allclose(difference.statistic, 0.4)

    def test_values_differ_as_kolmogorov_and_smirnov_say(self):
        first, second = rng().normal(size=300), rng(1).normal(0.3, size=200)
        difference = compare_values(first, second, 19, rng())
        assert_allclose(difference.statistic, stats.ks_2samp(first, second).statistic)

    def test_many_values_are_compared_at_their_quantiles(self):
        first, second = rng().normal(size=30_000), rng(1).normal(0.3, size=20_000)
        difference = compare_values(first, second, 19, rng())
        expected = stats.ks_2samp(first, second).statistic
        assert expected - 0.003 < difference.statistic <= expected

    @pytest.mark.parametrize("many", [10, 512])
    def test_rows_differ_by_their_squared_maximum_mean_discrepancy(self, many, monkeypatch):
        monkeypatch.setattr(_permutation, "_MANY", many)
        first, second = rng().normal(size=(30, 4)), rng(1).normal(0.5, size=(20, 4))
        pooled = np.concatenate([first, second])
        gamma = 1 / (2 * np.median(pdist(pooled)) ** 2)
        kernel = rbf_kernel(pooled, gamma=gamma)
        assert_allclose(squareform(pdist(pooled))[0, 1], np.linalg.norm(pooled[0] - pooled[1]))
        within = [
            kernel[rows, rows][~np.eye(n, dtype=bool)].mean()
            for rows, n in ((slice(30), 30), (slice(30, None), 20))
        ]
        expected = sum(within) - 2 * kernel[:30, 30:].mean()
        difference = compare_rows(first, second, 19, rng())
        assert_allclose(difference.statistic, expected, atol=1e-6)

    def test_rows_that_are_all_the_same_do_not_differ(self):
        difference = compare_rows(np.ones((5, 3)), np.ones((4, 3)), 19, rng())
        assert_allclose(difference.statistic, 0, atol=1e-12)
        assert difference.p_value == 1


class TestPValues:
    """P values are uniform where nothing differs, and small where something does."""

    def of_many(self, compare, draw, n=200):
        draws = rng(42)
        return np.array([compare(draw(draws), draw(draws), 99, draws).p_value for _ in range(n)])

    @pytest.mark.parametrize(
        ("compare", "draw"),
        [
            (compare_shares, lambda draws: counts(draws, [0.4, 0.3, 0.2, 0.1])),
            (compare_values, lambda draws: draws.uniform(size=40)),
            (compare_rows, lambda draws: draws.normal(size=(25, 3))),
        ],
    )
    def test_without_a_difference_they_are_uniform(self, compare, draw):
        p_values = self.of_many(compare, draw)
        assert stats.kstest(p_values, "uniform").pvalue > 0.01
        # A valid test is wrong at a rate of no more than its level, up to chance.
        for level in (0.05, 0.2, 0.5):
            n_rejected = int(np.sum(p_values <= level))
            assert stats.binomtest(n_rejected, 200, level, "greater").pvalue > 0.01

    def test_rows_multiplied_in_float32_have_the_same_p_values(self, monkeypatch):
        first, second = rng().normal(size=(40, 3)), rng(1).normal(0.2, size=(30, 3))
        in_float64 = compare_rows(first, second, 999, rng(2))
        monkeypatch.setattr(_permutation, "_MANY", 1)
        assert compare_rows(first, second, 999, rng(2)).p_value == in_float64.p_value

    @pytest.mark.parametrize(
        ("compare", "first", "second"),
        [
            (compare_shares, np.array([80, 20]), np.array([20, 80])),
            (compare_values, np.linspace(0, 1, 80), np.linspace(0.5, 1.5, 60)),
            (compare_rows, rng().normal(size=(40, 3)), rng(1).normal(1.5, size=(40, 3))),
        ],
    )
    def test_a_difference_has_the_smallest_that_permutations_can_give(self, compare, first, second):
        assert compare(first, second, 199, rng()).p_value == 1 / 200

    def test_many_ties_are_no_difference(self):
        assert compare_values(np.ones(50), np.ones(30), 99, rng()).p_value == 1
        assert compare_shares(np.array([50, 0]), np.array([30, 0]), 99, rng()).p_value == 1
