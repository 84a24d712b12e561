"""The report of a comparison: one HTML file that needs no other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fashionkit._files import write_whole


def write_report(comparison: Any, path: str | os.PathLike[str]) -> Path:
    """Write the report."""
    return write_whole(Path(path), lambda part: part.write_text(comparison._repr_html_()))
