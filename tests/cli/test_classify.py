"""Tests of ``python -m fashionkit classify``."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from fashionkit import ImageFolder, PixelFeatures, SelectiveClassifier, save
from fashionkit._cli import main
from fashionkit.decision import classify_photos


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Return a folder of 24 photos of two shades."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.RandomState(0)
    for label, base in [("dark", 90), ("light", 160)]:
        (folder / label).mkdir()
        for number in range(12):
            pixels = np.clip(rng.normal(base, 50) + rng.randint(-30, 30, (40, 30, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def model(photos, tmp_path_factory):
    """Return the file of a model that accepts half."""
    images = ImageFolder(photos, image_size=8)
    clf = SelectiveClassifier(
        make_pipeline(PixelFeatures(), LogisticRegression(C=1e-3, max_iter=500)),
        criterion="coverage",
        level=0.5,
        cv=3,
    )
    return save(clf.fit(images, images.target), tmp_path_factory.mktemp("model") / "m.fashionkit")


def test_photos_become_rows_of_a_file_and_a_summary(photos, model, tmp_path, capsys):
    expected = classify_photos(model, photos)
    output = tmp_path / "new" / "out.csv"
    assert main(["classify", str(photos), "--model", str(model), "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    n_accepted = (expected["status"] == "accepted").sum()
    assert 0 < n_accepted < 24
    assert f"accepted: {n_accepted} (" in printed
    assert f"review:   {24 - n_accepted} (" in printed
    assert "files:    24, " in printed
    assert "… and 14 more" in printed
    rows = pd.read_csv(output)
    assert rows.columns.tolist() == expected.columns.tolist()
    assert rows["label"].tolist() == expected["label"].tolist()
    # Not to the last digit: a model may predict otherwise when it was loaded.
    assert rows["confidence"].tolist() == pytest.approx(expected["confidence"].tolist(), rel=1e-12)
    assert rows["set"].tolist() == [", ".join(one) for one in expected["set"]]


def test_rows_are_written_as_lines_of_json(photos, model, tmp_path):
    output = tmp_path / "out.jsonl"
    assert main(["classify", str(photos), "--model", str(model), "--output", str(output)]) == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert len(rows) == 24
    assert rows[0]["label"] in rows[0]["set"]
    assert {"color_1", "quality", "status"} <= set(rows[0])


def test_what_to_check_is_written_with_a_column_to_fill(photos, model, tmp_path):
    review = tmp_path / "review.csv"
    assert main(["classify", str(photos), "--model", str(model), "--review", str(review)]) == 0
    rows = pd.read_csv(review)
    assert rows.columns.tolist() == ["path", "label", "confidence", "corrected"]
    assert rows["corrected"].isna().all()
    expected = classify_photos(model, photos)
    left = expected[expected["status"] == "review"]
    assert set(rows["path"]) == set(left["path"])
    assert rows["confidence"].is_monotonic_increasing


def test_colors_and_quality_can_be_left_out(photos, model, tmp_path):
    output = tmp_path / "out.csv"
    command = ["classify", f"{photos}/dark/*.png", "--model", str(model), "--output", str(output)]
    assert main([*command, "--no-colors", "--no-quality"]) == 0
    rows = pd.read_csv(output)
    assert len(rows) == 12
    assert not {"color_1", "quality"} & set(rows)


def test_files_that_cannot_be_read_are_told_and_the_rest_is_classified(
    photos, model, tmp_path, capsys
):
    broken = tmp_path / "broken\x1b[31m.png"
    broken.write_bytes(b"no image")
    good = photos / "dark" / "0.png"
    assert main(["classify", str(good), str(broken), "--model", str(model)]) == 0
    printed = capsys.readouterr().out
    assert "error:    1 (50.0 %)" in printed
    assert "it is not in a supported format" in printed
    assert "\x1b" not in printed


@pytest.mark.parametrize("n_files", [1, 2])
def test_nothing_that_can_be_read_is_an_error_of_one_line(model, tmp_path, capsys, n_files):
    for number in range(n_files):
        (tmp_path / f"{number}.png").write_bytes(b"no image")
    assert main(["classify", str(tmp_path), "--model", str(model)]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert "can" in lines[-1]
    assert lines[-1].startswith("fashionkit: error: ")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["none"], 1, "source='{folder}/none' does not exist"),
        (["."], 1, "has no files"),
        (["*.jpg"], 1, "fits no file"),
        ([".", "--model", "clothing-photo-small-v1"], 1, "the nearest is 'clothing-photos-small"),
        ([".", "--model", "none.fashionkit"], 1, "model='none.fashionkit' does not exist"),
        ([".", "--output", "out.xlsx"], 2, "'out.xlsx' ends with neither .csv nor .jsonl"),
        ([".", "--review", "out.jsonl"], 2, "does not end with .csv"),
        ([".", "--review", "out.xlsx"], 2, "does not end with .csv"),
        ([".", "--output", "a.csv", "--review", "a.csv"], 2, "are the same file"),
        ([".", "--n-jobs", "0"], 2, "not a whole number other than 0"),
        ([], 2, "SOURCE"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path, monkeypatch, capsys, arguments, status, said):
    monkeypatch.chdir(tmp_path)
    try:
        found = main(["classify", *arguments])
    except SystemExit as error:
        found = error.code
    assert found == status
    printed = capsys.readouterr().err
    assert said.format(folder=tmp_path) in printed
    assert printed.strip().count("\n") == 0


def test_the_same_command_goes_on_where_it_was(photos, model, tmp_path):
    checkpoint = tmp_path / "rows.journal"
    outputs = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for output in outputs:
        arguments = ["--model", str(model), "--checkpoint", str(checkpoint), "--output"]
        assert main(["classify", str(photos), *arguments, str(output)]) == 0
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


@pytest.mark.slow
def test_one_photo_is_classified_by_the_model_of_the_package(photos, capsys):
    assert main(["classify", str(photos / "dark" / "0.png")]) == 0
    assert "clothing-photos-small-v1" in capsys.readouterr().out


def test_photos_unlike_those_for_calibration_are_told(photos, model, tmp_path, capsys):
    main(["classify", str(photos), "--model", str(model), "--no-quality", "--no-colors"])
    assert "drift:    none beyond chance" in capsys.readouterr().out
    for number in range(30):
        Image.new("RGB", (30, 30), (250, 250, 250)).save(tmp_path / f"{number}.png")
    main(["classify", str(tmp_path), "--model", str(model), "--no-quality", "--no-colors"])
    assert "drift:    share of class dark fell from" in capsys.readouterr().out
