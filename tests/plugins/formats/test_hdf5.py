"""Datasets of HDF5 files: mapped if they can be, and refused if they lie, lie elsewhere, or hold no numbers."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tonearm.api import ItemError
from tonearm_plugins.formats import hdf5

SAMPLES = np.array([0.5, -0.25, 0.125, 0], "f4")


def saved(write: Any) -> io.BytesIO:
    file = io.BytesIO()
    with h5py.File(file, "w") as handle:
        write(handle)
    return file


def names(file: Any, **how: Any) -> list[str]:
    with hdf5.open_arrays(file, "a.h5", **how) as arrays:
        return list(arrays)


def load(file: Any, key: str = "wav", **how: Any) -> Any:
    with hdf5.open_arrays(file, "a.h5", **how) as arrays:
        return arrays[key]


def refused(file: Any, key: str = "wav") -> ItemError:
    with pytest.raises(ItemError) as caught:
        load(file, key)
    return caught.value


def test_a_large_plain_dataset_is_mapped_and_a_small_one_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as handle:
        handle["wav"] = np.linspace(-1, 1, 5_000_000, dtype="f4")
        handle["small"] = SAMPLES
        handle.create_dataset(
            "gzip", data=np.zeros(5_000_000, "f4") + SAMPLES[0], compression="gzip", chunks=(1 << 20,)
        )
    with (tmp_path / "a.h5").open("rb") as file:
        mapped = load(file)
        assert isinstance(mapped, np.memmap)
        assert not mapped.flags.writeable
        assert mapped[-1] == 1
        assert not isinstance(load(file, "small"), np.memmap)
        assert not isinstance(load(file, "gzip"), np.memmap)
        assert load(file, "gzip")[-1] == 0.5


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
    with (tmp_path / "a.h5").open("rb") as file:
        assert names(file) == ["external", "round/trip", "virtual"]
        for key in ("external", "virtual"):
            error = refused(file, key)
            assert (error.code, error.message) == ("outside-file", f"'a.h5': '{key}' has its values in another file")


def test_claims_without_values() -> None:
    error = refused(saved(lambda h: h.create_dataset("wav", (10**12,), "f4", chunks=(1000,))))
    assert (error.code, error.message) == (
        "too-large",
        "'a.h5': 'wav' claims 4,000,000,000,000 bytes, but only 0 are stored",
    )
    assert refused(saved(lambda h: h.create_dataset("wav", (0, 4), "f4"))).code == "empty"
    assert refused(saved(lambda h: h.create_dataset("wav", data=h5py.Empty("f4")))).code == "empty"
    assert names(saved(lambda h: h.create_group("a"))) == []


def test_chunks_that_inflate_to_something_else() -> None:
    zeros = zlib.compress(bytes(30 << 20), 9)

    def write(handle: Any, chunk: int) -> None:
        made = handle.create_dataset("wav", (4,), "f4", maxshape=(None,), chunks=(chunk,), compression="gzip")
        made.id.write_direct_chunk((0,), zeros)

    error = refused(saved(lambda h: write(h, 4)))
    assert error.message == f"'a.h5': 'wav' has {len(zeros):,} compressed bytes for 16 bytes of values"
    error = refused(saved(lambda h: write(h, 900_000_000)))
    assert error.message == f"'a.h5': 'wav' claims 3,600,000,000 bytes, but only {len(zeros):,} are stored"


def test_text_and_ragged_lists_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(handle: Any) -> None:
        handle["text"] = ["a", "b"]
        handle.create_dataset("ragged", (2,), h5py.vlen_dtype("f4"))
        handle["table"] = np.zeros(3, [("a", "f4"), ("b", "i4")])

    file = saved(write)
    monkeypatch.setattr(h5py.Dataset, "__getitem__", lambda *_: pytest.fail("values were read"))
    for key, what in (
        ("text", "text"),
        ("ragged", "lists of varying length"),
        ("table", "[('a', '<f4'), ('b', '<i4')] values"),
    ):
        error = refused(file, key)
        assert error.code == "not-numbers"
        assert error.message == f"'a.h5': '{key}' holds {what}, not an array of numbers"


def test_a_file_of_matlab_has_its_axes_reversed_and_complex_values_as_pairs(tmp_path: Path) -> None:
    values = np.arange(6).reshape(2, 3) + 1j
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as handle:
        handle["wav"] = values.T.copy().view([("real", "f8"), ("imag", "f8")])
        handle["#refs#/a"] = SAMPLES
    with path.open("rb") as file:
        assert names(file, matlab=True) == ["wav"]
        assert np.array_equal(load(file, matlab=True), values)


def test_groups_are_listed_down_to_a_depth() -> None:
    deep = "/".join("g" * (hdf5.MAX_DEPTH + 3)) + "/wav"

    def write(handle: Any) -> None:
        handle[deep] = SAMPLES
        handle["a/wav"] = SAMPLES

    assert names(saved(write)) == ["a/wav"]
