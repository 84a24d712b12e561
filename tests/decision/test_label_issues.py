"""Label issues by confident learning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from fashionkit import CLASS_NAMES, HOGFeatures, ImageFolder, find_label_issues, make_model
from fashionkit.decision._confident import (
    FILTERS,
    confident_classes,
    joint_counts,
    normalized_margins,
)


def draw(seed):
    """Return given labels, a tenth of which are wrong, and probabilities of the true classes."""
    rng = np.random.RandomState(seed)
    truth = rng.choice(5, 150, p=[0.4, 0.25, 0.2, 0.1, 0.05])
    logits = rng.normal(size=(150, 5))
    logits[np.arange(150), truth] += 2.5
    probabilities = np.exp(1.3 * logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    probabilities = np.round(probabilities, 6)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    y, is_wrong = truth.copy(), rng.uniform(size=150) < 0.1
    y[is_wrong] = (y[is_wrong] + rng.randint(1, 5, is_wrong.sum())) % 5
    return y, probabilities


# Of cleanlab 2.9.0: find_label_issues(..., return_indices_ranked_by="normalized_margin").
CLEANLAB = {
    10: {
        "prune_by_noise_rate": "25 21 24 17 49 103 67 26 37 55 135 5 115 120 22 90",
        "prune_by_class": "25 21 24 17 49 103 67 26 37 55 81 35 135 23 5 44 90",
        "both": "25 21 24 17 49 103 67 26 37 55 135 5 90",
        "confident_learning": "25 21 24 17 49 103 67 26 37 55 135 115 120 22",
        "predicted_neq_given": (
            "25 21 24 17 49 103 67 26 37 55 81 35 135 23 86 5 54 101 115 16 44 120 22 106 90 6"
        ),
    },
    12: {
        "prune_by_noise_rate": "9 35 149 141 42 1",
        "prune_by_class": "9 149 140 100 37 42",
        "both": "9 149 42",
        "confident_learning": "9 35 149 141",
        "predicted_neq_given": (
            "9 35 149 140 100 144 27 32 37 134 141 132 71 42 20 99 61 91 1 117 121 58 133"
        ),
    },
}
JOINT = [[55, 0, 0, 1, 5], [3, 38, 0, 0, 0], [0, 1, 23, 0, 0], [2, 2, 0, 12, 1], [0, 1, 1, 0, 5]]

# Three classes, and what one can count by hand: the thresholds are 0.6, 0.65 and 0.6.
Y = np.array([0, 0, 1, 1, 2])
P = np.array(
    [[0.8, 0.1, 0.1], [0.4, 0.5, 0.1], [0.1, 0.8, 0.1], [0.45, 0.5, 0.05], [0.3, 0.1, 0.6]]
)


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that says of images which it has seen, and in what form it got them."""

    forms: list = []

    def fit(self, X, y):
        self.forms.append(type(X).__name__)
        self.classes_ = np.unique(y)
        self.seen_ = {np.asarray(X[i]).tobytes() for i in range(len(X))}
        return self

    def predict_proba(self, X):
        seen = np.array([np.asarray(X[i]).tobytes() in self.seen_ for i in range(len(X))])
        return np.stack([seen, ~seen], axis=1).astype(float)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class TestConfidentLearning:
    @pytest.mark.parametrize("seed", CLEANLAB)
    @pytest.mark.parametrize("filter_by", FILTERS)
    def test_issues_and_their_order_are_those_of_cleanlab(self, seed, filter_by):
        y, probabilities = draw(seed)
        issues = find_label_issues(None, None, y, probabilities=probabilities, filter_by=filter_by)
        assert issues["index"].tolist() == list(map(int, CLEANLAB[seed][filter_by].split()))

    def test_the_joint_is_that_of_cleanlab(self):
        y, probabilities = draw(10)
        confident = confident_classes(probabilities, y)
        assert joint_counts(confident, y, 5).tolist() == JOINT

    def test_thresholds_are_the_mean_self_confidence(self):
        assert confident_classes(P, Y).tolist() == [0, -1, 1, -1, 2]

    def test_of_several_thresholds_reached_the_most_probable_class_counts(self):
        # The thresholds are 0.9, 0.3 and 0.2: the first class is the most probable, but below its.
        y = np.array([0, 1, 2])
        probabilities = np.array([[0.9, 0.05, 0.05], [0.5, 0.3, 0.2], [0.45, 0.35, 0.2]])
        assert confident_classes(probabilities, y).tolist() == [0, 1, 1]

    def test_no_image_belongs_to_a_class_without_a_label(self):
        probabilities = np.array([[0.2, 0.1, 0.7], [0.1, 0.2, 0.7]])
        assert set(confident_classes(probabilities, np.array([0, 1]))) <= {0, 1}

    def test_the_joint_has_as_many_images_of_each_label_as_there_are(self):
        for seed in range(20):
            y, probabilities = draw(seed)
            counts = joint_counts(confident_classes(probabilities, y), y, 5)
            assert_array_equal(counts.sum(axis=1), np.bincount(y, minlength=5))
            assert counts.min() >= 0

    def test_margins_are_those_to_the_best_other_class(self):
        expected = [0.7, -0.1, 0.7, 0.05, 0.3]
        assert_allclose(normalized_margins(P, Y), expected, atol=1e-12)


class TestTable:
    def test_columns_say_what_was_given_and_found(self):
        issues = find_label_issues(None, None, Y, probabilities=P, filter_by="predicted_neq_given")
        assert list(issues.columns) == [
            "index",
            "label",
            "predicted",
            "confidence",
            "label_confidence",
            "rank",
        ]
        assert list(issues.itertuples(index=False, name=None)) == [(1, 0, 1, 0.5, 0.4, 1)]

    def test_without_a_filter_all_images_are_ranked(self):
        y, probabilities = draw(0)
        issues = find_label_issues(None, None, y, probabilities=probabilities, filter_by=None)
        assert sorted(issues["index"]) == list(range(150))
        margins = normalized_margins(probabilities, y)[issues["index"]]
        assert (np.diff(margins) >= 0).all()
        assert issues["rank"].tolist() == list(range(1, 151))

    def test_where_nothing_is_wrong_the_table_is_empty(self):
        right = np.eye(2)[[0, 1, 0, 1]]
        for filter_by in FILTERS:
            issues = find_label_issues(
                None, None, ["bag", "coat"] * 2, probabilities=right, filter_by=filter_by
            )
            assert len(issues) == 0
            assert "confidence" in issues

    def test_labels_may_be_texts_with_columns_in_any_order(self):
        names = np.array(["shirt", "bag", "coat"])
        issues = find_label_issues(
            None,
            None,
            names[Y],
            probabilities=P,
            classes=names,
            filter_by="predicted_neq_given",
        )
        assert (issues["label"][0], issues["predicted"][0]) == ("shirt", "bag")

    def test_classes_have_their_names(self):
        issues = find_label_issues(
            None,
            None,
            Y,
            probabilities=P,
            filter_by="predicted_neq_given",
            class_names=CLASS_NAMES,
        )
        assert issues["label"].tolist() == [CLASS_NAMES[0]]

    @pytest.mark.parametrize("kind", [list, np.array, pd.Series, lambda x: pd.DataFrame({"f": x})])
    def test_images_given_as_paths_have_a_column_of_paths(self, kind):
        paths = kind([f"{i}.png" for i in range(5)])
        issues = find_label_issues(None, paths, Y, probabilities=P, filter_by="predicted_neq_given")
        assert issues["path"].tolist() == ["1.png"]

    def test_a_table_of_texts_is_none_of_paths(self):
        frame = pd.DataFrame({"a": list("abcde"), "b": list("abcde")})
        assert "path" not in find_label_issues(None, frame, Y, probabilities=P)


class TestOutOfFold:
    def test_flipped_labels_are_found(self, garments):
        X, y = garments
        flipped = np.random.RandomState(0).choice(300, 9, replace=False)
        noisy = y.copy()
        noisy[flipped] = (y[flipped] + 5) % 10
        issues = find_label_issues(make_model("hog-fast", random_state=0), X, noisy, cv=3)
        assert np.isin(issues["index"][:5], flipped).all()
        assert len(issues) < 30

    def test_no_image_is_judged_by_a_model_that_has_seen_it(self, garments):
        X, y = garments[0][:60], np.arange(60) % 2
        issues = find_label_issues(Recorder(), X, y, cv=3, filter_by=None)
        # The second class is that of images that are new to the model.
        assert (issues["predicted"] == 1).all()

    def test_probabilities_are_those_of_cross_val_predict(self, garments):
        X, y = garments[0].reshape(300, -1), garments[1]
        folds = StratifiedKFold(3, shuffle=True, random_state=0)
        issues = find_label_issues(GaussianNB(), X, y, cv=folds, filter_by=None)
        expected = cross_val_predict(GaussianNB(), X, y, cv=folds, method="predict_proba")
        assert_allclose(issues["label_confidence"], expected[issues["index"], y[issues["index"]]])

    def test_probabilities_given_are_used_in_place_of_a_fit(self, garments):
        X, y = garments[0].reshape(300, -1), garments[1]
        probabilities = cross_val_predict(GaussianNB(), X, y, cv=3, method="predict_proba")
        fitted = find_label_issues(GaussianNB(), X, y, cv=3)
        given = find_label_issues(None, X, y, probabilities=probabilities)
        pd.testing.assert_frame_equal(fitted, given)

    def test_every_form_of_images_gives_the_same(self, garments):
        X, y = garments
        names = [f"pixel{i}" for i in range(1, 785)]
        forms = [X, X.reshape(300, -1), X[..., None], list(X)]
        forms.append(pd.DataFrame(X.reshape(300, -1), columns=names))
        for model in (make_pipeline(HOGFeatures(), GaussianNB()), GaussianNB()):
            first, *others = (find_label_issues(model, form, y, cv=3) for form in forms)
            for other in others:
                pd.testing.assert_frame_equal(first, other, check_exact=False)

    def test_repeated_folds_count_by_their_mean(self, garments):
        X, y = garments[0].reshape(300, -1), garments[1]
        folds = RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0)
        issues = find_label_issues(GaussianNB(), X, y, cv=folds, filter_by=None)
        sums = np.zeros((300, 10))
        for train, test in folds.split(X, y):
            sums[test] += GaussianNB().fit(X[train], y[train]).predict_proba(X[test]) / 2
        assert_allclose(issues["label_confidence"], sums[issues["index"], y[issues["index"]]])

    def test_groups_stay_together(self):
        X = np.repeat(np.random.RandomState(0).uniform(size=(20, 8, 8)), 2, axis=0)
        y = np.arange(40) // 2 % 2
        groups = np.repeat(np.arange(20), 2)
        issues = find_label_issues(
            Recorder(), X, y, cv=GroupKFold(4), groups=groups, filter_by=None
        )
        assert (issues["predicted"] == 1).all()

    def test_two_folds_at_a_time_give_the_same(self, garments):
        X, y = garments[0].reshape(300, -1), garments[1]
        one = find_label_issues(GaussianNB(), X, y, cv=3)
        with parallel_config("threading"):
            two = find_label_issues(GaussianNB(), X, y, cv=3, n_jobs=2)
        pd.testing.assert_frame_equal(one, two)

    def test_the_estimator_is_not_fitted(self, garments):
        model = GaussianNB()
        find_label_issues(model, garments[0], garments[1], cv=3)
        assert not hasattr(model, "classes_")

    def test_folders_are_passed_on_unread_with_their_paths(self, tmp_path):
        for i in range(12):
            Image.new("L", (8, 8), 20 * i).save(tmp_path / f"{i:02}.png")
        folder = ImageFolder.from_paths(tmp_path, image_size=8)
        Recorder.forms.clear()
        issues = find_label_issues(Recorder(), folder, [0, 1] * 6, cv=3, filter_by=None)
        assert Recorder.forms == ["ImageFolder"] * 3
        assert issues["path"].tolist() == folder.filenames[issues["index"]].tolist()


def usual(**changes):
    return {"estimator": GaussianNB(), "X": np.eye(12), "y": [0, 1] * 6, "cv": 3, **changes}


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"estimator": None}, "neither of estimator and probabilities are given"),
            ({"probabilities": np.full((12, 2), 0.5)}, "both of estimator and probabilities"),
            ({"estimator": LinearSVC()}, "LinearSVC has no predict_proba"),
            ({"X": None}, "X=None, but the estimator has to be fitted"),
            ({"X": "photos"}, r"X='photos', expected images; pass ImageFolder\('photos'\)"),
            ({"X": np.eye(11)}, "inconsistent numbers of samples"),
            ({"y": [1] * 12}, "y has the class 1 only"),
            ({"y": np.linspace(0, 1, 12)}, "Unknown label type: continuous"),
            ({"classes": [0, 1]}, "classes is given without probabilities"),
            ({"filter_by": "margin"}, "'filter_by' parameter of find_label_issues"),
            ({"cv": ShuffleSplit(2, test_size=2, random_state=0)}, "never evaluates 8 of 12"),
            ({"cv": [(np.arange(12), np.arange(12))]}, "both to train on and to evaluate on"),
            ({"class_names": ["bag"]}, "labels 1 have no name"),
        ],
    )
    def test_it_is_refused_by_name(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            find_label_issues(**usual(**{"filter_by": None, **arguments}))

    def test_a_model_by_its_name_is_no_classifier(self):
        with pytest.raises(TypeError, match="estimator='hog-svm', expected a classifier"):
            find_label_issues(**usual(estimator="hog-svm"))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"probabilities": P[:4]}, "inconsistent numbers of samples"),
            ({"probabilities": P[:, :2]}, "2 columns, but there are 3 classes"),
            ({"probabilities": 2 * P}, "expected 0 to 1"),
            ({"probabilities": np.where(P == 0.6, np.nan, P)}, "NaN"),
            ({"classes": [0, 1, 3]}, "y has the labels 2, which are not among the classes"),
            ({"classes": [0, 1, 1]}, "names a class twice"),
        ],
    )
    def test_probabilities_that_do_not_belong_to_the_labels_are_refused(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            find_label_issues(None, None, Y, **{"probabilities": P, **arguments})

    def test_a_model_of_other_classes_is_refused(self, garments):
        class Other(DummyClassifier):
            def fit(self, X, y):
                return super().fit(X, np.asarray(y) + 1)

        with pytest.raises(ValueError, match="the model has the classes 1, 2"):
            find_label_issues(**usual(estimator=Other()))


@pytest.mark.realdata
def test_labels_flipped_in_fashion_mnist_are_found(fashion_mnist):
    X, y = fashion_mnist[0][::2], fashion_mnist[1][::2]
    flipped = np.random.RandomState(0).choice(len(y), len(y) // 33, replace=False)
    noisy = y.copy()
    noisy[flipped] = (y[flipped] + 5) % 10
    model = make_model("hog-fast", random_state=0)
    issues = find_label_issues(model, X, noisy, cv=3)
    assert np.isin(issues["index"][: len(flipped)], flipped).mean() > 0.6
    assert np.isin(flipped, issues["index"]).mean() > 0.8


def test_a_linear_model_of_a_table_is_welcome():
    rng = np.random.RandomState(0)
    y = np.arange(90) % 3
    X = rng.normal(size=(90, 2)) + 6 * np.eye(3)[y][:, :2]
    noisy = y.copy()
    noisy[10] = (y[10] + 1) % 3
    issues = find_label_issues(LogisticRegression(), X, noisy)
    assert issues["index"][0] == 10
