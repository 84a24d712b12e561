"""CNNClassifier: what its users do with it."""

from __future__ import annotations

import copy
import io
import pickle
import threading
import tracemalloc

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    check_cv,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.class_weight import compute_class_weight

from fashionkit import CNNClassifier
from fashionkit._tensorflow import tensorflow
from fashionkit.neural import architectures
from fashionkit.neural._core import training
from fashionkit.neural._core.inference import TrainedNetwork

IN_ANOTHER_PROCESS = """
import joblib, numpy as np
clf = joblib.load(folder / "model.joblib")
np.save(folder / "probabilities.npy", clf.predict_proba(np.load(folder / "X.npy")))
"""


@pytest.fixture(scope="module")
def fitted(garments):
    params = {"filters": (4, 4), "dense_units": (8,)}
    return CNNClassifier(architecture_params=params, epochs=2, random_state=0).fit(*garments)


def through_skops(estimator):
    saved = skops.io.dumps(estimator)
    types = skops.io.get_untrusted_types(data=saved)
    assert all(name.startswith("fashionkit.") for name in types)
    return skops.io.loads(saved, trusted=types)


class TestReportArchitecture:
    def test_it_has_the_reports_layers_and_parameters(self):
        model = architectures.basic((28, 28, 1), 10)
        counts = [layer.count_params() for layer in model.layers if layer.count_params()]
        assert counts == [320, 18_496, 36_928, 36_928, 650]
        assert model.count_params() == 93_322
        shapes = [tuple(layer.output.shape[1:]) for layer in model.layers[1:]]
        assert shapes == [
            (26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (3, 3, 64), (576,), (64,), (10,)
        ]  # fmt: skip

    def test_its_parameters_vary_depth_width_and_regularisation(self):
        params = {"filters": (8, 8), "kernel_size": 5, "dense_units": (16, 16)}
        model = architectures.basic((28, 28, 1), 3, **params, dropout=0.5, batch_norm=True)
        kinds = [type(layer).__name__ for layer in model.layers]
        assert kinds.count("Conv2D") == kinds.count("BatchNormalization") == 2
        assert kinds.count("Dense") == 3
        assert kinds.count("Dropout") == 2

    @pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 3), (17, 18, 1), (18, 18, 1)])
    def test_small_images_are_padded(self, shape):
        model = architectures.basic(shape, 2)
        padded = any(type(layer).__name__ == "ZeroPadding2D" for layer in model.layers)
        assert padded == (min(shape[:2]) < 18)
        assert model(np.zeros((1, *shape))).shape == (1, 2)

    @pytest.mark.parametrize("params", [{"filters": ()}, {"filters": (0,)}, {"dense_units": (-1,)}])
    def test_sizes_below_one_are_refused(self, params):
        with pytest.raises(ValueError, match=f"{next(iter(params))}=.*at least"):
            architectures.basic((28, 28, 1), 10, **params)

    def test_defaults_of_the_classifier_are_the_reports(self):
        clf = CNNClassifier()
        assert (clf.architecture, clf.optimizer, clf.epochs, clf.batch_size) == (
            "basic", "adam", 10, 32
        )  # fmt: skip


class TestForms:
    def test_every_form_of_the_same_images_is_predicted_alike(self, fitted, garments):
        X = garments[0]
        expected = fitted.predict_proba(X)
        for form in (
            X.reshape(len(X), -1),
            X[..., None],
            list(X),
            X.astype(float),
            X.tolist(),
        ):
            np.testing.assert_array_equal(fitted.predict_proba(form), expected)

    def test_every_form_of_the_same_images_is_fitted_alike(self, fitted, garments):
        X, y = garments
        expected = fitted.predict_proba(X)
        frame = pd.DataFrame(X.reshape(len(X), -1)).rename(columns=lambda i: f"pixel{i + 1}")
        for form in (frame, X[..., None], X.astype(np.float32), list(X)):
            refitted = clone(fitted).fit(form, y)
            np.testing.assert_array_equal(refitted.predict_proba(form), expected)

    def test_images_scaled_by_the_user_give_the_same_model(self, fitted, garments):
        X, y = garments
        scaled = clone(fitted).fit(X / 255, y)
        assert scaled.pixel_range_ == (0, 1)
        np.testing.assert_array_equal(scaled.predict_proba(X / 255), fitted.predict_proba(X))

    def test_predicting_on_another_scale_warns(self, fitted, garments):
        with pytest.warns(UserWarning, match=r"range \(0, 1\), but .* range \(0, 255\)"):
            fitted.predict(garments[0][:5] / 255)

    def test_rgb_images(self, tiny_cnn, garments):
        X = np.repeat(garments[0][..., None], 3, axis=3)
        clf = tiny_cnn().fit(X, garments[1])
        assert clf.image_shape_ == (28, 28, 3)
        np.testing.assert_array_equal(clf.predict(X.reshape(len(X), -1)), clf.predict(X))

    def test_pandas_output_of_a_pipeline_step_is_accepted(self, tiny_cnn, garments):
        X, y = garments
        step = FunctionTransformer(lambda images: pd.DataFrame(images.reshape(len(images), -1)))
        with config_context(transform_output="pandas"):
            assert make_pipeline(step, tiny_cnn()).fit(X, y).predict(X).shape == y.shape


class TestPrediction:
    def test_one_row_gives_one_row(self, fitted, garments):
        probabilities = fitted.predict_proba(garments[0][:1])
        assert probabilities.shape == (1, 10)
        assert probabilities.dtype == np.float64

    def test_probabilities_do_not_depend_on_the_batch(self, fitted, garments):
        X = garments[0]
        one_by_one = np.concatenate([fitted.predict_proba(X[i : i + 1]) for i in range(len(X))])
        np.testing.assert_allclose(one_by_one, fitted.predict_proba(X), rtol=1e-5, atol=1e-7)

    def test_probabilities_are_those_of_keras(self, fitted, garments):
        keras_says = fitted.model_.predict(garments[0][..., None] / np.float32(255), verbose=0)
        np.testing.assert_allclose(fitted.predict_proba(garments[0]), keras_says, rtol=1e-4)

    def test_log_probabilities(self, fitted, garments):
        X = garments[0][:5]
        expected = np.log(fitted.predict_proba(X))
        np.testing.assert_allclose(fitted.predict_log_proba(X), expected, rtol=1e-6)

    def test_evaluate_gives_keras_loss_and_the_score(self, fitted, garments):
        X, y = garments
        loss, accuracy = fitted.evaluate(X, y)
        model = fitted.model_
        model.compile(loss="sparse_categorical_crossentropy")
        assert loss == pytest.approx(model.evaluate(X / 255, y, verbose=0), rel=1e-4)
        assert accuracy == fitted.score(X, y)

    def test_summary_lists_the_layers(self, fitted):
        assert "conv_1 (Conv2D)" in fitted.summary()

    def test_changing_model_does_not_change_the_estimator(self, fitted, garments):
        before = fitted.predict_proba(garments[0])
        fitted.model_.set_weights([0 * weight for weight in fitted.model_.get_weights()])
        np.testing.assert_array_equal(fitted.predict_proba(garments[0]), before)

    def test_eight_threads_at_once_get_the_right_answers(self, fitted, garments):
        X = garments[0]
        copied = pickle.loads(pickle.dumps(fitted))  # not called yet: threads race to prepare it
        expected = fitted.predict_proba(X)
        wrong = []

        def work(start):
            for stop in range(start + 1, start + 30):
                result = copied.predict_proba(X[start:stop])
                if not np.allclose(result, expected[start:stop], rtol=1e-5, atol=1e-7):
                    wrong.append((start, stop))

        threads = [threading.Thread(target=work, args=(start,)) for start in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    @pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "summary"])
    def test_unfitted_estimators_say_so(self, method, garments):
        arguments = () if method == "summary" else (garments[0],)
        error = AttributeError if method == "summary" else NotFittedError
        with pytest.raises(error, match="fitted"):
            getattr(CNNClassifier(), method)(*arguments)


class TestRepeatability:
    def test_the_same_seed_gives_the_same_bits(self, fitted, garments):
        again = clone(fitted).fit(*garments)
        np.testing.assert_array_equal(
            again.predict_proba(garments[0]), fitted.predict_proba(garments[0])
        )

    def test_another_seed_gives_another_model(self, fitted, tiny_cnn, garments):
        other = tiny_cnn(random_state=1).fit(*garments)
        assert not np.allclose(other.predict_proba(garments[0]), fitted.predict_proba(garments[0]))

    def test_a_random_state_instance_advances(self, tiny_cnn, garments):
        state = np.random.RandomState(0)
        first = tiny_cnn(random_state=state).fit(*garments).predict_proba(garments[0])
        second = tiny_cnn(random_state=state).fit(*garments).predict_proba(garments[0])
        assert not np.array_equal(first, second)

    def test_copies_predict_the_same_bits(self, fitted, garments):
        file = io.BytesIO()
        joblib.dump(fitted, file)
        file.seek(0)
        expected = fitted.predict_proba(garments[0])
        for copied in (
            pickle.loads(pickle.dumps(fitted)),
            copy.deepcopy(fitted),
            joblib.load(file),
            through_skops(fitted),
        ):
            np.testing.assert_array_equal(copied.predict_proba(garments[0]), expected)

    @pytest.mark.slow  # as a search in two processes, below
    def test_another_process_predicts_the_same_bits(
        self, fitted, garments, tmp_path, other_process
    ):
        joblib.dump(fitted, tmp_path / "model.joblib")
        np.save(tmp_path / "X.npy", garments[0])
        other_process(IN_ANOTHER_PROCESS, folder=tmp_path)
        result = np.load(tmp_path / "probabilities.npy")
        np.testing.assert_array_equal(result, fitted.predict_proba(garments[0]))

    def test_a_pickle_holds_arrays_and_nothing_of_keras(self, fitted):
        pickled = pickle.dumps(fitted)
        assert b"keras" not in pickled.replace(b"BaseKerasClassifier", b"")
        assert b"tensorflow" not in pickled


class TestComposition:
    def test_grid_search_stratifies(self, tiny_cnn, garments):
        assert isinstance(check_cv(3, garments[1], classifier=True), StratifiedKFold)
        # Sorted labels: folds that are not stratified would hold classes never trained on.
        order = np.argsort(garments[1], kind="stable")
        search = GridSearchCV(tiny_cnn(epochs=4, learning_rate=0.01), {"batch_size": [16]}, cv=3)
        search.fit(garments[0][order], garments[1][order])
        assert search.best_score_ > 0.2

    def test_grid_search_gives_the_same_scores_in_two_processes(self, tiny_cnn, garments):
        grid = {"architecture__filters": [(2,), (4, 4)]}
        scores = [
            GridSearchCV(tiny_cnn(), grid, cv=2, n_jobs=n_jobs, error_score="raise")
            .fit(*garments)
            .cv_results_["mean_test_score"]
            for n_jobs in (1, 2)
        ]
        np.testing.assert_array_equal(*scores)

    def test_entries_of_params_can_be_set_and_got_one_by_one(self):
        clf = CNNClassifier().set_params(optimizer__beta_1=0.8, architecture__dropout=0.5)
        assert clf.optimizer_params == {"beta_1": 0.8}
        assert clf.get_params()["architecture__dropout"] == 0.5
        assert "architecture__dropout" not in clf.get_params(deep=False)
        shared = {"dropout": 0.1}
        CNNClassifier(architecture_params=shared).set_params(architecture__dropout=0.9)
        assert shared == {"dropout": 0.1}

    def test_meta_estimators(self, tiny_cnn, garments):
        X, y = garments
        members = [("a", tiny_cnn()), ("b", tiny_cnn(random_state=1))]
        flat = X.reshape(len(X), -1)
        for meta in (
            VotingClassifier(members, voting="soft"),
            CalibratedClassifierCV(tiny_cnn(), cv=2),
            BaggingClassifier(tiny_cnn(), n_estimators=2),
        ):
            assert meta.fit(flat, y).predict_proba(flat).shape == (len(X), 10)
        assert len(cross_val_score(tiny_cnn(), X, y, cv=2)) == 2

    def test_sample_weight_is_routed(self, tiny_cnn, garments):
        X, y = garments
        with config_context(enable_metadata_routing=True):
            clf = tiny_cnn().set_fit_request(sample_weight=True)
            make_pipeline(clf).fit(X, y, sample_weight=np.ones(len(y)))


class TestTraining:
    def test_history_has_one_entry_per_epoch(self, fitted):
        assert fitted.n_iter_ == 2
        assert {name: len(values) for name, values in fitted.history_.items()} == {
            "loss": 2,
            "accuracy": 2,
        }

    def test_labels_of_any_type(self, tiny_cnn, garments):
        X, y = garments
        numbers = tiny_cnn().fit(X, y).predict(X)
        names = np.array([f"class {label}" for label in range(10)])
        for labels in (names[y], names.astype(object)[y], pd.Series(names[y])):
            np.testing.assert_array_equal(tiny_cnn().fit(X, labels).predict(X), names[numbers])
        assert tiny_cnn().fit(X, y > 4).predict(X).dtype == bool

    def test_validation_fraction_is_stratified_and_held_out(self, tiny_cnn, garments, monkeypatch):
        from fashionkit.neural._core import base

        seen = []
        monkeypatch.setattr(
            base,
            "train",
            lambda *args, _train=base.train: seen.append(args) or _train(*args),
        )
        clf = tiny_cnn(validation_fraction=0.2).fit(*garments)
        _, samples, validation = seen[0][:3]
        assert not set(samples.rows) & set(validation.rows)
        assert np.bincount(garments[1][validation.rows]).tolist() == [6] * 10
        assert samples.images.pixels is validation.images.pixels
        assert len(clf.history_["val_loss"]) == 2

    def test_validation_data_are_evaluated_and_not_trained_on(self, tiny_cnn, garments):
        X, y = garments
        plain = tiny_cnn().fit(X[:200], y[:200])
        watched = tiny_cnn().fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
        np.testing.assert_array_equal(plain.predict_proba(X), watched.predict_proba(X))
        loss, accuracy = watched.evaluate(X[200:], y[200:])
        assert watched.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-4)
        assert watched.history_["val_accuracy"][-1] == pytest.approx(accuracy)

    def test_held_out_losses_are_weighted_however_they_are_held_out(self, tiny_cnn, garments):
        X, y = garments
        weights = np.random.default_rng(0).uniform(0.1, 5, len(y))
        class_weight = {label: 1 + label for label in range(10)}
        clf = tiny_cnn(class_weight=class_weight).fit(
            X[:200],
            y[:200],
            sample_weight=weights[:200],
            X_val=X[200:],
            y_val=y[200:],
            sample_weight_val=weights[200:],
        )
        loss, _ = clf.evaluate(X[200:], y[200:], weights[200:] * (1 + y[200:]))
        assert clf.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-4)
        few = np.flatnonzero((y > 2) | (np.arange(len(y)) % 3 == 0))[:200]
        balanced = tiny_cnn(class_weight="balanced")
        balanced.fit(X[few], y[few], X_val=X[200:], y_val=y[200:])
        by_class = compute_class_weight("balanced", classes=np.arange(10), y=y[few])
        loss, _ = balanced.evaluate(X[200:], y[200:], by_class[y[200:]])
        assert balanced.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-4)

    def test_a_pipeline_transforms_the_images_to_evaluate_on(self, tiny_cnn, garments):
        X, y = garments
        darker = FunctionTransformer(lambda images: images // 2)
        expected = tiny_cnn().fit(X[:200] // 2, y[:200], X_val=X[200:] // 2, y_val=y[200:])
        with config_context(enable_metadata_routing=True):
            clf = tiny_cnn().set_fit_request(X_val=True, y_val=True)
            steps = [("darker", darker), ("cnn", clf)]
            pipeline = Pipeline(steps, transform_input=["X_val"])
            pipeline.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
        assert pipeline[-1].history_ == expected.history_

    def test_early_stopping_goes_back_to_the_best_epoch(self, tiny_cnn, garments):
        X, y = garments
        held_out = X[200:], y[200:]
        clf = tiny_cnn(epochs=60, learning_rate=0.05, early_stopping=True, patience=2)
        clf.fit(X[:200], y[:200], X_val=held_out[0], y_val=held_out[1])
        assert clf.n_iter_ < 60
        assert clf.n_iter_ == 1 + np.argmin(clf.history_["val_loss"]) + 2
        best = min(clf.history_["val_loss"])
        assert clf.evaluate(*held_out).loss == pytest.approx(best, rel=1e-4)

    def test_warm_start_goes_on_where_it_stopped(self, tiny_cnn, garments):
        warm = tiny_cnn(epochs=1, warm_start=True).fit(*garments).fit(*garments)
        assert warm.n_iter_ == 2
        unbroken = tiny_cnn(epochs=2).fit(*garments)
        np.testing.assert_array_equal(
            warm.predict_proba(garments[0]), unbroken.predict_proba(garments[0])
        )
        assert warm.history_ == unbroken.history_

    def test_a_warm_start_with_another_optimizer_keeps_the_weights(self, tiny_cnn, garments):
        X, y = garments
        clf = tiny_cnn(epochs=6, learning_rate=0.01, warm_start=True).fit(X, y)
        before = clf.evaluate(X, y).loss
        clf.set_params(optimizer="sgd", learning_rate=1e-6, epochs=1).fit(X, y)
        assert clf.evaluate(X, y).loss == pytest.approx(before, rel=1e-3)

    def test_partial_fit_goes_on_also_after_pickling(self, tiny_cnn, garments):
        X, y = garments
        clf = tiny_cnn().partial_fit(X[:100], y[:100], classes=range(10))
        through_pickle = pickle.loads(pickle.dumps(clf))
        for one in (clf, through_pickle):
            one.partial_fit(X[100:], y[100:])
        assert clf.n_iter_ == 2
        np.testing.assert_array_equal(clf.predict_proba(X), through_pickle.predict_proba(X))

    def test_histories_keep_one_length_when_held_out_data_come_and_go(self, tiny_cnn, garments):
        X, y = garments
        clf = tiny_cnn(epochs=1, warm_start=True).fit(X, y)
        clf.set_params(validation_fraction=0.2).fit(X, y)
        clf.set_params(validation_fraction=None).partial_fit(X, y)
        assert {len(values) for values in clf.history_.values()} == {3}
        assert np.isnan(clf.history_["val_loss"]).tolist() == [True, False, True]

    def test_class_weights_work_on_chunks_that_lack_a_class(self, tiny_cnn, garments):
        X, y = garments
        clf = tiny_cnn(class_weight={0: 2.0}).partial_fit(X, y, classes=range(10))
        clf.partial_fit(X[y != 0], y[y != 0])
        assert clf.n_iter_ == 2

    def test_partial_fit_in_one_chunk_is_an_epoch_of_fit(self, tiny_cnn, garments):
        X, y = garments
        streamed = tiny_cnn().partial_fit(X, y, classes=range(10)).partial_fit(X, y)
        np.testing.assert_array_equal(
            streamed.predict_proba(X), tiny_cnn(epochs=2).fit(X, y).predict_proba(X)
        )

    def test_optimizers_by_name_class_and_instance_are_alike(self, tiny_cnn, garments):
        import keras

        X, y = garments
        instance = keras.optimizers.SGD(0.05, momentum=0.9)
        params = {"learning_rate": 0.05, "optimizer_params": {"momentum": 0.9}}
        results = [
            tiny_cnn(optimizer=instance).fit(X, y).predict_proba(X),
            tiny_cnn(optimizer="sgd", **params).fit(X, y).predict_proba(X),
            tiny_cnn(optimizer=keras.optimizers.SGD, **params).fit(X, y).predict_proba(X),
        ]
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])
        assert not instance.built

    def test_a_learning_rate_schedule_can_be_passed(self, tiny_cnn, garments):
        import keras

        schedule = keras.optimizers.schedules.CosineDecay(0.01, 20)
        clf = tiny_cnn(optimizer=keras.optimizers.Adam(schedule)).fit(*garments)
        assert np.isfinite(clf.history_["loss"]).all()

    def test_verbose_shows_progress_on_stderr_and_prints_nothing(self, tiny_cnn, garments, capsys):
        tiny_cnn(verbose=1).fit(*garments)
        captured = capsys.readouterr()
        assert "2/2" in captured.err
        assert captured.out == ""

    @pytest.mark.realdata
    @pytest.mark.slow  # as a real network, in tests/cli
    def test_it_learns_real_fashion_mnist(self, fashion_mnist):
        X, y, X_test, y_test = fashion_mnist
        clf = CNNClassifier(epochs=4, random_state=0).fit(X, y)
        assert clf.score(X_test, y_test) > 0.72


class TestMemory:
    def traced_peak(self, work):
        tracemalloc.start()
        try:
            work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_fit_copies_uint8_images_once_and_predict_never(self, tiny_cnn):
        X = np.zeros((10_000, 28, 28), np.uint8)
        y = np.arange(len(X)) % 10
        clf = tiny_cnn(epochs=1, batch_size=500, validation_fraction=0.1).fit(X, y)
        # The one copy is the tensor that batches are gathered from.
        assert self.traced_peak(lambda: clf.fit(X, y)) < 1.3 * X.nbytes
        assert self.traced_peak(lambda: clf.predict_proba(X)) < 0.4 * X.nbytes

    def test_sample_weights_do_not_copy_the_images(self, tiny_cnn):
        X = np.zeros((10_000, 784), np.uint8)
        y = np.arange(len(X)) % 10
        weight = np.arange(len(X)) % 3
        clf = tiny_cnn(epochs=1, batch_size=500).fit(X, y, sample_weight=weight)
        fit = self.traced_peak(lambda: clf.fit(X, y, sample_weight=weight))
        assert fit < 1.3 * X.nbytes


class TestBadInput:
    @pytest.mark.parametrize(
        ("X", "y", "message"),
        [
            (np.full((4, 8, 8), np.nan), [0, 1, 0, 1], "contains NaN"),
            (np.full((4, 8, 8), np.inf), [0, 1, 0, 1], "contains infinity"),
            (np.zeros((0, 8, 8)), [], "0 sample"),
            (
                np.zeros((4, 8, 8)),
                [1, 1, 1, 1],
                "at least 2 classes.*only one class: 1",
            ),
            (np.zeros((4, 8, 8)), [0, 1, 0], "inconsistent numbers of samples"),
            (
                np.zeros((4, 8, 8)),
                [0.1, 0.2, 0.3, 0.4],
                "Unknown label type: continuous",
            ),
            (np.zeros((4, 8, 8)), [0, 1, np.nan, 1], "y contains NaN"),
            (np.zeros((4, 8, 8)), np.eye(4), "1d array"),
            (np.zeros((4, 8, 8)), None, "requires y to be passed"),
            (np.full((4, 8), "shirt"), [0, 1, 0, 1], "numeric"),
            (np.zeros((4, 8, 8, 7)), [0, 1, 0, 1], "7 channels, expected 1"),
        ],
    )
    def test_bad_data(self, tiny_cnn, X, y, message):
        with pytest.raises(ValueError, match=message):
            tiny_cnn().fit(X, y)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            (
                {"epochs": 0},
                "'epochs' parameter of CNNClassifier must be an int in the range",
            ),
            ({"batch_size": 1.5}, "'batch_size' parameter"),
            ({"learning_rate": -1}, "'learning_rate' parameter"),
            ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
            ({"image_shape": 28}, "'image_shape' parameter"),
            ({"class_weight": "heavy"}, "'class_weight' parameter"),
            ({"architecture": "vgg"}, r"'vgg' is not known; pass one of .*'basic'.*"),
            ({"architecture_params": {"depth": 3}}, "depth"),
            ({"optimizer": "adamm"}, "optimizer='adamm'"),
            ({"optimizer": 3}, "optimizer=3"),
            ({"optimizer": None}, "optimizer=None"),
            ({"class_weight": {0: -1.0}}, "expected weights of at least 0"),
            ({"class_weight": {"shirt": 1.0}}, "not among the classes"),
            ({"optimizer_params": {"momentun": 1}}, "momentun"),
            (
                {"learning_rate": 0.1, "optimizer_params": {"learning_rate": 1}},
                "pass one of them",
            ),
            ({"callbacks": ["stop"]}, "callbacks has 'stop', expected instances of keras"),
        ],
    )
    def test_bad_parameters(self, tiny_cnn, garments, params, message):
        with pytest.raises((ValueError, TypeError), match=message):
            tiny_cnn(**params).fit(*garments)

    @pytest.mark.parametrize(
        ("validation", "message"),
        [
            ({"X_val": np.zeros((3, 28, 28))}, "X_val was given without y_val; pass both"),
            ({"y_val": [1, 2]}, "y_val was given without X_val; pass both"),
            ({"sample_weight_val": [1, 2]}, "sample_weight_val was given without X_val"),
            (
                {"X_val": np.zeros((2, 28, 28)), "y_val": [1, 2], "sample_weight_val": [1, -1]},
                "`sample_weight_val`",
            ),
            (
                {"X_val": np.zeros((1, 28, 28), np.uint8), "y_val": [99]},
                "not among the classes",
            ),
            ({"X_val": np.zeros((1, 8, 8), np.uint8), "y_val": [1]}, "expecting 784 features"),
        ],
    )
    def test_bad_validation_data(self, tiny_cnn, garments, validation, message):
        with pytest.raises(ValueError, match=message):
            tiny_cnn().fit(*garments, **validation)

    def test_a_fraction_too_small_to_stratify_says_so(self, tiny_cnn, garments):
        with pytest.raises(ValueError, match=r"validation_fraction=0.01 cannot be held out of 300"):
            tiny_cnn(validation_fraction=0.01).fit(*garments)

    def test_partial_fit_needs_classes_first_and_the_same_after(self, tiny_cnn, garments):
        X, y = garments
        with pytest.raises(ValueError, match="classes must be passed on the first call"):
            tiny_cnn().partial_fit(X, y)
        clf = tiny_cnn().partial_fit(X, y, classes=range(10))
        with pytest.raises(ValueError, match="not the same as on the last call"):
            clf.partial_fit(X, y, classes=range(11))
        with pytest.raises(ValueError, match="not among the classes"):
            clf.partial_fit(X, y + 5)

    def test_a_warm_start_on_other_labels_or_shapes_is_refused(self, tiny_cnn, garments):
        X, y = garments
        clf = tiny_cnn(warm_start=True).fit(X, y)
        with pytest.raises(ValueError, match="not among the classes"):
            clf.fit(X, y + 5)
        with pytest.raises(ValueError, match="expecting 784 features"):
            clf.fit(X[:, :8, :8], y)

    def test_a_warm_start_of_another_network_is_refused(self, tiny_cnn, garments):
        clf = tiny_cnn(warm_start=True).fit(*garments)
        before = clf.predict_proba(garments[0])
        with pytest.raises(ValueError, match="fit with warm_start=False"):
            clf.set_params(architecture__filters=(3, 3)).fit(*garments)
        np.testing.assert_array_equal(clf.predict_proba(garments[0]), before)

    def test_an_exploding_loss_is_an_error_that_names_the_remedy(self, tiny_cnn, garments):
        with pytest.raises(ValueError, match=r"loss became .* lower the learning_rate"):
            tiny_cnn(optimizer="sgd", learning_rate=1e38, epochs=3).fit(*garments)

    @pytest.mark.parametrize(
        ("builder", "error", "message"),
        [
            (
                lambda shape, n: "network",
                TypeError,
                "returned str, expected a keras.Model",
            ),
            (
                lambda shape, n: dense(shape, n + 1),
                ValueError,
                r"\(None, 11\)\], expected",
            ),
            (
                lambda shape, n: dense(shape, n, None),
                ValueError,
                "end it with Dense.*softmax",
            ),
        ],
    )
    def test_builders_that_return_something_else(self, garments, builder, error, message):
        with pytest.raises(error, match=message):
            CNNClassifier(builder).fit(*garments)

    def test_the_callers_arrays_are_left_alone(self, tiny_cnn, garments):
        X, y = garments[0].copy(), garments[1].copy()
        X.flags.writeable = y.flags.writeable = False
        tiny_cnn().fit(X, y).predict(X)


def dense(input_shape, n_classes, activation="softmax"):
    import keras

    layers = [keras.Input(input_shape), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(n_classes, activation=activation)])


def compiled(input_shape, n_classes):
    model = dense(input_shape, n_classes)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def without_input():
    import keras

    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])


MADE = {}


def made_outside(input_shape, n_classes):
    import keras

    if "model" not in MADE:
        thread = threading.Thread(target=lambda: MADE.update(model=dense(input_shape, n_classes)))
        thread.start()  # Keras's scopes are per thread: this is made outside of the builder's
        thread.join()
    return keras.Model(MADE["model"].inputs, MADE["model"].outputs)


def test_partial_fit_says_that_it_holds_nothing_out(tiny_cnn, garments):
    for params in ({"early_stopping": True}, {"validation_fraction": 0.2}):
        with pytest.warns(UserWarning, match="have no effect in partial_fit") as caught:
            tiny_cnn(**params).partial_fit(*garments, classes=range(10))
        assert caught[0].filename == __file__


def test_the_scope_of_a_strategy_is_refused_with_the_remedy(tiny_cnn, garments):
    tf = tensorflow()
    clf = tiny_cnn(epochs=1).fit(*garments)
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        with pytest.raises(RuntimeError, match=r"a tf\.distribute strategy.*call it outside"):
            tiny_cnn().fit(*garments)
        clf.predict(garments[0])


def test_its_html_builds_no_network(tiny_cnn, garments, monkeypatch):
    clf = tiny_cnn(epochs=1).fit(*garments)
    monkeypatch.setattr(TrainedNetwork, "keras_model", lambda self: pytest.fail("built"))
    html = clf._repr_html_()
    assert "CNNClassifier" in html
    # Older versions of scikit-learn show parameters alone.
    assert ("n_iter_" in html) == hasattr(BaseEstimator, "_get_fitted_attr_html")
    assert "<property" not in html
    with pytest.raises(pytest.fail.Exception):
        clf.model_  # noqa: B018


def test_a_network_that_is_nearly_all_one_dense_layer_is_warned_of(tiny_cnn, garments, monkeypatch):
    monkeypatch.setattr(training, "_MANY_PARAMETERS", 10_000)  # of millions
    dense = {"filters": (1,), "dense_units": (30,)}
    with pytest.warns(UserWarning, match=r"20,\d+ parameters, 98% .* as .* 28 x 28") as caught:
        tiny_cnn(epochs=1, architecture_params=dense).fit(*garments)
    assert caught[0].filename == __file__
    tiny_cnn(epochs=1, architecture_params={"filters": (40, 40), "dense_units": ()}).fit(*garments)


def test_searches_are_not_warned_of_retracing(garments, caplog):
    for units in range(1, 6):
        params = {"filters": (2,), "dense_units": (units,)}
        CNNClassifier(architecture_params=params, epochs=1).fit(*garments)
    assert "retracing" not in caplog.text
