"""WAV: the Broadcast Wave Format's chunk, and the format that a suffix stands for."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from encoder_helpers import mapping, run
from tagged_files import read_by_ffmpeg, tagged

import tonearm
from tonearm.api import Context, OptionError, Spec, Waveform
from tonearm.run.store.pipe_sink import PipeSink
from tonearm_plugins.encoders.wav_writer import BextOptions, WavOptions, WavWriter


def test_bext(tmp_path: Path) -> None:
    bext: Mapping[str, Any] = {
        "originator": "Lab 7",
        "originator_reference": "X-1",
        "date": "2024-12-31",
        "time": "23:59:59",
        "time_reference": 2**33 + 1,
        "coding_history": "A=PCM,F=48000\nT=tonearm",
    }
    path, _ = tagged(tmp_path, "wav-writer", bext=bext, tags={"title": "Grüße"})
    found = read_by_ffmpeg(path)
    assert found["encoded_by"] == "Lab 7"
    assert found["originator_reference"] == "X-1"
    assert found["date"] == "2024-12-31"
    assert found["creation_time"] == "23:59:59"
    assert found["time_reference"] == str(2**33 + 1)
    assert found["coding_history"].split() == ["A=PCM,F=48000", "T=tonearm"]
    content = path.read_bytes()
    assert content[12:16] == b"bext"
    assert content[20:276].rstrip(b"\0") == b"Gr??e"  # the title, in ASCII
    assert len(soundfile.read(path)[0]) == 5000
    path, _ = tagged(tmp_path, "wav-writer", bext={})
    assert path.read_bytes()[276:308].rstrip(b"\0") == b"Piper"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bext": {"description": "Grüße"}}, "description has letters beyond ASCII, which bext cannot hold"),
        ({"bext": {"date": "yesterday"}}, "'date' is 'yesterday'"),
        ({"bext": {"originator": "x" * 33}}, "'originator' is "),
        ({"bext": {}, "format": "W64"}, "W64 has no bext"),
        ({"tags": {"title": "x"}, "format": "W64"}, "the format has no place for tags"),
    ],
)
def test_what_bext_and_w64_cannot_hold_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(mapping("wav-writer", ".wav", **options))
    assert message in str(caught.value)


def test_a_suffix_says_w64(tmp_path: Path) -> None:
    with pytest.raises(tonearm.PipelineError, match="the format has no place for tags"):
        tonearm.load_pipeline(mapping("wav-writer", ".w64", tags={"title": "x"}))
    path, _ = run(tmp_path, np.zeros((1, 9), "f4"), mapping("wav-writer", ".W64"))
    assert soundfile.info(path).format == "W64"
    path, _ = run(tmp_path, np.zeros((1, 9), "f4"), mapping("wav-writer", ".rf64"))
    assert soundfile.info(path).format == "RF64"


@pytest.mark.parametrize(("suffix", "options"), [(".w64", {}), (".rf64", {}), (".wav", {"format": "RF64"})])
def test_a_pipe_takes_no_form_that_has_the_length(suffix: str, options: dict[str, Any]) -> None:
    spec = Spec(signals=(Waveform,), sample_rate=8000, channels=1, suffix=suffix)
    with pytest.raises(OptionError, match="has the length of the sound in front of it") as caught:
        WavWriter(WavOptions(**options)).check_pipe(spec)
    assert caught.value.code == "needs-file"
    WavWriter(WavOptions(format="WAV")).check_pipe(spec)


def test_a_pipe_has_its_tags_in_front() -> None:
    content = bytearray()
    plugin = WavWriter(WavOptions(tags={"title": "Gruß", "mood": "calm"}, bext=BextOptions()))
    spec = Spec(signals=(Waveform,), sample_rate=8000, channels=1)
    started = plugin.start(spec, PipeSink(content.extend, ".wav"), Context())
    assert content.index(b"bext") < content.index(b"INAM") < content.index(b"id3 ") < content.index(b"data")
    started.write(np.full((1, 4), 0.5, "f4"))
    assert content.endswith(b"\0\x40" * 4)
    started.finish()
    with soundfile.SoundFile(io.BytesIO(bytes(content))) as file:
        assert file.title == "Gruß"
        assert len(file.read()) == 4
