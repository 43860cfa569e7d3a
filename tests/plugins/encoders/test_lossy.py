"""Vorbis, Opus and AAC: other people's decoders hear the right sound, at the right time, for exactly as long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soxr
from encoder_helpers import encoded, error_db, rates_and_channels
from other_decoders import (
    by_another_ffmpeg,
    by_faad,
    by_ffmpeg,
    by_ffmpeg_with_libopus,
    by_oggdec,
    by_opusdec,
    call,
    heard,
)

import tonearm
from tonearm_plugins.encoders.m4a_writer import M4aOptions, M4aWriter
from tonearm_plugins.encoders.ogg_writer import OggOptions, OggWriter
from tonearm_plugins.encoders.opus_writer import OpusOptions, OpusWriter
from tonearm_plugins.encoders.wav_writer import WavOptions, WavWriter

Decoder = Callable[[Path, Path], None]
TAGS = {"title": "Grüße", "mood": "calm"}
OPUS = [8000, 12000, 16000, 24000, 48000]


def chord(rate: int, length: int, channels: int) -> Any:
    """Two sines in each channel, those of the LFE low enough for it."""
    time = np.arange(length) / rate
    hertz = [(40, 55) if channel == 3 and channels == 6 else (220 + 70 * channel, 1200) for channel in range(channels)]
    return np.array([0.3 * np.sin(2 * np.pi * a * time) + 0.1 * np.cos(2 * np.pi * b * time) for a, b in hertz], "f4")


def written(plugin: Any, folder: Path, samples: Any, rate: int) -> Path:
    path, _ = encoded(plugin, folder, samples, rate)
    return Path(path.rename(folder / f"sound{plugin.suffixes[0]}"))


def check(path: Path, samples: Any, rate: int, by: Decoder, error: float, more: range = range(1)) -> None:
    """The right rate, channels and length (but for what a decoder makes of it), and the sound itself."""
    found, got = heard(path, by)
    assert found == rate, by.__name__
    assert got.shape[0] == samples.shape[0], by.__name__
    assert got.shape[1] - samples.shape[1] in more, by.__name__
    common = min(got.shape[1], samples.shape[1])
    if common > 2000:
        for one, (mine, theirs) in enumerate(zip(samples, got, strict=True)):
            assert error_db(theirs[:common], mine[:common]) < error, f"{by.__name__}, channel {one}"


@pytest.mark.parametrize(("rate", "channels"), rates_and_channels([8000, 22050, 44100, 192000]))
def test_vorbis(tmp_path: Path, rate: int, channels: int) -> None:
    for length in (1, 100, rate // 2 + 17):
        samples = chord(rate, length, channels)
        path = written(OggWriter(OggOptions(tags=TAGS)), tmp_path, samples, rate)
        check(path, samples, rate, by_oggdec, -15 if channels == 6 else -30)
    # ffmpeg cuts ends at blocks of Vorbis if the file is short, oggenc's too.
    check(path, samples, rate, by_ffmpeg, -15 if channels == 6 else -30, range(-2048, 2048))


@pytest.mark.parametrize(("rate", "channels"), rates_and_channels([*OPUS, 22050, 44100, 96000]))
def test_opus(tmp_path: Path, rate: int, channels: int) -> None:
    for length in (1, 100, rate // 2 + 17):
        samples = chord(rate, length, channels)
        path = written(OpusWriter(OpusOptions(bitrate=96 * channels, tags=TAGS)), tmp_path, samples, rate)
        at = next((one for one in OPUS if one >= rate), 48000)
        inside = -(-length * at // rate)  # at the rate that Opus got
        wanted = soxr.resample(samples.T, rate, 48000).T if rate != 48000 else samples
        wanted = np.pad(wanted, ((0, 0), (0, 48000)))[:, : inside * 48000 // at]  # every decoder gives 48 kHz
        check(path, wanted, 48000, by_opusdec, -15)
    check(path, wanted, 48000, by_ffmpeg_with_libopus, -15)


@pytest.mark.parametrize(("rate", "channels"), rates_and_channels([8000, 22050, 44100, 96000]))
def test_aac(tmp_path: Path, rate: int, channels: int) -> None:
    error = -15 if rate > 8000 else -9  # there 48 kbit/s are all that a channel can have
    for length in (1, 100, rate // 2 + 17):
        samples = chord(rate, length, channels)
        path = written(M4aWriter(M4aOptions(tags=TAGS)), tmp_path, samples, rate)
        check(path, samples, rate, by_another_ffmpeg, error)
    check(path, samples, rate, by_ffmpeg, error, range(1024))  # 5.1 does not look where the edit list ends
    assert mutagen.File(path).info.length == pytest.approx((length + 1024) / rate, abs=1e-3)  # priming and all
    if channels < 6:
        # faad reads no edit list, leaves the first frame out, gives all of the last one, and makes two channels of one.
        found, got = heard(path, by_faad)
        assert found == rate
        assert got.shape[1] - length in range(1024)
        assert error_db(got[:channels, :length], samples) < -15


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plugin", "rate", "by", "error"),
    [
        (OggWriter(OggOptions()), 44100, by_oggdec, -30),
        (OpusWriter(OpusOptions()), 48000, by_opusdec, -15),
        (M4aWriter(M4aOptions()), 44100, by_another_ffmpeg, -15),
    ],
    ids=["Vorbis", "Opus", "AAC"],
)
def test_ten_minutes(tmp_path: Path, plugin: Any, rate: int, by: Decoder, error: float) -> None:
    samples = chord(rate, 600 * rate + 17, 2)
    check(written(plugin, tmp_path, samples, rate), samples, rate, by, error)
