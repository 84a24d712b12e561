"""Fixtures that several test files share, and how many examples property tests draw."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor

if "PYTEST_XDIST_WORKER" in os.environ:
    # One thread for each of the processes that share the cores, which took a third more CPU time
    # waiting for each other's; before NumPy is imported, which asks once.
    for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(_name, "1")

import numpy as np
import pytest
from hypothesis import settings

from fashionkit import CNNClassifier, fetch_fashion_mnist, make_garments

# Property tests take their number of examples from the profile, or a multiple of it by
# settings(max_examples=3 * settings().max_examples).
settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=300, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# A network small enough that a fit costs little more than starting it.
TINY = {"filters": (4, 4), "dense_units": (8,)}

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def pytest_runtest_setup(item):
    """Skip the tests that this system cannot run."""
    if item.get_closest_marker("posix") and os.name != "posix":
        pytest.skip("needs POSIX signals, which this system does not have")


@pytest.fixture(scope="session")
def browser():
    """Return the path of Chromium or Google Chrome."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"needs a browser: none of {', '.join(BROWSERS)} is on the PATH")
    return path


@pytest.fixture
def tiny_cnn():
    """Return a factory of CNNClassifiers that fit within a fraction of a second."""

    def make(**params):
        defaults = {"architecture_params": TINY, "epochs": 2, "random_state": 0}
        return CNNClassifier(**{**defaults, **params})

    return make


@pytest.fixture(scope="session")
def other_process():
    """Return a function that runs a program, with the names it is given, in another process.

    One process serves all tests, as starting TensorFlow takes seconds; a test that needs a fresh
    one starts its own.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        yield lambda program, **names: pool.submit(exec, program, names).result(timeout=300)


@pytest.fixture(scope="session")
def garments():
    """Return 300 generated garment images and their labels."""
    return make_garments(300, random_state=0)


@pytest.fixture(scope="session")
def fashion_mnist():
    """Return a stratified subset of real Fashion-MNIST: 2,000 training and 1,000 test images."""
    try:
        train = fetch_fashion_mnist("train", return_X_y=True, download_if_missing=False)
        test = fetch_fashion_mnist("test", return_X_y=True, download_if_missing=False)
    except OSError as error:
        pytest.skip(f"needs Fashion-MNIST: set FASHIONKIT_DATA to its folder ({error})")
    return *_subset(*train, 200), *_subset(*test, 100)


def _subset(X, y, n_per_class):
    rows = np.concatenate([np.flatnonzero(y == label)[:n_per_class] for label in range(10)])
    return X[rows], y[rows]
