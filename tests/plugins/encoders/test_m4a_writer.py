"""AAC and ALAC in MP4: other people's decoders hear the right sound, at the right time, for exactly as long."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import mutagen
import numpy as np
import pytest
from block_writing import cuts_of, from_pipe, piped, streamed
from encoder_helpers import encoded, error_db, noise, rates_and_channels
from hypothesis import HealthCheck, given, settings
from lossy_sounds import TAGS, check, chord, written
from other_decoders import by_another_ffmpeg, by_faad, by_ffmpeg, heard

from tonearm.api import Context, Sink, Waveform, spec_of
from tonearm.run.store.pipe_sink import PipeSink
from tonearm_plugins.encoders.m4a_writer import M4aOptions, M4aWriter

# ffmpeg 7, which imageio-ffmpeg before 0.8 brings along, gives all of the last frame.
LAST_FRAME = range(1024) if imageio_ffmpeg.get_ffmpeg_version().startswith("7") else range(1)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
LAST_FRAME_OF_PIPES = range(1024)  # which no version cuts: the length stands in the last fragment alone


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


@pytest.mark.parametrize("length", [22_051, 22_528, 22_529])
def test_the_end_of_aac_is_as_good_as_the_middle(tmp_path: Path, length: int) -> None:
    """Though the sound ends in mid-period, and the window of the last frame goes on."""
    samples = 0.3 * np.sin(2 * np.pi * 440 / 22_050 * np.arange(length, dtype="f4"))[None]
    _, got = heard(written(M4aWriter(M4aOptions()), tmp_path, samples, 22_050), by_another_ffmpeg)
    piece = piped(M4aWriter(M4aOptions()), samples, 22_050, [])
    for one in (got, from_pipe(piece, 1)[0]):
        error = one[:, :length] - samples
        assert error[:, -110:].std() < 3 * error[:, 5000:15_000].std()


@pytest.mark.parametrize("codec", ["aac", "alac"])
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=cuts_of(9001))
def test_the_bytes_do_not_depend_on_the_cuts(tmp_path: Path, codec: Any, cuts: list[int]) -> None:
    samples = noise(2, 9001)
    writer = M4aWriter(M4aOptions(codec=codec, dither=codec == "alac", tags=TAGS))
    whole, _ = encoded(writer, tmp_path, samples, 44100)
    sink = Sink(tmp_path / "cut.m4a", ".m4a")
    streamed(writer, samples, 44100, sink, cuts)
    assert sink.path.read_bytes() == whole.read_bytes()
    assert piped(writer, samples, 44100, cuts) == piped(writer, samples, 44100, [])


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("length", [1, 1152, 22_051])
def test_pipes_are_read_by_ffmpeg(tmp_path: Path, length: int, channels: int) -> None:
    samples = chord(48000, length, channels)
    cover = tmp_path / "cover.png"
    cover.write_bytes(PNG)
    for codec in ("aac", "alac"):
        writer = M4aWriter(M4aOptions(codec=codec, tags=TAGS, cover=str(cover)))  # type: ignore[arg-type]
        writer.check_blocks(spec_of(Waveform(samples=samples, sample_rate=48000)))
        writer.check_pipe(spec_of(Waveform(samples=samples, sample_rate=48000)))
        content = piped(writer, samples, 48000, [length // 3])
        got, said = from_pipe(content, channels)
        assert re.search("title +: Grüße", said)
        assert got.shape[1] - length in (range(1) if codec == "alac" else LAST_FRAME_OF_PIPES)
        if codec == "alac":
            assert np.abs(got - samples).max() < 1 / 32768
        elif length > 2000:
            assert error_db(got[:, :length], samples) < -15


@pytest.mark.parametrize(("codec", "rate"), [("aac", 44100), ("aac", 48000), ("aac", 11025), ("alac", 44100)])
def test_bytes_leave_a_pipe_early(codec: Any, rate: int) -> None:
    got = bytearray()
    writer = M4aWriter(M4aOptions(codec=codec))
    samples = noise(1, rate * 3 // 10)
    spec = spec_of(Waveform(samples=samples, sample_rate=rate)).replace(length=None)
    started = writer.start(spec, PipeSink(got.extend, ".m4a"), Context())
    started.write(samples)
    assert b"moof" in got
    started.abort()


@pytest.mark.slow
def test_ten_minutes(tmp_path: Path) -> None:
    samples = chord(44100, 600 * 44100 + 17, 2)
    check(written(M4aWriter(M4aOptions()), tmp_path, samples, 44100), samples, 44100, by_another_ffmpeg, -15)
