"""A comparison as text, as HTML, and in plain sentences."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fashionkit.comparison import _metrics
from fashionkit.comparison._evaluation import Result

if TYPE_CHECKING:
    import pandas as pd

SIGNIFICANCE = 0.05


def as_text(results: Sequence[Result], differences: pd.DataFrame) -> str:
    """Return an aligned table, followed by a sentence for each difference."""
    rows = [_header(), *map(_cells, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        sized = zip(cells, widths[1:], strict=True)
        lines.append("  ".join([name.ljust(widths[0]), *(cell.rjust(w) for cell, w in sized)]))
    for i, result in enumerate(results, start=1):
        if result.error:
            said = textwrap.shorten(f"failed: {result.error}", 100, placeholder=" ...")
            lines[i] = f"{result.name.ljust(widths[0])}  {said}"
    return "\n".join([*lines, "", *sentences(differences)]).rstrip()


def as_html(results: Sequence[Result], differences: pd.DataFrame) -> str:
    """Return the same as HTML; each heading explains its metric as a tooltip."""
    rows = [_html_header()]
    for result in results:
        if result.error:
            name, error = html.escape(result.name), html.escape(result.error)
            span = len(_header()) - 1
            rows.append(f"<tr><td>{name}</td><td colspan={span}>failed: {error}</td></tr>")
        else:
            cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(result))
            rows.append(f"<tr>{cells}</tr>")
    said = "".join(f"<p>{html.escape(line)}</p>" for line in sentences(differences))
    return f"<table>{''.join(rows)}</table>{said}"


def sentences(differences: pd.DataFrame) -> list[str]:
    """Return a sentence for each difference: within chance, or more than chance."""
    said = []
    for row in differences.itertuples():
        p = "p < 0.001" if row.p_holm < 0.001 else f"p = {row.p_holm:.2g}"
        points = f"{100 * row.difference:.2f} points"
        if row.p_holm < SIGNIFICANCE:
            verdict = f"{row.best} is better than {row.other} by {points}: more than"
        else:
            verdict = f"{row.best} and {row.other} differ by {points}: within"
        said.append(f"{verdict} chance (McNemar {p}).")
    if len(said) > 1:
        said.append(f"(p corrected for {len(said)} tests by Holm's method.)")
    return said


def _header() -> list[str]:
    return ["model", *(metric.label for metric in _metrics.METRICS)]


def _html_header() -> str:
    headings = "".join(
        f'<th title="{html.escape(metric.hint)}">{html.escape(metric.label)}</th>'
        for metric in _metrics.METRICS
    )
    return f"<tr><th>model</th>{headings}</tr>"


def _cells(result: Result) -> list[str]:
    if result.error:
        return [result.name, *[""] * len(_metrics.METRICS)]
    return [result.name, *(metric.text(result.metrics) for metric in _metrics.METRICS)]
