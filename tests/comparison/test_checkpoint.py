"""Comparisons that go on where they were: nothing finished is lost, and nothing foreign is read."""

from __future__ import annotations

import json
import os
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from fashionkit import DistilledClassifier, ImageFolder, PixelFeatures, compare_models
from fashionkit.comparison._fits import _fitted_networks
from fashionkit.neural._core.checkpoint import Checkpoint as TrainingCheckpoint

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


def test_photos_count_by_what_they_hold_and_not_by_place_and_date(tmp_path):
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for i in range(4):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{i}.png")
    shutil.copytree(tmp_path / "photos", tmp_path / "copied")  # with the time of now
    os.utime(tmp_path / "copied" / "a" / "0.png", (1, 1))

    def compare(name):
        photos = ImageFolder(tmp_path / name, image_size=8)
        model = make_pipeline(PixelFeatures(), Counted())
        arguments = {"cv": 2, "random_state": 0, "checkpoint_dir": tmp_path / "kept"}
        return compare_models({"a": model}, photos, photos.target, **arguments)

    compare("photos")
    compare("copied")
    assert len(calls) == 2
    Image.fromarray(pixels[::-1]).save(tmp_path / "copied" / "a" / "0.png")
    with pytest.raises(ValueError, match="'training images' differ"):
        compare("copied")


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


@pytest.fixture(scope="module")
def images(garments):
    X, y = garments
    return {"X": X[:200], "y": y[:200], "X_test": X[200:], "y_test": y[200:]}


@pytest.fixture
def network(tiny_cnn):
    return tiny_cnn(epochs=3, random_state=0)


def interrupt_after_two_epochs(data, network, folder, monkeypatch):
    """Begin a comparison of a network in a folder, and return the state of its training."""
    save = TrainingCheckpoint.save

    def interrupt(checkpoint, state):
        save(checkpoint, state)
        if len(state.history["loss"]) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrainingCheckpoint, "save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            compare_models({"network": network}, **data, checkpoint_dir=folder)
    (state,) = folder.glob("fits/**/checkpoint.npz")
    return state


def go_on(data, network, folder, monkeypatch):
    """Return a comparison of a network in a folder, and how many epochs it trained."""
    save, n_epochs = TrainingCheckpoint.save, []
    with monkeypatch.context() as patch:
        patch.setattr(
            TrainingCheckpoint, "save", lambda *args: (save(*args), n_epochs.append(args))
        )
        comparison = compare_models({"network": network}, **data, checkpoint_dir=folder)
    return comparison, len(n_epochs) - 1  # it is saved once more when it is finished


def test_a_network_goes_on_after_its_last_epoch_and_all_its_time_counts(
    images, network, tmp_path, monkeypatch
):
    unbroken = compare_models({"network": network}, **images)
    file = interrupt_after_two_epochs(images, network, tmp_path, monkeypatch)
    arrays = dict(np.load(file))
    facts = json.loads(str(arrays["facts"]))
    assert min(facts["times"]) > 0
    facts["times"] = [1000.0, 2000.0]
    np.savez(file, **{**arrays, "facts": np.array(json.dumps(facts))})
    comparison, n_epochs = go_on(images, network, tmp_path, monkeypatch)
    assert n_epochs == 1
    assert_array_equal(comparison.probabilities_["network"], unbroken.probabilities_["network"])
    assert 1000 < comparison.to_frame()["fit_seconds"][0] < 1100
    assert 2000 < comparison.to_frame()["fit_cpu_seconds"][0] < 2100
    assert comparison.estimators_["network"].checkpoint_dir is None
    assert not (tmp_path / "fits").exists()


@pytest.mark.parametrize(
    "kind", ["ensemble", "student", pytest.param("pipeline", marks=pytest.mark.slow)]
)
def test_a_network_inside_of_another_model_goes_on_too(
    images, network, tmp_path, monkeypatch, kind
):
    linear = make_pipeline(PixelFeatures(), GaussianNB())
    model = {
        "ensemble": VotingClassifier([("linear", linear), ("net", network)], voting="soft"),
        "student": DistilledClassifier(network, linear),
        "pipeline": make_pipeline(FunctionTransformer(), network),
    }[kind]
    unbroken = compare_models({"network": model}, **images)
    interrupt_after_two_epochs(images, model, tmp_path, monkeypatch)
    comparison, n_epochs = go_on(images, model, tmp_path, monkeypatch)
    assert n_epochs == 1
    assert_array_equal(comparison.probabilities_["network"], unbroken.probabilities_["network"])
    fitted = comparison.estimators_["network"]
    assert all(not network.checkpoint_dir for network in _fitted_networks(fitted))
    assert len(list(_fitted_networks(fitted))) == 1
    params = fitted.get_params()
    assert not any(value for name, value in params.items() if name.endswith("checkpoint_dir"))
    assert not (tmp_path / "fits").exists()


def test_a_training_that_cannot_go_on_begins_again(images, network, tmp_path, monkeypatch):
    file = interrupt_after_two_epochs(images, network, tmp_path, monkeypatch)
    file.write_bytes(b"x")
    with pytest.warns(UserWarning, match="could not go on and began again"):
        comparison, n_epochs = go_on(images, network, tmp_path, monkeypatch)
    assert n_epochs == 3
    assert not comparison.errors_
    assert not (tmp_path / "fits").exists()


def test_a_network_with_callbacks_or_a_folder_of_its_own_keeps_no_state(images, network, tmp_path):
    import keras

    own = {"epochs": 1, "checkpoint_dir": tmp_path / "own"}
    models = {
        "called": clone(network).set_params(epochs=1, callbacks=[keras.callbacks.Callback()]),
        "own": clone(network).set_params(**own),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        comparison = compare_models(models, **images, checkpoint_dir=tmp_path / "new")
    assert comparison.estimators_["own"].checkpoint_dir == own["checkpoint_dir"]
    assert not (tmp_path / "new" / "fits").exists()


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
