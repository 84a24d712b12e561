"""The page in a browser: photos are added, looked at, sorted and downloaded."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright
from served import StubSearch, photo, serving

from fashionkit import make_app

pytestmark = pytest.mark.browser

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHIRTS = {"red.png": (220, 10, 10), "dull.png": (130, 130, 120), "=blue.png": (10, 10, 220)}

# A DataTransfer with photos, from which the browser makes the events of people.
TRANSFER = """files => {
    const transfer = new DataTransfer();
    for (const [name, bytes] of Object.entries(files)) {
        transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
    }
    return transfer;
}"""


@pytest.fixture(scope="module")
def chromium(browser):
    with sync_playwright() as started:
        options = {"executable_path": browser, "args": ["--no-sandbox", "--disable-gpu"]}
        running = started.chromium.launch(**options)
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(selective, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "a.png").write_bytes(photo())
    search = StubSearch(["a.png", "b.png"])
    strings = {"classes": {"red shirt": "Rotes Hemd"}, "page": {"clear": "Alle entfernen"}}
    app = make_app(selective, name="shirts", search=search, pictures=folder, strings=strings)
    with serving(app) as client:
        yield str(client.base_url)


@pytest.fixture
def page(chromium, address):
    """Return the page, whose requests and complaints are checked in the end."""
    opened = chromium.new_page(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    asked, said = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(address)
    opened.wait_for_selector("html[data-ready]")
    yield opened
    opened.close()
    outside = [url for url in asked if not url.startswith((address, f"blob:{address}"))]
    # Browsers themselves say what was not answered with 200: photos that are refused, pictures of
    # results that are missing, and what tests made fail.
    said = [one for one in said if not one.startswith("Failed to load resource: ")]
    assert (outside, said) == ([], [])


def choose(page, **files):
    files = files or {name: photo(color) for name, color in SHIRTS.items()}
    payload = [
        {"name": name, "mimeType": "image/png", "buffer": content}
        for name, content in files.items()
    ]
    page.locator("#files").set_input_files(payload)
    page.locator("#csv:enabled").wait_for()


def names(page):
    return page.locator(".card .name").all_text_contents()


def hand_over(page, kind, target, property_name):
    files = {name: list(photo(color)) for name, color in SHIRTS.items()}
    transfer = page.evaluate_handle(TRANSFER, files)
    page.evaluate(
        "([target, kind, name, transfer]) => { const event = name === 'clipboardData'"
        " ? new ClipboardEvent(kind, { clipboardData: transfer, bubbles: true })"
        " : new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });"
        " document.querySelector(target).dispatchEvent(event); }",
        [target, kind, property_name, transfer],
    )
    page.locator("#csv:enabled").wait_for()


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
def test_photos_are_chosen_dropped_or_pasted_and_get_labels(page, way):
    if way == "choose":
        choose(page)
    elif way == "drop":
        hand_over(page, "drop", "#drop", "dataTransfer")
    else:
        hand_over(page, "paste", "body", "clipboardData")
    assert names(page) == list(SHIRTS)
    labels = page.locator(".card .label").all_text_contents()
    assert (labels[0], labels[2]) == ("Rotes Hemd", "blue shirt")
    assert page.locator(".card").nth(1).locator(".pill").inner_text() == "Needs review"
    assert page.locator("#progress-text").inner_text() == "3 photos classified, 1 to check"
    assert page.locator("[role=status]#status").text_content() == "3 photos classified, 1 to check"


def test_photos_are_sorted_and_filtered(page):
    choose(page)
    page.get_by_label("Sort by").select_option("sure")
    expect(page.locator(".card .name").first).to_have_text("dull.png")
    page.get_by_label("Sort by").select_option("name")
    expect(page.locator(".card .name").first).to_have_text("=blue.png")
    page.get_by_label("Needs review 1").check()
    expect(page.locator(".card")).to_have_count(1)
    assert names(page) == ["dull.png"]


def test_the_csv_has_a_row_for_each_photo_and_no_formulas(page):
    choose(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in rows] == ["red.png", "dull.png", "'=blue.png"]
    assert [row["status"] for row in rows] == ["accepted", "review", "accepted"]
    assert rows[0]["label"] == "red shirt"
    assert float(rows[0]["confidence"]) > 0.9
    assert rows[0]["color_1"] == "red"


def test_details_are_read_by_keyboard_and_give_the_focus_back(page):
    choose(page)
    card = page.get_by_role("button", name="Needs review, dull.png")
    card.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    assert "is below 0.900" in dialog.inner_text()
    assert dialog.locator(".ranks dt").count() == 3
    dialog.locator(".similar li").nth(1).wait_for()
    assert "distance 0.1" in dialog.locator(".similar li").nth(1).inner_text()
    page.keyboard.press("ArrowRight")
    assert dialog.locator("#dialog-name").inner_text() == "=blue.png"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    # The browser gives it back to the card that was opened first, and the page then moves it on.
    expect(page.get_by_role("button", name="=blue.png")).to_be_focused()


def test_a_file_that_is_no_photo_is_shown_as_such(page):
    choose(page, **{"a.png": photo(), "notes.png": b"no photo"})
    page.get_by_role("button", name="notes.png").click()
    assert (
        "It is not a photo in a supported format (JPEG, PNG"
        in page.get_by_role("dialog").inner_text()
    )
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Alle entfernen").click()
    assert not page.locator("#results").is_visible()


def test_a_busy_server_is_asked_again(page):
    n_asked = []

    def busy_at_first(route):
        n_asked.append(1)
        if len(n_asked) < 3:
            route.fulfill(status=503, json={"detail": "later"})
        else:
            route.continue_()

    page.route("**/predict", busy_at_first)
    choose(page, **{"red.png": photo((220, 10, 10))})
    assert len(n_asked) == 3
    assert page.locator(".card .label").inner_text() == "Rotes Hemd"


def test_a_photo_that_was_not_answered_can_be_sent_again(page):
    page.route("**/predict", lambda route: route.abort())
    choose(page, **{"red.png": photo((220, 10, 10))})
    page.unroute("**/predict")
    page.locator(".card-button").click()
    assert "the server does not answer" in page.get_by_role("dialog").inner_text()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".card .label")).to_have_text("Rotes Hemd")


def test_a_heat_map_lies_over_what_the_network_saw(chromium, tiny_cnn, garments):
    X, y = garments
    clf = tiny_cnn().fit(np.repeat(X[:100, ..., np.newaxis], 3, axis=3), y[:100])
    with serving(make_app(clf)) as client:
        page = chromium.new_page()
        page.goto(str(client.base_url))
        page.wait_for_selector("html[data-ready]")
        choose(page, **{"wide.png": photo(size=(80, 40))})
        page.locator(".card-button").click()
        page.get_by_role("switch", name="What the network looked at").check()
        page.locator(".map").wait_for()
        whole, seen = (page.locator(one).bounding_box() for one in ("#figure", ".map"))
        assert seen["width"] == pytest.approx(whole["width"] / 2, abs=1)
        assert seen["x"] == pytest.approx(whole["x"] + whole["width"] / 4, abs=1)
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_no_violation_and_nothing_is_cut_off(page, scheme, width):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 740})
    options = {"runOnly": WCAG, "resultTypes": ["violations"]}
    for step in ("start", "cards", "details"):
        if step == "cards":
            choose(page)
        elif step == "details":
            page.locator(".card-button").nth(1).click()
            page.locator(".similar li").nth(1).wait_for()
        results = Axe().run(page, options=options)
        assert results.violations_count == 0, results.generate_report()
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
