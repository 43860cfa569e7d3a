"""``hdf5-reader``: datasets by path, of every type."""

from __future__ import annotations

import io
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


def test_files_cut_off_are_refused() -> None:
    data = saved(lambda h: h.create_dataset("wav", data=SAMPLES))
    for part in decoder_reading.truncations(data):
        refused(part)


def test_scrambled_files_are_read_or_raise_an_item_error() -> None:
    data = saved(lambda h: h.create_dataset("wav", data=SAMPLES))
    for part in decoder_reading.scrambles(data):
        decoder_reading.read_or_item_error(Hdf5Reader, part, **WAVE)


def test_a_file_of_another_type_is_named() -> None:
    error = refused(b"RIFF" + bytes(80))
    assert error.message == "'in memory' is not an HDF5 file; it looks like a WAV file"
