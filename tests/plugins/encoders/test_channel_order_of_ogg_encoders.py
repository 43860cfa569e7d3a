"""Order of channels: Vorbis and Opus have their own, and every channel comes back in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lossy_sounds import written
from other_decoders import by_ffmpeg, by_ffmpeg_with_libopus, call, heard

import tonearm
from tonearm_plugins.encoders.ogg_writer import OggOptions, OggWriter
from tonearm_plugins.encoders.opus_writer import OpusOptions, OpusWriter
from tonearm_plugins.encoders.wav_writer import WavOptions, WavWriter


@pytest.mark.one_in(3)
@pytest.mark.parametrize("channels", [3, 5, 6, 7, 8])
@pytest.mark.parametrize("made", ["by us", "by ffmpeg"])
@pytest.mark.parametrize(
    ("plugin", "codec"), [(OggWriter(OggOptions()), "libvorbis"), (OpusWriter(OpusOptions()), "libopus")]
)
def test_channels_are_those_that_were_written(
    tmp_path: Path, plugin: Any, codec: str, made: str, channels: int
) -> None:
    """Each tells by its pitch which one it is, even the LFE."""
    hertz = 40 + 10 * np.arange(channels)
    samples = (0.3 * np.sin(2 * np.pi * hertz[:, None] * np.arange(48_000) / 48_000)).astype("f4")
    if made == "by us":
        path = written(plugin, tmp_path, samples, 48_000)
    else:
        wav = written(WavWriter(WavOptions()), tmp_path, samples, 48_000)
        path = tmp_path / f"theirs{plugin.suffixes[0]}"
        mapping = ["-mapping_family", "1"] if codec == "libopus" else []
        call("ffmpeg", "-nostdin", "-v", "error", "-i", wav, "-c:a", codec, *mapping, path)
    pipeline = {
        "tonearm": 1,
        "input": {"use": "audio-reader"},
        "outputs": [{"use": "wav-writer", "file": "x.wav"}],
    }
    (signal,) = tonearm.load_pipeline(pipeline).convert(path)
    pitches = np.abs(np.fft.rfft(signal.samples[:, :48_000] * np.hanning(48_000))).argmax(axis=1)
    np.testing.assert_array_equal(pitches, hertz)
    if made == "by us" and channels == 6:
        _, got = heard(path, by_ffmpeg_with_libopus if codec == "libopus" else by_ffmpeg)
        pitches = np.abs(np.fft.rfft(got[:, :47_000] * np.hanning(47_000), 48_000)).argmax(axis=1)
        np.testing.assert_array_equal(pitches, hertz)
