"""Statistics of paired results, against other libraries and values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from fashionkit.comparison._pairwise import compare_on_test, sentences
from fashionkit.comparison._statistics import (
    correlated_t_odds,
    dirichlet_odds,
    holm,
    mcnemar,
    resampled_interval,
    resampled_t_test,
    wilson_interval,
)

N_DRAWS = 200


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_interval_is_wilson_s():
    # By hand, with p = 0.9, n = 100, z = 1.959964: the centre is
    # (p + z²/2n) / (1 + z²/n) = 0.885203, half the width is
    # z sqrt(p(1 - p)/n + z²/4n²) / (1 + z²/n) = 0.059569.
    assert_allclose(wilson_interval(90, 100), (0.825634, 0.944772), atol=2e-6)
    assert wilson_interval(5, 5)[1] == 1.0


def test_interval_is_that_of_statsmodels(rng):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    for _ in range(N_DRAWS):
        n = rng.integers(1, 10_000)
        count = rng.integers(0, n + 1)
        expected = proportion.proportion_confint(count, n, method="wilson")
        assert_allclose(wilson_interval(int(count), int(n)), expected, atol=1e-9)


def test_mcnemar_is_exact_and_two_sided():
    # By hand: of 5 coins 0 heads, or as improbable: 2 / 2**5.
    assert_allclose(mcnemar(0, 5), 0.0625)
    # Of 10 coins 2 heads or fewer, twice: 2 * (1 + 10 + 45) / 2**10.
    assert_allclose(mcnemar(8, 2), 0.109375)
    assert mcnemar(0, 0) == 1.0


def test_mcnemar_is_that_of_statsmodels(rng):
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    for _ in range(N_DRAWS):
        only_first, only_second = (int(n) for n in rng.integers(0, 200, 2))
        expected = tables.mcnemar([[9, only_first], [only_second, 9]], exact=True).pvalue
        assert_allclose(mcnemar(only_first, only_second), expected, rtol=1e-9)


def test_holm_corrects_as_by_hand():
    assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    assert_allclose(holm(np.array([0.5, 0.9])), [1.0, 1.0])
    assert holm(np.array([])).shape == (0,)


@pytest.mark.slow  # their functions take long
def test_holm_is_that_of_statsmodels(rng):
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    for _ in range(N_DRAWS):
        p_values = rng.random(rng.integers(1, 30)) ** 3
        expected = multitest.multipletests(p_values, method="holm")[1]
        assert_allclose(holm(p_values), expected, rtol=1e-12)


def test_without_shared_images_the_resampled_t_test_is_the_paired_t_test_of_scipy(rng):
    for _ in range(N_DRAWS):
        first, second = rng.normal(0.9, 0.02, (2, rng.integers(2, 20)))
        expected = stats.ttest_rel(first, second)
        assert_allclose(resampled_t_test(first - second, 0.0), expected.pvalue, rtol=1e-9)
        low, high = resampled_interval(first - second, 0.0)
        assert_allclose((low, high), expected.confidence_interval(0.95), rtol=1e-9)


def test_shared_images_widen_the_error_as_nadeau_and_bengio_say():
    differences = np.array([0.01, 0.02, 0.03, 0.0])
    # t = mean / sqrt((1/4 + 1/3) variance), by hand 0.015 / sqrt(0.583333 * 0.000166667).
    expected = 2 * stats.t.sf(1.521278, 3)
    assert_allclose(resampled_t_test(differences, 1 / 3), expected, rtol=1e-6)


@pytest.mark.slow  # their functions take long
def test_holm_over_all_pairs_is_that_of_scikit_posthocs(rng):
    posthocs = pytest.importorskip("scikit_posthocs")
    pairs = np.triu_indices(4, 1)
    for _ in range(N_DRAWS):
        scores = list(rng.normal(0.9, 0.02, (4, 8)) + rng.normal(0, 0.02, (4, 1)))
        raw, corrected = (
            posthocs.posthoc_ttest(scores, p_adjust=method).to_numpy()[pairs]
            for method in (None, "holm")
        )
        assert_allclose(holm(raw), corrected, rtol=1e-12)


def test_odds_of_folds_are_those_of_baycomp(rng):
    baycomp = pytest.importorskip("baycomp")
    for _ in range(N_DRAWS):
        n = rng.integers(2, 20)
        differences, margin = rng.normal(0.003, 0.01, n), rng.choice([0.0, 0.005, 0.01])
        expected = baycomp.CorrelatedTTest.probs(differences, np.zeros(n), rope=margin, runs=1)
        odds = correlated_t_odds(differences, 1 / (n - 1), margin)
        if margin == 0:  # baycomp returns two
            expected = (expected[0], 0.0, expected[1])
        assert_allclose(odds, expected, atol=1e-9)


def test_odds_of_a_test_set_are_those_of_the_posterior_of_baycomp(rng):
    baycomp = pytest.importorskip("baycomp")
    for _ in range(20):
        only_first, only_second, n = (int(k) for k in rng.integers([1, 1, 200], [60, 60, 1_000]))
        outcomes = np.repeat([1, -1, 0], [only_first, only_second, n - only_first - only_second])
        sample = baycomp.SignTest.sample(
            outcomes, np.zeros(n), rope=0.5, nsamples=50_000, random_state=0
        )
        difference = sample[:, 0] - sample[:, 2]
        margin = 0.01
        expected = (
            np.mean(difference > margin),
            np.mean(abs(difference) <= margin),
            np.mean(difference < -margin),
        )
        assert_allclose(dirichlet_odds(only_first, only_second, n, margin), expected, atol=0.01)


def test_odds_of_a_test_set_are_the_integral(rng):
    for _ in range(N_DRAWS):
        only_first, only_second = (int(k) for k in rng.integers(0, 30, 2))
        n, margin = only_first + only_second + int(rng.integers(1, 500)), 0.01
        odds = dirichlet_odds(only_first, only_second, n, margin)
        assert_allclose(sum(odds), 1.0)
        mirrored = dirichlet_odds(only_second, only_first, n, margin)
        assert mirrored == (odds.worse, odds.equal, odds.better)
    # By hand: without a margin, the share of the first among those that differ is beta(3, 2).
    assert_allclose(dirichlet_odds(3, 2, 100, 0.0).better, 0.6875, atol=1e-9)
    # Only one of two models is ever better: the share of these images is beta(3, 98).
    assert_allclose(dirichlet_odds(3, 0, 100, 0.01).better, stats.beta.sf(0.01, 3, 98))
    assert dirichlet_odds(0, 0, 10, 0.01) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("differences", "p_value", "odds"),
    [
        ([0.01, 0.01], 0.0, (1.0, 0.0, 0.0)),
        ([-0.01, -0.01], 0.0, (0.0, 0.0, 1.0)),
        ([0.0, 0.0], 1.0, (0.0, 1.0, 0.0)),
        ([0.01], np.nan, (np.nan, np.nan, np.nan)),
    ],
)
def test_folds_that_all_agree_and_single_folds_have_a_verdict(differences, p_value, odds):
    differences = np.array(differences)
    assert_allclose(resampled_t_test(differences, 0.1), p_value)
    assert_allclose(correlated_t_odds(differences, 0.1, 0.005), odds)


def test_new_names_and_another_order_change_no_verdict(rng):
    shares = {"a": 0.8, "b": 0.7, "c": 0.6}
    right = {name: rng.random(300) < share for name, share in shares.items()}
    pairs = compare_on_test(right, 0.01)
    renamed = compare_on_test({f"model {name}": r for name, r in right.items()}, 0.01)
    assert_allclose(renamed.iloc[:, 2:].to_numpy(), pairs.iloc[:, 2:].to_numpy())
    turned = compare_on_test(dict(reversed(right.items())), 0.01)
    for row in pairs.itertuples():
        (other,) = turned.query(f"first == '{row.second}' and second == '{row.first}'").itertuples()
        assert other.difference == -row.difference
        assert (other.p_value, other.p_holm) == (row.p_value, row.p_holm)
        assert (other.p_better, other.p_equal, other.p_worse) == (
            row.p_worse,
            row.p_equal,
            row.p_better,
        )


def test_no_sentence_calls_a_probability_certain():
    pairs = compare_on_test({"a": np.array([True]), "b": np.array([False])}, 0.005)
    assert pairs["p_better"][0] == pytest.approx(0.995)  # the prior is uniform
    (said,) = sentences(pairs, ["a", "b"], {"a": 1.0, "b": 0.0}, 0.005)
    assert said.endswith(": > 99 %; equal in practice: 1 %; worse: < 1 %.")
