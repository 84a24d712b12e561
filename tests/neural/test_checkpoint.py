"""A killed fit goes on from its last epoch, to the same result; other folders are left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from fashionkit import Augmentation
from fashionkit._times import Times
from fashionkit.neural._core.checkpoint import FILE_NAME, Checkpoint, TrainingState

# Everything that has a state of its own: dropout, normalisation, momenta, averages, a schedule,
# augmentation, and the epochs waited for a better validation loss.
EVERYTHING = {
    "architecture_params": {
        "filters": (4, 4),
        "dense_units": (8,),
        "dropout": 0.3,
        "batch_norm": True,
    },
    "optimizer": "muon",
    "learning_rate_schedule": "one-cycle",
    "weight_decay": 0.01,
    "label_smoothing": 0.1,
    "ema_decay": 0.9,
    "augmentation": Augmentation(rotation=10, horizontal_flip="alternating", mixup=0.2),
    "early_stopping": True,
    "patience": 3,
    "epochs": 4,
}

KILLED = """
import os, signal, sys
import keras
from fashionkit import Augmentation, CNNClassifier, make_garments

class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGKILL)

X, y = make_garments(300, random_state=0)
CNNClassifier(
    **{params!r}, random_state=0, checkpoint_dir=sys.argv[1], callbacks=[Kill()]
).fit(X, y)
"""


def interrupt(clf, garments, epoch=2):
    """Break a fit off at the beginning of an epoch."""
    import keras

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, number, logs=None):
            if number == epoch:
                raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        clf.set_params(callbacks=[Interrupt()]).fit(*garments)
    return clf.set_params(callbacks=None)


@pytest.mark.posix
@pytest.mark.slow  # as a fit that an error breaks off, below
def test_a_killed_process_is_gone_on_from_with_the_same_result(tiny_cnn, garments, tmp_path):
    program = KILLED.replace("{params!r}", repr(EVERYTHING))
    killed = subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    resumed = tiny_cnn(**EVERYTHING, checkpoint_dir=tmp_path).fit(*garments)
    unbroken = tiny_cnn(**EVERYTHING).fit(*garments)
    np.testing.assert_array_equal(
        resumed.predict_proba(garments[0]), unbroken.predict_proba(garments[0])
    )
    assert resumed.history_ == unbroken.history_
    assert resumed.n_iter_ == unbroken.n_iter_ == 4


def test_only_what_is_left_is_trained(tiny_cnn, garments, tmp_path):
    import keras

    epochs = []

    class Count(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            epochs.append(epoch)

    clf = interrupt(tiny_cnn(epochs=4, checkpoint_dir=tmp_path), garments)
    clf.set_params(callbacks=[Count()]).fit(*garments)
    assert epochs == [2, 3]
    clf.fit(*garments)
    assert epochs == [2, 3]


def test_a_finished_fit_is_not_trained_again(tiny_cnn, garments, tmp_path):
    clf = tiny_cnn(**EVERYTHING, checkpoint_dir=tmp_path)
    first = clf.fit(*garments).predict_proba(garments[0])
    changed = (tmp_path / FILE_NAME).stat().st_mtime_ns
    np.testing.assert_array_equal(clf.fit(*garments).predict_proba(garments[0]), first)
    assert (tmp_path / FILE_NAME).stat().st_mtime_ns == changed


def test_a_fit_that_stopped_early_stays_stopped(tiny_cnn, garments, tmp_path):
    params = {"epochs": 60, "learning_rate": 0.05, "early_stopping": True, "patience": 2}
    X, y = garments
    held_out = X[200:], y[200:]
    clf = tiny_cnn(**params, checkpoint_dir=tmp_path)
    first = clf.fit(X[:200], y[:200], X_val=held_out[0], y_val=held_out[1])
    n_epochs, expected = first.n_iter_, first.predict_proba(X)
    assert n_epochs < 60
    again = clf.fit(X[:200], y[:200], X_val=held_out[0], y_val=held_out[1])
    assert again.n_iter_ == n_epochs
    np.testing.assert_array_equal(again.predict_proba(X), expected)


def test_the_folder_may_be_in_the_users_home(tiny_cnn, garments, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    tiny_cnn(epochs=1, random_state=7, checkpoint_dir="~/state").fit(*garments)
    assert (tmp_path / "state").is_dir()
    assert Checkpoint.read_seed("~/state") == Checkpoint.read_seed(tmp_path / "state") is not None


def test_a_fit_without_a_seed_goes_on_with_the_seed_it_had(tiny_cnn, garments, tmp_path):
    clf = interrupt(tiny_cnn(epochs=4, random_state=None, checkpoint_dir=tmp_path), garments)
    seed = Checkpoint.read_seed(tmp_path)
    assert clf.fit(*garments).n_iter_ == 4
    assert clf._seed == seed


def test_a_warm_start_is_a_fit_of_its_own(tiny_cnn, garments, tmp_path):
    warm = tiny_cnn(warm_start=True, checkpoint_dir=tmp_path / "first").fit(*garments)
    warm.set_params(checkpoint_dir=tmp_path / "second").fit(*garments)
    assert warm.n_iter_ == 4
    twice = tiny_cnn(warm_start=True).fit(*garments).fit(*garments)
    np.testing.assert_array_equal(warm.predict_proba(garments[0]), twice.predict_proba(garments[0]))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"epochs": 3}, "epochs was 2, is 3"),
        ({"learning_rate": 0.01}, r"learning_rate was None, is 0\.01"),
        ({"random_state": 1}, "seed was"),
        ({"architecture_params": {"filters": (3,)}}, "architecture_params was"),
        ({"augmentation": Augmentation(rotation=3)}, "augmentation was None, is Augmentation"),
    ],
)
def test_a_folder_of_another_fit_is_refused_untouched(tiny_cnn, garments, tmp_path, change, named):
    clf = tiny_cnn(checkpoint_dir=tmp_path).fit(*garments)
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(ValueError, match=f"holds the state of another fit .*{named}"):
        clf.set_params(**change).fit(*garments)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_other_images_are_another_fit(tiny_cnn, garments, tmp_path):
    X, y = garments
    clf = tiny_cnn(checkpoint_dir=tmp_path).fit(X, y)
    with pytest.raises(ValueError, match="training data was"):
        clf.fit(X[::-1], y[::-1])


def test_what_changes_no_result_may_differ(tiny_cnn, garments, tmp_path):
    clf = tiny_cnn(checkpoint_dir=tmp_path).fit(*garments)
    clf.set_params(verbose=0, test_time_augmentation="flip", callbacks=[]).fit(*garments)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04broken"])
def test_a_file_that_is_no_state_is_refused_untouched(tiny_cnn, garments, tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(ValueError, match="is not the state of a fit"):
        tiny_cnn(checkpoint_dir=tmp_path).fit(*garments)
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_state_is_read_as_it_was_written(tmp_path):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, 3)).astype("float32"), np.uint32([7, 0])]
    state = TrainingState(
        weights=(arrays, arrays[1:]),
        optimizer_state=[np.int64(5), *arrays],
        first_step=3,
        history={"loss": [0.1, 1e-17]},
        best_loss=np.inf,
        n_waited=0,
        best_weights=None,
        times=Times(2.5, 3.5),
    )
    Checkpoint(tmp_path, {"seed": "1"}).save(state)
    read = Checkpoint(tmp_path, {"seed": "1"}).state
    assert (read.first_step, read.history, read.best_loss, read.best_weights) == (
        3, {"loss": [0.1, 1e-17]}, np.inf, None
    )  # fmt: skip
    assert read.times == (2.5, 3.5)
    written = [*state.weights[0], *state.weights[1], *state.optimizer_state]
    for left, right in zip(
        written, [*read.weights[0], *read.weights[1], *read.optimizer_state], strict=True
    ):
        np.testing.assert_array_equal(left, right)


def test_a_state_runs_no_code_when_it_is_read(tmp_path):
    """Objects in a file would be pickles; they are refused."""
    harmful = np.array([os], dtype=object)[:0]
    facts = {"settings": {"seed": "1"}}
    np.savez(tmp_path / FILE_NAME, facts=np.array(json.dumps(facts)), trainable_0=harmful)
    with pytest.raises(ValueError, match="is not the state of a fit"):
        Checkpoint(tmp_path, {"seed": "1"})


def test_partial_fit_keeps_no_state(tiny_cnn, garments, tmp_path):
    tiny_cnn(checkpoint_dir=tmp_path / "state").partial_fit(*garments, classes=range(10))
    assert not (tmp_path / "state").exists()


def test_a_rate_that_a_callback_has_set_is_kept(tiny_cnn, garments, tmp_path):
    import keras

    class Lower(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                self.model.optimizer.learning_rate = 1e-6

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("broken off")

    params = {"epochs": 4, "learning_rate": 0.01}
    unbroken = tiny_cnn(**params, callbacks=[Lower()]).fit(*garments)
    clf = tiny_cnn(**params, callbacks=[Lower(), Interrupt()], checkpoint_dir=tmp_path)
    with pytest.raises(RuntimeError, match="broken off"):
        clf.fit(*garments)
    resumed = clf.set_params(callbacks=[Lower()]).fit(*garments)
    assert resumed.history_ == unbroken.history_


def test_a_fit_that_a_callback_has_stopped_is_finished(tiny_cnn, garments, tmp_path):
    import keras

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    clf = tiny_cnn(epochs=6, callbacks=[Stop()], checkpoint_dir=tmp_path)
    assert clf.fit(*garments).n_iter_ == 2
    assert clf.fit(*garments).n_iter_ == 2


def test_a_fit_that_diverged_leaves_nothing_to_go_on_from(tiny_cnn, garments, tmp_path):
    clf = tiny_cnn(optimizer="sgd", learning_rate=1e38, checkpoint_dir=tmp_path)
    for _ in range(2):
        with pytest.raises(ValueError, match="lower the learning_rate"):
            clf.fit(*garments)
    assert clf.set_params(learning_rate=0.01).fit(*garments).n_iter_ == 2


def test_a_folder_that_another_fit_has_meanwhile_begun_to_use_is_refused(tmp_path):
    state = TrainingState(([], []), [], 0, {"loss": [1.0]}, 1.0, 0, None)
    first = Checkpoint(tmp_path, {"seed": "1"})
    second = Checkpoint(tmp_path, {"seed": "2"})
    first.save(state)
    first.save(state)
    with pytest.raises(ValueError, match="seed was 1, is 2"):
        second.save(state)


def builder(rate):
    def build(shape, n_classes):
        import keras

        return keras.Sequential(
            [
                keras.Input(shape),
                keras.layers.Flatten(),
                keras.layers.Dropout(rate),
                keras.layers.Dense(n_classes, activation="softmax"),
            ]
        )

    return build


def test_a_function_made_with_another_value_is_another_fit(tiny_cnn, garments, tmp_path):
    params = {"architecture_params": None, "epochs": 1, "checkpoint_dir": tmp_path}
    tiny_cnn(architecture=builder(0.1), **params).fit(*garments)
    with pytest.raises(ValueError, match=r"another fit .*architecture was"):
        tiny_cnn(architecture=builder(0.9), **params).fit(*garments)
    tiny_cnn(architecture=builder(0.1), **params).fit(*garments)
