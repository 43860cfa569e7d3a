"""What the tests of this room share: its modules by name, whatever the import mode, and which tests are portable."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

PEERS = {"librosa", "ffmpeg", "torch"}
"""Names, of modules and of fixtures, of what is not there where `.ci/arm64` runs the tests."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each test as portable that needs none of the peers: by import, as a fixture, or as the engine of a case."""
    if isinstance(item, pytest.Function):
        cases = item.callspec.params.values() if hasattr(item, "callspec") else ()
        used = {*vars(item.module), *item.fixturenames, *(case for case in cases if isinstance(case, str))}
        if not PEERS & used:
            item.add_marker("portable")


@pytest.fixture(scope="session")
def librosa() -> Any:
    """The package. A test that takes it is not portable."""
    return pytest.importorskip("librosa")


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """The path of ffmpeg. A test that takes it is not portable."""
    path: str = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    return path
