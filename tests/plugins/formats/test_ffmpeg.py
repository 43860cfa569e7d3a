"""ffmpeg: what its help says of an encoder is understood, and what it fails with is told in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError, UsageError
from tonearm_plugins.formats import ffmpeg

HELP = """Encoder mine [Mine]:
    Supported sample rates: 48000 8000 16000
    Supported channel layouts: mono stereo 5.1(side) 2 channels (FC+LFE) {more}
"""


@pytest.mark.parametrize(("more", "channels"), [("7.1", 8), ("octagonal", 8), ("unheard-of", None)])
def test_limits_are_read_from_the_help(monkeypatch: pytest.MonkeyPatch, more: str, channels: int | None) -> None:
    monkeypatch.setattr(ffmpeg, "_help", lambda program, topic: HELP.format(more=more))
    assert ffmpeg.limits("ffmpeg", "mine") == ((8000, 16000, 48000), channels)


def test_an_encoder_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "_help", lambda program, topic: "Encoder mine [Mine]:")
    assert ffmpeg.limits("ffmpeg", "mine") == (None, None)


def test_a_program_that_does_not_run_is_not_installed_right(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not run") as caught:
        ffmpeg.require(str(tmp_path / "none"), container="mp3", codec=None)
    assert caught.value.code == "missing-requirement"


def test_a_sound_is_written_bit_by_bit_and_no_temporary_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    samples = np.random.default_rng(0).integers(-30_000, 30_000, (1000, 2)).astype("i2")
    path = tmp_path / "x.wav"
    ffmpeg.export(path, [samples[:300], samples[300:]], sample_rate=8000, channels=2, container="wav")
    found, rate = soundfile.read(path, dtype="int16")
    np.testing.assert_array_equal(found, samples)
    assert rate == 8000
    with pytest.raises(ItemError, match=r"ffmpeg failed: .*nonsense") as caught:
        ffmpeg.export(path, [samples], sample_rate=8000, channels=2, container="wav", codec="nonsense")
    assert caught.value.code == "encoder-failed"
    assert "\n" not in caught.value.message
    assert not list((tmp_path / "tmp").iterdir())


def test_what_a_wav_file_cannot_hold_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "MAX_WAV", 1999)
    samples = np.zeros((500, 2), "i2")
    with pytest.raises(ItemError) as caught:
        ffmpeg.export(tmp_path / "x.wav", [samples], sample_rate=8000, channels=2, container="wav")
    assert caught.value.code == "too-long"
