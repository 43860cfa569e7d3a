"""AAC and ALAC through PyAV: frames have the size that the codec wants, and every sample is there."""

from __future__ import annotations

import errno
import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mutagen.mp4
import numpy as np
import pytest

from tonearm.api import ItemError, OutputError
from tonearm_plugins.formats.pyav_writing import PyavEncoding, file_options, fragment_options

LAYOUTS = ["mono", "stereo", "3.0", "4.0", "5.0", "5.1"]


def encode(target: Any, blocks: list[Any], codec: str, options: Any = None, **how: Any) -> None:
    """Write blocks (channels, samples)."""
    encoding = PyavEncoding(target, "ipod", codec, options=options or file_options(how["sample_rate"]), **how)
    for block in blocks:
        encoding.write(block)
    encoding.finish()


def numbers(length: int, channels: int, bits: int) -> Any:
    samples = np.random.default_rng(0).integers(-(1 << bits - 1), 1 << bits - 1, (channels, length))
    return (samples << (8 if bits == 24 else 0)).astype("i4" if bits == 24 else "i2")


def decoded(file: Any) -> Any:
    with av.open(file) as container:
        frames = list(container.decode(container.streams.audio[0]))
    return np.concatenate([frame.to_ndarray() for frame in frames], 1)


@pytest.mark.parametrize("channels", range(1, 7))
@pytest.mark.parametrize("bits", [16, 24])
def test_alac_gives_back_every_sample_of_every_channel(tmp_path: Path, channels: int, bits: int) -> None:
    path = tmp_path / "x.m4a"
    samples = numbers(10_001, channels, bits)
    blocks = [samples[:, :3], samples[:, 3:9000], samples[:, 9000:]]
    encode(path, blocks, "alac", sample_rate=44100, channels=channels, bits=bits)
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        frames = list(container.decode(stream))
        assert (stream.codec_context.name, stream.rate, stream.layout.name) == ("alac", 44100, LAYOUTS[channels - 1])
        assert (stream.duration, stream.start_time, stream.time_base) == (10_001, 0, Fraction(1, 44100))
    assert [frame.pts for frame in frames] == [0, 4096, 8192]
    assert np.array_equal(np.concatenate([frame.to_ndarray() for frame in frames], 1), samples)


@pytest.mark.parametrize("channels", range(1, 7))
@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("length", [1, 2, 3, 4096, 4097, 4098, 4099])
def test_alac_has_any_length_in_files_and_pipes(tmp_path: Path, channels: int, bits: int, length: int) -> None:
    samples = numbers(length, channels, bits)
    how: Any = {"sample_rate": 48000, "channels": channels, "bits": bits}
    encode(tmp_path / "x.m4a", [samples], "alac", **how)
    assert np.array_equal(decoded(str(tmp_path / "x.m4a")), samples)
    taken = bytearray()
    encode(taken.extend, [samples], "alac", fragment_options(48000, 4096), **how)
    assert np.array_equal(decoded(io.BytesIO(taken)), samples)


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (48000, 2), (8000, 6)])
def test_aac_has_its_length_rate_and_layout(tmp_path: Path, rate: int, channels: int) -> None:
    path = tmp_path / "x.m4a"
    encode(path, [np.zeros((channels, 5000), "f4")], "aac", sample_rate=rate, channels=channels, bitrate=48)
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        assert (stream.codec_context.name, stream.rate, stream.layout.name) == ("aac", rate, LAYOUTS[channels - 1])
        assert sum(packet.duration or 0 for packet in container.demux(stream)) >= 5000
    content = path.read_bytes()
    # The list of edits: one, of 5000 samples, after the 1024 that the encoder puts before.
    assert struct.unpack_from(">4I", content, content.index(b"elst") + 4) == (0, 1, 5000, 1024)
    assert content.index(b"moov") < content.index(b"mdat")  # players need not read it to its end first


def test_fragments_are_short_and_last_exactly_as_long_as_the_sound() -> None:
    taken = bytearray()
    how: Any = {"sample_rate": 44100, "channels": 1, "bitrate": 96}
    encode(taken.extend, [np.zeros((1, 22_051), "f4")], "aac", fragment_options(44100, 1024), **how)
    # The list of edits: all that follows, after the 1024 samples that the encoder puts before.
    assert struct.unpack_from(">4I", taken, taken.index(b"elst") + 4) == (0, 1, 0, 1024)
    assert taken.index(b"moov") < taken.index(b"moof")
    with av.open(io.BytesIO(taken)) as container:
        packets = [packet for packet in container.demux() if packet.size]
    assert (packets[0].pts, packets[-1].pts + packets[-1].duration) == (-1024, 22_051)
    assert taken.count(b"moof") >= (22_051 + 1024) / 44100 / 0.25


def test_bit_rates_are_in_kilobits(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 88_200)).astype("f4")
    for bitrate in (32, 128):
        encode(tmp_path / "x.m4a", [noise], "aac", sample_rate=44100, channels=1, bitrate=bitrate)
        assert mutagen.mp4.MP4(tmp_path / "x.m4a").info.bitrate == pytest.approx(bitrate * 1000, rel=0.1)


DISK = {errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}


@pytest.mark.parametrize("number", [*sorted(DISK), errno.EINVAL, errno.ENOENT])
@pytest.mark.parametrize("reason", ["Some Reason", None])
def test_errors_of_the_disk_are_the_output_sides_and_others_the_encoders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str | None
) -> None:
    class DiskError(av.FFmpegError, OSError):
        errno = number
        strerror = reason

        def __str__(self) -> str:
            return "Its Text"

    def refuse(*_: object, **__: object) -> None:
        raise DiskError(number, reason)

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises((OutputError, ItemError)) as caught:
        encode(tmp_path / "x.m4a", [], "alac", sample_rate=44100, channels=1, bits=16)
    text = reason or "Its Text"
    if number in DISK:
        assert (type(caught.value), caught.value.message) == (OutputError, f"cannot write: {text.lower()}")
    else:
        assert (type(caught.value), caught.value.message) == (ItemError, f"cannot write alac: {text}")
        assert caught.value.code == "encoder-refused"


def test_errors_of_the_encoder_are_no_errors_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even with the number of one."""

    def refuse(*_: object, **__: object) -> None:
        raise av.FFmpegError(errno.EIO, "no")

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(ItemError, match=r"^cannot write aac: no$"):
        encode(tmp_path / "x.m4a", [], "aac", sample_rate=44100, channels=1, bitrate=64)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ItemError, match=r"^cannot write aac: No such file or directory$"):
        encode(tmp_path / "no/x.m4a", [np.zeros((1, 10), "f4")], "aac", sample_rate=44100, channels=1, bitrate=64)


@pytest.mark.parametrize("error", [BrokenPipeError("gone"), KeyboardInterrupt()])
def test_the_error_of_the_one_who_takes_the_bytes_is_raised_as_it_is(error: BaseException) -> None:
    calls = []

    def take(content: bytes) -> None:
        calls.append(content)
        raise error

    how: Any = {"sample_rate": 44100, "channels": 1, "bitrate": 64}
    with pytest.raises(type(error)) as caught:
        encode(take, [np.zeros((1, 44_100), "f4")] * 3, "aac", fragment_options(44100, 1024), **how)
    assert caught.value is error
    assert len(calls) == 1


def test_nothing_is_written_into_a_pipe_after_an_abort() -> None:
    taken = bytearray()
    how: Any = {"sample_rate": 44100, "channels": 1, "bitrate": 64}
    encoding = PyavEncoding(taken.extend, "ipod", "aac", options=fragment_options(44100, 1024), **how)
    encoding.write(np.zeros((1, 44_100), "f4"))
    before = len(taken)
    encoding.abort()
    encoding.abort()
    assert len(taken) == before > 0


@pytest.mark.parametrize("options", [file_options(44100), fragment_options(44100, 4096)])
def test_no_samples_are_a_sound_of_no_length(tmp_path: Path, options: dict[str, str]) -> None:
    encode(tmp_path / "x.m4a", [], "alac", options, sample_rate=44100, channels=1, bits=16)
    assert mutagen.mp4.MP4(tmp_path / "x.m4a").info.length == 0
