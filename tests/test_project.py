"""The project's own files: they agree with the code and with each other."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import textwrap
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from sklearn.metrics import matthews_corrcoef

import fashionkit
from fashionkit import CNNClassifier, PixelFeatures
from fashionkit._backbones.records import of_keras
from fashionkit._doc_link import DOCUMENTATION
from fashionkit.baselines._registry import Part
from fashionkit.comparison._metric import Metric
from fashionkit.models._registry import Model

ROOT = Path(fashionkit.__file__).parents[1]
if not (ROOT / "CONTRIBUTING.md").exists():
    pytest.skip("not a checkout: there is no CONTRIBUTING.md", allow_module_level=True)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


PROJECT = tomllib.loads(read("pyproject.toml"))["project"]
CONTRIBUTING = read("CONTRIBUTING.md")


def test_the_changelog_begins_with_what_is_unreleased_and_this_version():
    titles = re.findall(
        r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", read("CHANGELOG.md"), re.MULTILINE
    )
    assert titles[0] == ("Unreleased", "")
    released = Version(titles[1][0])
    current = Version(fashionkit.__version__)
    assert titles[1][1]
    assert current == released or (current.is_devrelease and current > released)


def test_the_citation_is_of_the_last_release():
    cited = dict(
        re.findall(r"^(version|date-released|license): (.+)$", read("CITATION.cff"), re.MULTILINE)
    )
    (version, date), *_ = re.findall(
        r"^## \[([\d.]+)\] - (\S+)$", read("CHANGELOG.md"), re.MULTILINE
    )
    assert cited == {"version": version, "date-released": date, "license": PROJECT["license"]}


def test_the_release_supported_with_security_fixes_is_the_last_one():
    (minor,) = re.findall(
        r"^\| ([\d.]+) \(latest minor release\) \| yes \|$", read("SECURITY.md"), re.MULTILINE
    )
    (version, *_) = re.findall(r"^## \[([\d.]+)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert version.rpartition(".")[0] == minor


def test_the_addresses_of_the_project_agree():
    urls, settings, citation = PROJECT["urls"], read("docs/conf.py"), read("CITATION.cff")
    assert urls["Documentation"] == DOCUMENTATION
    assert f'repository = "{urls["Source"]}"' in settings
    assert f'site = "{DOCUMENTATION.removesuffix("/stable")}"' in settings
    assert f"repository-code: {urls['Source']}\n" in citation
    assert f"\nurl: {DOCUMENTATION}\n" in citation
    for name in ("Changelog", "Issues"):
        assert urls[name].startswith(f"{urls['Source']}/")


def test_the_oldest_versions_that_are_tested_are_the_lower_bounds():
    pinned = dict(line.split("==") for line in read(".ci/minimum.txt").splitlines() if "==" in line)
    extras = PROJECT["optional-dependencies"]
    tested = [*PROJECT["dependencies"], *extras["test"]]
    (own,) = (Requirement(each) for each in extras["test"] if each.startswith("fashionkit["))
    tested += [each for extra in own.extras for each in extras[extra]]
    requirements = [Requirement(each) for each in tested if not each.startswith("fashionkit[")]
    bounds = {
        each.name: next(part.version for part in each.specifier if part.operator == ">=")
        for each in requirements
    }
    assert set(pinned) == set(bounds)
    for name, bound in bounds.items():
        assert (
            Version(pinned[name]).release[: len(Version(bound).release)] == Version(bound).release
        )


RECIPES = CONTRIBUTING.partition("## Recipes")[2]
NAMES = re.findall(r"`([_A-Z]+)`\s+(?:in|of)\s+`(?:fashionkit/)?([\w/]+\.py)`", RECIPES)


def test_there_is_a_recipe_for_each_kind_of_addition():
    titles = re.findall(r"^### (?:An?|Features?) ?(.*)$", RECIPES, re.MULTILINE)
    kinds = {"architecture", "", "backbone", "metric", "command", "named model", "example"}
    assert set(titles) == kinds
    assert len(NAMES) >= 6


@pytest.mark.parametrize(("name", "place"), NAMES)
def test_recipes_name_what_exists(name, place):
    parts = ["fashionkit", *place.removesuffix(".py").split("/")]
    module = import_module(".".join(parts).removesuffix(".__init__"))
    assert len(getattr(module, name)) > 0


def recipe(title):
    """Return the last block of Python of a recipe."""
    section = RECIPES.partition(f"### {title}\n")[2].partition("\n### ")[0]
    return textwrap.dedent(re.findall(r"```python\n(.*?)```", section, re.DOTALL)[-1])


def test_the_line_of_features_is_one_of_the_registry():
    names = {"Part": Part, "LocalBinaryPatterns": PixelFeatures}
    (part,) = eval(f"{{{recipe('Features')}}}", names).values()
    assert isinstance(part.make(), PixelFeatures)


def test_the_record_of_a_backbone_is_one():
    record = eval(recipe("A backbone"), {"of_keras": of_keras})
    assert record.name == "densenet169"


def test_the_row_of_a_metric_is_one():
    names = {"Metric": Metric, "matthews_corrcoef": matthews_corrcoef}
    metric = eval(recipe("A metric"), names)
    assert metric.function([0, 1], [0, 1]) == 1
    assert metric.format(1) == "1.000"


def test_the_line_of_a_named_model_is_one_of_the_registry():
    names = {"Model": Model, "CNNClassifier": CNNClassifier}
    (model,) = eval(f"{{{recipe('A named model')}}}", names).values()
    assert isinstance(model.make(None), CNNClassifier)


def test_the_layout_names_files_that_exist():
    section = CONTRIBUTING.partition("## How the code is laid out")[2].partition("## Recipes")[0]
    outer, core, report = re.split(r"Inside of `.*`:", section)
    for folder, text in (
        ("fashionkit", outer),
        ("fashionkit/neural/_core", core),
        ("fashionkit/comparison/_report", report),
    ):
        named = {
            name
            for line in re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
            for name in re.findall(r"`([\w./]+)`", line)
        }
        assert len(named) > 4
        assert [name for name in named if not (ROOT / folder / name).exists()] == []


def test_every_part_of_the_package_is_in_the_layout():
    section = CONTRIBUTING.partition("## How the code is laid out")[2].partition("Inside of")[0]
    named = {name.rstrip("/") for name in re.findall(r"^\| `([\w./]+)`", section, re.MULTILINE)}
    parts = {
        path.name
        for path in (ROOT / "fashionkit").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    assert parts - named == set()


def test_the_source_distribution_can_run_its_tests_and_holds_nothing_else(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "--target", "sdist"]
    subprocess.run([*command, "--directory", tmp_path], cwd=ROOT, check=True, capture_output=True)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {
            name.partition("/")[2]: member.size
            for member in archive
            if member.isfile()
            for name in [member.name]
        }
    tracked = {
        str(file.relative_to(ROOT))
        for folder in ("fashionkit", "tests")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert tracked - set(names) == set()
    for name in ("README.md", "LICENSE", "pyproject.toml", ".ci/run", "docs/images/shirt.jpg"):
        assert name in names
    tops = {name.partition("/")[0] for name in names}
    assert tops - {path.name for path in ROOT.iterdir()} <= {"PKG-INFO"}
    built = ("__pycache__", "_build/", ".ci/venv", "docs/auto_examples", "docs/api/generated")
    assert [name for name in names if any(part in name for part in built)] == []
    assert [name for name, size in names.items() if size > 4_000_000] == []
