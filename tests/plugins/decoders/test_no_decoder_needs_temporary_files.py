"""The folder of temporary files may be missing: decoders read files, and open files, without it."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from decoder_reading import STFT, WAVE, decode
from real_formats import FORMATS

from tonearm_plugins.decoders.audio_reader import AudioReader
from tonearm_plugins.formats import sndfile_reading


@pytest.fixture(autouse=True)
def _missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))


@pytest.mark.parametrize("name", FORMATS)
def test_of_arrays(name: str, tmp_path: Path) -> None:
    one = FORMATS[name]
    if np.dtype(one.dtypes[0]).kind == "c":
        array: Any = np.ones((9, 5), one.dtypes[0])
        options = {"kind": "complex", "axes": ["bin", "frame"], **STFT}
    else:
        array = np.ones((3, 40), one.dtypes[0])
        options = {"kind": "waveform", "axes": ["channel", "time"], **WAVE}
    assert len(decode(one.plugin, one.save(tmp_path, {"a": array}), **options)) == 1


@pytest.mark.parametrize("name", ["WAV", "FLAC", "OGG", "MP3"])
def test_of_sound_in_an_open_file(name: str) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros((4000, 2)), 8000, format=name)
    (item,) = decode(AudioReader, file.getvalue())
    assert item.signal.channels == 2


def test_where_no_file_can_be_in_memory_one_is_made_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sndfile_reading.os, "memfd_create", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = io.BytesIO()
    soundfile.write(file, np.full(4000, 0.5), 8000, format="WAV")
    (item,) = decode(AudioReader, file.getvalue())
    assert item.signal.length == 4000
    assert list(tmp_path.iterdir()) == []
