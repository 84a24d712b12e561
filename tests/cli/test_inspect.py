"""Tests of ``python -m fashionkit inspect``."""

from __future__ import annotations

import json

import numpy as np

from fashionkit import make_model, save
from fashionkit._cli import main
from fashionkit.persistence import describe


def test_a_file_is_described(garments, tmp_path, capsys):
    X, y = garments
    model = make_model("pixels-tree", random_state=0).fit(X, y)
    path = save(model, tmp_path / "model", metadata={"shop": "ours"})
    assert main(["inspect", str(path)]) == 0
    printed = capsys.readouterr().out
    for text in (
        "model:       sklearn.pipeline.Pipeline",
        "fitted:      yes",
        "classes:     0, 1, 2, 3",
        "image shape: 28 × 28 × 1",
        "pixel range: 0 to 255",
        "needs trust: nothing",
        'metadata:    {"shop": "ours"}',
        describe(path).sha256,
        repr(model),
    ):
        assert text in printed
    assert main(["inspect", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"] == {"shop": "ours"}


def test_a_file_cannot_make_a_terminal_do_something(garments, tmp_path, capsys):
    X, y = garments
    names = np.array([f"\x1b[31m{label}\x07" for label in y])
    path = save(make_model("pixels-tree").fit(X, names), tmp_path / "model")
    assert main(["inspect", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\x07" not in printed


def test_many_classes_are_cut_short(garments, tmp_path, capsys):
    X, _ = garments
    path = save(make_model("pixels-tree").fit(X[:60], np.arange(60) // 2), tmp_path / "model")
    main(["inspect", str(path)])
    assert "19, … (30 in all)" in capsys.readouterr().out


def test_other_files_are_refused_in_one_line(tmp_path, capsys):
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    for name in (path, tmp_path / "none", tmp_path):
        assert main(["inspect", str(name)]) == 1
        error = capsys.readouterr().err
        assert error.startswith("fashionkit: error: ")
        assert error.count("\n") == 1
