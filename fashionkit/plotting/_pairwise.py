"""Which models are better than which: all pairs of a comparison as a matrix."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils._param_validation import validate_params

from fashionkit.datasets._names import choices, p_text
from fashionkit.plotting._axes import one_axes, room_inside
from fashionkit.plotting._colors import BLUE, ORANGE
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._frames import require_columns
from fashionkit.plotting._matrix import draw_shades, write_cells

if TYPE_CHECKING:
    import pandas as pd

_MAX_READABLE_MODELS = 20
_MAX_LETTERS = 24  # of a line of a model's name
_CELL = 0.85  # inches
_CELL_WITHOUT_TEXT = 0.3
_MINUS = "\N{MINUS SIGN}"


class PairwiseDisplay:
    """Matrix of pairwise differences in accuracy and their significance.

    Each cell compares the model of its row with that of its column. It shows the difference in
    accuracy in percentage points and the p value corrected for all pairs. Its shade is the
    probability that the model of the row is better, minus the probability that it is worse. A pale
    cell is a pair that is practically equal, or has too little data.

    Create it by :meth:`from_comparison`, or from a table and call :meth:`plot`.

    Parameters
    ----------
    pairs : DataFrame
        One row per pair with the columns ``first``, ``second``, ``difference``,
        ``p_holm``, ``p_better`` and ``p_worse``, as returned by ``Comparison.pairwise``.

    names : sequence of str, default=None
        Models in the order of the rows; None for the order in which they occur.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the matrix.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the matrix.

    im_ : matplotlib.image.AxesImage
        Image of the shaded cells, from -1 to 1; 0 for pairs whose probabilities are NaN.

    text_ : ndarray of shape (n_models, n_models)
        Text of each cell, empty on the diagonal; None with more than 20 models.

    See Also
    --------
    AccuracyDisplay : Accuracy of each model with its interval.

    Examples
    --------
    >>> import pandas as pd
    >>> from fashionkit.plotting import PairwiseDisplay
    >>> pairs = pd.DataFrame(
    ...     {
    ...         "first": ["cnn"],
    ...         "second": ["hog-svm"],
    ...         "difference": [0.001],
    ...         "p_holm": [0.74],
    ...         "p_better": [0.05],
    ...         "p_worse": [0.02],
    ...     }
    ... )
    >>> display = PairwiseDisplay(pairs).plot()
    >>> print(display.text_[0, 1].get_text())
    +0.10
    p = 0.74
    """

    def __init__(self, pairs: pd.DataFrame, *, names: Sequence[str] | None = None):
        self.pairs = pairs
        self.names = names

    @classmethod
    @document_parameters
    def from_comparison(
        cls,
        comparison: Any,
        *,
        margin: float = 0.005,
        ax: Any = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw all pairs of models of a comparison.

        Parameters
        ----------
        {comparison}

        margin : float, default=0.005
            Maximum difference in accuracy that counts as practically equal.

        {ax}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : PairwiseDisplay
            Display, already drawn.
        """
        display = cls(comparison.pairwise(margin=margin), names=list(comparison.predictions_))
        return display.plot(ax, im_kw=im_kw, text_kw=text_kw)

    @validate_params(
        {"ax": "no_validation", "im_kw": [dict, None], "text_kw": [dict, None]},
        prefer_skip_nested_validation=True,
    )
    @document_parameters
    def plot(
        self,
        ax: Any = None,
        *,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the matrix.

        Parameters
        ----------
        {ax}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : PairwiseDisplay
            This display.

        Raises
        ------
        ValueError
            If the table lacks a column, or ``names`` lacks a model of it.
        """
        names, shades, texts = self._matrices()
        lines = [textwrap.fill(name, _MAX_LETTERS) for name in names]
        letters = max((len(line) for name in lines for line in name.split("\n")), default=0)
        around = (0.09 * letters + 2.1, 0.056 * letters + 1.2)
        is_readable = len(names) <= _MAX_READABLE_MODELS
        cells = max((_CELL if is_readable else _CELL_WITHOUT_TEXT) * len(names), 2.0)
        self.ax_ = one_axes(ax, (cells + around[0], cells + around[1]), layout="compressed")
        self.figure_ = self.ax_.figure
        self.im_ = draw_shades(self.ax_, shades, [ORANGE, BLUE], -1.0, im_kw)
        bar = self.figure_.colorbar(self.im_, ax=self.ax_, fraction=0.046, pad=0.03)
        bar.set_ticks([-1.0, -0.5, 0.0, 0.5, 1.0])
        bar.set_label("P(row is better) " + _MINUS + " P(column is better)")
        ticks = np.arange(len(names))
        self.ax_.set_xticks(ticks, lines, rotation=45, ha="right", rotation_mode="anchor")
        self.ax_.set_yticks(ticks, lines)
        self.ax_.set_title("Row minus column,\nin percentage points of accuracy")
        self.text_ = None
        if is_readable:
            cell = min(room_inside(self.ax_, around)) / max(len(names), 1)
            self.text_ = write_cells(self.im_, texts, cell, text_kw)
        return self

    def _matrices(self) -> tuple[list[str], np.ndarray, list[list[str]]]:
        """Return the models, and shade and text of each cell."""
        columns = ["first", "second", "difference", "p_holm", "p_better", "p_worse"]
        require_columns(self.pairs, columns)
        pairs = self.pairs
        found = dict.fromkeys([*pairs["first"], *pairs["second"]])
        names = list(found if self.names is None else self.names)
        if missing := [name for name in found if name not in names]:
            raise ValueError(
                f"names={names!r} lacks {choices(missing)} of the pairs; pass all models, or None."
            )
        rows = {name: row for row, name in enumerate(names)}
        shades = np.zeros((len(names), len(names)))
        texts = [[""] * len(names) for _ in names]
        if len(names) == 1:
            texts = [["no pair"]]
        for pair in pairs.itertuples():
            i, j = rows[pair.first], rows[pair.second]
            shade = np.nan_to_num(pair.p_better - pair.p_worse)
            shades[i, j], shades[j, i] = shade, -shade
            texts[i][j] = _cell(pair.difference, pair.p_holm)
            texts[j][i] = _cell(-pair.difference, pair.p_holm)
        return [str(name) for name in names], shades, texts


def _cell(difference: float, p_value: float) -> str:
    difference = round(difference, 4) + 0.0  # without the sign of a negative zero
    points = f"{100 * difference:+.2f}".replace("-", _MINUS)
    return points if np.isnan(p_value) else f"{points}\n{p_text(p_value)}"
