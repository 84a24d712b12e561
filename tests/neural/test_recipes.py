"""How a network is trained: schedules, smoothing, averages, views, number types, recipes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from fashionkit import Augmentation, CNNClassifier
from fashionkit._backbones.pool import pool
from fashionkit.neural import recipes
from fashionkit.neural._core.optimizers import (
    cosine,
    muon,
    one_cycle,
    scheduled_rate,
    warm_up_cosine,
)
from fashionkit.neural._core.precision import resolve_dtype

TINY_FAST = {"filters": (4, 8)}


@pytest.fixture(scope="module")
def fitted(garments):
    params = {"filters": (4, 4), "dense_units": (8,)}
    return CNNClassifier(architecture_params=params, epochs=2, random_state=0).fit(*garments)


def as_pixels(images):
    return np.float32(images[..., np.newaxis]) / 255


class TestSchedules:
    def test_one_cycle_rises_for_a_quarter_and_falls_to_zero(self):
        done = np.linspace(0, 1, 101, dtype=np.float32)
        factors = np.asarray(one_cycle(done))
        assert factors[0] == pytest.approx(0.04)
        assert factors.max() == pytest.approx(1)
        assert factors.argmax() == 25
        assert factors[-1] == pytest.approx(0, abs=1e-6)
        assert np.all(np.diff(factors[:26]) > 0)
        assert np.all(np.diff(factors[25:]) < 0)

    def test_cosine_falls_along_half_a_cosine(self):
        done = np.linspace(0, 1, 11, dtype=np.float32)
        expected = (1 + np.cos(np.pi * done)) / 2
        np.testing.assert_allclose(np.asarray(cosine(done)), expected, atol=1e-6)

    def test_a_warm_up_of_a_tenth_may_come_before_the_cosine(self):
        done = np.linspace(0, 1, 101, dtype=np.float32)
        factors = np.asarray(warm_up_cosine(done))
        np.testing.assert_allclose(factors[[0, 5, 10]], [0.01, 0.505, 1], atol=1e-5)
        np.testing.assert_allclose(factors[10:], cosine(np.linspace(0, 1, 91)), atol=1e-5)

    def test_a_scheduled_rate_counts_from_its_first_step(self):
        rate = scheduled_rate()("cosine")
        rate.start(0.5, 100, 50)
        assert float(rate(100)) == pytest.approx(0.5)
        assert float(rate(125)) == pytest.approx(0.25)
        assert float(rate(150)) == pytest.approx(0, abs=1e-6)
        assert float(rate(1000)) == pytest.approx(0, abs=1e-6)

    @pytest.mark.parametrize("schedule", ["cosine", "warmup-cosine", "one-cycle"])
    def test_a_fit_follows_the_schedule_to_its_end(self, tiny_cnn, garments, schedule):
        rates = record_rates(tiny_cnn, garments, learning_rate_schedule=schedule, epochs=4)
        factors = {"cosine": cosine, "warmup-cosine": warm_up_cosine, "one-cycle": one_cycle}
        factors = factors[schedule]
        n_steps = 4 * -(-300 // 32)
        steps = [epoch * n_steps / 4 for epoch in range(1, 5)]
        expected = [0.002 * float(factors(np.float32(step / n_steps))) for step in steps]
        np.testing.assert_allclose(rates, expected, atol=1e-8)

    def test_other_lengths_and_rates_need_no_other_engine(self, tiny_cnn, garments):
        params = {"learning_rate_schedule": "cosine", "architecture_params": {"filters": (5,)}}
        tiny_cnn(epochs=1, learning_rate=0.01, **params).fit(*garments)
        before = len(pool)
        again = tiny_cnn(epochs=3, learning_rate=0.003, batch_size=50, **params).fit(*garments)
        assert len(pool) == before
        assert again.n_iter_ == 3

    def test_a_warm_start_begins_a_cycle_of_its_own(self, tiny_cnn, garments):
        clf = tiny_cnn(learning_rate_schedule="cosine", warm_start=True, learning_rate=0.01)
        before = clf.fit(*garments).evaluate(*garments).loss
        assert clf.fit(*garments).evaluate(*garments).loss < before - 1e-3

    def test_partial_fit_refuses_a_schedule_whose_end_it_does_not_know(self, tiny_cnn, garments):
        with pytest.raises(ValueError, match=r"learning_rate_schedule='cosine'.*partial_fit"):
            tiny_cnn(learning_rate_schedule="cosine").partial_fit(*garments, classes=range(10))

    def test_two_schedules_are_refused(self, tiny_cnn, garments):
        import keras

        decay = keras.optimizers.schedules.CosineDecay(0.01, 20)
        clf = tiny_cnn(optimizer=keras.optimizers.Adam(decay), learning_rate_schedule="cosine")
        with pytest.raises(ValueError, match="schedule of its own"):
            clf.fit(*garments)


def record_rates(tiny_cnn, garments, **params):
    """Return the learning rate after each epoch of a fit."""
    import keras

    rates = []

    class Record(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    tiny_cnn(callbacks=[Record()], learning_rate=0.002, **params).fit(*garments)
    return rates


class TestOptimization:
    def test_muon_takes_orthogonal_steps_for_convolutions_only(self):
        import keras

        rng = np.random.default_rng(0)
        kernel = keras.Variable(rng.normal(size=(3, 3, 4, 8)))
        bias = keras.Variable(np.zeros(8))
        before = kernel.numpy()
        optimizer = muon()(learning_rate=0.1, momentum=0.5, n_iterations=12)
        optimizer.build([kernel, bias])
        gradients = [rng.normal(size=(3, 3, 4, 8)).astype("float32"), np.ones(8, "float32")]
        optimizer.apply(gradients, [kernel, bias])
        step = (before - kernel.numpy()).reshape(36, 8) / 0.1
        # The iteration brings singular values near to 1, not to 1: its paper's trade for speed.
        singular = np.linalg.svd(step, compute_uv=False)
        assert np.all((singular > 0.6) & (singular < 1.3))
        left, _, right = np.linalg.svd(gradients[0].reshape(36, 8), full_matrices=False)
        assert np.sum(step * (left @ right)) / np.linalg.norm(step) / np.sqrt(8) > 0.97
        # SGD with Nesterov momentum: g + m * (m * 0 + g), times the rate.
        np.testing.assert_allclose(bias.numpy(), -0.15, rtol=1e-6)

    def test_muon_survives_serialization(self):
        optimizer = muon()(learning_rate=0.2, momentum=0.7, other_rate=0.5)
        config = optimizer.get_config()
        assert type(optimizer).from_config(config).get_config() == config

    def test_muon_gets_its_parameters(self, tiny_cnn, garments):
        clf = tiny_cnn(optimizer="muon")
        clf.set_params(optimizer__momentum=0.9, optimizer__other_rate=0.1)
        assert np.isfinite(clf.fit(*garments).history_["loss"]).all()

    def test_muon_without_momentum_is_refused(self, tiny_cnn, garments):
        with pytest.raises(ValueError, match=r"momentum=0\.0 of muon"):
            tiny_cnn(optimizer="Muon", optimizer_params={"momentum": 0.0}).fit(*garments)

    def test_weight_decay_shrinks_kernels_and_leaves_biases(self, tiny_cnn, garments):
        # At a rate at which the gradient moves nothing, decay is all that happens.
        params = {"optimizer": "sgd", "learning_rate": 1e-7, "epochs": 1, "batch_size": 300}
        plain = tiny_cnn(**params).fit(*garments).model_
        decayed = tiny_cnn(weight_decay=1e6, **params).fit(*garments).model_
        for left, right in zip(plain.trainable_variables, decayed.trainable_variables, strict=True):
            factor = 0.9 if len(left.shape) > 1 else 1
            np.testing.assert_allclose(right.numpy(), factor * left.numpy(), atol=1e-5)

    def test_smoothed_labels_make_less_certain_predictions(self, tiny_cnn, garments):
        params = {"epochs": 8, "learning_rate": 0.03}
        sharp = tiny_cnn(**params).fit(*garments).predict_proba(garments[0])
        smooth = tiny_cnn(label_smoothing=0.3, **params).fit(*garments).predict_proba(garments[0])
        assert smooth.max(axis=1).mean() < sharp.max(axis=1).mean() - 0.05

    def test_smoothing_leaves_validation_alone(self, tiny_cnn, garments):
        X, y = garments
        clf = tiny_cnn(label_smoothing=0.3).fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
        loss = clf.evaluate(X[200:], y[200:]).loss
        assert clf.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-4)

    def test_soft_and_hard_targets_train_alike(self, tiny_cnn, garments):
        hard = tiny_cnn().fit(*garments).predict_proba(garments[0])
        soft = tiny_cnn(label_smoothing=1e-9).fit(*garments).predict_proba(garments[0])
        np.testing.assert_allclose(soft, hard, rtol=1e-3)

    def test_averages_of_weights_are_those_of_the_steps(self, garments):
        """One weight per step is averaged: kept by hand and compared."""
        import keras

        seen = []

        class Record(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                seen.append([weight.numpy() for weight in self.model.trainable_variables])

        clf = CNNClassifier(
            architecture_params={"filters": (2,), "dense_units": ()},
            ema_decay=0.8,
            batch_size=300,  # one step per epoch
            epochs=5,
            learning_rate=0.01,
            callbacks=[Record()],
            random_state=0,
        ).fit(*garments)
        average = seen[0]
        for weights in seen[1:]:
            average = [0.8 * a + 0.2 * w for a, w in zip(average, weights, strict=True)]
        for kept, expected in zip(clf.model_.trainable_variables, average, strict=True):
            np.testing.assert_allclose(kept.numpy(), expected, rtol=1e-4, atol=1e-6)

    def test_validation_sees_the_averages_and_changes_nothing(self, tiny_cnn, garments):
        X, y = garments
        held_out = X[200:], y[200:]
        plain = tiny_cnn(ema_decay=0.9).fit(X[:200], y[:200])
        watched = tiny_cnn(ema_decay=0.9).fit(
            X[:200], y[:200], X_val=held_out[0], y_val=held_out[1]
        )
        np.testing.assert_array_equal(plain.predict_proba(X), watched.predict_proba(X))
        loss = watched.evaluate(*held_out).loss
        assert watched.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-4)

    def test_early_stopping_keeps_the_best_averages(self, tiny_cnn, garments):
        X, y = garments
        held_out = X[200:], y[200:]
        clf = tiny_cnn(
            epochs=60, learning_rate=0.05, early_stopping=True, patience=2, ema_decay=0.9
        ).fit(X[:200], y[:200], X_val=held_out[0], y_val=held_out[1])
        assert clf.n_iter_ < 60
        best = min(clf.history_["val_loss"])
        assert clf.evaluate(*held_out).loss == pytest.approx(best, rel=1e-4)

    def test_a_warm_start_goes_on_from_the_latest_weights(self, tiny_cnn, garments):
        params = {"ema_decay": 0.95, "learning_rate": 0.003}
        at_once = tiny_cnn(epochs=4, **params).fit(*garments)
        warm = tiny_cnn(epochs=2, warm_start=True, **params).fit(*garments).fit(*garments)
        np.testing.assert_array_equal(
            warm.predict_proba(garments[0]), at_once.predict_proba(garments[0])
        )
        streamed = tiny_cnn(**params)
        for _ in range(4):
            streamed.partial_fit(*garments, classes=range(10))
        np.testing.assert_array_equal(
            streamed.predict_proba(garments[0]), at_once.predict_proba(garments[0])
        )

    def test_a_warm_start_goes_on_from_the_best_weights(self, tiny_cnn, garments):
        X, y = garments
        held_out = X[200:], y[200:]
        clf = tiny_cnn(
            epochs=60, learning_rate=0.05, early_stopping=True, patience=2, ema_decay=0.9,
            warm_start=True,
        ).fit(X[:200], y[:200], X_val=held_out[0], y_val=held_out[1])  # fmt: skip
        best = clf.evaluate(*held_out).loss
        clf.set_params(learning_rate=1e-9, epochs=1, early_stopping=False).fit(X[:200], y[:200])
        assert clf.evaluate(*held_out).loss == pytest.approx(best, rel=1e-3)

    def test_another_optimizer_starts_afresh(self, tiny_cnn, garments):
        X, y = garments
        params = {"optimizer": "sgd", "optimizer_params": {"momentum": 0.9}, "warm_start": True}
        clf = tiny_cnn(learning_rate=0.01, **params).fit(X, y)
        clf.set_params(optimizer="rmsprop", optimizer_params=None, learning_rate=1e-3).fit(X, y)
        assert np.isfinite(clf.history_["loss"]).all()

    def test_an_instance_of_an_optimizer_takes_no_parameters(self, tiny_cnn, garments):
        import keras

        clf = tiny_cnn(optimizer=keras.optimizers.Adam(), weight_decay=0.1)
        with pytest.raises(ValueError, match=r"is an instance.*weight_decay"):
            clf.fit(*garments)

    def test_one_setting_given_twice_is_refused(self, tiny_cnn, garments):
        clf = tiny_cnn(weight_decay=0.1, optimizer_params={"weight_decay": 0.2})
        with pytest.raises(ValueError, match=r"weight_decay=0\.1.*both set the weight decay"):
            clf.fit(*garments)


class TestAugmentedTraining:
    def test_fits_are_augmented_and_repeat_bit_for_bit(self, tiny_cnn, garments):
        augmented = tiny_cnn(augmentation=Augmentation(rotation=30, horizontal_flip="random"))
        first = augmented.fit(*garments).predict_proba(garments[0])
        plain = tiny_cnn().fit(*garments).predict_proba(garments[0])
        assert not np.allclose(first, plain)
        again = clone(augmented).fit(*garments).predict_proba(garments[0])
        np.testing.assert_array_equal(first, again)

    def test_an_augmentation_that_is_off_changes_nothing(self, tiny_cnn, garments):
        off = tiny_cnn(augmentation=Augmentation()).fit(*garments).predict_proba(garments[0])
        plain = tiny_cnn().fit(*garments).predict_proba(garments[0])
        np.testing.assert_array_equal(off, plain)

    @pytest.mark.parametrize("mixing", ["mixup", "cutmix"])
    def test_images_and_labels_are_mixed(self, tiny_cnn, garments, mixing):
        clf = tiny_cnn(augmentation=Augmentation(**{mixing: 1.0}), epochs=3)
        clf.fit(*garments, sample_weight=np.ones(len(garments[1])))
        assert np.isfinite(clf.history_["loss"]).all()
        plain = tiny_cnn(epochs=3).fit(*garments)
        assert not np.allclose(clf.predict_proba(garments[0]), plain.predict_proba(garments[0]))

    def test_an_image_without_weight_is_mixed_into_none(self, tiny_cnn, garments):
        X, y = garments
        augmentation = Augmentation(mixup=1.0)
        weight = (np.arange(len(y)) % 3 > 0).astype(float)
        other = X.copy()
        other[weight == 0] = 255
        fits = [
            tiny_cnn(augmentation=augmentation).fit(images, y, sample_weight=weight)
            for images in (X, other)
        ]
        np.testing.assert_array_equal(*(clf.predict_proba(X) for clf in fits))

    def test_weights_count_in_mixing_too(self, tiny_cnn, garments):
        X, y = garments
        weight = np.where(y == 0, 10.0, 1.0)
        params = {"epochs": 25, "learning_rate": 0.003, "augmentation": Augmentation(mixup=0.01)}
        clf = tiny_cnn(**params).fit(X, y, sample_weight=weight)
        # A gradient that took targets of any sum would make this 7.
        assert clf.evaluate(X, y, sample_weight=weight).loss < 1
        plain = tiny_cnn(**params).fit(X, y)
        recall = [np.mean(model.predict(X)[y == 0] == 0) for model in (clf, plain)]
        assert recall[0] > recall[1]

    def test_its_parameters_are_searched_over(self, tiny_cnn, garments):
        grid = {"cnn__augmentation__rotation": [0, 20]}
        step = FunctionTransformer()
        pipeline = make_pipeline(step, tiny_cnn(augmentation=Augmentation(translation=0.1)))
        pipeline.steps[1] = ("cnn", pipeline.steps[1][1])
        search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(*garments)
        fitted = search.best_estimator_.named_steps["cnn"].augmentation
        assert fitted.translation == 0.1

    def test_a_parameter_of_none_makes_an_augmentation(self):
        clf = CNNClassifier().set_params(augmentation__rotation=10)
        assert clf.augmentation.rotation == 10

    def test_numbers_of_numpy_are_numbers(self, tiny_cnn, garments):
        augmentation = Augmentation(
            rotation=np.float64(5),
            zoom=np.float64(0.1),
            translation=np.float64(0.1),
            contrast=np.float64(0.1),
            erasing=np.float64(0.5),
            erasing_value=np.float64(0.5),
            mixup=np.float64(0.2),
        )
        clf = tiny_cnn(augmentation=augmentation, label_smoothing=np.float64(0.1))
        assert np.isfinite(clf.fit(*garments).history_["loss"]).all()

    def test_none_and_a_parameter_of_it_make_an_augmentation(self):
        clf = CNNClassifier.from_recipe("fast", augmentation=None, augmentation__rotation=5)
        assert clf.augmentation.rotation == 5
        assert clf.augmentation.horizontal_flip is None

    def test_settings_of_another_type_are_refused_by_name(self, tiny_cnn, garments):
        with pytest.raises(ValueError, match="'mixup' parameter of Augmentation"):
            tiny_cnn(augmentation=Augmentation(mixup="yes")).fit(*garments)

    def test_settings_out_of_range_are_refused_by_name(self, tiny_cnn, garments):
        clf = tiny_cnn(augmentation=Augmentation(zoom=2))
        with pytest.raises(ValueError, match="'zoom' parameter of Augmentation"):
            clf.fit(*garments)


class TestViews:
    def views(self, X):
        padded = np.pad(X, ((0, 0), (1, 1), (1, 1)))
        return X, padded[:, :-2, :-2], padded[:, 2:, 2:]

    def test_probabilities_are_the_mean_over_the_views(self, fitted, garments):
        X = garments[0]
        shifts = [fitted.predict_proba(view) for view in self.views(X)]
        flips = [fitted.predict_proba(view[:, :, ::-1]) for view in self.views(X)]
        for name, expected in (
            ("flip", (shifts[0], flips[0])),
            ("shift", shifts),
            ("flip+shift", (*shifts, *flips)),
        ):
            averaged = copy.deepcopy(fitted).set_params(test_time_augmentation=name)
            np.testing.assert_allclose(
                averaged.predict_proba(X), np.mean(expected, axis=0), atol=1e-6
            )

    def test_unknown_views_are_refused_in_predict_too(self, fitted, garments):
        clf = copy.deepcopy(fitted).set_params(test_time_augmentation="flips")
        with pytest.raises(ValueError, match="test_time_augmentation='flips', expected None or"):
            clf.predict(garments[0])

    def test_one_image_is_no_more_than_a_call(self, fitted, garments):
        clf = copy.deepcopy(fitted).set_params(test_time_augmentation="flip")
        assert clf.predict_proba(garments[0][:1]).shape == (1, 10)


class TestNumberTypes:
    @pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16", "auto"])
    def test_training_in_half_precision_predicts_in_float32(self, tiny_cnn, garments, dtype):
        clf = tiny_cnn(dtype=dtype, architecture="fast", architecture_params=TINY_FAST)
        clf.fit(*garments)
        assert np.isfinite(clf.history_["loss"]).all()
        np.testing.assert_array_equal(
            clf.predict(garments[0]),
            clf.classes_[clf.model_(as_pixels(garments[0])).numpy().argmax(1)],
        )
        assert all(weight.dtype == "float32" for weight in clf.model_.trainable_variables)
        assert clf.model_.layers[1].compute_dtype == "float32"

    def test_an_architecture_of_the_users_puts_out_exact_probabilities(self, garments):
        clf = CNNClassifier(halves, dtype="mixed_bfloat16", epochs=1, random_state=0)
        np.testing.assert_allclose(
            clf.fit(*garments).predict_proba(garments[0]).sum(1), 1, rtol=1e-5
        )

    def test_the_policy_of_keras_is_left_as_it_was(self, tiny_cnn, garments):
        import keras

        before = keras.config.dtype_policy().name
        tiny_cnn(dtype="mixed_bfloat16").fit(*garments)
        assert keras.config.dtype_policy().name == before

    def test_auto_is_one_of_the_types(self):
        assert resolve_dtype("auto") in {"float32", "mixed_bfloat16", "mixed_float16"}
        assert resolve_dtype("float32") == "float32"


def halves(input_shape, n_classes):
    """Build a network whose last layer takes Keras's policy as it comes."""
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


class TestRecipes:
    @pytest.mark.parametrize("name", recipes.list_recipes())
    def test_a_recipe_is_an_ordinary_classifier(self, name, garments):
        clf = CNNClassifier.from_recipe(name, epochs=1, random_state=0)
        if clf.architecture == "fast":
            clf.set_params(architecture__filters=(4, 8))
        again = clone(clf)
        assert repr(again) == repr(clf)
        assert clf.fit(*garments).predict(garments[0]).shape == (300,)

    def test_the_reports_recipe_is_the_default(self):
        assert repr(CNNClassifier.from_recipe("basic")) == repr(CNNClassifier())

    def test_what_is_given_counts_more_than_the_recipe(self):
        clf = CNNClassifier.from_recipe("strong", epochs=2, augmentation__rotation=5)
        assert clf.epochs == 2
        assert clf.augmentation.rotation == 5
        assert recipes.get("strong")["augmentation"].rotation == 0

    def test_unknown_recipes_list_the_known(self):
        with pytest.raises(ValueError, match=r"'best' is not known; pass one of .*'strong'"):
            CNNClassifier.from_recipe("best")
