"""Sounds in containers, as people first met them: bytes are judged by what they are, wherever they come from.

Each case is a file and the flags that read it. Section 4 of what first users found.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import soundfile
from at_the_prompt import RATE, Prompt, heard, level, rate_of, snr

TIME = np.arange(16000) / RATE
TONE: Any = (0.4 * np.sin(2 * np.pi * 330 * TIME) * np.minimum(1, 20 * TIME)).astype(np.float32)
PCM = np.rint(TONE * 32767).astype("<i2").tobytes()
RAW = f"--encoding pcm_s16le --sample-rate {RATE}"
WAVEFORM = f"--kind waveform --sample-rate {RATE}"
LOSSLESS, LOSSY = 70.0, 20.0
"""Signal-to-noise ratios in dB that 16-bit samples reach, and what a lossy codec leaves of a tone."""


def sound(container: str, samples: Any = TONE, rate: int = RATE, **how: Any) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, **how)
    return file.getvalue()


def saved(save: Callable[..., Any], *what: Any, **names: Any) -> bytes:
    file = io.BytesIO()
    save(file, *what, **names)
    return file.getvalue()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def document(content: Any) -> bytes:
    return json.dumps(content).encode()


def lines(*documents: Any) -> bytes:
    return b"\n".join(document(one) for one in documents)


def pieces(data: bytes, size: int = 3000) -> list[str]:
    return [text(data[at : at + size]) for at in range(0, len(data), size)]


def parquet(**columns: Any) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet as table

    file = io.BytesIO()
    table.write_table(pa.table(columns), file)
    return file.getvalue()


def archive(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


def numbers(separator: str) -> bytes:
    return separator.join(f"{value:.7f}" for value in TONE).encode()


def npy() -> bytes:
    return saved(np.save, TONE)


BYTES = np.frombuffer(sound("WAV"), np.uint8)

WHOLE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    # JSON
    "base64 of WAV": ("in.json", lambda: document({"audioContent": text(sound("WAV"))}), "--field audioContent"),
    "the line of docs/reading.md": (
        "in.json",
        lambda: document({"audioContent": text(sound("WAV"))}),
        f"--field audioContent {RAW}",
    ),
    "base64 of MP3": ("in.json", lambda: document({"audio": text(sound("MP3"))}), "--field audio"),
    "base64 of FLAC": ("in.json", lambda: document({"a": {"b": text(sound("FLAC"))}}), "--field a.b"),
    "base64 of Ogg": ("in.json", lambda: document({"audio": text(sound("OGG"))}), "--field audio"),
    "base64 of samples": ("in.json", lambda: document({"audio": text(PCM)}), f"--field audio {RAW}"),
    "base64 of an array": ("in.json", lambda: document({"audio": text(npy()), "sr": RATE}), "--field audio"),
    "a data URL": (
        "in.json",
        lambda: document({"a": f"data:audio/wav;base64,{text(sound('WAV'))}"}),
        "--field a",
    ),
    "a list of chunks": ("in.json", lambda: document({"audio": pieces(PCM)}), f"--field audio {RAW}"),
    "a list of events": (
        "in.json",
        lambda: document([{"type": "audio.delta", "delta": one} for one in pieces(PCM)]),
        f"--field delta {RAW}",
    ),
    "lines of events": (
        "in.jsonl",
        lambda: lines(
            {"type": "session.created"},
            *({"type": "audio.delta", "delta": one} for one in pieces(PCM)),
            {"type": "audio.done"},
        ),
        f"--field delta {RAW}",
    ),
    "a list of floats": (
        "in.json",
        lambda: document({"audio": TONE.tolist(), "sampling_rate": RATE}),
        "--field audio",
    ),
    "a list and nothing else": ("in.json", lambda: document(TONE.tolist()), f"--field '*' --sample-rate {RATE}"),
    "integers of 16 bits": (
        "in.json",
        lambda: document({"audio": np.frombuffer(PCM, "<i2").tolist()}),
        f"--field audio {RAW}",
    ),
    # tables
    "Hugging Face's bytes": (
        "in.parquet",
        lambda: parquet(audio=[{"bytes": sound("FLAC"), "path": "a.flac"}]),
        "",
    ),
    "Hugging Face's array": (
        "in.parquet",
        lambda: parquet(audio=[{"array": TONE.tolist(), "sampling_rate": RATE}]),
        "",
    ),
    "a column of files": ("in.parquet", lambda: parquet(sound=[sound("WAV")]), ""),
    "a column of numbers": ("in.parquet", lambda: parquet(sound=[TONE.tolist()]), WAVEFORM),
    # arrays of bytes
    "a file in .npz": ("in.npz", lambda: saved(np.savez, audio=BYTES), ""),
    "a file in a shard": ("in.tar", lambda: archive("a.wav", sound("WAV")), ""),
    "an array in a shard": ("in.tar", lambda: archive("a.npy", npy()), WAVEFORM),
    # compression
    "gzip of .npy": ("in.npy.gz", lambda: gzip.compress(npy()), WAVEFORM),
    "gzip of .wav": ("in.wav.gz", lambda: gzip.compress(sound("WAV")), ""),
    "gzip of .npz": ("in.npz.gz", lambda: gzip.compress(saved(np.savez, TONE)), WAVEFORM),
    "gzip of JSON": ("in.json.gz", lambda: gzip.compress(document({"a": text(sound("WAV"))})), "--field a"),
    "bzip2 of .npy": ("in.npy.bz2", lambda: bz2.compress(npy()), WAVEFORM),
    "xz of .wav": ("in.wav.xz", lambda: lzma.compress(sound("WAV")), ""),
    # text and raw numbers
    "a column of text": ("in.csv", lambda: numbers("\n"), f"--sample-rate {RATE}"),
    "a line of text": ("in.txt", lambda: numbers(" "), f"--sample-rate {RATE}"),
    "a table with headings": (
        "in.csv",
        lambda: b"t,y\n" + b"\n".join(b"%.6f,%.7f" % pair for pair in zip(TIME, TONE, strict=True)),
        f"--key y --sample-rate {RATE}",
    ),
    "raw floats": ("in.raw", lambda: TONE.tobytes(), f"--decoder pcm-reader --encoding pcm_f32le --sample-rate {RATE}"),
    "raw floats with a shape": (
        "in.f32",
        lambda: TONE.tobytes(),
        f"--decoder raw-reader --dtype float32 --shape '[-1]' {WAVEFORM}",
    ),
}
"""Files that hold the tone: their name, their bytes, and the flags that read them."""


@pytest.mark.parametrize("case", WHOLE)
def test_the_sound_comes_out(case: str, tonearm: Prompt) -> None:
    name, made, flags = WHOLE[case]
    Path(name).write_bytes(made())
    said = tonearm.convert(f"{name} o.wav {flags}")
    assert (said.status, "warning" in said.err) == (0, False), said.err
    assert rate_of() == RATE
    assert snr(heard()[: len(TONE)], TONE) > (LOSSY if "MP3" in case or "Ogg" in case else LOSSLESS)


@pytest.mark.parametrize(
    "make",
    [
        lambda torch: {"audio": torch.tensor(BYTES.copy())},
        lambda torch: {"waveform": torch.tensor(TONE), "sample_rate": RATE},
        lambda torch: torch.tensor(BYTES.copy()),
    ],
    ids=["a file in a dict", "a waveform and its rate", "a file alone"],
)
def test_the_sound_comes_out_of_tensors(make: Any, tonearm: Prompt) -> None:
    torch = pytest.importorskip("torch", reason="pip install torch")
    torch.save(make(torch), "in.pt")
    said = tonearm.convert("in.pt o.wav")
    assert said.status == 0, said.err
    assert rate_of() == RATE
    assert snr(heard(), TONE) > LOSSLESS


def test_a_raw_spectrogram_with_a_shape(tonearm: Prompt) -> None:
    magnitudes = np.abs(librosa.stft(TONE, n_fft=512, hop_length=128))
    Path("in.f32").write_bytes(magnitudes.astype("<f4").tobytes())
    grid = f"--sample-rate {RATE} --n-fft 512 --hop-length 128 --kind magnitude"
    said = tonearm.convert(f"in.f32 o.wav --decoder raw-reader --dtype float32 --shape '[257, -1]' {grid}")
    assert said.status == 0, said.err
    assert abs(level(heard()) - level(TONE)) < 1.0


NOISE = np.random.default_rng(0).integers(0, 256, 24000, dtype=np.uint8).tobytes()


REFUSED: dict[str, tuple[str, Callable[[], bytes], str, str, str]] = {
    "base64 within base64": (
        "in.json",
        lambda: document({"audio": text(text(sound("WAV")).encode())}),
        f"--field audio {RAW}",
        "wrong-format",
        "it was encoded twice",
    ),
    "base64 in a raw file": ("in.raw", lambda: text(PCM).encode(), f"--decoder pcm-reader {RAW}", "", "base64"),
    "noise at full scale": ("in.raw", lambda: NOISE, f"--decoder pcm-reader {RAW}", "full-scale-noise", "--noise keep"),
    "noise in JSON": (
        "in.json",
        lambda: document({"audio": text(NOISE)}),
        f"--field audio {RAW}",
        "full-scale-noise",
        "--noise keep",
    ),
    "MP3 as samples": ("in.pcm", lambda: sound("MP3"), RAW, "", "MP3"),
    "a pickle": ("in.pkl", lambda: pickle.dumps(TONE), "", "", "it looks like a pickle"),
    "a pickle named .dat": ("in.dat", lambda: pickle.dumps({"a": 1}), "", "", "pickle"),
    "WAV without its suffix": ("in.bin", lambda: sound("WAV"), "", "", "--decoder audio-reader"),
    "an array without its suffix": ("in.bin", npy, WAVEFORM, "", "--decoder npy-reader"),
    "JSON lines as one document": (
        "in.json",
        lambda: lines({"delta": text(PCM[:3000])}, {"delta": text(PCM[3000:])}),
        "",
        "",
        "--field delta",
    ),
    "JSON without its field": ("in.json", lambda: document({"audio": text(sound("WAV"))}), "", "", "--field audio"),
    "a list without a field": ("in.json", lambda: document(TONE.tolist()), f"--sample-rate {RATE}", "", "--field '*'"),
    "a file in .npy": ("in.npy", lambda: saved(np.save, BYTES), WAVEFORM, "wrong-format", "array.tofile(path)"),
    "a file in .npz as text": (
        "in.npz",
        lambda: saved(np.savez, audio=np.array(sound("FLAC"))),
        WAVEFORM,
        "npy-dtype",
        "Path(path).write_bytes(array.tobytes())",
    ),
    "gzip that its name hides": ("in.npy", lambda: gzip.compress(npy()), WAVEFORM, "not-npy", "a gzip file"),
    "a zip of sounds": ("in.zip", lambda: zipped("a.wav", sound("WAV")), "", "", "zip"),
    "a web page": ("in.wav", lambda: b"<!DOCTYPE html><html><body>404</body></html>", "", "", "a web page"),
    "a picture": ("in.npy", lambda: b"\x89PNG\r\n\x1a\n" + bytes(60), WAVEFORM, "", "PNG"),
}
"""Files that are refused: their name, their bytes, flags, the code if it is one, and words of the message or hint."""


def zipped(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_named(case: str, tonearm: Prompt) -> None:
    name, made, flags, code, words = REFUSED[case]
    Path(name).write_bytes(made())
    said = tonearm.convert(f"{name} o.wav {flags}")
    assert said.status in (2, 3)
    assert not Path("o.wav").exists()
    assert said.code == code or not code, said.err
    assert words.lower() in said.err.lower()


FOLLOWED = [
    "WAV without its suffix",
    "an array without its suffix",
    "JSON lines as one document",
    "JSON without its field",
    "a list without a field",
]


@pytest.mark.parametrize("case", FOLLOWED)
def test_the_flag_that_is_proposed_reads_it(case: str, tonearm: Prompt) -> None:
    name, made, flags, _, _ = REFUSED[case]
    Path(name).write_bytes(made())
    said = tonearm.convert(f"{name} o.wav {flags}")
    raw = RAW if "lines" in case else ""
    said = tonearm.convert(f"{name} o.wav {flags} {raw}", *said.proposals[0])
    assert said.status == 0, said.err
    assert snr(heard(), TONE) > LOSSLESS


def test_noise_is_read_when_it_is_asked_for(tonearm: Prompt) -> None:
    Path("in.raw").write_bytes(NOISE)
    said = tonearm.convert(f"in.raw o.wav --decoder pcm-reader {RAW}")
    (flags,) = [words for words in said.proposals if words[0] == "--noise"]
    assert tonearm.convert(f"in.raw o.wav --decoder pcm-reader {RAW}", *flags).status == 0
    np.testing.assert_array_equal(heard() * 32768, np.frombuffer(NOISE, "<i2"))


def test_rows_of_numbers_in_json(tonearm: Prompt) -> None:
    Path("in.json").write_text(json.dumps({"out": {"array": [TONE.tolist(), TONE.tolist()]}, "sampling_rate": RATE}))
    said = tonearm.convert("in.json o.wav --field out.array")
    assert said.code == "axes-mismatch"
    flags = said.hint.partition("(")[2].rstrip(")")
    assert tonearm.convert(f"in.json o.wav {flags} --axes channel,time").status == 0
    assert snr(heard(), TONE) > LOSSLESS
    assert rate_of() == RATE
