"""Datasets of HDF5 files: mapped if they can be, and refused if they lie, lie elsewhere, or hold no numbers."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tonearm.api import ItemError, limited_memory
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


def test_limits_and_the_package() -> None:
    assert (hdf5.MAX_ARRAYS, hdf5.MAX_DEPTH) == (1_000_000, 32)
    assert (hdf5.H5PY.name, hdf5.H5PY.program, hdf5.H5PY.hint) == ("h5py", False, "pip install 'tonearm[hdf5]'")


def nested(count: int) -> str:
    return "/".join("g" * count) + "/wav"


def test_groups_are_listed_down_to_a_depth() -> None:
    def write(handle: Any) -> None:
        handle[nested(hdf5.MAX_DEPTH + 1)] = SAMPLES
        handle["a/wav"] = SAMPLES

    assert names(saved(write)) == ["a/wav"]
    assert names(saved(lambda h: h.create_dataset(nested(hdf5.MAX_DEPTH), data=SAMPLES))) == [nested(hdf5.MAX_DEPTH)]


@pytest.mark.parametrize(("most", "fits"), [(4, True), (3, True), (2, True), (1, False)])
def test_arrays_are_counted(monkeypatch: pytest.MonkeyPatch, most: int, fits: bool) -> None:
    """Before each is added, so that one more is let through: what matters is that a bound is there."""

    def write(handle: Any) -> None:
        for name in "abc":
            handle[name] = SAMPLES

    monkeypatch.setattr(hdf5, "MAX_ARRAYS", most)
    if fits:
        assert names(saved(write)) == ["a", "b", "c"]
        return
    with pytest.raises(ItemError, match="has more than 1 arrays") as caught:
        names(saved(write))
    assert caught.value.code == "too-large"


def test_a_group_is_listed_once_and_a_circle_ends() -> None:
    def write(handle: Any) -> None:
        handle["a/wav"] = SAMPLES
        handle["a/b/wav"] = SAMPLES
        handle["a/b/up"] = handle["a"]
        handle["c"] = handle["a/b"]
        handle["d"] = np.dtype("f4")  # a named type, which is neither a group nor a dataset
        handle["e"] = SAMPLES

    assert names(saved(write)) == ["a/b/wav", "a/wav", "e"]


@pytest.mark.parametrize("kind", ["i1", "<i4", ">i8", "u2", "f2", "f4", "<f8", "c8", "c16", "?"])
def test_numbers_of_all_kinds_are_read(kind: str) -> None:
    values = np.array([[0, 1], [1, 0]]).astype(kind)
    found = load(saved(lambda h: h.create_dataset("wav", data=values)))
    assert found.dtype == values.dtype
    assert np.array_equal(found, values)
    chunked = load(saved(lambda h: h.create_dataset("wav", data=values, chunks=(1, 2))))
    assert np.array_equal(chunked, values)


def test_arrays_as_values_are_numbers_and_scalars_are_arrays() -> None:
    made = load(saved(lambda h: h.create_dataset("wav", (3,), np.dtype(("f4", (2,))))))
    assert made.shape == (3, 2)
    scalar = load(saved(lambda h: h.create_dataset("wav", data=np.float32(0.5))))
    assert (scalar.shape, float(scalar)) == ((), 0.5)
    assert isinstance(scalar, np.ndarray)


@pytest.mark.parametrize(
    "values", [np.array([b"a"], "S3"), np.zeros(2, "V4"), np.zeros(2, [("real", "f4"), ("imag", "f4")])]
)
def test_values_that_are_no_numbers_are_refused_with_a_hint(values: Any) -> None:
    error = refused(saved(lambda h: h.create_dataset("wav", data=values)))
    assert error.code == "not-numbers"
    assert error.hint == "save each array as a dataset of its own"


def test_a_file_in_a_value_is_saved_by_the_line_of_its_hint(tmp_path: Path) -> None:
    content = b"fLaC" + bytes(range(100))
    file = saved(lambda h: h.create_dataset("wav", data=np.void(content)))
    _, _, line = refused(file).hint.partition(": ")
    with h5py.File(file) as handle:
        exec(line, {"Path": Path, "dataset": handle["wav"], "path": tmp_path / "a.flac"})
    assert (tmp_path / "a.flac").read_bytes() == content


@pytest.mark.parametrize(("matlab", "what", "before"), [(False, "an HDF5 file", 0), (True, "a MATLAB file", 512)])
def test_the_file_starts_where_its_program_starts_it(matlab: bool, what: str, before: int) -> None:
    """MATLAB writes 512 bytes of its own before."""
    with pytest.raises(ItemError) as caught:
        names(io.BytesIO(bytes(before) + hdf5.MAGIC + bytes(600)), matlab=matlab)
    assert caught.value.code == "broken-file"
    assert what.split()[1] in caught.value.message
    whole = saved(lambda h: h.create_dataset("wav", data=SAMPLES)).getvalue()
    with pytest.raises(ItemError) as caught:
        names(io.BytesIO(bytes(512 - before) + whole), matlab=matlab)
    assert caught.value.code == "wrong-format"


def test_values_in_another_file_have_a_hint(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(16))
    error = refused(saved(lambda h: h.create_dataset("wav", (4,), "f4", external=[(str(tmp_path / "raw"), 0, 16)])))
    assert error.hint == "copy them into one file: h5repack, or h5py's dataset[()]"


@pytest.mark.parametrize("shape", [(0, 4), (3, 0)])
def test_empty_arrays_have_their_shape_in_the_message(shape: tuple[int, ...]) -> None:
    error = refused(saved(lambda h: h.create_dataset("wav", shape, "f4")))
    assert error.message == f"'a.h5': 'wav' is empty: its shape is {shape}"


@pytest.mark.parametrize("how", [{}, {"chunks": (10, 10)}, {"chunks": (100, 100), "shuffle": True}])
def test_memory_is_that_of_the_values(how: dict[str, Any]) -> None:
    file = saved(lambda h: h.create_dataset("wav", data=np.ones((100, 100), "f8"), **how))
    most = 160_000 if not how else 320_000
    with limited_memory(most):
        load(file)
    with limited_memory(159_999):
        error = refused(file)
    assert error.code == "too-large"
    assert error.message.startswith("'a.h5': 'wav' would take")


def test_chunks_that_claim_more_than_the_file_stores_are_refused() -> None:
    """h5py would take the memory of a whole chunk."""

    def write(handle: Any, chunk: int) -> None:
        handle.create_dataset("wav", (4,), "f4", maxshape=(None,), chunks=(chunk,))

    assert load(saved(lambda h: write(h, 1 << 26))).tolist() == [0, 0, 0, 0]
    error = refused(saved(lambda h: write(h, (1 << 26) + 1)))
    assert error.message == "'a.h5': 'wav' claims 268,435,460 bytes, but only 0 are stored"


@pytest.mark.parametrize(
    ("values", "how", "mapped"),
    [
        (np.arange(8, dtype="i4"), {}, True),
        (np.arange(4, dtype="u8"), {}, True),
        (np.arange(8, dtype=">f4"), {}, True),
        (np.arange(4, dtype="c8"), {}, True),
        (np.arange(31, dtype="u1"), {}, False),
        (np.arange(32, dtype="u1"), {}, True),
        (np.arange(33, dtype="u1"), {}, True),
        (np.ones(40, "?"), {}, False),
        (np.arange(8, dtype="i4"), {"chunks": (8,)}, False),
        (np.arange(8, dtype="i4"), {"chunks": (4,), "compression": "gzip"}, False),
    ],
)
def test_plain_values_are_mapped_from_a_size_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: Any, how: dict[str, Any], mapped: bool
) -> None:
    monkeypatch.setattr(hdf5, "MAP_FROM", 32)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=512) as handle:
        handle.create_dataset("wav", data=values, **how)
    with path.open("rb") as file:
        found = load(file, matlab=True)
    assert isinstance(found, np.memmap) == mapped
    assert found.dtype == values.dtype
    assert np.array_equal(found, values)


def test_large_values_of_matlab_have_their_axes_reversed_and_pairs_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5, "MAP_FROM", 1)
    values = np.arange(6, dtype="f8").reshape(2, 3)
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as handle:
        handle["wav"] = values
        handle["pair"] = (values - 2j).view([("real", "f8"), ("imag", "f8")])
        handle["other"] = (values - 2j).view([("r", "f8"), ("imag", "f8")])
    with path.open("rb") as file:
        assert np.array_equal(load(file, matlab=True), values.T)
        assert np.array_equal(load(file, "pair", matlab=True), (values - 2j).T)
        with pytest.raises(ItemError) as caught:
            load(file, "other", matlab=True)
    assert caught.value.code == "not-numbers"


def test_the_handle_is_closed_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    file = saved(lambda h: h.create_dataset("wav", data=SAMPLES))
    closed = []
    real = h5py.File.close

    def close(handle: Any) -> None:
        closed.append(bool(handle))
        real(handle)
        raise RuntimeError("a fault of the file")

    monkeypatch.setattr(h5py.File, "close", close)
    with hdf5.open_arrays(file, "a.h5") as arrays:
        assert arrays["wav"].tolist() == SAMPLES.tolist()
    assert closed == [True]
    with pytest.raises(KeyError, match="mine"), hdf5.open_arrays(file, "a.h5"):
        raise KeyError("mine")
    assert closed == [True, True]
