"""What fitted neural classifiers answer, what they keep for it, and what they do not."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from fashionkit import CNNClassifier, HierarchicalCNNClassifier, clear_cache
from fashionkit.neural._core import inference

SMALL = {"filters": (4, 4, 8)}


@pytest.fixture(scope="module")
def fitted(garments):
    X, y = garments
    hierarchical = HierarchicalCNNClassifier(architecture_params=SMALL, epochs=1, random_state=0)
    return {
        "cnn": CNNClassifier("fast", architecture_params=SMALL, epochs=1, random_state=0).fit(X, y),
        "views": CNNClassifier(
            "fast",
            architecture_params=SMALL,
            epochs=1,
            test_time_augmentation="flip+shift",
            random_state=0,
        ).fit(X, y),
        "hierarchical": hierarchical.fit(X, y),
    }


each = pytest.mark.parametrize("name", ["cnn", "views", "hierarchical"])


@each
def test_probabilities_sum_to_one_in_float64(fitted, garments, name):
    probabilities = fitted[name].predict_proba(garments[0])
    assert probabilities.dtype == np.float64
    assert_allclose(probabilities.sum(axis=1), 1, rtol=0, atol=1e-15)


@each
def test_decision_scores_are_logarithms_of_probabilities(fitted, garments, name):
    X, _ = garments
    clf = fitted[name]
    scores = clf.decision_function(X)
    assert scores.shape == (len(X), 10)
    assert_allclose(np.exp(scores), clf.predict_proba(X), rtol=1e-12)
    assert_array_equal(clf.classes_[scores.argmax(axis=1)], clf.predict(X))


def test_decision_scores_of_two_classes_are_log_odds_of_the_second(tiny_cnn, garments):
    X, y = garments
    labels = np.where(y > 4, "goods", "clothes")
    clf = tiny_cnn().fit(X, labels)
    scores = clf.decision_function(X)
    probabilities = clf.predict_proba(X)
    assert scores.shape == (len(X),)
    assert_allclose(scores, np.log(probabilities[:, 1] / probabilities[:, 0]), atol=1e-12)
    assert_array_equal(np.where(scores > 0, "goods", "clothes"), clf.predict(X))


@each
@pytest.mark.parametrize("n_images", [30, 300])
def test_an_image_has_the_same_probabilities_wherever_it_stands(fitted, garments, name, n_images):
    X = garments[0][:n_images]
    expected = fitted[name].predict_proba(X)
    for seed in range(3):
        order = np.random.RandomState(seed).permutation(n_images)
        assert_array_equal(fitted[name].predict_proba(X[order]), expected[order])


@each
def test_one_image_alone_has_the_probabilities_that_it_has_among_others(fitted, garments, name):
    X = garments[0][:20]
    alone = np.concatenate([fitted[name].predict_proba(X[i : i + 1]) for i in range(20)])
    assert_allclose(alone, fitted[name].predict_proba(X), rtol=1e-6, atol=1e-8)


def test_explanations_are_compiled_once_for_all_of_one_architecture(
    tiny_cnn, garments, monkeypatch
):
    X, y = garments
    first, second = tiny_cnn(random_state=0).fit(X, y), tiny_cnn(random_state=1).fit(X, y)
    clear_cache()
    compiled = []

    class Counted(inference.Explainer):
        def __init__(self, *args):
            compiled.append(args)
            super().__init__(*args)

    monkeypatch.setattr(inference, "Explainer", Counted)
    maps = [clf.explain(X[:20]) for clf in (first, second, first)]
    assert len(compiled) == 1
    assert_array_equal(maps[0], maps[2])
    assert not np.array_equal(maps[0], maps[1])
    first.explain(X[:2], layer="conv_1")
    assert len(compiled) == 2


def test_explanations_belong_to_what_predicts(tiny_cnn, garments):
    X, y = garments
    clf = tiny_cnn().fit(X, y)
    expected = clf.explain(X[:20])
    for weight in clf.model_.weights:
        weight.assign(np.zeros(weight.shape))
    assert_array_equal(clf.explain(X[:20]), expected)


def test_outputs_that_are_not_probabilities_are_refused(garments):
    import keras

    def bright_alone(shape, n):  # probabilities of images, but not of black ones
        inputs = keras.Input(shape)
        probabilities = keras.layers.Dense(n, activation="softmax")(keras.layers.Flatten()(inputs))
        is_black = keras.ops.cast(keras.ops.equal(keras.ops.max(inputs, axis=(1, 2)), 0), "float32")
        return keras.Model(inputs, probabilities * (1 + 0.2 * is_black))

    X = garments[0][:3].copy()
    clf = CNNClassifier(bright_alone, epochs=1, random_state=0).fit(*garments)
    clf.predict_proba(X)
    X[1] = 0
    with pytest.raises(ValueError, match=r"not probabilities for image 1 .* with a sum of 1\.2"):
        clf.predict_proba(X)


def test_independent_outputs_are_refused(garments):
    import keras

    def sigmoids(shape, n):  # on an image without a pattern they sum to 1
        inputs = keras.Input(shape)
        outputs = keras.layers.Dense(n, activation="sigmoid")(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, outputs)

    X, y = garments
    with pytest.raises(ValueError, match=r'not probabilities; end it with .*activation="softmax"'):
        CNNClassifier(sigmoids).fit(X, y > 4)


def test_the_warning_of_another_pixel_range_is_of_the_users_line(fitted, garments):
    for method in ("predict", "predict_proba", "decision_function"):
        with pytest.warns(UserWarning, match="pixels in the range") as caught:
            getattr(fitted["cnn"], method)(garments[0] / 255)
        assert caught[0].filename == __file__


class TestWhatIsKept:
    @pytest.mark.parametrize("architecture", ["basic", "fast"])
    def test_a_pickle_is_hardly_larger_than_the_weights(self, garments, architecture):
        clf = CNNClassifier(architecture, epochs=1, random_state=0)
        clf.fit(garments[0][:64], garments[1][:64])
        weights = sum(weight.nbytes for weight in clf.model_.get_weights())
        assert len(pickle.dumps(clf)) <= 1.1 * weights

    @pytest.mark.parametrize("ema_decay", [None, 0.9])
    def test_the_optimizer_is_kept_where_it_is_resumed(self, tiny_cnn, garments, ema_decay):
        X, y = garments
        plain = tiny_cnn(ema_decay=ema_decay).fit(X, y)
        assert plain._network.optimizer_state is None
        warm = tiny_cnn(ema_decay=ema_decay, warm_start=True).fit(X, y)
        assert warm._network.optimizer_state is not None
        plain.partial_fit(X, y)
        assert plain._network.optimizer_state is not None
        assert plain.n_iter_ == 3

    def test_a_fit_that_goes_on_without_it_starts_the_optimizer_afresh(self, tiny_cnn, garments):
        X, y = garments
        warm = tiny_cnn(epochs=1, warm_start=True).fit(X, y)
        forgetful = tiny_cnn(epochs=1).fit(X, y)
        assert_array_equal(warm.predict_proba(X), forgetful.predict_proba(X))
        warm.fit(X, y)
        forgetful.set_params(warm_start=True).fit(X, y)
        assert warm.n_iter_ == forgetful.n_iter_ == 2
        assert not np.array_equal(warm.predict_proba(X), forgetful.predict_proba(X))
        assert forgetful.history_["loss"][1] < forgetful.history_["loss"][0]
