"""Tests of the audit of the packages that tonearm needs, and of the lowest versions that it allows."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def problems():
    """The judge of pip-audit's reports, out of a script that has no suffix."""
    loader = importlib.machinery.SourceFileLoader("audit", str(ROOT / ".ci/audit"))
    spec = importlib.util.spec_from_loader("audit", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    wrote, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = wrote
    return module.problems


SOUND = {"name": "numpy", "version": "2.3.0", "vulns": []}


def test_an_audit_that_judged_all_and_found_nothing_is_fine(problems):
    assert problems({"dependencies": [SOUND]}, frozenset({"numpy"})) == []


def test_a_skipped_package_fails_the_audit(problems):
    skipped = {"name": "six", "skip_reason": "Dependency not found on PyPI and could not be audited: six (1.0)"}
    assert problems({"dependencies": [SOUND, skipped]}, frozenset({"numpy", "six"})) == [
        "six was skipped: Dependency not found on PyPI and could not be audited: six (1.0)"
    ]


def test_a_package_that_is_missing_in_the_report_fails_the_audit(problems):
    report = {"dependencies": [SOUND, {"name": "PyYAML", "version": "6", "vulns": []}]}
    assert problems(report, frozenset({"numpy", "pyyaml", "scipy"})) == ["scipy is installed, and was not judged"]


def test_a_vulnerability_fails_the_audit(problems):
    known = {"name": "numpy", "version": "1.0", "vulns": [{"id": "PYSEC-2019-108", "fix_versions": ["1.16.3"]}]}
    assert problems({"dependencies": [known]}, frozenset({"numpy"})) == [
        "numpy 1.0 has PYSEC-2019-108, mended in 1.16.3"
    ]


def test_every_requirement_of_users_has_a_lowest_version():
    """A requirement without one would be taken for one that any version meets."""
    lines = subprocess.run([sys.executable, ROOT / ".ci/lowest"], capture_output=True, text=True, check=True).stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    count = len(project["dependencies"]) + sum(
        len(extras[one]) for one in extras if one not in ("all", "test", "dev", "torch", "transformers", "vocoder")
    )
    assert len(lines.splitlines()) == count
    assert all(line.count("==") == 1 for line in lines.splitlines())
