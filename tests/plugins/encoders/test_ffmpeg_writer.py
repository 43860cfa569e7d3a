"""Every other format, by pydub and ffmpeg: decoded again, refused where ffmpeg would bend it, never a hang."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile
from encoder_helpers import by_ffmpeg, error_db, mapping, noise, run, said_by_ffmpeg, tone, yaml_hint

import tonearm
from tonearm.api import UsageError
from tonearm.run.result import Result
from tonearm_plugins.formats import ffmpeg


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Look for ffmpeg anew in each test."""
    ffmpeg.find.cache_clear()
    yield
    ffmpeg.find.cache_clear()


@pytest.fixture
def leftovers(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of temporary files, which must be empty afterwards."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


LOSSY = [".m4a", ".aac", ".ogg", ".opus", ".mp3", ".mp2", ".wma", ".ac3", ".mka", ".webm", ".mov"]
LOSSLESS = [".flac", ".oga", ".wv", ".tta", ".aiff", ".caf", ".au", ".w64", ".wav"]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("suffix", LOSSY)
def test_lossy_formats_sound_like_the_original(tmp_path: Path, suffix: str, channels: int) -> None:
    samples = tone(48000, 48000, channels)
    path, report = run(tmp_path, samples, mapping("ffmpeg-writer", suffix, 48000, bitrate=192))
    assert report.ok, report.errors
    said = said_by_ffmpeg(path)
    assert "48000 Hz, " + ("mono", "stereo")[channels - 1] in said
    got = by_ffmpeg(path).reshape(-1, channels).T
    assert abs(got.shape[1] - 48000) < 4096  # codecs that do not say their delay
    start = got[0, 10_000:20_000]  # wherever that lies in the original, it is a sine of the same height
    assert np.sqrt(2 * np.mean(start**2)) == pytest.approx(0.5, rel=0.06)
    assert np.argmax(np.abs(np.fft.rfft(start * np.hanning(10_000)))) in (91, 92)  # 440 Hz


@pytest.mark.parametrize("suffix", [".ac3", ".m4a"])
def test_the_third_of_three_channels_is_heard(tmp_path: Path, suffix: str) -> None:
    time = np.arange(48000) / 48000
    samples = np.array([0.2 * np.sin(2 * np.pi * hertz * time) for hertz in (700, 1000, 1300)], "f4")
    path, report = run(tmp_path, samples, mapping("ffmpeg-writer", suffix, 48000, bitrate=192))
    assert report.ok, report.errors
    got = by_ffmpeg(path).reshape(-1, 3).T[:, 10_000:40_000]
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(got), axis=1)), 0.2 / np.sqrt(2), rtol=0.05)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_formats_are_bit_exact(tmp_path: Path, suffix: str, channels: int) -> None:
    samples = noise(channels, 5001, 0.2)
    samples[0, :2] = 1.0, -1.0
    path, report = run(tmp_path, samples, mapping("ffmpeg-writer", suffix, 44100))
    assert report.ok, report.errors
    wanted = np.clip(np.rint(samples.T * 32768), -32768, 32767).ravel()
    got = by_ffmpeg(path, "i2")
    assert len(wanted) <= len(got) < len(wanted) + 4 * channels  # ffmpeg's W64 ends at a multiple of 8 bytes
    np.testing.assert_array_equal(got[: len(wanted)], wanted)


def test_more_bits_and_an_encoder_by_name(tmp_path: Path) -> None:
    samples = noise(1, 1000, 0.2)
    pipeline = mapping("ffmpeg-writer", ".wav", 44100, subtype="PCM_24", codec="pcm_s24le", format="wav")
    path, _ = run(tmp_path, samples, pipeline)
    assert soundfile.info(path).subtype == "PCM_24"
    np.testing.assert_array_equal(by_ffmpeg(path, "i4") >> 8, np.rint(samples[0].astype("f8") * 2**23))


@pytest.mark.parametrize("length", [1, 100])
def test_short_sounds(tmp_path: Path, length: int) -> None:
    for suffix in (".opus", ".m4a", ".ogg"):
        path, report = run(tmp_path, noise(1, length), mapping("ffmpeg-writer", suffix, 48000))
        assert report.ok, report.errors
        assert path.stat().st_size > 0


def test_parameters_and_bit_rate_reach_ffmpeg(tmp_path: Path) -> None:
    sizes = []
    for options in ({"bitrate": 32}, {"bitrate": 256}, {"parameters": ["-b:a", "8k", "-application", "voip"]}):
        path, report = run(tmp_path, noise(1, 48000), mapping("ffmpeg-writer", ".opus", 48000, **options))
        assert report.ok, report.errors
        sizes.append(path.stat().st_size)
    assert sizes[2] < sizes[0] < sizes[1] / 4


def test_a_format_by_suffix_for_a_file_of_another(tmp_path: Path) -> None:
    path, report = run(tmp_path, noise(1, 4800), mapping("ffmpeg-writer", ".audio", 48000, format="m4a"))
    assert report.ok, report.errors
    assert path.suffix == ".audio"
    assert "Audio: aac" in said_by_ffmpeg(path)


def test_tags_and_clipping(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.array([1.5, -1.5] * 500, "f4"), 48000, subtype="FLOAT")
    tags = {"title": "Grüße = ; # \n und mehr", "artist": "-i", "date": 2024}
    pipeline = mapping("ffmpeg-writer", ".m4a", 48000, tags=tags) | {
        "input": {"use": "audio-reader"},
        "limits": {"clipped": 1},
    }
    results: list[Result] = []
    report = tonearm.load_pipeline(pipeline).run([tmp_path / "in.wav"], out=tmp_path / "out", observe=results.append)
    assert results[0].warnings == ("1000 samples were beyond full scale and clipped",)
    said = said_by_ffmpeg(report.outputs[0])
    assert "title           : Grüße = ; #" in said
    assert "artist          : -i" in said
    assert "date            : 2024" in said


@pytest.mark.parametrize("suffix", [".mka", ".webm", ".ogg", ".oga", ".opus", ".m4a", ".wav"])
def test_the_same_sound_twice_is_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        path, report = run(tmp_path / name, noise(1, 4800), mapping("ffmpeg-writer", suffix, 48000))
        assert report.ok, report.errors
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("suffix", [".mp3", ".m4a"])
def test_tags_are_in_the_standard_frames_beside_those_of_parameters(tmp_path: Path, suffix: str) -> None:
    tags = {"title": "A", "bpm": 120, "lyrics": "one\ntwo", "isrc": "USRC17607839", "comment": "c", "mood": "calm"}
    given = ["-metadata", "composer=Me"]
    path, report = run(tmp_path, noise(1, 4800), mapping("ffmpeg-writer", suffix, 48000, tags=tags, parameters=given))
    assert report.ok, report.errors
    found: Any = mutagen.File(path).tags
    if suffix == ".mp3":
        frames = [str(found[name]) for name in ("TIT2", "TBPM", "USLT::XXX", "TSRC", "COMM::XXX", "TXXX:mood", "TCOM")]
        assert frames == ["A", "120", "one\ntwo", "USRC17607839", "c", "calm", "Me"]
    else:
        atoms = [found[name] for name in ("\xa9nam", "tmpo", "\xa9lyr", "\xa9cmt", "\xa9wrt")]
        assert atoms == [["A"], [120], ["one\ntwo"], ["c"], ["Me"]]
        assert bytes(found["----:com.apple.iTunes:ISRC"][0]) == b"USRC17607839"


def refused(*arguments: Any, **options: Any) -> Any:
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(mapping(*arguments, **options))
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("suffix", "rate", "options", "message", "hint"),
    [
        (
            ".opus",
            22050,
            {},
            "Opus cannot have a sample rate of 22050 Hz",
            "put resample before it, with sample_rate: 24000",
        ),
        (".m4a", 192000, {}, "AAC cannot have a sample rate of 192000 Hz", "sample_rate: 96000"),
        (".ogg", 44100, {"codec": "libopus"}, "Opus cannot have a sample rate of 44100 Hz", "sample_rate: 48000"),
        (".xyz", 48000, {}, "the suffix '.xyz' does not stand for a known format", "ffmpeg -muxers"),
        (".m4a", 48000, {"format": "raw"}, "'raw' does not tell how samples are stored", "format: s16le"),
    ],
)
def test_what_does_not_fit_is_refused_beforehand(
    suffix: str, rate: int, options: dict[str, str], message: str, hint: str
) -> None:
    problem = refused("ffmpeg-writer", suffix, rate, **options)
    assert message in problem.message
    assert hint in yaml_hint(problem)


def test_a_name_without_suffix_is_left_to_the_item(tmp_path: Path) -> None:
    _, report = run(tmp_path, noise(1, 10), mapping("ffmpeg-writer", "", 48000))
    (error,) = report.errors
    assert (error.code, error.message) == ("unknown-format", "the file name has no suffix that tells the format")


@pytest.mark.parametrize(
    ("suffix", "codec", "channels", "rate", "code"),
    [
        (".mp2", None, 6, 22050, "too-many-channels"),  # known here
        (".mka", "dca", 1, 96000, "unsupported-rate"),  # known to ffmpeg alone
        (".wav", "adpcm_ima_wav", 3, 22050, "too-many-channels"),
    ],
)
def test_ffmpeg_is_never_left_to_resample_or_mix(
    tmp_path: Path, suffix: str, codec: str | None, channels: int, rate: int, code: str
) -> None:
    _, report = run(tmp_path, noise(channels, 1000), mapping("ffmpeg-writer", suffix, rate, codec=codec))
    (error,) = report.errors
    assert error.code == code


def test_what_this_ffmpeg_cannot_do_is_said_before_the_first_file(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", noise(1, 10))
    with pytest.raises(UsageError, match="this ffmpeg does not write the format 'nope'") as caught:
        ffmpeg.require(ffmpeg.find(), container="nope", codec=None)
    assert "which lists the" in caught.value.hint
    for options, message in (({"format": "mp4", "codec": "nope"}, "this ffmpeg has no encoder 'nope'"),):
        with pytest.raises(UsageError, match=message) as caught:
            tonearm.load_pipeline(mapping("ffmpeg-writer", ".x", 48000, **options)).run(
                [tmp_path / "a.npy"], out=tmp_path / "o"
            )
        assert "which lists the" in caught.value.hint


@pytest.mark.parametrize(
    "parameters",
    [
        lambda other: [f"{other}.wav"],
        lambda other: ["-y", "-f", "wav", f"file:{other}.wav"],
        lambda other: ["-attach", "/etc/hostname", "-metadata:s:t", "mimetype=text/plain"],
        lambda other: ["-af", f"ametadata=mode=print:file={other}"],
        lambda other: ["-filter_complex", "amovie=/etc/hostname"],
        lambda other: ["-progress", f"{other}.txt"],
    ],
)
def test_parameters_that_read_or_write_other_files_are_refused(
    tmp_path: Path, parameters: Callable[[Path], list[str]]
) -> None:
    other = tmp_path / "other"
    problem = refused("ffmpeg-writer", ".mka", 48000, parameters=parameters(other))
    assert (problem.code, problem.hint) == ("unsafe-argument", "leave parameters out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["hls", "segment", "tee", "image2", "null", "alsa", "rtp", "fifo", "dash", "nope"])
def test_formats_that_are_not_one_file_are_refused(name: str) -> None:
    assert refused("ffmpeg-writer", ".x", 48000, format=name).code == "unknown-format"


def test_a_failure_is_the_items_with_what_ffmpeg_said(tmp_path: Path, leftovers: Path) -> None:
    pipeline = mapping("ffmpeg-writer", ".m4a", 48000, parameters=["-b:a", "chips"])
    _, report = run(tmp_path, noise(1, 1000), pipeline)
    (error,) = report.errors
    assert error.code == "encoder-failed"
    assert error.message.startswith("ffmpeg failed: ")
    assert "chips" in error.message
    assert "\n" not in error.message
    assert not list(leftovers.iterdir())
    assert not [path for path in (tmp_path / "out").iterdir() if path.name != ".tonearm"]


def test_nothing_is_left_when_all_goes_well(tmp_path: Path, leftovers: Path) -> None:
    assert run(tmp_path, noise(1, 1000), mapping("ffmpeg-writer", ".ogg", 48000))[1].ok
    assert not list(leftovers.iterdir())


def test_ffmpeg_on_the_path_comes_first_and_reads_the_sound_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ffmpeg.find()
    script = tmp_path / "bin" / "ffmpeg"
    script.parent.mkdir()
    copy = f"{tmp_path}/stdin.$$"
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\ncat > {copy}\nexec {real} "$@" < {copy}\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    ffmpeg.find.cache_clear()
    assert ffmpeg.find() == str(script)
    assert run(tmp_path, noise(1, 1000), mapping("ffmpeg-writer", ".ogg", 48000))[1].ok
    assert "-f ogg" in (tmp_path / "calls").read_text()
    (given,) = filter(None, (path.read_bytes() for path in tmp_path.glob("stdin.*")))
    assert (given[:4], len(given)) == (b"RIFF", 44 + 2000)


def test_without_any_ffmpeg_both_ways_to_get_one_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    tonearm.load_pipeline(mapping("ffmpeg-writer", ".ogg", 48000))  # imageio-ffmpeg will do
    assert "imageio_ffmpeg" in ffmpeg.find()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    problem = refused("ffmpeg-writer", ".ogg", 48000)
    assert (problem.code, problem.hint) == ("missing-requirement", ffmpeg.HINT)


def test_limits_are_read_from_ffmpeg_itself() -> None:
    assert ffmpeg.limits(ffmpeg.find(), "libopus")[0] == (8000, 12000, 16000, 24000, 48000)
    assert ffmpeg.limits(ffmpeg.find(), "libmp3lame") == (
        (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
        2,
    )
    assert ffmpeg.limits(ffmpeg.find(), "ac3")[1] == 6
    assert ffmpeg.limits(ffmpeg.find(), "pcm_s16le") == (None, None)


def test_vorbis_by_another_decoder(tmp_path: Path) -> None:
    samples = tone(44100, 44100)
    path, _ = run(tmp_path, samples, mapping("ffmpeg-writer", ".ogg", 44100, bitrate=192))
    got, rate = soundfile.read(path)
    assert (len(got), rate) == (44100, 44100)
    assert error_db(got, samples[0]) < -25
