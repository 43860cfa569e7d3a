"""AAC in ADTS: the right sound, as long as the frames have it, in files and pipes."""

from __future__ import annotations

import re
from pathlib import Path

import mutagen.id3
import pytest
from block_writing import cuts_of, from_pipe, piped, streamed
from encoder_helpers import encoded, error_db, noise, rates_and_channels
from hypothesis import HealthCheck, given, settings
from lossy_sounds import TAGS, chord

from tonearm.api import Context, Sink, Waveform, spec_of
from tonearm.run.store.pipe_sink import PipeSink
from tonearm_plugins.encoders.aac_writer import AacOptions, AacWriter
from tonearm_plugins.formats.frame_runs import adts_size

PRIMING = 1024  # samples that the encoder puts before the sound, and ffmpeg plays


@pytest.mark.parametrize(("rate", "channels"), rates_and_channels([8000, 22050, 44100, 96000]))
def test_ffmpeg_hears_the_sound_behind_the_priming(rate: int, channels: int) -> None:
    for length in (1, 100, rate // 2 + 17):
        samples = chord(rate, length, channels)
        content = piped(AacWriter(AacOptions()), samples, rate, [])
        got, _ = from_pipe(content, channels, "-f", "aac")  # which it does not recognize by two frames
        assert got.shape[1] - length - PRIMING in range(1024)
    assert error_db(got[:, PRIMING : PRIMING + length], samples) < (-15 if rate > 8000 else -9)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=cuts_of(9001))
def test_the_bytes_are_the_same_in_files_and_pipes_whatever_the_cuts(tmp_path: Path, cuts: list[int]) -> None:
    samples, writer = noise(2, 9001), AacWriter(AacOptions(tags=TAGS))
    whole, _ = encoded(writer, tmp_path, samples, 44100)
    sink = Sink(tmp_path / "cut.aac", ".aac")
    streamed(writer, samples, 44100, sink, cuts)
    assert whole.read_bytes() == sink.path.read_bytes() == piped(writer, samples, 44100, cuts)


def test_tags_stand_in_front() -> None:
    content = piped(AacWriter(AacOptions(tags=TAGS)), noise(1, 100), 44100, [])
    assert re.search("title +: Grüße", from_pipe(content, 1)[1])
    assert content.startswith(b"ID3")


def test_frames_are_whole_and_without_tags_the_first_bytes() -> None:
    content = piped(AacWriter(AacOptions()), noise(1, 5000), 44100, [])
    at = count = 0
    while at < len(content):
        size = adts_size(content[at : at + 8])
        assert size
        at, count = at + size, count + 1
    assert (at, count) == (len(content), 1 + 5)


@pytest.mark.parametrize("rate", [11025, 44100])
def test_bytes_leave_a_pipe_early_and_none_after_an_abort(rate: int) -> None:
    got = bytearray()
    samples = noise(1, rate * 3 // 10)
    spec = spec_of(Waveform(samples=samples, sample_rate=rate)).replace(length=None)
    started = AacWriter(AacOptions()).start(spec, PipeSink(got.extend, ".aac"), Context())
    started.write(samples)
    size = len(got)
    assert size
    started.abort()
    assert len(got) == size


def test_the_bit_rate_is_measured(tmp_path: Path) -> None:
    path, context = encoded(AacWriter(AacOptions()), tmp_path, noise(2, 44100 * 4), 44100)
    assert context.measurements["bitrate"] == 192
    assert path.stat().st_size * 8 / 4000 == pytest.approx(192, rel=0.2)
    with pytest.raises(mutagen.id3.ID3NoHeaderError):
        mutagen.id3.ID3(path)
