"""The HTML of a comparison in a browser: what readers of notebooks and of reports see."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from fashionkit.comparison._metrics import METRICS

pytestmark = pytest.mark.browser

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SKILLS = {"<b>knn</b> & co": 0.9, "tree": 0.6, "guess": 0.3}


@pytest.fixture(scope="module")
def comparison(made_up):
    return made_up(SKILLS, cv=2, failed=["broken"], class_names=["shirt", "coat", "bag"])


@pytest.fixture(scope="module")
def chromium(browser):
    with sync_playwright() as started:
        options = {"executable_path": browser, "args": ["--no-sandbox", "--disable-gpu"]}
        running = started.chromium.launch(**options)
        yield running
        running.close()


@pytest.fixture(scope="module")
def opened(chromium, comparison, tmp_path_factory):
    """Return the report in a browser, and what it asked for and complained of since."""
    path = comparison.to_html(tmp_path_factory.mktemp("report") / "report.html")
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    yield page, asked, said
    page.close()


@pytest.fixture
def report(opened):
    """Return the report as it is when it has just been opened."""
    page, asked, said = opened
    page.emulate_media(color_scheme="light", media="screen")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.reload()
    yield page
    outside = [url for url in asked if not url.startswith(("file:", "data:"))]
    assert (outside, said) == ([], [])


def names(page):
    """Return the names in the visible rows of the table of models."""
    cells = page.locator("#table-models-test tbody tr:visible th .name")
    return [text.partition("\N{NO-BREAK SPACE}")[0] for text in cells.all_inner_texts()]


def sort_by(page, label):
    heading = page.locator("#table-models-test thead th").filter(has_text=label).first
    heading.get_by_role("button").click()
    return heading.get_attribute("aria-sort")


def test_a_notebook_shows_the_table_with_its_rows_and_sentences(chromium, comparison):
    page = chromium.new_page()
    page.set_content(comparison._repr_html_())
    rows = [row.inner_text().split("\t") for row in page.locator("tr").all()]
    brief = [metric.label for metric in METRICS if metric.is_brief]
    text = str(comparison).splitlines()
    assert rows[0] == ["model", *brief]
    assert [row[0] for row in rows[1:]] == [*SKILLS, "broken"]
    for row, line in zip(rows[1:], text[1:5], strict=True):
        assert " ".join(row).split() == line.split()
    assert page.locator("p").all_inner_texts() == text[6:]
    page.close()


def test_headings_sort_the_table_and_say_so(report):
    assert names(report) == [*SKILLS, "broken"]
    assert sort_by(report, "accuracy") == "ascending"
    assert names(report) == [*list(SKILLS)[::-1], "broken"]
    assert sort_by(report, "accuracy") == "descending"
    assert sort_by(report, "model") == "ascending"
    assert names(report) == ["<b>knn</b> & co", "guess", "tree", "broken"]
    assert report.locator("#table-models-test [aria-sort]").count() == 1


def test_headings_sort_by_keyboard(report):
    report.locator("#table-models-test thead button").first.focus()
    report.keyboard.press("Enter")
    assert names(report) == ["<b>knn</b> & co", "guess", "tree", "broken"]
    report.keyboard.press("Space")
    assert names(report) == ["tree", "guess", "<b>knn</b> & co", "broken"]


def test_the_filter_leaves_matching_models_and_says_how_many(report):
    form = report.locator("form.filter").first
    form.get_by_label("Filter by name").fill("<B>")
    assert names(report) == ["<b>knn</b> & co"]
    assert form.locator("output").inner_text() == "1 of 4 shown"
    form.get_by_label("Filter by name").fill("")
    form.get_by_label("Only the Pareto front").check()
    assert names(report) == ["<b>knn</b> & co"]


def test_a_cell_opens_its_images_and_gives_the_focus_back(report):
    report.locator("#units").get_by_label("number of images").check()
    cell = report.get_by_role("button", name="shirt predicted as coat: ").first
    count = int(cell.inner_text())
    cell.focus()
    report.keyboard.press("Enter")
    dialog = report.get_by_role("dialog", name="shirt predicted as coat")
    assert dialog.locator(".picture").count() == min(count, 12)
    assert f"By <b>knn</b> & co: {min(count, 12)} of {count} shown." in dialog.inner_text()
    style = "element => getComputedStyle(element).backgroundImage"
    assert dialog.locator(".picture").first.evaluate(style).startswith('url("data:image/png')
    report.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert cell.evaluate("button => button === document.activeElement")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(report, scheme):
    report.emulate_media(color_scheme=scheme)
    report.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    results = Axe().run(report, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


def test_an_open_dialog_has_no_violation(report):
    report.locator("button:visible", has=report.locator(".percent")).first.click()
    results = Axe().run(report, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


def test_dark_mode_reaches_the_page_and_its_drawings(report):
    report.emulate_media(color_scheme="dark")
    ink = report.evaluate("getComputedStyle(document.body).color")
    texts = report.locator("svg text").first
    assert ink == "rgb(232, 234, 237)"
    assert texts.evaluate("text => getComputedStyle(text).fill") == ink


def test_a_phone_needs_no_sideways_scroll(report):
    report.set_viewport_size({"width": 360, "height": 740})
    report.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert report.evaluate("document.documentElement.scrollWidth") == 360


def test_print_opens_all_sections_and_hides_controls(report):
    closed = report.locator("details:not([open])")
    before = closed.count()
    report.evaluate("dispatchEvent(new Event('beforeprint'))")
    report.emulate_media(media="print")
    assert closed.count() == 0
    assert not report.locator("input").first.is_visible()
    report.evaluate("dispatchEvent(new Event('afterprint'))")
    assert closed.count() == before > 0
