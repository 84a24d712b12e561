"""How does a comparison read: as text, as HTML, and in plain sentences."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fashionkit.comparison._evaluation import Result

if TYPE_CHECKING:
    import pandas as pd

SIGNIFICANCE = 0.05

_DASH = "\N{EN DASH}"
_HEADER = (
    "model",
    "accuracy",
    "95% interval",
    "log loss",
    "macro F1",
    "fit",
    "predict",
)


def as_text(results: Sequence[Result], differences: pd.DataFrame) -> str:
    """Return an aligned table, and under it what its differences mean."""
    rows = [_HEADER, *map(_cells, results)]
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
    """Return the same as HTML."""
    rows = [_row(_HEADER, "th")]
    for result in results:
        if result.error:
            name, error = html.escape(result.name), html.escape(result.error)
            span = len(_HEADER) - 1
            rows.append(f"<tr><td>{name}</td><td colspan={span}>failed: {error}</td></tr>")
        else:
            rows.append(_row(_cells(result), "td"))
    said = "".join(f"<p>{html.escape(line)}</p>" for line in sentences(differences))
    return f"<table>{''.join(rows)}</table>{said}"


def sentences(differences: pd.DataFrame) -> list[str]:
    """Say of each difference whether it is within chance."""
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


def _cells(result: Result) -> tuple[str, ...]:
    if result.error:
        return (result.name, *[""] * (len(_HEADER) - 1))
    low, high = 100 * result.accuracy_low, 100 * result.accuracy_high
    return (
        result.name,
        f"{result.accuracy:.2%}",
        f"{low:.1f}{_DASH}{high:.1f}",
        _DASH if math.isnan(result.log_loss) else f"{result.log_loss:.4f}",
        f"{result.macro_f1:.2%}",
        f"{result.fit_seconds:.1f} s",
        f"{result.predict_ms_per_image:.3f} ms/image",
    )


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
