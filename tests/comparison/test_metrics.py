"""The table of metrics: a new row appears in every report."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import matthews_corrcoef
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from fashionkit import Comparison, compare_models
from fashionkit.comparison import _metrics
from fashionkit.comparison._metric import Costs, Metric, Outcome


def toy(**changes):
    """Return a row for the table."""
    row = {
        "name": "toy",
        "label": "toy score",
        "function": matthews_corrcoef,
        "needs": "labels",
        "format": "<{:.3f}>".format,
        "higher_is_better": True,
        "description": "A toy & its score.",
        "is_brief": True,
    }
    return Metric(**{**row, **changes})


class Spoilt(KNeighborsClassifier):
    """A classifier whose answers are changed."""

    def __init__(self, predict=None, predict_proba=None):
        super().__init__(3)
        self.changes = {"predict": predict, "predict_proba": predict_proba}

    def get_params(self, deep=True):
        return self.changes

    def predict(self, X):
        return self._change("predict", super().predict(X))

    def predict_proba(self, X):
        return self._change("predict_proba", super().predict_proba(X))

    def _change(self, method, answer):
        change = self.changes[method]
        return answer if change is None else change(answer)


@pytest.fixture
def register(monkeypatch):
    """Return a function that adds rows to the table, the one place that names metrics."""

    def add(*rows):
        monkeypatch.setattr(_metrics, "METRICS", (*_metrics.METRICS, *rows))

    return add


@pytest.fixture
def compare(garments):
    """Return a function that compares quick models on a few images."""
    X, y = garments[0].reshape(300, -1), garments[1]

    def run(models, **options):
        return compare_models(models, X[:60], y[:60], X_test=X[60:100], y_test=y[60:100], **options)

    return run


def test_a_new_metric_reaches_frame_text_html_and_csv(register, compare, tmp_path):
    register(toy())
    comparison = compare({"knn": KNeighborsClassifier(3), "guess": DummyClassifier()})
    frame = comparison.to_frame().set_index("model")
    expected = matthews_corrcoef(comparison.y_true_, comparison.predictions_["knn"])
    assert frame.columns[-1] == "toy"
    assert frame.loc["knn", "toy"] == expected

    header, knn = str(comparison).splitlines()[:2]
    assert header.endswith("toy score")
    assert knn.endswith(f"<{expected:.3f}>")

    markup = comparison._repr_html_()
    assert '<th title="A toy &amp; its score. Higher is better.">toy score</th>' in markup
    assert f"<td>&lt;{expected:.3f}&gt;</td>" in markup

    comparison.save(tmp_path)
    assert pd.read_csv(tmp_path / "results.csv")["toy"][0] == pytest.approx(expected)


def test_a_metric_of_several_columns_is_one_cell_of_the_text(register, compare):
    def of_costs(costs):
        return costs.fit_seconds, costs.n_images

    def one_cell(seconds, images):
        return f"{images:.0f} in {seconds:.0e}"

    register(toy(function=of_costs, needs="costs", columns=("seconds", "images"), format=one_cell))
    comparison = compare({"knn": KNeighborsClassifier(3)})
    frame = comparison.to_frame()
    assert frame.columns[-2:].tolist() == ["seconds", "images"]
    assert frame["seconds"][0] == frame["fit_seconds"][0]
    assert frame["images"][0] == 40
    assert f" 40 in {frame['seconds'][0]:.0e}" in str(comparison)


def test_a_metric_of_probabilities_is_missing_for_models_without(register, compare):
    def surest(y_true, probabilities, classes):
        assert probabilities.shape == (len(y_true), len(classes))
        assert probabilities.dtype == np.float64
        return probabilities.max()

    register(toy(function=surest, needs="probabilities"))
    comparison = compare({"knn": KNeighborsClassifier(3), "svm": LinearSVC(tol=0.5)})
    frame = comparison.to_frame().set_index("model")
    assert frame.loc["knn", "toy"] == 1.0
    assert np.isnan(frame.loc["svm", "toy"])
    table = str(comparison).splitlines()[:3]
    (line,) = [line for line in table if line.startswith("svm ")]
    assert line.endswith(" \N{EN DASH}")


def test_a_result_from_before_a_metric_existed_shows_a_dash(register, compare):
    comparison = compare({"knn": KNeighborsClassifier(3)})
    register(toy())
    assert np.isnan(comparison.to_frame()["toy"][0])
    assert str(comparison).splitlines()[1].endswith(" \N{EN DASH}")


@pytest.mark.parametrize(
    ("higher_is_better", "expected"),
    [
        (True, "A toy. Higher is better."),
        (False, "A toy. Lower is better."),
        (None, "A toy."),
    ],
)
def test_the_hint_says_which_direction_is_better(higher_is_better, expected):
    row = toy(description="A ``toy``.", higher_is_better=higher_is_better)
    assert row.hint == expected


def test_a_row_that_contradicts_itself_is_an_error():
    outcome = Outcome(np.array([0]), np.array([0]), None, np.array([0]), Costs())
    row = toy(function=lambda y_true, y_pred: (1.0, 2.0, 3.0), columns=("low", "high"))
    with pytest.raises(ValueError, match=r"'toy' returned 3 values .* 'low', 'high'; return one"):
        row.compute(outcome)
    with pytest.raises(ValueError, match="needs='time'; choose from 'labels', "):
        toy(needs="time")


def test_no_column_belongs_to_two_metrics():
    columns = _metrics.metric_columns()
    assert len(set(columns)) == len(columns)
    assert not {"model", "error"} & set(columns)


def test_the_frame_s_documentation_lists_every_column():
    text = Comparison.to_frame.__doc__
    assert "{columns}" not in text
    for metric in _metrics.METRICS:
        assert f"{', '.join(metric.column_names)} : float\n" in text


def negative(probabilities):
    return probabilities - 0.5


def unknown(probabilities):
    return np.where(np.arange(len(probabilities))[:, None] == 3, np.nan, probabilities)


def zero(probabilities):
    return probabilities * (np.arange(len(probabilities))[:, None] != 3)


def narrow(probabilities):
    return probabilities[:, :5]


def missing(probabilities):
    raise NotImplementedError("none here")


@pytest.mark.parametrize("change", [negative, unknown, zero, narrow, missing])
def test_what_is_no_probability_leaves_its_columns_empty(compare, change):
    with pytest.warns(UserWarning, match="Model 'a' has no probabilities: ") as warned:
        comparison = compare({"a": Spoilt(predict_proba=change), "knn": KNeighborsClassifier(3)})
    assert len(warned) == 1
    assert comparison.probabilities_["a"] is None
    frame = comparison.to_frame().set_index("model")
    empty = ["top_2_accuracy", "log_loss", "expected_calibration_error"]
    assert frame.loc["a", empty].isna().all()
    assert frame.loc["a", "accuracy"] == frame.loc["knn", "accuracy"]


def test_a_column_of_predictions_counts_as_one_label_for_each_image(compare):
    models = {"a": Spoilt(predict=lambda y: y[:, None]), "knn": KNeighborsClassifier(3)}
    comparison = compare(models)
    assert comparison.predictions_["a"].shape == (40,)
    assert comparison.to_frame()["accuracy"].nunique() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y[:1], r"shape \(1,\) for 40 images"),
        (lambda y: y - 1, "the labels -1 that do not occur in y"),
        (lambda y: y.astype(str), "the labels '0', '1', "),
        (lambda y: np.full(len(y), np.nan), "the labels nan that"),
    ],
)
def test_predictions_that_are_no_labels_are_an_error_of_the_model(compare, change, message):
    with pytest.warns(UserWarning, match=message):
        comparison = compare({"a": Spoilt(predict=change), "guess": DummyClassifier()})
    assert list(comparison.predictions_) == ["guess"]


def test_a_score_that_a_model_cannot_have_is_missing(compare):
    models = {"knn": KNeighborsClassifier(3), "svm": LinearSVC(tol=0.5)}
    message = "Score 'neg_log_loss' of model 'svm' failed: AttributeError: LinearSVC has none of"
    with pytest.warns(UserWarning, match=message):
        comparison = compare(models, scoring=["neg_log_loss", "f1_weighted"])
    frame = comparison.to_frame().set_index("model")
    assert np.isnan(frame.loc["svm", "neg_log_loss"])
    assert frame["f1_weighted"].notna().all()
    assert frame.loc["knn", "neg_log_loss"] == pytest.approx(-frame.loc["knn", "log_loss"])


def test_a_score_may_be_any_callable(compare):
    def half(estimator, X, y):
        return 0.5

    assert compare({"guess": DummyClassifier()}, scoring=half).to_frame()["half"][0] == 0.5


@pytest.mark.parametrize(
    ("scoring", "message"),
    [({"model": "f1_macro"}, "the names 'model'"), ([len], "pass a dict from name to callable")],
)
def test_scores_without_a_name_for_themselves_are_refused(compare, scoring, message):
    with pytest.raises(ValueError, match=message):
        compare({"guess": DummyClassifier()}, scoring=scoring)
