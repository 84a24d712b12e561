"""The package: what importing costs, what it names, what it ships."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import zipfile
from importlib.metadata import files, version
from pathlib import Path

import pytest

import fashionkit
from fashionkit import list_pretrained


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_importing_does_not_start_tensorflow():
    statements = [
        "import fashionkit",
        "from fashionkit import CNNClassifier; CNNClassifier()",
        "from fashionkit import *",
        "import fashionkit._cli, fashionkit.neural, fashionkit.comparison",
    ]
    found = "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    result = run_python("\n".join(["import sys", *(f"{each}; {found}" for each in statements)]))
    assert result.stdout.split() == ["[]"] * len(statements), result.stderr


def test_importing_fashionkit_alone_imports_nothing_else():
    heavy = "{'numpy', 'sklearn', 'pandas', 'matplotlib', 'skimage'}"
    result = run_python(f"import sys, fashionkit; print(sorted({heavy} & set(sys.modules)))")
    assert result.stdout.strip() == "[]"


def test_public_names_are_listed_and_found():
    for name in fashionkit.__all__:
        assert name in dir(fashionkit)
        assert getattr(fashionkit, name) is not None
    with pytest.raises(AttributeError, match="'fashionkit' has no attribute 'nothing'"):
        fashionkit.nothing  # noqa: B018


def test_type_checkers_see_the_public_names_where_they_are():
    tree = ast.parse(Path(fashionkit.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: node.module.removeprefix("fashionkit").removeprefix(".")
        for node in block.body
        for alias in node.names
    }
    assert seen == {**fashionkit._HOMES, **dict.fromkeys(fashionkit._SUBMODULES, "")}


def test_version_is_the_installed_one():
    assert fashionkit.__version__ == version("fashionkit")


def test_the_wheel_holds_code_and_small_models(tmp_path):
    root = Path(fashionkit.__file__).parents[1]
    if not (root / "pyproject.toml").exists():
        pytest.skip("not a checkout: there is no pyproject.toml to build from")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run([*command, "--wheel-dir", tmp_path, root], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    assert "fashionkit/py.typed" in names
    templates = [name for name in names if "/_report/templates/" in name]
    assert {name.rpartition(".")[2] for name in templates} == {"html", "css", "js"}
    page = [name for name in names if "/serving/page/" in name]
    assert {name.rpartition(".")[2] for name in page} == {"html", "css", "js", "json", "svg"}
    models = [name for name in names if "/persistence/pretrained/" in name]
    assert {name.rpartition("/")[2] for name in models} == {
        *(f"{name}{suffix}" for name in list_pretrained() for suffix in (".fashionkit", ".md")),
        "clothing-photos-v1.npy",  # what the network that Keras downloads must compute
    }
    code = [name for name in names if name not in templates + page + models]
    assert all(name.endswith((".py", "py.typed")) for name in code), code
    assert wheel.stat().st_size < 3_500_000


def test_the_license_is_installed():
    assert any(path.name == "LICENSE" for path in files("fashionkit"))
