"""MP4: frames have the size that the codec wants, and tags are where iTunes has them."""

from __future__ import annotations

import errno
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mutagen.mp4
import numpy as np
import pytest

from tonearm.api import Cover, ItemError, OptionError, OutputError
from tonearm_plugins.formats import mp4


@pytest.mark.parametrize("sizes", [[1], [10], [3, 4, 3], [9, 1, 1, 25], [0, 5], []])
@pytest.mark.parametrize("size", [1, 4, 10])
def test_blocks_are_cut_into_frames(sizes: list[int], size: int) -> None:
    samples = np.arange(2 * sum(sizes)).reshape(-1, 2)
    blocks = np.split(samples, np.cumsum(sizes)[:-1]) if sizes else []
    found = list(mp4._framed(blocks, size))
    assert all(len(frame) == size for frame in found[:-1])
    assert all(0 < len(frame) <= size for frame in found)
    assert sum(map(len, found)) == sum(sizes)
    if found:
        np.testing.assert_array_equal(np.concatenate(found), samples)


@pytest.mark.parametrize("channels", range(1, 7))
@pytest.mark.parametrize("length", [*range(4095, 4101), 1, 2, 3])
def test_alac_refuses_a_last_frame_that_is_too_short(length: int, channels: int) -> None:
    if channels <= 2 or length not in (1, 2, 4097, 4098):
        mp4.check_alac(length, channels)
        return
    with pytest.raises(OptionError) as caught:
        mp4.check_alac(length, channels)
    assert caught.value.code == "encoder-refused"
    assert caught.value.message == (
        f"ALAC cannot have {length} samples of {channels} channels: its last frame would have only {length % 4096}"
    )
    assert caught.value.hint == "pad it by a few samples, or use flac-writer"


LAYOUTS = ["mono", "stereo", "3.0", "4.0", "5.0", "5.1"]


@pytest.mark.parametrize("channels", range(1, 7))
@pytest.mark.parametrize(("bits", "kind"), [(16, "i2"), (24, "i4")])
def test_alac_gives_back_every_sample_of_every_channel(tmp_path: Path, channels: int, bits: int, kind: str) -> None:
    path = tmp_path / "x.m4a"
    samples = np.random.default_rng(0).integers(-(1 << bits - 1), 1 << bits - 1, (10_001, channels))
    samples = (samples << (8 if bits == 24 else 0)).astype(kind)
    blocks = [samples[:3], samples[3:9000], samples[9000:]]
    mp4.write_alac(path, blocks, sample_rate=44100, channels=channels, bits=bits)
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        frames = list(container.decode(stream))
        assert (stream.codec_context.name, stream.rate, stream.layout.name) == ("alac", 44100, LAYOUTS[channels - 1])
        assert (stream.duration, stream.start_time, stream.time_base) == (10_001, 0, Fraction(1, 44100))
    assert [frame.pts for frame in frames] == [0, 4096, 8192]
    assert np.array_equal(np.concatenate([frame.to_ndarray() for frame in frames], 1).T, samples)


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (48000, 2), (8000, 6)])
def test_aac_has_its_length_rate_and_layout(tmp_path: Path, rate: int, channels: int) -> None:
    path = tmp_path / "x.m4a"
    mp4.write_aac(path, [np.zeros((5000, channels), "f4")], sample_rate=rate, channels=channels, bitrate=48)
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        assert (stream.codec_context.name, stream.rate, stream.layout.name) == ("aac", rate, LAYOUTS[channels - 1])
        assert sum(packet.duration or 0 for packet in container.demux(stream)) >= 5000
    content = path.read_bytes()
    # The list of edits: one, of 5000 samples, after the 1024 that the encoder puts before.
    assert struct.unpack_from(">4I", content, content.index(b"elst") + 4) == (0, 1, 5000, 1024)
    assert content.index(b"moov") < content.index(b"mdat")  # players need not read it to its end first


def test_bit_rates_are_in_kilobits(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (88_200, 1)).astype("f4")
    for bitrate in (32, 128):
        mp4.write_aac(tmp_path / "x.m4a", [noise], sample_rate=44100, channels=1, bitrate=bitrate)
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
        mp4.write_alac(tmp_path / "x.m4a", [], sample_rate=44100, channels=1, bits=16)
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
        mp4.write_aac(tmp_path / "x.m4a", [], sample_rate=44100, channels=1, bitrate=64)


def tagged(folder: Path, tags: dict[str, str], cover: Cover | None = None) -> mutagen.mp4.MP4:
    path = folder / "x.m4a"
    mp4.write_alac(path, [np.zeros((100, 1), "i2")], sample_rate=44100, channels=1, bits=16)
    mp4.write_tags(path, tags, cover)
    return mutagen.mp4.MP4(path)


@pytest.mark.parametrize(
    ("name", "text", "atom", "value"),
    [
        ("track", "65535", "trkn", [(65535, 0)]),
        ("track", "1/65535", "trkn", [(1, 65535)]),
        ("disc", "3/4", "disk", [(3, 4)]),
        ("track", "65536", "TRACK", b"65536"),
        ("disc", "1/65536", "DISC", b"1/65536"),
        ("track", "A3", "TRACK", b"A3"),
        ("bpm", "65535", "tmpo", [65535]),
        ("bpm", "65535.1", "BPM", b"65535.1"),
        ("bpm", "99.5", "tmpo", [100]),
        ("bpm", "0", "tmpo", [0]),
        ("bpm", "-1", "BPM", b"-1"),
        ("title", "3/4", "\xa9nam", ["3/4"]),
        ("mood", "1", "mood", b"1"),
        ("replaygain_track_gain", "-3 dB", "REPLAYGAIN_TRACK_GAIN", b"-3 dB"),
    ],
)
def test_each_tag_has_its_atom(tmp_path: Path, name: str, text: str, atom: str, value: Any) -> None:
    found = tagged(tmp_path, {name: text})
    if isinstance(value, bytes):
        (key,) = (key for key in found if key.startswith("----") and key.rpartition(":")[2] == atom)
        assert key.startswith("----:com.apple.iTunes:")
        assert bytes(found[key][0]) == value
        assert found[key][0].dataformat == mutagen.mp4.AtomDataType.UTF8
        assert not set(found) & {"trkn", "disk", "tmpo"}
    else:
        assert found[atom] == value
        assert not any(key.startswith("----") for key in found)


@pytest.mark.parametrize(("mime", "kind"), [("image/png", 14), ("image/jpeg", 13)])
def test_covers_have_their_kind_with_tags_or_without(tmp_path: Path, mime: Any, kind: int) -> None:
    for tags in ({}, {"title": "a"}):
        (found,) = tagged(tmp_path, tags, Cover(content=b"content", mime=mime))["covr"]
        assert (bytes(found), found.imageformat) == (b"content", kind)


def test_tags_are_not_padded(tmp_path: Path) -> None:
    tagged(tmp_path, {"title": "a"})
    assert mutagen.mp4.MP4(tmp_path / "x.m4a")._padding == 0


def test_tags_are_atoms_of_itunes_and_others_have_their_own_name(tmp_path: Path) -> None:
    path = tmp_path / "x.m4a"
    samples = np.zeros((3000, 1), "f4")
    mp4.write_aac(path, [samples], sample_rate=44100, channels=1, bitrate=64)
    size = path.stat().st_size
    mp4.write_tags(path, {})
    assert path.stat().st_size == size
    mp4.write_tags(path, {"title": "Grüße", "track": "3/9", "mood": "calm", "album_artist": "B"})
    found = mutagen.mp4.MP4(path)
    assert found["\xa9nam"] == ["Grüße"]
    assert found["trkn"] == [(3, 9)]
    assert found["aART"] == ["B"]
    assert bytes(found["----:com.apple.iTunes:mood"][0]) == b"calm"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ItemError, match=r"^cannot write aac: No such file or directory$"):
        mp4.write_aac(tmp_path / "no/x.m4a", [np.zeros((10, 1), "f4")], sample_rate=44100, channels=1, bitrate=64)
