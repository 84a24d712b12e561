"""What a comparison shows of its progress: a bar in a terminal, lines elsewhere, or nothing."""

from __future__ import annotations

import sys

import pytest

from fashionkit.comparison._evaluation import Result
from fashionkit.comparison._progress import Progress


@pytest.fixture
def show(monkeypatch, capsys):
    """Return a function that shows five results and returns what was written."""

    def run(is_terminal, is_shown=True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal, raising=False)
        with Progress(["knn", "svm", "tree"], 2, is_shown) as progress:
            for name, part, accuracy in (
                ("knn", "fold 1", 0.8),
                ("knn", "fold 2", 0.9),
                ("svm", "fold 1", 0.95),
                ("svm", "fold 2", None),
            ):
                progress.begin(name)
                metrics = {"accuracy": accuracy, "fit_seconds": 1.25}
                error = "" if accuracy else "RuntimeError: no luck"
                progress.add(Result(name, part, error=error, metrics=metrics))
        captured = capsys.readouterr()
        assert captured.out == ""
        return captured.err

    return run


def test_a_terminal_has_one_bar_with_the_model_and_the_best_so_far(show):
    text = show(is_terminal=True)
    last = text.replace("\n", "").split("\r")[-1]
    assert last.startswith("svm:  67%")
    assert "4/6" in last
    assert "best: svm 95.00 %" in last


def test_what_is_no_terminal_gets_a_line_for_each_finished_model(show):
    assert show(is_terminal=False).splitlines() == [
        "1/3 knn: 85.00 %, fitted in 1.2 s",
        "2/3 svm: failed: RuntimeError: no luck",
    ]


def test_nothing_is_shown_unless_asked_for(show):
    assert show(is_terminal=True, is_shown=False) == ""
    assert show(is_terminal=False, is_shown=False) == ""
