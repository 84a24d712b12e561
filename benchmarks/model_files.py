"""Files of models: how they stand up to damage and kills, and what they cost.

    python benchmarks/model_files.py faults --n 1000     # bad files: refused, or the same answer
    python benchmarks/model_files.py kills --n 100       # kill -9 at random moments of save
    python benchmarks/model_files.py formats             # size, and time to load and to predict
    python benchmarks/model_files.py memory              # 500 MB, shared by two processes
    python benchmarks/model_files.py onnx                # the same answers from ONNX, and how fast

Faults run in processes of their own, whose memory is measured, and in which a crash is seen.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from _measure import cpu_seconds, interleaved, print_setting, print_table, wall_seconds

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

MODELS = {
    "cnn": {"architecture_params": {"filters": (4, 4), "dense_units": (8,)}, "epochs": 1},
    "hog-svm": {},
    "pixels-knn": {},
    "hog-forest": {"forest__n_estimators": 2},
    "hog-quick": {},
}
PER_PROCESS = 50
# What is written to ONNX, and trained briefly before: what a model answers is compared with what
# its file answers, not with the truth.
IN_ONNX = {
    "cnn": {"epochs": 2},
    "cnn-quick": {},
    "cnn-fast": {"epochs": 1},
    "cnn-strong": {"epochs": 1},
    "hierarchical": {"epochs": 1},
    "mobilenetv2": {"epochs": 1},
    "mobilenetv2-head": {"epochs": 2},
    "mobilenetv2-tuned": {"epochs": 1, "fine_tune_epochs": 1},
    "hog-svm": {},
    "hog-nystroem": {},
    "hog-fast": {},
    "hog-quick": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--n", type=int, default=100, help="files, or kills")
    parser.add_argument("--train-size", type=int, default=2_000, help="images to train on (onnx)")
    parser.add_argument("--models", nargs="+", default=list(IN_ONNX), help="names (onnx)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    PARTS[options.part](options)


def run_faults(options) -> None:
    """Load files with faults of each kind in turn, and compare what they predict."""
    print_setting("skops")
    counts: Counter[tuple[str, str]] = Counter()
    largest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder))
        for begin in range(0, options.n, PER_PROCESS):
            command = [sys.executable, __file__, "_load", "--folder", folder]
            command += ["--seed", str(begin), "--n", str(min(PER_PROCESS, options.n - begin))]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            lines = [json.loads(line) for line in done.stdout.splitlines() if line[:1] == "["]
            if done.returncode:
                lines.append([f"after {lines[-1:]}", "CRASHED", 0])
            for fault, result, megabytes in lines:
                counts[fault, result] += 1
                largest = max(largest, megabytes)
        if Path(folder, "marker").exists():
            counts["any", "RAN CODE"] += 1
    results = sorted({result for _, result in counts})
    faults = dict.fromkeys(fault for fault, _ in counts)
    print_table(
        ("fault", *results),
        [(fault, *(counts[fault, result] for result in results)) for fault in faults]
        + [("all", *(sum(counts[fault, one] for fault in faults) for one in results))],
    )
    print(f"Peak memory beyond that of the models and libraries: {largest:.0f} MB")


def make_files(folder: Path) -> None:
    from fashionkit import make_garments, make_model, save

    X, y = make_garments(120, random_state=0)
    np.save(folder / "X.npy", X[100:])
    for name, params in MODELS.items():
        model = make_model(name, random_state=0, **params).fit(X[:100], y[:100])
        save(model, folder / f"{name}.model")
        np.save(folder / f"{name}.npy", model.predict_proba(X[100:]))


def load_files(options) -> None:
    """Load some files with faults in this process, and print what becomes of each."""
    from model_faults import FAULTS

    from fashionkit import load
    from fashionkit.persistence import ModelFileError

    folder = options.folder
    X = np.load(folder / "X.npy")
    models = {name: (folder / f"{name}.model").read_bytes() for name in MODELS}
    for name in MODELS:  # what is compiled and imported
        load(folder / f"{name}.model").predict_proba(X)
    for number in range(options.seed, options.seed + options.n):
        rng = np.random.default_rng(number)
        fault = list(FAULTS)[number % len(FAULTS)]
        name = list(MODELS)[rng.integers(len(MODELS))]
        path = folder / "bad.model"
        path.write_bytes(FAULTS[fault](models[name], rng, str(folder / "marker")))
        begin_peak()
        before = memory("VmRSS")
        try:
            same = np.array_equal(
                load(path).predict_proba(X), np.load(folder / f"{name}.npy"), equal_nan=True
            )
            result = "the same" if same else "OTHER"
            if not same:
                print(number, fault, name, "predicts otherwise", file=sys.stderr)
        except ModelFileError:
            result = "refused"
        except Exception as error:
            result = type(error).__name__.upper()
            print(number, fault, name, repr(error)[:200], file=sys.stderr)
        print(json.dumps([fault, result, memory("VmHWM") - before]), flush=True)


def begin_peak() -> None:
    """Forget the peak of memory so far (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def memory(key: str) -> float:
    """Return this process's present memory, VmRSS, or its peak, VmHWM, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def run_kills(options) -> None:
    """Kill processes that save one of two models in turn, and look what is in the file."""
    print_setting("skops")
    from fashionkit import load, make_garments, make_model, save

    rng = random.Random(options.seed)
    X, y = make_garments(2000, random_state=0)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        for seed in (0, 1):
            model = make_model("pixels-knn", random_state=seed, knn__n_neighbors=3 + seed)
            model.fit(X, y)
            with Path(folder, f"{seed}.pickle").open("wb") as file:
                pickle.dump(model, file)
        save(model, path)
        for _ in range(options.n):
            process = subprocess.Popen(
                [sys.executable, __file__, "_save", "--folder", folder], stdout=subprocess.PIPE
            )
            process.stdout.readline()  # it begins to save
            time.sleep(rng.uniform(0, 0.3))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
            n_neighbors = load(path).named_steps["knn"].n_neighbors
            counts[f"model of {n_neighbors} neighbours, whole"] += 1
            if any(Path(folder).glob(".model.*.part")):
                counts["with what was begun beside it"] += 1
                for part in Path(folder).glob(".model.*.part"):
                    part.unlink()
    print_table(("in the file after the kill", "times"), sorted(counts.items()))


def save_again(options) -> None:
    """Save two models in turn, until killed."""
    from fashionkit import save

    models = []
    for seed in (0, 1):
        with (options.folder / f"{seed}.pickle").open("rb") as file:
            models.append(pickle.load(file))
    print("ready", flush=True)
    while True:
        for model in models:
            save(model, options.folder / "model")


def run_formats(options) -> None:
    """Compare a file with a pickle: size, time to save, to load, and until the first answer."""
    print_setting("skops", "tensorflow")
    from fashionkit import fetch_fashion_mnist, load, make_model, save

    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X, y = X[:5000], y[:5000]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, params in (
            ("cnn", {"epochs": 1}),
            ("cnn-fast", {"epochs": 1}),
            ("hog-svm", {}),
            ("hog-forest", {}),
            ("hog-nystroem", {}),
        ):
            model = make_model(name, random_state=0, **params).fit(X, y)
            ours, theirs = Path(folder, "ours"), Path(folder, "pickle")

            def dump(model=model, theirs=theirs):
                with theirs.open("wb") as file:
                    pickle.dump(model, file, protocol=pickle.HIGHEST_PROTOCOL)

            def undump(theirs=theirs):
                with theirs.open("rb") as file:
                    return pickle.load(file)

            works = {
                "save": lambda model=model, ours=ours: save(model, ours),
                "dump": dump,
                "load": lambda ours=ours: load(ours),
                "undump": undump,
                "mapped": lambda ours=ours: load(ours, mmap_mode="r", verify=False),
            }
            times = interleaved(works, wall_seconds, 7)
            again = load(ours)
            first = wall_seconds(lambda again=again: again.predict_proba(X[:1]))
            single = median(
                wall_seconds(lambda again=again: again.predict_proba(X[:1])) for _ in range(50)
            )
            rows.append(
                (
                    name,
                    f"{ours.stat().st_size / 1e6:.2f}",
                    f"{theirs.stat().st_size / 1e6:.2f}",
                    *(f"{1e3 * times[key]:.1f}" for key in works),
                    f"{1e3 * first:.1f}",
                    f"{1e3 * single:.2f}",
                )
            )
            print(f"  {rows[-1]}", flush=True)
    print_table(
        ("model", "MB", "pickle (MB)", "save (ms)", "pickle.dump (ms)", "load (ms)",
         "pickle.load (ms)", "mapped, not verified (ms)", "first prediction (ms)",
         "single prediction (ms)"),
        rows,
    )  # fmt: skip


def run_memory(options) -> None:
    """Map a kernel machine of 500 MB in two processes, and see what memory they share."""
    print_setting("skops")
    from fashionkit import load, make_garments, make_model, save

    X, y = make_garments(300, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        model = make_model("pixels-knn", random_state=0, pca="passthrough").fit(X, y)
        machine = model.named_steps["knn"]
        n_copies = 500_000_000 // machine._fit_X.nbytes
        machine._fit_X = np.tile(machine._fit_X, (n_copies, 1))
        machine._y = np.tile(machine._y, n_copies)
        machine.n_samples_fit_ = len(machine._y)
        path = save(model, Path(folder, "model"))
        size = path.stat().st_size
        rows = []
        for mode in (None, "r"):
            command = [
                sys.executable,
                __file__,
                "_hold",
                "--folder",
                folder,
                "--n",
                str(bool(mode) + 0),
            ]
            processes = [
                subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
                for _ in range(2)
            ]
            for process in processes:
                process.stdout.readline()
            memory = [psutil.Process(process.pid).memory_full_info() for process in processes]
            rows.append(
                (
                    "mapped" if mode else "read",
                    f"{np.mean([one.rss for one in memory]) / 1e6:.0f}",
                    f"{np.mean([one.pss for one in memory]) / 1e6:.0f}",
                    f"{np.mean([one.uss for one in memory]) / 1e6:.0f}",
                )
            )
            for process in processes:
                process.kill()
                process.communicate()
        print(f"A file of {size / 1e6:.0f} MB in two processes, each of them:\n")
        print_table(("arrays", "resident (MB)", "its share (MB)", "its own (MB)"), rows)
        works = {
            "read": lambda: load(path),
            "read, not verified": lambda: load(path, verify=False),
            "mapped": lambda: load(path, mmap_mode="r"),
            "mapped, not verified": lambda: load(path, mmap_mode="r", verify=False),
        }
        wall, cpu = interleaved(works, wall_seconds, 3), interleaved(works, cpu_seconds, 3)
        print_table(
            ("load", "elapsed (s)", "CPU (s)"),
            [(name, f"{wall[name]:.3f}", f"{cpu[name]:.3f}") for name in works],
        )


def run_onnx(options) -> None:
    """Compare models with their files of ONNX on all 10,000 test images, and one by one."""
    print_setting("tensorflow", "keras", "onnx", "onnxruntime", "tf2onnx")
    from fashionkit import ONNXClassifier, fetch_fashion_mnist, make_model, to_onnx

    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X, y = X[: options.train_size], y[: options.train_size]
    X_test = fetch_fashion_mnist("test", return_X_y=True)[0]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.models:
            model = make_model(name, random_state=0, **IN_ONNX[name]).fit(X, y)
            path = to_onnx(model, Path(folder, "model.onnx"))
            answers = {"model": model, "file": ONNXClassifier(path)}
            found = {key: one.predict_proba(X_test) for key, one in answers.items()}
            ordered = np.sort(found["model"], axis=1)
            sure = ordered[:, -1] - ordered[:, -2] > 1e-4
            other = found["model"].argmax(axis=1) != found["file"].argmax(axis=1)
            singles = {
                key: lambda one=one: [one.predict_proba(X_test[i : i + 1]) for i in range(20)]
                for key, one in answers.items()
            }
            bulk = {key: lambda one=one: one.predict_proba(X_test) for key, one in answers.items()}
            single = interleaved(singles, wall_seconds, 9)
            whole = interleaved(bulk, cpu_seconds, 1)
            rows.append(
                (
                    name,
                    f"{path.stat().st_size / 1e6:.2f}",
                    f"{np.abs(found['model'] - found['file']).max():.1e}",
                    f"{other.sum()} ({(other & sure).sum()})",
                    *(f"{1e3 * single[key] / 20:.3f}" for key in answers),
                    f"{single['model'] / single['file']:.1f}",
                    *(f"{1e3 * whole[key] / len(X_test):.2f}" for key in answers),
                )
            )
            print(f"  {rows[-1]}", flush=True)
    print_table(
        ("model", "MB", "largest difference", "other labels (beyond 1e-4)", "one image (ms)",
         "one image, ONNX (ms)", "ratio", "of 10,000 (CPU ms)", "of 10,000, ONNX (CPU ms)"),
        rows,
    )  # fmt: skip


def hold(options) -> None:
    """Load the model, predict once, and wait."""
    from fashionkit import load

    model = load(options.folder / "model", mmap_mode="r" if options.n else None, verify=False)
    model.predict(np.zeros((1, 28, 28), np.uint8))
    print("ready", flush=True)
    sys.stdin.read()


PARTS = {
    "faults": run_faults,
    "kills": run_kills,
    "formats": run_formats,
    "memory": run_memory,
    "onnx": run_onnx,
    "_load": load_files,
    "_save": save_again,
    "_hold": hold,
}


if __name__ == "__main__":
    main()
