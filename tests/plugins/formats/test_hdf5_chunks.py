"""Chunks of HDF5 datasets: the same values as h5py reads, and bombs that h5py would inflate."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats import hdf5, hdf5_chunks

RNG = np.random.default_rng(2)
ZEROS = zlib.compress(bytes(64 << 20), 9)


def load(file: Any) -> Any:
    with hdf5.open_arrays(file, "a.h5") as arrays:
        return arrays["wav"]


def saved(**how: Any) -> tuple[io.BytesIO, Any]:
    """Return a file with one dataset, whose last chunks are cut off, and its values."""
    file = io.BytesIO()
    values = RNG.uniform(-100, 100, (37, 21)).astype(how.pop("dtype", "f4"))
    with h5py.File(file, "w") as handle:
        handle.create_dataset("wav", data=values, chunks=(8, 5), **how)
    return file, values


@pytest.mark.parametrize("dtype", ["f4", ">f8", "i2", "u1", "c8"])
@pytest.mark.parametrize(
    "how",
    [
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True},
        {"compression": "gzip", "shuffle": True, "fletcher32": True},
        {"compression": "gzip", "fletcher32": True},
        {"compression": "lzf", "shuffle": True},
        {"shuffle": True},
        {"fletcher32": True},
    ],
    ids=str,
)
def test_every_filter_gives_the_values_back(how: dict[str, Any], dtype: str) -> None:
    file, values = saved(dtype=dtype, **how)
    found = load(file)
    assert found.dtype == values.dtype
    assert np.array_equal(found, values)


@pytest.mark.parametrize("how", [{"compression": "gzip"}, {}], ids=str)
def test_scaled_and_szipped_chunks(how: dict[str, Any]) -> None:
    file, values = saved(dtype="i4", scaleoffset=0, **how)
    assert np.array_equal(load(file), values)
    if h5py.h5z.filter_avail(hdf5_chunks.SZIP) and not how:
        file, values = saved(compression="szip")
        assert np.array_equal(load(file), values)


def test_missing_chunks_have_the_fill_value() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as handle:
        made = handle.create_dataset("wav", (20, 4), "f4", chunks=(8, 4), compression="gzip", fillvalue=0.5)
        made[8:10] = 1
    found = load(file)
    assert found[8:10].min() == 1
    assert found.sum() == 18 * 4 * 0.5 + 8


def test_types_that_numpy_does_not_have() -> None:
    kind = h5py.h5t.STD_I32LE.copy()
    kind.set_precision(16)
    kind.set_offset(8)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((4,))
    properties.set_deflate(9)
    file = io.BytesIO()
    with h5py.File(file, "w") as handle:
        made = h5py.h5d.create(handle.id, b"wav", kind, h5py.h5s.create_simple((6,)), properties)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(6, dtype="i4") - 3)
    assert load(file).tolist() == [-3, -2, -1, 0, 1, 2]
    for values in (np.array([True, False, True]), np.array([0.5, -1], ">f2")):
        file = io.BytesIO()
        with h5py.File(file, "w") as handle:
            handle.create_dataset("wav", data=values, chunks=values.shape, compression="gzip")
        assert load(file).tolist() == values.tolist()


def test_chunk_without_its_filters() -> None:
    file = io.BytesIO()
    values = RNG.uniform(-1, 1, 8).astype("f4")
    with h5py.File(file, "w") as handle:
        made = handle.create_dataset("wav", (8,), "f4", chunks=(4,), compression="gzip", shuffle=True)
        made[4:] = values[4:]
        made.id.write_direct_chunk((0,), values[:4].tobytes(), filter_mask=3)
    assert np.array_equal(load(file), values)


def fletcher32(data: bytes) -> bytes:
    """Return the checksum of bytes as HDF5 writes it behind a chunk that is not compressed."""
    file = io.BytesIO()
    with h5py.File(file, "w") as handle:
        made = handle.create_dataset("a", data=np.frombuffer(data, "B"), chunks=(len(data),), fletcher32=True)
        checked: bytes = made.id.read_direct_chunk((0,))[1]
    return checked[-4:]


@pytest.mark.parametrize("size", [1, 2, 7, 719, 721, (1 << 20) - 1, 1 << 20, (1 << 20) + 3])
def test_checksums_are_those_of_hdf5(size: int) -> None:
    for data in (RNG.bytes(size), bytes(size), b"\xff" * size):
        check = fletcher32(data)
        assert hdf5_chunks._is_checksum(check, data)
        assert hdf5_chunks._is_checksum(np.frombuffer(check, "<u2").astype(">u2").tobytes(), data)
        assert not hdf5_chunks._is_checksum(check, data[:-1] + bytes([data[-1] ^ 1]))


def bomb(count: int, data: bytes, mask: int = 0, chunks: int = 1, **how: Any) -> io.BytesIO:
    """Return a dataset of chunks that all hold the same bytes."""
    file = io.BytesIO()
    with h5py.File(file, "w") as handle:
        made = handle.create_dataset("wav", (count * chunks,), "f4", chunks=(count,), **how)
        for at in range(chunks):
            made.id.write_direct_chunk((at * count,), data, filter_mask=mask)
    return file


def refused(file: Any) -> ItemError:
    with pytest.raises(ItemError) as caught:
        load(file)
    return caught.value


def twice() -> io.BytesIO:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((1000,))
    properties.set_deflate(9)
    properties.set_deflate(9)
    file = io.BytesIO()
    with h5py.File(file, "w") as handle:
        space = h5py.h5s.create_simple((1000,))
        made = h5py.h5d.create(handle.id, b"wav", h5py.h5t.IEEE_F32LE, space, properties)
        made.write_direct_chunk((0,), zlib.compress(ZEROS, 9))
    return file


def test_chunks_that_inflate_to_more_are_refused() -> None:
    error = refused(bomb(20_000, ZEROS, compression="gzip"))
    assert (error.code, error.message) == (
        "broken-file",
        "'a.h5': 'wav' has compressed data that inflate to more than 80,000 bytes",
    )
    assert refused(bomb(20_000, ZEROS, compression="gzip", shuffle=True)).code == "broken-file"
    assert refused(bomb(20_000, ZEROS + fletcher32(ZEROS), compression="gzip", fletcher32=True)).code == "broken-file"
    assert refused(bomb(20_000, ZEROS, compression="gzip", scaleoffset=2)).code == "broken-file"
    wrong = refused(bomb(1000, zlib.compress(bytes(4000)) + b"\1\2\3\4", compression="gzip", fletcher32=True))
    assert (wrong.code, wrong.message) == ("broken-file", "'a.h5': 'wav' has a chunk whose checksum is wrong")
    error = refused(twice())
    assert (error.code, error.message) == ("too-large", "'a.h5': 'wav' is compressed more than once")
    assert "instead of 4,000" in refused(bomb(1000, zlib.compress(bytes(3999)), compression="gzip")).message
    assert refused(bomb(1000, ZEROS[:4000], compression="gzip")).code == "broken-file"


def test_filters_claim_what_the_chunks_have() -> None:
    file, _ = saved(dtype="i4", scaleoffset=0)
    with h5py.File(file) as handle:
        given = [(hdf5_chunks.SCALE_OFFSET, (2, 0, 1 << 31, 0, 4))]
        with pytest.raises(ItemError, match="claims more values"):
            hdf5_chunks._check_claims(given, handle["wav"], "a.h5", "wav")
        given = [(hdf5_chunks.LZF, (4, 261, 1 << 31))]
        with pytest.raises(ItemError, match="claims more values"):
            hdf5_chunks._check_claims(given, handle["wav"], "a.h5", "wav")


def test_memory_and_time_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    file, _ = saved(compression="gzip")
    with limited_memory(6000):
        error = refused(file)
    assert (error.code, "would take" in error.message) == ("too-large", True)
    monkeypatch.setattr(hdf5_chunks, "FREE_SECONDS", -1)
    for how in ({"compression": "gzip"}, {"compression": "gzip", "scaleoffset": 2}):
        error = refused(saved(**how)[0])
        assert (error.code, "takes too long" in error.message) == ("too-large", True)


def test_bombs_take_no_memory(tmp_path: Path) -> None:
    """Sixteen chunks of 4 MB in a file of 60 MB, each of which inflates to gigabytes."""
    packer = zlib.compressobj(9)
    first, second = (packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    stored = first + second * 250
    (tmp_path / "a.h5").write_bytes(bomb(1 << 20, stored, compression="gzip", chunks=16).getvalue())
    (tmp_path / "b.h5").write_bytes(
        bomb(1 << 20, stored + fletcher32(stored), compression="gzip", fletcher32=True).getvalue()
    )
    code = (
        "import sys\nfrom pathlib import Path\nfrom tonearm.errors import ItemError\n"
        "from tonearm_plugins.formats import hdf5\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        with open(path, 'rb') as file, hdf5.open_arrays(file, 'a.h5') as arrays: arrays['wav']\n"
        "    except ItemError as error: print(error.code)\n"
        'print(int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) < 500_000)'
    )
    paths = [str(tmp_path / "a.h5"), str(tmp_path / "b.h5")]
    done = subprocess.run([sys.executable, "-c", code, *paths], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["broken-file", "broken-file", "True"]
