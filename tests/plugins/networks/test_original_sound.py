"""The loudness, rate and length of an encoded sound, given back to that of a decoder."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import tonearm
from tonearm.api import CodecTokens, Context, OriginalSound, Spec, Waveform
from tonearm_plugins.dsp.loudness import measure_loudness
from tonearm_plugins.networks.original_sound import restored, restored_spec

RATE = 44100
SOUND = Waveform(
    samples=np.random.default_rng(1).normal(0, 0.1, (2, RATE)).astype("f4"),
    sample_rate=RATE,
)


def tokens(original: OriginalSound | None) -> CodecTokens:
    return CodecTokens(codes=np.zeros((1, 2, 3), "i4"), original=original)


def test_without_an_original_nothing_changes() -> None:
    assert restored(SOUND, tokens(None), Context()) is SOUND
    assert restored(SOUND, SOUND, Context()) is SOUND


@pytest.mark.parametrize("rate", [RATE, 16000, 48000])
def test_loudness_rate_and_length_are_given_back(rate: int) -> None:
    length = rate - 100
    found = restored(SOUND, tokens(OriginalSound(sample_rate=rate, length=length, loudness=-30.0)), Context())
    assert (found.sample_rate, found.samples.shape, found.samples.dtype) == (rate, (2, length), np.float32)
    # The loudness is that of the decoder's sound, before it is resampled.
    if rate == RATE:
        assert abs(measure_loudness(found.samples, rate).integrated + 30) < 0.05


def test_silence_stays_silence() -> None:
    silent = Waveform(samples=np.zeros((1, 9000), "f4"), sample_rate=RATE)
    found = restored(silent, tokens(OriginalSound(sample_rate=RATE, length=8000, loudness=-20.0)), Context())
    assert (found.samples == 0).all()


def test_a_loudness_that_is_unknown_changes_nothing() -> None:
    found = restored(SOUND, tokens(OriginalSound(sample_rate=RATE, length=500)), Context())
    assert (found.samples == SOUND.samples[:, :500]).all()


def test_a_sound_that_is_too_short_is_warned_of() -> None:
    context = Context()
    found = restored(SOUND, tokens(OriginalSound(sample_rate=RATE, length=RATE + 5)), context)
    assert found.samples.shape[-1] == RATE
    assert "fewer than the 44,105" in context.warnings[0]


def test_what_is_known_of_the_restored_sound() -> None:
    plain = Spec(signals=(Waveform,), sample_rate=RATE, length=77)
    assert restored_spec(plain) == plain
    found = restored_spec(plain.carrying(OriginalSound(sample_rate=16000, length=5)))
    assert found == Spec(signals=(Waveform,), sample_rate=16000)


@pytest.mark.parametrize(
    ("name", "length", "channels"), [("mono_unchunked_numpy2", 22941, 1), ("stereo_chunked_numpy2", 30621, 2)]
)
def test_a_dac_file_becomes_the_sound_that_was_encoded(name: str, length: int, channels: int, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    data = Path(__file__).parents[2] / "data"
    source, model = data / "tokens" / "files" / f"{name}.dac", data / "models" / "dac_tiny.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the chunks without padding
        tonearm.save(source, tmp_path / "a.wav", model=str(model))
    found = tonearm.read(tmp_path / "a.wav")
    assert (found.samples.shape, found.sample_rate) == ((channels, length), RATE)
    assert abs(measure_loudness(found.samples, RATE).integrated + 23.5) < 0.01
