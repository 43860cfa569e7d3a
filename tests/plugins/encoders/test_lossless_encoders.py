"""Lossless files: other people's decoders give back every bit, at any rate, for any number of channels and samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoder_helpers import encoded, noise, rates_and_channels
from other_decoders import (
    by_another_ffmpeg,
    by_apples_alac,
    by_ffmpeg,
    by_flac,
    by_libsndfile,
    by_sox,
    heard,
    whole_numbers,
)

from tonearm_plugins.encoders.aiff_writer import AiffOptions, AiffWriter
from tonearm_plugins.encoders.flac_writer import FlacOptions, FlacWriter
from tonearm_plugins.encoders.m4a_writer import M4aOptions, M4aWriter
from tonearm_plugins.encoders.wav_writer import WavOptions, WavWriter

Decoder = Callable[[Path, Path], None]
RATES = [8000, 22050, 44100, 96000, 192000]
LENGTHS = [1, 2, 4097]
LENGTHS_OF_ALAC = [3, 4096, 4099]  # of more than two channels: the encoder cannot have one or two in a frame
TAGS = {"title": "Grüße", "mood": "calm"}

# What writes, the suffix, bits, and who reads it.
WRITERS: dict[str, tuple[Any, str, int, tuple[Decoder, ...]]] = {
    **{
        f"{form} {bits}": (
            WavWriter(WavOptions(subtype=f"PCM_{bits}", format=form, tags=tags)),  # type: ignore[arg-type]
            suffix,
            bits,
            (by_ffmpeg, by_sox),
        )
        for bits in (16, 24, 32)
        for form, suffix, tags in (("WAV", ".wav", TAGS), ("RF64", ".wav", TAGS), ("W64", ".w64", {}))
    },
    **{
        f"FLAC {bits}": (
            FlacWriter(FlacOptions(subtype=f"PCM_{bits}", tags=TAGS)),  # type: ignore[arg-type]
            ".flac",
            bits,
            (by_flac, by_ffmpeg),
        )
        for bits in (16, 24)
    },
    **{
        f"AIFF {bits}": (
            AiffWriter(AiffOptions(subtype=f"PCM_{bits}", tags=TAGS)),  # type: ignore[arg-type]
            ".aiff",
            bits,
            (by_ffmpeg, by_sox),
        )
        for bits in (16, 24, 32)
    },
    **{
        f"ALAC {bits}": (
            M4aWriter(M4aOptions(codec="alac", subtype=f"PCM_{bits}", tags=TAGS)),  # type: ignore[arg-type]
            ".m4a",
            bits,
            # libsndfile loses the second channel of pairs of 24 bits.
            (by_ffmpeg, by_another_ffmpeg, *((by_apples_alac,) if bits == 16 else ())),
        )
        for bits in (16, 24)
    },
}


def written(plugin: Any, folder: Path, suffix: str, samples: Any, rate: int) -> Path:
    path, _ = encoded(plugin, folder, samples, rate, suffix=suffix)
    return Path(path.rename(folder / f"sound{suffix}"))


def loud(channels: int, length: int) -> Any:
    samples = noise(channels, length, 0.4)
    samples[0, 0] = -1.0
    samples[-1, -1] = 1.0
    return samples


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(("rate", "channels"), rates_and_channels(RATES))
def test_every_bit_comes_back(tmp_path: Path, name: str, channels: int, rate: int) -> None:
    plugin, suffix, bits, decoders = WRITERS[name]
    shortest, short, long = LENGTHS if name[:4] != "ALAC" or channels < 3 else LENGTHS_OF_ALAC
    for length in (shortest if rate <= 48000 else short, long):
        samples = loud(channels, length)
        path = written(plugin, tmp_path, suffix, samples, rate)
        # All decoders see the longer one; the shorter ones by turns.
        for by in decoders if length == long else decoders[length % len(decoders) :][:1]:
            found, got = heard(path, by, "int32")
            assert found == rate, by.__name__
            np.testing.assert_array_equal(got, whole_numbers(samples, bits), by.__name__)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ["WAV", "RF64", "W64", "AIFF"])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_floats_come_back_as_they_are(tmp_path: Path, name: str, subtype: Any, channels: int) -> None:
    samples = noise(channels, 3001, 0.7, "f8")  # some are beyond ±1.0, and stay
    if name == "AIFF":
        plugin: Any = AiffWriter(AiffOptions(subtype=subtype, tags=TAGS))
        suffix = ".aiff"
    else:
        plugin = WavWriter(WavOptions(subtype=subtype, format=name))  # type: ignore[arg-type]
        suffix = ".w64" if name == "W64" else ".wav"
    path = written(plugin, tmp_path, suffix, samples, 48000)
    rate, got = heard(path, by_libsndfile)
    assert rate == 48000
    np.testing.assert_array_equal(got, samples.astype("f4" if subtype == "FLOAT" else "f8"))
    rate, got = heard(path, by_ffmpeg)  # by way of 32-bit integers, which clip
    np.testing.assert_allclose(got, np.clip(samples, -1, 1), atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["WAV 24", "W64 24", "FLAC 24", "AIFF 24", "ALAC 24"])
def test_ten_minutes(tmp_path: Path, name: str) -> None:
    plugin, suffix, bits, decoders = WRITERS[name]
    samples = np.tile(noise(2, 441_000, 0.2), (1, 60))
    samples[:, -1] = 0.5
    path = written(plugin, tmp_path, suffix, samples, 44100)
    for by in decoders:
        rate, got = heard(path, by, "int32")
        assert (rate, got.shape) == (44100, (2, 26_460_000))
        np.testing.assert_array_equal(got[:, ::97], whole_numbers(samples[:, ::97], bits))
        np.testing.assert_array_equal(got[:, -1000:], whole_numbers(samples[:, -1000:], bits))
