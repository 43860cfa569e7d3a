"""Sound files of every format by other programs: read to the samples that their own decoders give, or refused."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from foreign_files import (
    APE,
    FILES,
    ID3V1,
    JUNK,
    VIDEO,
    File,
    call,
    changed,
    ffmpeg,
    flac,
    lame,
    oggenc,
    opusenc,
    source,
)
from more_foreign_files import MORE_FILES, wav
from other_decoders import by_ffmpeg, by_mpg123, by_oggdec, by_opusdec, heard

from tonearm.api import Context, ItemError, Source, UsageError
from tonearm_plugins.decoders.audio_reader import AudioOptions, AudioReader
from tonearm_plugins.formats import ffmpeg as ffmpeg_program
from tonearm_plugins.formats import ffmpeg_reading
from tonearm_plugins.formats.sound_reading import decode_bytes

ALL = FILES | MORE_FILES
MENDED = ("adpcm.avi", "alac-eight.m4a", "spdif.wav", "dts-cd.wav", "three.opus", "piped.caf", "piped.wma", "one.mka")
FEW = [name for number, name in enumerate(ALL) if number % 12 == 0 or name in MENDED]
"""Files that are read in every run of the tests; the others are slow together."""


def read(path: Path) -> tuple[Any, Context]:
    context = Context()
    (item,) = AudioReader(AudioOptions()).decode(Source(name=path.name, path=path), context)
    return item.signal, context


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("foreign")


def another_version() -> int:
    """Return the version of imageio-ffmpeg's ffmpeg, such as 9 of ``n9.0.2`` and 7 of ``7.0.2-static``."""
    return int(imageio_ffmpeg.get_ffmpeg_version().lstrip("n").partition(".")[0])


def compare(one: File, folder: Path) -> None:
    path = folder / one.name
    if not path.exists():
        one.make(path)
    rate, wanted = heard(path, one.by)
    if one.name.startswith("aac") and path.suffix == ".m4a" and another_version() < 8:
        pytest.skip("ffmpeg before 8 gives the padding behind AAC, too")
    signal, _ = read(path)
    assert (signal.sample_rate, signal.samples.shape) == (rate, wanted.shape)
    assert np.abs(signal.samples - wanted).max() <= one.error


def test_there_are_enough_files() -> None:
    assert len(ALL) == len(FILES) + len(MORE_FILES) >= 250


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", FEW)
def test_a_file_has_the_samples_that_its_decoder_gives(name: str, folder: Path) -> None:
    compare(ALL[name], folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ALL if name not in FEW])
def test_all_other_files(name: str, folder: Path) -> None:
    compare(ALL[name], folder)


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


@pytest.mark.parametrize(
    ("name", "codec", "warning"),
    [
        ("longer.mka", "flac", "it holds 2 streams of sound; only stream 0 is read"),
        ("longer.ogg", "libvorbis", "it holds 2 streams of sound; only the first is read"),
    ],
)
def test_a_stream_may_be_shorter_than_another(name: str, codec: str, warning: str, folder: Path) -> None:
    inputs = ["-i", source("cd", folder), "-i", source("mono", folder)]
    call("ffmpeg", "-v", "error", *inputs, "-map", "0:a", "-map", "1:a", "-c:a", codec, folder / name)
    signal, context = read(folder / name)
    assert abs(signal.length - soundfile.info(source("cd", folder)).frames) < 1000
    assert context.warnings == [warning]


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


@pytest.mark.parametrize("name", ["e.au", "e.caf", "e.w64", "e.flv", "e.rm", "e.webm"])
@pytest.mark.parametrize("missing", [1, 9000])
def test_a_file_cut_short_anywhere_is_refused(name: str, missing: int, folder: Path) -> None:
    options = {"e.rm": "-c:a ac3 -ac 1", "e.webm": "-live 1"}.get(name, "")
    path = folder / name
    if not path.exists():
        ffmpeg("cd", options)(path)
    whole = read(path)[0].length
    short = folder / f"short-{name}"
    short.write_bytes(path.read_bytes()[: -missing - 10 * (name == "e.rm")])
    with pytest.raises(ItemError) as caught:
        read(short)
    assert (caught.value.code, whole > 70_000) == ("truncated", True)


@pytest.mark.parametrize("name", ["b.mp3", "b.mp2", "b.ac3", "b.eac3", "b.ogg", "b.spx", "b.dts", "b.thd", "b.nut"])
def test_a_stream_cut_short_is_warned_of(name: str, folder: Path) -> None:
    options = {"b.mp3": "-write_xing 0", "b.spx": "-c:a libspeex -ar 16000", "b.nut": "-c:a pcm_s16le"}.get(name, "")
    options = "-strict -2 -ar 48000" if name in ("b.dts", "b.thd") else options
    make = changed(ffmpeg("mono", options), lambda data: data[: len(data) * 3 // 5 - 5])
    make(folder / name)
    _, context = read(folder / name)
    assert [text for text in context.warnings if "cut short" in text]


JUNK_BEHIND = [
    "a.w64",
    "a.m4a",
    "a.mov",
    "a.wv",
    "a.ac3",
    "a.latm",
    "a.ts",
    "a.wma",
    "a.webm",
    "a.gsm",
    "a.flac",
    "a.caf",
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", JUNK_BEHIND)
def test_what_follows_the_sound_is_not_played(name: str, folder: Path) -> None:
    options = {"a.webm": "-live 1", "a.latm": "-c:a aac", "a.gsm": "-c:a libgsm -ar 8000"}.get(name, "")
    path = folder / f"junk-{name}"
    ffmpeg("mono", f"{options} -f mpegts" if name == "a.ts" else options)(path)
    wanted = read(path)[0].samples
    data = path.read_bytes()
    for behind in (ID3V1, APE + ID3V1, JUNK):
        path.write_bytes(data + behind)
        np.testing.assert_array_equal(read(path)[0].samples, wanted)


@pytest.mark.parametrize("name", ["p.mp4", "p.mkv", "p.avi", "p.flv", "p.ogv"])
def test_pictures_without_sound_are_said_to_be_that(name: str, folder: Path) -> None:
    codec = {"p.ogv": "libtheora", "p.flv": "flv"}.get(name, "mpeg4")
    call("ffmpeg", "-v", "error", "-y", *VIDEO.split(), "-c:v", codec, folder / name)
    with pytest.raises(ItemError, match=r"it has no sound, only pictures: it is an? ") as caught:
        read(folder / name)
    assert (caught.value.code, caught.value.hint) == ("empty", "choose a file with sound")


def test_24_bits_in_32_are_the_upper_ones(folder: Path) -> None:
    """ffmpeg reads these wrongly."""
    whole = np.random.default_rng(1).integers(-(2**23), 2**23, (2, 900))
    data = (whole.T << 8).astype("<i4").tobytes()
    extension = struct.pack("<HHIH", 22, 24, 3, 1) + bytes.fromhex("000000001000800000aa00389b71")
    path = folder / "24-in-32.wav"
    path.write_bytes(wav(0xFFFE, 2, 32, data, extension))
    np.testing.assert_array_equal(read(path)[0].samples, whole / 2.0**23)


def test_junk_between_frames_is_named(folder: Path) -> None:
    make = changed(lame("cd", "-t"), lambda data: data[:4180] + bytes(777) + data[4180:])
    make(folder / "junk-between.mp3")
    signal, context = read(folder / "junk-between.mp3")
    assert signal.length > 70_000
    assert "bytes between the frames are no MPEG audio, and are skipped" in context.warnings[0]


def verbatim_flac(whole: Any, bits: int) -> bytes:
    """Return FLAC whose samples stand in it as they are, of any number of bits: one channel in one frame."""

    def coded(values: list[tuple[int, int]]) -> bytes:
        text = "".join(f"{value & (1 << width) - 1:0{width}b}" for value, width in values)
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")

    def crc(data: bytes, width: int, polynomial: int) -> int:
        state = 0
        for byte in data:
            state ^= byte << (width - 8)
            for _ in range(8):
                state = (state << 1) ^ (polynomial if state >> (width - 1) else 0)
                state &= (1 << width) - 1
        return state

    count = len(whole)
    info = coded([(count, 16), (count, 16), (0, 48), (44100, 20), (0, 3), (bits - 1, 5), (count, 36)]) + bytes(16)
    code = {12: 2, 20: 5}.get(bits, 0)  # 0 is the number in the header of the file
    head = coded([(0xFFF8, 16), (7, 4), (9, 4), (0, 4), (code, 3), (0, 1), (0, 8), (count - 1, 16)])
    head += bytes([crc(head, 8, 0x07)])
    frame = head + coded([(2, 8), *((int(value), bits) for value in whole)])
    return b"fLaC" + bytes([0x80, 0, 0, 34]) + info + frame + crc(frame, 16, 0x8005).to_bytes(2, "big")


@pytest.mark.parametrize("bits", [8, 12, 15, 16, 20, 24])
def test_flac_of_any_number_of_bits(bits: int, folder: Path) -> None:
    whole = np.random.default_rng(bits).integers(-(1 << (bits - 1)), 1 << (bits - 1), 4000)
    path = folder / f"{bits}-bits.flac"
    path.write_bytes(verbatim_flac(whole, bits))
    call("flac", "--totally-silent", "-t", path)
    np.testing.assert_array_equal(read(path)[0].samples[0], whole / 2.0 ** (bits - 1))


@pytest.mark.parametrize(
    ("name", "message"), [("c.m4a", "it is an MP4 file, such as M4A, "), ("c.wma", "it is a Windows ")]
)
def test_without_pyav_and_ffmpeg_the_format_is_named_with_the_line_that_installs_one(
    name: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> str:
        raise UsageError("ffmpeg is not installed", code="missing-requirement")

    ffmpeg("cd")(folder / name)
    monkeypatch.setattr(ffmpeg_reading, "_has_pyav", lambda: False)
    monkeypatch.setattr(ffmpeg_program, "find", missing)
    with pytest.raises(ItemError) as caught:
        read(folder / name)
    assert caught.value.message.startswith(message)
    assert caught.value.hint == "pip install 'tonearm[m4a]'"
    path = folder / "20-without.flac"
    path.write_bytes(verbatim_flac(np.arange(50), 20))
    with pytest.raises(ItemError, match="it cannot be read as audio: ") as caught:
        read(path)
    assert (caught.value.code, caught.value.hint) == ("bad-audio", "pip install 'tonearm[m4a]'")


@pytest.mark.parametrize("name", ["d.m4a", "d.mp3", "d.oga", "d.wv"])
def test_an_open_file_and_bytes_in_a_table_are_read_as_a_path_is(name: str, folder: Path) -> None:
    options = {"d.mp3": "-write_xing 0", "d.oga": "-c:a flac"}.get(name, "")
    ffmpeg("cd", options)(folder / name)
    wanted = read(folder / name)[0].samples
    data = (folder / name).read_bytes()
    (item,) = AudioReader(AudioOptions()).decode(Source(name="<file>", file=io.BytesIO(data)), Context())
    np.testing.assert_array_equal(item.signal.samples, wanted)
    np.testing.assert_array_equal(decode_bytes(data, "row 1")[0], wanted)
    found = AudioReader(AudioOptions()).look(Source(name=name, path=folder / name))
    assert (found.sample_rate, found.channels) == (44100, 2)
    assert found.length in (None, wanted.shape[1])
