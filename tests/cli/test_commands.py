"""The commands: a new one needs a module with ``add_parser`` and its name in the list."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from fashionkit import _cli
from fashionkit._cli import main


@pytest.fixture
def toy(monkeypatch):
    """Add a command in the one place that names commands; return what it was called with."""
    calls = []

    def run(arguments):
        calls.append(arguments.number)
        if arguments.number < 0:
            raise ValueError(f"number={arguments.number} is negative;\npass one of at least 0.")
        sys.stdout.write(f"toy of {arguments.number}\n")
        return 3

    def add_parser(commands):
        parser = commands.add_parser("toy", help="say a number")
        parser.add_argument("number", type=int)
        parser.set_defaults(run=run)

    module = SimpleNamespace(add_parser=add_parser)
    monkeypatch.setattr(_cli, "COMMANDS", (*_cli.COMMANDS, module))
    return calls


def test_a_new_command_runs_and_its_status_is_returned(toy, capsys):
    assert main(["toy", "7"]) == 3
    assert toy == [7]
    assert capsys.readouterr().out == "toy of 7\n"


def test_a_new_command_is_listed_beside_the_others(toy, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    listed = capsys.readouterr().out
    assert "toy" in listed
    assert "say a number" in listed
    assert "compare" in listed


def test_errors_of_a_new_command_are_one_line(toy, capsys):
    assert main(["toy", "--", "-1"]) == 1
    assert capsys.readouterr().err == (
        "fashionkit: error: number=-1 is negative; pass one of at least 0.\n"
    )


def test_a_command_that_is_not_registered_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["toy", "7"])
    assert stop.value.code == 2
    assert "toy" in capsys.readouterr().err
