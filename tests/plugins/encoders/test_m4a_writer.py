"""AAC and ALAC in MP4: other people's decoders hear the right sound, at the right time, for exactly as long."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
import mutagen
import pytest
from encoder_helpers import encoded, error_db, mapping, noise, rates_and_channels, run
from lossy_sounds import TAGS, check, chord, written
from other_decoders import by_another_ffmpeg, by_faad, by_ffmpeg, heard

from tonearm_plugins.encoders.m4a_writer import M4aOptions, M4aWriter

# ffmpeg 7, which imageio-ffmpeg before 0.8 brings along, gives all of the last frame.
LAST_FRAME = range(1024) if imageio_ffmpeg.get_ffmpeg_version().startswith("7") else range(1)


@pytest.mark.parametrize(("rate", "channels"), rates_and_channels([8000, 22050, 44100, 96000]))
def test_other_decoders_hear_the_sound_of_aac(tmp_path: Path, rate: int, channels: int) -> None:
    error = -15 if rate > 8000 else -9  # there 48 kbit/s are all that a channel can have
    for length in (1, 100, rate // 2 + 17):
        samples = chord(rate, length, channels)
        path = written(M4aWriter(M4aOptions(tags=TAGS)), tmp_path, samples, rate)
        check(path, samples, rate, by_another_ffmpeg, error, LAST_FRAME)
    check(path, samples, rate, by_ffmpeg, error, range(1024))  # 5.1 does not look where the edit list ends
    assert mutagen.File(path).info.length == pytest.approx((length + 1024) / rate, abs=1e-3)  # priming and all
    if channels < 6:
        # faad reads no edit list, leaves the first frame out, gives all of the last one, and makes two channels of one.
        found, got = heard(path, by_faad)
        assert found == rate
        assert got.shape[1] - length in range(1024)
        assert error_db(got[:channels, :length], samples) < -15


@pytest.mark.parametrize(
    ("channels", "rate", "wanted", "found"), [(1, 44100, None, 96), (2, 44100, None, 192), (1, 8000, 320, 48)]
)
def test_the_bit_rate_of_aac_is_measured(
    tmp_path: Path, channels: int, rate: int, wanted: int | None, found: int
) -> None:
    path, context = encoded(M4aWriter(M4aOptions(bitrate=wanted)), tmp_path, noise(channels, rate * 4), rate)
    assert context.measurements["bitrate"] == found
    assert path.stat().st_size * 8 / 4000 == pytest.approx(found, rel=0.2)


@pytest.mark.parametrize("length", [1, 2, 4097, 8194])
def test_alac_refuses_what_would_end_the_whole_process(tmp_path: Path, length: int) -> None:
    _, report = run(tmp_path, noise(6, length), mapping("m4a-writer", ".m4a", 44100, codec="alac"))
    (error,) = report.errors
    assert error.message.startswith(f"ALAC cannot have {length} samples of 6 channels")
    assert error.hint == "pad it by a few samples, or use flac-writer"


@pytest.mark.slow
def test_ten_minutes(tmp_path: Path) -> None:
    samples = chord(44100, 600 * 44100 + 17, 2)
    check(written(M4aWriter(M4aOptions()), tmp_path, samples, 44100), samples, 44100, by_another_ffmpeg, -15)
