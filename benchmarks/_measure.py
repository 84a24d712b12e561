"""What every benchmark prints about itself, and how it measures."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Callable
from importlib.metadata import version
from statistics import median


def print_setting(*packages: str) -> None:
    """Print machine, date and versions, so that a figure can be judged and repeated."""
    names = ("fashionkit", "scikit-learn", "numpy", *packages)
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"Machine: {_processor()}, {os.cpu_count()} cores, {platform.system()}")
    print(f"Versions: Python {platform.python_version()}, {versions}")
    print(f"Date: {time.strftime('%Y-%m-%d')}\n", flush=True)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of all threads of this process during ``work``."""
    before = _cpu_time()
    work()
    return _cpu_time() - before


def wall_seconds(work: Callable[[], object]) -> float:
    """Return the elapsed time of ``work``."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(
    works: dict[str, Callable[[], object]],
    measure: Callable[[Callable[[], object]], float],
    repeats: int,
) -> dict[str, float]:
    """Measure several works in turn, ``repeats`` times, and return the median of each.

    On a shared machine only figures taken at the same time can be compared.
    """
    figures: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            figures[name].append(measure(work))
    return {name: median(values) for name, values in figures.items()}


def print_table(header: tuple[str, ...], rows: list[tuple]) -> None:
    """Print rows in aligned columns, as a Markdown table."""
    cells = [header, *[tuple(map(str, row)) for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print("\n".join(lines) + "\n", flush=True)


def peak_memory() -> int:
    """Return the most bytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _cpu_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
