"""Notebooks of the gallery in Google Colab: what they install, and how a page links to them.

The first cell of each notebook installs fashionkit, with the extras that the page's text names.
Notebooks are copied to the folder ``notebooks`` of the site, and the note at the top of each page
links to Colab, which reads them from the branch that the site is published from. ``repository``
in ``conf.py`` is the address of the repository on GitHub.
"""

import json
import re
import shutil
from pathlib import Path

GALLERY = "auto_examples"
BRANCH = "gh-pages"
FOLDER = "dev/notebooks"  # on that branch

_NOTE = "to download the full example code"
_EXTRAS = re.compile(r"fashionkit\[([\w,]+)\]")


def first_cell(text):
    """Return the code that installs what a page needs, whose text names the extras.

    >>> print(first_cell('It needs ``pip install "fashionkit[dask]"``.'))
    # What this page needs; quick where it is installed already.
    %pip install --quiet "fashionkit[dask]"
    %matplotlib inline
    """
    extras = sorted({name for found in _EXTRAS.findall(text) for name in found.split(",")})
    package = f"fashionkit[{','.join(extras)}]" if extras else "fashionkit"
    return (
        "# What this page needs; quick where it is installed already.\n"
        f'%pip install --quiet "{package}"\n'
        "%matplotlib inline"
    )


def prepare(notebook):
    """Put the installation into a notebook, a dictionary, if it is not there yet."""
    cells = notebook["cells"]
    if cells and "%pip" in "".join(cells[0]["source"]):
        return notebook
    text = "".join("".join(cell["source"]) for cell in cells)
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": first_cell(text).splitlines(keepends=True),
    }
    return {**notebook, "cells": [cell, *cells]}


def address(repository, page):
    """Return where Colab opens the notebook of a page, such as "1_start/plot_2_report"."""
    project = repository.removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{project}/blob/{BRANCH}/{FOLDER}/{page}.ipynb"


def _prepare_all(app):
    for path in Path(app.srcdir, GALLERY).rglob("plot_*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        prepared = prepare(notebook)
        if prepared is not notebook:
            path.write_text(json.dumps(prepared, indent=1), encoding="utf-8")


def _add_link(app, docname, source):
    folder, _, page = docname.partition("/")
    if folder == GALLERY and "/plot_" in docname:
        link = f"`open it in Google Colab <{address(app.config.repository, page)}>`__"
        source[0] = source[0].replace(_NOTE, f"{_NOTE}, or {link}", 1)


def _copy(app, exception):
    if exception is None and app.builder.format == "html":
        gallery = Path(app.srcdir, GALLERY)
        for path in gallery.rglob("plot_*.ipynb"):
            to = Path(app.outdir, "notebooks", path.relative_to(gallery))
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)


def setup(app):
    """Register with Sphinx, after sphinx-gallery has made the notebooks."""
    app.add_config_value("repository", "", "html", (str,))
    app.connect("builder-inited", _prepare_all, priority=900)
    app.connect("source-read", _add_link)
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
