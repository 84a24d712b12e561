"""Tests of ``python -m fashionkit train``."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fashionkit import load
from fashionkit._cli import main
from fashionkit.persistence import describe

MODEL = ["--model", "pixels-tree", "--image-size", "8"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Return a folder of 60 photos of two shades."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.RandomState(0)
    for label, base in [("dark", 100), ("light", 150)]:
        (folder / label).mkdir()
        for number in range(30):
            pixels = np.clip(rng.normal(base, 30) + rng.normal(0, 15, (20, 16, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{label}{number}.png")
    return folder


def test_a_folder_becomes_a_file_and_that_a_table(photos, tmp_path, capsys):
    output = tmp_path / "new" / "shop.fashionkit"
    arguments = [str(photos), *MODEL, "--output", str(output), "--criterion", "coverage"]
    assert main(["train", *arguments, "--level", "0.6"]) == 0
    printed = capsys.readouterr().out
    model = load(output)
    assert (model.criterion, model.level) == ("coverage", 0.6)
    figures = describe(output).metadata["evaluation"][0]
    assert f"{100 * figures['accuracy']:.1f} % of 60 held-out photos" in printed
    card = output.with_suffix(".md").read_text(encoding="utf-8")
    assert describe(output).metadata["card"] == card
    assert "pixels-tree, trained on photos" in card
    table = tmp_path / "out.csv"
    command = ["classify", str(photos), "--model", str(output), "--output", str(table)]
    assert main([*command, "--no-colors", "--no-quality"]) == 0
    assert len(pd.read_csv(table)) == 60


def test_corrected_reviews_are_trained_on(photos, tmp_path, capsys):
    output, review = tmp_path / "shop.fashionkit", tmp_path / "review.csv"
    arguments = [str(photos), *MODEL, "--output", str(output), "--criterion", "coverage"]
    assert main(["train", *arguments]) == 0
    command = ["classify", str(photos), "--model", str(output), "--review", str(review)]
    assert main([*command, "--no-colors", "--no-quality"]) == 0
    rows = pd.read_csv(review, dtype=str)
    assert len(rows)
    rows["corrected"] = "light"
    rows.to_csv(review, index=False)
    capsys.readouterr()
    assert main(["train", *arguments, "--labels", str(review)]) == 0
    printed = capsys.readouterr().out
    n_light = 30 + rows["path"].str.contains("dark").sum()
    assert n_light > 30
    assert f"{n_light}\n" in printed
    assert f"corrections: {len(rows)} labels" in printed


def test_attributes_of_ones_own_are_trained_and_classified(photos, tmp_path):
    paths = sorted(map(str, photos.rglob("*.png")))
    labels = pd.DataFrame(
        {
            "path": paths,
            "shade": ["dark" if "dark" in path else "light" for path in paths],
            "number": [path[-5] for path in paths],
        }
    )
    labels["number"] = np.where(labels["number"] < "5", "low", "high")
    labels.to_csv(tmp_path / "labels.csv", index=False)
    output, table = tmp_path / "shop.fashionkit", tmp_path / "out.csv"
    arguments = ["--labels", str(tmp_path / "labels.csv"), *MODEL, "--criterion", "none"]
    assert main(["train", *arguments, "--output", str(output)]) == 0
    command = ["classify", str(photos), "--model", str(output), "--output", str(table)]
    assert main([*command, "--no-colors", "--no-quality"]) == 0
    rows = pd.read_csv(table)
    assert set(rows["label"]) == {"dark", "light"}
    assert set(rows["number"]) == {"low", "high"}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["none", *MODEL], 1, "does not exist"),
        (["."], 1, "has 0 files and 0 sub-folders"),
        ([], 2, "pass a FOLDER"),
        ([".", "--model", "photo-lda"], 2, "the nearest is 'photos-lda'"),
        (["--labels", "none.csv"], 1, "none.csv"),
        ([".", "--level", "2"], 2, "not a number between 0 and 1"),
        ([".", "--criterion", "none", "--level", "0.5"], 2, "--level has no meaning"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path, monkeypatch, capsys, arguments, status, said):
    monkeypatch.chdir(tmp_path)
    try:
        found = main(["train", *arguments, "--output", "shop.fashionkit"])
    except SystemExit as error:
        found = error.code
    assert found == status
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.strip().count("\n") == 0


def test_a_file_without_a_name_is_refused(photos, tmp_path, capsys):
    for output, said in [(tmp_path, "is a folder"), (tmp_path / "shop.md", "where the card goes")]:
        with pytest.raises(SystemExit):
            main(["train", str(photos), *MODEL, "--output", str(output)])
        assert said in capsys.readouterr().err
