"""What searches over networks cost: in two processes, against SciKeras, and in memory.

Each search runs in a fresh process. CPU times are those of the whole process and of all that it has
started, imports included; what is compared is run in turn.

    python benchmarks/search.py                 # all of it
    python benchmarks/search.py processes       # processes, scikeras or memory
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from statistics import median

import psutil
from _measure import print_setting, print_table

N_IMAGES, N_FEW_IMAGES = 10_000, 1_000
# Four candidates in three folds.
GRID = {"learning_rate": [0.0005, 0.002], "batch_size": [32, 64]}
# Eight candidates in three folds, of one network: it is compiled once, if anything is kept.
SMALL_GRID = {"learning_rate": [0.0003, 0.0006, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01]}
TINY = {"filters": (4, 4), "dense_units": (8,)}
# Sixty fits: twenty candidates in three folds. Memory is looked at from the twelfth on.
N_CANDIDATES, N_WARM_UP = 20, 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--repeats", type=int, default=3, help="searches of each kind (default: 3)")
    parser.add_argument("--epochs", type=int, default=3, help="of `processes` (default: 3)")
    parser.add_argument("--run", choices=RUNS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(RUNS[options.run](options)))
        return
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    print_setting("tensorflow", "keras", "scikeras", "joblib")
    for part in options.parts or PARTS:
        PARTS[part](options)


def compare_processes(options) -> None:
    """The same search in one process and in two."""
    runs = _in_turn(("one-process", "two-processes"), options)
    print(
        f"GridSearchCV(CNNClassifier(epochs={options.epochs})), 12 fits and the last one, "
        f"{N_IMAGES:,} images, median of {options.repeats}:\n"
    )
    one = runs["one-process"]["cpu"]
    print_table(
        ("n_jobs", "CPU (s)", "ratio", "elapsed (s)", "best accuracy (%)"),
        [
            (n_jobs, f"{run['cpu']:.1f}", f"{run['cpu'] / one:.3f}", f"{run['elapsed']:.1f}",
             f"{100 * run['score']:.2f}")
            for n_jobs, run in zip((1, 2), runs.values(), strict=True)
        ],
    )  # fmt: skip


def compare_scikeras(options) -> None:
    """The same search over a tiny network, by fashionkit and by SciKeras."""
    runs = _in_turn(("small", "scikeras"), options)
    print(
        f"A search of 24 fits, and the last one, of a tiny CNN on {N_FEW_IMAGES:,} images, "
        f"two epochs, median of {options.repeats}:\n"
    )
    theirs = runs["scikeras"]["cpu"]
    print_table(
        ("", "CPU (s)", "ratio", "elapsed (s)"),
        [
            (name, f"{run['cpu']:.1f}", f"{run['cpu'] / theirs:.3f}", f"{run['elapsed']:.1f}")
            for name, run in zip(("CNNClassifier", "SciKeras"), runs.values(), strict=True)
        ],
    )


def measure_memory(options) -> None:
    """Growth of memory over the fits of a search."""
    run = _in_turn(("memory",), options)["memory"]
    print(f"A search of {3 * N_CANDIDATES} fits of the tiny CNN, median of {options.repeats}:\n")
    print_table(
        ("resident after 12 fits (MB)", "after the last (MB)", "growth per fit (MB)"),
        [(f"{run['first']:.1f}", f"{run['last']:.1f}", f"{run['growth']:.2f}")],
    )


def _in_turn(names: tuple[str, ...], options) -> dict[str, dict[str, float]]:
    """Run each of some searches in a fresh process, in turn, and return medians of its figures."""
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(options.repeats):
        for name in names:
            command = [sys.executable, __file__, "--run", name, "--epochs", str(options.epochs)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            figures[name].append(json.loads(done.stdout.splitlines()[-1]))
            print(f"  {name}: {figures[name][-1]}", flush=True)
    return {
        name: {key: median(run[key] for run in runs) for key in runs[0]}
        for name, runs in figures.items()
    }


def run_processes(options, n_jobs: int) -> dict[str, float]:
    from sklearn.model_selection import GridSearchCV

    from fashionkit import CNNClassifier, fetch_fashion_mnist

    X, y = fetch_fashion_mnist("train", return_X_y=True)
    clf = CNNClassifier(epochs=options.epochs, random_state=0)
    search = GridSearchCV(clf, GRID, cv=3, n_jobs=n_jobs)
    search.fit(X[:N_IMAGES], y[:N_IMAGES])
    return {**_used(), "score": search.best_score_}


def run_small(options) -> dict[str, float]:
    from sklearn.model_selection import GridSearchCV

    from fashionkit import CNNClassifier, make_garments

    X, y = make_garments(N_FEW_IMAGES, random_state=0)
    clf = CNNClassifier(architecture_params=TINY, epochs=2, random_state=0)
    GridSearchCV(clf, SMALL_GRID, cv=3).fit(X, y)
    return _used()


def run_scikeras(options) -> dict[str, float]:
    import numpy as np
    from scikeras.wrappers import KerasClassifier
    from sklearn.model_selection import GridSearchCV
    from sklearn.utils import ClassifierTags

    from fashionkit import make_garments
    from fashionkit.neural import architectures

    class MendedKerasClassifier(KerasClassifier):
        """SciKeras's, whose tags say that it is a classifier, so that folds are stratified."""

        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
            return tags

    def network(learning_rate):
        import keras

        model = architectures.basic((28, 28, 1), 10, **TINY)
        optimizer = keras.optimizers.Adam(learning_rate)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    X, y = make_garments(N_FEW_IMAGES, random_state=0)
    scaled = (X[..., np.newaxis] / 255).astype("float32")
    clf = MendedKerasClassifier(network, learning_rate=0.001, epochs=2, verbose=0, random_state=0)
    GridSearchCV(clf, SMALL_GRID, cv=3).fit(scaled, y)
    return _used()


def run_memory(options) -> dict[str, float]:
    from scipy.stats import loguniform
    from sklearn.model_selection import RandomizedSearchCV

    from fashionkit import CNNClassifier, make_garments

    resident = []

    class WatchedCNN(CNNClassifier):
        """Notes the memory of the process after each fit."""

        def score(self, X, y, sample_weight=None):
            accuracy = super().score(X, y, sample_weight)
            resident.append(psutil.Process().memory_info().rss / 2**20)
            return accuracy

    X, y = make_garments(N_FEW_IMAGES, random_state=0)
    clf = WatchedCNN(architecture_params=TINY, epochs=1, random_state=0)
    space = {"learning_rate": loguniform(0.0001, 0.01), "batch_size": [16, 32, 64]}
    RandomizedSearchCV(clf, space, n_iter=N_CANDIDATES, cv=3, random_state=0).fit(X, y)
    first, last = resident[N_WARM_UP - 1], resident[-1]
    growth = (last - first) / (len(resident) - N_WARM_UP)
    return {"first": first, "last": last, "growth": growth}


def _used() -> dict[str, float]:
    """Return what this process and all that it has started have used so far, in seconds."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = psutil.Process()
    living = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    cpu = ended.ru_utime + ended.ru_stime + sum(times.user + times.system for times in living)
    elapsed = time.time() - process.create_time()
    return {"cpu": cpu, "elapsed": elapsed}


PARTS = {
    "processes": compare_processes,
    "scikeras": compare_scikeras,
    "memory": measure_memory,
}
RUNS = {
    "one-process": lambda options: run_processes(options, 1),
    "two-processes": lambda options: run_processes(options, 2),
    "small": run_small,
    "scikeras": run_scikeras,
    "memory": run_memory,
}


if __name__ == "__main__":
    main()
