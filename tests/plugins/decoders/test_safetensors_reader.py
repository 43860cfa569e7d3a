"""``safetensors-reader``: what the library writes, BF16 too, mapped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
import safetensors.numpy
from decoder_reading import RNG, STFT, WAVE

from tonearm.api import limited_memory
from tonearm_plugins.decoders.safetensors_reader import SafetensorsReader

torch = pytest.importorskip("torch", reason="pip install torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

SAMPLES = np.array([0.5, -0.25, 0.125, 0], "f4")


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(SafetensorsReader, given, **WAVE | options)


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(SafetensorsReader, given, **WAVE | options)


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.int16, torch.int32]
)
def test_every_type(dtype: object, tmp_path: Path) -> None:
    scale = 1 if dtype.is_floating_point else 2 ** (8 * dtype.itemsize - 1)
    data = safetensors_torch.save({"wav": (torch.tensor(SAMPLES) * scale).to(dtype)}, metadata={"by": "us"})
    (tmp_path / "a.safetensors").write_bytes(data)
    for given in (data, tmp_path / "a.safetensors"):
        (item,) = decode(given)
        assert (item.key, item.signal.samples.tolist()) == ("wav", [SAMPLES.tolist()])


def test_bfloat16_keeps_its_bits() -> None:
    values = torch.tensor(RNG.normal(size=(3, 50)).clip(-1, 1), dtype=torch.bfloat16)
    items = decode(safetensors_torch.save({"a": values}), kind="waveform", axes=["batch", "time"])
    assert np.array_equal(np.concatenate([item.signal.samples for item in items]), values.float().numpy())


def test_several_tensors_batches_and_parts() -> None:
    values = RNG.normal(size=(9, 5)) + 1j * RNG.normal(size=(9, 5))
    data = safetensors.numpy.save({"re": values.real.copy(), "im": values.imag.copy(), "x": np.ones(3)})
    (item,) = decode(data, kind="complex", key="re", imag="im", **STFT)
    assert item.signal.values[0] == pytest.approx(values, abs=1e-6)
    assert refused(data).code == "several-arrays"
    (item,) = decode(safetensors.numpy.save({"c": values.astype("c8")}), **STFT)
    assert np.array_equal(item.signal.values[0], values.astype("c8"))


def test_a_file_is_mapped(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"wav": np.zeros(5000, "f4")}, tmp_path / "a.safetensors")
    (item,) = decode(tmp_path / "a.safetensors")
    base = item.signal.samples
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


def lying(entry: dict[str, Any], present: int = 16) -> bytes:
    header = json.dumps({"wav": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} | entry}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(present)


@pytest.mark.parametrize(
    "data",
    [
        lying({"shape": [10**12]}),
        lying({"shape": [-4]}),
        lying({"shape": [1 << 63, 1 << 63]}),
        lying({"data_offsets": [0, 1 << 62]}),
        lying({"data_offsets": [16, 0]}),
        lying({"dtype": "F99"}),
        lying({}, present=8),
        lying({}, present=24),
        (1 << 62).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (9).to_bytes(8, "little") + b"{" * 9,
    ],
)
def test_headers_that_lie(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(data)
    for given in (data, tmp_path / "a.safetensors"):
        assert refused(given).code == "broken-file"


def test_types_that_are_no_sound() -> None:
    assert refused(safetensors_torch.save({"a": torch.zeros(4).to(torch.float8_e4m3fn)})).code == "not-numbers"
    assert refused(safetensors_torch.save({"a": torch.tensor([True])})).code == "not-numbers"
    assert refused(safetensors_torch.save({"a": torch.zeros(0)})).code == "empty"


def test_files_cut_off_are_refused() -> None:
    data = safetensors.numpy.save({"wav": SAMPLES, "b": SAMPLES})
    for part in decoder_reading.truncations(data):
        assert refused(part).code == ("broken-file" if part else "empty")


def test_scrambled_files_are_read_or_raise_an_item_error() -> None:
    data = safetensors.numpy.save({"wav": SAMPLES, "b": SAMPLES})
    for part in decoder_reading.scrambles(data, 200):
        decoder_reading.read_or_item_error(SafetensorsReader, part, key="*", **WAVE)


def test_a_file_of_another_type_is_named() -> None:
    assert refused(b"RIFF" + b"\xff" * 80).message == "'in memory' is not a safetensors file; it looks like a WAV file"


def test_a_header_that_takes_more_memory_than_its_bytes_is_refused() -> None:
    header = b'{"a":[' + b"[]," * 10_000_000 + b"[]]}"
    assert refused(len(header).to_bytes(8, "little") + header + bytes(8)).code == "too-large"


def test_a_file_of_holes_is_refused(tmp_path: Path) -> None:
    header = b'{"a":{"dtype":"F32","shape":[250000000000],"data_offsets":[0,1000000000000]}}'
    with (tmp_path / "a.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 10**12)
    assert refused(tmp_path / "a.safetensors").code == "too-large"


@pytest.mark.parametrize("count", [250, 251])
def test_bfloat16_is_judged_by_memory(count: int, tmp_path: Path) -> None:
    header = b'{"a":{"dtype":"BF16","shape":[%d],"data_offsets":[0,%d]}}' % (count, 2 * count)
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(2 * count))
    with limited_memory(2000):
        if count == 250:
            assert decode(tmp_path / "a.safetensors")[0].signal.length == 250
        else:
            assert refused(tmp_path / "a.safetensors").code == "too-large"
