"""Figures of matplotlib as SVG inside of a page, in the colours of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

from matplotlib import style
from matplotlib.colors import to_hex

from fashionkit.plotting._axes import figure_for_file
from fashionkit.plotting._colors import model_style

# Colours that stand for those of the page: none of them occurs in a figure otherwise.
INK, FAINT = "#1c1d1f", "#b4b5b7"
_PAGE = {INK: "--ink", FAINT: "--line"}
_N_SERIES = 6

_STYLE: dict[Any, Any] = {
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "figure.facecolor": "none",
    "font.size": 10,
    "grid.color": FAINT,
    "legend.facecolor": "none",
    "legend.edgecolor": "none",
    "legend.framealpha": 0,
    "legend.labelcolor": INK,
    "patch.edgecolor": INK,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def draw_svg(name: str, draw: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """Draw a display and return it as an SVG element for a page.

    Parameters
    ----------
    name : str
        Prefix of all its ids, which no other figure of the page has.

    draw : callable
        A method of a display with a parameter ``ax``.

    *arguments, **options : object
        Other arguments of the method.

    Returns
    -------
    svg : str
        The element, without attributes of a fixed size; its colours are variables of the page,
        its text is text.
    """
    with style.context({**_STYLE, "svg.hashsalt": name}, after_reset=True):
        figure = figure_for_file(draw, *arguments, **options)
        for ax in figure.axes:
            ax.set_title("")  # the page has it
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=_NO_METADATA)
        colors = [to_hex(model_style(i, figure.axes[0])["color"]) for i in range(_N_SERIES)]
    series = {color: f"--series-{i}" for i, color in enumerate(colors)}
    return _embed(file.getvalue(), name, _PAGE | series)


def _embed(text: str, name: str, variables: Mapping[str, str]) -> str:
    """Cut the element out of an SVG file, and adapt it to the page."""
    svg = text[text.index("<svg") :].strip()
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="([\d.]+)pt"', r'\1 style="--width: \2pt"', svg, count=1)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{name}-", svg)
    svg = re.sub(r"(font: )?([\d.]+px) [^;\"]*(?=[;\"])", r"\1\2 sans-serif", svg)
    for color, variable in variables.items():
        svg = svg.replace(color, f"var({variable})")
    return svg.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-title {name}-text" ', 1)
