"""A comparison as text and as a short piece of HTML, for terminals and notebooks."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fashionkit.comparison import _metrics
from fashionkit.comparison._metric import Metric


class Row(NamedTuple):
    """The figures of one model, or the error that ended it."""

    name: str
    values: Mapping[str, float]
    error: str = ""


def as_text(rows: Sequence[Row], sentences: Sequence[str]) -> str:
    """Return an aligned table, followed by the sentences."""
    table = [["model", *(metric.label for metric in _brief())], *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for name, *cells in table:
        sized = zip(cells, widths[1:], strict=True)
        lines.append("  ".join([name.ljust(widths[0]), *(cell.rjust(w) for cell, w in sized)]))
    for i, row in enumerate(rows, start=1):
        if row.error:
            said = textwrap.shorten(f"failed: {row.error}", 100, placeholder=" ...")
            lines[i] = f"{row.name.ljust(widths[0])}  {said}"
    return "\n".join([*lines, "", *sentences]).rstrip()


def as_html(rows: Sequence[Row], sentences: Sequence[str]) -> str:
    """Return the same as HTML; each heading explains its metric as a tooltip."""
    headings = "".join(
        f'<th title="{html.escape(metric.hint)}">{html.escape(metric.label)}</th>'
        for metric in _brief()
    )
    lines = [f"<tr><th>model</th>{headings}</tr>"]
    for row in rows:
        if row.error:
            name, error = html.escape(row.name), html.escape(row.error)
            span = len(_brief())
            lines.append(f"<tr><td>{name}</td><td colspan={span}>failed: {error}</td></tr>")
        else:
            cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(row))
            lines.append(f"<tr>{cells}</tr>")
    said = "".join(f"<p>{html.escape(line)}</p>" for line in sentences)
    return f"<table>{''.join(lines)}</table>{said}"


def _cells(row: Row) -> list[str]:
    if row.error:
        return [row.name, *[""] * len(_brief())]
    return [row.name, *(metric.text(row.values) for metric in _brief())]


def _brief() -> list[Metric]:
    """Return the metrics for which there is room."""
    return [metric for metric in _metrics.METRICS if metric.is_brief]
