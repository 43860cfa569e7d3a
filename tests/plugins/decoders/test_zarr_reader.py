"""``zarr-reader``: stores as zarr writes them, folders and zip files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
import zarr
from decoder_reading import RNG, STFT, WAVE

import tonearm
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


def test_shards_and_codecs(tmp_path: Path) -> None:
    values = RNG.uniform(-1, 1, (4, 1000)).astype("f4")
    root = zarr.open_group(tmp_path / "a.zarr", mode="w")
    for name, codec in (
        ("zstd", zarr.codecs.ZstdCodec()),
        ("gzip", zarr.codecs.GzipCodec()),
        ("blosc", zarr.codecs.BloscCodec()),
    ):
        array = root.create_array(
            name, shape=values.shape, chunks=(1, 100), shards=(2, 500), dtype="f4", compressors=codec
        )
        array[...] = values
    items = decode(tmp_path / "a.zarr", key="*", kind="waveform", axes=["channel", "time"])
    assert [item.key for item in items] == ["blosc", "gzip", "zstd"]
    for item in items:
        assert np.array_equal(item.signal.samples, values)


def test_broken_zip_files_are_read_or_raise_an_item_error_and_print_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = store(tmp_path / "a.zarr.zip", 3, a=SAMPLES, x__b=SAMPLES).read_bytes()
    for part in [*decoder_reading.truncations(data), *decoder_reading.scrambles(data, 60)]:
        (tmp_path / "b.zarr.zip").write_bytes(part)
        decoder_reading.read_or_item_error(ZarrReader, tmp_path / "b.zarr.zip", key="*", **WAVE)
    assert capfd.readouterr().err == ""


def converted(pipeline: Any, *sources: Any, out: Path) -> tuple[list[str], int]:
    report = pipeline.run([*sources], out=out)
    assert report.ok, report.failures
    return sorted(str(path.relative_to(out)) for path in out.rglob("*.wav")), report.skipped


def test_folders_are_sources_of_a_run(tmp_path: Path) -> None:
    for name in ("in/a.zarr", "in/deep/b.zarr", "in/deep/c.zarr.zip"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        store(tmp_path / name, 3, wav=SAMPLES)
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "zarr-reader", "with": WAVE},
            "outputs": [{"use": "wav-writer", "file": "{relative_dir}/{name}.wav"}],
        }
    )
    everything = ["a.zarr.wav", "deep/b.zarr.wav", "deep/c.zarr.zip.wav"]
    assert converted(pipeline, tmp_path / "in", out=tmp_path / "1") == (everything, 0)
    found = converted(pipeline, f"{tmp_path}/in/**/*.zarr*", out=tmp_path / "2")
    assert found == (everything, 0)
    assert converted(pipeline, f"{tmp_path}/in/*/b.zarr", out=tmp_path / "3") == (["deep/b.zarr.wav"], 0)
    assert converted(pipeline, tmp_path / "in/a.zarr", out=tmp_path / "4") == (["a.zarr.wav"], 0)
    assert converted(pipeline, tmp_path / "in/a.zarr", out=tmp_path / "4")[1] == 1
    # What changes within a store changes it, and so does what is new in it.
    zarr.open_group(tmp_path / "in/a.zarr", mode="a")["wav"][0] = 0.75
    assert converted(pipeline, tmp_path / "in/a.zarr", out=tmp_path / "4")[1] == 0
    # Only the decoder reads a folder, so there is no hash that could tell a new time from new content.
    assert converted(pipeline, tmp_path / "in/a.zarr", out=tmp_path / "4")[1] == 1
    for path in (tmp_path / "in/a.zarr").rglob("*"):
        os.utime(path)
    assert converted(pipeline, tmp_path / "in/a.zarr", out=tmp_path / "4")[1] == 0
