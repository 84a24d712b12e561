"""Statistics of proportions, against values worked out by hand."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from fashionkit.comparison._statistics import holm, mcnemar, wilson_interval


def test_interval_is_wilson_s():
    # By hand, with p = 0.9, n = 100, z = 1.959964: the centre is
    # (p + z²/2n) / (1 + z²/n) = 0.885203, half the width is
    # z sqrt(p(1 - p)/n + z²/4n²) / (1 + z²/n) = 0.059569.
    assert_allclose(wilson_interval(90, 100), (0.825634, 0.944772), atol=2e-6)
    assert wilson_interval(5, 5)[1] == 1.0


def test_mcnemar_is_exact_and_two_sided():
    # By hand: of 5 coins 0 heads, or as improbable: 2 / 2**5.
    assert_allclose(mcnemar(0, 5), 0.0625)
    # Of 10 coins 2 heads or fewer, twice: 2 * (1 + 10 + 45) / 2**10.
    assert_allclose(mcnemar(8, 2), 0.109375)
    assert mcnemar(0, 0) == 1.0


def test_holm_corrects_as_by_hand():
    assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    assert_allclose(holm(np.array([0.5, 0.9])), [1.0, 1.0])
    assert holm(np.array([])).shape == (0,)
