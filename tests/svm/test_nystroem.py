"""NystroemClassifier: what it computes, on how much, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_blobs
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from fashionkit import NystroemClassifier, PixelFeatures
from fashionkit.svm import _least_squares


def make_data(n=120, n_classes=3, seed=0, n_features=4):
    return make_blobs(n, n_features, centers=n_classes, cluster_std=3, random_state=seed)


def raw_scores(clf, X):
    """Return the scores before they are turned into probabilities."""
    kernel = _least_squares.rbf_kernel(X, clf.components_, clf.gamma_)
    return kernel @ clf.dual_coef_ + clf.intercept_


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(_least_squares, "_VALUES_PER_CHUNK", 1)
    monkeypatch.setattr(_least_squares, "_MIN_PER_CHUNK", 7)


class TestScores:
    @given(
        seed=st.integers(0, 1000), n_classes=st.integers(2, 4), alpha=st.sampled_from([1e-3, 0.1])
    )
    def test_with_all_samples_as_components_they_are_those_of_kernel_ridge(
        self, seed, n_classes, alpha
    ):
        X, y = make_data(60, n_classes, seed)
        clf = NystroemClassifier(alpha=alpha, gamma=0.05, random_state=0).fit(X, y)
        aims = np.eye(n_classes)[y]
        exact = KernelRidge(alpha=60 * alpha, kernel="rbf", gamma=0.05)
        exact.fit(X, aims - aims.mean(axis=0))
        expected = exact.predict(X) + aims.mean(axis=0)
        np.testing.assert_allclose(raw_scores(clf, X), expected, atol=1e-6)

    def test_of_each_sample_they_are_those_of_a_fit_without_it(self):
        X, y = make_data(30)
        n, gamma, alpha = len(X), 0.05, 1e-2
        data = NystroemClassifier()._weighted(X, y, None)
        components = np.unique(X, axis=0)
        system = _least_squares.System.of(data, components, gamma)
        factor = system.factorize(alpha)
        coef = np.linalg.solve(factor @ factor.T, system.moments)
        rows = np.arange(n)
        scores = _least_squares.leave_one_out(
            data, rows, components, gamma, factor, coef, system.prior
        )
        kernel = _least_squares.rbf_kernel(X, components, gamma)
        inner = _least_squares.rbf_kernel(components, components, gamma)
        aims = np.eye(3)[y] - system.prior
        for row in rows:
            others = rows != row
            matrix = kernel[others].T @ kernel[others] + alpha * n * inner
            refitted = np.linalg.solve(matrix, kernel[others].T @ aims[others])
            np.testing.assert_allclose(
                scores[row], kernel[row] @ refitted + system.prior, atol=1e-6
            )

    def test_chunks_change_nothing(self, small_chunks):
        X, y = make_data()
        in_chunks = NystroemClassifier(random_state=0).fit(X, y)
        assert _least_squares.chunk_size(120) == 7
        probabilities = in_chunks.predict_proba(X)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_least_squares, "_MIN_PER_CHUNK", 1000)
            at_once = NystroemClassifier(random_state=0).fit(X, y)
            np.testing.assert_allclose(at_once.predict_proba(X), probabilities, atol=1e-6)

    def test_weights_mean_what_repetition_means(self):
        X, y = make_data()
        weights = np.random.default_rng(0).integers(0, 4, len(y))
        weighted = NystroemClassifier(alpha=1e-3, gamma=0.05, random_state=0).fit(X, y, weights)
        rows = np.repeat(np.arange(len(y)), weights)
        repeated = NystroemClassifier(alpha=1e-3, gamma=0.05, random_state=0).fit(X[rows], y[rows])
        np.testing.assert_allclose(raw_scores(weighted, X), raw_scores(repeated, X), atol=1e-6)
        without = weights > 0
        left = NystroemClassifier(gamma=0.05, random_state=0).fit(X, y, without.astype(float))
        same = NystroemClassifier(gamma=0.05, random_state=0).fit(X[without], y[without])
        np.testing.assert_allclose(left.predict_proba(X), same.predict_proba(X), atol=1e-7)

    def test_class_weights_favour_a_class(self):
        X, y = make_data(200, 2)
        plain = NystroemClassifier(gamma=0.01, alpha=1e-2, random_state=0).fit(X, y)
        heavy = NystroemClassifier(
            gamma=0.01, alpha=1e-2, class_weight={0: 10.0}, random_state=0
        ).fit(X, y)
        assert heavy.predict_proba(X)[:, 0].mean() > plain.predict_proba(X)[:, 0].mean() + 0.05


class TestComponents:
    def test_they_are_support_vectors_of_the_sample(self):
        X, y = make_data(300)
        clf = NystroemClassifier(40, gamma=0.05, random_state=0).fit(X, y)
        support = SVC(C=1, gamma=0.05).fit(X, y).support_
        assert len(support) > 40
        assert len(clf.components_) == 40
        known = {tuple(row) for row in X[support]}
        assert all(tuple(row) in known for row in clf.components_)

    def test_others_follow_where_there_are_too_few(self):
        X, y = make_blobs(300, 4, centers=2, cluster_std=0.1, random_state=0)
        n_support = len(SVC(C=1, gamma=0.05).fit(X, y).support_)
        clf = NystroemClassifier(2 * n_support + 10, gamma=0.05, random_state=0).fit(X, y)
        assert len(clf.components_) == 2 * n_support + 10

    def test_they_come_from_the_sample_alone(self):
        X, y = make_data(300)
        clf = NystroemClassifier(1000, max_samples=60, random_state=0).fit(X, y)
        assert len(clf.components_) == 60

    def test_gamma_is_scaled_as_in_svc(self):
        X, y = make_data()
        clf = NystroemClassifier(random_state=0).fit(X, y)
        assert clf.gamma_ == pytest.approx(SVC().fit(X, y)._gamma)

    def test_all_classes_are_in_every_draw(self):
        X, y = make_data(300, 4)
        y[y == 3] = 2
        y[[5, 9]] = 3
        clf = NystroemClassifier(max_samples=10, calibration_size=10, random_state=0).fit(X, y)
        assert clf.predict_proba(X).shape == (300, 4)

    def test_samples_of_the_calibration_are_others_where_there_are_enough(self):
        data = NystroemClassifier()._weighted(*make_data(300), None)
        random_state = np.random.RandomState(0)
        drawn = _least_squares.draw(data, 100, random_state)
        others = _least_squares.draw(data, 100, random_state, others_than=drawn)
        assert not set(drawn) & set(others)
        assert len(drawn) == len(others) == 99
        many = _least_squares.draw(data, 250, random_state, others_than=drawn)
        assert set(drawn) & set(many)


class TestForms:
    def test_memory_mapped_features_give_the_same(self, tmp_path):
        X, y = make_data(n_features=6)
        np.save(tmp_path / "X.npy", X)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        clf = NystroemClassifier(random_state=0).fit(mapped, y)
        expected = NystroemClassifier(random_state=0).fit(X, y).predict_proba(X)
        np.testing.assert_array_equal(clf.predict_proba(mapped), expected)
        assert not isinstance(clf.components_, np.memmap)

    def test_single_precision_gives_nearly_the_same(self):
        X, y = make_data(600)
        single = NystroemClassifier(60, gamma=0.05, random_state=0).fit(X.astype(np.float32), y)
        double = NystroemClassifier(60, gamma=0.05, random_state=0).fit(X, y)
        assert single.components_.dtype == single.dual_coef_.dtype == np.float32
        assert np.mean(single.predict(X.astype(np.float32)) == double.predict(X)) > 0.98

    def test_two_classes_have_log_odds(self):
        X, y = make_data(n_classes=2)
        clf = NystroemClassifier(random_state=0).fit(X, np.array(["no", "yes"])[y])
        scores, probabilities = clf.decision_function(X), clf.predict_proba(X)
        np.testing.assert_allclose(scores, np.log(probabilities[:, 1] / probabilities[:, 0]))
        assert (clf.predict(X) == np.where(scores > 0, "yes", "no")).all()
        np.testing.assert_allclose(np.exp(clf.predict_log_proba(X)), probabilities)

    def test_features_that_are_all_the_same_give_the_frequencies(self):
        y = np.array([0, 1, 1, 1] * 20)
        clf = NystroemClassifier(random_state=0).fit(np.ones((80, 3)), y)
        np.testing.assert_allclose(clf.predict_proba(np.ones((1, 3))), [[0.25, 0.75]], atol=0.02)


class TestLearning:
    def test_garments_are_told_apart_as_by_an_svc(self, garments):
        X, y = garments
        clf = make_pipeline(PixelFeatures(), NystroemClassifier(C=3, random_state=0))
        clf.fit(X[:200], y[:200])
        exact = make_pipeline(PixelFeatures(), SVC(C=3)).fit(X[:200], y[:200])
        assert clf.score(X[200:], y[200:]) > exact.score(X[200:], y[200:]) - 0.05

    def test_probabilities_are_calibrated(self):
        X, y = make_data(1500, 3)
        X_test, y_test = X[1000:], y[1000:]
        clf = NystroemClassifier(200, gamma=0.02, alpha=1e-4, random_state=0)
        probabilities = clf.fit(X[:1000], y[:1000]).predict_proba(X_test)
        correct = clf.predict(X_test) == y_test
        assert abs(probabilities.max(axis=1).mean() - correct.mean()) < 0.05
        assert log_loss(y_test, probabilities) < 0.8 * np.log(3)


class TestBadInput:
    def test_one_class_is_refused(self):
        with pytest.raises(ValueError, match="y has one class, 1; a classifier needs at least two"):
            NystroemClassifier().fit(np.eye(4), [1, 1, 1, 1])

    def test_weights_of_zero_are_refused(self):
        with pytest.raises(ValueError, match="zero"):
            NystroemClassifier().fit(np.eye(4), [0, 0, 1, 1], np.zeros(4))

    @pytest.mark.parametrize(("name", "value"), [("alpha", 0), ("gamma", -1), ("n_components", 0)])
    def test_parameters_are_checked(self, name, value):
        with pytest.raises(ValueError, match=f"The '{name}' parameter of NystroemClassifier"):
            NystroemClassifier(**{name: value}).fit(np.eye(4), [0, 0, 1, 1])
