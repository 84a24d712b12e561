"""The HTML of a comparison in a browser: what a notebook's reader sees."""

from __future__ import annotations

import html
import json
import re
import subprocess

import pytest
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier

from fashionkit import compare_models
from fashionkit.comparison import _metrics

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--dump-dom",
)
# Writes the cells of every visible row, and every paragraph, into the page's title.
SCRIPT = """
const seen = element => element.offsetHeight > 0 && element.offsetWidth > 0;
const texts = elements => [...elements].filter(seen).map(element => element.innerText);
document.title = JSON.stringify({
  rows: [...document.querySelectorAll("tr")].filter(seen).map(row => texts(row.cells)),
  sentences: texts(document.querySelectorAll("p")),
});
"""

pytestmark = pytest.mark.browser


@pytest.fixture
def render(tmp_path, browser):
    """Return a function that opens HTML in a browser and returns what is visible."""

    def visible(markup):
        page = tmp_path / "page.html"
        body = f"<!doctype html><meta charset=utf-8>{markup}<script>{SCRIPT}</script>"
        page.write_text(body, encoding="utf-8")
        command = [browser, *OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)
        assert done.returncode == 0, done.stderr
        (title,) = re.findall(r"<title>(.*?)</title>", done.stdout, flags=re.DOTALL)
        return json.loads(html.unescape(title))

    return visible


def test_a_browser_shows_the_table_with_its_rows_and_sentences(render, garments):
    X, y = garments[0].reshape(300, -1), garments[1]
    models = {"<b>knn</b> & co": KNeighborsClassifier(3), "guess": DummyClassifier()}
    comparison = compare_models(models, X[:100], y[:100], X_test=X[100:200], y_test=y[100:200])
    shown = render(comparison._repr_html_())

    header, *rows = shown["rows"]
    assert header == ["model", *(metric.label for metric in _metrics.METRICS)]
    assert [row[0] for row in rows] == ["<b>knn</b> & co", "guess"]
    text = str(comparison).splitlines()
    for row, line in zip(rows, text[1:3], strict=True):
        assert " ".join(row) == " ".join(line.split())
    assert shown["sentences"] == text[4:]
