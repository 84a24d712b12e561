"""Libraries that only some need, and which extra has them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def require(module: str, extra: str) -> Any:
    """Import a library, or say how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f'this needs {module}, which is not installed: pip install "fashionkit[{extra}]".'
        ) from error
