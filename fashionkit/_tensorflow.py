"""The one place that starts TensorFlow: quietly, and with no more threads than it was given."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import joblib

_starting = threading.Lock()
_started = threading.Event()

# What TensorFlow's libraries say at every start, on every machine without a GPU.
_CHATTER = re.compile(
    rb"^(WARNING: All log messages before absl|[IW]\d{4} |\d{4}-\d\d-\d\d [^ ]+ [IW] |"
    rb".*(failed call to cuInit|Unable to register cu\w+ factory|TF-TRT Warning|"
    rb"rebuild TensorFlow with the appropriate))"
)


def tensorflow() -> ModuleType:
    """Import TensorFlow and let it start its devices, once per process."""
    if not _started.is_set():
        with _starting:
            _start()
    import tensorflow as tf

    return tf


def keras() -> ModuleType:
    """Import Keras on TensorFlow.

    Raises
    ------
    RuntimeError
        If Keras has been told to use another backend.
    """
    tensorflow()
    import keras

    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Keras runs on the backend {keras.backend.backend()!r}, but fashionkit needs "
            "'tensorflow'; unset the environment variable KERAS_BACKEND and restart Python."
        )
    return keras


def _start() -> None:
    """Start TensorFlow, unless another thread or the user has started it already."""
    if not _started.is_set() and "tensorflow" not in sys.modules:
        with _quiet():
            import tensorflow as tf

            _limit_threads(tf)
            tf.constant(0)  # starts the devices, which is when the rest of the chatter comes
    _started.set()


def _limit_threads(tf: ModuleType) -> None:
    """Give each worker process its share of the cores.

    joblib and dask tell their workers their share through OMP_NUM_THREADS, which TensorFlow
    does not read. The last bits of a sum depend on how many threads it was spread over, so
    a worker gets twice its share: two workers then compute exactly what their parent would,
    and time-sharing costs nothing that we could measure.
    """
    share = os.environ.get("OMP_NUM_THREADS", "")
    if share.isdigit() and int(share) > 0:
        n_threads = min(2 * int(share), joblib.cpu_count())
        tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        tf.config.threading.set_inter_op_parallelism_threads(n_threads)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what is written to stderr inside, and pass on what is not start-up chatter."""
    before = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = before or "2"
    try:
        with _held_stderr(passes_all=before is not None):
            yield
    finally:
        if before is None:
            del os.environ["TF_CPP_MIN_LOG_LEVEL"]


@contextmanager
def _held_stderr(*, passes_all: bool) -> Iterator[None]:
    if passes_all or sys.stderr is None:  # the user's log level, or no stderr to keep quiet
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held:
                if not _CHATTER.match(line):
                    os.write(2, line)
