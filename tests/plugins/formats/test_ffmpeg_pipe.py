"""Decoding by ffmpeg as a program: what it gives and reports, and how it ends."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError
from tonearm_plugins.formats.ffmpeg_pipe import Decoding

WHOLE = np.random.default_rng(0).integers(-9000, 9000, (150_000, 2), "i2")


def wav() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, WHOLE, 22050, format="WAV")
    return file.getvalue()


def decoding(file: io.BytesIO, timeout: float = 60, demuxer: str = "wav") -> Decoding:
    return Decoding(file, demuxer, "a WAV file", timeout=timeout)


def test_samples_and_report() -> None:
    with decoding(io.BytesIO(wav())) as found:
        blocks = list(found.blocks())
        report = found.report()
    assert (found.sample_rate, found.channels) == (22050, 2)
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.frombuffer(b"".join(blocks), ">f8").reshape(-1, 2), WHOLE / 32768)
    assert (report.codec, report.sample_format) == ("pcm_s16le", "s16")
    assert abs(report.seconds - 150_000 / 22050) < 0.01


def test_a_file_with_a_descriptor_is_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "-i concat:a.wav"
    path.write_bytes(wav())
    with path.open("rb") as file, Decoding(file, "wav", "a WAV file", timeout=60) as found:
        assert sum(map(len, found.blocks())) == 8 * WHOLE.size


def test_what_ffmpeg_does_not_read_is_refused_in_its_words() -> None:
    for data in (b"", b"nonsense" * 100):
        with (
            pytest.raises(ItemError, match="it begins as a WAV file, but cannot be read: ") as caught,
            decoding(io.BytesIO(data)),
        ):
            pass
        assert caught.value.code == "bad-audio"
        assert "/dev/fd" not in caught.value.message
        assert "0x" not in caught.value.message


def test_it_ends_when_the_block_ends_before_the_samples() -> None:
    with decoding(io.BytesIO(wav())) as found:
        next(found.blocks())
    assert found._process.returncode not in (None, 0)


def test_it_is_ended_when_the_time_is_over() -> None:
    with pytest.raises(ItemError, match="far longer than its size explains"), decoding(io.BytesIO(wav()), 0.0) as found:
        list(found.blocks())
