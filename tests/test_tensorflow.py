"""Starting TensorFlow: quietly, with its share of the cores, and leaving no trace."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys

import joblib
import pytest

from fashionkit._tensorflow import _limit_threads, keras

# Each start takes seconds: several threads are its first users, in a worker of joblib's.
START = """
import os, threading
before = dict(os.environ)
from fashionkit._tensorflow import keras, tensorflow

found = []
def work(): found.append(keras().ops.convert_to_numpy(keras().ops.ones(2)).sum())
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
tf = tensorflow()
tf.config.list_physical_devices("GPU")
after = {name: value for name, value in os.environ.items() if before.get(name) != value}
print(sum(found))
print({name for name in after if name.startswith("TF_CPP")})
print(tf.config.threading.get_intra_op_parallelism_threads())
"""


def start(code=START, **environment):
    inherited = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS",)}
    inherited.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**inherited, **environment},
        check=False,
    )


def test_threads_may_start_it_at_once_without_a_word_with_at_most_twice_their_share():
    result = start(OMP_NUM_THREADS="1")
    assert result.stderr == ""
    assert result.stdout.splitlines() == ["8.0", "set()", str(min(2, joblib.cpu_count()))]


def test_without_a_share_it_takes_all_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    _limit_threads(None)  # sets nothing


SPEAKING = """
import os, sys, threading
from fashionkit import _tensorflow

with _tensorflow._quiet():
    os.write(2, b"I0000 00:00:00 chatter\\nE0000 00:00:00 a real error\\n")
    thread = threading.Thread(target=lambda: print("another thread's line", file=sys.stderr))
    thread.start()
    thread.join()
    os.write(2, b"F0000 00:00:00 fatal")
    {end}
"""


@pytest.mark.parametrize("level", [None, "1", "2", "3"])
def test_only_chatter_is_held_back(level):
    environment = {} if level is None else {"TF_CPP_MIN_LOG_LEVEL": level}
    stderr = start(SPEAKING.format(end="pass"), **environment).stderr
    assert stderr.splitlines() == [
        "E0000 00:00:00 a real error",
        "another thread's line",
        "F0000 00:00:00 fatal",
    ]


@pytest.mark.posix
def test_what_is_said_before_an_abort_is_seen():
    result = start(SPEAKING.format(end="os.abort()"))
    assert result.returncode == -signal.SIGABRT
    assert "F0000 00:00:00 fatal" in result.stderr


FORK = """
import os

def in_a_fork(*calls):
    if os.fork() == 0:
        for call in calls:
            try:
                call()
            except RuntimeError as error:
                print(error, flush=True)
        os._exit(0)
    os.wait()
"""

FORKED = """
from fashionkit import CNNClassifier, make_garments

X, y = make_garments(60, random_state=0)
clf = CNNClassifier(architecture_params={"filters": (2,)}, epochs=1, random_state=0)
clf.fit(X, y).predict(X)
in_a_fork(lambda: clf.predict(X), lambda: clf.predict(X[:3]), lambda: clf.fit(X, y))
"""


@pytest.mark.posix
def test_a_forked_process_is_told_so_at_once():
    said = start(FORK + FORKED).stdout.splitlines()
    assert len(said) == 3
    assert all("was forked from one in which TensorFlow had started" in line for line in said)


STARTED_BY_USER = """
import tensorflow as tf
tf.constant(0)
from fashionkit._tensorflow import tensorflow
in_a_fork(tensorflow)
print(tensorflow() is tf)
"""


@pytest.mark.posix
@pytest.mark.slow  # as a forked process that started none, above
def test_a_tensorflow_that_the_user_has_started_is_taken_as_it_is():
    said = start(FORK + STARTED_BY_USER, OMP_NUM_THREADS="1").stdout.splitlines()
    assert "was forked" in said[0]
    assert said[1:] == ["True"]


@pytest.mark.skipif(
    platform.machine() not in {"x86_64", "AMD64"}, reason="TensorFlow has oneDNN on x86 alone"
)
@pytest.mark.slow
def test_a_user_who_chooses_a_log_level_sees_the_log():
    # oneDNN speaks of itself by default only on processors that it is fast on.
    stderr = start(TF_CPP_MIN_LOG_LEVEL="0", TF_ENABLE_ONEDNN_OPTS="1").stderr
    assert "oneDNN" in stderr


def test_another_keras_backend_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setattr(keras().backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="unset the environment variable KERAS_BACKEND"):
        keras()
