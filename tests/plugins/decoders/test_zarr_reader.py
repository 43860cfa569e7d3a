"""``zarr-reader``: stores as zarr writes them, folders and zip files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
import zarr
from decoder_reading import RNG, STFT, WAVE

from tonearm_plugins.decoders.zarr_reader import ZarrReader

SAMPLES = np.array([0.5, -0.25, 0.125, 0], "f4")


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(ZarrReader, given, **WAVE | options)


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(ZarrReader, given, **WAVE | options)


def store(path: Path, version: int, **arrays: Any) -> Path:
    made = zarr.storage.ZipStore(path, mode="w") if path.suffix == ".zip" else zarr.storage.LocalStore(path)
    root = zarr.open_group(made, mode="w", zarr_format=version)
    for key, value in arrays.items():
        root.create_array(key.replace("__", "/"), data=value, chunks=value.shape)
    made.close()
    return path


@pytest.mark.parametrize("name", ["a.zarr", "a.zarr.zip"])
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4"])
def test_every_type(dtype: str, version: int, name: str, tmp_path: Path) -> None:
    scale = 1 if np.dtype(dtype).kind == "f" else 2 ** (8 * np.dtype(dtype).itemsize - 1)
    (item,) = decode(store(tmp_path / name, version, wav=(SAMPLES * scale).astype(dtype)))
    assert (item.key, item.signal.samples.tolist()) == ("wav", [SAMPLES.tolist()])


def test_groups_batches_and_complex_values(tmp_path: Path) -> None:
    values = (RNG.normal(size=(9, 5)) + 1j * RNG.normal(size=(9, 5))).astype("c8")
    path = store(tmp_path / "a.zarr", 3, out__wav=RNG.uniform(-1, 1, (2, 6)), out__n=np.array([6, 2]), stft=values)
    items = decode(path, key="out/wav", lengths="out/n", kind="waveform", axes=["batch", "time"])
    assert [item.signal.length for item in items] == [6, 2]
    assert np.array_equal(decode(path, key="stft", **STFT)[0].signal.values[0], values)
    assert refused(path).code == "several-arrays"


def test_an_array_alone_has_no_name(tmp_path: Path) -> None:
    zarr.save_array(tmp_path / "a.zarr", SAMPLES)
    (item,) = decode(tmp_path / "a.zarr")
    assert (item.key, item.signal.length) == ("", 4)


def test_claims_without_values_and_other_folders(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "a.zarr", shape=(10**12,), chunks=(1000,), dtype="f4")
    assert refused(tmp_path / "a.zarr").code == "too-large"
    (tmp_path / "b.zarr").mkdir()
    assert refused(tmp_path / "b.zarr").code == "wrong-format"
    (tmp_path / "b.zarr" / "zarr.json").write_text("{")
    assert refused(tmp_path / "b.zarr").code == "broken-file"
    (tmp_path / "c.zip").write_bytes(b"nonsense")
    assert refused(tmp_path / "c.zip").code == "broken-file"
    path = store(tmp_path / "d.zarr", 3, wav=SAMPLES)
    next(path.glob("wav/c/*")).write_bytes(b"nonsense")
    assert refused(path).code == "broken-file"
