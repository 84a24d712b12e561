"""The checker of the built pages finds what leads nowhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "tools" / "check_links.py"
if not SCRIPT.is_file():
    pytest.skip("not a checkout: there is no docs/", allow_module_level=True)


@pytest.fixture(scope="module")
def check_links():
    spec = importlib.util.spec_from_file_location("check_links", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_missing_files_and_anchors_are_found(check_links, tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">1</a><a href="b.html#gone">2</a><img src="c.png">'
        '<a href="https://example.org/x">3</a>',
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text('<p id="here">text</p>', encoding="utf-8")
    assert check_links.find_dead_links(tmp_path) == [
        "a.html: b.html#gone has no such anchor",
        "a.html: c.png does not exist",
    ]
