"""The HTML report: what it says, that it needs no other file, and that it is bounded."""

from __future__ import annotations

import json
import re
import shutil
import sys
from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.model_selection import RepeatedStratifiedKFold

from fashionkit import ImageFolder
from fashionkit.comparison._report._matrices import MatrixCell
from fashionkit.comparison._report._pictures import Album
from fashionkit.comparison._report._svg import draw_svg
from fashionkit.plotting._colors import model_style

NASTY = {'"one" & <b>bold</b>': 0.9, "</script><script>alert(1)</script>": 0.6}


class Page(HTMLParser):
    """The visible text of a page, and the attributes of its elements."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self._hidden = [], [], 0
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._hidden += tag in ("style", "script", "svg", "title")

    def handle_endtag(self, tag):
        self._hidden -= tag in ("style", "script", "svg", "title")

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data.replace("\N{NO-BREAK SPACE}", " "))

    def values(self, attribute):
        return [found[attribute] for _, found in self.elements if attribute in found]


@pytest.fixture
def undrawn(monkeypatch):
    """Leave out the drawings, which take most of the time."""
    draw = "fashionkit.comparison._report._figures.draw_svg"
    monkeypatch.setattr(draw, lambda name, *args, **kwargs: f'<svg id="{name}"></svg>')


@pytest.fixture
def report(tmp_path, undrawn):
    """Return a function that writes a report and returns its text and what it shows."""

    def write(comparison):
        path = comparison.to_html(tmp_path / "report.html")
        text = path.read_text(encoding="utf-8")
        return text, Page(text)

    return write


@pytest.fixture(scope="module")
def written(made_up, tmp_path_factory):
    """Return a comparison on a test set and folds, its report, and what that shows."""
    comparison = made_up(
        {"good": 0.9, "poor": 0.6}, cv=2, failed=["broken"], class_names=["shirt", "coat", "bag"]
    )
    path = comparison.to_html(tmp_path_factory.mktemp("report") / "report.html")
    text = path.read_text(encoding="utf-8")
    return comparison, text, Page(text)


@pytest.mark.usefixtures("undrawn")
def test_the_path_is_returned_and_its_home_expanded(made_up, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    path = made_up({"only": 0.9}).to_html("~/report.html")
    assert path == tmp_path / "report.html"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.usefixtures("undrawn")
def test_a_report_that_fails_leaves_the_earlier_one(made_up, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("earlier")
    comparison = made_up({"only": 0.9})
    monkeypatch.setattr(comparison, "per_class", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        comparison.to_html(path)
    assert path.read_text() == "earlier"


def test_the_first_screen_names_the_best_model_its_accuracy_and_how_sure_that_is(written):
    comparison, _, page = written
    first = page.text[: page.text.index("What to do next")]
    accuracy, p_value = comparison.to_frame()["accuracy"][0], comparison.pairwise()["p_holm"][0]
    assert "good is the most accurate of 2 models" in first
    assert f"{100 * accuracy:.1f} %" in first
    assert "95 % interval" in first
    assert p_value < 0.001
    assert "is more than chance would explain (p < 0.001" in first


def test_equal_models_are_called_equal(made_up, report):
    _, page = report(made_up({"one": 0.8, "other": 0.8, "third": 0.3}))
    assert "may be as good" in page.text
    assert "is within what chance explains" in page.text


def test_all_models_on_the_same_accuracy_are_reported(made_up, report):
    _, page = report(made_up({"one": 1.0, "other": 1.0}))
    assert "one is ahead, but other may be as good" in page.text
    assert "By all 2 models None." in page.text


def test_it_says_what_to_do_next(written):
    _, _, page = written
    steps = page.text[page.text.index("What to do next") : page.text.index("All models on")]
    assert "Use good." in steps
    assert re.search(r"Look at \w+ and \w+: more images", steps)
    assert "98 %" in steps
    assert "No results from broken." in steps


def test_the_tables_have_each_metric_of_each_model_on_the_test_set_and_on_folds(written):
    comparison, _, page = written
    assert "All models on the test images" in page.text
    assert "All models on the folds: mean ± standard deviation" in page.text
    first, folds = comparison.to_frame(), comparison.to_frame("folds")
    for model in range(2):
        assert f"{100 * first['macro_f1'][model]:.2f} %" in page.text
        mean, spread = (100 * folds[f"accuracy{end}"][model] for end in ("", "_std"))
        assert f"{mean:.2f} % ± {spread:.2f} %" in page.text


def test_a_failed_model_has_its_error_in_its_row(written):
    assert "broken failed: test: MemoryError: no <room>" in written[2].text


def test_it_names_folds_seed_versions_command_and_machine(written, monkeypatch):
    comparison, _, page = written
    assert comparison.folds_.hash in page.text
    assert "2, of 100 images to train on and 100 to evaluate on" in page.text
    assert "Seed of the models 0" in page.text
    assert f"numpy {np.__version__}" in page.text
    assert " cores, " in page.text


def test_the_command_is_that_of_a_script_and_not_that_of_a_notebook(made_up, report, monkeypatch):
    main = sys.modules["__main__"]
    comparison = made_up({"only": 0.9})
    monkeypatch.setattr(sys, "orig_argv", ["/usr/bin/python3", "compare.py", "--seed", "1 2"])
    monkeypatch.setattr(main, "__file__", "compare.py", raising=False)
    assert "Command python compare.py --seed '1 2'" in report(comparison)[1].text
    monkeypatch.setattr(main, "__file__", "ipykernel_launcher.py")
    assert "Command" not in report(comparison)[1].text


def test_names_and_labels_are_escaped_everywhere(made_up, report):
    labels = ["</script><i>a</i>", "b & c", 'd "e"']
    text, page = report(made_up(NASTY, labels=labels, failed=["<u>"]))
    for name in (*NASTY, *labels, "<u>"):
        assert name in page.text
    assert not {"b", "i", "u"} & {tag for tag, _ in page.elements}
    assert [tag for tag, _ in page.elements].count("script") == 2
    (data,) = re.findall(r'<script type="application/json" id="cells">(.*?)</script>', text)
    assert set(json.loads(data)) == {"cells", "files"}


def test_no_address_leaves_the_file(written):
    _, text, page = written
    addresses = re.findall(r"https?://[^\"' )]*", text)
    assert set(addresses) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    links = page.values("href") + page.values("xlink:href") + page.values("src")
    assert all(link.startswith(("#", "data:image/png")) for link in links)
    targets = re.findall(r"url\(([^)]*)", text)
    assert all(target.startswith(("#", "data:image/")) for target in targets)


def test_ids_are_unique_and_links_lead_somewhere(written):
    _, _, page = written
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    links = [link for link in page.values("href") if link.startswith("#")]
    assert {link[1:] for link in links} <= set(ids)


def test_figures_are_drawings_with_a_title_and_a_text(written):
    _, text, page = written
    drawings = [found for tag, found in page.elements if tag == "svg"]
    assert len(drawings) == 5
    assert all(drawing["role"] == "img" for drawing in drawings)
    for drawing in drawings:
        title, alternative = drawing["aria-labelledby"].split()
        assert f'id="{title}"' in text
        assert f'id="{alternative}"' in text
    assert ">good</text>" in text  # text as text
    assert "var(--ink)" in text
    assert "#1c1d1f" not in text


def test_a_figure_that_fails_leaves_a_sentence(made_up, report, monkeypatch):
    def fail(name, *args, **kwargs):
        if name == "figure-cost":
            raise RuntimeError("no <paper>")
        return "<svg></svg>"

    monkeypatch.setattr("fashionkit.comparison._report._figures.draw_svg", fail)
    text, page = report(made_up({"good": 0.9, "poor": 0.6}))
    assert "This figure could not be drawn: RuntimeError: no <paper>" in page.text
    assert text.count("<svg") == 4


def test_models_without_probabilities_have_no_reliability_and_no_review(made_up, report):
    skills = {"good": 0.9, "poor": 0.6}
    text, page = report(made_up(skills, without_probabilities=skills))
    assert "figure-accuracy" in text
    assert "figure-reliability" not in text
    assert "to review" not in page.text
    assert "In the order of the images." in page.text


def test_each_picture_is_stored_once_and_each_shown_one_is_stored(written):
    _, text, _ = written
    sources = re.findall(r"url\((data:image/[^)]*)\)", text)
    assert len(sources) == len(set(sources))
    stored = re.findall(r"\.p(\d+) {", text)
    assert len(stored) == len(sources)
    shown = re.findall(r"picture p(\d+)", text)
    (data,) = re.findall(r'id="cells">(.*?)</script>', text)
    of_cells = [image[0] for images in json.loads(data)["cells"].values() for image in images]
    assert {*map(int, shown), *of_cells} == {*map(int, stored)}


def test_at_most_12_mistakes_and_images_of_a_cell_are_shown_and_it_says_so(made_up, report):
    comparison = made_up({"poor": 0.2})
    text, page = report(comparison)
    n_mistakes = int(np.sum(comparison.predictions_["poor"] != comparison.y_true_))
    assert f"12 of {n_mistakes} shown" in page.text
    (data,) = re.findall(r'id="cells">(.*?)</script>', text)
    cells = json.loads(data)["cells"]
    counts = comparison.confusion_matrix("poor")
    for key, images in cells.items():
        _, i, j = map(int, key.split("-"))
        assert len(images) == min(counts[i, j], 12)


def test_the_most_confident_mistakes_come_first(made_up, report):
    comparison = made_up({"poor": 0.6})
    text, _ = report(comparison)
    wrong = comparison.predictions_["poor"] != comparison.y_true_
    confidence = comparison.probabilities_["poor"].max(axis=1)
    first = np.flatnonzero(wrong)[np.argmax(confidence[wrong])]
    assert re.search(r"picture p(\d+)", text).group(1) == str(first)


def test_images_of_repeated_folds_are_shown_once(made_up, report):
    X = np.random.RandomState(0).randint(0, 256, (60, 28, 28), dtype=np.uint8)
    cv = RepeatedStratifiedKFold(n_splits=2, n_repeats=4, random_state=0)
    text, _ = report(made_up({"poor": 0.2}, X=X, with_test=False, cv=cv))
    shown = re.findall(r'class="picture p(\d+)', text)
    assert len(shown) == len(set(shown)) == 12
    (data,) = re.findall(r'id="cells">(.*?)</script>', text)
    for images in json.loads(data)["cells"].values():
        rows = [row for row, _ in images]
        assert len(rows) == len(set(rows))


def test_an_album_holds_no_more_bytes_than_it_may():
    images = np.random.RandomState(0).randint(0, 256, (50, 28, 28), dtype=np.uint8)
    album = Album(images, 20_000)
    album.add(range(50))
    stored = len(album.sources)
    assert 0 < stored < 50
    assert sum(map(len, album.sources.values())) <= 20_000
    album.add([49])
    assert len(album.sources) == stored


@pytest.mark.parametrize("form", ["flat", "frame", "list", "float"])
def test_every_form_of_images_has_the_same_pictures(made_up, report, form):
    X = np.random.RandomState(0).randint(0, 256, (40, 28, 28), dtype=np.uint8)
    forms = {
        "flat": X.reshape(40, -1),
        "frame": pd.DataFrame(X.reshape(40, -1)),
        "list": list(X),
        "float": X / 255,
    }
    expected = re.findall(r"url\(data:[^)]*", report(made_up({"one": 0.5}, X=X))[0])
    assert expected
    assert (
        re.findall(r"url\(data:[^)]*", report(made_up({"one": 0.5}, X=forms[form]))[0]) == expected
    )


def test_a_table_of_features_has_no_pictures(made_up, report):
    X = np.random.RandomState(0).normal(size=(100, 5))
    text, page = report(made_up({"good": 0.9, "poor": 0.6}, X=X))
    assert "data:image/jpeg" not in text
    assert 'class="picture ' not in text
    assert "mistakes" not in page.values("id")
    assert "data-cell=" not in text
    assert "also trained on" not in page.text
    assert "Confusions" in page.text


def test_photos_in_files_have_thumbnails_with_their_names(made_up, report, tmp_path):
    rng = np.random.RandomState(0)
    for label in ("bag", "coat"):
        (tmp_path / label).mkdir()
        for i in range(10):
            pixels = rng.randint(0, 256, (120, 90, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / label / f"{label} {i}.png")
    folder = ImageFolder(tmp_path, image_size=(64, 48))
    text, page = report(made_up({"poor": 0.3}, X=folder, with_test=False, cv=2))
    assert "url(data:image/jpeg;base64," in text
    assert "--picture-width: 72px; --picture-height: 96px" in text
    assert re.search(r"(bag|coat) \d\.png", page.text)
    assert f"10 photos in {tmp_path}" in page.text


def test_photos_that_are_gone_leave_a_sentence(made_up, report, tmp_path):
    for label in ("bag", "coat"):
        (tmp_path / label).mkdir()
        for i in range(6):
            Image.new("RGB", (60, 60), (9 * i, 0, 0)).save(tmp_path / label / f"{i}.png")
    folder = ImageFolder(tmp_path, image_size=60)
    comparison = made_up({"poor": 0.3}, X=folder, with_test=False, cv=2)
    shutil.rmtree(tmp_path / "bag")
    shutil.rmtree(tmp_path / "coat")
    _, page = report(comparison)
    assert "Not all pictures could be read: ValueError" in page.text


def test_repeated_images_are_counted_and_shown_side_by_side(made_up, report):
    X = np.random.RandomState(0).randint(0, 256, (60, 28, 28), dtype=np.uint8)
    X[30:33] = X[:3]
    text, page = report(made_up({"only": 0.8}, X=X))
    assert (
        "3 of 30 evaluated images are also among the training images: 3 with the same" in page.text
    )
    assert "Do not evaluate on what was trained on." in page.text
    assert "3 of 3 shown: the evaluated image, and the training image" in page.text
    assert 'class="picture p0"' in text
    assert 'class="picture t0"' in text


def test_a_check_for_repeated_images_that_fails_leaves_a_sentence(made_up, report, monkeypatch):
    def fail(*args):
        raise MemoryError("too many")

    monkeypatch.setattr("fashionkit.comparison._verdicts.find_leakage", fail)
    assert "The check failed: MemoryError: too many" in report(made_up({"only": 0.8}))[1].text


def test_one_fold_is_called_too_little(made_up, report):
    fold = [(np.arange(100), np.arange(100, 200))]
    _, page = report(made_up({"good": 0.9, "poor": 0.6}, with_test=False, cv=fold))
    assert "good is ahead of 1 other" in page.text
    assert "a single fold: too little to say how sure" in page.text


@pytest.mark.slow
def test_30_models_and_30_classes_are_reported_within_bounds(made_up, report):
    skills = {f"model {i}": 0.9 - i / 100 for i in range(30)}
    X = np.random.RandomState(0).randint(0, 256, (1_200, 28, 28), dtype=np.uint8)
    text, page = report(made_up(skills, X=X, labels=range(30)))
    assert len(text) < 4_000_000
    assert "30 models on 600 test images, 30 classes" in page.text


def test_drawing_knows_nothing_of_the_users_style_and_leaves_it_alone():
    before = dict(mpl.rcParams)
    plain = draw_svg("some", lambda ax: ax.subplots().plot([0, 1]))
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "backend": "pdf"}):
        set_by_user = dict(mpl.rcParams)
        assert draw_svg("some", lambda ax: ax.subplots().plot([0, 1])) == plain
        assert dict(mpl.rcParams) == set_by_user
    mpl.use(before["backend"])


def test_drawings_have_the_colours_of_the_page_and_names_as_they_are():
    def draw(ax):
        drawn = ax.subplots()
        drawn.plot([0, 1], **model_style(0, drawn), label="costs $5 or $6 & <more>")
        drawn.legend()

    svg = draw_svg("some", draw)
    assert "costs $5 or $6 &amp; &lt;more&gt;</text>" in svg
    assert {"var(--ink)", "var(--line)", "var(--series-0)"} <= set(re.findall(r"var\([^)]*\)", svg))
    assert "<style" not in svg
    assert all(found.startswith("some-") for found in re.findall(r'\bid="([^"]*)', svg))


def test_half_a_percent_is_not_written_as_none():
    assert MatrixCell(0, 1, 5, 0.005).percentage == "<1"
    assert MatrixCell(0, 1, 6, 0.006).percentage == "1"
    assert MatrixCell(0, 1, 0, 0.0).percentage == ""
