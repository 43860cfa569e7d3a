"""AIFF: it ends at 4 GB, and texts are in chunks that libsndfile reads without ID3."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import soundfile
from encoder_helpers import encoded, noise
from hypothesis import given
from hypothesis import strategies as st

import tonearm
from tonearm.api import Context, ItemError, OptionError, Spec, Waveform
from tonearm.run.store.memory_sink import MemorySink
from tonearm_plugins.encoders.aiff_writer import AiffOptions, AiffWriter


def test_an_aiff_ends_at_4_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tonearm_plugins.encoders import aiff_writer

    monkeypatch.setattr(aiff_writer, "AIFF", aiff_writer.AIFF.replace(size=3999))
    plugin = AiffWriter(AiffOptions())
    with pytest.raises(ItemError, match="AIFF ends at 3,999 bytes") as caught:
        encoded(plugin, tmp_path, noise(2, 1000), 44100)
    assert caught.value.hint == "use wav-writer, which continues as RF64"
    encoded(plugin, tmp_path, noise(2, 999), 44100)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_floats_make_it_aiff_c(tmp_path: Path, subtype: str) -> None:
    path, _ = encoded(AiffWriter(AiffOptions(subtype=subtype)), tmp_path, noise(2, 100), 44100)  # type: ignore[arg-type]
    assert path.read_bytes()[8:12] == (b"AIFC" if subtype in ("FLOAT", "DOUBLE") else b"AIFF")
    assert soundfile.info(path).subtype == subtype


def test_texts_have_chunks_of_their_own(tmp_path: Path) -> None:
    tags = {"title": "one", "artist": "two", "comment": "three", "copyright": "four", "mood": "five"}
    path, _ = encoded(AiffWriter(AiffOptions(tags=tags)), tmp_path, noise(1, 100), 44100)
    with soundfile.SoundFile(path) as file:
        assert {name: getattr(file, name) for name in tags if name != "mood"} | {"mood": "five"} == tags
    content = path.read_bytes()
    assert [name in content for name in (b"NAME", b"AUTH", b"ANNO", b"(c) ")] == [True] * 4


@given(cuts=st.lists(st.integers(0, 500), max_size=6).map(sorted), dither=st.booleans())
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "DOUBLE"])
def test_cuts_change_no_byte(subtype: Any, cuts: list[int], dither: bool) -> None:
    samples = noise(2, 500, 0.2)
    options: Any = {"subtype": subtype, "dither": dither and "DOUBLE" not in subtype}
    whole = tonearm.encode(Waveform(samples=samples, sample_rate=8000), "aiff", **options)
    plugin = AiffWriter(AiffOptions(**options))
    spec = Spec(signals=(Waveform,), sample_rate=8000, channels=2)
    with MemorySink(".aiff") as sink:
        started = plugin.start(spec, sink, Context())
        for start, end in itertools.pairwise([0, *cuts, 500]):
            started.write(samples[:, start:end])
        started.finish()
        assert sink.path.read_bytes() == whole


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_have_no_time_of_day(subtype: Any) -> None:
    signal = Waveform(samples=noise(1, 100), sample_rate=8000)
    assert b"PEAK" not in tonearm.encode(signal, "aiff", subtype=subtype)


def test_a_pipe_is_refused() -> None:
    with pytest.raises(OptionError, match="must go back in what it has written") as caught:
        AiffWriter(AiffOptions()).check_pipe(Spec(signals=(Waveform,), sample_rate=8000, channels=1))
    assert caught.value.code == "needs-file"
