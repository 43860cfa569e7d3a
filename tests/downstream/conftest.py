"""Builds the packages of third parties into wheels, and installs them, once for all tests of this folder."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

sys.path.insert(0, str(HERE))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which the packages are installed from their wheels."""
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    packages = sorted(path.parent for path in HERE.glob("*/pyproject.toml"))
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", wheels, *packages]
    subprocess.run(build, check=True, capture_output=True)
    install = [*pip, "install", "--no-deps", "--no-index", "--target", target, *wheels.glob("*.whl")]
    subprocess.run(install, check=True, capture_output=True)
    return target
