"""The packages that tonearm is built on, as pyproject.toml and their metadata tell."""

import importlib
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

from tonearm.health import packages
from tonearm.health.packages import COLLECTIONS, USES, Dependency, dependencies, missing_package

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]


def names(lines):
    return {re.match(r"[\w-]+", line)[0] for line in lines}


def test_each_package_of_the_project_has_a_use():
    extras = {name: lines for name, lines in PROJECT["optional-dependencies"].items() if name not in COLLECTIONS}
    assert set(USES) == names(PROJECT["dependencies"]) | {name for lines in extras.values() for name in names(lines)}


@pytest.fixture
def metadata(monkeypatch):
    packages._version.cache_clear()

    def given(*lines, installed):
        def version(name):
            if name not in installed:
                raise importlib.metadata.PackageNotFoundError(name)
            return installed[name]

        monkeypatch.setattr(importlib.metadata, "requires", lambda name: list(lines))
        monkeypatch.setattr(importlib.metadata, "version", version)

    yield given
    packages._version.cache_clear()


def test_lines_of_metadata(metadata):
    metadata(
        "zarr>=3.1.4; extra == 'zarr'",
        "zarr>=3.1.4; extra == 'all'",
        "pillow>=11.0 ; extra == 'image'",
        "numpy>=2.0",
        "rich",
        "old>=1; python_version >= '3.99'",
        "far>=1; platform_machine in 'vax pdp11'",
        "both>=1; (python_version >= '3.11') and extra == 'x'",
        "tool>=1; extra == 'dev'",
        installed={"numpy": "1.26.4", "pillow": "11.0", "rich": None},
    )
    assert dependencies() == [
        Dependency(name="numpy", at_least="2.0", installed="1.26.4"),
        Dependency(name="rich"),
        Dependency(name="zarr", at_least="3.1.4", extras=("zarr",)),
        Dependency(name="pillow", at_least="11.0", extras=("image",), installed="11.0"),
        Dependency(name="both", at_least="1", extras=("x",)),
    ]
    assert [one.is_old for one in dependencies()] == [True, False, False, False, False]


def test_the_line_that_installs_a_package():
    assert Dependency(name="numpy", at_least="2.0").install_line == "pip install 'numpy>=2.0'"
    assert Dependency(name="rich").install_line == "pip install rich"
    assert Dependency(name="zarr", at_least="3", extras=("zarr",)).install_line == "pip install 'tonearm[zarr]'"


def test_a_checkout_that_is_not_installed_has_no_metadata(monkeypatch):
    def requires(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert dependencies() == []


@pytest.mark.parametrize(
    ("module", "package"), [("yaml", "pyyaml"), ("llvmlite", "llvmlite"), ("PIL", "pillow"), ("acme", ""), (None, "")]
)
def test_the_package_of_a_module(module, package):
    assert missing_package(ModuleNotFoundError(name=module)) == package


def test_a_package_that_lacks_a_module_is_not_missing():
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module("msgspec.no_such_module")
    assert missing_package(caught.value) == ""
