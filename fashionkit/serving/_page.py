"""The page in the browser: its files, and its words in any language."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

Strings = dict[str, Any]

# What is served beside the page itself, and as what.
FILES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_WORD = re.compile(r"\{\{([a-z_]+)\}\}")


@lru_cache
def read_file(name: str) -> str:
    """Return the text of a file of the page."""
    return (resources.files("fashionkit.serving") / "page" / name).read_text("utf-8")


def load_strings(strings: str | os.PathLike[str] | Mapping[str, Any] | None) -> Strings:
    """Return all texts of the page: given ones, and in English what they lack.

    Parameters
    ----------
    strings : path-like, dict or None
        Texts in the form of ``page/strings.json``, or the file of them.

    Raises
    ------
    ValueError
        If they have a text that the page has not, or are no such texts.

    OSError
        If the file cannot be read.
    """
    texts: Strings = json.loads(read_file("strings.json"))
    if strings is None:
        return texts
    given: Any = strings
    if not isinstance(strings, Mapping):
        try:
            given = json.loads(Path(strings).expanduser().read_text("utf-8"))
        except ValueError as error:
            raise ValueError(f"strings={str(strings)!r} is no JSON: {error}") from error
    for group, values in _mapping(given, "strings").items():
        if group not in texts:
            raise ValueError(f"strings has {group!r}, expected some of {', '.join(texts)}.")
        if group == "language":
            texts[group] = str(values)
            continue
        words = {
            str(key): str(value) for key, value in _mapping(values, f"strings[{group!r}]").items()
        }
        unknown = sorted(set(words) - set(texts[group])) if group == "page" else []
        if unknown:
            raise ValueError(
                f"strings['page'] has {unknown[0]!r}, which the page has no place for."
            )
        texts[group] |= words
    return texts


def render(strings: Strings) -> str:
    """Return the page with its texts."""
    words = {"language": strings["language"], **strings["page"]}
    return _WORD.sub(lambda match: html.escape(words[match[1]]), read_file("index.html"))


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is a {type(value).__name__}, expected a mapping of texts.")
    return value
