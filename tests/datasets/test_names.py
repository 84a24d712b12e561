"""How names and numbers are written in tables, figures and errors."""

from __future__ import annotations

import pytest

from fashionkit.datasets._names import odds_text, p_text, percent, unknown


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


def test_an_unknown_name_is_told_the_nearest():
    error = unknown("cost", "seconds", ["n_bytes", "fit_seconds"], what="a column")
    assert str(error) == (
        "cost='seconds' is not a column; the nearest is 'fit_seconds'; choose from 'n_bytes', "
        "'fit_seconds'."
    )
    assert "nearest" not in str(unknown("cost", "seconds", [], what="a column"))


def test_p_values_and_probabilities_are_never_certain():
    assert [p_text(p) for p in (0.0004, 0.0234, 1.0, float("nan"))] == [
        "p < 0.001",
        "p = 0.023",
        "p = 1",
        "p = \N{EN DASH}",
    ]
    assert [odds_text(p) for p in (1.0, 0.995, 0.994, 0.5, 0.004)] == [
        "> 99 %",
        "> 99 %",
        "99 %",
        "50 %",
        "< 1 %",
    ]
