"""How commands print what comes from files: without what would make a terminal do something."""

from __future__ import annotations

from typing import Any


def harmless(text: Any) -> str:
    """Return a text without characters that would make a terminal do something."""
    return "".join(one if one.isprintable() else "?" for one in str(text))
