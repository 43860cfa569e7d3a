"""The tests of the core import what they share by name, whatever the import mode."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tonearm.plugins import registry


@pytest.fixture(scope="session")
def installed():
    """What is installed: the built-in plugins, and nothing is disabled."""
    found = registry.default()
    assert found.problems == []
    return found
