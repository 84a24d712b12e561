"""Docstrings: what every public name documents, and how."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import docutils.nodes
import pytest
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate
from public import MODULES, full_names, methods

NAMES = full_names()

SETTINGS = get_default_settings(Parser)
SETTINGS.report_level = 5  # it does not know the roles of Sphinx
SETTINGS.warning_stream = False

# As in scikit-learn's own test: our docstrings begin on the line of the quotes, a return value has
# a name, and few summaries need more text.
IGNORED = {"GL01", "RT02", "ES01"}
# A method is illustrated and linked where its class is; a generator has "Yields".
IGNORED_IN_METHODS = IGNORED | {"EX01", "SA01", "RT01"}
NOT_CONSTRUCTED = {"fashionkit.Comparison": {"PR01"}}  # by users: compare_models makes it

OTHER_LIBRARIES = ("joblib.", "matplotlib.", "skimage.")  # not imported here


def names_of(name):
    """Return a public name, and those of its methods."""
    is_class = inspect.isclass(NAMES[name])
    return [name, *(f"{name}.{each}" for each in methods(NAMES[name]))] if is_class else [name]


def resolve(name):
    """Return the object with a full name; None where there is none."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:n]))
        except ImportError:
            continue
        for part in parts[n:]:
            found = getattr(found, part, None)
        return found
    return None


def docstring(name):
    owner, _, attribute = name.rpartition(".")
    found = inspect.getattr_static(resolve(owner), attribute)  # a property, not its value
    return inspect.getdoc(getattr(found, "__func__", found)) or ""


DOCUMENTED = {
    "fashionkit.CLASS_NAMES",
    *MODULES,
    *(each for name in NAMES for each in names_of(name)),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_documented_with_an_example_and_links(name):
    ignored = IGNORED | NOT_CONSTRUCTED.get(name, set())
    assert [error for error in validate(name)["errors"] if error[0] not in ignored] == []


@pytest.mark.parametrize("name", [name for name in NAMES if inspect.isclass(NAMES[name])])
def test_the_methods_of_a_public_class_are_documented(name):
    errors = [
        (method, *error)
        for method in names_of(name)[1:]
        for error in validate(method)["errors"]
        if error[0] not in IGNORED_IN_METHODS
    ]
    assert errors == []


def has_page(target, near):
    """Tell whether Sphinx finds a name: a documented one of ours, or that of another library."""
    scopes = (near, near.rpartition(".")[0], "")
    if any(f"{scope}.{target}".strip(".") in DOCUMENTED for scope in scopes):
        return True
    if target.startswith(OTHER_LIBRARIES):
        return True
    return not target.startswith("fashionkit") and resolve(target) is not None


@pytest.mark.parametrize("name", NAMES)
def test_what_docstrings_refer_to_has_a_page(name):
    attributes = ", ".join(entry.name for entry in NumpyDocString(docstring(name))["Attributes"])
    missing = []
    for each in names_of(name):
        text = docstring(each)
        targets = re.findall(r":(?:class|func|meth|attr|data|mod):`~?([\w.]+)`", text)
        entries = NumpyDocString(text)["See Also"]
        targets += [target for group, _ in entries for target, _role in group]
        for target in targets:
            if target not in attributes.split(", ") and not has_page(target, name):
                missing.append((each, target))
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_initials_of_authors_do_not_become_lists(name):
    found = []
    for each in names_of(name):
        document = new_document(each, SETTINGS)
        Parser().parse(docstring(each), document)
        found += [
            (each, each_list.astext())
            for each_list in document.findall(docutils.nodes.enumerated_list)
            if each_list["enumtype"] != "arabic"
        ]
    assert found == []
