"""The folder of temporary files: it may be missing, and no encoder writes into it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from tagged_files import SUFFIXES, tagged

CASES = [(name, {}) for name in SUFFIXES]
CASES += [("mp3-writer", {"engine": engine}) for engine in ("soundfile", "pydub")]
CASES += [("wav-writer", {"provenance": True}), ("ffmpeg-writer", {"provenance": True, "format": "mp3"})]


def point_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder that of temporary files, for Python and for programs."""
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


@pytest.mark.parametrize(("name", "options"), CASES)
def test_it_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, str]) -> None:
    point_to(tmp_path / "missing", monkeypatch)
    path, sink = tagged(tmp_path, name, **options)
    assert path.stat().st_size > 1000
    assert sorted(tmp_path.iterdir()) == sorted([path, *sink.sidecars.values()])


@pytest.mark.parametrize("name", ["ffmpeg-writer", "mp3-writer"])
def test_nothing_is_ever_made_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    point_to(folder, monkeypatch)
    before = folder.stat().st_mtime_ns
    tagged(tmp_path, name, **({"engine": "pydub"} if name == "mp3-writer" else {}))
    assert folder.stat().st_mtime_ns == before  # what is made and removed again changes the time
