"""``hdf5-reader``: datasets by path; nothing outside the file."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import decoder_reading
import h5py
import numpy as np
import pytest
from decoder_reading import RNG, STFT, WAVE

from tonearm_plugins.decoders.hdf5_reader import Hdf5Reader

SAMPLES = np.array([0.5, -0.25, 0.125, 0], "f4")


def saved(write: Any) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as handle:
        write(handle)
    return file.getvalue()


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(Hdf5Reader, given, **WAVE | options)


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(Hdf5Reader, given, **WAVE | options)


@pytest.mark.parametrize("how", [{}, {"compression": "gzip"}, {"chunks": (2,), "shuffle": True}])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i1", "i2", ">i2", "i4"])
def test_every_type(dtype: str, how: dict[str, Any]) -> None:
    scale = 1 if np.dtype(dtype).kind == "f" else 2 ** (8 * np.dtype(dtype).itemsize - 1)
    (item,) = decode(saved(lambda h: h.create_dataset("wav", data=(SAMPLES * scale).astype(dtype), **how)))
    assert (item.key, item.signal.samples.tolist()) == ("wav", [SAMPLES.tolist()])


def test_groups_batches_complex_and_parts() -> None:
    values = (RNG.normal(size=(9, 5)) + 1j * RNG.normal(size=(9, 5))).astype("c8")

    def write(handle: Any) -> None:
        handle["a/b/wav"] = RNG.uniform(-1, 1, (2, 6))
        handle["a/n"] = np.array([6, 2])
        handle["stft"] = values
        handle["text"] = "hello"

    data = saved(write)
    items = decode(data, key="a/b/*", lengths="a/n", kind="waveform", axes=["batch", "time"])
    assert [(item.key, item.signal.length) for item in items] == [("a/b/wav", 6), ("a/b/wav", 2)]
    assert np.array_equal(decode(data, key="stft", **STFT)[0].signal.values[0], values)
    assert refused(data).message == "there are 4 arrays: a/b/wav, a/n, stft, text"
    assert refused(data, key="text").message == "'in memory': 'text' holds text, not an array of numbers"


def test_a_large_plain_dataset_is_mapped(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as handle:
        handle["wav"] = np.linspace(-1, 1, 5_000_000, dtype="f4")
    (item,) = decode(tmp_path / "a.h5")
    base = item.signal.samples
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    assert item.signal.samples[0, -1] == 1


def test_nothing_outside_the_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(16))
    with h5py.File(tmp_path / "other.h5", "w") as handle:
        handle["wav"] = SAMPLES
    with h5py.File(tmp_path / "a.h5", "w") as handle:
        handle.create_dataset("external", (4,), "f4", external=[(str(secret), 0, 16)])
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "wav", shape=(4,))
        handle.create_virtual_dataset("virtual", layout)
        handle["link"] = h5py.ExternalLink("other.h5", "/wav")
        handle["soft"] = h5py.SoftLink("/external")
        handle["round/trip"] = SAMPLES
        handle["round/again"] = handle["round"]
    for key in ("external", "virtual"):
        assert refused(tmp_path / "a.h5", key=key).code == "outside-file"
    error = refused(tmp_path / "a.h5", key="link")
    assert (error.code, error.hint) == ("no-such-key", "there are external, round/trip, virtual")


def test_claims_without_values() -> None:
    data = saved(lambda h: h.create_dataset("wav", (10**12,), "f4", chunks=(1000,)))
    assert refused(data).code == "too-large"
    assert refused(saved(lambda h: h.create_dataset("wav", (0, 4), "f4"))).code == "empty"
    assert refused(saved(lambda h: h.create_dataset("wav", data=h5py.Empty("f4")))).code == "empty"
    assert refused(saved(lambda h: h.create_group("a"))).message == "there is no array"


def test_broken_and_other_files() -> None:
    data = saved(lambda h: h.create_dataset("wav", data=SAMPLES))
    for part in decoder_reading.truncations(data):
        refused(part)
    for part in decoder_reading.scrambles(data):
        decoder_reading.survives(Hdf5Reader, part, **WAVE)
    error = refused(b"RIFF" + bytes(80))
    assert error.message == "'in memory' is not an HDF5 file; it looks like a WAV file"


def test_chunks_that_inflate_to_something_else() -> None:
    zeros = zlib.compress(bytes(30 << 20), 9)

    def write(handle: Any, chunk: int) -> None:
        made = handle.create_dataset("wav", (4,), "f4", maxshape=(None,), chunks=(chunk,), compression="gzip")
        made.id.write_direct_chunk((0,), zeros)

    error = refused(saved(lambda h: write(h, 4)))
    assert error.message == f"'in memory': 'wav' has {len(zeros):,} compressed bytes for 16 bytes of values"
    error = refused(saved(lambda h: write(h, 900_000_000)))
    assert error.message == f"'in memory': 'wav' claims 3,600,000,000 bytes, but only {len(zeros):,} are stored"


def test_text_and_ragged_lists_are_not_even_read() -> None:
    def write(handle: Any) -> None:
        handle["text"] = ["a", "b"]
        handle.create_dataset("ragged", (2,), h5py.vlen_dtype("f4"))
        handle["table"] = np.zeros(3, [("a", "f4"), ("b", "i4")])

    data = saved(write)
    assert refused(data, key="text").code == "not-numbers"
    assert refused(data, key="table").code == "not-numbers"
    error = refused(data, key="ragged")
    assert error.message == "'in memory': 'ragged' holds lists of varying length, not an array of numbers"
