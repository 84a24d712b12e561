"""The commands index, search and duplicates."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.frozen import FrozenEstimator

from fashionkit import PixelFeatures, SelectiveClassifier, load, save
from fashionkit._cli import main


@pytest.fixture
def photos(tmp_path):
    """Return a folder of photos of two classes, and a file that is none."""
    folder = tmp_path / "photos"
    for number, label in enumerate(["dress", "hat"]):
        (folder / label).mkdir(parents=True)
        for seed in range(4):
            noise = np.random.RandomState(10 * number + seed).randint(0, 60, (12, 12, 3))
            noise[..., number] += 150
            image = Image.fromarray(noise.astype(np.uint8)).resize((48, 48))
            image.save(folder / label / f"{seed}.png")
    return folder


@pytest.fixture
def index(photos, tmp_path, capsys):
    """Return an index of the photos, of their pixels."""
    path = tmp_path / "photos.index"
    features = save(PixelFeatures(), tmp_path / "pixels")
    options = ["--model", str(features), "--image-size", "24", "--output", str(path)]
    assert main(["index", str(photos), *options]) == 0
    assert "8 photos of 2 classes, 8 numbers each" in capsys.readouterr().out
    return path


def test_similar_photos_are_listed_with_their_labels(index, photos, capsys):
    query = photos / "hat" / "1.png"
    assert main(["search", str(index), str(query), "-n", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(query)
    assert lines[3].split() == ["1", "0.000", "hat", "hat/1.png"]
    assert len(lines) == 7


def test_a_label_narrows_the_search(index, photos, capsys):
    query = str(photos / "hat" / "1.png")
    assert main(["search", str(index), query, "--label", "dress"]) == 0
    printed = capsys.readouterr().out
    assert printed.count(" dress/") == 4
    assert " hat/" not in printed
    assert main(["search", str(index), query, "--label", "bag"]) == 1
    assert "is no label of the index, which has dress, hat" in capsys.readouterr().err


def test_a_page_has_the_pictures_in_it(index, photos, tmp_path, capsys):
    page = tmp_path / "page.html"
    query = str(photos / "dress" / "0.png")
    assert main(["search", str(index), query, "-n", "2", "--html", str(page)]) == 0
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") == 3
    assert "http" not in text
    assert str(page) in capsys.readouterr().out


def test_what_cannot_be_searched_is_an_error_in_one_line(index, photos, tmp_path, capsys):
    query = str(photos / "hat" / "1.png")
    (tmp_path / "notes.jpg").write_text("hello")
    (tmp_path / "empty").mkdir()
    other = save(PixelFeatures(), tmp_path / "other")
    for arguments, message in (
        (["search", str(index), str(tmp_path / "notes.jpg")], "cannot be read as an image"),
        (["search", str(index), query, "-n", "9"], "there are 8 indexed images"),
        (["search", str(other), query], "holds a PixelFeatures, and no index"),
        (["index", str(tmp_path / "empty"), "--output", "x"], "has no files"),
        (["index", query, "--output", "x"], "is no folder"),
        (["index", str(photos), "--output", "x", "--model", "resnet"], "neither a file nor one"),
        (["duplicates", str(tmp_path / "empty")], "has no files"),
        (["duplicates", str(photos), "--saved", str(other)], "holds a PixelFeatures"),
    ):
        assert main(arguments) == 1
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_duplicates_are_listed_and_later_only_those_of_new_photos(photos, tmp_path, capsys):
    shutil.copy(photos / "hat" / "0.png", photos / "hat" / "copy.png")
    saved, table, page = (str(tmp_path / name) for name in ("saved", "pairs.csv", "pairs.html"))
    assert main(["duplicates", str(photos), "--saved", saved]) == 0
    printed = capsys.readouterr().out
    assert "9 photos read, 1 pair found\n  1 the same file\n" in printed
    new = tmp_path / "new"
    new.mkdir()
    Image.open(photos / "dress" / "2.png").resize((40, 40)).save(new / "small.png")
    options = ["--saved", saved, "--output", table, "--html", page]
    assert main(["duplicates", str(photos), str(new), *options]) == 0
    assert "1 photos read, 1 pair found\n  1 the same picture" in capsys.readouterr().out
    (pair,) = pd.read_csv(table).to_dict("records")
    assert pair["kind"] == "near"
    assert (pair["first"], pair["second"]) == (
        str(photos / "dress" / "2.png"),
        str(new / "small.png"),
    )
    assert (tmp_path / "pairs.html").read_text().count("data:image/jpeg") == 2
    assert len(load(saved).ids_) == 10


def test_a_calibrated_model_says_how_large_photos_are(photos, tmp_path, capsys, tiny_cnn):
    X = np.random.RandomState(0).randint(0, 255, (60, 28, 28, 3), dtype=np.uint8)
    y = np.arange(60) % 2
    model = SelectiveClassifier(FrozenEstimator(tiny_cnn().fit(X, y)), random_state=0).fit(X, y)
    saved = save(model, tmp_path / "calibrated")
    index = tmp_path / "photos.index"
    assert main(["index", str(photos), "--model", str(saved), "--output", str(index)]) == 0
    assert load(index).image_shape_ == (28, 28, 3)


def test_no_photos_are_not_the_default_number(index, photos, capsys):
    assert main(["search", str(index), str(photos / "hat" / "1.png"), "-n", "0"]) == 1
    assert "n_neighbors" in capsys.readouterr().err
