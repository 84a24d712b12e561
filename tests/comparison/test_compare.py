import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    top_k_accuracy_score,
)
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from fashionkit import CLASS_NAMES, Comparison, compare_models
from fashionkit.neural import TrainingInterrupted

KNN = KNeighborsClassifier(3)
GUESS = DummyClassifier(strategy="most_frequent")


class Broken(ClassifierMixin, BaseEstimator):
    def __init__(self, error=RuntimeError):
        self.error = error

    def fit(self, X, y):
        raise self.error("no\nluck")

    def predict(self, X):
        raise AssertionError


class Recorder(ClassifierMixin, BaseEstimator):
    """Predict a fixed sequence of labels, and note how often it was asked."""

    def __init__(self, y_pred=(), calls=None):
        self.y_pred = y_pred
        self.calls = calls

    def __sklearn_clone__(self):
        return self

    def fit(self, X, y):
        self.calls.append(("fit", len(X)))
        return self

    def predict(self, X):
        self.calls.append(("predict", len(X)))
        return np.asarray(self.y_pred)[: len(X)]


@pytest.fixture(scope="module")
def data(garments):
    X, y = garments
    X = X.reshape(len(X), -1)
    return {"X": X[:200], "y": y[:200], "X_test": X[200:], "y_test": y[200:]}


@pytest.fixture(scope="module")
def result(data):
    models = {"guess": GUESS, "svm": LinearSVC(random_state=0, tol=0.5), "knn": KNN}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compare_models(models, **data, class_names=CLASS_NAMES)


def test_frame_has_the_metrics_of_scikit_learn_best_model_first(result, data):
    frame = result.to_frame()
    assert sorted(frame["model"][:2]) == ["knn", "svm"]
    assert frame["accuracy"].is_monotonic_decreasing
    assert frame.columns.tolist() == [
        "model",
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "balanced_accuracy",
        "macro_f1",
        "top_2_accuracy",
        "log_loss",
        "expected_calibration_error",
        "fit_seconds",
        "fit_cpu_seconds",
        "predict_ms_per_image",
        "predict_cpu_ms_per_image",
        "single_predict_ms",
        "n_parameters",
        "n_bytes",
    ]
    y_true = data["y_test"]
    for row in frame.itertuples():
        y_pred = result.predictions_[row.model]
        assert row.accuracy == accuracy_score(y_true, y_pred)
        assert_allclose(row.macro_f1, f1_score(y_true, y_pred, average="macro"))
        assert_allclose(row.balanced_accuracy, balanced_accuracy_score(y_true, y_pred))
        assert row.accuracy_low < row.accuracy < row.accuracy_high
        assert row.fit_seconds > 0
        assert row.predict_ms_per_image > 0
    knn = result.estimators_["knn"]
    probabilities = knn.predict_proba(data["X_test"])
    row = frame.set_index("model").loc["knn"]
    assert_allclose(row["log_loss"], log_loss(y_true, probabilities))
    untied = probabilities - 1e-9 * np.arange(10)  # of equals, the first class comes first
    assert_allclose(row["top_2_accuracy"], top_k_accuracy_score(y_true, untied, k=2))
    assert row["n_bytes"] == len(pickle.dumps(knn, pickle.HIGHEST_PROTOCOL))


def test_log_loss_is_missing_without_predict_proba(result):
    frame = result.to_frame().set_index("model")
    assert frame.index[frame["log_loss"].isna()].tolist() == ["svm"]
    (line,) = [line for line in str(result).splitlines()[:4] if line.startswith("svm ")]
    assert line.split()[6] == "\N{EN DASH}"


def test_text_is_an_aligned_table_that_fits_a_terminal(result):
    header, *rows = str(result).splitlines()[:4]
    assert header.split("  ")[0] == "model"
    assert {len(line) for line in [header, *rows]} == {len(header)}
    assert " ".join(header.split()) == "model accuracy 95 % interval macro F1 log loss fit predict"
    assert len(header) <= 80
    assert repr(result) == str(result)


def test_html_holds_the_table_and_the_sentences_escaped(data):
    markup = compare_models({"<knn>": KNN, "guess": GUESS}, **data)._repr_html_()
    assert "&lt;knn&gt;" in markup
    assert "<knn>" not in markup
    assert markup.count("<tr>") == 3
    assert "cannot be told apart" in markup or "is better than" in markup


def test_confusion_matrix_counts_rows_of_true_classes(result, data):
    counts = result.confusion_matrix("knn")
    assert counts.shape == (10, 10)
    assert_array_equal(counts.sum(axis=1), np.bincount(data["y_test"]))
    assert counts.trace() == np.sum(result.predictions_["knn"] == data["y_test"])
    with pytest.raises(ValueError, match="'cnn' is unknown; choose from '"):
        result.confusion_matrix("cnn")


def test_models_are_cloned_fitted_once_and_evaluated_once(data):
    calls = []
    model = Recorder(np.zeros(len(data["y_test"]), int), calls)
    compare_models([("model", model)], **data)
    fitted, warm_up, timed, *single = calls
    assert fitted == ("fit", 200)
    assert warm_up == ("predict", 8)
    assert timed == ("predict", 100)
    assert set(single) == {("predict", 1)}

    comparison = compare_models({"knn": KNN}, **data)
    assert not hasattr(KNN, "classes_")
    assert comparison.estimators_["knn"] is not KNN


def test_labels_may_be_strings_and_images_a_frame(data):
    names = np.array([name.lower() for name in CLASS_NAMES])
    comparison = compare_models(
        {"knn": KNN},
        pd.DataFrame(data["X"]),
        names[data["y"]].tolist(),
        X_test=pd.DataFrame(data["X_test"]),
        y_test=pd.Series(names[data["y_test"]]),
    )
    assert comparison.class_names_ == sorted(names)
    assert comparison.confusion_matrix("knn").sum() == 100


def test_float32_probabilities_give_the_same_log_loss_as_float64(data):
    class Single(KNeighborsClassifier):
        def predict_proba(self, X):
            return super().predict_proba(X).astype(np.float32)

    frame = compare_models({"a": KNN, "b": Single(3)}, **data).to_frame()
    assert_allclose(*frame["log_loss"], rtol=1e-6)


@pytest.mark.parametrize("form", ["flat", "square", "channel", "list"])
def test_images_may_come_in_any_form_that_the_models_take(data, tiny_cnn, form):
    reshape = {
        "flat": lambda X: X,
        "square": lambda X: X.reshape(-1, 28, 28),
        "channel": lambda X: X.reshape(-1, 28, 28, 1),
        "list": lambda X: list(X.reshape(-1, 28, 28)),
    }[form]
    arguments = {**data, "X": reshape(data["X"]), "X_test": reshape(data["X_test"])}
    comparison = compare_models({"cnn": tiny_cnn(epochs=1)}, **arguments)
    assert comparison.predictions_["cnn"].shape == (100,)


def test_a_model_that_fails_leaves_the_results_of_the_others(data):
    models = {"broken": Broken(), "knn": KNN}
    with pytest.warns(UserWarning, match="'broken' failed: RuntimeError: no luck") as seen:
        comparison = compare_models(models, **data)
    assert seen[0].filename == __file__
    frame = comparison.to_frame()
    assert frame["model"].tolist() == ["knn", "broken"]
    assert frame["error"].tolist() == ["", "RuntimeError: no luck"]
    assert frame["accuracy"].isna().tolist() == [False, True]
    assert list(comparison.estimators_) == ["knn"]
    assert str(comparison).splitlines()[2] == "broken  failed: RuntimeError: no luck"
    assert "failed: RuntimeError" in comparison._repr_html_()
    with pytest.raises(ValueError, match="'broken' failed: RuntimeError: no luck"):
        comparison.confusion_matrix("broken")


def test_all_models_failing_is_an_error_that_names_each(data):
    with (
        pytest.warns(UserWarning, match="failed"),
        pytest.raises(ValueError, match=r"Every model failed\. 'a': RuntimeError.*'b': ") as info,
    ):
        compare_models({"a": Broken(), "b": Broken(MemoryError)}, **data)
    assert isinstance(info.value.__cause__, RuntimeError)


def test_ctrl_c_is_not_taken_for_a_model_that_failed(data):
    with pytest.raises(KeyboardInterrupt):
        compare_models({"broken": Broken(KeyboardInterrupt), "knn": KNN}, **data)


def test_ctrl_c_keeps_the_models_that_have_finished(data):
    models = {"knn": KNN, "broken": Broken(KeyboardInterrupt), "late": KNN}
    with pytest.warns(UserWarning, match="no results of 'broken', 'late'"):
        comparison = compare_models(models, **data)
    assert comparison.to_frame()["accuracy"].notna().tolist() == [True, False, False]
    assert set(comparison.errors_.values()) == {"KeyboardInterrupt: not finished"}


def test_a_training_that_ctrl_c_ends_early_is_no_result(data):
    class Early(type(KNN)):
        def fit(self, X, y):
            warnings.warn("Training was interrupted", TrainingInterrupted, stacklevel=2)
            return super().fit(X, y)

    with pytest.warns(UserWarning, match="no results of 'early'"):
        comparison = compare_models({"knn": KNN, "early": Early()}, **data)
    assert list(comparison.errors_) == ["early"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": {}}, "models is empty"),
        ({"models": [KNN]}, r"or \(name, estimator\)"),
        ({"models": [("a", KNN), ("a", KNN)]}, "two entries of the name 'a'"),
        ({"models": {1: KNN}}, r"or \(name, estimator\)"),
        ({"models": {"a": FunctionTransformer()}}, "expected a classifier with fit and predict"),
        ({"models": {"a": "knn"}}, "expected a classifier"),
        ({"models": KNN}, "'models' parameter"),
        ({"y": np.zeros(3)}, "inconsistent numbers of samples"),
        ({"y_test": np.zeros(3)}, "inconsistent numbers of samples"),
        (
            {"y_test": np.arange(100)},
            "labels 10, 11, 12, 13, 14 and 85 more that do not occur in y",
        ),
        ({"X_test": np.zeros((0, 784)), "y_test": []}, "X_test has no images"),
        ({"y": np.linspace(0, 1, 200)}, "Unknown label type"),
        ({"y": np.zeros(200), "y_test": np.zeros(100)}, "y has the class 0.0 only"),
        ({"X": csr_array((200, 784))}, r"X is sparse, .*; pass X\.toarray\(\)"),
        ({"X_test": "photos"}, r"X_test='photos', expected images; pass ImageFolder\('photos'\)"),
        ({"class_names": ["a", "b"]}, "class_names has 2 names, but y has 10 classes"),
        ({"class_names": {0: "a"}}, "labels 1, 2, 3, 4, 5 and 4 more have no name"),
        ({"verbose": "loud"}, "'verbose' parameter"),
        ({"models": {"a": LinearRegression()}}, "of the type 'regressor'; expected a classifier"),
        ({"models": {"a": FrozenEstimator(KNN)}}, "a model that is not fitted"),
        ({"y_test": None}, "X_test is given without y_test"),
        ({"X_test": None, "y_test": None}, "pass a test set as X_test and y_test, or cv"),
        ({"groups": np.arange(200)}, "groups is given without cv"),
        ({"cv": [(np.arange(200), [])]}, "no image to evaluate on in fold 1"),
        ({"scoring": {"n_bytes": "accuracy"}}, "'n_bytes', which are columns"),
        ({"scoring": "goodness"}, "'goodness' is not a valid scoring value"),
        ({"n_jobs": 0}, "'n_jobs' parameter"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_fitted(data, changes, message):
    calls = []
    arguments = {"models": {"a": Recorder((), calls)}, **data, **changes}
    with pytest.raises((ValueError, TypeError), match=message):
        compare_models(**arguments)
    assert not calls


def test_folds_without_a_class_are_refused_by_its_label(data):
    y = np.repeat([0, 1], 100)
    with pytest.raises(ValueError, match="leaves the classes 0 without a training image in fold 1"):
        compare_models({"knn": KNN}, data["X"], y, cv=KFold(2))


def test_verbose_shows_a_bar_over_the_models(data, capsys):
    compare_models({"guess": GUESS}, **data)
    assert capsys.readouterr().err == ""
    compare_models({"guess": GUESS}, **data, verbose=1)
    captured = capsys.readouterr()
    assert "guess" in captured.err
    assert "1/1" in captured.err
    assert captured.out == ""


def test_models_of_the_library_are_compared_by_their_names(garments):
    X, y = garments
    comparison = compare_models(
        ["hog-tree", ("guess", DummyClassifier())],
        X[:200],
        y[:200],
        X_test=X[200:],
        y_test=y[200:],
        random_state=7,
    )
    assert comparison.to_frame()["model"].tolist() == ["hog-tree", "guess"]
    assert comparison.estimators_["hog-tree"]["tree"].random_state == 7
    with pytest.raises(ValueError, match="nearest names are 'hog-tree'"):
        compare_models(["hog-trees"], X, y, X_test=X, y_test=y)


@pytest.mark.parametrize(
    ("labels", "class_names", "names"),
    [
        ([0, 1, 2], ["a", "b", "c"], ["a", "b", "c"]),
        ([2, 5, 7], CLASS_NAMES, ["Pullover", "Sandal", "Sneaker"]),
        ([2, 5, 7], ["a", "b", "c"], ["a", "b", "c"]),
        ([2, 5, 7], {2: "a", 5: "b", 7: "c"}, ["a", "b", "c"]),
        (["x", "y", "z"], ["a", "b", "c"], ["a", "b", "c"]),
    ],
)
def test_classes_are_named_by_their_labels_or_in_their_order(labels, class_names, names):
    X, y = np.random.default_rng(0).random((30, 4)), np.repeat(labels, 10)
    models = {"guess": DummyClassifier()}
    comparison = compare_models(models, X, y, X_test=X, y_test=y, class_names=class_names)
    assert comparison.class_names_ == names


def test_save_writes_every_file_and_nothing_else(data, tiny_cnn, tmp_path):
    models = {
        "knn": KNN,
        "my cnn": make_pipeline(FunctionTransformer(), tiny_cnn()),
        "my/cnn": GUESS,
    }
    comparison = compare_models(models, **data, class_names=CLASS_NAMES)
    folder = tmp_path / "new" / "folder"
    paths = comparison.save(folder)
    assert sorted(paths) == sorted(folder.iterdir())
    assert paths[-1].name == "report.html"
    assert {path.name for path in paths} == {
        "results.csv",
        "pairwise.csv",
        "per_class.csv",
        "leakage.csv",
        "verdicts.txt",
        "report.html",
        "accuracy.png",
        "accuracy_and_time.png",
        "pairwise.png",
        "reliability.png",
        "confusion_matrix_knn.png",
        "confusion_matrix_my_cnn.png",
        "confusion_matrix_my_cnn_.png",
        "learning_curves.png",
    }
    for path in paths:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG")
    pd.testing.assert_frame_equal(
        pd.read_csv(folder / "results.csv"), comparison.to_frame(), check_exact=False
    )
    assert comparison.save(folder) == paths


def test_save_leaves_no_figure_open_and_draws_no_curves_where_nothing_has_epochs(result, tmp_path):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    names = [path.name for path in result.save(tmp_path, report=False)]
    assert plt.get_fignums() == before
    assert "learning_curves.png" not in names
    assert "confusion_matrix_svm.png" in names
    assert "report.html" not in names


def test_a_file_that_cannot_be_written_leaves_the_others(result, tmp_path, monkeypatch):
    def fail(self):
        raise OSError("disk full")

    monkeypatch.setattr(Comparison, "per_class", fail)
    (tmp_path / "per_class.csv").write_text("of an earlier comparison")
    with pytest.warns(UserWarning, match=r"per_class\.csv could not be written: disk full"):
        paths = result.save(tmp_path, report=False)
    assert "pairwise.csv" in [path.name for path in paths]
    assert (tmp_path / "per_class.csv").read_text() == "of an earlier comparison"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_drawing_that_breaks_off_leaves_no_half_file(result, tmp_path, monkeypatch):
    def half(figure, path):
        path.write_bytes(b"\x89PN")
        raise OSError("disk full")

    monkeypatch.setattr("fashionkit.comparison._files._save", half)
    with pytest.warns(UserWarning, match="disk full"):
        paths = result.save(tmp_path, report=False)
    assert not [path.name for path in paths if path.suffix == ".png"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_save_to_what_is_no_folder_is_an_error(result, tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OSError, match="Cannot write to the folder"):
        result.save(file / "below")


def test_linear_models_take_part_without_warnings(data):
    X, X_test = data["X"] / 255.0, data["X_test"] / 255.0
    models = {
        "logistic": LogisticRegression(max_iter=500, C=0.01),
        "tree": DecisionTreeClassifier(random_state=0),
    }
    comparison = compare_models(models, **{**data, "X": X, "X_test": X_test})
    assert comparison.to_frame()["accuracy"].min() > 0.3
