"""Headers of tar archives: every format that `tarfile` writes comes back, and hostile headers are errors at once."""

from __future__ import annotations

import io
import tarfile

import pytest

from tonearm.reading.tar_headers import MAX_HEADERS, NoTarError, TarMember, read_members

FORMATS = pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])


def header(size: int = 0, kind: bytes = b"0", fields: dict[int, bytes] | None = None, name: bytes = b"a.npy") -> bytes:
    """A header with its checksum; ``fields`` are bytes by their position."""
    block = bytearray(512)
    for at, data in {0: name, 124: b"%011o\0" % size, 156: kind, 148: b" " * 8, **(fields or {})}.items():
        block[at : at + len(data)] = data
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def record(keyword: bytes, value: bytes) -> bytes:
    """A pax record, whose length counts itself."""
    length = len(keyword) + len(value) + 3
    while length != len(b"%d" % length) + len(keyword) + len(value) + 3:
        length = len(b"%d" % length) + len(keyword) + len(value) + 3
    return b"%d %s=%s\n" % (length, keyword, value)


def pax(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    body = b"".join(record(*one) for one in records)
    return header(len(body), kind) + padded(body)


def members(data: bytes) -> list[TarMember]:
    return list(read_members(io.BytesIO(data + bytes(1024))))


@FORMATS
def test_members_are_those_that_tarfile_sees(form: int) -> None:
    file = io.BytesIO()
    deep = "d" * 90 + "/" + "é" * 20 + ".npy"
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, size, kind in (
            *(("a.npy", 700, b"0"), (deep, 3, b"0"), ("empty", 0, b"0")),
            *(("folder", 0, b"5"), ("link", 0, b"2"), ("last", 512, b"7")),
        ):
            entry = tarfile.TarInfo(name)
            entry.size, entry.type, entry.mtime = size, kind, 1e9 + 0.5
            archive.addfile(entry, io.BytesIO(bytes(size)))
    file.seek(0)
    with tarfile.open(fileobj=io.BytesIO(file.getvalue())) as reference:
        expected = [(info.name, info.size, info.isreg(), info.offset_data) for info in reference]
    found = [(one.name.rstrip("/"), one.size, one.regular, one.segments[0].start) for one in read_members(file)]
    assert found == expected


@FORMATS
def test_long_names_are_whole(form: int) -> None:
    name = "x" * 200 + "/" + "y" * 400 + ".npy" if form != tarfile.USTAR_FORMAT else "x" * 150 + "/" + "y" * 99
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        archive.addfile(tarfile.TarInfo(name))
    assert members(file.getvalue())[0].name == name


def test_sizes_in_base_256_and_in_keywords() -> None:
    assert members(header(fields={124: b"\x80" + (8).to_bytes(11, "big")}) + padded(b"12345678"))[0].size == 8
    (one, two) = members(pax((b"size", b"513")) + header() + bytes(1024) + header(name=b"b"))
    assert (one.size, two.name) == (513, "b")


def test_signed_checksums_of_old_archives_count() -> None:
    block = bytearray(header(name=b"\xe4.npy"))
    signed = sum(byte - 256 * (byte > 127) for byte in block[:148] + block[156:]) + 256
    block[148:156] = b"%06o\0 " % signed
    assert members(bytes(block))[0].name == "\udce4.npy"


GNU_SPARSE = {257: b"ustar  \0", 386: b"%011o\0%011o\0" % (0, 3) + b"%011o\0%011o\0" % (9, 2), 483: b"%011o\0" % 12}
MAP = b"2\n0\n3\n9\n2\n"


@pytest.mark.parametrize(
    "data",
    [
        header(5, b"S", GNU_SPARSE) + padded(b"abcde"),
        pax((b"GNU.sparse.map", b"0,3,9,2"), (b"GNU.sparse.size", b"12")) + header(5) + padded(b"abcde"),
        pax(
            *((b"GNU.sparse.size", b"12"), (b"GNU.sparse.offset", b"0"), (b"GNU.sparse.numbytes", b"3")),
            *((b"GNU.sparse.offset", b"9"), (b"GNU.sparse.numbytes", b"2")),
        )
        + header(5)
        + padded(b"abcde"),
        pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.realsize", b"12"))
        + header(512 + 5)
        + padded(MAP)
        + padded(b"abcde"),
    ],
    ids=["gnu", "pax 0.1", "pax 0.0", "pax 1.0"],
)
def test_sparse_members_of_every_format(data: bytes) -> None:
    (member, last) = members(data + header(name=b"last"))
    start = len(data) - 512
    assert (member.size, last.name) == (12, "last")
    assert [tuple(segment) for segment in member.segments] == [(0, 3, start), (9, 2, start + 3)]
    with tarfile.open(fileobj=io.BytesIO(data + header(name=b"last") + bytes(1024))) as reference:
        stream = reference.extractfile(reference.getmembers()[0])
        assert stream is not None
        assert stream.read() == b"abc" + bytes(6) + b"de" + bytes(1)


PAX_SPARSE = pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"))
MANY = b"%011o\0%011o\0" % (1, 1) * 21 + b"\1" + bytes(7)
NUMBERS = b",".join(b"%d,1" % (2 * piece) for piece in range(90_000))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (header(1 << 30, b"L") + bytes(512), "longer than"),
        (header(1 << 30, b"K") + bytes(512), "longer than"),
        (header(1 << 30, b"x") + bytes(512), "longer than"),
        (header(kind=b"L", fields={124: b"\xff" * 12}) + bytes(512), "negative size"),
        (header(0, b"L") * 3000 + header(), "longer than"),
        (header(5, b"S", {**GNU_SPARSE, 482: b"\1"}) + MANY * 3000, "longer than"),
        (PAX_SPARSE + header(1 << 30) + b"1" * (1 << 21), "longer than"),
        (
            pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0")) + header(512) + padded(b"-9\n"),
            "cannot be read",
        ),
        (pax((b"GNU.sparse.map", b"0,3,2,2"), (b"GNU.sparse.size", b"12")) + header(5), "contradicts itself"),
        (pax((b"GNU.sparse.map", b"9,2,0,3"), (b"GNU.sparse.size", b"12")) + header(5), "contradicts itself"),
        (pax((b"GNU.sparse.map", b"0,3,9,9"), (b"GNU.sparse.size", b"12")) + header(5), "contradicts itself"),
        (pax((b"GNU.sparse.map", b"0,9"), (b"GNU.sparse.size", b"12")) + header(5), "two sizes|argument"),
        (pax((b"GNU.sparse.map", NUMBERS), (b"GNU.sparse.size", b"1")) + header(5), "contradicts itself"),
        (pax((b"GNU.sparse.map", b"0,3,9"), (b"GNU.sparse.size", b"12")) + header(5), "two sizes|argument"),
        (pax((b"size", b"-512")) + header(), "negative size"),
        (header(fields={124: b"\xff" * 12}), "negative size"),
        (pax(*[(b"%d" % number, b"") for number in range(101)], kind=b"g") + header(), "for all members"),
        (header(8, b"x") + padded(b"0 a=b\n"), "keywords"),
        (header(8, b"x") + padded(b"1" * 8), "keywords"),
        (header(8, b"x") + padded(b"99 a=b\n"), "keywords"),
        ((header(500_000, b"x") + padded(b"5 a=\n" * 100_000) + header()) * 12, "more keywords"),
        (header(8, b"x") + padded(b"8 a=bcd\n"), "cut off within the headers"),
    ],
)
def test_hostile_headers_are_errors(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        members(data)
    assert not isinstance(caught.value, NoTarError)
    assert len(str(caught.value)) < 300


def test_an_archive_that_ends_within_a_member_is_an_error() -> None:
    with pytest.raises(EOFError):
        list(read_members(io.BytesIO(header(2000) + bytes(1000))))


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF" + bytes(600), b"\xff" * 512])
def test_what_has_no_header_is_no_archive(data: bytes) -> None:
    with pytest.raises(NoTarError):
        list(read_members(io.BytesIO(data)))


def test_zeros_and_garbage_end_an_archive() -> None:
    assert members(b"") == []
    assert len(members(header() + b"garbage" * 100)) == 1
    assert len(list(read_members(io.BytesIO(header() + header()[:300])))) == 1


def test_headers_up_to_the_bound_are_read() -> None:
    name = b"n" * (MAX_HEADERS - 3 * 512 - 4) + b".npy"
    assert len(members(header(len(name), b"L") + padded(name) + header())[0].name) == len(name)
