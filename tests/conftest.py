"""Fixtures that several test files share; models are fitted once per module."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

from fashionkit import CNNClassifier, fetch_fashion_mnist, make_garments

# A network small enough that a fit costs little more than starting it.
TINY = {"filters": (4, 4), "dense_units": (8,)}

BROWSERS = ("chromium", "google-chrome")


def pytest_runtest_setup(item):
    """Skip the tests whose marker says that this machine lacks what they need."""
    if item.get_closest_marker("posix") and os.name != "posix":
        pytest.skip("needs POSIX signals, which this system does not have")
    if item.get_closest_marker("browser") and not any(map(shutil.which, BROWSERS)):
        pytest.skip(f"needs a browser: install one of {', '.join(BROWSERS)}")


@pytest.fixture
def tiny_cnn():
    """Return a factory of CNNClassifiers that fit within a fraction of a second."""

    def make(**params):
        defaults = {"architecture_params": TINY, "epochs": 2, "random_state": 0}
        return CNNClassifier(**{**defaults, **params})

    return make


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
