"""Every block of code in Getting started, the guide and the README runs.

A comment before a block says where it cannot run in every test: ``.. slow: why`` runs nightly,
``.. realdata: what`` where the data are found, ``.. extra: name`` where the extra is installed, and
``.. not run: why`` never.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import doc_blocks
import matplotlib
import matplotlib.pyplot as plt
import pytest
from PIL import Image

import fashionkit
from fashionkit import make_garments

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MODULES = {"onnx": "tf2onnx", "sift": "cv2", "serve": "fastapi", "search": "faiss"}
NEVER_REBOUND = {"X", "y", "X_train", "X_test", "y_train", "y_test", "clf"}

if not DOCS.is_dir():
    pytest.skip("not a checkout: there is no docs/", allow_module_level=True)


def pages():
    """Return the pages whose blocks run as they are, from drawn images."""
    return sorted([*DOCS.glob("guide/*.rst"), *DOCS.glob("coming_from/*.rst")])


def read(page):
    """Return the blocks of a page that are to be run."""
    return [block for block in doc_blocks.read_blocks(page) if "not run" not in block.marks]


def assert_extra(block):
    """Skip what needs a package that is not installed."""
    name = block.marks.get("extra")
    if name and importlib.util.find_spec(MODULES[name]) is None:
        pytest.skip(f"needs the extra {name}")


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """Work in a folder with photos, and leave no figure open."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: None)
    images, labels = make_garments(200, random_state=0)
    for label, name in ((3, "dress"), (7, "shoe")):
        for row, image in enumerate(images[labels == label][:12]):
            folder = tmp_path / ("photos" if row < 10 else "new-photos") / name
            folder.mkdir(parents=True, exist_ok=True)
            _photo(image).save(folder / f"{row}.png")
    _photo(images[labels == 6][0]).save(tmp_path / "shirt.jpg")
    _photo(images[labels == 9][0]).save(tmp_path / "boots.jpg")
    with matplotlib.rc_context({"figure.max_open_warning": 0}):
        yield tmp_path
    plt.close("all")


def _photo(image):
    return Image.fromarray(255 - image).convert("RGB").resize((64, 64))


def run(blocks, names=None):
    """Run the blocks of a page in their order, in one namespace."""
    names = {"__name__": "__main__"} if names is None else names
    for block in blocks:
        block.run(names)
    return names


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_blocks_of_the_guide_run_in_order(page, in_folder):
    plain = []
    for block in read(page):
        if not block.marks.keys() & {"slow", "realdata"}:
            assert_extra(block)
            plain.append(block)
    if not plain:
        pytest.skip("all blocks of this page need real data")
    run(plain)


def marked_pages(mark):
    """Return the pages with a block of this mark."""
    others = [DOCS / "getting_started.rst", *sorted(DOCS.glob("tutorials/*.rst"))]
    return [
        page for page in [*pages(), *others] if any(mark in block.marks for block in read(page))
    ]


@pytest.mark.realdata
@pytest.mark.filterwarnings("ignore:weights='imagenet'.*could not be reached:UserWarning")
@pytest.mark.parametrize("page", marked_pages("realdata"), ids=lambda page: page.stem)
def test_blocks_that_need_real_data_run_where_there_are_some(page, in_folder):
    _skip_without_real_data(page)
    run([block for block in read(page) if "slow" not in block.marks])


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.filterwarnings("ignore:weights='imagenet'.*could not be reached:UserWarning")
@pytest.mark.parametrize("page", marked_pages("slow"), ids=lambda page: page.stem)
def test_slow_blocks_run_at_night(page, in_folder):
    _skip_without_real_data(page)
    run(read(page))


def _skip_without_real_data(page):
    try:
        fashionkit.fetch_fashion_mnist("test", download_if_missing=False)
        if "fetch_clothing_photos" in page.read_text(encoding="utf-8"):
            fashionkit.fetch_clothing_photos("validation", download_if_missing=False)
    except OSError as error:
        pytest.skip(f"needs real data: {error}")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_no_block_rebinds_the_data_or_the_model_of_its_page(page):
    seen: set[str] = set()
    for block in read(page):
        source = block.source
        if block.is_doctest:
            source = "\n".join(
                line[4:] for line in source.splitlines() if re.match(r"(>>>|\.\.\.)( |$)", line)
            )
        bound = {
            node.id
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        } & NEVER_REBOUND
        assert not bound & seen, f"line {block.line} rebinds {bound & seen}"
        seen |= bound


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_every_page_of_the_guide_shows_output(page):
    if "data" in page.stem or not read(page):
        pytest.skip("nothing to show")
    text = page.read_text(encoding="utf-8")
    assert re.search(r"^ +>>> .*\n(?: +\.\.\. .*\n)* +(?!>>>)\S", text, re.MULTILINE) or (
        "print(" in text or "{" in text
    )
