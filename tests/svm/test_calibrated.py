"""The support vector machine with probabilities: calibration, the draw, weights, errors."""

from __future__ import annotations

import pickle
import sys
from collections import Counter
from types import ModuleType

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from fashionkit import load, make_baseline, save
from fashionkit.svm import CalibratedSVC
from fashionkit.svm._pairwise import PairwiseSigmoids


def noisy(n_samples=300, n_classes=3, seed=0, **params):
    """Return samples of overlapping classes, a tenth of them with a random label."""
    return make_classification(
        n_samples,
        8,
        n_informative=6,
        n_redundant=0,
        n_classes=n_classes,
        n_clusters_per_class=1,
        flip_y=0.1,
        class_sep=0.8,
        random_state=seed,
        **params,
    )


@pytest.fixture(scope="module")
def fitted():
    X, y = noisy(400)
    return CalibratedSVC(random_state=0).fit(X[:300], y[:300]), X[300:]


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_probabilities_sum_to_one_and_predict_agrees_with_them(n_classes):
    X, y = noisy(400, n_classes)
    clf = CalibratedSVC(random_state=0).fit(X[:300], y[:300])
    probabilities = clf.predict_proba(X[300:])
    assert probabilities.shape == (100, n_classes)
    assert probabilities.min() > 0
    assert_allclose(probabilities.sum(axis=1), 1)
    assert_array_equal(clf.predict(X[300:]), clf.classes_[probabilities.argmax(axis=1)])
    assert_array_equal(clf.predict_log_proba(X[300:]), np.log(probabilities))


def test_predict_nearly_always_agrees_with_the_machine(fitted):
    clf, X = fitted
    assert np.mean(clf.predict(X) == clf.svc_.predict(X)) > 0.9


def test_the_certain_are_right_in_two_classes():
    # Two classes are scored the other way round than pairs of more.
    X = np.repeat([[-3.0], [3.0]], 50, axis=0) + np.linspace(-1, 1, 100)[:, np.newaxis]
    y = np.repeat(["left", "right"], 50)
    clf = CalibratedSVC(random_state=0).fit(X, y)
    assert_array_equal(clf.predict(X), y)
    assert clf.slopes_ > 0
    assert np.all(clf.predict_proba([[-3.0], [3.0]]).diagonal() > 0.9)


def test_log_probabilities_are_finite_far_from_all_samples():
    X, y = noisy(200, 4)
    clf = CalibratedSVC(kernel="linear", random_state=0).fit(X, y)
    assert np.isfinite(clf.predict_log_proba(X * 1e4)).all()


def test_the_size_of_chunks_does_not_change_probabilities(fitted, monkeypatch):
    clf, X = fitted
    expected = clf.predict_proba(X)
    monkeypatch.setattr("fashionkit.svm._calibrated._VALUES_PER_CHUNK", 7 * 9)
    assert_allclose(clf.predict_proba(X), expected, rtol=1e-12)


@pytest.mark.parametrize("calibration_size", [300, 10_000])
def test_probabilities_are_as_good_as_those_of_scikit_learn_s_calibration(calibration_size):
    X, y = noisy(1500, 4)
    train, test = slice(0, 900), slice(900, None)
    clf = CalibratedSVC(calibration_size=calibration_size, random_state=0)
    loss = log_loss(y[test], clf.fit(X[train], y[train]).predict_proba(X[test]))

    other = CalibratedClassifierCV(SVC(), cv=3, ensemble=False).fit(X[train], y[train])
    assert loss < 1.1 * log_loss(y[test], other.predict_proba(X[test]))

    # The best that one confidence for all votes can do, chosen on the test samples themselves.
    votes = clf.svc_.predict(X[test])[:, np.newaxis] == np.arange(4)
    right = votes[np.arange(len(votes)), y[test]].mean()
    assert loss < 0.95 * log_loss(y[test], np.where(votes, right, (1 - right) / 3))


def test_confidence_is_about_how_often_predictions_are_right():
    X, y = noisy(1500, 4)
    clf = CalibratedSVC(random_state=0).fit(X[:900], y[:900])
    probabilities = clf.predict_proba(X[900:])
    right = np.mean(clf.predict(X[900:]) == y[900:])
    # Coupling is a little too modest.
    assert right - 0.08 < probabilities.max(axis=1).mean() < right + 0.04


def test_the_machine_is_fitted_on_all_samples():
    X, y = noisy(300)
    clf = CalibratedSVC(calibration_size=30, random_state=0).fit(X, y)
    assert clf.svc_.shape_fit_ == X.shape
    alone = SVC().fit(X, y)
    assert_array_equal(clf.svc_.support_, alone.support_)
    assert_array_equal(clf.svc_.dual_coef_, alone.dual_coef_)


def test_parameters_reach_the_machine():
    X, y = noisy(90)
    params = {"C": 3, "kernel": "poly", "gamma": 0.1, "cache_size": 10, "class_weight": "balanced"}
    svc = CalibratedSVC(**params).fit(X, y).svc_
    assert {name: getattr(svc, name) for name in params} == params


class RecordedSVC(SVC):
    """Counts the samples of each class that a machine is fitted on, and keeps their weights."""

    seen: list = []
    weights: list = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append(Counter(np.asarray(y).tolist()))
        self.weights.append(sample_weight)
        return super().fit(X, y, sample_weight)


@pytest.fixture
def fits(monkeypatch):
    monkeypatch.setattr("fashionkit.svm._svc.SVC", RecordedSVC)
    monkeypatch.setattr(RecordedSVC, "seen", [])
    monkeypatch.setattr(RecordedSVC, "weights", [])
    return RecordedSVC.seen


def test_the_calibration_sees_so_many_samples_by_class(fits):
    X, _ = noisy(600)
    y = np.repeat(["a", "b", "c"], [300, 200, 100])
    CalibratedSVC(calibration_size=60, random_state=0).fit(X, y)
    *of_folds, of_all = fits
    assert of_all == {"a": 300, "b": 200, "c": 100}
    # Of three folds each sample is in two.
    assert sum(of_folds, Counter()) == {"a": 60, "b": 40, "c": 20}


@pytest.mark.parametrize("calibration_size", [1, 10, 55, 77, 149, 150, 10**9])
def test_the_calibration_sees_at_most_so_many_but_enough_of_each_class(fits, calibration_size):
    X, _ = noisy(150)
    y = np.repeat(np.arange(4), [100, 36, 11, 3])
    CalibratedSVC(calibration_size=calibration_size, cv=3, random_state=0).fit(X, y)
    drawn = {label: count // 2 for label, count in sum(fits[:-1], Counter()).items()}
    assert len(fits) == 4
    for label, count in enumerate([100, 36, 11, 3]):
        share = calibration_size * count / 150
        assert max(3, share - 1) <= drawn[label] <= max(3, share) or drawn[label] == count
    # Beyond the size there is only what the folds need.
    assert sum(n for n in drawn.values() if n > 3) <= calibration_size


@pytest.mark.parametrize("cv", [2, 5])
def test_a_class_with_as_many_samples_as_folds_is_enough(fits, cv):
    X, _ = noisy(60)
    y = np.repeat([0, 1], [60 - cv, cv])
    CalibratedSVC(calibration_size=20, cv=cv, random_state=0).fit(X, y)
    assert len(fits) == cv + 1
    assert all(set(seen) == {0, 1} for seen in fits)


def test_the_same_seed_draws_the_same():
    X, y = noisy(300)

    def probabilities(random_state):
        clf = CalibratedSVC(calibration_size=100, random_state=random_state)
        return clf.fit(X, y).predict_proba(X)

    assert_array_equal(probabilities(3), probabilities(3))
    assert_array_equal(probabilities(np.random.RandomState(3)), probabilities(3))
    assert not np.array_equal(probabilities(4), probabilities(3))


def test_strings_are_labels_like_numbers():
    X, y = noisy(200)
    names = np.array(["bag", "coat", "dress"])
    expected = CalibratedSVC(random_state=0).fit(X, y)
    for labels in (names[y], names[y].astype(object)):
        clf = CalibratedSVC(random_state=0).fit(X, labels)
        assert_array_equal(clf.classes_, names)
        assert_array_equal(clf.predict(X), names[expected.predict(X)])
        assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))


def test_class_weight_favours_a_class():
    X, y = noisy(300)
    plain, heavy = (
        CalibratedSVC(class_weight=weight, random_state=0).fit(X, y) for weight in (None, {2: 20})
    )
    assert np.sum(heavy.predict(X) == 2) > 1.2 * np.sum(plain.predict(X) == 2)
    assert np.mean(heavy.predict_proba(X)[:, 2]) > 1.2 * np.mean(plain.predict_proba(X)[:, 2])


def test_balanced_weights_favour_a_rare_class():
    X, y = noisy(600, 2, weights=[0.9])
    plain, balanced = (
        CalibratedSVC(class_weight=weight, random_state=0).fit(X, y)
        for weight in (None, "balanced")
    )
    assert np.sum(balanced.predict(X) == 1) > np.sum(plain.predict(X) == 1)


@pytest.mark.parametrize("labels", [["bag", "coat", "dress"], [1, 2, 3], [-1, 0, 1]])
def test_class_weight_is_by_label(labels):
    X, y = noisy(200)
    weights = {0: 1, 1: 10, 2: 0.1}
    expected = CalibratedSVC(class_weight=weights, random_state=0).fit(X, y)
    weights = {labels[i]: weight for i, weight in weights.items()}
    clf = CalibratedSVC(class_weight=weights, random_state=0).fit(X, np.array(labels)[y])
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_numbers_of_other_types_are_taken_as_they_are(dtype):
    X, y = noisy(200)
    X = np.round(10 * X).astype(dtype)
    clf = CalibratedSVC(random_state=0).fit(X, y)
    expected = CalibratedSVC(random_state=0).fit(X.astype(np.float64), y)
    assert_allclose(clf.predict_proba(X), expected.predict_proba(X.astype(np.float64)))


def test_one_class_is_refused():
    with pytest.raises(ValueError, match=r"y has one class, 'bag'; .* at least two"):
        CalibratedSVC().fit(np.zeros((5, 2)), ["bag"] * 5)


@pytest.mark.parametrize(("labels", "shown"), [(["a", "b"], "'b'"), ([7, 8], "8")])
def test_a_class_with_fewer_samples_than_folds_is_warned_of_with_a_remedy(labels, shown):
    X, _ = noisy(50)
    with pytest.warns(UserWarning, match=rf"cv=4 has folds: {shown} \(3\).*; pass more samples"):
        CalibratedSVC(cv=4).fit(X, np.repeat(labels, [47, 3]))


@pytest.mark.parametrize(
    "params",
    [
        {"C": 0},
        {"kernel": "precomputed"},
        {"gamma": -1},
        {"class_weight": "even"},
        {"calibration_size": 0},
        {"cv": 1},
        {"cache_size": 0},
        {"random_state": "seed"},
    ],
    ids=str,
)
def test_bad_parameters_are_refused_by_name(params):
    X, y = noisy(50)
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter of CalibratedSVC"):
        CalibratedSVC(**params).fit(X, y)


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function"]
)
def test_an_unfitted_classifier_says_so(method):
    with pytest.raises(NotFittedError, match="CalibratedSVC instance is not fitted yet"):
        getattr(CalibratedSVC(), method)(np.zeros((2, 2)))


def test_a_pickled_classifier_predicts_the_same(fitted):
    clf, X = fitted
    again = pickle.loads(pickle.dumps(clf))
    assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_a_clone_fits_the_same():
    X, y = noisy(200)
    clf = CalibratedSVC(C=3, calibration_size=50, random_state=0).fit(X, y)
    assert_array_equal(clone(clf).fit(X, y).predict_proba(X), clf.predict_proba(X))


def test_scores_that_say_nothing_do_not_turn_the_machine_around():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5)), np.repeat([0, 1], 30)
    clf = CalibratedSVC(gamma=50, random_state=0).fit(X, y)
    assert clf.slopes_[0] > 0
    assert_array_equal(clf.predict(X), clf.svc_.predict(X))


def test_scores_that_say_nothing_leave_the_frequencies_of_the_classes():
    rng = np.random.RandomState(0)
    X, y = rng.randn(300, 20), (rng.rand(300) < 0.05).astype(int)
    clf = CalibratedSVC(random_state=0).fit(X, y)
    assert clf.predict_proba(rng.randn(500, 20))[:, 1].mean() < 0.15


def test_the_calibration_does_not_depend_on_the_scale_of_scores():
    X, y = noisy(300)
    small, large = (CalibratedSVC(C, kernel="linear", random_state=0) for C in (1e-4, 1e-2))
    spread = [clf.fit(X, y).predict_proba(X).max(axis=1).mean() for clf in (small, large)]
    assert spread[0] > 0.8 * spread[1]


@pytest.mark.parametrize("n_classes", [3, 7])
def test_decision_scores_are_the_logarithms_of_probabilities_up_to_a_constant(n_classes):
    X, y = noisy(400, n_classes)
    clf = CalibratedSVC(random_state=0).fit(X[:300], y[:300])
    scores = clf.decision_function(X[300:])
    difference = scores - clf.predict_log_proba(X[300:])
    assert_allclose(difference - difference[:, :1], 0, atol=1e-12)
    assert_array_equal(clf.predict(X[300:]), clf.classes_[scores.argmax(axis=1)])


def test_the_decision_score_of_two_classes_is_the_log_odds_of_the_second():
    X, y = noisy(400, 2)
    names = np.array(["bag", "coat"])
    clf = CalibratedSVC(random_state=0).fit(X[:300], names[y[:300]])
    scores = clf.decision_function(X[300:])
    probabilities = clf.predict_proba(X[300:])
    assert_allclose(scores, np.log(probabilities[:, 1] / probabilities[:, 0]), atol=1e-9)
    assert_array_equal(clf.predict(X[300:]), names[(scores > 0).astype(int)])


def test_weights_of_one_change_nothing(fitted):
    X, y = noisy(400)
    clf, X_test = fitted
    again = clone(clf).fit(X[:300], y[:300], np.ones(300))
    assert_allclose(again.predict_proba(X_test), clf.predict_proba(X_test), rtol=1e-9)


@pytest.mark.parametrize(
    "params", [{}, {"class_weight": "balanced", "calibration_size": 100}], ids=repr
)
def test_samples_of_weight_zero_are_left_out_to_the_bit(params):
    X, y = noisy(300)
    weights = np.random.default_rng(0).integers(0, 3, 300).astype(float)
    kept = weights > 0
    clf = CalibratedSVC(random_state=0, **params)
    expected = clone(clf).fit(X[kept], y[kept], weights[kept])
    assert_array_equal(clf.fit(X, y, weights).predict_proba(X), expected.predict_proba(X))
    assert_array_equal(clf.predict(X), expected.predict(X))


def test_a_class_whose_samples_all_have_weight_zero_is_left_out():
    X, y = noisy(200)
    clf = CalibratedSVC(random_state=0).fit(X, y, sample_weight=y != 1)
    assert_array_equal(clf.classes_, [0, 2])


def test_whole_weights_are_repetitions_to_the_svc():
    X, y = noisy(200)
    weights = np.random.default_rng(0).integers(1, 4, 200)
    params = {"gamma": 0.1, "random_state": 0}  # "scale" counts samples, not weights
    weighted = CalibratedSVC(**params).fit(X, y, weights)
    repeated = CalibratedSVC(**params).fit(X.repeat(weights, axis=0), y.repeat(weights))
    assert_allclose(
        weighted.svc_.decision_function(X), repeated.svc_.decision_function(X), atol=0.01
    )


@pytest.mark.parametrize("informative", [True, False])
def test_whole_weights_are_repetitions_to_the_calibration(informative):
    rng = np.random.default_rng(0)
    y, weights = rng.integers(0, 3, 90), rng.integers(1, 4, 90)
    # Positive scores are for the first class of the pairs 01, 02 and 12.
    right = np.array([[1, 1, 0], [-1, 0, 1], [0, -1, -1]])[y] if informative else 0
    scores = rng.normal(size=(90, 3)) + right
    weighted = PairwiseSigmoids.learn(scores, y, class_weight={1: 2}, sample_weight=weights)
    repeated = PairwiseSigmoids.learn(
        scores.repeat(weights, axis=0), y.repeat(weights), class_weight={1: 2}
    )
    assert_allclose(weighted, repeated, rtol=1e-3, atol=1e-3)


def test_weights_reach_all_fits(fits):
    X, y = noisy(300)
    weights = np.random.default_rng(0).random(300) + 0.5
    CalibratedSVC(calibration_size=90, random_state=0).fit(X, y, weights)
    *of_folds, of_all = RecordedSVC.weights
    assert_array_equal(of_all, weights)
    assert [len(seen) for seen in of_folds] == [counts.total() for counts in fits[:-1]]
    assert np.isin(np.concatenate(of_folds), weights).all()


def test_weights_favour_a_class():
    X, y = noisy(300)
    plain = CalibratedSVC(random_state=0).fit(X, y)
    heavy = CalibratedSVC(random_state=0).fit(X, y, np.where(y == 2, 20, 1))
    assert np.sum(heavy.predict(X) == 2) > 1.2 * np.sum(plain.predict(X) == 2)
    assert np.mean(heavy.predict_proba(X)[:, 2]) > 1.2 * np.mean(plain.predict_proba(X)[:, 2])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (-np.ones(60), "Negative values in data passed to `sample_weight`"),
        (np.zeros(60), r"zero"),
        (np.ones(59), r"sample_weight.shape == \(59,\)"),
        (np.full(60, np.nan), "sample_weight contains NaN"),
    ],
    ids=["negative", "zero", "too few", "nan"],
)
def test_weights_that_are_none_are_refused(weights, message):
    X, y = noisy(60)
    with pytest.raises(ValueError, match=message):
        CalibratedSVC().fit(X, y, weights)


WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "passes folds as cv, which is a number here, and asks for equality to 1e-7, where SVC "
        "stops at 1e-3; what it means is tested above"
    ),
}


@parametrize_with_checks(
    [
        CalibratedSVC(
            10,
            kernel="poly",
            class_weight="balanced",
            calibration_size=20,
            cv=2,
            random_state=0,
        ),
    ],
    expected_failed_checks=lambda estimator: WEIGHTS,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_the_faster_library_is_named_where_it_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearnex", None)
    monkeypatch.setitem(sys.modules, "sklearnex.svm", None)
    X, y = make_classification(60, random_state=0)
    with pytest.raises(ImportError, match=r"backend='sklearnex' needs .* pip install"):
        CalibratedSVC(backend="sklearnex").fit(X, y)


class FasterSVC(SVC):
    """As the extension has one: a class of its own, some of whose attributes are computed."""

    def __init__(self, n_jobs=None, **params):
        self.n_jobs = n_jobs
        super().__init__(**params)

    def get_params(self, deep=True):
        return {**SVC.get_params(self, deep), "n_jobs": self.n_jobs}

    @classmethod
    def _get_param_names(cls):
        return SVC._get_param_names()

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        for name in ("_dual_coef_", "_intercept_"):
            delattr(self, name)
        self.support_ = self.support_.astype(np.int64)
        self._n_support = self._n_support.astype(np.int64)
        return self


@pytest.fixture(params=["stand-in", "itself"])
def extension(request, monkeypatch):
    """Make the extension importable: a stand-in, and itself where it is installed."""
    if request.param == "itself":
        pytest.importorskip("sklearnex", reason="needs the extra fashionkit[intelex]")
        return
    package = ModuleType("sklearnex")
    package.svm = ModuleType("sklearnex.svm")
    package.svm.SVC = FasterSVC
    monkeypatch.setitem(sys.modules, "sklearnex", package)
    monkeypatch.setitem(sys.modules, "sklearnex.svm", package.svm)


@pytest.mark.usefixtures("extension")
@pytest.mark.parametrize("n_classes", [2, 3])
def test_what_the_faster_library_fits_is_scikit_learn_s(n_classes, tmp_path):
    X, y = make_classification(300, n_classes=n_classes, n_informative=6, random_state=0)
    expected = CalibratedSVC(random_state=0).fit(X, y)
    faster = CalibratedSVC(backend="sklearnex", random_state=0).fit(X, y)
    assert type(faster.svc_) is SVC
    assert_allclose(faster.predict_proba(X), expected.predict_proba(X), atol=1e-2)
    scores = faster.svc_.decision_function(X)
    assert_allclose(scores, expected.svc_.decision_function(X), atol=1e-2)
    assert_array_equal(faster.svc_.predict(X), expected.svc_.predict(X))
    again = load(save(faster, tmp_path / "svm.fashionkit"))
    assert_array_equal(again.predict_proba(X), faster.predict_proba(X))


@pytest.mark.parametrize("counts", [(1, 9, 9), (2, 9, 9), (1, 1, 1), (1, 9)], ids=str)
def test_classes_of_a_sample_or_two_have_rough_probabilities(counts):
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(len(counts)), counts)
    X = random.normal(size=(len(y), 2)) / 5 + np.eye(3)[y, :2] * 3
    with pytest.warns(UserWarning, match=r"fewer samples than .*: 0 \([12]\)") as caught:
        clf = CalibratedSVC(random_state=0).fit(X, y)
    assert caught[0].filename == __file__
    probabilities = clf.predict_proba(X)
    assert_allclose(probabilities.sum(axis=1), 1)
    assert np.mean(clf.predict(X) == y) > 0.8


def test_a_baseline_learns_a_class_of_one_image(garments):
    X, y = garments
    rows = np.concatenate([np.flatnonzero(y == 0)[:1], np.flatnonzero((y > 0) & (y < 3))])
    with pytest.warns(UserWarning, match="rough"):
        pipeline = make_baseline("hog", "svm", random_state=0).fit(X[rows], y[rows])
    assert pipeline.predict_proba(X[:5]).shape == (5, 3)
