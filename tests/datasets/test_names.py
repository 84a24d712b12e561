"""How names and numbers are written in tables, figures and errors."""

from __future__ import annotations

import pytest

from fashionkit.datasets._names import percent


@pytest.mark.parametrize(
    ("fraction", "decimals", "text"),
    [
        (0.937, 2, "93.70 %"),
        (1, 2, "100.00 %"),
        (0.005, 0, "0 %"),
        (-0.0123, 1, "-1.2 %"),
        (float("nan"), 2, "\N{EN DASH}"),
    ],
)
def test_percentages_have_a_space_before_their_sign(fraction, decimals, text):
    assert percent(fraction, decimals) == text
