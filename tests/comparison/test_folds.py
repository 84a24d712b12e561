"""Comparisons on folds: the same for every model, and what is said of them."""

from __future__ import annotations

import os
import signal

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    GroupKFold,
    RepeatedStratifiedKFold,
    StratifiedShuffleSplit,
    cross_validate,
)
from sklearn.neighbors import KNeighborsClassifier

from fashionkit import CLASS_NAMES, compare_models

MODELS = {"knn": KNeighborsClassifier(3), "guess": DummyClassifier()}


@pytest.fixture(scope="module")
def data(garments):
    X, y = garments
    return X.reshape(len(X), -1)[:180], y[:180]


@pytest.fixture(scope="module")
def folds(data):
    return compare_models(MODELS, *data, cv=3, class_names=CLASS_NAMES, scoring="roc_auc_ovr")


def test_scores_of_folds_are_those_of_scikit_learn(folds, data):
    scoring = ["accuracy", "roc_auc_ovr", "neg_log_loss"]
    expected = cross_validate(MODELS["knn"], *data, cv=3, scoring=scoring)
    scores = folds.fold_scores().query("model == 'knn'")
    assert scores["fold"].tolist() == [1, 2, 3]
    assert_allclose(scores["accuracy"], expected["test_accuracy"])
    assert_allclose(scores["roc_auc_ovr"], expected["test_roc_auc_ovr"])
    row = folds.to_frame().set_index("model").loc["knn"]
    assert_allclose(row["accuracy"], expected["test_accuracy"].mean())
    assert_allclose(row["accuracy_std"], expected["test_accuracy"].std(ddof=1))
    assert_allclose(row["log_loss"], -expected["test_neg_log_loss"].mean())
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert "accuracy_low_std" not in row


def test_every_image_of_the_folds_is_evaluated_once_where_it_stands(folds, data):
    X, y = data
    assert sorted(folds.indices_) == list(range(180))
    assert_array_equal(folds.y_true_, y[folds.indices_])
    assert folds.images_ is X
    assert folds.probabilities_["knn"].shape == (180, 10)
    assert folds.confusion_matrix("knn").sum() == 180
    assert folds.estimators_ == {}
    frame = folds.per_class()
    assert frame["class"].tolist() == list(CLASS_NAMES) * 2
    assert frame["support"][:10].tolist() == np.bincount(y).tolist()


def test_a_test_set_decides_the_ranking_where_there_are_folds_too(data):
    X, y = data
    comparison = compare_models(
        MODELS, X[:120], y[:120], X_test=X[120:], y_test=y[120:], cv=2, class_names=CLASS_NAMES
    )
    assert "accuracy_std" not in comparison.to_frame()
    assert "accuracy_std" in comparison.to_frame("folds")
    assert len(comparison.y_true_) == 60
    assert set(comparison.estimators_) == set(MODELS)
    assert len(comparison.fold_scores()) == 4
    assert comparison.pairwise()["p_value"][0] != comparison.pairwise(part="folds")["p_value"][0]


def test_folds_may_be_masks_or_lists(data):
    mask = np.arange(180) < 120
    rows = list(range(120)), list(range(120, 180))
    splits = compare_models(
        {"guess": DummyClassifier()}, *data, cv=iter([(mask, ~mask), rows])
    ).folds_.splits
    for of_masks, of_lists in zip(*splits, strict=True):
        assert_array_equal(of_masks, of_lists)


ROWS = np.arange(120)


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        ((ROWS, [180]), "fold 1: expected arrays of whole numbers from 0 to 179"),
        ((ROWS, [-1]), "expected arrays of whole numbers"),
        ((ROWS, [150.5]), "expected arrays of whole numbers"),
        ((ROWS, [[150]]), "expected arrays of whole numbers"),
        ((ROWS, np.arange(170) > 150), "or masks of 180 values"),
        ((ROWS, [119, 120]), "images both to train on and to evaluate on in fold 1"),
    ],
)
def test_folds_of_other_rows_are_refused(data, fold, message):
    with pytest.raises(ValueError, match=message) as info:
        compare_models({"guess": DummyClassifier()}, *data, cv=[fold])
    assert len(str(info.value)) < 300


def test_groups_stay_together(data):
    groups = np.arange(180) // 2
    comparison = compare_models(MODELS, *data, cv=GroupKFold(3), groups=groups)
    for train, test in comparison.folds_.splits:
        assert not set(groups[train]) & set(groups[test])


def test_repeated_splits_count_an_image_as_often_as_it_is_evaluated(data):
    splitter = RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0)
    comparison = compare_models({"guess": DummyClassifier()}, *data, cv=splitter)
    assert len(comparison.folds_.splits) == 4
    assert np.bincount(comparison.indices_).tolist() == [2] * 180


def test_two_people_with_the_same_folds_have_the_same_hash(data):
    def hash_of(seed, y=data[1]):
        splitter = StratifiedShuffleSplit(2, test_size=0.3, random_state=seed)
        return compare_models({"guess": DummyClassifier()}, data[0], y, cv=splitter).folds_.hash

    assert hash_of(0) == hash_of(0)
    assert hash_of(0) != hash_of(1)


def test_a_model_that_fails_on_one_fold_says_which(data):
    class Fragile(KNeighborsClassifier):
        def fit(self, X, y):
            if X[0, 0] == data[0][0, 0] and len(X) == 120 and (X[0] == data[0][0]).all():
                raise RuntimeError("no luck")
            return super().fit(X, y)

    with pytest.warns(UserWarning, match="'fragile' failed: RuntimeError: no luck"):
        comparison = compare_models({"fragile": Fragile(3), "knn": MODELS["knn"]}, *data, cv=3)
    assert comparison.errors_["fragile"].startswith("fold 2: RuntimeError")
    assert list(comparison.predictions_) == ["knn"]
    assert comparison.to_frame()["accuracy"].isna().tolist() == [False, True]


class FailsOnce(KNeighborsClassifier):
    """A classifier whose second fit raises an exception."""

    def __init__(self, error, calls):
        super().__init__(3)
        self.params = {"error": error, "calls": calls}

    def get_params(self, deep=True):
        return self.params

    def __sklearn_clone__(self):
        return self

    def fit(self, X, y):
        self.params["calls"].append(1)
        if len(self.params["calls"]) == 2:
            raise self.params["error"]
        return super().fit(X, y)


@pytest.mark.filterwarnings("ignore:Model 'a' failed")
def test_a_single_model_that_fails_on_one_fold_leaves_nothing_to_compare(data):
    with pytest.raises(ValueError, match=r"failed\. 'a': RuntimeError: no luck$"):
        compare_models({"a": FailsOnce(RuntimeError("no luck"), [])}, *data, cv=3)


def test_ctrl_c_before_all_folds_of_any_model_is_passed_on(data):
    with pytest.raises(KeyboardInterrupt):
        compare_models({"a": FailsOnce(KeyboardInterrupt, [])}, *data, cv=3)


def test_one_fold_is_too_few_for_a_verdict(data):
    splitter = StratifiedShuffleSplit(1, test_size=0.5, random_state=0)
    comparison = compare_models(MODELS, *data, cv=splitter)
    assert comparison.pairwise()[["p_value", "p_holm", "p_better"]].isna().all(axis=None)
    assert comparison.verdicts()[0].endswith("one fold is too few for a verdict.")


@pytest.mark.parametrize(
    ("has_test", "part", "message"), [(False, "test", "no test set"), (True, "folds", "no folds")]
)
def test_a_part_that_is_not_there_is_an_error(data, has_test, part, message):
    X, y = data
    how = {"X_test": X, "y_test": y} if has_test else {"cv": 2}
    comparison = compare_models({"guess": DummyClassifier()}, X, y, **how)
    for method in (comparison.to_frame, lambda part: comparison.pairwise(part=part)):
        with pytest.raises(ValueError, match=message):
            method(part)


def test_jobs_give_the_same_as_one_after_the_other(folds, data):
    parallel = compare_models(MODELS, *data, cv=3, class_names=CLASS_NAMES, n_jobs=2)
    for name in MODELS:
        assert_array_equal(parallel.predictions_[name], folds.predictions_[name])
        assert_array_equal(parallel.probabilities_[name], folds.probabilities_[name])
    assert parallel.folds_.hash == folds.folds_.hash


def test_one_model_at_a_time_leaves_the_jobs_of_a_context_to_the_model(data):
    class TellsItsJobs(KNeighborsClassifier):
        def fit(self, X, y):
            self.jobs_ = joblib.effective_n_jobs(None)
            return super().fit(X, y)

    X, y = data
    with joblib.parallel_config(n_jobs=3):
        comparison = compare_models({"jobs": TellsItsJobs(3)}, X, y, X_test=X, y_test=y, n_jobs=1)
    assert comparison.estimators_["jobs"].jobs_ == 3


def killer(marker):
    """Return a model whose fit ends its process: once for a file, always for a folder."""

    class KillsItsProcess(KNeighborsClassifier):  # in here, so that workers need not import it
        def fit(self, X, y):
            if not marker.exists() or marker.is_dir():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().fit(X, y)

    return KillsItsProcess(3)


@pytest.mark.posix
@pytest.mark.slow  # it starts processes anew
def test_the_work_of_a_process_that_dies_is_done_by_others(data, tmp_path):
    models = {"knn": MODELS["knn"], "once": killer(tmp_path / "marker")}
    comparison = compare_models(models, *data, cv=2, n_jobs=2)
    assert not comparison.errors_
    assert_array_equal(comparison.predictions_["once"], comparison.predictions_["knn"])


@pytest.mark.posix
@pytest.mark.slow
def test_a_model_that_always_ends_its_process_leaves_the_results_of_the_others(data, tmp_path):
    models = {"knn": MODELS["knn"], "always": killer(tmp_path)}
    with pytest.warns(UserWarning, match="'always' failed: TerminatedWorkerError"):
        comparison = compare_models(models, *data, cv=2, n_jobs=2)
    assert list(comparison.predictions_) == ["knn"]
