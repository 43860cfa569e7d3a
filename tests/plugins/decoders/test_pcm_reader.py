"""``pcm-reader``: raw samples as soundfile and ffmpeg write them, and base64 in JSON."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
import soundfile
from decoder_reading import RNG

from tonearm.api import Context, ItemError, limited_memory
from tonearm_plugins.decoders.pcm_reader import PcmOptions, PcmReader

WAVE = np.append(RNG.uniform(-1, 1, (200, 2)), [[-1, 0], [0, 0.5]], axis=0)
OF_BITS = {"s16": "PCM_16", "s24": "PCM_24", "s32": "PCM_32", "f32": "FLOAT", "f64": "DOUBLE"}
SUBTYPES = {
    "pcm_s8": ("PCM_S8", "FILE"),
    "pcm_u8": ("PCM_U8", "FILE"),
    "mulaw": ("ULAW", "FILE"),
    "alaw": ("ALAW", "FILE"),
} | {f"pcm_{bits}{end[0].lower()}e": (OF_BITS[bits], end) for bits in OF_BITS for end in ("LITTLE", "BIG")}


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(PcmReader, given, **{"sample_rate": 8000} | options)


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(PcmReader, given, **{"sample_rate": 8000, "encoding": "pcm_s16le"} | options)


@pytest.mark.parametrize("encoding", SUBTYPES)
def test_every_encoding(encoding: str, tmp_path: Path) -> None:
    subtype, endian = SUBTYPES[encoding]
    path = tmp_path / "a.raw"
    soundfile.write(path, WAVE, 8000, subtype=subtype, endian=endian, format="RAW")
    expected = soundfile.read(path, samplerate=8000, channels=2, subtype=subtype, endian=endian, format="RAW")[0]
    for given in (path, path.read_bytes()):
        (item,) = decode(given, encoding=encoding, channels=2, precision="double")
        assert np.array_equal(item.signal.samples, expected.T)
        (item,) = decode(given, encoding=encoding, channels=2)
        assert item.signal.samples == pytest.approx(expected.T, abs=1e-7)
        assert item.signal.samples.dtype == ("f8" if "24" in encoding or "s32" in encoding else "f4")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (lambda text: {"audioContent": text}, "audioContent"),
        (lambda text: {"audioContent": f"data:audio/l16;base64,{text}"}, "audioContent"),
        (
            lambda text: {"candidates": [{"content": {"parts": [{"inlineData": {"data": text}}]}}]},
            "candidates.0.content.parts.0.inlineData.data",
        ),
        (lambda text: {"a": text.replace("+", "-").replace("/", "_")}, "a"),
    ],
)
def test_base64_in_json(content: Any, field: str) -> None:
    pcm = (WAVE * 32767).astype("<i2")
    data = json.dumps(content(base64.b64encode(pcm.tobytes()).decode())).encode()
    (item,) = decode(data, encoding="pcm_s16le", channels=2, field=field)
    assert np.array_equal(item.signal.samples.T, (pcm / 32768).astype("f4"))


@pytest.mark.parametrize(
    ("data", "field", "code", "message"),
    [
        (b'{"a": {"b": ""}}', "a.c", "no-such-key", "'in memory' has no 'c' under 'a'"),
        (b'{"a": ["x"]}', "a.1", "no-such-key", "'in memory' has no '1' under 'a'"),
        (b'{"a": 3}', "a", "broken-file", "'in memory': 'a' is not text"),
        (b'{"a": "!!!"}', "a", "broken-file", "'in memory' cannot be read as base64 under a"),
        (b'{"a": ""}', "a", "empty", "'in memory': 'a' is empty text"),
        (b"nothing", "a", "broken-file", "'in memory' is not JSON"),
        (b"[" * 100_000, "a", "broken-file", "'in memory' is not JSON"),
    ],
)
def test_json_without_audio(data: bytes, field: str, code: str, message: str) -> None:
    error = refused(data, field=field)
    assert error.code == code
    assert error.message.startswith(message)


def test_a_header_in_a_pipe_is_what_is_wrong_also_where_the_end_is_odd() -> None:
    plugin = PcmReader(PcmOptions(sample_rate=8000, encoding="pcm_s16le"))
    file = io.BytesIO()
    soundfile.write(file, WAVE, 8000, format="WAV")
    with pytest.raises(ItemError, match="it looks like a WAV file"):
        list(plugin.blocks([file.getvalue() + b"x"], "it", Context()))


def test_a_header_is_skipped() -> None:
    (item,) = decode(b"head" + bytes(8), encoding="pcm_s16le", skip=4)
    assert item.signal.length == 4


def test_what_is_no_raw_samples() -> None:
    assert refused(b"").code == "empty"
    error = refused(bytes(7), channels=2)
    assert error.message == "'in memory' has 7 bytes, not a multiple of 4 (one sample of each channel)"
    wav = io.BytesIO()
    soundfile.write(wav, WAVE, 8000, format="WAV")
    error = refused(wav.getvalue())
    assert error.message == "'in memory' is not raw samples; it looks like a WAV file"
    assert "audio-reader" in error.hint


def test_large_files_are_mapped(tmp_path: Path) -> None:
    (tmp_path / "a.pcm").write_bytes(bytes(4000))
    (item,) = decode(tmp_path / "a.pcm", encoding="pcm_f32le")
    base = item.signal.samples
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


def test_floats_are_read_as_those_of_arrays_are() -> None:
    loud = (WAVE[:, 0] * 32768).astype("<f4")
    error = refused(loud.tobytes(), encoding="pcm_f32le")
    assert (error.code, "full_scale: 32768" in error.hint) == ("beyond-full-scale", True)
    (item,) = decode(loud.tobytes(), encoding="pcm_f32le", full_scale=32768.0)
    assert item.signal.samples[0] == pytest.approx(WAVE[:, 0])
    assert refused(WAVE.astype(">f4").tobytes(), encoding="pcm_f32le").code in ("beyond-full-scale", "not-finite")
    bad = np.array([0.5, np.nan], "<f4").tobytes()
    assert refused(bad, encoding="pcm_f32le").code == "not-finite"
    assert decode(bad, encoding="pcm_f32le", nan="zero")[0].signal.samples.tolist() == [[0.5, 0]]
    (problem,) = PcmOptions(encoding="pcm_s16le", sample_rate=8000, full_scale=1.0).problems()
    assert problem.option == "full_scale"


@pytest.mark.parametrize("count", [999, 1000, 1001])
def test_samples_are_judged_by_memory(count: int, tmp_path: Path) -> None:
    (tmp_path / "a.pcm").write_bytes(bytes(2 * count))
    options = {"encoding": "pcm_s16le", "sample_rate": 8000}
    with limited_memory(8000):
        if count <= 1000:
            assert decode(tmp_path / "a.pcm", **options)[0].signal.length == count
        else:
            assert refused(tmp_path / "a.pcm", **options).code == "too-large"


def test_a_file_of_holes_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.pcm").open("wb") as file:
        file.truncate(1 << 40)
    for encoding in ("pcm_f32le", "pcm_s16le", "mulaw"):
        assert refused(tmp_path / "a.pcm", encoding=encoding, sample_rate=8000).code == "too-large"


def test_json_that_takes_more_memory_than_text_is_refused() -> None:
    data = b"[" + b"[]," * 100_000 + b"[]]"
    with limited_memory(20_000_000):
        assert refused(data, encoding="pcm_s16le", sample_rate=8000, field="0").code == "too-large"
    data = b"[" + b"[]," * 10_000_000 + b"[]]"
    assert refused(data, encoding="pcm_s16le", sample_rate=8000, field="0").code == "too-large"


NOISE = np.random.default_rng(4).bytes(48_000)
SPEECH = np.cumsum(np.random.default_rng(5).standard_normal(20_000)) * np.hanning(20_000)
SPEECH *= 0.3 / np.abs(SPEECH).max()


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_u8", "pcm_s24be", "mulaw", "pcm_s32le"])
def test_bytes_that_are_noise_are_refused_unless_asked_for(encoding: str) -> None:
    error = refused(NOISE, encoding=encoding)
    assert (error.code, "noise: keep" in error.hint) == ("full-scale-noise", True)
    assert decode(NOISE, encoding=encoding, noise="keep")[0].signal.length


@pytest.mark.parametrize(
    ("stored", "encoding", "right"),
    [(">i2", "pcm_s16le", "pcm_s16be"), ("<i2", "pcm_s16be", "pcm_s16le"), ("<f4", "pcm_s16le", "pcm_f32le")],
)
def test_the_right_encoding_is_named(stored: str, encoding: str, right: str) -> None:
    data = (SPEECH * (32767 if "i" in stored else 1)).astype(stored).tobytes()
    error = refused(data, encoding=encoding)
    assert error.code == "full-scale-noise"
    assert right in error.hint
    (item,) = decode(data, encoding=right)
    assert item.signal.samples[0] == pytest.approx(SPEECH, abs=1e-4)


@pytest.mark.parametrize(
    "data",
    [
        b"PK\3\4" + bytes(50),
        b"\x1f\x8b\x08" + bytes(50),
        b"<!DOCTYPE html>" * 9,
        b"0.5\n0.25\n" * 9,
        b"fLaC" + bytes(50),
        b"\x93NUMPY\1\0" + bytes(50),
        b"FORM\0\0\0\0AIFF" + bytes(50),
        b"UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=",
    ],
)
def test_files_of_other_formats_are_no_raw_samples(data: bytes) -> None:
    error = refused(data[: len(data) // 2 * 2])
    assert error.code == "wrong-format"
    assert "it looks like" in error.message


def test_what_needs_options_says_which() -> None:
    assert [one.option for one in PcmOptions().problems()] == ["encoding", "sample_rate"]
    assert list(PcmOptions(field="a").problems()) == []
