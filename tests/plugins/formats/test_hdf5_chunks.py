"""Chunks of HDF5 datasets: the same values as h5py reads, and bombs that h5py would inflate."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest

from tonearm.api import SAVE_UNCOMPRESSED, ItemError, limited_memory
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


DEFLATE, SHUFFLE, FLETCHER32, SZIP, NBIT, SCALE_OFFSET, LZF = 1, 2, 3, 4, 5, 6, 32000


def test_filters_have_the_numbers_of_the_library() -> None:
    named = ("DEFLATE", "SHUFFLE", "FLETCHER32", "SZIP", "NBIT", "SCALEOFFSET", "LZF")
    numbers = [getattr(h5py.h5z, f"FILTER_{name}") for name in named]
    assert numbers == [DEFLATE, SHUFFLE, FLETCHER32, SZIP, NBIT, SCALE_OFFSET, LZF]
    assert numbers == [getattr(hdf5_chunks, name.replace("EO", "E_O")) for name in named]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ([(DEFLATE, (4,))], ""),
        ([(SHUFFLE, (4,)), (DEFLATE, (4,)), (FLETCHER32, ())], ""),
        ([(NBIT, (8, 0, 40, 1)), (DEFLATE, (4,))], ""),
        ([(NBIT, (8, 99, 40, 99))], ""),
        ([(NBIT, (8, 0, 41, 1))], "has a filter that claims more values than its chunks have"),
        ([(SCALE_OFFSET, (2, 0, 40, 0, 4)), (DEFLATE, (4,))], ""),
        ([(SCALE_OFFSET, (2, 0, 40, 0, 3))], ""),
        ([(SCALE_OFFSET, (2, 0, 40, 0))], ""),
        ([(SCALE_OFFSET, (2, 0, 41, 0, 4))], "has a filter that claims more values than its chunks have"),
        ([(SCALE_OFFSET, (2, 0, 40, 0, 5))], "has a filter that claims more values than its chunks have"),
        ([(SCALE_OFFSET, (2, 0, 1 << 31, 0, 4))], "has a filter that claims more values than its chunks have"),
        ([(NBIT, (8, 0, 40, 1, 9))], ""),
        ([(LZF, (4, 261, 160))], ""),
        ([(LZF, (4, 261, 161))], "has a filter that claims more values than its chunks have"),
        ([(SZIP, (141, 32, 1 << 31, 40))], ""),
        ([(SHUFFLE, (9, 9, 1 << 31))], ""),
        ([(DEFLATE, (4,)), (DEFLATE, (4,))], "is compressed more than once"),
        ([(DEFLATE, (4,)), (LZF, (4, 261, 160))], "is compressed more than once"),
        ([(SZIP, ()), (DEFLATE, (4,))], "is compressed more than once"),
        ([(SHUFFLE, (4,)), (SHUFFLE, (4,))], "is compressed more than once"),
        ([(FLETCHER32, ()), (DEFLATE, (4,)), (FLETCHER32, ())], "is compressed more than once"),
        ([(NBIT, ()), (NBIT, ())], "is compressed more than once"),
        ([(999, ()), (998, ())], "is compressed more than once"),
        ([(999, ())], ""),
    ],
)
def test_filters_claim_what_the_chunks_have(filters: list[tuple[int, Any]], message: str) -> None:
    """The chunks of the file have 8 × 5 values of four bytes."""
    file, _ = saved(dtype="i4", compression="gzip")
    with h5py.File(file) as handle:
        if not message:
            hdf5_chunks._check_claims(filters, handle["wav"], "a.h5", "wav")
            return
        with pytest.raises(ItemError) as caught:
            hdf5_chunks._check_claims(filters, handle["wav"], "a.h5", "wav")
    assert caught.value.message == f"'a.h5': 'wav' {message}"
    assert caught.value.code == ("too-large" if "once" in message else "broken-file")


LITERALS = b"\x1f" + bytes(32)


def packed(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


@pytest.mark.parametrize(
    ("numbers", "mask", "data", "fits"),
    [
        ([DEFLATE], 0, packed(8596), True),  # 4000 bytes, an eighth more, and 4096 that filters may add
        ([DEFLATE], 0, packed(8597), False),
        ([DEFLATE], 1, packed(8597), True),
        ([DEFLATE], 2, packed(8597), False),
        ([SCALE_OFFSET, DEFLATE], 1, packed(8597), False),
        ([SCALE_OFFSET, DEFLATE], 2, packed(8597), True),
        ([DEFLATE, FLETCHER32], 0, packed(4000) + b"1234", True),
        ([DEFLATE, FLETCHER32], 0, packed(4000)[:-1] + b"123", False),
        ([DEFLATE, FLETCHER32], 2, packed(8597), False),
        ([DEFLATE, FLETCHER32], 0, packed(8597) + b"1234", False),
        ([DEFLATE, SCALE_OFFSET], 0, packed(8597), True),  # which has to be undone before
        ([SZIP], 0, (4000).to_bytes(4, "little"), True),
        ([SZIP], 0, (4001).to_bytes(4, "little"), False),
        ([SZIP], 0, (4000).to_bytes(4, "little") + b"\1", True),
        ([SZIP], 1, (4001).to_bytes(4, "little"), True),
        ([SZIP, FLETCHER32], 0, (4001).to_bytes(4, "little") + b"1234", False),
        ([DEFLATE, SZIP], 0, (4000).to_bytes(4, "little"), True),
        ([LZF], 0, LITERALS * 125, True),  # 32 bytes as they are
        ([LZF], 0, LITERALS * 124 + b"\xc0\0" * 4, True),  # 8 bytes that came before
        ([LZF], 0, b"\0a\xe0\xff\0" + LITERALS * 116 + b"\xe0\x0e\0\0\0", False),
        ([LZF], 0, b"\xe0\xff\0" * 15 + b"\xe0\x1f\0", True),  # 264 bytes, and 40
        ([LZF], 0, b"\xe0\xff\0" * 15 + b"\xe0\x20\0", False),
        ([LZF], 0, LITERALS * 124, False),
        ([LZF], 0, LITERALS * 125 + b"\0", False),
        ([LZF], 0, LITERALS * 124 + b"\xe0", False),
        ([LZF], 1, b"", True),
        ([], 0, packed(8597), True),
    ],
)
def test_chunks_of_other_filters_are_checked(numbers: list[int], mask: int, data: bytes, fits: bool) -> None:
    if fits:
        hdf5_chunks._check_chunk(numbers, mask, data, 4000, "a.h5", "wav")
        return
    with pytest.raises(ItemError) as caught:
        hdf5_chunks._check_chunk(numbers, mask, data, 4000, "a.h5", "wav")
    assert caught.value.code == "broken-file"
    if SZIP in numbers:
        assert caught.value.message == "'a.h5': 'wav' has a chunk that claims more than its 4,000 bytes"


def test_lzf_that_inflates_beyond_its_chunk_is_refused_before_h5py_inflates_it_time_and_again() -> None:
    file = io.BytesIO()
    data = b"\0a" + b"\xe0\xff\0" * 1_200_000
    with h5py.File(file, "w") as handle:
        made = handle.create_dataset("wav", (len(data) // 4,), "f4", chunks=(len(data) // 4,), compression="lzf")
        made.id.write_direct_chunk((0,), data)
    with pytest.raises(ItemError, match="has a chunk that does not inflate to its 3,600,000 bytes"):
        load(file)


def test_chunks_are_not_much_longer_than_their_values() -> None:
    """By no more than an eighth and 4096 bytes."""
    assert "compressed bytes for" not in refused(bomb(2000, bytes(13_096), compression="gzip")).message
    error = refused(bomb(2000, bytes(13_097), compression="gzip"))
    assert error.message == "'a.h5': 'wav' has 13,097 compressed bytes for 8,000 bytes of values"


@pytest.mark.parametrize("mask", range(8))
@pytest.mark.parametrize("shape", [(6,), (3, 2)])
def test_each_filter_may_be_left_out_for_a_chunk(mask: int, shape: tuple[int, ...]) -> None:
    values = RNG.uniform(-1, 1, shape).astype("f4")
    data = values.tobytes()
    if not mask & 1:
        data = np.frombuffer(data, "B").reshape(-1, 4).T.tobytes()
    if not mask & 2:
        data = zlib.compress(data)
    if not mask & 4:
        data += fletcher32(data)
    for is_right in (True, False):
        file = io.BytesIO()
        with h5py.File(file, "w") as handle:
            made = handle.create_dataset(
                "wav", shape, "f4", chunks=shape, compression="gzip", shuffle=True, fletcher32=True
            )
            broken = data[:-1] + bytes([data[-1] ^ 1])
            made.id.write_direct_chunk((0,) * len(shape), data if is_right else broken, filter_mask=mask)
        if is_right:
            assert np.array_equal(load(file), values)
        elif not mask & 4:
            assert refused(file).message == "'a.h5': 'wav' has a chunk whose checksum is wrong"


@pytest.mark.parametrize(("size", "what"), [(15, "15 bytes instead of 16"), (17, "17 bytes instead of 16")])
def test_chunks_that_are_left_as_they_are_have_their_size(size: int, what: str) -> None:
    error = refused(bomb(4, bytes(size), mask=1, compression="gzip"))
    assert (error.code, error.message) == ("broken-file", f"'a.h5': 'wav' has a chunk of {what}")


@pytest.mark.parametrize("fill", [0.0, -0.0, 0.5])
@pytest.mark.parametrize("shape", [(10,), (5, 7)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_fill_values_and_chunks_at_the_edge(fill: float, shape: tuple[int, ...], shuffle: bool) -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as handle:
        made = handle.create_dataset(
            "wav", shape, "f4", chunks=(4,) * len(shape), compression="gzip", shuffle=shuffle, fillvalue=fill
        )
        made[4:] = RNG.uniform(-1, 1, made[4:].shape)
        values = made[()]
    assert load(file).tobytes() == values.tobytes()


def test_bytes_are_the_same_shuffled_or_not() -> None:
    for values in (np.arange(10, dtype="u1"), np.arange(12, dtype="u1").reshape(3, 4)):
        file = io.BytesIO()
        with h5py.File(file, "w") as handle:
            handle.create_dataset("wav", data=values, chunks=values.shape, compression="gzip", shuffle=True)
        assert np.array_equal(load(file), values)


@pytest.mark.parametrize(
    ("rows", "chunk", "taken"),
    [
        (1000, 10, lambda stored: 4000),  # the values
        (10, 1000, lambda stored: (40 + 8000 + stored) // 2),  # or a chunk, inflated and shuffled, and what is stored
    ],
)
def test_memory_is_that_of_the_values_or_of_a_chunk(rows: int, chunk: int, taken: Any) -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as handle:
        made = handle.create_dataset(
            "wav", data=np.ones(rows, "f4"), maxshape=(None,), chunks=(chunk,), compression="gzip"
        )
        sizes: list[Any] = []
        made.id.chunk_iter(sizes.append)
        stored = max(found.size for found in sizes)
    most = 2 * taken(stored)
    with limited_memory(max(most, 4000 * 2)):
        load(file)
    with limited_memory(most - 1):
        assert refused(file).code == "too-large"


def test_memory_of_a_chunk_is_needed_even_if_none_is_stored() -> None:
    file = bomb(1000, b"", chunks=0, compression="gzip", maxshape=(None,))
    with h5py.File(file, "r+") as handle:
        handle["wav"].resize((10,))
    with limited_memory(40 + 8000):
        assert load(file).tolist() == [0] * 10
    with limited_memory(40 + 8000 - 1):
        assert refused(file).code == "too-large"


def test_chunks_without_filters_are_left_to_the_library() -> None:
    file, values = saved()
    with h5py.File(file) as handle:
        assert hdf5_chunks.read_chunks(handle["wav"], "a.h5", "wav") is None
    assert np.array_equal(load(file), values)


def test_time_is_that_of_the_stored_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(hdf5_chunks.time, "thread_time", lambda: now)
    until = hdf5_chunks._until([SimpleNamespace(size=10_000_000), SimpleNamespace(size=5_000_000)])
    assert until == 100 + 5 + 1.5
    hdf5_chunks._check_time(100.0, "a.h5", "wav")
    with pytest.raises(ItemError, match="'wav' takes too long to inflate") as caught:
        hdf5_chunks._check_time(99.9, "a.h5", "wav")
    assert (caught.value.code, caught.value.hint) == ("too-large", SAVE_UNCOMPRESSED)


def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
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
