"""The page's texts: all in one file, all used, and replaced by translations."""

from __future__ import annotations

import json
import re

from served import photo, serving

from fashionkit import load_pretrained, make_app
from fashionkit.decision import list_color_names
from fashionkit.serving._page import load_strings, read_file, render


def words_of_the_page():
    """Return the names of all texts that the page and its script ask for."""
    placed = set(re.findall(r"\{\{([a-z_]+)\}\}", read_file("index.html")))
    script = read_file("page.js")
    said = set(re.findall(r"(?:say|heading)\(\s*\"([a-z_]+)\"", script))
    said |= (
        {"done_all", "done_some"} if 'say(isDone ? "done_all" : "done_some"' in script else set()
    )
    statuses = re.search(r"const STATUSES = (\[.*?\]);", script)[1]
    return placed, said | set(json.loads(statuses)) | {"all"}


def test_every_text_is_in_the_file_and_every_one_is_used():
    strings = load_strings(None)
    placed, said = words_of_the_page()
    assert placed - {"language"} | said == set(strings["page"])


def test_classes_of_the_package_and_colours_have_names():
    strings = load_strings(None)
    assert set(load_pretrained("clothing-photos-small-v1").classes_) == set(strings["classes"])
    assert set(list_color_names()) <= set(strings["texts"])


def test_reasons_of_the_server_have_a_text_to_translate(model, selective):
    patterns = [re.sub(r"\\{\d\\}", "(.+)", re.escape(key)) for key in load_strings(None)["texts"]]
    reasons = set()
    for served in (model, selective):
        with serving(make_app(served, max_pixels=10_000)) as client:
            for content in (b"", b"no photo", photo(size=(200, 100)), photo(), photo((9, 9, 9))):
                answer = client.post("/predict", files={"file": ("photo", content)}).json()
                reasons |= {result["reason"] for result in answer["results"]} - {""}
    assert len(reasons) >= 4
    assert [one for one in reasons if not any(re.fullmatch(each, one) for each in patterns)] == []


def test_texts_are_escaped_where_they_are_placed():
    strings = load_strings({"page": {"heading": '<b>Fotos</b> & "mehr"'}, "language": "de"})
    page = render(strings)
    assert "&lt;b&gt;Fotos&lt;/b&gt; &amp; &quot;mehr&quot;" in page
    assert '<html lang="de">' in page
    assert "{{" not in page


def test_a_file_of_texts_replaces_some(model, tmp_path):
    path = tmp_path / "deutsch.json"
    path.write_text(json.dumps({"page": {"choose": "Fotos wählen"}}), "utf-8")
    with serving(make_app(model, strings=path)) as client:
        assert "Fotos wählen" in client.get("/").text
        strings = client.get("/strings.json").json()
    assert strings["page"]["choose"] == "Fotos wählen"
    assert strings["page"]["clear"] == "Remove all"
