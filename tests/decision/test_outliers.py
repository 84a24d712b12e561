"""Outliers: images that are none of what was trained on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from fashionkit import Augmentation, PixelFeatures, SelectiveClassifier, make_garments, make_model
from fashionkit.decision._outliers import NeighborDetector, make_detector


def noise(n_images, shape=(28, 28)):
    return np.random.RandomState(0).randint(0, 256, (n_images, *shape)).astype(np.uint8)


@pytest.fixture(scope="module")
def more_garments():
    return make_garments(300, random_state=1)


@pytest.fixture(scope="module")
def fitted(garments):
    X, y = garments
    model = make_pipeline(PixelFeatures(), LogisticRegression(max_iter=50, tol=0.1))
    return SelectiveClassifier(model, outlier_detector="auto", cv=0.3, random_state=0).fit(X, y)


def test_noise_is_an_outlier_and_new_garments_mostly_are_not(fitted, more_garments):
    assert (fitted.decide(noise(20))["status"] == "outlier").all()
    assert np.mean(fitted.decide(more_garments[0])["status"] == "outlier") < 0.15


def test_outliers_have_a_class_and_a_reason(fitted):
    X = noise(5)
    table = fitted.decide(X)
    assert_array_equal(table["label"], fitted.predict(X))
    assert set(table["reason"]) == {"does not look like the training images"}


def test_scores_are_negative_distances_to_the_nearest_image(garments):
    X, _ = garments
    detector = NeighborDetector().fit(X)
    assert detector.score_samples(X).max() <= 0
    assert_allclose(detector.score_samples(X), 0, atol=0.02)
    shifted = np.roll(X[:50], 3, axis=2)
    twice = np.roll(X[:50], 9, axis=2)
    assert detector.score_samples(twice).mean() < detector.score_samples(shifted).mean() < -0.1


def test_forms_of_the_same_images_have_the_same_scores(garments):
    X, _ = garments
    detector = NeighborDetector().fit(X)
    expected = detector.score_samples(X[:20])
    for form in (X[:20].reshape(20, -1), X[:20, ..., None], list(X[:20])):
        assert_array_equal(detector.score_samples(form), expected)


def test_colours_and_other_sizes_are_known():
    X = np.random.RandomState(0).randint(0, 60, (60, 40, 33, 3)).astype(np.uint8)
    X[..., 0] += 120
    detector = NeighborDetector().fit(X)
    blue = X[:10, ..., ::-1]
    assert detector.score_samples(blue).max() < detector.score_samples(X[10:]).min()


def test_columns_of_tables_count_alike_whatever_their_units():
    random = np.random.RandomState(0)
    X = random.normal(size=(200, 5)) * [1, 100, 0.01, 1, 1]
    far = np.zeros((2, 5))
    far[0, 2], far[1, 1] = 0.1, 1000
    detector = NeighborDetector().fit(X)
    assert detector.score_samples(far).max() < -3


def test_a_bounded_number_of_images_is_kept(garments):
    X, _ = garments
    detector = NeighborDetector(max_samples=50, n_components=8).fit(X)
    assert detector.references_.shape == (50, 18)
    assert detector.references_.dtype == np.float32


def test_any_estimator_with_score_samples_is_a_detector(garments):
    X, y = garments
    forest = make_pipeline(PixelFeatures(), IsolationForest(n_estimators=20, random_state=0))
    model = make_pipeline(PixelFeatures(), LogisticRegression(max_iter=50, tol=0.1))
    clf = SelectiveClassifier(model, outlier_detector=forest, cv=0.3, random_state=0).fit(X, y)
    scores = clf.outlier_detector_.score_samples(X)
    is_outlier = clf.decide(X)["status"] == "outlier"
    assert_array_equal(is_outlier, scores < clf.outlier_threshold_)


def test_a_detector_of_a_frozen_classifier_scores_images_that_it_was_not_fitted_on(
    garments, more_garments
):
    X, y = garments
    model = make_model("pixels-tree", random_state=0).fit(*more_garments)
    clf = SelectiveClassifier(FrozenEstimator(model), outlier_detector="auto", random_state=0)
    clf.fit(X, y)
    assert len(clf.outlier_detector_.references_) == len(X)
    # The distance of an image to itself would be 0.
    assert clf.outlier_threshold_ < -0.5
    assert np.mean(clf.decide(more_garments[0])["status"] == "outlier") < 0.15


def test_steps_that_prepare_images_come_before_the_detector():
    pipeline = make_pipeline(Augmentation(), PixelFeatures(), LogisticRegression())
    detector = make_detector(FrozenEstimator(pipeline))
    assert [name for name, _ in detector.steps] == ["augmentation", "neighbors"]
    assert isinstance(make_detector(pipeline[1:]), NeighborDetector)


def test_risk_is_that_of_images_that_are_no_outliers(garments):
    X, y = garments
    model = make_pipeline(PixelFeatures(), LogisticRegression(max_iter=50, tol=0.1))
    clf = SelectiveClassifier(
        model, criterion="coverage", level=1.0, outlier_detector="auto", cv=0.5, random_state=0
    ).fit(X, y)
    assert 0.9 < clf.coverage_ < 1
