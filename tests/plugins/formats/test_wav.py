"""The WAV writer: bit exact for three readers, rounded like exact arithmetic, and never a wrapped header."""

from __future__ import annotations

import io
import itertools
import re
import struct
import tracemalloc
import wave
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from tonearm.api import rounding
from tonearm_plugins.formats import wav
from tonearm_plugins.formats import wav_header as header

SUBTYPES: list[header.Subtype] = ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]


def noise(channels: int, frames: int, kind: str = "f4", loud: float = 0.3) -> Any:
    samples = np.random.default_rng(channels * 1000 + frames).standard_normal((channels, frames)) * loud
    return samples.astype(kind)


def write_wav(file: Any, blocks: Any, **how: Any) -> wav.WavStats:
    made = wav.WavFile(file, **how)
    for block in [blocks] if isinstance(blocks, np.ndarray) else blocks:
        made.write(block)
    return made.finish()


def written(samples: Any, blocks: Any = None, **options: Any) -> tuple[bytes, wav.WavStats]:
    file = io.BytesIO()
    options = {"sample_rate": 22050, "channels": samples.shape[0], "frames": samples.shape[1]} | options
    stats = write_wav(file, samples if blocks is None else blocks, **options)
    assert stats.bytes == len(file.getvalue())
    return file.getvalue(), stats


def exact(x: float, bits: int) -> int:
    """What the sample becomes in exact arithmetic; Python rounds fractions half to even."""
    top = 2 ** (bits - 1)
    return max(-top, min(top - 1, round(Fraction(x) * top)))


def chunks(data: bytes) -> dict[bytes, bytes]:
    """Walk a RIFF or RF64 file as the standard says; every byte must belong to a chunk."""
    assert data[8:12] == b"WAVE"
    size = struct.unpack("<I", data[4:8])[0]
    found: dict[bytes, bytes] = {}
    at = 12
    while at < len(data):
        name, count = struct.unpack("<4sI", data[at : at + 8])
        if data[:4] == b"RF64" and name == b"data":
            assert size == count == 0xFFFFFFFF
            size, count, _samples, table = struct.unpack("<QQQI", found[b"ds64"])
            assert table == 0
        found[name] = data[at + 8 : at + 8 + count]
        assert len(found[name]) == count
        at += 8 + count + count % 2
    assert at == len(data) == size + 8
    return found


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", SUBTYPES)
def test_what_is_not_finite_is_never_written(bad: float, subtype: header.Subtype) -> None:
    samples = noise(2, 300_000)
    samples[1, 250_000] = bad
    with pytest.raises(ValueError, match="finite"):
        written(samples, subtype=subtype)
    with pytest.raises(ValueError, match="finite"):
        rounding.quantize(samples, 16)


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 9])
@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("form", ["auto", "RF64", "W64"])
def test_soundfile_reads_back_every_bit(channels: int, subtype: header.Subtype, kind: str, form: header.Form) -> None:
    samples = noise(channels, 1001, kind)
    samples[0, :4] = [1.0, -1.0, 1.25, -1.25]
    data, stats = written(samples, subtype=subtype, form=form)
    info = soundfile.info(io.BytesIO(data))
    assert (info.channels, info.frames, info.samplerate) == (channels, 1001, 22050)
    assert info.subtype == subtype
    if subtype.startswith("PCM"):
        bits = header.BITS[subtype]
        got, _ = soundfile.read(io.BytesIO(data), dtype="int32", always_2d=True)
        want = [[exact(float(x), bits) << (32 - bits) for x in channel] for channel in samples]
        assert got.T.tolist() == want
        assert stats.clipped == int((abs(samples) > 1).sum()) >= 2
    else:
        got, _ = soundfile.read(io.BytesIO(data), dtype="float64", always_2d=True)
        np.testing.assert_array_equal(got.T, samples.astype("f4" if subtype == "FLOAT" else "f8"))
        assert stats.clipped == 0
    assert stats.peak == abs(samples).max()


@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize("subtype", SUBTYPES)
def test_scipy_reads_back_every_bit(channels: int, subtype: header.Subtype) -> None:
    samples = noise(channels, 501, "f8", loud=0.1)
    rate, got = wavfile.read(io.BytesIO(written(samples, subtype=subtype)[0]))
    assert rate == 22050
    got = got.reshape(501, channels).T
    if subtype.startswith("PCM"):
        shift = 8 if subtype == "PCM_24" else 0  # scipy gives 24 bits in the high ones
        np.testing.assert_array_equal(got >> shift, rounding.quantize(samples, header.BITS[subtype])[0])
    else:
        np.testing.assert_array_equal(got, samples.astype(got.dtype))
        assert got.dtype.itemsize * 8 == header.BITS[subtype]


@pytest.mark.parametrize("channels", [1, 2])
def test_the_standard_library_reads_back_every_bit(channels: int) -> None:
    samples = noise(channels, 501)
    with wave.open(io.BytesIO(written(samples)[0])) as file:
        got = np.frombuffer(file.readframes(501), "<i2").reshape(501, channels).T
        assert (file.getnchannels(), file.getnframes(), file.getsampwidth()) == (channels, 501, 2)
    np.testing.assert_array_equal(got, rounding.quantize(samples, 16)[0])


@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_blocks_of_any_length_give_the_same_file(subtype: header.Subtype, channels: int) -> None:
    samples = noise(channels, 200_003, loud=0.5)
    whole = written(samples, subtype=subtype)
    cuts = [0, 0, 1, 2, 131_073, 200_000, 200_003, 200_003]
    parts = [samples[:, a:b] for a, b in itertools.pairwise(cuts)]
    assert written(samples, iter(parts), subtype=subtype) == whole
    assert written(samples, np.asfortranarray(samples), subtype=subtype) == whole
    mixed = [samples[:, :1000].astype("f8"), samples[:, 1000:].astype(">f4")]
    assert written(samples, mixed, subtype=subtype) == whole


def test_a_block_of_float64_after_one_of_float32_is_rounded_in_float64() -> None:
    samples = np.full((1, 2), (0.5 + 1e-12) / 32768)  # rounds to 1; in float32 it is a half, which rounds to 0
    data, _ = written(samples, [samples[:, :1].astype("f4"), samples[:, 1:]])
    assert np.frombuffer(chunks(data)[b"data"], "<i2").tolist() == [0, 1]


@pytest.mark.parametrize(
    ("subtype", "channels", "tag", "size", "fact", "mask"),
    [
        ("PCM_16", 1, 1, 16, False, None),
        ("PCM_16", 2, 1, 16, False, None),
        ("PCM_16", 3, 0xFFFE, 40, False, 0x7),
        ("PCM_16", 6, 0xFFFE, 40, False, 0x3F),
        ("PCM_16", 8, 0xFFFE, 40, False, 0x63F),
        ("PCM_16", 16, 0xFFFE, 40, False, 0),
        ("PCM_24", 1, 0xFFFE, 40, False, 0x4),
        ("PCM_32", 2, 0xFFFE, 40, False, 0x3),
        ("FLOAT", 1, 3, 18, True, None),
        ("DOUBLE", 2, 3, 18, True, None),
        ("FLOAT", 4, 0xFFFE, 40, True, 0x33),
    ],
)
def test_headers(subtype: header.Subtype, channels: int, tag: int, size: int, fact: bool, mask: int | None) -> None:
    found = chunks(written(noise(channels, 33), subtype=subtype)[0])
    fmt = found[b"fmt "]
    width = channels * header.BITS[subtype] // 8
    fields = (tag, channels, 22050, 22050 * width, width, header.BITS[subtype])
    assert struct.unpack("<HHIIHH", fmt[:16]) == fields
    assert len(fmt) == size
    assert (b"fact" in found) == fact
    if fact:
        assert found[b"fact"] == struct.pack("<I", 33)
    if mask is not None:
        real = 1 if subtype.startswith("PCM") else 3
        assert fmt[16:24] == struct.pack("<HHI", 22, header.BITS[subtype], mask)
        assert fmt[24:] == struct.pack("<H", real) + b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"


@pytest.mark.parametrize("form", ["auto", "RF64", "RIFF"])
@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_odd_sizes_are_padded(frames: int, form: header.Form) -> None:
    data, _ = written(noise(1, 3)[:, :frames], subtype="PCM_24", form=form)
    assert len(chunks(data)[b"data"]) == 3 * frames
    assert len(data) % 2 == 0
    assert soundfile.info(io.BytesIO(data)).frames == frames


def test_more_chunks_are_where_they_should_be() -> None:
    extra = {"before": [(b"bext", b"odd")], "after": [(b"LIST", b"INFO"), (b"id3 ", b"x")]}
    data, _ = written(noise(1, 3), subtype="PCM_24", **extra)
    found = chunks(data)
    assert list(found) == [b"bext", b"fmt ", b"data", b"LIST", b"id3 "]
    assert (found[b"bext"], found[b"id3 "]) == (b"odd", b"x")
    assert list(chunks(written(noise(1, 3), form="RF64", **extra)[0])) == [b"ds64", *found]


def w64_chunks(data: bytes) -> dict[bytes, bytes]:
    """Walk a W64 file as Sony's specification says; every byte must belong to a chunk."""
    assert data[:16].hex() == "726966662e91cf11a5d628db04c10000"
    assert data[24:40].hex() == "77617665f3acd3118cd100c04f8edb8a"
    assert struct.unpack("<Q", data[16:24])[0] == len(data)
    found: dict[bytes, bytes] = {}
    at = 40
    while at < len(data):
        assert data[at + 4 : at + 16].hex() == "f3acd3118cd100c04f8edb8a"
        size = struct.unpack("<Q", data[at + 16 : at + 24])[0]
        found[data[at : at + 4]] = data[at + 24 : at + size]
        at += -(-size // 8) * 8 if at + size < len(data) else size
    assert at == len(data)
    return found


@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 7])
def test_w64_is_aligned_and_says_its_size(subtype: header.Subtype, frames: int) -> None:
    samples = noise(1, 7)[:, :frames]
    found = w64_chunks(written(samples, subtype=subtype, form="W64")[0])
    assert found[b"data"] == chunks(written(samples, subtype=subtype)[0])[b"data"]
    if subtype in ("FLOAT", "DOUBLE"):
        assert found[b"fact"] == struct.pack("<Q", frames)


def test_frames_must_be_what_was_said() -> None:
    samples = noise(2, 100)
    for frames, word in ((99, "more"), (101, "but there are 100"), (0, "more")):
        with pytest.raises(ValueError, match=word):
            written(samples, frames=frames)
    with pytest.raises(ValueError, match="but there are 0"):
        written(samples, [])


@pytest.mark.parametrize(
    "change",
    [
        {"channels": 1},
        {"channels": 0},
        {"channels": 40_000},
        {"sample_rate": 0},
        {"sample_rate": -1},
        {"sample_rate": 2**31},
        {"frames": -1},
        {"frames": 2**62},
        {"subtype": "PCM_U8"},
        {"blocks": noise(2, 10)[0]},
        {"blocks": [noise(1, 10)]},
        {"blocks": noise(2, 10).astype("f2")},
        {"blocks": noise(2, 10).astype("i2")},
    ],
)
def test_what_a_header_cannot_say_or_samples_cannot_be(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        written(noise(2, 10), **change)


def test_float_refuses_what_it_would_turn_into_infinity() -> None:
    with pytest.raises(ValueError, match="1e\\+300"):
        written(np.full((1, 3), 1e300), subtype="FLOAT")
    assert written(np.full((1, 3), -1e300), subtype="DOUBLE")[1].peak == 1e300


def test_a_raw_file_that_takes_little_at_a_time() -> None:
    class Slow(io.BytesIO):
        def write(self, data: Any) -> int:
            return super().write(memoryview(data)[:1000])

    file, samples = Slow(), noise(2, 5000)
    write_wav(file, samples, sample_rate=22050, channels=2, frames=5000)
    assert file.getvalue() == written(samples)[0]


def test_memory_does_not_grow_with_the_length() -> None:
    class Nowhere(io.BytesIO):
        def write(self, data: Any) -> int:
            return len(data)

    def blocks(count: int) -> Iterator[Any]:
        for _ in range(count):
            yield block

    block = noise(2, 400_000)
    for subtype in SUBTYPES:
        tracemalloc.start()
        write_wav(Nowhere(), blocks(10), sample_rate=48000, channels=2, frames=4_000_000, subtype=subtype)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3 << 20


@pytest.mark.slow
def test_more_than_four_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    block = noise(2, 1 << 20, loud=0.1)
    count = 1030  # 4.02 GiB

    def blocks() -> Iterator[Any]:
        for _ in range(count - 1):
            yield block
        yield -block

    try:
        with path.open("wb") as file:
            stats = write_wav(file, blocks(), sample_rate=48000, channels=2, frames=count << 20)
        assert path.stat().st_size == stats.bytes > 1 << 32
        with soundfile.SoundFile(path) as sound:
            assert (sound.frames, sound.format, sound.subtype) == (count << 20, "RF64", "PCM_16")
            sound.seek((count - 1) << 20)
            last = sound.read(dtype="int16").T
        np.testing.assert_array_equal(last, rounding.quantize(-block, 16)[0])
    finally:
        path.unlink(missing_ok=True)


def of_blocks(blocks: Any, **how: Any) -> tuple[bytes, wav.WavStats]:
    file = io.BytesIO()
    given = {"sample_rate": 8000, "channels": 2, "frames": 3} | how
    stats = write_wav(file, blocks, **given)
    return file.getvalue(), stats


def test_nothing_has_no_peak_and_statistics_are_a_value() -> None:
    data, stats = of_blocks([], frames=0)
    assert stats == wav.WavStats(0, 0.0, len(data))
    with pytest.raises(FrozenInstanceError):
        stats.peak = 1.0


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_clipped_samples_are_counted_and_the_peak_has_no_sign(subtype: header.Subtype) -> None:
    block = np.array([[0.5, -1.5, 1.0], [1.25, -1.0, 0.0]])
    data, stats = of_blocks([block[:, :1], block[:, 1:]], subtype=subtype)
    assert stats == wav.WavStats(2 if subtype.startswith("PCM") else 0, 1.5, len(data))


@pytest.mark.parametrize("shape", [(2,), (3, 3), (1, 3), (2, 3, 1), (2, 1, 1), ()])
def test_blocks_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"blocks must have the shape (2, n), not {shape}") + "$"):
        of_blocks([np.zeros(shape, "f4")])


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([4], "there are more samples than the 3 frames that were announced"),
        ([1, 2, 1], "there are more samples than the 3 frames that were announced"),
        ([2], "3 frames were announced, but there are 2"),
        ([], "3 frames were announced, but there are 0"),
    ],
)
def test_the_number_of_frames_is_kept(counts: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        of_blocks([np.zeros((2, count), "f4") for count in counts])


@pytest.mark.parametrize("channels", [1, 2])
def test_a_short_sound_in_short_blocks_is_the_same(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    block = np.sin(np.arange(20.0)).reshape(channels, -1) * 1.2
    shape = {"channels": channels, "frames": block.shape[1]}
    whole, stats = of_blocks(block, **shape)
    assert stats.clipped
    monkeypatch.setattr(wav, "SHORT_BLOCK", 6)
    assert of_blocks(block, **shape) == (whole, stats)
    dithered = of_blocks(block, **shape, dither=np.random.default_rng(0))
    monkeypatch.undo()
    assert dithered == of_blocks(block, **shape, dither=np.random.default_rng(0))


@pytest.mark.parametrize("sign", [1, -1])
def test_float_takes_what_it_can_hold(sign: int) -> None:
    largest = float(np.finfo(np.float32).max)
    fitting = np.array([[0.0, sign * largest, 0.0]] * 2)
    assert of_blocks(fitting, subtype="FLOAT")[1].peak == largest
    assert of_blocks(fitting * 2, subtype="DOUBLE")[1].peak == 2 * largest
    with pytest.raises(ValueError, match=r"^a sample of 6\.80565e\+38 is beyond what FLOAT can hold$"):
        of_blocks(fitting * 2, subtype="FLOAT")


def test_by_default_samples_have_16_bits_and_the_form_follows_from_the_size() -> None:
    data, _ = of_blocks(np.full((2, 3), 0.5))
    assert data == of_blocks(np.full((2, 3), 0.5), subtype="PCM_16", form="auto", before=(), after=())[0]
    assert data[:4] == b"RIFF"
    assert data[-12:] == b"\0\x40" * 6


def streamed(folder: Path, samples: Any, cuts: list[int], **options: Any) -> bytes:
    path = folder / "stream.part"
    with path.open("wb") as file:
        made = wav.WavFile(file, sample_rate=22050, channels=samples.shape[0], **options)
        for start, end in itertools.pairwise([0, *cuts, samples.shape[1]]):
            made.write(samples[:, start:end])
        stats = made.finish()
    content = path.read_bytes()
    assert stats.bytes == len(content)
    return content


@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("form", ["auto", "RF64", "W64"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_of_unknown_length_gets_its_header_at_the_end(
    tmp_path: Path, subtype: header.Subtype, form: header.Form, channels: int
) -> None:
    samples = noise(channels, 1001)
    options: Any = {"subtype": subtype, "form": form}
    if form != "W64":
        options |= {"before": [(b"bext", b"odd")], "after": [(b"LIST", b"INFO")]}
    assert streamed(tmp_path, samples, [0, 1, 1, 500], **options) == written(samples, **options)[0]


@pytest.mark.parametrize("moved", [1, 7, 4000, 1 << 24])
def test_a_file_that_grows_too_long_for_riff_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    monkeypatch.setattr(header, "RIFF_BYTES", 3000)
    monkeypatch.setattr(wav, "_MOVED", moved)
    header._plain_frame.cache_clear()
    samples = noise(1, 2000)
    whole = written(samples)[0]
    assert whole[:4] == b"RF64"
    assert streamed(tmp_path, samples, [1000]) == whole
    assert streamed(tmp_path, samples[:, :1000], []) == written(samples[:, :1000])[0]
    header._plain_frame.cache_clear()


def test_a_pipe_has_a_header_that_readers_accept() -> None:
    samples = noise(2, 3000)
    for subtype in SUBTYPES:
        file = io.BytesIO()
        made = wav.WavFile(
            file, sample_rate=22050, channels=2, subtype=subtype, after=[(b"LIST", b"INFO")], is_pipe=True
        )
        made.write(samples)
        made.finish()
        content = file.getvalue()
        assert content[4:8] == b"\xff" * 4
        assert content.index(b"LIST") < content.index(b"data")
        assert content.endswith(chunks(written(samples, subtype=subtype)[0])[b"data"])
        got, rate = soundfile.read(io.BytesIO(content), dtype="float64")
        whole = soundfile.read(io.BytesIO(written(samples, subtype=subtype)[0]), dtype="float64")[0]
        assert rate == 22050
        np.testing.assert_array_equal(got, whole)
    for form in ("RF64", "W64"):
        with pytest.raises(ValueError, match=f"{form} needs the length beforehand"):
            wav.WavFile(io.BytesIO(), sample_rate=8000, channels=1, form=form, is_pipe=True)  # type: ignore[arg-type]


def test_dither_does_not_depend_on_cuts(tmp_path: Path) -> None:
    samples = noise(2, 90_000)
    whole = written(samples, dither=np.random.default_rng(5))[0]
    assert streamed(tmp_path, samples, [1, 70_000], dither=np.random.default_rng(5)) == whole
