"""Searches over named models: what they draw from, that it is valid, and that it repeats."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GroupKFold, ParameterSampler, RandomizedSearchCV

from fashionkit import HOGFeatures, list_models, make_garments, make_model, make_search
from fashionkit.models._registry import MODELS, Model

N_DRAWS = 20


def draws(search, seed=0):
    return list(ParameterSampler(search.param_distributions, N_DRAWS, random_state=seed))


def validate(estimator):
    """Validate the parameters of an estimator, and of all within it."""
    for one in (estimator, *estimator.get_params().values()):
        if isinstance(one, BaseEstimator) and hasattr(one, "_parameter_constraints"):
            one._validate_params()


@pytest.mark.parametrize("name", list_models())
def test_what_is_drawn_can_be_set(name):
    search = make_search(name)
    assert len(search.param_distributions) >= 2
    for params in draws(search):
        model = clone(search.estimator).set_params(**params)
        validate(model)
        found = model.get_params()
        for parameter, value in params.items():
            assert found[parameter] == value


@pytest.mark.parametrize("name", list_models())
def test_what_is_drawn_lies_around_what_the_model_has(name):
    search = make_search(name)
    params = search.estimator.get_params()
    for parameter, values in search.param_distributions.items():
        usual = params.get(parameter)
        if isinstance(usual, int | float):
            low, high = (min(values), max(values)) if isinstance(values, list) else values.support()
            assert low <= usual <= high, parameter


@pytest.mark.parametrize(
    ("name", "searched"),
    [
        ("cnn", {"learning_rate", "batch_size", "epochs", "architecture__dropout"}),
        (
            "mobilenetv2-tuned",
            {"learning_rate", "batch_size", "epochs", "dropout", "augmentation__translation"}
            | {"fine_tune_learning_rate", "fine_tune_epochs"},
        ),
        ("hog-svm", {"pca__n_components", "svm__C", "svm__gamma"}),
        ("color-knn", {"color__bins", "pca__n_components", "knn__n_neighbors", "knn__weights"}),
        (
            "invariant-svm",
            {"estimator__pca__n_components", "estimator__svm__C", "estimator__svm__gamma"},
        ),
        (
            "best-fast",
            {"weights", "network__learning_rate", "network__batch_size", "network__epochs"}
            | {"network__augmentation__translation", "svm__estimator__pca__n_components"}
            | {"svm__estimator__svm__C"},
        ),
    ],
)
def test_each_kind_of_model_has_distributions(name, searched):
    assert set(make_search(name).param_distributions) == searched


def test_learning_rates_and_penalties_are_drawn_over_magnitudes():
    for name, parameter in (("cnn", "learning_rate"), ("pixels-svm", "svm__C")):
        drawn = [params[parameter] for params in draws(make_search(name))]
        assert max(drawn) > 10 * min(drawn)


def test_it_is_a_search_over_the_named_model(tmp_path):
    search = make_search("hog-svm", n_iter=5, cv=4, memory=tmp_path, n_jobs=2, random_state=3)
    assert isinstance(search, RandomizedSearchCV)
    assert is_classifier(search)
    assert (search.n_iter, search.n_jobs, search.random_state) == (5, 2, 3)
    assert search.cv.get_n_splits() == 4
    assert repr(search.estimator) == repr(make_model("hog-svm", memory=tmp_path, random_state=3))


def test_a_parameter_that_is_passed_is_fixed():
    search = make_search("cnn", epochs=3)
    assert search.estimator.epochs == 3
    assert "epochs" not in search.param_distributions


def test_an_architecture_that_is_passed_is_searched_no_further():
    search = make_search("cnn", architecture="lenet5")
    assert set(search.param_distributions) == {"learning_rate", "batch_size", "epochs"}


def test_a_splitter_is_taken_as_it_is():
    splitter = GroupKFold(2)
    assert make_search("cnn", cv=splitter).cv is splitter


def test_folds_are_stratified_and_shuffled_by_the_seed():
    y = np.repeat([0, 1, 2], [60, 20, 10])

    def folds(seed):
        search = make_search("cnn", cv=2, random_state=seed)
        return [test.tolist() for _, test in search.cv.split(y, y)]

    for fold in folds(0):
        assert np.bincount(y[fold]).tolist() == [30, 10, 5]
        assert fold != list(range(len(fold)))
    assert folds(0) == folds(0) != folds(1)


def test_an_int_seed_gives_the_same_search_again(garments):
    X, y = garments

    def results():
        search = make_search("pixels-tree", n_iter=2, cv=2, random_state=1).fit(X[:120], y[:120])
        return search.cv_results_["params"], search.predict_proba(X[120:]).tolist()

    assert results() == results()


def test_a_network_is_tuned(garments):
    X, y = garments
    small = {"filters": (4, 4), "dense_units": (8,)}
    search = make_search("cnn", n_iter=1, cv=2, epochs=1, architecture_params=small, random_state=0)
    search.fit(X[:80], y[:80])
    assert search.best_estimator_.architecture_params["filters"] == (4, 4)
    assert search.predict(X[80:]).shape == (220,)


def test_features_are_computed_once_for_each_fold(tmp_path, monkeypatch):
    X, y = make_garments(120, random_state=0)
    computed = []
    fit_transform = HOGFeatures.fit_transform

    def counting(self, X, y=None, **params):
        computed.append(len(X))
        return fit_transform(self, X, y, **params)

    monkeypatch.setattr(HOGFeatures, "fit_transform", counting)
    make_search("hog-knn", n_iter=4, cv=2, memory=tmp_path, random_state=0).fit(X, y)
    assert sorted(computed) == [60, 60, 120]  # two folds, and the refit


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="the nearest names are 'hog-svm'"):
        make_search("hog-svn")


def test_a_model_without_parameters_to_search_over_is_refused(monkeypatch):
    record = Model("features", "A toy.", lambda memory: DummyClassifier())
    monkeypatch.setitem(MODELS, "toy", record)
    with pytest.raises(ValueError, match=r"name='toy' has no parameters to search over; pass make"):
        make_search("toy")
    with pytest.raises(ValueError, match="with tree__max_depth, tree__min_samples_leaf fixed has"):
        make_search("hog-tree", tree__max_depth=3, tree__min_samples_leaf=2)


def test_a_record_may_bring_its_own_distributions(monkeypatch):
    record = Model(
        "features", "A toy.", lambda memory: DummyClassifier(), space={"constant": [1, 2]}
    )
    monkeypatch.setitem(MODELS, "toy", record)
    assert make_search("toy").param_distributions == {"constant": [1, 2]}
