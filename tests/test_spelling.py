"""British spelling in docstrings, comments and messages."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

import fashionkit

# American spellings of words that occur in prose on images, fashion and machine learning. "gray" is
# not among them: it is the name of these images in every library that reads them. Optimizers and
# initializers are objects of Keras.
AMERICAN = re.compile(
    r"""\b(?:
        (?:re|pre|de|un)?(?:normal|standard|general|special|real|optim|minim|
            maxim|initial|regular|summar|recogn|organ|categor|visual|util|penal|serial|custom|
            character|memor|emphas|vector|parallel|orthogonal|equal|binar|random|token|priorit|
            quant|discret|digit|synchron|stabil)iz(?:e|es|ed|ing|ation|ations) |
        analyz(?:e|es|ed|er|ing) |
        (?:un|dis)?color(?:s|ed|ing|ful|less)? |
        (?:re)?center(?:s|ed|ing)? | fibers? | liters? | (?:kilo|centi|milli)?meters? |
        behaviors? | neighbor\w* | flavor\w* | favor\w* | honor\w* |
        (?:un|re|mis)?label(?:ed|ing) | model(?:ed|ing) | cancel(?:ed|ing) |
        catalogs? | dialogs? | fulfill | jewelry | pajamas | aluminum | artifacts? | judgments?
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
CODE = re.compile(r"``[^`]*``|:\w+:`[^`]*`|`[^`]*`|\"[^\"]*\"|'\w[^']*'|\w*[_.]\w[\w.]*|https?:\S+")
SIGNATURE = re.compile(r"^ *[\w*, ]+ : .*$", re.MULTILINE)  # the name and type of a parameter
PROMPT = re.compile(r"^ *(?:>>>|\.\.\.) .*(?:\n *\S.*)*", re.MULTILINE)  # with what it prints
NOT_PROSE = ("See Also", "References", "Examples")
FILES = sorted(Path(fashionkit.__file__).parent.rglob("*.py"))


def test_the_pattern_finds_american_spellings_in_prose_alone():
    assert american("The color is normalized.") == ["color", "normalized"]
    assert american('Colours are normalised; see ``color_space`` and the "color" of a name.') == []


def test_code_and_prose_are_told_apart():
    docstring = '"""Colour it.\n\n    >>> color()\n    """'
    source = f"def color():\n    {docstring}\n    normalize  # colours\n"
    assert american("\n".join(prose(source))) == []
    assert american("\n".join(prose("# a color\n"))) == ["color"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_prose_has_british_spelling(path):
    assert american("\n".join(prose(path.read_text(encoding="utf-8")))) == []


def american(text):
    return [found.group() for found in AMERICAN.finditer(CODE.sub(" ", text))]


def prose(source):
    """Yield docstrings without their code, comments, and messages of several words."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith("# type:"):
            yield token.string
    tree = ast.parse(source)
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                docstrings.add(node.body[0].value)
                yield SIGNATURE.sub("", PROMPT.sub("", without_sections(docstring)))
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        is_css = is_text and "; }" in node.value
        if is_text and not is_css and node not in docstrings and len(node.value.split()) > 3:
            yield SIGNATURE.sub("", PROMPT.sub("", without_sections(node.value)))


def without_sections(docstring):
    """Leave out titles of other people's work and names of code."""
    parts = re.split(r"^ *(\w[\w ]*)\n *-{3,}$", docstring, flags=re.MULTILINE)
    kept = [parts[0]]
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        if title not in NOT_PROSE:
            kept.append(text)
    return "\n".join(kept)
