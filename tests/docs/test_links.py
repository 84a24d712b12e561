"""Files, pages and public names that the documentation names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fashionkit

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
if not DOCS.is_dir():
    pytest.skip("not a checkout: there is no docs/", allow_module_level=True)

GENERATED = ("auto_examples", "generated", "sg_execution_times.rst")
PAGES = sorted(
    path
    for path in DOCS.rglob("*.rst")
    if not {"_build", "_templates", *GENERATED} & set(path.relative_to(DOCS).parts)
)
MARKDOWN = [path for name in ("README", "CONTRIBUTING") if (path := ROOT / f"{name}.md").exists()]


def ids(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_pages_that_a_page_links_to_exist(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r":doc:`(?:[^`<]*<)?([^`>]+)>?`", text):
        base = DOCS if target.startswith("/") else page.parent
        path = (base / f"{target.lstrip('/')}.rst").resolve()
        if not set(GENERATED) & set(path.parts):
            assert path.is_file(), target


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_files_that_a_page_shows_exist(page):
    text = page.read_text(encoding="utf-8")
    shown = r"^\s*(?:\.\. .*|:)(?:image|figure|include|img-top):+ (\S+)"
    for target in re.findall(shown, text, re.MULTILINE):
        assert (page.parent / target).is_file(), target


@pytest.mark.parametrize("page", MARKDOWN, ids=ids)
def test_files_that_the_readme_links_to_exist(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", text):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_navigation():
    listed = {"index"}
    for page in PAGES:
        for entry in re.findall(r"^   ([\w./-]+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            path = (page.parent / entry).resolve()
            if path.with_suffix(".rst").is_file():
                listed.add(path.relative_to(DOCS.resolve()).as_posix())
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES}
    assert pages <= listed, pages - listed


def test_every_public_name_is_in_the_reference():
    text = (DOCS / "api.rst").read_text(encoding="utf-8")
    listed = {line.strip().rpartition(".")[2] for line in text.splitlines() if line[:3] == "   "}
    modules = {name for name in fashionkit.__all__ if name in fashionkit._SUBMODULES}
    public = set(fashionkit.__all__) - modules - {"__version__", "CLASS_NAMES"}
    assert public <= listed, public - listed


def test_the_report_is_cited_in_full_once():
    pages = [page.name for page in PAGES if ".. [MTech2024]" in page.read_text(encoding="utf-8")]
    assert pages == ["references.rst"]


def test_no_page_names_a_path_of_a_machine():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])/(?:home|root|tmp|work)/", text)
