"""Samples without a header: ffmpeg and pcm-reader read them by the options that they were written with."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoder_helpers import mapping, noise, run
from hypothesis import given
from hypothesis import strategies as st
from other_decoders import by_ffmpeg, heard

import tonearm
from tonearm.api import Context, Spec, Waveform
from tonearm.run.store.memory_sink import MemorySink
from tonearm.run.store.pipe_sink import PipeSink
from tonearm_plugins.encoders.raw_writer import RawOptions, RawWriter

NOWHERE = [{"use": "wav-writer", "file": "{stem}.wav"}]
ENCODINGS = {
    "pcm_s8": "s8",
    "pcm_u8": "u8",
    "pcm_s16le": "s16le",
    "pcm_s16be": "s16be",
    "pcm_s24le": "s24le",
    "pcm_s24be": "s24be",
    "pcm_s32le": "s32le",
    "pcm_s32be": "s32be",
    "pcm_f32le": "f32le",
    "pcm_f32be": "f32be",
    "pcm_f64le": "f64le",
    "pcm_f64be": "f64be",
    "mulaw": "mulaw",
    "alaw": "alaw",
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_raw_samples_are_read_by_ffmpeg_and_by_pcm_reader(tmp_path: Path, encoding: str, channels: int) -> None:
    samples = noise(channels, 1500, 0.2)
    path, report = run(tmp_path, samples, mapping("raw-writer", ".raw", 32000, encoding=encoding))
    assert report.ok, report.errors
    options = ("-f", ENCODINGS[encoding], "-ar", "32000", "-ac", str(channels))

    def by_ffmpeg_told(path: Path, wav: Path) -> None:
        by_ffmpeg(path, wav, *options)

    rate, got = heard(path, by_ffmpeg_told)
    step = 2.0 ** -(int(encoding[5:].rstrip("lbe") or 0) - 1) if encoding.startswith("pcm") else 1.0
    assert rate == 32000
    assert got.shape == samples.shape
    if encoding.startswith("pcm"):
        assert np.abs(got - samples).max() <= max(step / 2, 2**-24)
    else:  # 13 and 14 bits near zero, coarser above
        assert (np.abs(got - samples) <= np.abs(samples) / 20 + 2**-11).all()
    reader = {"encoding": encoding, "sample_rate": 32000, "channels": channels}
    back = tonearm.load_pipeline({"tonearm": 1, "input": {"use": "pcm-reader", "with": reader}, "outputs": NOWHERE})
    (signal,) = back.convert(path)
    np.testing.assert_allclose(signal.samples, got, atol=2**-23)


@pytest.mark.one_in(3)
@given(cuts=st.lists(st.integers(0, 500), max_size=6).map(sorted), dither=st.booleans())
@pytest.mark.parametrize("encoding", ["pcm_u8", "pcm_s16be", "pcm_s24le", "pcm_f64be", "mulaw"])
def test_cuts_change_no_byte(encoding: Any, cuts: list[int], dither: bool) -> None:
    samples = noise(2, 500, 0.2)
    options: Any = {"encoding": encoding, "dither": dither and "f64" not in encoding}
    whole = tonearm.encode(Waveform(samples=samples, sample_rate=8000), "raw", **options)
    plugin = RawWriter(RawOptions(**options))
    spec = Spec(signals=(Waveform,), sample_rate=8000, channels=2)
    with MemorySink(".raw") as sink:
        started = plugin.start(spec, sink, Context())
        for start, end in itertools.pairwise([0, *cuts, 500]):
            started.write(samples[:, start:end])
        started.finish()
        assert sink.path.read_bytes() == whole


def test_a_pipe_gets_each_block_at_once() -> None:
    content = bytearray()
    sink = PipeSink(content.extend, ".raw")
    started = RawWriter(RawOptions()).start(Spec(signals=(Waveform,), sample_rate=8000, channels=1), sink, Context())
    started.write(np.full((1, 100), 0.5, "f4"))
    assert bytes(content) == b"\0\x40" * 100
    started.abort()
