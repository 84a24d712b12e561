"""The user's callbacks, and Ctrl-C: what they see, what they keep, and what is kept of a fit."""

from __future__ import annotations

import pickle
import signal
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from fashionkit import TransferClassifier
from fashionkit._tensorflow import keras
from fashionkit.neural import TrainingInterrupted


def callback(**methods):
    """Return a callback with these methods."""
    return type("Own", (keras().callbacks.Callback,), methods)()


def gather():
    """Return a callback that keeps a list, an attribute and a lock."""

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])
        self.last_epoch = epoch

    own = callback(on_epoch_end=on_epoch_end)
    own.losses, own.lock = [], threading.Lock()
    return own


def test_callbacks_keep_what_they_gather_from_fit_to_fit(tiny_cnn, garments):
    own = gather()
    clf = tiny_cnn(callbacks=[own]).fit(*garments)
    assert own.losses == clf.history_["loss"]
    assert own.last_epoch == 1
    assert own.model is None
    clf.fit(*garments)
    assert own.losses == 2 * clf.history_["loss"]


def test_history_of_keras_is_filled_and_a_single_callback_is_enough(tiny_cnn, garments):
    history = keras().callbacks.History()
    clf = tiny_cnn(callbacks=history).fit(*garments)
    assert history.history["loss"] == pytest.approx(clf.history_["loss"])
    pickle.dumps(clf)


def test_a_callback_that_cannot_be_copied_is_named_where_it_has_to_be(tiny_cnn, garments):
    clf = tiny_cnn(epochs=1, callbacks=[gather()]).fit(*garments)
    with pytest.raises(TypeError, match=r"callbacks has <.*Own.*>, which cannot be copied: .*lock"):
        clone(clf)


def test_fits_of_a_cross_validation_have_copies(tiny_cnn, garments):
    own = gather()
    del own.lock
    cross_val_score(tiny_cnn(epochs=1, callbacks=[own]), *garments, cv=2, error_score="raise")
    assert own.losses == []


def test_what_a_callback_raises_ends_the_fit(tiny_cnn, garments):
    class Pruned(Exception):
        pass

    def on_epoch_end(self, epoch, logs=None):
        raise Pruned

    with pytest.raises(Pruned):
        tiny_cnn(callbacks=[callback(on_epoch_end=on_epoch_end)]).fit(*garments)


@pytest.mark.parametrize("ema_decay", [None, 0.5])
def test_weights_that_early_stopping_of_keras_restores_are_kept(tiny_cnn, garments, ema_decay):
    X, y = garments
    stop = keras().callbacks.EarlyStopping(patience=20, restore_best_weights=True)
    clf = tiny_cnn(learning_rate=0.05, epochs=8, ema_decay=ema_decay, callbacks=[stop])
    clf.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    losses = clf.history_["val_loss"]
    assert min(losses) < losses[-1]
    assert clf.evaluate(X[200:], y[200:]).loss == pytest.approx(min(losses), rel=1e-4)


def test_callbacks_see_the_averages_and_may_set_weights(tiny_cnn, garments):
    seen = []

    def on_epoch_end(self, epoch, logs=None):
        seen.append(self.model.get_weights())

    clf = tiny_cnn(ema_decay=0.5, callbacks=callback(on_epoch_end=on_epoch_end)).fit(*garments)
    for left, right in zip(seen[-1], clf.model_.get_weights(), strict=True):
        assert_array_equal(left, right)
    plain = tiny_cnn(ema_decay=0.5).fit(*garments)
    assert_array_equal(plain.predict_proba(garments[0]), clf.predict_proba(garments[0]))

    def zero(self, epoch, logs=None):
        self.model.set_weights([np.zeros_like(array) for array in self.model.get_weights()])

    lost = tiny_cnn(ema_decay=0.5, callbacks=callback(on_epoch_end=zero)).fit(*garments)
    assert not np.allclose(lost.predict_proba(garments[0]), plain.predict_proba(garments[0]))


@pytest.fixture(autouse=True)
def hears_ctrl_c():
    """Let Ctrl-C raise its exception, also in a process that was started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_in(epoch):
    """Return a callback that does what Ctrl-C does, after a step of an epoch."""

    def on_epoch_begin(self, number, logs=None):
        self.epoch = number

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == epoch:
            signal.raise_signal(signal.SIGINT)

    return callback(on_epoch_begin=on_epoch_begin, on_train_batch_end=on_train_batch_end)


@pytest.mark.parametrize("params", [{}, {"ema_decay": 0.9, "validation_fraction": 0.2}], ids=str)
def test_ctrl_c_keeps_what_was_trained(tiny_cnn, garments, params):
    clf = tiny_cnn(epochs=5, callbacks=interrupt_in(2), **params)
    with pytest.warns(TrainingInterrupted, match="after 2 of 5 epochs; what was") as caught:
        clf.fit(*garments)
    assert caught[0].filename == __file__
    assert clf.n_iter_ == 2
    assert {len(values) for values in clf.history_.values()} == {2}
    assert clf.evaluate(*garments).loss < np.log(10)
    again = clf.set_params(callbacks=None, epochs=2).fit(*garments)  # with nothing left over
    plain = tiny_cnn(epochs=2, **params).fit(*garments)
    assert_array_equal(again.predict_proba(garments[0]), plain.predict_proba(garments[0]))


def test_ctrl_c_before_there_is_anything_keeps_the_fit_before(tiny_cnn, garments):
    X, y = garments
    clf = tiny_cnn().fit(X, y)
    expected = clf.predict_proba(X)
    for method in (clf.fit, clf.partial_fit):
        clf.set_params(callbacks=interrupt_in(0 if method == clf.fit else 2))
        with pytest.raises(KeyboardInterrupt):
            method(X[:, 1:] if method == clf.fit else X, y)
        assert_array_equal(clf.predict_proba(X), expected)
        assert clf.n_iter_ == 2


def test_ctrl_c_leaves_a_checkpoint_to_go_on_from(tiny_cnn, garments, tmp_path):
    expected = tiny_cnn(epochs=3).fit(*garments).predict_proba(garments[0])
    clf = tiny_cnn(epochs=3, checkpoint_dir=tmp_path, callbacks=interrupt_in(1))
    with pytest.warns(TrainingInterrupted):
        clf.fit(*garments)
    clf.set_params(callbacks=None).fit(*garments)
    assert_array_equal(clf.predict_proba(garments[0]), expected)


def test_ctrl_c_in_the_first_phase_is_not_followed_by_the_second(garments):
    def backbone(shape):
        layers = keras().layers
        inputs = layers.Input(shape)
        return keras().Model(inputs, layers.Conv2D(4, 3, strides=2, name="maps")(inputs))

    clf = TransferClassifier(
        backbone, weights=None, fine_tune="all", epochs=4, callbacks=interrupt_in(1), random_state=0
    )
    with pytest.warns(TrainingInterrupted, match="after 1 of 4 epochs"):
        clf.fit(*garments)
    assert clf.n_iter_ == 1
    assert clf.predict(garments[0][:3]).shape == (3,)
