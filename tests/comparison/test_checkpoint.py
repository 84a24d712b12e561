"""Comparisons that go on where they were: nothing finished is lost, and nothing foreign is read."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.neighbors import KNeighborsClassifier

from fashionkit import compare_models

calls = []


class Counted(ClassifierMixin, BaseEstimator):
    """A nearest neighbour classifier that notes each fit, and may be interrupted in one."""

    def __init__(self, n_neighbors=1, stops=False):
        self.n_neighbors = n_neighbors
        self.stops = stops

    def fit(self, X, y):
        if self.stops:
            raise KeyboardInterrupt
        calls.append(self.n_neighbors)
        self.model_ = KNeighborsClassifier(self.n_neighbors).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)


@pytest.fixture(autouse=True)
def no_calls():
    calls.clear()


@pytest.fixture(scope="module")
def data(garments):
    X, y = garments[0].reshape(300, -1), garments[1]
    return {"X": X[:200], "y": y[:200], "X_test": X[200:], "y_test": y[200:]}


def test_the_same_call_computes_nothing_twice(data, tmp_path):
    arguments = {**data, "cv": 2, "checkpoint_dir": tmp_path}
    first = compare_models({"a": Counted(), "b": Counted(3)}, **arguments)
    assert len(calls) == 6
    second = compare_models({"b": Counted(3), "a": Counted()}, **arguments)
    assert len(calls) == 6
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame())
    pd.testing.assert_frame_equal(first.fold_scores(), second.fold_scores())
    assert_array_equal(second.estimators_["a"].predict(data["X_test"]), first.predictions_["a"])


def test_more_models_are_added_and_a_changed_one_is_computed(data, tmp_path):
    compare_models({"a": Counted()}, **data, checkpoint_dir=tmp_path)
    compare_models({"a": Counted(), "b": Counted(3)}, **data, checkpoint_dir=tmp_path)
    assert calls == [1, 3]
    compare_models({"a": Counted(5), "b": Counted(3)}, **data, checkpoint_dir=tmp_path)
    assert calls == [1, 3, 5]


def test_an_interrupted_comparison_goes_on_after_the_last_finished_result(data, tmp_path):
    models = {"a": Counted(), "b": Counted(3), "c": Counted(5)}
    with pytest.warns(UserWarning, match="no results of 'b', 'c'"):
        part = compare_models(
            {**models, "b": Counted(3, stops=True)}, **data, checkpoint_dir=tmp_path
        )
    assert list(part.predictions_) == ["a"]
    whole = compare_models(models, **data, checkpoint_dir=tmp_path)
    assert calls == [1, 3, 5]
    alone = compare_models(models, **data)
    for name in models:
        assert_array_equal(whole.predictions_[name], alone.predictions_[name])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: {**d, "X": d["X"] + 1}, "'training images'"),
        (lambda d: {**d, "y_test": d["y_test"][::-1].copy()}, "'test images'"),
        (lambda d: {**d, "cv": 3}, "'folds'"),
        (lambda d: {**d, "random_state": 1}, "'random_state'"),
        (lambda d: {**d, "scoring": "f1_weighted"}, "'scoring'"),
    ],
)
def test_results_of_other_data_are_refused_and_left_alone(data, tmp_path, change, named):
    compare_models({"a": Counted()}, **data, checkpoint_dir=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=f"another comparison: {named} differ; pass another"):
        compare_models({"a": Counted()}, **change(data), checkpoint_dir=tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert len(calls) == 1


def test_other_scores_of_the_same_name_are_refused(data, tmp_path):
    def arguments(average):
        score = make_scorer(f1_score, average=average)
        return {**data, "scoring": {"f1": score}, "checkpoint_dir": tmp_path}

    for _ in range(2):
        compare_models({"a": Counted()}, **arguments("macro"))
    assert len(calls) == 1
    with pytest.raises(ValueError, match="'scoring' differ"):
        compare_models({"a": Counted()}, **arguments("weighted"))


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_folder_with_a_foreign_file_is_refused(data, tmp_path, text):
    (tmp_path / "comparison.json").write_text(text)
    with pytest.raises(ValueError, match=r"checkpoint_dir=.* has results of another comparison"):
        compare_models({"a": Counted()}, **data, checkpoint_dir=tmp_path)
    assert (tmp_path / "comparison.json").read_text() == text


@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda b: b"", lambda b: b"x" + b[1:]])
def test_a_damaged_result_is_computed_again(data, tmp_path, damage):
    compare_models({"a": Counted()}, **data, checkpoint_dir=tmp_path)
    (file,) = tmp_path.glob("*.pickle")
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(UserWarning, match="could not be read, and is computed again"):
        compare_models({"a": Counted()}, **data, checkpoint_dir=tmp_path)
    assert len(calls) == 2


def test_a_model_that_cannot_be_pickled_leaves_its_results(data, tmp_path):
    class Local(Counted):
        pass

    with pytest.warns(UserWarning, match=r"Its results are there, and estimators_ will lack it"):
        first = compare_models({"a": Local()}, **data, checkpoint_dir=tmp_path)
    assert np.isnan(first.to_frame()["n_bytes"][0])
    second = compare_models({"a": Local()}, **data, checkpoint_dir=tmp_path)
    assert len(calls) == 1
    assert second.estimators_ == {}
    assert_array_equal(first.predictions_["a"], second.predictions_["a"])


def test_a_model_that_failed_is_tried_again(data, tmp_path):
    models = {"a": Counted(0), "guess": DummyClassifier()}
    for _ in range(2):
        with pytest.warns(UserWarning, match="'a' failed"):
            compare_models(models, **data, checkpoint_dir=tmp_path)
    assert calls == [0, 0]


def test_the_folder_holds_whole_files_only_and_says_what_they_are_of(data, tmp_path):
    folder = tmp_path / "new"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare_models({"my/model": Counted()}, **data, checkpoint_dir=folder, random_state=3)
    settings = json.loads((folder / "comparison.json").read_text())
    assert settings["random_state"] == 3
    names = [path.name for path in folder.iterdir()]
    assert sorted(name.partition("-")[0] for name in names) == ["comparison.json", "my_model"]
