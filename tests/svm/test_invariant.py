"""The support vector machine that also learns from views of its support vectors."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from joblib import Memory
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

from fashionkit import (
    CalibratedSVC,
    HOGFeatures,
    InvariantSVC,
    PixelFeatures,
    make_baseline,
    make_garments,
)
from fashionkit.preprocessing._views import make_views
from fashionkit.svm import _invariant

VIEWS = ["flip", "shift", "flip+shift"]


class Counted(PixelFeatures):
    """Pixels that count how often they are fitted."""

    calls = ()

    def fit_transform(self, X, y=None):
        self.calls.append(len(X))
        return self.fit(X).transform(X)


@pytest.fixture(scope="module")
def data():
    """Return 500 small images of four classes: each pair of classes costs a calibration."""
    X, y = make_garments(1250, random_state=0)
    kept = np.isin(y, [0, 1, 5, 6])
    return X[kept][:500, ::2, ::2], y[kept][:500]


@pytest.fixture(scope="module")
def fitted(data):
    X, y = data
    return InvariantSVC(pixels(C=3), views="flip+shift").fit(X[:300], y[:300])


def pixels(**params):
    return make_pipeline(PixelFeatures(), CalibratedSVC(random_state=0, **params))


def other_views(images, views):
    return list(make_views(images, views, np.pad))[1:]


@pytest.mark.parametrize("views", [None, *VIEWS])
def test_it_is_a_machine_fitted_by_hand_on_views_of_support_vectors(data, views):
    X, y = data
    X, y, X_test = X[:300, :, :, np.newaxis], y[:300], X[300:, :, :, np.newaxis]

    def rows(images):
        return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)

    gamma = 1 / (rows(X).shape[1] * rows(X).var(dtype=np.float64))
    svc = SVC(C=3, gamma=gamma, decision_function_shape="ovo")
    support = np.sort(clone(svc).fit(rows(X), y).support_)
    seen = [rows(X[support]), *(rows(view) for view in other_views(X[support], views))]
    svc.fit(np.concatenate(seen), np.tile(y[support], len(seen)))
    scores = [svc.decision_function(rows(view)) for view in [X_test, *other_views(X_test, views)]]

    clf = InvariantSVC(pixels(C=3), views=views).fit(X, y)
    assert clf.n_support_vectors_ == len(support)
    assert_allclose(clf._score(X_test), np.mean(scores, axis=0), atol=1e-4)


def test_an_image_and_its_mirror_image_have_the_same_probabilities(data):
    X, y = data
    clf = InvariantSVC(pixels()).fit(X[:300], y[:300])
    probabilities = clf.predict_proba(X[300:])
    assert_allclose(clf.predict_proba(X[300:, :, ::-1]), probabilities, atol=1e-6)


def test_mirror_images_of_one_side_are_learnt(data):
    # All shoes and sleeves to the left in training, and to the right in the test.
    X, y = data
    X = X.astype(np.float32)
    X[:, :, 7:] //= 4
    plain = pixels(C=3).fit(X[:300], y[:300]).score(X[300:, :, ::-1], y[300:])
    invariant = InvariantSVC(pixels(C=3)).fit(X[:300], y[:300])
    assert invariant.score(X[300:, :, ::-1], y[300:]) > plain + 0.1


def test_it_learns_blobs_that_are_their_own_mirror_images():
    # What check_classifiers_train asks for, on tables that may be mirrored.
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], 40)
    half = rng.normal(np.repeat([-3, 0, 3], 40)[:, np.newaxis], 0.3, (120, 2))
    X = np.hstack([half, half[:, ::-1]])
    clf = InvariantSVC(pixels()).fit(X, y)
    assert clf.score(X, y) == 1
    probabilities = clf.predict_proba(X)
    assert_allclose(probabilities.sum(axis=1), 1)
    assert_array_equal(clf.classes_[probabilities.argmax(axis=1)], clf.predict(X))
    assert_allclose(clf.predict_log_proba(X), np.log(probabilities))
    for wrong in (X[:, :3], X[0]):
        with pytest.raises(ValueError, match=r"features|1D array|1-dimensional"):
            clf.predict(wrong)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        InvariantSVC(pixels()).fit(X, y[:-1])
    with pytest.raises(ValueError, match="requires y to be passed"):
        InvariantSVC(pixels()).fit(X, None)


def test_probabilities_are_calibrated(data):
    X, y = make_garments(900, random_state=1)
    clf = InvariantSVC(make_baseline("hog", "svm", random_state=0)).fit(X[:500], y[:500])
    probabilities = clf.predict_proba(X[500:])
    right = probabilities.argmax(axis=1) == np.searchsorted(clf.classes_, y[500:])
    assert abs(probabilities.max(axis=1).mean() - right.mean()) < 0.05


@pytest.mark.parametrize("form", ["flat", "square", "list", "scaled", "signed"])
def test_every_form_of_images_gives_the_same(data, fitted, form):
    X, y = data
    forms = {
        "flat": lambda X: X.reshape(len(X), -1),
        "square": lambda X: X[..., np.newaxis],
        "list": list,
        "scaled": lambda X: X / 255,
        "signed": lambda X: X / 127.5 - 1,  # the border of shifted images is -1
    }
    again = clone(fitted).fit(forms[form](X[:300]), y[:300])
    expected = fitted.predict_proba(X[300:])
    assert_allclose(again.predict_proba(forms[form](X[300:])), expected, atol=1e-4)


def test_colour_images_and_flat_rows_of_a_given_shape():
    X, y = make_garments(110, random_state=0)
    wide = np.repeat(np.concatenate([X, X], axis=2)[..., np.newaxis], 3, axis=3)
    estimator = make_pipeline(HOGFeatures(), PCA(20, random_state=0), CalibratedSVC(random_state=0))
    expected = InvariantSVC(estimator).fit(wide[:80], y[:80]).predict_proba(wide[80:])
    clf = InvariantSVC(estimator, image_shape=(28, 56, 3))
    flat = wide.reshape(len(wide), -1)
    assert_allclose(clf.fit(flat[:80], y[:80]).predict_proba(flat[80:]), expected, atol=1e-6)


def test_flat_rows_have_the_shape_that_a_transformer_was_given(data):
    X, y = data[0][:100], data[1][:100]
    wide = np.concatenate([X, X], axis=2)
    flat = wide.reshape(len(wide), -1)
    expected = InvariantSVC(pixels()).fit(wide, y).predict_proba(wide)
    estimator = pixels().set_params(pixelfeatures__image_shape=(14, 28))
    clf = InvariantSVC(estimator).fit(flat, y)
    assert clf.image_shape_ == (14, 28, 1)
    assert_allclose(clf.predict_proba(flat), expected)
    with pytest.warns(UserWarning, match=r"one row of 392 pixels.*pass image_shape") as caught:
        InvariantSVC(pixels()).fit(flat, y)
    assert caught[0].filename == __file__


def test_frames_from_transformers_and_steps_that_are_switched_off(data):
    X, y = data
    expected = InvariantSVC(pixels()).fit(X[:200], y[:200]).predict_proba(X)
    frames = pixels().set_output(transform="pandas")
    assert_array_equal(InvariantSVC(frames).fit(X[:200], y[:200]).predict_proba(X), expected)
    steps = [("pixels", PixelFeatures()), ("off", "passthrough"), *pixels().steps[1:]]
    clf = InvariantSVC(Pipeline(steps)).fit(X[:200], y[:200])
    assert_array_equal(clf.predict_proba(X), expected)


def test_balanced_weights_are_those_of_all_samples(data):
    X, y = data
    rows = np.concatenate([np.flatnonzero(y == 0)[:12], np.flatnonzero(y == 6)])
    weights = {0: len(rows) / 24, 6: len(rows) / (2 * (len(rows) - 12))}
    expected, clf = (
        InvariantSVC(pixels(class_weight=weight)).fit(X[rows], y[rows])
        for weight in (weights, "balanced")
    )
    assert_allclose(clf.svc_.dual_coef_, expected.svc_.dual_coef_, rtol=1e-6)


def test_decision_scores_are_the_logarithms_of_probabilities(data, fitted):
    X, _ = data
    scores = fitted.decision_function(X[300:])
    difference = scores - np.log(fitted.predict_proba(X[300:]))
    assert_allclose(difference - difference[:, :1], 0, atol=1e-9)
    assert_array_equal(fitted.classes_[scores.argmax(axis=1)], fitted.predict(X[300:]))


def test_the_decision_score_of_two_classes_is_the_log_odds_of_the_second(data):
    X, y = data
    clf = InvariantSVC(pixels()).fit(X[:200], y[:200] > 4)
    scores = clf.decision_function(X[300:])
    probabilities = clf.predict_proba(X[300:])
    assert_allclose(scores, np.log(probabilities[:, 1] / probabilities[:, 0]), atol=1e-9)
    assert_array_equal(scores > 0, clf.predict(X[300:]))


@pytest.mark.parametrize("views", [None, "flip"])
def test_images_of_weight_zero_are_left_out_to_the_bit(data, views):
    X, y = data
    weights = np.random.default_rng(0).integers(0, 3, 300).astype(float)
    kept = weights > 0
    clf = InvariantSVC(pixels(), views=views)
    expected = clone(clf).fit(X[:300][kept], y[:300][kept], weights[kept])
    clf.fit(X[:300], y[:300], weights)
    assert_array_equal(clf.predict_proba(X[300:]), expected.predict_proba(X[300:]))


def test_views_have_the_weights_of_their_images(data):
    X, y = data
    X, y, weights = X[:200], y[:200], np.random.default_rng(0).random(200) + 0.5
    clf = InvariantSVC(pixels(C=3, gamma=0.02), views="flip").fit(X, y, weights)
    rows = X.reshape(200, -1) / np.float32(255)
    mirrored = X[:, :, ::-1].reshape(200, -1) / np.float32(255)
    svc = SVC(C=3, gamma=0.02, decision_function_shape="ovo").fit(rows, y, weights)
    support = np.sort(svc.support_)
    svc.fit(
        np.concatenate([rows[support], mirrored[support]]),
        np.tile(y[support], 2),
        np.tile(weights[support], 2),
    )
    assert_allclose(clf.svc_.decision_function(rows), svc.decision_function(rows), atol=1e-4)


def test_the_estimator_given_stays_as_it_was(data):
    X, y = data
    estimator = pixels()
    InvariantSVC(estimator).fit(X[:200], y[:200])
    with pytest.raises(NotFittedError):
        estimator.predict(X)


def test_a_pickled_classifier_predicts_the_same(data, fitted):
    X, _ = data
    again = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(again.predict_proba(X[300:]), fitted.predict_proba(X[300:]))


def test_views_are_described_in_chunks(data, fitted, monkeypatch):
    X, y = data
    expected = fitted.predict_proba(X[300:350])
    described = []
    original = PixelFeatures.transform
    monkeypatch.setattr(_invariant, "_VALUES_PER_CHUNK", 7 * 14 * 14)
    monkeypatch.setattr(_invariant, "_FEW", 0)
    monkeypatch.setattr(
        PixelFeatures, "transform", lambda *args: described.append(len(args[1])) or original(*args)
    )
    assert_allclose(fitted.predict_proba(X[300:350]), expected, rtol=1e-6)
    assert max(described) == 7
    again = clone(fitted).fit(X[:300], y[:300])
    assert sorted(set(described))[-2:] == [7, 300]
    assert_allclose(again.predict_proba(X[300:350]), expected, rtol=1e-6)
    # Of few images all views at once: the calls take more time than what they compute.
    monkeypatch.setattr(_invariant, "_FEW", 2)
    described.clear()
    assert_allclose(fitted.predict_proba(X[300:302]), expected[:2], rtol=1e-6)
    n_views = len(list(fitted._views(np.zeros((1, 14, 14, 1)))))
    assert described == [2 * n_views]


def test_a_search_over_what_is_inside(data):
    X, y = data
    search = GridSearchCV(
        InvariantSVC(pixels()),
        {"views": [None, "flip"], "estimator__calibratedsvc__C": [0.1, 3]},
        cv=2,
        n_jobs=2,
    )
    assert search.fit(X[:200], y[:200]).best_params_["estimator__calibratedsvc__C"] == 3


def test_the_memory_of_the_pipeline_keeps_its_features(data, tmp_path, monkeypatch):
    X, y = data
    monkeypatch.setattr(Counted, "calls", [])
    memory = Memory(tmp_path, verbose=0)
    estimator = Pipeline(
        [("pixels", Counted()), ("svm", CalibratedSVC(random_state=0))], memory=memory
    )
    for C in (1, 3):
        InvariantSVC(estimator.set_params(svm__C=C)).fit(X[:200], y[:200])
    assert Counted.calls == [200]


def test_an_int_as_random_state_makes_all_the_same(data, fitted):
    X, y = data
    again = clone(fitted).fit(X[:300], y[:300])
    assert_array_equal(again.predict_proba(X[300:]), fitted.predict_proba(X[300:]))


def test_one_warning_of_pixels_of_another_range(data, fitted):
    X, _ = data
    for method in (
        fitted.predict,
        fitted.predict_proba,
        fitted.predict_log_proba,
        fitted.decision_function,
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            method(X[300:305] / 255)
        assert ["X has pixels in the range" in str(w.message) for w in caught] == [True]
        assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(PixelFeatures(), SVC()),
        make_pipeline(CalibratedSVC()),
        make_baseline("hog", "forest"),
    ],
    ids=["another machine", "no features", "a forest"],
)
def test_pipelines_without_features_or_machine_are_refused(data, estimator):
    with pytest.raises(TypeError, match=r"estimator ends in .*CalibratedSVC.*make_baseline"):
        InvariantSVC(estimator).fit(*data)


def test_invalid_parameters_are_named(data):
    X, y = data
    with pytest.raises(ValueError, match="'estimator' parameter of InvariantSVC"):
        InvariantSVC(CalibratedSVC()).fit(X, y)
    with pytest.raises(ValueError, match="'views' parameter of InvariantSVC"):
        InvariantSVC(pixels(), views="rotate").fit(X, y)
    with pytest.raises(ValueError, match="'C' parameter of CalibratedSVC"):
        InvariantSVC(pixels(C=-1)).fit(X, y)


def test_one_class_is_refused_before_anything_is_described(data, monkeypatch):
    X, y = data
    monkeypatch.setattr(PixelFeatures, "transform", lambda *args: pytest.fail("described"))
    with pytest.raises(ValueError, match="needs at least two"):
        InvariantSVC(pixels()).fit(X[y == 1], y[y == 1])


def test_a_class_of_one_image_has_rough_probabilities(data):
    X, _ = data
    with pytest.warns(UserWarning, match=r"fewer samples than .*: 1 \(1\)"):
        clf = InvariantSVC(pixels()).fit(X[:30], [1] + [0] * 29)
    assert_allclose(clf.predict_proba(X[:5]).sum(axis=1), 1)


@pytest.mark.realdata
@pytest.mark.slow  # that views help, where images are mirrored, is tested above
def test_fashion_mnist(fashion_mnist):
    X, y, X_test, y_test = fashion_mnist
    X, y = X[::2], y[::2]
    plain = make_baseline("hog", "svm", random_state=0)
    invariant = InvariantSVC(plain, views="flip+shift")
    scores = [model.fit(X, y).score(X_test, y_test) for model in (plain, invariant)]
    assert scores[1] > scores[0] > 0.85
