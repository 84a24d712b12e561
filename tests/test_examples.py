"""The gallery: its pages are whole, run without a network, and open as notebooks in Colab."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import fashionkit

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "examples").glob("*/plot_*.py"))
# Pages whose fallback needs no more than what the tests have, and a minute.
NOTEBOOKS = ["1_start/plot_3_photos", "7_scale_and_serve/plot_3_onnx"]
# What a page cannot do without, by the extra that its text names.
MODULES = {"dask": "distributed", "onnx": "tf2onnx", "serve": "fastapi", "sift": "cv2"}

pytestmark = pytest.mark.skipif(not PAGES, reason="the examples are not installed")


def name(page):
    return page.relative_to(ROOT / "examples").with_suffix("").as_posix()


@pytest.fixture(scope="module")
def colab():
    spec = importlib.util.spec_from_file_location("colab", ROOT / "docs" / "_ext" / "colab.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def offline(tmp_path):
    """Variables for a process that finds no data, and no network to fetch some."""
    folder = tmp_path / "empty"
    folder.mkdir()
    nowhere = "http://127.0.0.1:9"
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    return {
        **os.environ,
        **dict.fromkeys(names, nowhere),
        "FASHIONKIT_DATA": str(folder),
        "HOME": str(folder),
        "KERAS_HOME": str(folder),
        "MPLBACKEND": "Agg",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "TQDM_DISABLE": "1",
        "XDG_CACHE_HOME": str(folder),
    }


@pytest.fixture(scope="module")
def gallery_conf():
    gen_gallery = pytest.importorskip("sphinx_gallery.gen_gallery")
    return {**gen_gallery.DEFAULT_GALLERY_CONF, "remove_config_comments": True}


def notebook(page, gallery_conf, colab):
    """Return the notebook of a page, as the site has it."""
    from sphinx_gallery.notebook import jupyter_notebook
    from sphinx_gallery.py_source_parser import split_code_and_text_blocks

    _, blocks = split_code_and_text_blocks(str(page))
    return colab.prepare(jupyter_notebook(blocks, gallery_conf, str(page.parent)))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_page_has_a_title_and_an_introduction(page):
    text = ast.get_docstring(ast.parse(page.read_text(encoding="utf-8")))
    title, underline, _, introduction = text.split("\n", 3)
    assert underline == "=" * len(title)
    assert introduction.strip()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_page_imports_public_names_only(page):
    for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "fashionkit":
            module = importlib.import_module(node.module)
            assert {alias.name for alias in node.names} <= {*module.__all__}, node.module


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_section_of_a_page_is_underlined_as_long_as_its_title(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    for above, below in pairwise(lines):
        if re.fullmatch(r"# -{3,}", below):
            assert len(above) == len(below), above


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_page_falls_back_to_drawings(page):
    code = page.read_text(encoding="utf-8")
    assert "make_garments(" in code
    if "fetch_" in code:
        assert "except OSError" in code


def test_every_section_has_a_description_and_a_number():
    folders = sorted({page.parent for page in PAGES})
    assert [folder.name[0] for folder in folders] == [str(i + 1) for i in range(len(folders))]
    assert all((folder / "README.rst").is_file() for folder in folders)


def test_the_first_cell_installs_the_extras_that_a_page_speaks_of(colab):
    text = 'It needs ``pip install "fashionkit[serve]"`` and ``"fashionkit[onnx,search]"``.'
    assert '"fashionkit[onnx,search,serve]"' in colab.first_cell(text)
    assert colab.first_cell("nothing").splitlines()[1] == '%pip install --quiet "fashionkit"'


def test_a_notebook_gets_its_first_cell_once(colab):
    page = {"cells": [{"cell_type": "markdown", "source": ["text"]}]}
    once = colab.prepare(page)
    assert len(once["cells"]) == 2
    assert colab.prepare(once) == once


def test_links_lead_to_colab_by_way_of_the_repository(colab):
    assert colab.address("https://github.com/someone/project", "1_start/plot_1") == (
        "https://colab.research.google.com/github/someone/project/blob/"
        f"{colab.BRANCH}/{colab.FOLDER}/1_start/plot_1.ipynb"
    )


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_notebook_begins_with_an_installation_and_is_valid(page, gallery_conf, colab):
    nbformat = pytest.importorskip("nbformat")
    content = nbformat.reads(json.dumps(notebook(page, gallery_conf, colab)), as_version=4)
    nbformat.validate(content)
    assert "%pip install" in content["cells"][0]["source"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_page_runs_without_data_and_network(page, offline, tmp_path):
    for extra in re.findall(r"fashionkit\[(\w+)\]", page.read_text(encoding="utf-8")):
        pytest.importorskip(MODULES[extra])
    done = subprocess.run(
        [sys.executable, str(page)], cwd=tmp_path, env=offline, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", NOTEBOOKS)
def test_notebooks_run_without_a_display(page, gallery_conf, colab, offline, tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    content = notebook(ROOT / "examples" / f"{page}.py", gallery_conf, colab)
    cells = nbformat.reads(json.dumps(content), as_version=4)
    # The package that is tested takes the place of what it would install.
    assert f'"{fashionkit.__name__}' in cells["cells"][0]["source"]
    cells["cells"][0]["source"] = "%matplotlib inline"
    for key, value in offline.items():
        monkeypatch.setenv(key, value)
    done = nbclient.NotebookClient(
        cells, timeout=900, resources={"metadata": {"path": str(tmp_path)}}
    )
    done.execute()
    outputs = [out for cell in cells["cells"] for out in cell.get("outputs", [])]
    assert any("image/png" in out.get("data", {}) for out in outputs)
