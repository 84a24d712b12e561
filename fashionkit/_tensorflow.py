"""The one place that starts TensorFlow: quietly, and with no more threads than it was given."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

import joblib

_starting = threading.Lock()
_started = threading.Event()
_forked = threading.Event()

# What TensorFlow's libraries say at every start, on every machine without a GPU; some of it before
# they know of any log level.
_CHATTER = (
    r"WARNING: All log messages before absl|I[0-9]{4} |[0-9]{4}-[0-9]{2}-[0-9]{2} [^ ]+ I |"
    r".*(failed call to cuInit|Unable to register cu[A-Za-z]+ factory|TF-TRT Warning|"
    r"rebuild TensorFlow with the appropriate)"
)

# The program that passes on all lines but those: at once, so that nobody waits for a line.
_FILTER = """
import re, sys
is_chatter = re.compile(sys.argv[1].encode()).match
for line in sys.stdin.buffer:
    if not is_chatter(line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""


def tensorflow() -> ModuleType:
    """Import TensorFlow and let it start its devices, once per process.

    Raises
    ------
    RuntimeError
        If this process was forked from one in which TensorFlow had started.
    """
    refuse_fork()
    if not _started.is_set():
        with _starting:
            _start()
    import tensorflow as tf

    return tf


def refuse_fork() -> None:
    """Raise an error where TensorFlow would wait for ever for threads that a fork has not copied.

    Whoever calls a compiled function without asking for TensorFlow calls this before.
    """
    if _forked.is_set():
        raise RuntimeError(
            "This process was forked from one in which TensorFlow had started, and cannot use it. "
            "Start processes otherwise: joblib's default backend, 'loky', does; for "
            "multiprocessing, pass get_context('spawn')."
        )


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


@contextmanager
def without_retracing_warnings() -> Iterator[None]:
    """Keep TensorFlow from warning that Keras's functions for training are traced.

    It counts those of all models as one function: of a search it says that something is wrong.
    """

    def is_other(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not ("TensorFlowTrainer" in message and "triggered tf.function retracing" in message)

    logger = tensorflow().get_logger()
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def _notice_fork() -> None:
    """Remember in a forked process whether TensorFlow had started before, by whomever."""
    context = getattr(sys.modules.get("tensorflow.python.eager.context"), "_context", None)
    if _started.is_set() or getattr(context, "_initialized", False):
        _forked.set()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_notice_fork)


def _start() -> None:
    """Start TensorFlow, unless another thread or the user has started it already."""
    if not _started.is_set() and "tensorflow" not in sys.modules:
        with _quiet():
            import tensorflow as tf

            _limit_threads(tf)
            tf.constant(0)  # starts the devices, which is when the rest of the chatter comes
    _started.set()


def _limit_threads(tf: ModuleType) -> None:
    """Give each worker process its share of the cores."""
    n_threads = count_threads()
    if n_threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        tf.config.threading.set_inter_op_parallelism_threads(n_threads)


def count_threads() -> int | None:
    """Return how many threads a worker process may have; None for all cores.

    joblib and dask tell their workers their share through OMP_NUM_THREADS, which TensorFlow
    does not read. The last bits of a sum depend on how many threads it was spread over, so
    a worker gets twice its share: two workers then compute exactly what their parent would,
    and time-sharing costs nothing that we could measure.
    """
    share = os.environ.get("OMP_NUM_THREADS", "")
    if share.isdigit() and int(share) > 0:
        return min(2 * int(share), joblib.cpu_count())
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep start-up chatter from stderr, at the log level of the user's or at that of errors."""
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    if level == "0" or sys.stderr is None or not sys.executable or hasattr(sys, "frozen"):
        yield  # the user asks for the log; or there is nothing to keep quiet, or to do it with
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = level or "2"
    try:
        with _filtered_stderr(_CHATTER if level == "1" else f"{_CHATTER}|W[0-9]{{4}} "):
            yield
    finally:
        if level is None:
            del os.environ["TF_CPP_MIN_LOG_LEVEL"]


@contextmanager
def _filtered_stderr(chatter: str) -> Iterator[None]:
    """Send stderr through a process that leaves lines out, and outlives us if we are aborted."""
    sys.stderr.flush()
    saved = os.dup(2)
    command = [sys.executable, "-I", "-S", "-c", _FILTER, chatter]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    os.dup2(process.stdin.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        process.stdin.close()
        # Not for ever: what other threads have started meanwhile may still write to it.
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
