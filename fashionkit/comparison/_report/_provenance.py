"""Where results come from: versions, machine, command and data, as text."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import fashionkit
from fashionkit.datasets import ImageFolder

if TYPE_CHECKING:
    from fashionkit.comparison._comparison import Comparison

_PACKAGES = ("scikit-learn", "numpy", "scipy", "keras", "tensorflow", "pandas")


def describe_run(comparison: Comparison) -> dict[str, str]:
    """Return what is needed to repeat the comparison, by heading; without what is unknown."""
    now = datetime.now().astimezone()
    seed = "none" if comparison.seed_ is None else str(comparison.seed_)
    facts = {
        "Date": f"{now.day} {now:%B %Y, %H:%M %Z}".strip(),
        "Command": _command(),
        "Seed of the models": seed,
        **describe_folds(comparison),
        "Versions": _versions(),
        "Machine": f"{_processor()}, {os.cpu_count()} cores, {platform.platform()}",
    }
    return {name: fact for name, fact in facts.items() if fact}


def describe_folds(comparison: Comparison) -> dict[str, str]:
    """Return the number of folds, their sizes and their hash."""
    splits = comparison.folds_.splits
    if not splits:
        return {}
    sizes = [_span([len(part[i]) for part in splits]) for i in (0, 1)]
    text = f"{len(splits)}, of {sizes[0]} images to train on and {sizes[1]} to evaluate on"
    return {"Folds": text, "Hash of the folds": comparison.folds_.hash}


def describe_images(images: Any) -> str:
    """Return what the images are, and where they are from."""
    if isinstance(images, ImageFolder):
        where = f" in {images.path}" if images.path else ""
        _, height, width, _ = images.shape
        return f"{len(images):,} photos{where}, read at {width} × {height} pixels"
    shape = np.shape(images) or (len(images),)
    kind = type(images).__name__
    dtype = f" of {images.dtype}" if isinstance(images, np.ndarray) else ""
    return f"{kind}{dtype} with the shape {' × '.join(f'{n:,}' for n in shape)}"


def _versions() -> str:
    known = [f"fashionkit {fashionkit.__version__}", f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            known.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # tensorflow is called otherwise on some systems
            continue
    return ", ".join(known)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _command() -> str:
    """Return the command line where the program is a script; nothing in a notebook or shell."""
    program = getattr(sys.modules["__main__"], "__file__", None)
    if program is None or "ipykernel" in program:
        return ""
    _, *arguments = sys.orig_argv
    return shlex.join(["python", *arguments])


def _span(sizes: list[int]) -> str:
    low, high = min(sizes), max(sizes)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
