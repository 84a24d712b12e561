"""Consistency of the public interface: pages, tests, order of parameters, length of modules."""

from __future__ import annotations

import inspect
import re
from itertools import combinations
from pathlib import Path

import pytest
from public import full_names, methods

import fashionkit

ROOT = Path(fashionkit.__file__).parents[1]
NAMES = full_names()

# Parameters in an order of their own, and why.
OWN_ORDER = {
    "BoundedKNeighborsClassifier",  # scikit-learn's
    "train_photos",  # in the order of its steps
    "Augmentation",  # its image_shape is for flat rows alone, which few pass
}
MAX_LINES = 450
LONG = {
    "neural/_transfer.py": "the signature and the text of 40 parameters are more than half of it",
    "search/_image_search.py": "one estimator, of which each method documents a table",
}


def test_every_public_name_is_in_the_reference():
    reference = ROOT / "docs" / "api.rst"
    if not reference.exists():
        pytest.skip("not a checkout: there is no docs/api.rst")
    listed, module = set(), ""
    for line in reference.read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\.\. currentmodule:: (\S+)", line):
            module = found.group(1)
        elif found := re.fullmatch(r"   ([\w.]+)", line):
            listed.add(f"{module}.{found.group(1)}")
    # Some modules have one page for all that is in them.
    missing = [name for name in NAMES if not {name, name.rpartition(".")[0]} & listed]
    assert missing == []


def test_every_public_name_is_tested():
    tests = Path(__file__).parent
    words = set()
    for path in tests.rglob("test_*.py"):
        if path != Path(__file__):
            words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    assert [name for name in NAMES if name.rpartition(".")[2] not in words] == []


def test_parameters_have_one_order():
    orders: dict[tuple[str, str], list[str]] = {}
    for function, parameters in keyword_parameters():
        for pair in combinations(parameters, 2):
            orders.setdefault(pair, []).append(function)
    contradictions = {
        pair: (functions, orders[pair[::-1]])
        for pair, functions in orders.items()
        if pair < pair[::-1] and pair[::-1] in orders
    }
    assert contradictions == {}


def keyword_parameters():
    """Yield the public functions, classes and methods with their keyword-only parameters."""
    for name, value in NAMES.items():
        callables = {name.rpartition(".")[2]: value}
        if inspect.isclass(value):
            callables |= {method: getattr(value, method) for method in methods(value)}
        for function, found in callables.items():
            is_error = inspect.isclass(found) and issubclass(found, Exception)
            if is_error or function in OWN_ORDER or not callable(found):
                continue
            parameters = inspect.signature(found).parameters.values()
            kind = inspect.Parameter.KEYWORD_ONLY
            yield function, [each.name for each in parameters if each.kind == kind]


def test_modules_are_short_or_say_why_not():
    package = ROOT / "fashionkit"
    long = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES
    }
    assert long == set(LONG)


def test_progress_bars_are_those_of_the_notebook_where_there_is_one():
    package = ROOT / "fashionkit"
    others = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"^ *(?:from|import) tqdm\b(?!\.auto)", path.read_text(encoding="utf-8"), re.M)
    ]
    assert [path for path in others if not path.startswith("_cli/")] == []  # a terminal
