"""Tables of confusions and of mistakes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from fashionkit import CLASS_NAMES, most_confused, worst_mistakes


class Fixed:
    """A classifier of two numbers: they are the probabilities of what it was given."""

    def __init__(self, classes):
        self.classes_ = np.array(classes)

    def predict_proba(self, X):
        return np.asarray(X)


def rows(table):
    return list(table.itertuples(index=False, name=None))


class TestMostConfused:
    def test_it_counts_as_one_does_by_hand(self):
        y_true = [0, 0, 0, 0, 1, 1, 2, 2, 2, 2]
        y_pred = [0, 2, 2, 1, 1, 0, 0, 0, 0, 2]
        table = most_confused(y_true, y_pred)
        assert list(table.columns) == ["true", "predicted", "count", "fraction"]
        assert rows(table) == [
            (2, 0, 3, 0.75),
            (0, 2, 2, 0.5),
            (0, 1, 1, 0.25),
            (1, 0, 1, 0.5),
        ]
        assert table["count"].dtype == np.int64
        assert table["fraction"].dtype == np.float64
        assert list(table.index) == [0, 1, 2, 3]

    def test_equal_counts_come_in_the_order_of_the_labels(self):
        y_true, y_pred = np.repeat(np.arange(6), 6), np.tile(np.arange(6), 6)
        order = np.random.RandomState(0).permutation(36)
        table = most_confused(y_true[order], y_pred[order], n_pairs=None)
        expected = [(true, other) for true in range(6) for other in range(6) if true != other]
        assert [row[:2] for row in rows(table)] == expected

    def test_labels_may_be_strings(self):
        y_true = pd.Series(["coat", "coat", "bag"], index=[7, 8, 9])
        table = most_confused(y_true, ["bag", "coat", "bag"])
        assert rows(table) == [("coat", "bag", 1, 0.5)]

    def test_a_class_that_is_only_predicted_counts(self):
        assert rows(most_confused(["a", "a"], ["b", "a"])) == [("a", "b", 1, 0.5)]

    @pytest.mark.parametrize("class_names", [CLASS_NAMES, dict(enumerate(CLASS_NAMES))])
    def test_classes_are_named(self, class_names):
        table = most_confused([6, 6, 4], [4, 6, 4], class_names=class_names)
        assert rows(table) == [("Shirt", "Coat", 1, 0.5)]

    @pytest.mark.parametrize(("n_pairs", "expected"), [(1, 1), (2, 2), (50, 2), (None, 2)])
    def test_no_more_pairs_than_asked_for(self, n_pairs, expected):
        assert len(most_confused([0, 0, 1], [1, 0, 0], n_pairs=n_pairs)) == expected

    def test_without_mistakes_the_table_is_empty(self):
        table = most_confused([0, 1], [0, 1])
        assert table.shape == (0, 4)
        assert list(table.columns) == ["true", "predicted", "count", "fraction"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (([0, 1], [0]), "inconsistent numbers of samples"),
            (([0.5, 1], [0, 1]), "Unknown label type"),
            (([0, 1], [0.5, 1]), "Unknown label type"),
            (([0, 1], ["a", "b"]), "Mix of label input types"),
            (([[0, 1]], [[0, 1]]), "1d array"),
        ],
    )
    def test_what_are_no_labels_is_refused(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            most_confused(*arguments)

    def test_parameters_are_validated(self):
        with pytest.raises(ValueError, match="'n_pairs' parameter of most_confused"):
            most_confused([0], [1], n_pairs=0)
        with pytest.raises(ValueError, match="labels 11 have no name"):
            most_confused([0, 11], [0, 0], class_names=CLASS_NAMES)

    @pytest.mark.parametrize(
        ("pair", "expected"),
        [
            ({"true": 4}, [("Coat", "Shirt"), ("Coat", "Dress")]),
            ({"true": "Coat"}, [("Coat", "Shirt"), ("Coat", "Dress")]),
            ({"predicted": "Coat"}, [("Shirt", "Coat")]),
            ({"true": "Coat", "predicted": 3}, [("Coat", "Dress")]),
            ({"true": "Bag"}, []),
        ],
    )
    def test_pairs_of_one_class_are_picked(self, pair, expected):
        y_true, y_pred = [4, 4, 4, 6, 6, 3], [6, 6, 3, 4, 6, 3]
        table = most_confused(y_true, y_pred, class_names=CLASS_NAMES, **pair)
        assert [row[:2] for row in rows(table)] == expected

    def test_the_fraction_is_of_all_images_of_the_class_also_for_one_pair(self):
        table = most_confused([0, 0, 0, 1], [1, 2, 0, 1], true=0, predicted=1)
        assert rows(table) == [(0, 1, 1, 1 / 3)]

    def test_an_unknown_class_is_refused_with_the_nearest(self):
        with pytest.raises(ValueError, match=r"true='Coats' is not a class; the nearest is 'Coat'"):
            most_confused([0], [1], class_names=CLASS_NAMES, true="Coats")
        with pytest.raises(ValueError, match=r"predicted=7 is not a class; .* choose from 0, 1"):
            most_confused([0], [1], predicted=7)


class TestWorstMistakes:
    def test_the_surest_mistake_comes_first(self):
        probabilities = [[0.6, 0.4], [0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]
        table = worst_mistakes(Fixed(["a", "b"]), probabilities, ["b", "a", "a", "a"])
        assert list(table.columns) == ["true", "predicted", "probability", "true_probability"]
        assert table.index.name == "image"
        assert list(table.index) == [1, 3, 0]
        assert rows(table) == [("a", "b", 0.9, 0.1), ("a", "b", 0.7, 0.3), ("b", "a", 0.6, 0.4)]

    def test_ties_are_broken_by_the_truth_and_then_by_position(self):
        half = [0.5, 0.3, 0.2]
        probabilities = [half, [0.5, 0.2, 0.3], half, half]
        table = worst_mistakes(Fixed([0, 1, 2]), probabilities, [1, 1, 1, 2])
        assert list(table.index) == [1, 3, 0, 2]

    def test_no_more_than_asked_for(self):
        probabilities, y = np.tile([0.9, 0.1], (30, 1)), np.ones(30, dtype=int)
        model = Fixed([0, 1])
        assert len(worst_mistakes(model, probabilities, y)) == 20
        assert len(worst_mistakes(model, probabilities, y, n_mistakes=3)) == 3
        assert len(worst_mistakes(model, probabilities, y, n_mistakes=None)) == 30

    def test_without_mistakes_the_table_is_empty(self):
        table = worst_mistakes(Fixed(["a", "b"]), [[0.9, 0.1]], ["a"])
        assert table.shape == (0, 4)
        assert list(table.columns) == ["true", "predicted", "probability", "true_probability"]

    def test_classes_are_named(self):
        table = worst_mistakes(Fixed([0, 1]), [[0.9, 0.1]], [1], class_names=["bag", "coat"])
        assert rows(table)[0][:2] == ("coat", "bag")

    @pytest.mark.parametrize(
        ("pair", "expected"),
        [
            ({"true": "bag"}, [2, 0]),
            ({"predicted": 1}, [0, 3]),
            ({"true": "bag", "predicted": "coat"}, [0]),
            ({"true": 1, "predicted": "bag"}, []),
        ],
    )
    def test_mistakes_of_one_pair_are_picked(self, pair, expected):
        probabilities = [[0.2, 0.7, 0.1], [0.1, 0.9, 0.0], [0.1, 0.1, 0.8], [0.4, 0.6, 0.0]]
        names = ["bag", "coat", "boot"]
        table = worst_mistakes(
            Fixed([0, 1, 2]), probabilities, [0, 1, 0, 2], class_names=names, **pair
        )
        assert list(table.index) == expected

    def test_an_unknown_class_is_refused_with_the_nearest(self):
        with pytest.raises(ValueError, match=r"true='cot' is not a class; .* 'coat'; choose"):
            worst_mistakes(Fixed(["bag", "coat"]), [[0.9, 0.1]], ["bag"], true="cot")

    def test_pipelines_and_searches_tell_their_mistakes(self, garments):
        X, y = garments[0].reshape(300, -1), garments[1]
        pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=20, tol=0.1))
        search = GridSearchCV(pipeline, {"logisticregression__C": [1e-3]}, cv=2)
        for model in (pipeline, search):
            model.fit(X[:100], y[:100])
            table = worst_mistakes(model, X[100:], y[100:], n_mistakes=None)
            wrong = np.flatnonzero(model.predict(X[100:]) != y[100:])
            assert len(wrong) > 3
            assert_array_equal(np.sort(table.index), wrong)
            assert_array_equal(table["true"], y[100:][table.index])
            assert_array_equal(table["predicted"], model.predict(X[100:])[table.index])
            probabilities = model.predict_proba(X[100:])[table.index]
            assert_allclose(table["probability"], probabilities.max(axis=1))
            assert table["probability"].is_monotonic_decreasing

    @pytest.mark.slow
    def test_networks_tell_their_mistakes(self, garments, tiny_cnn):
        X, y = garments
        model = tiny_cnn(epochs=1).fit(X, y)
        table = worst_mistakes(model, X, y, n_mistakes=5, class_names=CLASS_NAMES)
        assert len(table) == 5
        assert set(table["true"]) <= set(CLASS_NAMES)

    def test_a_classifier_without_probabilities_is_refused(self):
        with pytest.raises(ValueError, match="LinearSVC has no predict_proba"):
            worst_mistakes(LinearSVC(), [[0.0]], [0])

    @pytest.mark.parametrize(
        ("classes", "probabilities", "y", "message"),
        [
            (["a", "b"], [[0.9, 0.1]], ["c"], "y_true has the labels 'c', which are not among"),
            (["a", "b"], [[0.9, 0.1]], [0], "y_true has the labels 0, which are not among"),
            ([0, 1], [[0.9, 0.1]], [0, 1], "inconsistent numbers of samples"),
            ([0, 1, 2], [[0.9, 0.1]], [0], "2 columns, but there are 3 classes"),
            ([0, 0], [[0.9, 0.1]], [0], "names a class twice"),
            ([0, 1], [[3.0, -1.0]], [0], "values from -1 to 3, expected 0 to 1"),
            ([0, 1], [[np.nan, 1.0]], [0], "NaN"),
        ],
    )
    def test_what_does_not_belong_together_is_refused(self, classes, probabilities, y, message):
        with pytest.raises(ValueError, match=message):
            worst_mistakes(Fixed(classes), probabilities, y)

    def test_parameters_are_validated(self):
        with pytest.raises(ValueError, match="'n_mistakes' parameter of worst_mistakes"):
            worst_mistakes(Fixed([0, 1]), [[0.9, 0.1]], [0], n_mistakes=0)
