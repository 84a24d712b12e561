"""A comparison that is killed again and again loses no finished result.

python benchmarks/kills.py

Six models on three folds are compared in a process that is killed at a random moment and begun
again with the same checkpoint, until it is finished; and so on, until there were 50 kills. After
each, every result that was finished before is there, to the byte; and each finished comparison is
that of a process that nobody killed: all metrics and probabilities are the same to the bit.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from _measure import print_setting

from fashionkit import Comparison, compare_models, make_garments

MODELS = ["cnn-quick", "hog-svm", "hog-knn", "hog-tree", "color-forest", "pixels-knn"]
N_FOLDS = 3

# Columns that depend on the clock, and the bytes of a pickle, which depend on which equal objects
# in it are one.
NOT_COMPARED = "seconds|_ms|n_bytes"


def main() -> None:
    options = _parse()
    if options.worker:
        _compare(options.worker)
        return
    print_setting("tensorflow", "keras")
    rng = random.Random(options.seed)
    n_kills = n_rounds = 0
    with tempfile.TemporaryDirectory() as parent:
        start = time.perf_counter()
        _start(Path(parent, "whole")).wait()
        seconds = time.perf_counter() - start
        expected = _compare(Path(parent, "whole"))
        while n_kills < options.n_kills:
            n_rounds += 1
            folder = Path(parent, str(n_rounds))
            kept: dict[Path, str] = {}
            process = _start(folder)
            while not _ends_within(process, rng.uniform(0.2, 1.0) * seconds):
                process.kill()
                process.wait()
                n_kills += 1
                kept = _check_kept(folder, kept)
                print(f"kill {n_kills}: {len(kept)} of {len(MODELS) * N_FOLDS} results", flush=True)
                process = _start(folder)
            _check_kept(folder, kept)
            _check_same(_compare(folder), expected)
    print(f"\n{n_kills} kills in {n_rounds} comparisons: no finished result lost, all equal.")


def _start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, __file__, "--worker", str(folder)], stderr=subprocess.DEVNULL
    )


def _compare(folder: Path) -> Comparison:
    X, y = make_garments(600, random_state=0)
    return compare_models(MODELS, X, y, cv=N_FOLDS, random_state=0, checkpoint_dir=folder)


def _ends_within(process: subprocess.Popen, seconds: float) -> bool:
    try:
        assert process.wait(seconds) == 0, f"the comparison ended with {process.returncode}"
    except subprocess.TimeoutExpired:
        return False
    return True


def _check_kept(folder: Path, kept: dict[Path, str]) -> dict[Path, str]:
    """Check that finished results are as they were; return a hash of each that is there."""
    files = {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("*.pickle")}
    assert {path: files.get(path) for path in kept} == kept, "a finished result was lost"
    return files


def _check_same(comparison: Comparison, expected: Comparison) -> None:
    for table in ("to_frame", "fold_scores"):
        frames = (getattr(one, table)() for one in (comparison, expected))
        first, second = (
            frame.loc[:, ~frame.columns.str.contains(NOT_COMPARED)] for frame in frames
        )
        pd.testing.assert_frame_equal(first, second, check_exact=True)
    for name, probabilities in expected.probabilities_.items():
        assert (comparison.probabilities_[name] == probabilities).all(), name


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n-kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
