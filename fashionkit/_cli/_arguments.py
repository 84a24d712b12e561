"""What arguments of commands may be."""

from __future__ import annotations

import argparse
from typing import NoReturn


def positive(text: str) -> int:
    """Return a whole number of at least 1."""
    return _whole(text, 1)


def folds(text: str) -> int:
    """Return a whole number of at least 2."""
    return _whole(text, 2)


def jobs(text: str) -> int:
    """Return a whole number other than 0."""
    if not text.isascii() or not text.removeprefix("-").isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number other than 0")
    return int(text)


def port(text: str) -> int:
    """Return the number of a port, 0 for any."""
    if not text.isascii() or not text.isdigit() or int(text) >= 2**16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {2**16 - 1}")
    return int(text)


def seed(text: str) -> int:
    """Return a seed of NumPy."""
    if not text.isascii() or not text.isdigit() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {2**32 - 1}")
    return int(text)


def _whole(text: str, least: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return int(text)


def share(text: str) -> float:
    """Return a number between 0 and 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1")
    return value


def refuse_model(parser: argparse.ArgumentParser, name: str) -> NoReturn:
    """Exit with one line that names the most similar model."""
    from fashionkit.models import nearest_models

    (nearest,) = nearest_models(name, n=1)
    parser.exit(
        2,
        f"{parser.prog}: error: unknown model {name!r}; the nearest is {nearest!r}, and "
        f"{parser.prog} --help lists all\n",
    )
