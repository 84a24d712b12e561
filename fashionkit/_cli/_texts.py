"""How commands print text in a terminal."""

from __future__ import annotations

import textwrap
from typing import Any

_WIDTH = 80


def harmless(text: Any) -> str:
    """Return a text without characters that would make a terminal do something."""
    return "".join(one if one.isprintable() else "?" for one in str(text))


def fill(text: str, indent: str = "") -> str:
    """Break lines at spaces only: names have hyphens."""
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
