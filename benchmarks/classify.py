"""How fast photos in files are classified, how much memory that takes, and what kills do to it.

    python benchmarks/classify.py

Writes small JPEG files, of 28 to 64 pixels a side, and classifies them with a small network that
was trained for one epoch on a few of them: files per second with decoding, peak memory beside that
for few files, and a classification that is killed at random moments, and begun again with the same
checkpoint, until it is finished. Its rows must be those of one that nobody killed. Quality and
colours of photos are left out, unless --looks asks for them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import peak_memory, print_setting, print_table
from joblib.externals.loky import get_reusable_executor
from PIL import Image

from fashionkit import CNNClassifier, ImageFolder, classify_photos, save

_PER_FOLDER = 1_000
_CLASSES = ("bag", "coat", "dress")


def main() -> None:
    options = _parse()
    if options.worker:
        _work(options)
        return
    print_setting("tensorflow", "keras", "pillow")
    with tempfile.TemporaryDirectory(dir=options.folder) as parent:
        folder = Path(parent, "photos")
        start = time.perf_counter()
        _write(folder, options.n_files, options.seed)
        print(f"wrote {options.n_files} files in {time.perf_counter() - start:.0f} s", flush=True)
        model = _train(folder, Path(parent, "model.fashionkit"))
        few = Path(parent, "few.txt")
        paths = sorted(map(str, folder.rglob("*.jpg")))
        few.write_text("\n".join(paths[: options.n_few]))
        many = Path(parent, "many.txt")
        many.write_text("\n".join(paths))
        rows = []
        for n_jobs in options.n_jobs:
            runs = {
                name: _run(model, source, Path(parent, f"{name}-{n_jobs}.pickle"), n_jobs, options)
                for name, source in (("few", few), ("many", many))
            }
            ratio = runs["many"]["peak"] / runs["few"]["peak"]
            for name, found in runs.items():
                rows.append(
                    (
                        n_jobs,
                        found["files"],
                        f"{found['seconds']:.1f}",
                        f"{found['files'] / found['seconds']:.0f}",
                        f"{1e3 * found['cpu_seconds'] / found['files']:.2f}",
                        f"{found['peak'] / 1e6:.0f}",
                        f"{ratio:.2f}" if name == "many" else "",
                    )
                )
        print_table(
            (
                *("processes", "files", "seconds", "files per second", "CPU ms per file"),
                *("peak (MB)", "to few"),
            ),
            rows,
        )
        expected = pd.read_pickle(Path(parent, f"many-{options.n_jobs[0]}.pickle"))
        for n_jobs in options.n_jobs[1:]:
            found = pd.read_pickle(Path(parent, f"many-{n_jobs}.pickle"))
            pd.testing.assert_frame_equal(found, expected, check_exact=True)
        assert (expected["status"] == "accepted").all()
        seconds = options.kill_within or runs["many"]["seconds"]
        _kill(model, many, Path(parent), expected, seconds, options)


def _write(folder: Path, n_files: int, seed: int) -> None:
    """Write small photos: a patch of one colour on another, and noise."""
    rng = np.random.RandomState(seed)
    for number in range(n_files):
        height, width = rng.randint(28, 65, 2)
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[:] = rng.randint(150, 256, 3)
        top, left = height // 5, width // 4
        pixels[top:-top, left:-left] = rng.randint(0, 150, 3)
        pixels += rng.randint(0, 20, pixels.shape, dtype=np.uint8) // 2
        place = folder / _CLASSES[number % len(_CLASSES)] / str(number // _PER_FOLDER)
        if number % _PER_FOLDER < len(_CLASSES):
            place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number:06d}.jpg", quality=90)


def _train(folder: Path, path: Path) -> Path:
    images = ImageFolder(folder, image_size=28)[:: max(1, len(list(folder.rglob("*.jpg"))) // 600)]
    model = CNNClassifier.from_recipe("quick", epochs=1, random_state=0)
    return save(model.fit(images, images.target), path)


def _run(model: Path, source: Path, output: Path, n_jobs: int, options: argparse.Namespace) -> dict:
    """Classify in a process that does nothing else, and return what it measured."""
    process = _start(model, source, output, n_jobs, options, None)
    said, _ = process.communicate()
    assert process.returncode == 0, f"the classification ended with {process.returncode}"
    return json.loads(said)


def _kill(
    model: Path,
    source: Path,
    parent: Path,
    expected: pd.DataFrame,
    seconds: float,
    options: argparse.Namespace,
) -> None:
    rng = random.Random(options.seed)
    n_kills = n_rounds = 0
    while n_kills < options.n_kills:
        n_rounds += 1
        checkpoint, output = parent / f"{n_rounds}.journal", parent / f"{n_rounds}.pickle"
        is_done = False
        while not is_done:
            n_jobs = rng.choice(options.n_jobs)
            process = _start(model, source, output, n_jobs, options, checkpoint)
            try:
                limit = rng.uniform(0.05, 1.0) * seconds if n_kills < options.n_kills else None
                process.communicate(timeout=limit)
                assert process.returncode == 0, f"it ended with {process.returncode}"
                is_done = True
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # with its workers
                process.wait()
                n_kills += 1
                lines = checkpoint.read_bytes().count(b"\n") if checkpoint.exists() else 1
                print(f"kill {n_kills}: {lines - 1} chunks are kept", flush=True)
        pd.testing.assert_frame_equal(pd.read_pickle(output), expected, check_exact=True)
    print(f"\n{n_kills} kills in {n_rounds} classifications: every row once, and the same.")


def _start(
    model: Path,
    source: Path,
    output: Path,
    n_jobs: int,
    options: argparse.Namespace,
    checkpoint: Path | None,
) -> subprocess.Popen:
    command = [sys.executable, __file__, "--worker", str(model), str(source), str(output)]
    command += ["--n-jobs", str(n_jobs), *(["--looks"] if options.looks else [])]
    command += [] if checkpoint is None else ["--checkpoint", str(checkpoint)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )


def _work(options: argparse.Namespace) -> None:
    """Classify, and say how long that took and the most memory that it held."""
    model, source, output = options.worker
    paths = Path(source).read_text().splitlines()
    start = time.perf_counter()
    rows = classify_photos(
        model,
        paths,
        quality=options.looks,
        n_colors=3 if options.looks else 0,
        n_jobs=options.n_jobs[0],
        checkpoint_path=options.checkpoint,
    )
    seconds = time.perf_counter() - start
    get_reusable_executor().shutdown(wait=True)
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    children = usage[1].ru_maxrss * 1024  # of the largest
    n_children = options.n_jobs[0] if options.n_jobs[0] > 1 else 0
    peak = peak_memory() + n_children * children
    rows.to_pickle(output)
    cpu = sum(one.ru_utime + one.ru_stime for one in usage)
    found = {"files": len(rows), "seconds": seconds, "cpu_seconds": cpu, "peak": peak}
    print(json.dumps(found))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n-files", type=int, default=100_000)
    parser.add_argument("--n-few", type=int, default=1_000)
    parser.add_argument("--n-jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--n-kills", type=int, default=20)
    parser.add_argument("--kill-within", type=float, help="seconds, by default those of a run")
    parser.add_argument("--looks", action="store_true", help="with quality and colours")
    parser.add_argument("--folder", help="where to write the files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--checkpoint", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
