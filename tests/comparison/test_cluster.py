"""A comparison on a cluster: complete when a worker dies, and the images are sent once."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import joblib
import pytest
from numpy.testing import assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier

from fashionkit import CNNClassifier, compare_models, make_garments

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.slow  # each worker imports everything, and one of them starts TensorFlow

N_FOLDS = 3


def models(marker):
    """Return small models, one of which kills the first process that fits it."""

    # Defined here, so that it travels to workers that cannot import the tests.
    class Deadly(DummyClassifier):
        def __init__(self, marker=None, *, strategy="prior"):
            super().__init__(strategy=strategy)
            self.marker = marker

        def fit(self, X, y):
            if not os.path.exists(self.marker):
                Path(self.marker).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().fit(X, y)

    params = {"filters": (4, 4), "dense_units": (8,)}
    return {
        "cnn": CNNClassifier(architecture_params=params, epochs=1, random_state=0),
        "knn": KNeighborsClassifier(3),
        "deadly": Deadly(str(marker)),
        "dummy": DummyClassifier(),
    }


@pytest.fixture(scope="module")
def cluster():
    """Start a cluster of two processes, to which what takes n_jobs goes inside of "dask"."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
    ):
        yield cluster


@pytest.fixture(scope="module")
def runs(cluster, tmp_path_factory):
    """Compare on a cluster and without one; count the bytes that client and scheduler send."""
    folder = tmp_path_factory.mktemp("markers")
    X, y = make_garments(1000, random_state=0)
    sent = []
    write = distributed.comm.tcp.TCP.write

    async def count(*args, **kwargs):
        n_bytes = await write(*args, **kwargs)
        sent.append(n_bytes)
        return n_bytes

    with pytest.MonkeyPatch.context() as patch, joblib.parallel_config(backend="dask"):
        patch.setattr(distributed.comm.tcp.TCP, "write", count)
        spread = compare_models(models(folder / "killed"), X, y, cv=N_FOLDS, n_jobs=2)
    (folder / "spared").touch()
    alone = compare_models(models(folder / "spared"), X, y, cv=N_FOLDS)
    has_killed = (folder / "killed").exists()
    return SimpleNamespace(
        spread=spread, alone=alone, has_killed=has_killed, n_bytes=sum(sent), X=X
    )


@pytest.mark.posix
def test_a_worker_that_is_killed_costs_no_result_and_no_bit(runs):
    assert runs.has_killed
    assert runs.spread.errors_ == {}
    assert list(runs.spread.predictions_) == list(runs.alone.predictions_)
    assert runs.spread.folds_.hash == runs.alone.folds_.hash
    for name, y_pred in runs.alone.predictions_.items():
        assert_array_equal(runs.spread.predictions_[name], y_pred)
        assert_array_equal(runs.spread.probabilities_[name], runs.alone.probabilities_[name])


@pytest.mark.posix
def test_images_are_sent_once_and_not_with_each_task(runs):
    # To the scheduler, and from it to a worker: 2 times, where tasks with images had 24.
    assert runs.X.nbytes < runs.n_bytes < 4 * runs.X.nbytes


@pytest.mark.posix
def test_images_of_which_the_only_copy_dies_with_a_worker_are_sent_again(cluster, tmp_path):
    X, y = make_garments(200, random_state=0)
    every = models(tmp_path / "killed")
    first_to_run = {name: every[name] for name in ("deadly", "dummy")}
    with joblib.parallel_config(backend="dask"):
        comparison = compare_models(first_to_run, X, y, cv=2, n_jobs=2)
    assert (tmp_path / "killed").exists()
    assert comparison.errors_ == {}
    assert set(comparison.predictions_) == {"deadly", "dummy"}
