"""The models of a comparison: seeds, frozen models, searches, and the form they take images in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import randint
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from fashionkit import CNNClassifier, HOGFeatures, compare_models, make_baseline
from fashionkit.comparison._forms import flat_rows, takes_images
from fashionkit.comparison._models import describe_model, read_models

KNN = KNeighborsClassifier(3)
STACKING = StackingClassifier([("knn", KNN)])
HOG_KNN = make_baseline("hog", "knn")


class Foreign(ClassifierMixin, BaseEstimator):
    """A classifier of another library, which says nothing of the form it takes."""

    def fit(self, X, y):
        self.classes_, self.shape_ = np.unique(y), X.shape
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (KNN, False),
        (CNNClassifier(), True),
        (HOG_KNN, True),
        (Foreign(), True),
        (DummyClassifier(), True),
        (make_pipeline(StandardScaler(), KNN), False),
        (make_pipeline(FunctionTransformer(), KNN), True),
        (Pipeline([("nothing", "passthrough"), ("hog", HOGFeatures()), ("knn", KNN)]), True),
        (make_pipeline(FeatureUnion([("a", HOGFeatures()), ("b", StandardScaler())]), KNN), False),
        (GridSearchCV(HOG_KNN, {}), True),
        (GridSearchCV(KNN, {}), False),
        (FrozenEstimator(CNNClassifier()), True),
        (CalibratedClassifierCV(CNNClassifier()), True),
        (VotingClassifier([("a", CNNClassifier()), ("b", HOG_KNN)]), True),
        (VotingClassifier([("a", CNNClassifier()), ("b", KNN)]), False),
        (BaggingClassifier(CNNClassifier()), False),
    ],
)
def test_scikit_learn_s_own_models_take_flat_rows(estimator, expected):
    assert takes_images(estimator) is expected


def test_flat_rows_are_views_and_tables_stay_as_they_are(garments):
    X = garments[0][:4]
    assert np.shares_memory(flat_rows(X), X)
    assert flat_rows(X).shape == (4, 784)
    assert flat_rows(list(X)).shape == (4, 784)
    table = X.reshape(4, -1)
    assert flat_rows(table) is table


def test_models_for_tables_and_for_images_are_compared_on_the_same_images(garments, tiny_cnn):
    X, y = garments[0], garments[1]
    models = {
        "knn": KNN,
        "cnn": tiny_cnn(epochs=1),
        "foreign": Foreign(),
        "search": GridSearchCV(KNN, {"n_neighbors": [1, 3]}, cv=2),
    }
    comparison = compare_models(models, X[:100], y[:100], X_test=X[100:150], y_test=y[100:150])
    assert not comparison.errors_
    assert comparison.estimators_["foreign"].shape_ == (100, 28, 28)
    assert comparison.estimators_["search"].best_params_
    frame = comparison.to_frame().set_index("model")
    assert frame["n_parameters"].notna().tolist() == [name == "cnn" for name in frame.index]
    cnn = comparison.estimators_["cnn"]
    assert frame.loc["cnn", "n_parameters"] == cnn.model_.count_params()


class Changing(Foreign):
    """A classifier that changes the images that it is passed."""

    def fit(self, X, y):
        X[:] = 0
        return super().fit(X, y)


@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame])
def test_no_model_changes_the_images_of_the_others(garments, form):
    images, y = garments[0].reshape(300, -1).astype(float), garments[1]
    X, X_test = form(images[:100]), form(images[100:150])
    models = {"scaled": make_pipeline(StandardScaler(copy=False), KNN), "knn": KNN}
    comparison = compare_models(models, X, y[:100], X_test=X_test, y_test=y[100:150])
    assert_array_equal(X, images[:100])
    assert_array_equal(X_test, images[100:150])
    assert_array_equal(comparison.predictions_["knn"], clone(KNN).fit(X, y[:100]).predict(X_test))


def test_a_model_that_writes_to_images_fails_by_name(garments):
    X, y = garments[0].copy(), garments[1]
    models = {"changing": Changing(), "knn": KNN}
    with pytest.warns(UserWarning, match="'changing' failed: ValueError: .* read-only"):
        compare_models(models, X[:100], y[:100], X_test=X[100:150], y_test=y[100:150])
    assert_array_equal(X, garments[0])


@pytest.mark.parametrize("seed", [None, 0])
def test_a_frozen_model_is_compared_without_fitting_it_again(garments, seed):
    X, y = garments[0].reshape(300, -1), garments[1]
    old = FrozenEstimator(KNeighborsClassifier(1).fit(X[:50], y[:50]))
    models = {"old": old, "new": KNeighborsClassifier(1)}
    data = {"X": X[:200], "y": y[:200], "X_test": X[200:], "y_test": y[200:]}
    comparison = compare_models(models, **data, random_state=seed)
    assert_array_equal(comparison.predictions_["old"], old.predict(X[200:]))
    assert comparison.estimators_["old"].estimator is old.estimator


def test_a_frozen_model_of_other_classes_fails_by_name(garments):
    X, y = garments[0].reshape(300, -1), garments[1]
    old = FrozenEstimator(KNeighborsClassifier(1).fit(X[y < 3], y[y < 3]))
    models = {"old": old, "new": KNN}
    with pytest.warns(UserWarning, match="'old' failed: ValueError: the model has the classes 0, "):
        comparison = compare_models(models, X[:200], y[:200], X_test=X[200:], y_test=y[200:])
    assert list(comparison.predictions_) == ["new"]


def test_probabilities_stand_in_the_order_of_the_labels(garments):
    X, y = garments[0].reshape(300, -1), garments[1]

    class Reversed(KNeighborsClassifier):
        def fit(self, X, y):
            super().fit(X, y)
            self.order_ = self.classes_[::-1]
            return self

        def __getattribute__(self, name):
            if name == "classes_" and "order_" in vars(self):
                return vars(self)["order_"]
            return super().__getattribute__(name)

        def predict_proba(self, X):
            return super().predict_proba(X)[:, ::-1]

        def predict(self, X):
            return self.order_[self.predict_proba(X).argmax(axis=1)]

    models = {"a": KNN, "b": Reversed(3)}
    comparison = compare_models(models, X[:200], y[:200], X_test=X[200:], y_test=y[200:])
    assert_array_equal(comparison.probabilities_["a"], comparison.probabilities_["b"])


def test_every_model_gets_the_seed_unless_it_has_its_own():
    models = {
        "forest": make_pipeline(StandardScaler(), RandomForestClassifier()),
        "own": RandomForestClassifier(random_state=5),
        "knn": KNN,
    }
    clones = read_models(models, seed=7, memory="unused")
    assert clones["forest"][-1].random_state == 7
    assert clones["own"].random_state == 5
    assert models["forest"][-1].random_state is None
    assert read_models(models, seed=None, memory="unused")["forest"][-1].random_state is None


class Underived:
    """A classifier that does not follow scikit-learn's contract."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X))


@pytest.mark.parametrize("model", [STACKING, make_pipeline(StandardScaler(), STACKING)])
def test_a_classifier_that_predicts_only_after_fit_is_a_model(model):
    assert list(read_models({"stacking": model}, seed=0, memory="unused")) == ["stacking"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (KMeans(3), "of the type 'clusterer'; expected a classifier"),
        (IsolationForest(), "of the type 'outlier_detector'; expected a classifier"),
        (make_pipeline(StandardScaler()), "expected a classifier with fit and predict"),
        (GridSearchCV(KNN, {}, refit=False), "pass refit=True"),
        (Underived(), "derive its class from ClassifierMixin and BaseEstimator"),
    ],
)
def test_what_cannot_classify_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        read_models({"a": model}, seed=0, memory="unused")


def test_models_can_be_left_out(made_up):
    comparison = made_up({"a": 0.9, "b": 0.6, "c": 0.3}, failed=["broken"])
    assert list(comparison.without(["b"]).predictions_) == ["a", "c"]
    assert comparison.without(["broken"]).errors_ == {}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("b", "'names' parameter of .* Got 'b'"),
        (["d"], "Unknown models 'd'; choose from 'a', 'b', 'broken'"),
        (["a", "b"], "Without 'a', 'b', no model with a result is left"),
    ],
)
def test_models_that_cannot_be_left_out_are_named(made_up, names, message):
    with pytest.raises(ValueError, match=message):
        made_up({"a": 0.9, "b": 0.6}, failed=["broken"]).without(names)


def test_named_models_share_features_only_where_they_have_the_same(tmp_path):
    clones = read_models(["hog-knn", "hog-tree", "pixels-tree"], seed=0, memory=str(tmp_path))
    assert clones["hog-knn"].memory.location == clones["hog-tree"].memory.location
    assert clones["pixels-tree"].memory is None


def test_shared_features_are_computed_once_and_their_time_counts_for_each(garments, monkeypatch):
    calls = []
    fit = HOGFeatures.fit
    monkeypatch.setattr(HOGFeatures, "fit", lambda *args: calls.append(1) or fit(*args))
    transform = HOGFeatures.transform

    def slow(self, X):
        calls.extend([1] * (len(X) == 150))
        sum(i * i for i in range(1_000_000))
        return transform(self, X)

    monkeypatch.setattr(HOGFeatures, "transform", slow)
    X, y = garments
    comparison = compare_models(
        ["hog-knn", "hog-tree"],
        X[:150],
        y[:150],
        X_test=X[150:200],
        y_test=y[150:200],
        random_state=0,
    )
    assert len(calls) == 2  # one fit, and one transform of the training images
    frame = comparison.to_frame().set_index("model")
    assert frame.loc["hog-tree", "fit_cpu_seconds"] > 0.01
    assert [model.memory for model in comparison.estimators_.values()] == [None, None]


@pytest.mark.parametrize(
    "other",
    [
        KNeighborsClassifier(5),
        make_pipeline(KNN),
        FrozenEstimator(KNeighborsClassifier(3).fit([[0], [1], [2]], [0, 1, 1])),
        RandomForestClassifier(random_state=np.random.RandomState(1)),
    ],
)
def test_the_description_of_a_model_tells_others_apart(other):
    assert describe_model("a", other) == describe_model("a", other)
    assert describe_model("a", other) != describe_model("b", other)
    assert describe_model("a", other) != describe_model("a", KNN)


def test_the_description_leaves_out_what_changes_no_answer():
    quiet = LogisticRegression(verbose=0)
    assert describe_model("a", quiet) == describe_model("a", LogisticRegression(verbose=1))
    frozen = [FrozenEstimator(KNeighborsClassifier(1).fit([[0], [x]], [0, 1])) for x in (1, 2)]
    assert describe_model("a", frozen[0]) != describe_model("a", frozen[1])


def test_searches_are_described_by_what_they_draw_from():
    def search(high, **params):
        space = {"n_neighbors": randint(1, high), "p": [1, 2]}
        return RandomizedSearchCV(KNN, space, random_state=0, **params)

    assert describe_model("a", search(9)) == describe_model("a", search(9, n_jobs=2, verbose=1))
    assert describe_model("a", search(9)) != describe_model("a", search(8))
    np.random.random()
    assert describe_model("a", search(9)) == describe_model("a", search(9))
