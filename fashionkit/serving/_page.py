"""Page in the browser: its files, and its texts in any language."""

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

from fashionkit.datasets._names import choices

Strings = dict[str, Any]

# Files that the page needs, and their media types.
FILES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_WORD = re.compile(r"\{\{([a-z_]+)\}\}")


@lru_cache
def read_file(name: str) -> str:
    """Return the content of a file of the page."""
    return (resources.files("fashionkit.serving") / "page" / name).read_text("utf-8")


def load_strings(strings: str | os.PathLike[str] | Mapping[str, Any] | None) -> Strings:
    """Return the texts of the page, in English where none is given.

    Parameters
    ----------
    strings : str, path-like, dict or None
        Texts in the form of ``page/strings.json``, or the path of a JSON file of them.

    Returns
    -------
    texts : dict
        All texts, in the form of ``page/strings.json``.

    Raises
    ------
    ValueError
        If the texts are not of that form, or have an unknown key.

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
            raise ValueError(f"strings={str(strings)!r} is not a JSON file: {error}") from error
    for group, values in _mapping(given, "strings").items():
        if group not in texts:
            raise ValueError(f"strings has the key {group!r}; choose from {choices(texts)}.")
        if group == "language":
            texts[group] = str(values)
            continue
        words = {
            str(key): str(value) for key, value in _mapping(values, f"strings[{group!r}]").items()
        }
        unknown = sorted(set(words) - set(texts[group])) if group == "page" else []
        if unknown:
            raise ValueError(
                f"strings['page'] has the unknown key {unknown[0]!r}; choose from "
                f"{choices(texts['page'])}."
            )
        texts[group] |= words
    return texts


def render(strings: Strings) -> str:
    """Return the HTML of the page with its texts."""
    words = {"language": strings["language"], **strings["page"]}
    return _WORD.sub(lambda match: html.escape(words[match[1]]), read_file("index.html"))


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is a {type(value).__name__}, expected a dict of texts.")
    return value
