"""The command ``fashionkit``: one file for each of its commands.

A command is a module with ``add_parser(commands)``, which adds its parser and names the function to
call, ``parser.set_defaults(run=...)``. That function takes the parsed arguments, calls public
functions, prints, and returns the exit status: 0 for success, 1 for an error or a model that
failed, 2 for arguments that cannot be understood, and 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

import fashionkit
from fashionkit._cli import classify, compare, duplicates, index, inspect, search, serve, train

COMMANDS = (compare, train, classify, serve, index, search, duplicates, inspect)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, default=None
        The arguments, by default those of the process.

    Returns
    -------
    status : int
        The exit status.
    """
    arguments = _parser().parse_args(argv)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a dash is no error
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            return arguments.run(arguments)
        except (OSError, ValueError) as error:
            print(f"fashionkit: error: {_one_line(error)}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nfashionkit: interrupted", file=sys.stderr)
            return 130


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, with the option that was probably meant."""

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"unrecognized arguments: (--?\w[\w-]*)", message)
        if unknown:
            options = [
                option for parser in _parsers(self) for option in parser._option_string_actions
            ]
            nearest = get_close_matches(unknown[1], options, n=1)
            message += f"; the nearest option is {nearest[0]}" if nearest else ""
        self.exit(2, f"{self.prog}: error: {message}\n")


def _parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Return a parser and those of its commands: unknown options are reported by the former."""
    inner = [
        one
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for one in action.choices.values()
    ]
    return [parser, *inner]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fashionkit", description="Classify images of fashion articles.")
    parser.add_argument(
        "--version", action="version", version=f"fashionkit {fashionkit.__version__}"
    )
    commands = parser.add_subparsers(metavar="command", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    from tqdm import tqdm

    tqdm.write(f"fashionkit: warning: {_one_line(message)}", file=sys.stderr)


def _one_line(message: Any) -> str:
    return re.sub(r"^\[Errno -?\d+\] ", "", " ".join(str(message).split()))
