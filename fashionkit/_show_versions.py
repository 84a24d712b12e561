"""show_versions: what an error report should say of a system."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib.metadata import (
    PackageNotFoundError,
    metadata,
    packages_distributions,
    version,
)

from threadpoolctl import threadpool_info

import fashionkit

# What is said of each library of native code that has a pool of threads.
_POOL = ("user_api", "internal_api", "prefix", "num_threads", "version", "filepath")
# The extras of developers, which are not listed.
_OF_DEVELOPERS = ("coverage", "dev", "docs", "test")


def show_versions() -> None:
    """Print the versions that an error report needs.

    These are the system, Python and its packages: dependencies of fashionkit, those of its extras,
    and the thread pools of libraries such as OpenBLAS, which decide how many cores work.

    See Also
    --------
    sklearn.show_versions : The same for scikit-learn.

    Notes
    -----
    TensorFlow is not imported: its version is read from its metadata. Thread pools are those of
    libraries that this process has loaded.

    Examples
    --------
    >>> import fashionkit
    >>> fashionkit.show_versions()
    <BLANKLINE>
    System
        python: ...
    <BLANKLINE>
    Dependencies
        fashionkit: ...
    """
    requirements, extras = _metadata()
    _print("System", _system())
    _print(
        "Dependencies",
        {"fashionkit": fashionkit.__version__, **_packages(requirements, None)},
    )
    for extra in extras:
        if extra not in _OF_DEVELOPERS:
            _print(f"Extra {extra!r}", _packages(requirements, extra))
    for number, pool in enumerate(threadpool_info(), 1):
        _print(f"Thread pool {number}", {key: pool[key] for key in _POOL if key in pool})


def _system() -> dict[str, object]:
    return {
        "python": sys.version.replace("\n", " "),
        "executable": sys.executable,
        "machine": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }


def _metadata() -> tuple[list[str], list[str]]:
    """Return the requirements of fashionkit and its extras; none if it is not installed."""
    try:
        found = metadata("fashionkit")
    except PackageNotFoundError:
        return [], []
    return found.get_all("Requires-Dist") or [], found.get_all("Provides-Extra") or []


def _packages(requirements: list[str], extra: str | None) -> dict[str, object]:
    """Return the versions of what an extra needs, or of what is always needed."""
    names = []
    for requirement in requirements:
        package, _, condition = requirement.partition(";")
        name = re.match(r"[\w.-]+", package.strip())
        of_extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", condition)
        if name and (of_extra[1] if of_extra else None) == extra:
            names.append(name[0])
    return {name: _version(name) for name in sorted(names, key=str.lower)}


def _version(name: str) -> str:
    """Return the version of a package, which may be installed under another name.

    TensorFlow is tensorflow-cpu or tensorflow-macos on some systems.
    """
    try:
        return version(name)
    except PackageNotFoundError:
        others = sorted(set(packages_distributions().get(name.replace("-", "_"), ())))
        return ", ".join(f"{version(each)} ({each})" for each in others) or "not installed"


def _print(title: str, lines: dict[str, object]) -> None:
    print(f"\n{title}", *(f"    {key}: {value}" for key, value in lines.items()), sep="\n")
