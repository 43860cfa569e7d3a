"""FLAC: bit exact for two other decoders, and never more than the format has."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import mutagen.flac
import numpy as np
import pytest
import soundfile
from encoder_helpers import by_ffmpeg, encoded, mapping, noise, run
from hypothesis import given, settings
from hypothesis import strategies as st
from other_decoders import call
from streamed_files import ffmpeg_hears, piped, spy, started, streamed, through, write_all

import tonearm
from tonearm.api import ItemError
from tonearm_plugins.encoders.flac_writer import FlacOptions, FlacWriter


def exact(samples: Any, bits: int) -> Any:
    """Round in exact arithmetic, halves to even; (samples, channels)."""
    top = 2 ** (bits - 1)
    whole = [max(-top, min(top - 1, round(Fraction(float(x)) * top))) for x in samples.T.ravel()]
    return np.array(whole).reshape(-1, samples.shape[0])


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize(
    ("channels", "length", "rate"), [(1, 1, 8000), (1, 5000, 22050), (2, 4999, 44100), (6, 3000, 96000), (8, 300, 1)]
)
def test_it_comes_back_bit_by_bit(tmp_path: Path, subtype: str, channels: int, length: int, rate: int) -> None:
    bits = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}[subtype]
    samples = np.clip(noise(channels, length, 0.3), -1, 1)
    samples.ravel()[: min(2, samples.size)] = [1.0, -1.0][: min(2, samples.size)]
    path, context = encoded(FlacWriter(FlacOptions(subtype=subtype)), tmp_path, samples, rate)  # type: ignore[arg-type]
    assert not context.warnings
    got, found_rate = soundfile.read(path, dtype="int32", always_2d=True)
    assert found_rate == rate
    assert soundfile.info(path).subtype == subtype
    np.testing.assert_array_equal(got >> (32 - bits), exact(samples, bits))
    if bits == 16 and rate > 1:
        np.testing.assert_array_equal(by_ffmpeg(path, "i2"), exact(samples, 16).ravel())


def test_more_than_one_block_and_any_precision(tmp_path: Path) -> None:
    samples = noise(3, 200_000, 0.3, "f8")
    path, _ = encoded(FlacWriter(FlacOptions()), tmp_path, samples, 48000)
    got = soundfile.read(path, dtype="int16")[0]
    np.testing.assert_array_equal(got, np.clip(np.rint(samples.T * 32768), -32768, 32767))


def test_compression_changes_the_size_and_nothing_else(tmp_path: Path) -> None:
    samples = np.cumsum(noise(1, 50_000, 0.001), axis=1)
    sizes, contents = [], []
    for level in (0, 8):
        path, _ = encoded(FlacWriter(FlacOptions(compression=level)), tmp_path, samples, 22050)
        sizes.append(path.stat().st_size)
        contents.append(soundfile.read(path, dtype="int16")[0])
    assert sizes[1] < sizes[0]
    np.testing.assert_array_equal(*contents)


def test_clipped_samples_are_counted_over_all_blocks(tmp_path: Path) -> None:
    samples = np.zeros((2, 100_000), "f4")
    samples[0, [5, 99_999]] = 1.5
    samples[1, 70_000] = -1.5
    samples[1, :2] = 1.0, -1.0
    path, context = encoded(FlacWriter(FlacOptions()), tmp_path, samples, 22050)
    assert context.measurements["clipped"] == 3
    assert context.warnings == ["3 samples were beyond full scale and clipped"]
    got = soundfile.read(path, dtype="int16")[0]
    assert (got[5, 0], got[99_999, 0], got[70_000, 1]) == (32767, 32767, -32768)
    assert tuple(got[:2, 1]) == (32767, -32768)


def test_tags_of_the_source_and_of_the_user(tmp_path: Path) -> None:
    plugin = FlacWriter(FlacOptions(tags={"Title": "Grüße", "date": 2024, "album": ""}))
    path, _ = encoded(
        plugin, tmp_path, noise(1, 100), 22050, {"title": "old", "album": "gone", "artist": "A", "a=b": "x"}
    )
    assert dict(mutagen.flac.FLAC(path).tags) == {"artist": ["A"], "title": ["Grüße"], "date": ["2024"]}
    assert len(soundfile.read(path)[0]) == 100


def test_without_tags_nothing_is_added(tmp_path: Path) -> None:
    path, _ = encoded(FlacWriter(FlacOptions()), tmp_path, noise(1, 100), 22050)
    assert not mutagen.flac.FLAC(path).tags


@pytest.mark.parametrize(
    ("rate", "channels", "message"),
    [
        (
            65_537,
            1,
            "FLAC cannot have a sample rate of 65537 Hz\n    hint: put resample before it, with sample_rate: 65540",
        ),
        (655_360, 1, "sample_rate: 655350"),
        (48_000, 9, "FLAC cannot have 9 channels, only up to 8"),
    ],
)
def test_what_flac_cannot_hold_is_refused(tmp_path: Path, rate: int, channels: int, message: str) -> None:
    with pytest.raises(ItemError) as caught:
        encoded(FlacWriter(FlacOptions()), tmp_path, noise(channels, 10), rate)
    assert message in str(caught.value)


@pytest.mark.parametrize("rate", [65_535, 65_540, 192_000, 384_000, 655_350])
def test_high_rates(tmp_path: Path, rate: int) -> None:
    path, report = run(tmp_path, noise(1, 100), mapping("flac-writer", ".flac", rate))
    assert report.ok
    assert soundfile.info(path).samplerate == rate


def test_a_rate_is_refused_before_anything_is_read() -> None:
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(mapping("flac-writer", ".flac", 700_000))
    assert [problem.code for problem in caught.value.problems] == ["unsupported-rate"]


def test_bad_names_of_tags_are_refused() -> None:
    with pytest.raises(tonearm.PipelineError, match="'a=b' is not a valid tag name"):
        tonearm.load_pipeline(mapping("flac-writer", ".flac", tags={"a=b": "x"}))


@given(
    cuts=st.lists(st.one_of(st.integers(1, 40), st.integers(1, 9000)), max_size=12),
    channels=st.sampled_from([1, 2, 6]),
    subtype=st.sampled_from(["PCM_S8", "PCM_16", "PCM_24"]),
    dither=st.booleans(),
)
@settings(max_examples=30)
def test_bytes_do_not_depend_on_cuts(cuts: list[int], channels: int, subtype: Any, dither: bool) -> None:
    samples = noise(channels, 30_000, 0.2)
    writer = FlacWriter(FlacOptions(subtype=subtype, dither=dither, tags={"title": "x"}))
    assert streamed(writer, samples, 44100, cuts) == streamed(writer, samples, 44100)
    assert piped(writer, samples, 44100, cuts) == piped(writer, samples, 44100)


@pytest.mark.parametrize(("channels", "length"), [(1, 1), (2, 7), (8, 4096), (1, 4097), (2, 300_000)])
def test_a_stream_into_a_file_is_whole_work(tmp_path: Path, channels: int, length: int) -> None:
    writer, samples = FlacWriter(FlacOptions(tags={"title": "x"})), noise(channels, length)
    path, _ = encoded(writer, tmp_path, samples, 44100)
    assert path.read_bytes() == streamed(writer, samples, 44100, [1, 2, 150_000])
    call("flac", "--totally-silent", "-t", "--warnings-as-errors", path)
    info = mutagen.flac.FLAC(path).info
    assert info.total_samples == length
    assert info.md5_signature


@pytest.mark.parametrize(("channels", "length"), [(1, 1), (2, 7), (6, 4097), (2, 30_000)])
def test_we_and_others_read_a_pipe(tmp_path: Path, channels: int, length: int) -> None:
    samples = noise(channels, length)
    content = piped(FlacWriter(FlacOptions(tags={"title": "x"})), samples, 44100, [100, 5000])
    (tmp_path / "x.flac").write_bytes(content)
    raw = ("--force-raw-format", "--endian=little", "--sign=signed")
    expected = exact(samples, 16)
    for heard in (
        ffmpeg_hears(content, channels, "i2").T,
        np.frombuffer(through(content, "flac", "-s", "-d", "-c", *raw, "-"), "<i2").reshape(-1, channels),
        np.frombuffer(through(content, "sox", "-t", "flac", "-", "-t", "s16", "-"), "<i2").reshape(-1, channels),
        np.rint(tonearm.read(tmp_path / "x.flac").samples.T * 32768),
    ):
        np.testing.assert_array_equal(heard, expected)


def test_frames_leave_a_pipe_within_half_a_second() -> None:
    pieces: list[bytes] = []
    samples = noise(1, 22_050)
    encoder = started(FlacWriter(FlacOptions()), samples, 44100, spy(pieces, ".flac"))
    encoder.write(samples[:, :4000])
    head = sum(map(len, pieces))
    for at in range(4000, 22_050, 50):
        encoder.write(samples[:, at : at + 50])
    count = sum(map(len, pieces))
    assert head < 200 < 20_000 < count
    encoder.abort()
    encoder.abort()
    assert sum(map(len, pieces)) == count


def test_clipped_samples_of_a_stream_are_counted() -> None:
    samples = np.full((1, 100), 2.0, "f4")
    context = write_all(FlacWriter(FlacOptions()), samples, 44100, spy([], ".flac"), [1] * 99)
    assert context.measurements["clipped"] == 100
    assert context.warnings == ["100 samples were beyond full scale and clipped"]
