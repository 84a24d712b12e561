"""Transfer learning: two phases, features computed once, weights of any origin, the report."""

from __future__ import annotations

import copy
import functools
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from fashionkit import Augmentation, BackboneFeatures, CNNClassifier, TransferClassifier
from fashionkit._backbones.extractor import Extractor
from fashionkit._tensorflow import keras
from fashionkit.neural import _transfer, recipes


def tiny_backbone(input_shape):
    """Build a network of two convolutions, with a normalisation between them."""
    layers = keras().layers
    inputs = layers.Input(input_shape)
    x = layers.Conv2D(8, 5, strides=3, activation="relu", name="first")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Dropout(0.5, name="drop")(x)
    return keras().Model(
        inputs, layers.Conv2D(8, 3, strides=2, activation="relu", name="second")(x)
    )


class TinyBackbone:
    def __call__(self, input_shape):
        return tiny_backbone(input_shape)


def tiny(**params):
    defaults = {
        "backbone": tiny_backbone,
        "weights": None,
        "pooling": "flatten",
        "epochs": 3,
        "fine_tune_epochs": 2,
        "random_state": 0,
    }
    return TransferClassifier(**{**defaults, **params})


@pytest.fixture(scope="module")
def data(garments):
    X, y = garments
    return X[:200], y[:200], X[200:], y[200:]


@pytest.fixture(scope="module")
def head(data):
    """Return a classifier whose head is trained; tests must not change it."""
    return tiny().fit(*data[:2])


@pytest.fixture(scope="module")
def tuned(data):
    """Return a classifier that is trained and fine-tuned; tests must not change it."""
    return tiny(fine_tune="all").fit(*data[:2])


@pytest.fixture(scope="module")
def warm(data):
    """Return a classifier that can go on, for tests to copy."""
    return tiny(warm_start=True).fit(*data[:2])


def backbone_weights(model):
    return model.model_.get_layer("backbone_tiny_backbone").get_weights()


def test_a_head_learns_on_a_frozen_backbone(data, head):
    X, y, X_test, y_test = data
    model = tiny(epochs=20, learning_rate=0.01).fit(X, y)
    assert model.score(X_test, y_test) > 0.5
    for ours, theirs in zip(backbone_weights(model), backbone_weights(head), strict=True):
        assert_array_equal(ours, theirs)


def test_features_computed_once_give_what_every_epoch_through_the_network_gives(data, monkeypatch):
    X, y, X_test, _ = data
    once = tiny(head_units=8).fit(X, y)
    # An augmentation that changes next to nothing takes the other way.
    every = tiny(head_units=8, augmentation=Augmentation(contrast=1e-7)).fit(X, y)
    assert_allclose(once.predict_proba(X_test), every.predict_proba(X_test), atol=1e-4)
    assert_allclose(once.history_["loss"], every.history_["loss"], rtol=1e-3)


def count_features(monkeypatch):
    """Count the images of which features are computed."""
    counts = []
    bind = Extractor.bind

    def counting(self, arrays):
        call = bind(self, arrays)

        def count(chunk):
            counts.append(len(chunk))
            return call(chunk)

        return count

    monkeypatch.setattr(Extractor, "bind", counting)
    return counts


def test_features_are_computed_once_for_all_epochs(data, monkeypatch):
    X, y, _, _ = data
    counts = count_features(monkeypatch)
    tiny(epochs=5, validation_fraction=0.2).fit(X, y)
    assert sum(counts) == len(X)
    tiny(channels="conv").fit(X, y)
    tiny(augmentation=Augmentation(rotation=10)).fit(X, y)
    assert sum(counts) == len(X)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"channels": "conv"}, "channels='conv' puts trained weights before it"),
        ({"augmentation": Augmentation(rotation=10)}, "augmentation changes the images"),
    ],
)
def test_verbose_tells_why_features_cannot_be_computed_once(data, capsys, params, reason):
    X, y, _, _ = data
    tiny(epochs=1, verbose=1, **params).fit(X[:50], y[:50])
    assert reason in capsys.readouterr().out
    tiny(epochs=1, **params).fit(X[:50], y[:50])
    assert capsys.readouterr().out == ""


def test_many_features_are_kept_in_half_precision(data, head, monkeypatch):
    X, y, X_test, _ = data
    monkeypatch.setattr("fashionkit.neural._transfer_head._LARGEST_EXACT", 1000)
    half = tiny().fit(X, y)
    assert_allclose(half.predict_proba(X_test), head.predict_proba(X_test), atol=5e-3)
    assert not np.array_equal(half.predict_proba(X_test), head.predict_proba(X_test))


def test_fine_tuning_goes_on_from_the_trained_head(head, tuned):
    assert_allclose(tuned.history_["loss"][:3], head.history_["loss"])
    assert tuned.n_iter_ == 5
    assert len(tuned.history_["loss"]) == 5
    assert tuned.history_["loss"][3] < head.history_["loss"][0]
    changed = [
        not np.array_equal(ours, theirs)
        for ours, theirs in zip(backbone_weights(tuned), backbone_weights(head), strict=True)
    ]
    # Kernels, biases, scale and offset are trained; mean, variance and the seed are not.
    assert changed == [True] * 4 + [False] * 2 + [False] * (len(changed) - 8) + [True] * 2


def test_a_tiny_rate_leaves_the_head_phase_as_it_was(data, head):
    X, y, X_test, _ = data
    tuned = tiny(fine_tune="all", fine_tune_learning_rate=1e-12).fit(X, y)
    # Also shows that normalisation and dropout of the backbone are in inference mode: batch
    # statistics would change both the loss and the predictions.
    assert_allclose(tuned.predict_proba(X_test), head.predict_proba(X_test), atol=1e-5)
    evaluated = head.evaluate(X, y)
    assert_allclose(tuned.history_["loss"][-1], evaluated.loss, rtol=1e-3)


def test_last_layers_alone_can_be_trained(data, head, tuned):
    X, y, _, _ = data
    last = tiny(fine_tune=1).fit(X, y)
    pairs = list(zip(backbone_weights(last), backbone_weights(head), strict=True))
    changed = [not np.array_equal(ours, theirs) for ours, theirs in pairs]
    assert changed == [False] * (len(pairs) - 2) + [True] * 2
    assert_allclose(
        tiny(fine_tune=1000).fit(X, y).predict_proba(X),
        tuned.predict_proba(X),
        atol=1e-6,
    )


def test_the_rate_of_fine_tuning_is_a_tenth(data, tuned):
    X, y, X_test, _ = data
    said = tiny(fine_tune="all", fine_tune_learning_rate=1e-4).fit(X, y)
    assert_allclose(tuned.predict_proba(X_test), said.predict_proba(X_test), atol=1e-6)


def kernels(model):
    """Return those of the backbone's two convolutions, and that of the head."""
    network = model.model_.get_layer("backbone_tiny_backbone").network
    layers = [network.get_layer("first"), network.get_layer("second"), model.model_.layers[-1]]
    return [layer.get_weights()[0] for layer in layers]


def tuned_by(data, **params):
    """Return how far plain steps of fine-tuning move the backbone's kernels and the head's."""
    common = {"optimizer": "sgd", "learning_rate": 0.01, "pooling": "avg", "batch_size": 200}
    tuning = {"fine_tune": "all", "fine_tune_learning_rate": 0.1, "fine_tune_epochs": 1}
    before = tiny(**common).fit(*data[:2])
    after = tiny(**{**common, **tuning, **params}).fit(*data[:2])
    moved = [a - b for a, b in zip(kernels(after), kernels(before), strict=True)]
    return np.array([np.abs(one).max() for one in moved])


def test_early_stages_learn_at_a_lower_rate(data):
    # One batch: the gradients are those of the same weights, and SGD's steps are proportional.
    plain = tuned_by(data)
    decayed = tuned_by(data, fine_tune_layer_decay=0.1)
    assert_allclose(decayed, plain * np.array([0.1, 1, 1]), rtol=1e-3)


def test_weight_decay_is_scaled_with_the_rate(data):
    params = {"fine_tune_learning_rate": 1e-3, "weight_decay": 900.0}
    first, second, _ = tuned_by(data, **params, fine_tune_layer_decay=1e-3)
    # Nine tenths of the second kernel are gone, and about a thousandth of the first.
    before = kernels(tiny(pooling="avg").fit(*data[:2]))
    assert first < 0.002 * np.abs(before[0]).max()
    assert second > 0.8 * np.abs(before[1]).max()


def test_stages_begin_to_learn_one_by_one(data):
    first, second, head = tuned_by(data, fine_tune_gradually=True)
    assert first == 0
    assert min(second, head) > 0
    assert min(tuned_by(data, fine_tune_gradually=True, fine_tune_epochs=2)) > 0


def test_the_first_epochs_may_see_another_size(data, tmp_path):
    X, y, X_test, _ = data
    params = {"fine_tune": "all", "pooling": "avg", "fine_tune_epochs": 3}
    sizes = []
    model = tiny(**params, fine_tune_first_size=20, checkpoint_dir=tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        train = _transfer.train

        def watched(phase, *samples):
            sizes.append((phase.spec.params["backbone"].size, phase.epochs))
            return train(phase, *samples)

        patch.setattr(_transfer, "train", watched)
        model.fit(X, y)
    assert sizes == [((20, 20), 1), ((28, 28), 2)]
    assert model.n_iter_ == len(model.history_["loss"]) == 6
    assert model.model_.get_layer("backbone_tiny_backbone").network.input_shape[1] == 28
    again = tiny(**params, fine_tune_first_size=20, checkpoint_dir=tmp_path).fit(X, y)
    assert_array_equal(model.predict_proba(X_test), again.predict_proba(X_test))
    assert (tmp_path / "first_size").is_dir()


def test_the_same_first_size_changes_nothing(data, tuned):
    X, y, X_test, _ = data
    same = tiny(fine_tune="all", fine_tune_first_size=28).fit(X, y)
    assert_array_equal(same.predict_proba(X_test), tuned.predict_proba(X_test))


@pytest.mark.parametrize("params", [{}, {"fine_tune": "all"}, {"channels": "conv"}], ids=str)
def test_fits_repeat_and_copies_predict_alike(data, params):
    X, y, X_test, _ = data
    model = tiny(dropout=0.2, **params).fit(X, y)
    expected = model.predict_proba(X_test)
    assert_array_equal(clone(model).fit(X, y).predict_proba(X_test), expected)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X_test), expected)
    flat = clone(model).fit(X.reshape(len(X), -1), y)
    assert_array_equal(flat.predict_proba(X_test.reshape(len(X_test), -1)), expected)


@pytest.mark.parametrize("params", [{}, {"fine_tune": "all"}], ids=str)
def test_training_goes_on(data, params):
    X, y, _, _ = data
    model = tiny(warm_start=True, **params).fit(X, y)
    before = model.n_iter_
    loss = model.evaluate(X, y).loss
    model.fit(X, y)
    assert model.n_iter_ == before + (2 if params else 3)
    assert len(model.history_["loss"]) == model.n_iter_
    assert model.evaluate(X, y).loss < loss


def test_a_head_that_goes_on_is_the_head_of_one_long_fit(data):
    X, y, X_test, _ = data
    twice = tiny(warm_start=True).fit(X, y).fit(X, y)
    once = tiny(epochs=6).fit(X, y)
    assert_allclose(twice.predict_proba(X_test), once.predict_proba(X_test), atol=1e-6)


@pytest.mark.parametrize("params", [{}, {"fine_tune": "all"}], ids=str)
def test_chunks_can_be_learnt_one_by_one(data, params):
    X, y, _, _ = data
    model = tiny(learning_rate=0.01, fine_tune_learning_rate=0.01, **params)
    for _ in range(8):
        for begin in range(0, 200, 50):
            model.partial_fit(X[begin : begin + 50], y[begin : begin + 50], classes=np.arange(10))
    assert model.n_iter_ == 32
    assert model.score(X, y) > 0.4


class Killed(Exception):
    pass


class FixedSeed(np.random.RandomState):
    """A generator that draws one seed."""

    def __init__(self, drawn):
        super().__init__()
        self.drawn = drawn

    def randint(self, *args, **kwargs):
        return self.drawn


SIZES = {"pooling": "avg", "fine_tune_first_size": 20, "fine_tune_gradually": True}


@pytest.mark.parametrize(
    ("kill_at", "random_state", "more"),
    [
        (1, 0, {}),
        (3, 0, {}),
        (3, None, {}),
        (4, None, {}),
        (4, None, SIZES),
        pytest.param(5, 0, SIZES, marks=pytest.mark.slow),
    ],
)
def test_a_killed_fit_goes_on(data, tmp_path, monkeypatch, kill_at, random_state, more):
    X, y, X_test, _ = data

    class Kill(keras().callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == kill_at:
                raise Killed

    if more:
        more = {**more, "fine_tune_epochs": 4}
    params = {"fine_tune": "all", "checkpoint_dir": tmp_path, "random_state": random_state, **more}
    with pytest.raises(Killed):
        tiny(**params, callbacks=[Kill()]).fit(X, y)
    counts = count_features(monkeypatch)
    resumed = tiny(**params).fit(X, y)
    n_images = sum(counts)
    expected = tiny(fine_tune="all", random_state=FixedSeed(resumed._seed), **more).fit(X, y)
    assert_array_equal(resumed.predict_proba(X_test), expected.predict_proba(X_test))
    assert_allclose(resumed.history_["loss"], expected.history_["loss"])
    # A head that was finished needs no features again.
    assert n_images == (len(X) if kill_at < 3 else 0)


def test_another_backbone_does_not_go_on(data, tmp_path):
    X, y, _, _ = data
    tiny(checkpoint_dir=tmp_path).fit(X, y)
    with pytest.raises(ValueError, match="holds the state of another fit"):
        tiny(checkpoint_dir=tmp_path, layers="first").fit(X, y)


@pytest.mark.slow  # the basic network does in test_cnn.py, features in test_backbone.py
def test_searches_run_in_processes(data):
    X, y, _, _ = data
    search = GridSearchCV(
        TransferClassifier(
            weights=None, alpha=0.35, layers="block_1_expand", epochs=1, random_state=0
        ),
        {"head_units": [None, 4]},
        cv=2,
        n_jobs=2,
        error_score="raise",
    ).fit(X[:60], y[:60] % 2)
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))


@pytest.mark.slow  # features do in features/test_backbone.py
def test_a_pickle_needs_no_file(data, tmp_path, other_process):
    X, y, X_test, _ = data
    whole = keras().applications.MobileNetV2(
        input_shape=(32, 32, 3), alpha=0.35, include_top=False, weights=None
    )
    path = tmp_path / "mobilenet.weights.h5"
    whole.save_weights(path)
    model = TransferClassifier(
        weights=path, alpha=0.35, layers="low", epochs=1, random_state=0
    ).fit(X[:60], y[:60])
    expected = model.predict_proba(X_test)
    path.unlink()
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    np.save(tmp_path / "images.npy", X_test)
    program = (
        "import pickle, numpy as np;"
        "model = pickle.loads((folder / 'model.pickle').read_bytes());"
        "np.save(folder / 'out.npy', model.predict_proba(np.load(folder / 'images.npy')))"
    )
    other_process(program, folder=tmp_path)
    assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-6)


def test_a_fitted_network_is_tuned_for_other_classes(data):
    X, y, X_test, y_test = data
    source = CNNClassifier(epochs=5, random_state=0).fit(X, y)
    model = TransferClassifier(
        weights=FrozenEstimator(source), pooling="flatten", epochs=10, random_state=0
    )
    target = np.where(y < 5, "left", "right")
    clone(model).fit(X, target)
    model.fit(X, target)
    assert model.score(X_test, np.where(y_test < 5, "left", "right")) > 0.8
    inner = model.model_.get_layer("backbone_basic")
    assert_array_equal(inner.get_weights()[0], source.model_.get_layer("conv_1").get_weights()[0])


def test_layers_and_pooling_are_those_of_the_features(data):
    X, y, _, _ = data
    params = {"layers": ["norm", "second"], "pooling": "grid", "grid": 2}
    model = tiny(**params).fit(X, y)
    features = BackboneFeatures(tiny_backbone, weights=None, random_state=0, **params).fit(X)
    assert model.model_.get_layer("probabilities").kernel.shape[0] == len(
        features.get_feature_names_out()
    )


@pytest.mark.slow  # trains 3.7 million parameters; the recipe's head is tested below
def test_the_recipe_is_the_report_s_model(data):
    model = TransferClassifier.from_recipe("basic", weights=None, epochs=1, random_state=0)
    network = model.fit(data[0][:10], np.arange(10)).model_
    shapes = [(layer.name, tuple(layer.output.shape[1:])) for layer in network.layers]
    assert [shape for _, shape in shapes] == [
        (28, 28, 1),
        (96, 96, 1),
        (96, 96, 3),
        (3, 3, 1280),
        (11520,),
        (128,),
        (128,),
        (10,),
    ]
    counts = [layer.count_params() for layer in network.layers]
    assert counts == [0, 0, 30, 2_257_984, 0, 1_474_688, 0, 1_290]
    assert network.count_params() == 3_733_992
    trainable = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert trainable == 1_476_008
    assert model.optimizer == "adam"
    assert model.learning_rate == 0.001
    assert model.dropout == 0.5


def test_the_recipe_head_is_the_report_s_head_on_features_computed_once(data, monkeypatch):
    X, y, _, _ = data
    model = TransferClassifier.from_recipe("head", epochs=2, random_state=0)
    assert (model.head_units, model.dropout, model.learning_rate) == (128, 0.5, 0.001)
    counts = count_features(monkeypatch)
    model.set_params(backbone=tiny_backbone, layers=None, weights=None).fit(X[:30], y[:30])
    assert sum(counts) == 30


@pytest.mark.parametrize(
    "function",
    [functools.partial(tiny_backbone), lambda shape: tiny_backbone(shape), TinyBackbone()],
    ids=["partial", "lambda", "object"],
)
def test_any_callable_builds_the_backbone(data, head, function):
    X, y, X_test, _ = data
    expected = head.predict_proba(X_test)
    assert_array_equal(tiny(backbone=function).fit(X, y).predict_proba(X_test), expected)


def test_the_optimizer_may_have_a_rate_of_its_own(data):
    X, y, X_test, _ = data
    expected = tiny(fine_tune="all", learning_rate=0.01).fit(X, y).predict_proba(X_test)
    for params in (
        {"optimizer_params": {"learning_rate": 0.01}},
        {"optimizer": keras().optimizers.Adam(0.01)},
    ):
        model = tiny(fine_tune="all", **params).fit(X, y)
        assert_allclose(model.predict_proba(X_test), expected, atol=1e-6)


def test_a_trained_head_can_be_followed_by_fine_tuning(data, tuned, warm):
    X, y, X_test, _ = data
    model = copy.deepcopy(warm)
    model.set_params(fine_tune="all").fit(X, y)
    assert model.n_iter_ == tuned.n_iter_
    assert_allclose(model.predict_proba(X_test), tuned.predict_proba(X_test), atol=1e-5)
    loss = model.evaluate(X, y).loss
    model.set_params(fine_tune=False).fit(X, y)
    assert model.evaluate(X, y).loss < loss


@pytest.mark.parametrize("fine_tune", [False, "all"])
@pytest.mark.parametrize(
    "params", [{"head_units": 5}, {"layers": "first"}, {"image_size": 40}], ids=repr
)
def test_another_network_cannot_go_on_from_the_last_fit(data, warm, params, fine_tune):
    X, y, _, _ = data
    model = copy.deepcopy(warm).set_params(fine_tune=fine_tune, **params)
    with pytest.raises(ValueError, match=r"weights of the last fit do not fit.*warm_start=False"):
        model.fit(X, y)


def test_a_transferred_network_is_tuned_as_a_whole(data, head):
    X, y, _, _ = data
    second = tiny(weights=head, fine_tune="all", layers=None).fit(X, y)
    inner = second.model_.get_layer("backbone_transfer")
    assert len(inner.trainable_variables) == 6
    both = tiny(layers=["first", "second"]).fit(X, y)
    features = BackboneFeatures(weights=both).fit(X)
    assert features.transform(X[:5]).shape == (5, 8)


def test_the_network_can_be_saved(data, head, tmp_path):
    X_test = data[2]
    head.model_.save(tmp_path / "model.keras")
    loaded = keras().saving.load_model(tmp_path / "model.keras")
    pixels = X_test[:5, :, :, None].astype(np.float32) / 255
    assert_allclose(np.asarray(loaded(pixels)), head.predict_proba(X_test[:5]), atol=1e-5)


def test_recipes_belong_to_a_class():
    assert recipes.list_recipes("TransferClassifier") == ["basic", "head", "tuned", "photos"]
    with pytest.raises(ValueError, match="is for TransferClassifier"):
        CNNClassifier.from_recipe("tuned")
    with pytest.raises(ValueError, match="is for CNNClassifier"):
        TransferClassifier.from_recipe("fast")
    with pytest.raises(ValueError, match="expected one of 'CNNClassifier'"):
        recipes.list_recipes("KerasClassifier")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fine_tune": True}, "fine_tune=True; pass 'all'"),
        ({"head_units": [0]}, "head_units=.0., expected whole numbers"),
        ({"head_units": [1.5]}, r"head_units=.1\.5., expected whole numbers"),
        ({"fine_tune": 0}, "fine_tune"),
        ({"weights": "imagenet"}, "is a function; pass weights=None"),
        ({"fine_tune_layer_decay": 0.0}, "fine_tune_layer_decay"),
        ({"fine_tune": "all", "fine_tune_first_size": 0}, "fine_tune_first_size"),
        (
            {"fine_tune": "all", "fine_tune_first_size": (20, 0), "pooling": "avg"},
            r"fine_tune_first_size=\(20, 0\), expected a whole number of at least 1 pixels",
        ),
        (
            {"fine_tune": "all", "fine_tune_first_size": 20},
            "gives the head 32 features with pooling='flatten', where .* give 72",
        ),
        ({"layers": "third"}, "layers has 'third', which is not a layer"),
        ({"channels": "rgb"}, "channels"),
        ({"learning_rate": -1.0}, "learning_rate"),
    ],
)
def test_bad_parameters_are_named(data, params, message):
    X, y, _, _ = data
    with pytest.raises(ValueError, match=message):
        tiny(**params).fit(X[:40], y[:40])


def test_a_classifier_s_network_has_one_size(data, head):
    model = tiny(weights=head, fine_tune="all", fine_tune_first_size=20)
    with pytest.raises(ValueError, match=r"the size of its images, .* pass fine_tune_first_size=N"):
        model.fit(*data[:2])


def test_a_network_built_before_is_refused(data):
    X, y, _, _ = data
    made = tiny_backbone((28, 28, 3))
    with pytest.raises(ValueError, match="layers made outside of it; make all layers inside"):
        tiny(backbone=lambda shape: made).fit(X[:40], y[:40])


def test_a_failed_fit_leaves_nothing_half_fitted(data):
    X, y, _, _ = data

    class Kill(keras().callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                raise Killed

    model = tiny(fine_tune="all", callbacks=[Kill()])
    with pytest.raises(Killed):
        model.fit(X, y)
    assert not hasattr(model, "history_")
    with pytest.raises(AttributeError):
        model.model_  # noqa: B018


def test_heat_maps_are_those_of_the_backbone_s_output(data, head):
    X_test = data[2]
    assert head.explain(X_test[:3]).shape == (3, 28, 28)
    assert head.explain(X_test[:3], layer="backbone_tiny_backbone").max() > 0


def real_weights(alpha):
    """Return the path of Keras's weights, or skip the test where there are none."""
    folder = Path(os.environ.get("FASHIONKIT_DATA", "")) / "keras" / "models"
    path = folder / f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_224_no_top.h5"
    if not path.is_file():
        pytest.skip(f"needs Keras's weights: put {path.name} into keras/models of FASHIONKIT_DATA")
    return path


@pytest.mark.slow  # that real weights tell garments apart is tested in features/test_backbone.py
@pytest.mark.realdata
def test_the_recipe_head_tells_garments_apart(fashion_mnist):
    X, y, X_test, y_test = fashion_mnist
    model = TransferClassifier.from_recipe("head", weights=real_weights("1.0"), random_state=0)
    assert model.fit(X, y).score(X_test, y_test) > 0.85


@pytest.mark.slow  # that real weights tell garments apart is tested in features/test_backbone.py
@pytest.mark.realdata
@pytest.mark.parametrize("alpha", ["0.35", "1.0"])
def test_fine_tuning_real_weights_helps(fashion_mnist, alpha):
    X, y, X_test, y_test = fashion_mnist
    model = TransferClassifier(
        weights=real_weights(alpha),
        alpha=float(alpha),
        layers="mid",
        image_size=56,
        pooling="grid",
        fine_tune="all",
        fine_tune_epochs=1,
        epochs=5,
        random_state=0,
    ).fit(X[::2], y[::2])
    assert model.score(X_test[::4], y_test[::4]) > 0.8
    assert model.history_["loss"][-1] < model.history_["loss"][-2] + 0.05
