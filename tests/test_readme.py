"""README: what it shows runs, and what it says is true."""

from __future__ import annotations

import gzip
import hashlib
import re
import shlex
import shutil
import struct
import tomllib
from pathlib import Path

import pytest

import fashionkit
from fashionkit import describe_models, fetch_fashion_mnist, make_garments
from fashionkit._cli import _parser
from fashionkit.datasets import _download
from fashionkit.datasets._fashion_mnist import _FILES

ROOT = Path(fashionkit.__file__).parents[1]
README = ROOT / "README.md"
if not README.exists():
    pytest.skip("not a checkout: there is no README.md", allow_module_level=True)
TEXT = README.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
PYTHON = [block for language, block in BLOCKS if language == "python"]
LINES = [line for language, block in BLOCKS if not language for line in block.splitlines()]
COMMANDS = [
    part.strip().removeprefix("python -m fashionkit ")
    for line in LINES
    for part in line.split("&&")
    if part.strip().startswith("python -m fashionkit ")
]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Work in a folder with the pictures of the documentation, as in a clone."""
    (tmp_path / "docs" / "images").mkdir(parents=True)
    for picture in re.findall(r'src="(.*?)"', TEXT):
        shutil.copy(ROOT / picture, tmp_path / picture)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def drawn_fashion_mnist(tmp_path, monkeypatch):
    """Put drawings in the place of Fashion-MNIST, in its files."""
    sha256 = {}
    for seed, (part, n_images) in enumerate({"train": 300, "test": 100}.items()):
        for name, array in zip(
            _FILES[part], make_garments(n_images, random_state=seed), strict=True
        ):
            array = array.astype("uint8")
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            content = gzip.compress(header + array.tobytes(), mtime=0)
            (tmp_path / name).write_bytes(content)
            sha256[name] = hashlib.sha256(content).hexdigest()
    monkeypatch.setenv("FASHIONKIT_DATA", str(tmp_path))
    monkeypatch.setattr(_download, "_SHA256", sha256)


def run_blocks():
    """Run the blocks one after the other, as a reader does, and return their names."""
    names = {}
    for number, block in enumerate(PYTHON, 1):
        exec(compile(block, f"README.md, block {number}", "exec"), names)
    return names


@pytest.mark.usefixtures("drawn_fashion_mnist")
def test_its_blocks_run_in_order(clone, capsys):
    names = run_blocks()
    printed = capsys.readouterr().out
    assert names["search"].best_params_.keys() == {"cnnclassifier__learning_rate"}
    assert set(names["comparison"].to_frame()["model"]) == {"hog-svm", "cnn", "mine"}
    assert (clone / "report.html").exists()
    assert list(names["model"].predict(names["photos"])) == ["shirt"]
    verdicts = names["comparison"].verdicts()
    assert verdicts
    assert all(verdict in printed for verdict in verdicts)


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.usefixtures("clone")
def test_its_figures_are_those_of_the_real_images():
    try:
        fetch_fashion_mnist("all", download_if_missing=False)
    except OSError:
        pytest.skip("Fashion-MNIST is not on this machine; name its folder in FASHIONKIT_DATA")
    frame = run_blocks()["comparison"].to_frame().set_index("model")
    (shown,) = (block for _, block in BLOCKS if block.startswith("hog-svm   "))
    for name, accuracy in re.findall(r"^(\S+) +([\d.]+) %", shown, re.MULTILINE):
        # Rounding differs between processors, and shifts what networks learn.
        assert frame.loc[name, "accuracy"] == pytest.approx(float(accuracy) / 100, abs=0.015)


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_are_understood(command):
    assert callable(_parser().parse_args(shlex.split(command)).run)


def test_its_test_command_is_the_one_of_ci():
    command = 'pip install -e ".[test]" && pytest'
    assert command in LINES
    for file in (".ci/run", ".github/workflows/tests.yml", "CONTRIBUTING.md"):
        assert command in (ROOT / file).read_text(encoding="utf-8")


def test_its_links_and_pictures_exist():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT) + re.findall(r'src="(.*?)"', TEXT)
    assert len(targets) > 8
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_its_extras_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(re.findall(r'"\.\[(\w+)\]"', TEXT))
    assert extras
    assert extras <= set(project["optional-dependencies"])


def test_its_table_of_models_is_that_of_describe_models():
    rows = re.findall(r"^\| `(\S+)` \|.*\| ([\d.]+ %) \| (\d+) \|", TEXT, re.MULTILINE)
    assert len(rows) == len(re.findall(r"^\| `", TEXT, re.MULTILINE)) > 4
    known = describe_models().loc[[name for name, _, _ in rows]]
    assert [(accuracy, minutes) for _, accuracy, minutes in rows] == [
        (f"{100 * model.accuracy:.1f} %", f"{model.cpu_minutes:.0f}")
        for model in known.itertuples()
    ]
