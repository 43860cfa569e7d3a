"""ffmpeg: what its help says of an encoder is understood, and what it fails with is told in one line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError, OutputError, UsageError
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


def test_a_sound_is_written_bit_by_bit_and_temporary_files_have_no_part_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    monkeypatch.chdir(tmp_path)
    samples = np.random.default_rng(0).integers(-30_000, 30_000, (1_000_000, 2)).astype("i2")
    path = Path("-x") / "a:b.part"  # neither an option nor a protocol
    path.parent.mkdir()
    done = []
    ffmpeg.export(
        path,
        [samples[:300], samples[300:]],
        sample_rate=8000,
        channels=2,
        container="wav",
        on_progress=lambda *progress: done.append(progress),
    )
    found, rate = soundfile.read(path, dtype="int16")
    np.testing.assert_array_equal(found, samples)
    assert rate == 8000
    assert len(done) > 3
    assert done == sorted(done)
    assert done[-1] == (4_000_000, 4_000_000)
    with pytest.raises(ItemError, match=r"ffmpeg failed: .*nonsense") as caught:
        ffmpeg.export(path, [samples], sample_rate=8000, channels=2, container="wav", codec="nonsense")
    assert caught.value.code == "encoder-failed"
    assert "\n" not in caught.value.message
    assert [found.name for found in tmp_path.rglob("*")] == ["-x", "a:b.part"]


def test_a_full_disk_is_the_output_sides() -> None:
    samples = np.zeros((100_000, 2), "i2")
    with pytest.raises(OutputError) as caught:
        ffmpeg.export(Path("/dev/full"), [samples], sample_rate=8000, channels=2, container="wav")
    assert caught.value.message == "cannot write: no space left on device"
    assert isinstance(caught.value.__cause__, OSError)


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    """Put a program in ffmpeg's place."""
    script = folder / "program"
    script.write_text(f"#!/bin/sh\n{lines}\n")
    script.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "find", lambda: str(script))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("kill -9 $$", "ffmpeg failed: it was ended by signal 9"),
        ("exit 1", "ffmpeg failed: no reason was given"),
        ("yes '[x @ 0x1f] a reason' | head -c 300000 >&2; exit 1", "ffmpeg failed: [x] a reason"),
    ],
)
def test_a_program_that_ends_early_or_reports_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, message: str
) -> None:
    program(tmp_path, monkeypatch, lines)
    samples = np.zeros((1_000_000, 2), "i2")  # more than a pipe holds
    with pytest.raises(ItemError) as caught:
        ffmpeg.export(tmp_path / "x.part", [samples], sample_rate=8000, channels=2, container="wav")
    assert caught.value.message == message


def test_an_interrupt_ends_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "id")
    program(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/id; exec cat > /dev/null")
    started = []

    def interrupted(done: float, total: float) -> None:
        started.append(int((tmp_path / "id").read_text()))
        raise KeyboardInterrupt

    samples = np.zeros((1_000_000, 2), "i2")
    with pytest.raises(KeyboardInterrupt):
        ffmpeg.export(
            tmp_path / "x.part", [samples], sample_rate=8000, channels=2, container="wav", on_progress=interrupted
        )
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


def test_what_a_wav_file_cannot_hold_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "MAX_WAV", 1999)
    samples = np.zeros((500, 2), "i2")
    with pytest.raises(ItemError) as caught:
        ffmpeg.export(tmp_path / "x.wav", [samples], sample_rate=8000, channels=2, container="wav")
    assert caught.value.code == "too-long"
