"""Tests that files of earlier releases load, or say what to do."""

from __future__ import annotations

import warnings
from importlib.metadata import version
from pathlib import Path

import model_faults as faults
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fashionkit import load, save
from fashionkit.persistence import ModelFileError, describe
from fashionkit.persistence._versions import add_missing_params

FILES = sorted(Path(__file__).parent.glob("golden/*/*.fashionkit"))


def numbers(text):
    return [int(part) for part in text.split(".")[:2]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_file_of_an_earlier_release_predicts_as_it_did(path, tmp_path):
    description = describe(path)
    saved = description.versions["scikit-learn"]
    if numbers(version("scikit-learn")) < numbers(saved):
        pytest.skip(f"saved with scikit-learn {saved}, which older ones need not read")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = load(path)
    X, expected = np.load(path.parent / "X.npy"), np.load(path.with_suffix(".npy"))
    assert_allclose(model.predict_proba(X), expected, atol=1e-5)
    assert_array_equal(model.classes_, [f"class {number}" for number in range(10)])
    assert description.metadata == {"release": path.parent.name}
    again = load(save(model, tmp_path / "again"))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_there_are_files_of_this_release():
    assert {path.parent.name for path in FILES} >= {"0.1"}


def test_a_file_that_does_not_load_tells_other_versions(tmp_path, monkeypatch):
    path = tmp_path / "model"
    file = next(path for path in FILES if path.stem == "hog-forest")
    nodes = next(
        name
        for name, data in faults.unpack(file.read_bytes()).items()
        if b"left_child" in data[:500]
    )
    # As if scikit-learn had given the nodes of trees another field.
    path.write_bytes(
        faults.change_array(file.read_bytes(), nodes, lambda array: array["left_child"].copy())
    )
    monkeypatch.setattr("fashionkit.persistence._versions.version", lambda name: "99.1")
    with pytest.raises(ModelFileError, match=r"It was saved with .*scikit-learn .* 99\.1 is"):
        load(path)


def test_parameters_that_another_version_has_not_saved_have_their_defaults():
    X, y = np.random.default_rng(0).random((30, 4)), np.arange(30) % 3
    model = make_pipeline(StandardScaler(), LogisticRegression(C=3)).fit(X, y)
    expected = model.predict_proba(X)
    # As scikit-learn 1.6 finds a model of 1.9, which has no multi_class.
    del model[-1].tol, model[0].with_mean
    add_missing_params(model)
    assert model[-1].get_params() == LogisticRegression(C=3).get_params()
    assert_array_equal(model.predict_proba(X), expected)
