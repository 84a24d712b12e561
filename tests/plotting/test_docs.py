"""Documentation that several functions share."""

from __future__ import annotations

import inspect
import re

import pytest

from fashionkit import plotting
from fashionkit.datasets._docs import substitute
from fashionkit.plotting._docs import PARAMETERS

PUBLIC = {name: getattr(plotting, name) for name in plotting.__all__}
FUNCTIONS = {
    **{name: public for name, public in PUBLIC.items() if not inspect.isclass(public)},
    **{
        f"{display.__name__}.{name}": method
        for display in PUBLIC.values()
        if inspect.isclass(display)
        for name, method in inspect.getmembers(display, callable)
        if not name.startswith("_")
    },
}


def test_a_line_is_replaced_at_its_indentation():
    @substitute(
        thing="""
        thing : int
            Number of things.
        """
    )
    def function():
        """Do it.

        {thing}

        Not {thing}, nor this:
            {thing}
        """

    lines = inspect.getdoc(function).splitlines()
    assert lines[2:4] == ["thing : int", "    Number of things."]
    assert lines[5:] == [
        "Not {thing}, nor this:",
        "    thing : int",
        "        Number of things.",
    ]


def test_a_function_without_a_docstring_stays_without():
    assert substitute()(lambda: None).__doc__ is None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_documented_once_and_in_order(name):
    function = FUNCTIONS[name]
    doc = inspect.getdoc(function)
    assert not re.search(r"^ *\{\w+\}$", doc, flags=re.MULTILINE)
    parameters = doc.split("\nReturns\n")[0]
    documented = re.findall(r"^(\w+) : ", parameters, flags=re.MULTILINE)
    expected = [name for name in inspect.signature(function).parameters if name != "self"]
    assert documented == expected


def test_every_shared_text_begins_with_its_name():
    for name, text in PARAMETERS.items():
        assert text.strip().startswith(f"{name.removeprefix('two_')} : ")
