"""Texts that several docstrings share, each written once."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

Documented = TypeVar("Documented", bound=Callable[..., Any])


def substitute(**texts: str) -> Callable[[Documented], Documented]:
    """Return a decorator that replaces each line ``{name}`` of a docstring by a text.

    Parameters
    ----------
    **texts : str
        Texts by name; they take the indentation of the line.

    Returns
    -------
    decorator : callable
        From a function or class to the same.
    """

    def decorate(documented: Documented) -> Documented:
        if documented.__doc__:  # None under python -OO
            documented.__doc__ = re.sub(r"^( *)\{(\w+)\}$", fill, documented.__doc__, flags=re.M)
        return documented

    def fill(line: re.Match[str]) -> str:
        indent, name = line.groups()
        return textwrap.indent(textwrap.dedent(texts[name]).strip(), indent)

    return decorate
