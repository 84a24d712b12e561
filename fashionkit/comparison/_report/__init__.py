"""The report of a comparison: one HTML file that needs no other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def write_report(comparison: Any, path: str | os.PathLike[str]) -> Path:
    """Write the report."""
    raise NotImplementedError
