"""Audio files in: every container, exact where the format is, tags, and each fault said as one of its file."""

from __future__ import annotations

import contextlib
import io
import os
import random
import subprocess
import zlib
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import mutagen.flac
import mutagen.id3
import numpy as np
import pytest
import soundfile
from decoder_reading import mutated
from hostile_sounds import mp3_in_wav
from scipy.io import savemat, wavfile

import tonearm
from tonearm.api import Context, Item, ItemError, Source, Waveform, limited_memory
from tonearm_plugins.decoders.audio_reader import AudioOptions, AudioReader
from tonearm_plugins.formats.sound_reading import decode_bytes

PCM = [
    (container, subtype)
    for container in ("WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF")
    for subtype in ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
]
LOSSLESS = [*PCM, ("WAV", "PCM_U8"), ("AIFF", "PCM_S8"), ("FLAC", "PCM_S8"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24")]
LOSSY = [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]
BITS = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


def read(source: Any, **options: Any) -> tuple[Item[Waveform], Context]:
    context = Context()
    (item,) = AudioReader(AudioOptions(**options)).decode(as_source(source), context)
    return item, context


def as_source(given: Any) -> Source:
    if isinstance(given, Path):
        return Source(name=str(given), path=given)
    return Source(name="<file>", file=io.BytesIO(given) if isinstance(given, bytes) else given)


def error_of(source: Any, **options: Any) -> ItemError:
    with pytest.raises(ItemError) as caught:
        read(source, **options)
    return caught.value


def made(container: str, subtype: str, samples: Any, rate: int = 48000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def tone(channels: int, length: int, rate: int = 48000) -> Any:
    phases = np.arange(channels)
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(length)[:, None] / rate + phases)


@pytest.mark.parametrize(("container", "subtype"), LOSSLESS)
@pytest.mark.parametrize(("channels", "length"), [(1, 1), (2, 5000), (6, 50_001)])
def test_lossless_formats_give_every_digit(
    tmp_path: Path, container: str, subtype: str, channels: int, length: int
) -> None:
    rng = np.random.default_rng(length)
    if subtype in BITS:
        bits = BITS[subtype]
        whole = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (length, channels), dtype="i8")
        wanted = whole / 2 ** (bits - 1)
        path = tmp_path / "sound"
        path.write_bytes(made(container, subtype, (whole << (32 - bits)).astype("i4")))
    else:
        wanted = rng.uniform(-1.5, 1.5, (length, channels)).astype("f4" if subtype == "FLOAT" else "f8")
        path = tmp_path / "sound"
        path.write_bytes(made(container, subtype, wanted))
    signal = read(path)[0].signal
    assert signal.sample_rate == 48000
    assert signal.samples.dtype == ("f8" if subtype in ("PCM_32", "DOUBLE") else "f4")
    if (container, subtype, length) == ("AIFF", "PCM_S8", 1):  # libsndfile writes two into the header
        signal = Waveform(samples=signal.samples[:, :1], sample_rate=48000)
    np.testing.assert_array_equal(signal.samples, wanted.T)


@pytest.mark.parametrize(("container", "subtype"), LOSSY)
@pytest.mark.parametrize("channels", [1, 2])
def test_lossy_formats_have_their_length_and_sound(tmp_path: Path, container: str, subtype: str, channels: int) -> None:
    wanted = tone(channels, 48_123)
    (tmp_path / "sound").write_bytes(made(container, subtype, wanted))
    signal = read(tmp_path / "sound")[0].signal
    assert signal.samples.shape == (channels, 48_123)
    assert signal.samples.dtype == "f4"
    assert np.mean((signal.samples - wanted.T) ** 2) < 0.01 * np.mean(wanted**2)


def test_scipy_and_ffmpeg_write_what_is_read(tmp_path: Path) -> None:
    whole = np.random.default_rng(0).integers(-32768, 32768, (1000, 2), dtype="i2")
    wavfile.write(tmp_path / "a.wav", 22050, whole)
    np.testing.assert_array_equal(read(tmp_path / "a.wav")[0].signal.samples, whole.T / 32768)
    for name in ("a.flac", "a.aiff", "a.caf", "a.w64"):
        by_ffmpeg(tmp_path / "a.wav", tmp_path / name)
        np.testing.assert_array_equal(read(tmp_path / name)[0].signal.samples[:, :1000], whole.T / 32768)


def by_ffmpeg(source: Path, to: Path, *more: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(source), *more, str(to)]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)


def test_an_open_file_is_read_as_a_path_is(tmp_path: Path) -> None:
    data = made("FLAC", "PCM_16", tone(2, 1000))
    (tmp_path / "a.flac").write_bytes(data)
    wanted = read(tmp_path / "a.flac")[0].signal.samples
    np.testing.assert_array_equal(read(data)[0].signal.samples, wanted)
    with (tmp_path / "a.flac").open("rb") as file:
        np.testing.assert_array_equal(read(file)[0].signal.samples, wanted)


def found(source: Source) -> Any:
    """All that comes of a source: samples, tags and warnings, or the error."""
    context = Context()
    try:
        (item,) = AudioReader(AudioOptions()).decode(source, context)
    except ItemError as error:
        return error.code, error.message, error.hint
    return item.signal.samples.tobytes(), item.signal.sample_rate, dict(item.tags), context.warnings


@pytest.mark.parametrize(("container", "subtype"), [*PCM[::5], ("FLAC", "PCM_16"), ("AIFF", "PCM_16"), *LOSSY])
def test_content_in_memory_is_read_as_a_path_is_whole_or_broken(
    tmp_path: Path, container: str, subtype: str, chance: random.Random, capfd: pytest.CaptureFixture[str]
) -> None:
    # A disk refuses positions behind its largest file, to which a damaged size may lead, and memory does not.
    descriptor = os.memfd_create("a")
    path = Path(f"/proc/self/fd/{descriptor}")
    data = made(container, subtype, tone(2, 3000))
    for content in [data, data[:-1], data[:100], data[:20], b"", *(mutated(data, chance) for _ in range(15))]:
        path.write_bytes(content)
        expected = found(Source(name="a", path=path))
        assert found(Source(name="a", path=tmp_path / "gone", content=content)) == expected
    os.close(descriptor)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "AIFF"])
def test_tags_come_along(tmp_path: Path, container: str) -> None:
    with soundfile.SoundFile(tmp_path / "a", "w", 48000, 1, format=container) as file:
        file.title, file.artist, file.comment, file.software = "Grüße", "A", "hello", "some program"
        file.write(tone(1, 100))
    assert read(tmp_path / "a")[0].tags == {"title": "Grüße", "artist": "A", "comment": "hello"}


def test_chunks_of_an_aiff_by_another_program_are_tags(tmp_path: Path) -> None:
    """Texts before the samples, as Apple's programs write them, without ID3."""
    data = made("AIFF", "PCM_16", tone(1, 100))
    texts = {b"NAME": "Grüße", b"AUTH": "A", b"(c) ": "© 2024 The lab", b"ANNO": "hello"}
    chunks = b""
    for name, text in texts.items():
        content = text.encode()
        chunks += name + len(content).to_bytes(4, "big") + content + b"\0" * (len(content) % 2)
    whole = b"AIFF" + chunks + data[12:]
    (tmp_path / "a.aiff").write_bytes(b"FORM" + len(whole).to_bytes(4, "big") + whole)
    tags = {"title": "Grüße", "artist": "A", "copyright": "© 2024 The lab", "comment": "hello"}
    assert read(tmp_path / "a.aiff")[0].tags == tags


def test_totals_of_tracks_and_discs_are_in_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(made("FLAC", "PCM_16", tone(1, 100)))
    file = mutagen.flac.FLAC(tmp_path / "a.flac")
    file.update({"TRACKNUMBER": "3", "TRACKTOTAL": "9", "DISCNUMBER": "1/2", "TOTALDISCS": "2", "ALBUMARTIST": "B"})
    file.save()
    assert read(tmp_path / "a.flac")[0].tags == {"track": "3/9", "disc": "1/2", "album_artist": "B"}


def test_id3_tags_come_along(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(made("MP3", "MPEG_LAYER_III", tone(1, 5000)))
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TIT2(encoding=1, text="Grüße"))
    tags.add(mutagen.id3.TPE1(encoding=3, text="A"))
    tags.save(tmp_path / "a.mp3")
    item, _ = read(tmp_path / "a.mp3")
    assert item.tags == {"title": "Grüße", "artist": "A"}
    assert item.signal.length == 5000


def test_tags_that_would_be_wrong_of_another_file_stay(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(made("FLAC", "PCM_16", tone(1, 5000)))
    file = mutagen.flac.FLAC(tmp_path / "a.flac")
    file.update({"Mood": ["calm", "slow"], "REPLAYGAIN_TRACK_GAIN": "-7 dB", "encoder": "x", "R128_TRACK_GAIN": "-9"})
    file.save()
    assert read(tmp_path / "a.flac")[0].tags == {"mood": "calm; slow"}


@pytest.mark.parametrize("container", ["FLAC", "OGG", "MP3", "WAV", "AIFF"])
def test_broken_tags_raise_nothing_but_item_errors(container: str) -> None:
    subtype = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}.get(container, "PCM_16")
    data = made(container, subtype, tone(1, 3000))
    bare = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(data)
        for at in bare.integers(0, min(len(data), 400), 4):
            broken[at] = bare.integers(256)
        with contextlib.suppress(ItemError):
            read(bytes(broken))


def test_tags_go_through_a_pipeline(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.ogg", "w", 48000, 1) as file:
        file.title = "Grüße"
        file.write(tone(1, 5000))
    outputs = [{"use": f"{kind}-writer", "file": f"{{stem}}.{kind}"} for kind in ("mp3", "flac")]
    pipeline = {"tonearm": 1, "input": {"use": "audio-reader"}, "steps": [], "outputs": outputs}
    report = tonearm.load_pipeline(pipeline).run([tmp_path / "a.ogg"], out=tmp_path / "out")
    assert report.ok
    for path in report.outputs:
        with soundfile.SoundFile(path) as file:
            assert (file.title, file.frames) == ("Grüße", 5000)


@pytest.mark.parametrize("container", ["WAV", "AIFF", "RF64", "W64"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_cut_short_is_refused(container: str, channels: int) -> None:
    data = made(container, "PCM_16", tone(channels, 5000))
    for size in (len(data) // 2, len(data) - 2000):
        error = error_of(data[:size])
        assert error.code == "truncated"
        assert error.message.startswith("the file is cut short: ")
        assert "the write was interrupted" in error.hint


@pytest.mark.parametrize(("container", "subtype"), [*LOSSY, ("FLAC", "PCM_16"), ("CAF", "PCM_16")])
def test_a_coded_file_cut_short_is_refused_or_warned_of(container: str, subtype: str) -> None:
    data = made(container, subtype, np.random.default_rng(0).uniform(-0.5, 0.5, (96_000, 2)))
    assert not read(data)[1].warnings
    if container == "OGG":
        item, context = read(data[: len(data) * 4 // 5])  # at half, libsndfile refuses some itself
        assert context.warnings == ["the Ogg stream has no end mark: it may be cut short"]
        assert item.signal.length < 96_000
    else:
        assert error_of(data[: len(data) // 2]).code in ("truncated", "bad-audio")


@pytest.mark.parametrize(("container", "subtype"), [*LOSSY, *LOSSLESS])
def test_stumps_are_refused_and_noise_is_read_or_raises_an_item_error(container: str, subtype: str) -> None:
    data = made(container, subtype, tone(1, 5000))
    rng = np.random.default_rng(0)
    for size in (0, 1, 4, 12, 30, 44, 60):
        assert error_of(data[:size]).code in ("bad-audio", "truncated", "empty")
    for _ in range(20):
        damaged = bytearray(data)
        for at in rng.integers(0, min(200, len(data)), 5):
            damaged[at] = rng.integers(256)
        try:
            read(bytes(damaged))
        except ItemError as error:
            assert error.message  # noqa: PT017 - some damage does no harm


def test_what_is_no_audio_says_what_to_do(tmp_path: Path) -> None:
    error = error_of(b"hello " * 100)
    assert error.code == "bad-audio"
    assert error.message == "it is not a known audio format; it looks like text"
    error = error_of(b"RIFF" + bytes(100))
    assert error.message == "it begins as a WAV file, but is broken"
    assert "ffmpeg -i FILE FILE.wav" in error.hint
    assert "ffmpeg -i FILE FILE.wav" in error_of(b"\7" * 100).hint
    error = error_of(b"\0\0\0\x20ftypM4A " + bytes(100))
    assert error.message.startswith("it begins as an MP4 file, such as M4A, but cannot be read: ")
    assert error_of(b"").message == "it is not a known audio format; it looks like an empty file: it has 0 bytes"
    assert error_of(tmp_path).code == "not-a-file"
    assert error_of(tmp_path / "nowhere.wav").code == "unreadable"


@pytest.mark.parametrize("form", ["4", "5"])
def test_a_matlab_file_is_no_sound_though_libsndfile_reads_it(form: str) -> None:
    file = io.BytesIO()
    savemat(file, {"samplerate": 8000.0, "wavedata": tone(1, 400)}, format=form)
    error = error_of(file.getvalue())
    assert (error.code, error.hint) == ("bad-audio", "read it by mat-reader")
    assert error.message == "it is not a known audio format; it looks like a MATLAB file"


def test_no_samples_at_all_are_refused() -> None:
    assert error_of(made("WAV", "PCM_16", np.zeros((0, 1)))).code == "empty"


def test_sizes_that_a_pipe_left_open_are_accepted(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1, 44100, 44100), 44100)
    for muxer in ("wav", "w64", "aiff"):
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(tmp_path / "a.wav"), "-f", muxer, "-"]
        piped = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
        assert read(piped)[0].signal.length in (44100, 44104)


def test_flac_from_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    whole = np.random.default_rng(0).integers(-32768, 32768, (70_000, 2), dtype="i2")
    soundfile.write(tmp_path / "a.wav", whole, 44100)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(tmp_path / "a.wav"), "-f", "flac", "-"]
    piped = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
    assert piped[21] & 15 == 0, "its header has the length"
    assert piped[22:26] == bytes(4), "its header has the length"
    np.testing.assert_array_equal(read(piped)[0].signal.samples, whole.T / 32768)
    with limited_memory(50_000_000 + 2 * 2 * 70_000 * 4 - 1):
        assert error_of(piped).code == "too-large"


def test_mp3_without_an_info_frame_is_read_to_its_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1, 88200, 44100), 44100)
    by_ffmpeg(tmp_path / "a.wav", tmp_path / "a.mp3", "-write_xing", "0")
    assert 88200 <= read(tmp_path / "a.mp3")[0].signal.length < 88200 + 3 * 1152


def test_a_header_that_claims_the_moon_costs_nothing() -> None:
    data = bytearray(made("FLAC", "PCM_16", tone(1, 1000)))
    data[21] |= 0x0F  # the upper four of the 36 bits that count samples
    data[22:26] = b"\xff\xff\xff\x00"
    assert error_of(bytes(data)).code in ("truncated", "too-long", "bad-audio")


@pytest.mark.parametrize(("policy", "first"), [("zero", 0.0), ("keep", np.nan)])
def test_nan_as_the_option_says(policy: str, first: float) -> None:
    samples = np.full((100, 1), 0.5, "f4")
    samples[0] = np.nan
    data = made("WAV", "FLOAT", samples)
    error = error_of(data)
    assert (error.code, error.message) == ("not-finite", "1 of 100 values of the waveform array are NaN or infinite")
    item, context = read(data, nan=policy)
    np.testing.assert_array_equal(item.signal.samples[0, :2], np.array([first, 0.5], "f4"))
    assert bool(context.warnings) == (policy == "zero")


def test_floats_beyond_full_scale_need_a_word() -> None:
    data = made("WAV", "FLOAT", tone(1, 1000) * 32768)
    error = error_of(data)
    assert error.code == "beyond-full-scale"
    assert "full_scale: 32768" in error.hint
    np.testing.assert_allclose(read(data, full_scale=32768.0)[0].signal.samples, tone(1, 1000).T, atol=1e-7)
    # Integers say themselves what full scale is.
    whole = made("WAV", "PCM_16", tone(1, 1000))
    np.testing.assert_array_equal(read(whole, full_scale=32768.0)[0].signal.samples, read(whole)[0].signal.samples)


def test_an_array_in_memory_is_refused() -> None:
    source = Source(name="<array>", array=np.zeros(10, "f4"))
    with pytest.raises(ItemError, match="an array in memory is not an audio file") as caught:
        list(AudioReader(AudioOptions()).decode(source, Context()))
    assert "npy-reader takes arrays" in caught.value.hint


def test_a_waveform_is_known_beforehand() -> None:
    assert AudioReader(AudioOptions()).produces().signals == (Waveform,)
    pipeline = {
        "tonearm": 1,
        "input": {"use": "audio-reader"},
        "steps": [{"use": "istft"}],
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    }
    with pytest.raises(tonearm.PipelineError, match="istft takes complex, but audio-reader gives waveform"):
        tonearm.load_pipeline(pipeline)


@pytest.mark.parametrize(("container", "subtype", "channels"), [("FLAC", "PCM_16", 6), ("OGG", "VORBIS", 2)])
def test_long_digital_silence_is_read(container: str, subtype: str, channels: int, tmp_path: Path) -> None:
    """Ten minutes take a seven-thousandth as FLAC of six channels."""
    with soundfile.SoundFile(tmp_path / "a", "w", 8000, channels, subtype, format=container) as file:
        for _ in range(60):
            file.write(np.zeros((80_000, channels), "i2"))
    samples = read(tmp_path / "a")[0].signal.samples
    assert samples.shape == (channels, 4_800_000)
    assert not samples.any()


def test_a_damaged_mp3_file_prints_nothing_even_if_it_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.mp3"
    data = made("MP3", "MPEG_LAYER_III", tone(1, 20000))
    path.write_bytes(data[:900] + bytes(200) + data[900:] + b"TAG" + bytes(300))
    with soundfile.SoundFile(path) as sound:
        sound.read()
    assert "Illegal" in capfd.readouterr().err, "libmpg123 prints it"
    with contextlib.suppress(ItemError):
        read(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("data", [b"hello " * 100, bytes(5000), mp3_in_wav()])
def test_a_resource_fork_in_the_current_folder_is_not_opened(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("._")  # libsndfile would wait for its other end
    assert error_of(data).code == "bad-audio"
    with pytest.raises(ItemError):
        decode_bytes(data, "row 1")
    for container, subtype in (("WAV", "PCM_16"), ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("CAF", "PCM_16")):
        sound = made(container, subtype, tone(1, 20000))
        assert decode_bytes(sound, "row 1")[1] == 48000
        Path("a").write_bytes(sound)
        for source in (sound, Path("a").absolute(), Path("a")):
            assert read(source)[0].signal.sample_rate == 48000


@pytest.mark.parametrize(
    ("container", "subtype", "size"), [("FLAC", "PCM_16", 4), ("WAV", "PCM_16", 4), ("W64", "DOUBLE", 8)]
)
def test_samples_that_take_more_memory_than_is_allowed_are_refused(container: str, subtype: str, size: int) -> None:
    data = made(container, subtype, np.zeros((1_000_000, 2)))
    with limited_memory(50_000_000 + 2 * size * 1_000_000):
        assert read(data)[0].signal.length == 1_000_000
    with limited_memory(50_000_000 + 2 * size * 1_000_000 - 2):
        assert error_of(data).code == "too-large"
    with limited_memory(4 * size * 1_000_000 - 2), pytest.raises(ItemError, match="'row 1' would take "):
        decode_bytes(data, "row 1")


@pytest.mark.parametrize(
    ("text", "title"), [(b"\0A title of some length", "A title of some length"), (bytes(30_000_000), None)]
)
def test_compressed_frames_of_id3_are_bounded(text: bytes, title: str | None) -> None:
    packed = len(text).to_bytes(4, "big") + zlib.compress(text)
    body = b"TIT2" + len(packed).to_bytes(4, "big") + b"\0\x80" + packed
    sizes = bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0))
    sound = b"ID3\3\0\0" + sizes + body + made("MP3", "MPEG_LAYER_III", tone(1, 20000))
    assert read(sound)[0].tags.get("title") == title
