"""Bytes within other files are judged as a file of their own would be, in whatever they stand."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import sounds_in_bytes
from decoder_reading import outcomes
from sounds_in_bytes import FLAC, MP3, OGG, PCM, RATE, TONE, WAV, base64_of, npy_bytes, snr, sound_bytes

from tonearm.api import Context, ItemError, LazyArrays, Waveform, limited_memory
from tonearm.plugins.registry import default
from tonearm_plugins.decoders.contained import (
    SoundOptions,
    content_of,
    content_of_text,
    is_hexadecimal,
    is_row_of_bytes,
    with_sounds,
)


def content(data: bytes) -> Any:
    return content_of(data, "a.json", "audio", SoundOptions(), Context()).value


def refused(data: bytes) -> ItemError:
    with pytest.raises(ItemError) as caught:
        content(data)
    assert "'a.json'" in caught.value.message
    assert caught.value.hint
    return caught.value


SOUNDS = {
    "wav": (WAV, 80),
    "rf64": (sound_bytes("RF64"), 80),
    "w64": (sound_bytes("W64"), 80),
    "aiff": (sound_bytes("AIFF"), 80),
    "au": (sound_bytes("AU"), 80),
    "caf": (sound_bytes("CAF"), 80),
    "flac": (FLAC, 80),
    "float": (sound_bytes("WAV", subtype="FLOAT"), 120),
    "mp3": (MP3, 20),
    "ogg": (OGG, 20),
    "wav.gz": (gzip.compress(WAV), 80),
    "wav.bz2": (bz2.compress(WAV), 80),
    "wav.xz": (lzma.compress(WAV), 80),
    "wav.zst": (bytes(numcodecs.Zstd().encode(WAV)), 80),
    "wav.gz.gz": (gzip.compress(gzip.compress(WAV)), 80),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_file_is_read_by_its_own_reader(name: str) -> None:
    data, least = SOUNDS[name]
    found = content(data)
    assert isinstance(found, Waveform)
    assert found.sample_rate == RATE
    assert snr(found.samples) > least


def test_arrays_and_raw_bytes() -> None:
    assert np.array_equal(content(npy_bytes(TONE)), TONE)
    assert content(PCM) == PCM
    assert content(bytes(100)) == bytes(100)  # silence


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.wav", WAV)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (base64_of(WAV).encode(), "base64"),
        (b"data:audio/wav;base64," + base64_of(WAV).encode(), "base64"),
        (zipped(), "a zip archive"),
        (b'{"audio": "AAAA"}', "JSON"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG image"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\x80\x04\x95" + bytes(50), "a pickle"),
        (b"quota exceeded, please try again", "text"),
    ],
)
def test_other_formats_are_named(data: bytes, what: str) -> None:
    error = refused(data)
    assert error.code == "wrong-format"
    assert f"holds {what}" in error.message


def test_broken_sound_and_bombs_are_refused() -> None:
    assert refused(b"RIFF\xff\xff\xff\xffWAVEnonsense" + bytes(50)).code == "bad-audio"
    assert refused(gzip.compress(WAV)[:-20]).code == "broken-file"
    with limited_memory(20_000_000):
        assert refused(gzip.compress(bytes(100 << 20), 1)).code == "too-large"


def test_rows_of_bytes_in_arrays() -> None:
    wav = np.frombuffer(WAV, "u1")
    options = type("Options", (), {"of_kind": lambda *_: None, "nan": "error"})()
    arrays = {"a": wav, "b": wav[None].view("i1"), "c": TONE, "d": np.frombuffer(npy_bytes(TONE), "u1"), "e": wav[4:]}
    found = with_sounds(LazyArrays(arrays, arrays.__getitem__), "a.npz", options, Context())  # type: ignore[arg-type]
    assert snr(found["a"].samples) > 80
    assert snr(found["b"].samples) > 80
    assert found["c"] is TONE
    assert np.array_equal(found["d"], TONE)
    assert found["e"].dtype == "u1"
    assert not is_row_of_bytes(np.zeros((4, 20), "u1"))


def npz(path: Path, **more: Any) -> None:
    np.savez(path, wav=np.frombuffer(WAV, "u1"), **more)


def pt(path: Path) -> None:
    import torch

    torch.save({"audio": WAV, "text": "hello"}, path)


def pt_tensor(path: Path) -> None:
    import torch

    torch.save({"audio": torch.frombuffer(bytearray(FLAC), dtype=torch.uint8)}, path)


def h5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["audio"] = np.frombuffer(FLAC, "u1")


def mat(path: Path) -> None:
    from scipy.io import savemat

    savemat(path, {"audio": np.frombuffer(WAV, "u1")})


def safetensors(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"audio": np.frombuffer(WAV, "u1").copy()}, path)


def zarr(path: Path) -> None:
    import zarr as library

    library.save_array(str(path), np.frombuffer(WAV, "u1"))


def tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("0001.flac")
        info.size = len(FLAC)
        archive.addfile(info, io.BytesIO(FLAC))


def parquet(path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet as library

    library.write_table(pa.table({"audio": [WAV], "text": ["hello"]}), path)


HOLDERS = {
    "npz": (npz, "npz-reader", "a.npz"),
    "pt": (pt, "torch-reader", "a.pt"),
    "pt-tensor": (pt_tensor, "torch-reader", "a.pt"),
    "h5": (h5, "hdf5-reader", "a.h5"),
    "mat": (mat, "mat-reader", "a.mat"),
    "safetensors": (safetensors, "safetensors-reader", "a.safetensors"),
    "zarr": (zarr, "zarr-reader", "a.zarr"),
    "tar": (tar, "webdataset-reader", "a.tar"),
    "parquet": (parquet, "parquet-reader", "a.parquet"),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_a_sound_file_in_every_holder(name: str, tmp_path: Path) -> None:
    save, reader, file = HOLDERS[name]
    if name.startswith("pt"):
        pytest.importorskip("torch")
    path = tmp_path / file
    save(path)
    cls: Any = default().find("decoder", reader).resolve()
    (item,) = outcomes(cls, path)
    assert item.signal.sample_rate == RATE
    assert snr(item.signal.samples) > 80
    (error,) = outcomes(cls, path, kind="waveform", sample_rate=44100)
    assert error.code == "rate-mismatch"


def test_the_helper_makes_what_it_says() -> None:
    assert snr(TONE[None]) > 200
    assert snr(sounds_in_bytes.TONE[None] * 0.9) == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize(
    "text",
    [
        base64_of(WAV),
        base64_of(WAV).rstrip("="),
        base64_of(WAV).replace("+", "-").replace("/", "_"),
        f"data:audio/wav;base64,{base64_of(WAV)}",
        WAV.hex(),
        base64_of(gzip.compress(WAV)),
    ],
)
def test_text_of_a_sound_file(text: str) -> None:
    found = content_of_text(text, "a.pt", "audio", SoundOptions(), Context())
    assert isinstance(found, Waveform)
    assert snr(found.samples) > 80


@pytest.mark.parametrize(("text", "code"), [(base64_of(PCM), "wrong-format"), ("!" * 300, "not-numbers")])
def test_text_of_anything_else_is_refused(text: str, code: str) -> None:
    with pytest.raises(ItemError) as caught:
        content_of_text(text, "a.pt", "audio", SoundOptions(), Context())
    assert caught.value.code == code


def test_hexadecimal_digits_are_told_from_base64() -> None:
    assert is_hexadecimal(PCM.hex())
    assert is_hexadecimal(PCM.hex().upper())
    assert not any(is_hexadecimal(text) for text in ("00" * 8, "0" * 33, "aF" * 40, base64_of(PCM), ""))
