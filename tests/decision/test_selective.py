"""SelectiveClassifier: calibrated probabilities, decisions and what they mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from rows_classifier import Rows
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from fashionkit import ImageFolder, PixelFeatures, SelectiveClassifier, load, make_model, save
from fashionkit.inspection import expected_calibration_error

COLUMNS = [
    "label",
    "confidence",
    "second",
    "second_confidence",
    "third",
    "third_confidence",
    "set",
    "status",
    "reason",
]


@pytest.fixture(scope="module")
def table():
    """Return a table of 600 rows of three classes, named by strings."""
    X, y = make_classification(
        600, 6, n_informative=4, n_classes=3, flip_y=0.1, class_sep=0.8, random_state=0
    )
    return X, np.array(["bag", "coat", "shirt"])[y]


def selective(**params):
    return SelectiveClassifier(GaussianNB(), **{"cv": 0.4, "random_state": 0, **params})


def test_decisions_have_the_promised_columns(table):
    X, y = table
    found = selective().fit(X, y).decide(X)
    assert list(found.columns) == COLUMNS
    assert (found["status"] == "accepted").all()
    sums = found[["confidence", "second_confidence", "third_confidence"]].sum(axis=1)
    assert_allclose(sums, 1)
    assert (found["confidence"] >= found["second_confidence"]).all()


def test_decisions_agree_with_predictions(table):
    X, y = table
    clf = selective(criterion="confidence", level=0.9).fit(X, y)
    found = clf.decide(X)
    assert_array_equal(found["label"], clf.predict(X))
    assert_array_equal(found["confidence"], clf.predict_proba(X).max(axis=1))
    assert_array_equal(found["status"] == "accepted", found["confidence"] >= 0.9)
    assert set(found["status"]) == {"accepted", "review"}
    sets = clf.predict_set(X, clf.confidence_level)
    assert_array_equal(found["set"].map(len), sets.sum(axis=1))
    assert found["set"].map(lambda one: not one or isinstance(one[0], str)).all()


def test_reasons_say_what_is_compared(table):
    X, y = table
    found = selective(criterion="confidence", level=0.9).fit(X, y).decide(X)
    row = found[found["status"] == "review"].iloc[0]
    assert row["reason"] == f"confidence {row['confidence']:.3f} is below 0.900"


def test_two_classes_have_no_third(table):
    X, y = table
    rows = y != "bag"
    found = selective().fit(X[rows], y[rows]).decide(X[:5])
    assert found["third"].isna().all()
    assert found["third_confidence"].isna().all()


def test_the_index_of_a_frame_is_kept(table):
    X, y = table
    frame = pd.DataFrame(X).add_prefix("column")
    frame.index = frame.index + 1000
    clf = selective().fit(frame, pd.Series(y, index=frame.index))
    assert_array_equal(clf.decide(frame[7:9]).index, [1007, 1008])
    assert_array_equal(clf.feature_names_in_, frame.columns)


@pytest.mark.parametrize("calibration", ["temperature", "isotonic"])
def test_calibration_makes_naive_bayes_as_right_as_it_says(calibration, table):
    X, y = table
    X, y = np.repeat(X, 2, axis=1), y  # what naive Bayes is too sure of
    errors = [
        expected_calibration_error(y[300:], clf.predict_proba(X[300:]), clf.classes_, n_bins=5)
        for clf in (selective(calibration=one).fit(X[:300], y[:300]) for one in (None, calibration))
    ]
    assert errors[1] < 0.7 * errors[0]


def test_temperature_never_changes_the_class(table):
    X, y = table
    clf = selective().fit(X, y)
    assert clf.temperature_ != 1
    assert_array_equal(clf.predict(X), clf.estimator_.predict(X))


@pytest.mark.parametrize(
    "estimator",
    [
        LinearSVC(),
        RidgeClassifier(),
        SVC(decision_function_shape="ovr"),
        RandomForestClassifier(10, random_state=0),
        KNeighborsClassifier(3),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_any_classifier_has_probabilities_and_decisions(estimator, n_classes, table):
    X, y = table
    if n_classes == 2:
        X, y = X[y != "bag"], y[y != "bag"]
    clf = SelectiveClassifier(estimator, criterion="coverage", level=0.8, cv=0.3, random_state=0)
    clf.fit(X, y)
    assert_allclose(clf.predict_proba(X).sum(axis=1), 1)
    assert 0.6 < np.mean(clf.decide(X)["status"] == "accepted") <= 1
    assert clf.score(X, y) > 0.6


def test_scores_of_pairs_and_classifiers_without_scores_are_refused(table):
    X, y = table

    class Constant(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

    with pytest.raises(TypeError, match="neither predict_proba nor decision_function"):
        SelectiveClassifier(Constant()).fit(X, y)
    X4, y4 = np.tile(X, (2, 1)), np.concatenate([y, np.char.add(y, "s")])
    with pytest.raises(ValueError, match=r"15 scores of 6 classes.*decision_function_shape"):
        SelectiveClassifier(SVC(decision_function_shape="ovo")).fit(X4, y4)
    with pytest.raises(TypeError, match="LinearRegression, expected a classifier"):
        SelectiveClassifier(LinearRegression()).fit(X, y)


def test_labels_of_any_type_are_kept(table):
    X, y = table
    _, codes = np.unique(y, return_inverse=True)
    for labels in (codes * 10 - 7, y.astype(object), codes > 0, codes.astype(float)):
        clf = selective().fit(X, labels)
        assert clf.predict(X).dtype == np.unique(labels).dtype
        assert set(clf.decide(X)["label"]) <= set(np.unique(labels))


def test_a_share_is_held_out_of_each_class_and_not_fitted_on(table):
    X, y = table
    clf = selective(cv=0.25).fit(X, y)
    share = clf.estimator_.class_count_ / np.unique(y, return_counts=True)[1]
    assert_allclose(share, 0.75, atol=0.01)
    assert len(clf.calibration_targets_) == 600 - clf.estimator_.class_count_.sum()


def test_folds_give_out_of_fold_probabilities_and_a_classifier_of_all_images(table):
    X, y = table
    folds = KFold(4, shuffle=True, random_state=0)
    clf = SelectiveClassifier(GaussianNB(), cv=folds, calibration=None).fit(X, y)
    assert clf.estimator_.class_count_.sum() == 600
    expected = cross_val_predict(GaussianNB(), X, y, cv=folds, method="predict_proba")
    rows = np.concatenate([test for _, test in folds.split(X)])
    assert_allclose(clf.calibration_probabilities_, expected[rows], atol=2e-7)


def test_a_frozen_classifier_is_calibrated_on_all_images_and_not_fitted(table):
    X, y = table
    inner = GaussianNB().fit(X[:300], y[:300])
    clf = SelectiveClassifier(FrozenEstimator(inner)).fit(X[300:], y[300:])
    assert clf.estimator_.estimator is inner
    assert len(clf.calibration_targets_) == 300


def test_a_frozen_classifier_refuses_labels_that_it_does_not_know(table):
    X, y = table
    inner = GaussianNB().fit(X[y != "bag"], y[y != "bag"])
    with pytest.raises(ValueError, match=r"'bag'.*not fitted on.*'coat', 'shirt'"):
        SelectiveClassifier(FrozenEstimator(inner)).fit(X, y)


def test_a_class_of_one_image_is_fitted_and_warned_of(table):
    X, y = table
    y = np.where(np.arange(600) == 5, "dress", y)
    with pytest.warns(UserWarning, match="classes of one image: dress"):
        clf = selective().fit(X, y)
    assert "dress" in clf.classes_


def test_coverage_and_risk_are_those_of_the_images_for_calibration(table):
    X, y = table
    inner = FrozenEstimator(GaussianNB().fit(X[:200], y[:200]))
    clf = SelectiveClassifier(inner, criterion="coverage", level=0.7).fit(X, y)
    found = clf.decide(X)
    is_accepted = (found["status"] == "accepted").to_numpy()
    assert_allclose(clf.coverage_, is_accepted.mean())
    assert_allclose(clf.risk_, np.mean(found["label"][is_accepted] != y[is_accepted]))
    assert clf.risk_ < clf.risk_bound_ < clf.risk_ + 0.06
    assert clf.threshold_ == found["confidence"][is_accepted].min()


def test_the_level_of_the_risk_is_kept_on_new_images():
    random = np.random.RandomState(0)
    exceeded = 0
    for _ in range(60):
        rows = random.dirichlet([0.25, 0.25, 0.25], 6000)
        drawn = random.rand(6000, 1) > np.cumsum(rows, axis=1)
        y = np.minimum(drawn.sum(axis=1), 2)
        inner = FrozenEstimator(Rows().fit(rows, y))
        clf = SelectiveClassifier(inner, criterion="risk", level=0.05, confidence_level=0.9)
        found = clf.fit(rows[:1000], y[:1000]).decide(rows[1000:])
        accepted = (found["status"] == "accepted").to_numpy()
        # The true error rate, since the probabilities are true.
        exceeded += 1 - found["confidence"][accepted].mean() > 0.05 if accepted.any() else 0
    assert exceeded <= 13  # 6 are expected at most; more than 13 by chance twice in a thousand


def test_a_risk_that_cannot_be_shown_accepts_nothing_and_warns(table):
    X, y = table
    with pytest.warns(UserWarning, match=r"at most level=0.001 .*no prediction is accepted"):
        clf = selective(criterion="risk", level=0.001).fit(X, y)
    found = clf.decide(X)
    assert (found["status"] == "review").all()
    assert set(found["reason"]) == {"no confidence is known to be high enough"}
    assert_array_equal(found["label"], clf.predict(X))


def test_costs_choose_the_cheapest_class_and_when_to_ask():
    rows = np.array([[0.6, 0.4], [0.9, 0.1], [0.995, 0.005]])
    inner = FrozenEstimator(Rows().fit(rows, ["fake", "real", "real"]))
    # To sell a fake as real costs ten times as much as to refuse a real one.
    costs = [[0, 10], [1, 0]]
    clf = SelectiveClassifier(
        inner, criterion="cost", costs=costs, level=0.08, calibration=None
    ).fit(rows[:, ::-1], ["real", "real", "fake"])
    new = rows[:, ::-1]  # columns: fake, real
    assert_array_equal(clf.predict(new), ["fake", "fake", "real"])
    found = clf.decide(new)
    # Expected costs: 0.6, 0.9 and 0.05.
    assert_array_equal(found["status"], ["review", "review", "accepted"])
    assert found["reason"][2] == "an expected cost of 0.05 is at most that of a review, 0.08"
    assert_allclose(found["confidence"], [0.4, 0.1, 0.995])
    assert_array_equal(found["second"], ["real", "real", "fake"])
    assert clf.threshold_ == 0.08


def test_costs_without_a_review_accept_all():
    rows = np.array([[0.6, 0.4], [0.3, 0.7]])
    inner = FrozenEstimator(Rows().fit(rows, [0, 1]))
    clf = SelectiveClassifier(inner, criterion="cost", costs=[[0, 1], [1, 0]]).fit(rows, [0, 1])
    found = clf.decide(rows)
    assert (found["status"] == "accepted").all()
    assert set(found["reason"]) == {"every image is accepted, whatever its expected cost"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"criterion": "risk"}, r"level=None with criterion='risk', expected a number above 0"),
        ({"criterion": "risk", "level": 2}, r"level=2 with criterion='risk'"),
        ({"criterion": "risk", "level": 1}, r"level=1 with criterion='risk' allows any error"),
        ({"level": 0.1}, r"level=0.1 without a criterion"),
        ({"criterion": "cost"}, r"costs=None with criterion='cost'"),
        ({"costs": [[0]]}, r"with criterion=None, .* exactly if criterion='cost'; pass"),
        ({"criterion": "cost", "costs": [["a"]]}, r"costs=\[\['a'\]\] is not a matrix of numbers"),
        ({"criterion": "cost", "costs": [[0], [0, 1]]}, "is not a matrix of numbers"),
        ({"criterion": "cost", "costs": [[0, 1]]}, r"costs has shape \(1, 2\), expected"),
        (
            {"criterion": "cost", "costs": [[0]], "level": np.inf},
            r"level=inf .* expected the cost",
        ),
    ],
)
def test_levels_and_costs_that_do_not_go_with_the_criterion_are_refused(params, message, table):
    with pytest.raises(ValueError, match=message):
        selective(**params).fit(*table)


def test_weights_count_as_repetitions(table):
    X, y = table
    weights = np.random.RandomState(0).randint(0, 3, 600)
    repeated = np.repeat(np.arange(600), weights)
    train, test = np.arange(300), np.arange(300, 600)
    parts = [np.flatnonzero(np.isin(repeated, rows)) for rows in (train, test)]
    one = selective(cv=[(train, test)]).fit(X, y, sample_weight=weights)
    other = selective(cv=[tuple(parts)]).fit(X[repeated], y[repeated])
    assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-5)


def test_weights_reach_the_last_step_of_a_pipeline(table):
    X, y = table
    weights = np.where(y == "bag", 50.0, 1.0)
    model = make_pipeline(StandardScaler(), GaussianNB())
    plain, weighted = (
        SelectiveClassifier(model, cv=0.3, random_state=0).fit(X, y, sample_weight=one)
        for one in (None, weights)
    )
    assert weighted.estimator_[-1].class_prior_[0] > 0.9 > plain.estimator_[-1].class_prior_[0]


def test_a_classifier_without_weights_is_warned_of(table):
    X, y = table
    clf = SelectiveClassifier(KNeighborsClassifier(), random_state=0)
    with pytest.warns(UserWarning, match="KNeighborsClassifier does not support sample_weight"):
        clf.fit(X, y, sample_weight=np.ones(600))


def test_forms_of_the_same_images_have_the_same_decisions(garments):
    X, y = garments
    model = make_model("pixels-tree", random_state=0)
    expected = None
    for form in (X, list(X), X.reshape(len(X), -1), X[..., None]):
        clf = SelectiveClassifier(model, outlier_detector="auto", cv=0.4, random_state=0)
        found = clf.fit(form, y).decide(form[:40])
        expected = found if expected is None else expected
        pd.testing.assert_frame_equal(found, expected)


def test_a_folder_is_read_by_the_classifier_alone(tmp_path):
    from PIL import Image

    for label, gray in [("dark", 40), ("light", 200)]:
        (tmp_path / label).mkdir()
        for i in range(12):
            Image.new("L", (8, 8), gray + i).save(tmp_path / label / f"{i}.png")
    folder = ImageFolder(tmp_path, image_size=8)
    clf = SelectiveClassifier(
        make_pipeline(PixelFeatures(), GaussianNB(var_smoothing=0.1)),
        outlier_detector="auto",
        cv=0.25,
        random_state=0,
    ).fit(folder, folder.target)
    assert clf.score(folder, folder.target) == 1
    assert len(clf.decide(folder[:3])) == 3


def test_it_is_searched_over_as_any_estimator(table):
    X, y = table
    clf = selective(criterion="coverage", level=0.9)
    search = GridSearchCV(clf, {"estimator__var_smoothing": [1e-9, 1e3]}, cv=2).fit(X, y)
    assert search.best_params_ == {"estimator__var_smoothing": 1e-9}


@pytest.mark.parametrize("calibration", ["temperature", "isotonic"])
def test_it_saves_and_loads(calibration, garments, tmp_path):
    X, y = garments
    clf = SelectiveClassifier(
        make_model("pixels-tree", random_state=0),
        criterion="coverage",
        level=0.5,
        calibration=calibration,
        outlier_detector="auto",
        cv=0.4,
        random_state=0,
    ).fit(X, y)
    save(clf, tmp_path / "model.fashionkit")
    loaded = load(tmp_path / "model.fashionkit")
    pd.testing.assert_frame_equal(loaded.decide(X), clf.decide(X))
    for method in ("lac", "aps"):
        assert_array_equal(loaded.predict_set(X, method=method), clf.predict_set(X, method=method))
