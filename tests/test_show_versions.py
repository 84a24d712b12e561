"""show_versions: what an error report should say of a system."""

from __future__ import annotations

import platform
from email.message import Message
from importlib.metadata import PackageNotFoundError, version

import pytest

import fashionkit
from fashionkit import _show_versions, show_versions


def blocks(printed):
    """Return the lines below each title."""
    found = {}
    for block in printed.strip().split("\n\n"):
        title, *lines = block.splitlines()
        found[title] = dict(line.strip().split(": ", 1) for line in lines)
    return found


@pytest.fixture
def of_fashionkit(monkeypatch):
    """Give the package other metadata, which are those of an installed one."""

    def give(requirements, extras=()):
        message = Message()
        for requirement in requirements:
            message["Requires-Dist"] = requirement
        for extra in extras:
            message["Provides-Extra"] = extra
        monkeypatch.setattr(_show_versions, "metadata", lambda name: message)

    return give


def test_it_prints_system_and_dependencies(capsys):
    show_versions()
    printed = blocks(capsys.readouterr().out)
    assert printed["System"]["python"].startswith(platform.python_version())
    dependencies = printed["Dependencies"]
    assert dependencies["fashionkit"] == fashionkit.__version__
    assert dependencies["scikit-learn"] == version("scikit-learn")
    assert {"keras", "numpy", "tensorflow"} < set(dependencies)
    assert "pytest" not in dependencies


def test_it_prints_extras_of_users_but_not_those_of_developers(of_fashionkit, capsys):
    of_fashionkit(
        ["numpy>=1.26.4", "absent-package; extra == 'serve'", "pytest>=8; extra == 'test'"],
        ["serve", "test"],
    )
    show_versions()
    printed = blocks(capsys.readouterr().out)
    assert printed["Extra 'serve'"] == {"absent-package": "not installed"}
    assert set(printed["Dependencies"]) == {"fashionkit", "numpy"}
    assert "Extra 'test'" not in printed


def test_a_package_of_another_name_is_found_by_its_module(of_fashionkit, monkeypatch, capsys):
    monkeypatch.setattr(_show_versions, "packages_distributions", lambda: {"absent": ["numpy"]})
    of_fashionkit(["absent>=1"])
    show_versions()
    found = blocks(capsys.readouterr().out)["Dependencies"]["absent"]
    assert found == f"{version('numpy')} (numpy)"


def test_thread_pools_of_loaded_libraries_are_listed(monkeypatch, capsys):
    pool = {"user_api": "blas", "prefix": "libopenblas", "num_threads": 2, "architecture": "Zen"}
    monkeypatch.setattr(_show_versions, "threadpool_info", lambda: [pool])
    show_versions()
    printed = blocks(capsys.readouterr().out)["Thread pool 1"]
    assert printed == {"user_api": "blas", "prefix": "libopenblas", "num_threads": "2"}


def test_a_source_tree_without_metadata_has_a_version(monkeypatch, capsys):
    def is_missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(_show_versions, "metadata", is_missing)
    show_versions()
    printed = blocks(capsys.readouterr().out)
    assert printed["Dependencies"] == {"fashionkit": fashionkit.__version__}
