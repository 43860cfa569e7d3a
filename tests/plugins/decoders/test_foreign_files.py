"""Sound files of every format by other programs: read to the samples that their own decoders give, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from foreign_files import FILES, File, call, changed, ffmpeg, flac, lame, oggenc, opusenc, source
from other_decoders import by_ffmpeg, by_mpg123, by_oggdec, by_opusdec, heard

from tonearm.api import Context, ItemError, Source
from tonearm_plugins.decoders.audio_reader import AudioOptions, AudioReader

FEW = [name for number, name in enumerate(FILES) if number % 8 == 0]
"""Files that are read in every run of the tests; the others are slow together."""


def read(path: Path) -> tuple[Any, Context]:
    context = Context()
    (item,) = AudioReader(AudioOptions()).decode(Source(name=path.name, path=path), context)
    return item.signal, context


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("foreign")


def compare(one: File, folder: Path) -> None:
    path = folder / one.name
    if not path.exists():
        one.make(path)
    rate, wanted = heard(path, one.by)
    signal, _ = read(path)
    assert (signal.sample_rate, signal.samples.shape) == (rate, wanted.shape)
    assert np.abs(signal.samples - wanted).max() <= one.error


def test_there_are_enough_files() -> None:
    assert len(FILES) >= 150


@pytest.mark.parametrize("name", FEW)
def test_a_file_has_the_samples_that_its_decoder_gives(name: str, folder: Path) -> None:
    compare(FILES[name], folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FILES if name not in FEW])
def test_all_other_files(name: str, folder: Path) -> None:
    compare(FILES[name], folder)


@pytest.mark.parametrize(
    ("name", "make", "decoder", "error"),
    [
        ("a.mp3", lame("cd", "-V4"), by_mpg123, 4e-6),
        ("a.ogg", oggenc("cd"), by_oggdec, 2.0**-15),
        ("a.opus", opusenc("cd"), by_opusdec, 1e-3),
        ("a.oga", flac("cd", "--ogg"), by_ffmpeg, 0),
    ],
)
def test_files_one_after_the_other_are_read_one_after_the_other(
    name: str, make: Any, decoder: Any, error: float, folder: Path
) -> None:
    path = folder / f"one-{name}"
    make(path)
    rate, wanted = heard(path, decoder)
    (folder / f"three-{name}").write_bytes(3 * path.read_bytes())
    signal, _ = read(folder / f"three-{name}")
    assert signal.sample_rate == rate
    assert signal.length == 3 * wanted.shape[1]
    assert np.abs(signal.samples - np.tile(wanted, 3)).max() <= error


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("rates.mp3", lame("cd"), lame("low")),
        ("channels.mp3", lame("cd"), lame("mono")),
        ("rates.ogg", oggenc("cd"), oggenc("low")),
        ("channels.opus", opusenc("cd"), opusenc("mono")),
        ("rates.oga", flac("cd", "--ogg"), flac("low", "--ogg")),
    ],
)
def test_files_that_differ_are_not_joined(name: str, first: Any, second: Any, folder: Path) -> None:
    first(folder / f"1-{name}")
    second(folder / f"2-{name}")
    (folder / name).write_bytes((folder / f"1-{name}").read_bytes() + (folder / f"2-{name}").read_bytes())
    with pytest.raises(ItemError, match="the file joins sounds of 4") as caught:
        read(folder / name)
    assert caught.value.hint == "split it into one file for each"


@pytest.mark.parametrize("given", ["speech", "wide"])
def test_opus_of_a_low_rate_is_decoded_at_that_rate(given: str, folder: Path) -> None:
    opusenc(given)(folder / f"low-{given}.opus")
    signal, _ = read(folder / f"low-{given}.opus")
    wav = folder / f"low-{given}.wav"
    call("opusdec", "--quiet", "--float", folder / f"low-{given}.opus", wav)
    wanted = soundfile.read(wav, always_2d=True)[0].T
    assert signal.sample_rate == soundfile.info(source(given, folder)).samplerate
    assert signal.samples.shape == wanted.shape
    assert np.mean((signal.samples - wanted) ** 2) < 0.05 * np.mean(wanted**2)


def test_a_second_stream_of_sound_is_named(folder: Path) -> None:
    path = folder / "two.mka"
    call("ffmpeg", "-v", "error", "-i", source("cd", folder), "-map", "0:a", "-map", "0:a", "-c:a", "flac", path)
    signal, context = read(path)
    assert signal.length == soundfile.info(source("cd", folder)).frames
    assert context.warnings == ["it holds 2 streams of sound; only stream 0 is read"]


def test_tags_of_other_formats_come_along(folder: Path) -> None:
    for name in ("tags.m4a", "tags.mka", "tags.wma", "tags.tta"):
        make = ffmpeg("cd", "-metadata title=Gr\u00fc\u00dfe -metadata artist=A -metadata track=3/9")
        make(folder / name)
        (item,) = AudioReader(AudioOptions()).decode(Source(name=name, path=folder / name), Context())
        assert (item.tags["title"], item.tags["artist"]) == ("Gr\u00fc\u00dfe", "A")
        assert "encoder" not in item.tags
        assert "major_brand" not in item.tags


@pytest.mark.parametrize(
    "name",
    ["a.m4a", "a.mov", "a.mka", "a.webm", "a.avi", "a.wv", "a.tta", "a.wma", "a.sox", "a.flac", "a.wav", "a.mp3"],
)
def test_a_file_cut_short_is_refused(name: str, folder: Path) -> None:
    options = {"a.mov": "-c:a pcm_s16le", "a.wav": "-c:a libmp3lame"}.get(name, "")
    make = changed(ffmpeg("cd", options), lambda data: data[: len(data) * 9 // 10])
    make(folder / name)
    with pytest.raises(ItemError) as caught:
        read(folder / name)
    assert caught.value.code in ("truncated", "bad-audio")


@pytest.mark.parametrize("name", ["b.mp3", "b.mp2", "b.ac3", "b.eac3", "b.ogg", "b.spx"])
def test_a_stream_cut_short_is_warned_of(name: str, folder: Path) -> None:
    options = {"b.mp3": "-write_xing 0", "b.spx": "-c:a libspeex -ar 16000"}.get(name, "")
    make = changed(ffmpeg("mono", options), lambda data: data[: len(data) * 3 // 5])
    make(folder / name)
    _, context = read(folder / name)
    assert [text for text in context.warnings if "cut short" in text]


def test_junk_between_frames_is_named(folder: Path) -> None:
    make = changed(lame("cd", "-t"), lambda data: data[:4180] + bytes(777) + data[4180:])
    make(folder / "junk-between.mp3")
    signal, context = read(folder / "junk-between.mp3")
    assert signal.length > 70_000
    assert "bytes between the frames are no MPEG audio, and are skipped" in context.warnings[0]
