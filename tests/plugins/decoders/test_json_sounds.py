"""Sound in JSON, as speech services and browsers write it: whole, in chunks, in lines, in base64 or as numbers."""

from __future__ import annotations

import json
from typing import Any

import decoder_reading
import numpy as np
import pytest
from decoder_reading import refused as refused_by
from sounds_in_bytes import FLAC, MP3, PCM, RATE, TONE, WAV, base64_of, npy_bytes, snr, sound_bytes

from tonearm_plugins.decoders.pcm_reader import PcmReader

WHOLE = (TONE * 32767).astype(int).tolist()
RAW: dict[str, Any] = {"encoding": "pcm_s16le", "sample_rate": RATE}


def as_bytes(content: Any) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def decode(content: Any, **options: Any) -> Any:
    (item,) = decoder_reading.decode(PcmReader, as_bytes(content), **options)
    return item.signal


def refused(content: Any, **options: Any) -> Any:
    return refused_by(PcmReader, as_bytes(content), **options)


def lines(*documents: Any) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in documents)


def chunks(data: bytes, size: int = 3000) -> list[str]:
    return [base64_of(data[at : at + size]) for at in range(0, len(data), size)]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ({"audioContent": base64_of(WAV)}, {"field": "audioContent"}),
        ({"audioContent": base64_of(WAV)}, {"field": "audioContent", **RAW}),  # the line of docs/reading.md
        ({"audio": {"data": base64_of(FLAC)}}, {"field": "audio.data"}),
        ({"a": [{"b": base64_of(WAV)}]}, {"field": "a.0.b"}),
        ({"a": [{"b": base64_of(WAV)}]}, {"field": "a.b"}),
        ({"a": f"data:audio/wav;base64,{base64_of(WAV)}"}, {"field": "a"}),
        ({"a": base64_of(FLAC).replace("+", "-").replace("/", "_").rstrip("=")}, {"field": "a"}),
        ({"a": base64_of(npy_bytes(TONE)), "sr": RATE}, {"field": "a"}),
        ({"type": "Buffer", "data": list(WAV)}, {"field": "data"}),
        ({"a": base64_of(PCM), "sampleRateHertz": RATE}, {"field": "a", "encoding": "pcm_s16le"}),
        (
            {"parts": [{"inlineData": {"mimeType": f"audio/L16;codec=pcm;rate={RATE}", "data": base64_of(PCM)}}]},
            {"field": "parts.0.inlineData.data", "encoding": "pcm_s16le"},
        ),
        ({"a": f"data:audio/l16;rate={RATE};base64,{base64_of(PCM)}"}, {"field": "a", "encoding": "pcm_s16le"}),
        ({"a": chunks(PCM)}, {"field": "a", **RAW}),
        ([{"data": one} for one in chunks(PCM)], {"field": "data", **RAW}),
        ({"chunks": [{"data": one} for one in chunks(WAV, 3001)]}, {"field": "chunks.data"}),
        (chunks(PCM), {"field": "*", **RAW}),
        (lines(*({"delta": one} for one in chunks(PCM))), {"field": "delta", **RAW}),
        (lines(*({"delta": one} for one in chunks(WAV))), {"field": "delta"}),
        (lines({"text": "hello"}, {"delta": base64_of(WAV)}, {"done": True}), {"field": "delta"}),
        (b"\xef\xbb\xbf" + json.dumps({"a": base64_of(WAV)}).encode(), {"field": "a"}),
        ({"samples": TONE.tolist(), "sample_rate": RATE}, {"field": "samples"}),
        (TONE.tolist(), {"field": "*", "sample_rate": RATE}),
        (base64_of(WAV), {"field": "*"}),
        ({"samples": [TONE.tolist()]}, {"field": "samples", "sample_rate": RATE}),
        ({"samples": WHOLE}, {"field": "samples", **RAW}),
        (
            {"samples": (TONE * 32767).astype(int).tolist()},
            {"field": "samples", "sample_rate": RATE, "full_scale": 32768.0},
        ),
        ({"samples": TONE.tolist(), "config": {"sampling_rate": RATE}}, {"field": "samples"}),
        ({"samples": TONE.tolist(), "sr": RATE, "fs": 8000}, {"field": "samples", "sample_rate": RATE}),
        ({"a": PCM.hex()}, {"field": "a", **RAW}),
        ({"a": PCM.hex().upper()}, {"field": "a", **RAW}),
        ({"a": WAV.hex()}, {"field": "a"}),
        ({"a": [PCM[:2000].hex(), PCM[2000:].hex()]}, {"field": "a", **RAW}),
        ({"a": ",".join(map(str, WHOLE))}, {"field": "a", **RAW}),
        ({"a": " ".join(map(str, TONE.tolist()))}, {"field": "a", "sample_rate": RATE}),
        ({"a": str(TONE.tolist())}, {"field": "a", "sample_rate": RATE}),
        ({"a": f"0x{PCM.hex()}"}, {"field": "a", **RAW}),
        ({"a": list(map(str, TONE.tolist()))}, {"field": "a", "sample_rate": RATE}),
        ({"a": {"type": "Buffer", "data": list(PCM)}}, {"field": "a.data", **RAW}),
        ({"a": list(PCM)}, {"field": "a", **RAW}),
        ([{"a": TONE[:99].tolist(), "sr": RATE}, {"a": TONE[99:].tolist(), "sr": RATE}], {"field": "a"}),
        ({"a": PCM.hex(" ")}, {"field": "a", **RAW}),
        ({"a": {str(place): value for place, value in enumerate(TONE.tolist())}}, {"field": "a", "sample_rate": RATE}),
        (lines({"pcm": TONE[:99].tolist()}, {"pcm": TONE[99:].tolist()}), {"field": "pcm", "sample_rate": RATE}),
    ],
)
def test_sound_is_read(content: Any, options: dict[str, Any]) -> None:
    found = decode(content, **options)
    assert found.sample_rate == RATE
    assert snr(found.samples) > 70


def test_lossy_sound_is_read() -> None:
    assert snr(decode({"a": base64_of(MP3)}, field="a").samples) > 20
    assert snr(decode({"a": chunks(MP3, 999)}, field="a").samples) > 20


def test_events_of_a_stream() -> None:
    events = []
    for one in chunks(PCM):
        events.append({"type": "response.audio.delta", "delta": one})
        events.append({"type": "response.audio_transcript.delta", "delta": "Hell"})  # which is base64, too
    assert snr(decode(lines(*events), field="delta", **RAW).samples) > 70
    sent = b"".join(b"event: x\ndata: " + json.dumps(one).encode() + b"\n\n" for one in events) + b"data: [DONE]\n"
    assert snr(decode(sent, field="delta", **RAW).samples) > 70


def test_chunks_that_are_files_of_their_own_are_joined() -> None:
    halves = [base64_of(sound_bytes("WAV", half)) for half in (TONE[:3000], TONE[3000:])]
    assert snr(decode({"a": halves}, field="a").samples) > 80
    halves[1] = base64_of(sound_bytes("WAV", TONE[3000:], 8000))
    assert refused({"a": halves}, field="a").code == "parts-differ"


@pytest.mark.parametrize("kinds", [("WAV", "FLAC"), ("FLAC", "WAV"), ("MP3", "FLAC")])
def test_chunks_of_several_formats_are_joined(kinds: tuple[str, str]) -> None:
    # Bytes of both as one file are that of the first, which ends before the second.
    first, second = (sound_bytes(kind) for kind in kinds)
    samples = decode({"a": [base64_of(first), base64_of(second)]}, field="a").samples
    assert samples.shape[1] == sum(decode({"a": base64_of(one)}, field="a").samples.shape[1] for one in (first, second))
    assert snr(samples[:, -len(TONE) :]) > 80


def test_precision_and_channels() -> None:
    stereo = np.stack([TONE, -TONE], 1)
    content = {"a": base64_of(sound_bytes("WAV", stereo)), "channels": 2}
    found = decode(content, field="a", precision="double")
    assert (found.channels, found.samples.dtype) == (2, "f8")
    pcm = (stereo * 32767).astype("<i2").tobytes()
    found = decode({"a": base64_of(pcm), "numChannels": 2}, field="a", **RAW)
    assert found.channels == 2
    assert snr(found.samples) > 70
    for content in ({"a": base64_of(pcm), "channels": 2}, {"a": base64_of(sound_bytes("WAV", stereo))}):
        assert refused(content, field="a", channels=1, **RAW).code == "channels-mismatch"


@pytest.mark.parametrize(
    ("content", "options", "code", "said"),
    [
        ({"a": base64_of(WAV)}, {"field": "a", "sample_rate": 44100}, "rate-mismatch", "16000 Hz"),
        ({"a": base64_of(PCM), "sr": 8000}, {"field": "a", **RAW}, "rate-mismatch", "8000 Hz"),
        ({"a": TONE.tolist(), "fs": 8000}, {"field": "a", "sample_rate": RATE}, "rate-mismatch", "8000 Hz"),
        ({"a": TONE.tolist(), "fs": 8000, "sr": RATE}, {"field": "a"}, "rate-mismatch", "fs = 8000, and sr = 16000"),
        ({"a": base64_of(base64_of(WAV).encode())}, {"field": "a", **RAW}, "wrong-format", "base64"),
        ({"a": base64_of(b"PK\3\4" + bytes(99))}, {"field": "a", **RAW}, "wrong-format", "zip archive"),
        ({"a": base64_of(b'{"error": 429}')}, {"field": "a", **RAW}, "wrong-format", "JSON"),
        ({"a": base64_of(PCM)}, {"field": "a", "sample_rate": RATE}, "missing-option", "'encoding'"),
        (
            {"a": {"type": "Buffer", "data": list(PCM)}},
            {"field": "a.data", "sample_rate": RATE},
            "missing-option",
            "'encoding'",
        ),
        ({"a": base64_of(PCM)}, {"field": "a", "encoding": "pcm_s16le"}, "missing-option", "'sample_rate'"),
        ({"a": TONE.tolist()}, {"field": "a"}, "missing-option", "'sample_rate'"),
        ({"a": [[0.5] * 20] * 80}, {"field": "a", "sample_rate": RATE}, "axes-mismatch", "(80, 20)"),
        (
            [{"a": TONE.tolist(), "sr": RATE}, {"a": TONE.tolist(), "sr": 8000}],
            {"field": "a"},
            "parts-differ",
            "different rates",
        ),
        ({"a": PCM.decode("latin-1")}, {"field": "a", **RAW}, "broken-file", "cannot be read as base64"),
        ({"a": [1, "x"]}, {"field": "a", "sample_rate": RATE}, "not-numbers", "'a'"),
        ({"a": [[1], [1, 2]]}, {"field": "a", "sample_rate": RATE}, "broken-file", "'in memory'"),
        ({"a": True}, {"field": "a", **RAW}, "broken-file", "not text"),
        ({"a": ""}, {"field": "a"}, "empty", "'a' is empty text"),
        ({"a": ["", " "]}, {"field": "a", **RAW}, "empty", "'a' is empty text"),
        ({"a": "https://host/a.mp3?x=1"}, {"field": "a"}, "wrong-format", "the address of a file"),
        (lines({"b": 1}, {"c": 2}), {"field": "a", **RAW}, "no-such-key", "'a'"),
        (b'{"a": 1}\n{"b"\n', {"field": "a", **RAW}, "broken-file", "line 2"),
        (b"", {"field": "a", **RAW}, "broken-file", "is not JSON"),
        (WAV, {"field": "a", **RAW}, "wrong-format", "a WAV file"),
        (base64_of(WAV).encode(), {"field": "a", **RAW}, "wrong-format", "base64"),
        ({"a": base64_of(np.random.default_rng(1).bytes(30_000))}, {"field": "a", **RAW}, "full-scale-noise", "noise"),
    ],
)
def test_what_is_refused(content: Any, options: dict[str, Any], code: str, said: str) -> None:
    error = refused(content, **options)
    assert error.code == code
    assert said in error.message


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ({"text": "hello", "audio": {"data": base64_of(WAV)}}, "audio.data"),
        ({"a": base64_of(WAV), "b": [0.5] * 50}, "a or b"),
        (TONE.tolist(), '"*"'),
        (base64_of(WAV), '"*"'),
        ({"sha256": "0123456789abcdef" * 4, "a": base64_of(WAV)}, "a"),
        ({"a": ",".join(map(str, WHOLE)), "dates": "2024-01-01, 2024-01-02"}, "a"),
        ({"a": PCM.hex()}, "a"),
        ({"a": {str(place): 0.5 for place in range(20)}, "b": {"0": 1, "2": 1}}, "a"),
        (lines(*({"delta": one} for one in chunks(WAV))), "delta"),
    ],
)
def test_json_without_a_field_names_those_that_fit(content: Any, fields: str) -> None:
    error = refused(content, **RAW)
    assert (error.code, error.hint) == ("missing-option", f"field: {fields}")


def test_a_file_that_is_wrong_can_be_ignored() -> None:
    content = {"a": base64_of(PCM), "sr": 8000, "channels": 2}
    options = {"field": "a", "channels": 1, **RAW}
    assert "stated: ignore, if the file is wrong" in refused(content, **options).hint
    found = decode(content, **options, stated="ignore")
    assert (found.sample_rate, found.channels) == (RATE, 1)
    assert snr(found.samples) > 80


def test_json_without_sound_says_so() -> None:
    assert refused({"error": {"code": 429, "message": "quota exceeded " * 9}}, **RAW).code == "wrong-format"


@pytest.mark.parametrize(("shape", "flags"), [((2, 4000), "--key a --kind waveform)"), ((80, 300), "--key a)")])
def test_rows_of_few_values_are_not_said_to_be_sound(shape: tuple[int, int], flags: str) -> None:
    assert refused({"a": np.zeros(shape).tolist(), "sr": RATE}, field="a").hint.endswith(flags)
