"""The command line, in a folder of its own, for the tests of what people first met."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from at_the_prompt import Prompt


@pytest.fixture
def tonearm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Prompt:
    """The command line in an empty folder; no message of it may be longer than three lines."""
    monkeypatch.chdir(tmp_path)
    return Prompt(capsys)
