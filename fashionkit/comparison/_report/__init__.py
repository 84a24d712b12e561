"""The report of a comparison: one HTML file that needs no other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fashionkit._files import write_whole

if TYPE_CHECKING:
    from fashionkit.comparison._comparison import Comparison


def write_report(comparison: Comparison, path: str | os.PathLike[str]) -> Path:
    """Write the report; the arguments are those of ``Comparison.to_html``."""
    from fashionkit.comparison._report._render import render

    text = render(comparison)
    return write_whole(Path(path).expanduser(), lambda part: part.write_text(text, "utf-8"))
