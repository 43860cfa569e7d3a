"""Headers of tar archives: ustar, GNU and pax, with long names and sparse members.

`tarfile` reads whatever a header claims, inflates as much, and searches keywords in quadratic time. Here the headers of
one member are bounded together, each byte of them is looked at once, and the archive is read from start to end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final, NamedTuple, TypeAlias

from tonearm.reading.file_windows import Segment

MAX_HEADERS: Final = 1 << 20
"""Bytes of the headers of one member: its own, long names, keywords, and the map of a sparse member."""

MAX_KEYWORDS: Final = 100
"""Number of keywords that hold for all members that follow."""

MAX_ENTRIES: Final = 1_000_000
"""Number of keywords and of pieces of sparse members in an archive, beside a few for each member."""

_BLOCK = 512
_REGULAR = (b"0", b"\0", b"7", b"S")
_WITHOUT_DATA = (b"1", b"2", b"3", b"4", b"5", b"6")
_GNU_NAMES = {b"L": "path", b"K": "linkpath"}
_DIGITS = 12  # bytes of a number in the map of a GNU sparse member
_USUAL_ENTRIES = 10
_LINE_FEED = 0x0A

Keywords: TypeAlias = Mapping[str, bytes]
"""Values of pax keywords."""

Pieces: TypeAlias = list[tuple[int, int]]
"""Positions and lengths of the stored pieces of a sparse member."""


class TarMember(NamedTuple):
    """Entry of a member of a tar archive.

    Parameters
    ----------
    name
        Name of the member.
    size
        Size of the member in bytes.
    segments
        Stored bytes of the member: one segment, or several if it is sparse.
    regular
        Whether the member is a file, and not a folder, a link or a device.

    Examples
    --------
    >>> TarMember("a.npy", 8, [Segment(position=0, length=8, start=512)]).size
    8
    """

    name: str
    size: int
    segments: list[Segment]
    regular: bool = True


def read_members(file: BinaryIO) -> Iterator[TarMember]:
    """Read the headers of an archive.

    Parameters
    ----------
    file
        Open archive, or its inflated content, at its start. It is read and sought forwards only.

    Yields
    ------
    TarMember
        Member, in the order of the archive. Whether its bytes are there is not checked.

    Raises
    ------
    NoTarError
        The file does not begin with a header.
    ValueError
        The headers of a member contradict themselves, or are too long.
    EOFError
        The file ends within a member.

    Examples
    --------
    >>> import io, tarfile
    >>> file = io.BytesIO()
    >>> with tarfile.open(fileobj=file, mode="w") as written:
    ...     written.addfile(tarfile.TarInfo("a.npy"))
    >>> _ = file.seek(0)
    >>> [member.name for member in read_members(file)]
    ['a.npy']
    """
    headers = _Headers(file)
    while (member := headers.next_member()) is not None:
        yield member


class NoTarError(ValueError):
    """A file does not begin as a tar archive."""


class _Headers:
    """Headers of an archive, read one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0  # position in the file
        self._next = 0  # position of the next header
        self._left = MAX_HEADERS
        self._entries_left = MAX_ENTRIES
        self._shared: dict[str, bytes] = {}

    def next_member(self) -> TarMember | None:
        """Return the next member; None at the end."""
        if self._at < self._next:
            self._file.seek(self._next - 1)
            if not self._file.read(1):
                raise EOFError("unexpected end of data")
            self._at = self._next
        self._left = MAX_HEADERS
        self._entries_left += _USUAL_ENTRIES
        own: dict[str, bytes] = {}
        sparse: Pieces | None = None
        block = self._header()
        while block is not None:
            kind = block[156:157]
            if kind in _GNU_NAMES:
                own[_GNU_NAMES[kind]] = self._body(block).partition(b"\0")[0]
            elif kind in (b"x", b"X"):
                sparse = self._add_keywords(self._body(block), own) or sparse
            elif kind == b"g":
                self._add_keywords(self._body(block), self._shared)
                if len(self._shared) > MAX_KEYWORDS:
                    raise ValueError(f"it has more than {MAX_KEYWORDS} keywords for all members")
            else:
                return self._member(block, self._shared | own if self._shared else own, sparse)
            block = self._header()
            if block is None:
                raise ValueError("it is cut off within the headers of a member")
        return None

    def _member(self, block: bytes, keywords: Keywords, sparse: Pieces | None) -> TarMember:
        """Return the member of a header, and go on to the next."""
        kind, name = block[156:157], _name(block, keywords)
        stored = 0 if kind in _WITHOUT_DATA else int(keywords.get("size", _number(block[124:136])))
        size = stored
        if kind == b"S":
            size, sparse = _number(block[483:495]), self._gnu_map(block)
        for keyword in ("GNU.sparse.size", "GNU.sparse.realsize"):
            size = int(keywords.get(keyword, size))
        if stored < 0 or size < 0:
            raise ValueError(f"the member {name!r:.100} has a negative size")
        end = self._at + stored
        self._next = self._at + _padded(stored)
        if "GNU.sparse.map" in keywords:
            sparse = self._keyword_map(keywords["GNU.sparse.map"])
        elif keywords.get("GNU.sparse.major") == b"1" and keywords.get("GNU.sparse.minor") == b"0":
            sparse = self._pax_map()
        segments = _segments([(0, size)] if sparse is None else sparse, size, self._at)
        if segments and segments[-1].start + segments[-1].length > end:
            raise ValueError(f"the member {name!r:.100} has two sizes")
        return TarMember(name, size, segments, kind in _REGULAR and not name.endswith("/"))

    def _header(self) -> bytes | None:
        """Return the next header; None at the end of the archive, which zeros, nothing or anything else marks."""
        is_first = not self._at
        block = self._take(_BLOCK, whole=False)
        if len(block) == _BLOCK:
            if not block.strip(b"\0"):
                return None
            if _is_sum(block):
                return block
        if is_first:
            raise NoTarError("it has no header")
        return None

    def _body(self, block: bytes) -> bytes:
        """Return the bytes that follow a header which adds to the next one."""
        size = _number(block[124:136])
        if size < 0:
            raise ValueError("it has a header of a negative size")
        return self._take(_padded(size))[:size]

    def _gnu_map(self, block: bytes) -> Pieces:
        """Return the map of a GNU sparse member."""
        found = _pairs(block[386:482])
        more = block[482]
        while more:
            following = self._take(_BLOCK)
            self._count(_BLOCK // (2 * _DIGITS))
            found += _pairs(following[:504])
            more = following[504]
        return found

    def _keyword_map(self, text: bytes) -> Pieces:
        """Return the map that a keyword holds."""
        self._count(text.count(b","))
        return _paired(text.split(b","))

    def _pax_map(self) -> Pieces:
        """Return the map at the start of the data of a sparse member."""
        lines: list[bytes] = []
        rest, count = b"", 1
        while len(lines) < count:
            *complete, rest = (rest + self._take(_BLOCK)).split(b"\n")
            lines += complete
            count = 1 + 2 * int(lines[0]) if lines else 1
            if not 0 < count <= MAX_HEADERS:
                raise ValueError("it has a map of a sparse member that cannot be read")
        self._count(count)
        return _paired(lines[1:count])

    def _add_keywords(self, body: bytes, found: dict[str, bytes]) -> Pieces | None:
        """Add the keywords of a pax header to those found; return the map of a sparse member if it is spelled by them.

        Each record is ``LENGTH KEYWORD=VALUE`` and a line feed. The length is that of the whole record.
        """
        at = 0
        offsets: list[bytes] = []
        while at < len(body) and body[at]:
            self._count(1)
            space = body.find(b" ", at, at + 8)
            end = at + (int(body[at:space]) if space > at else 0)
            keyword, equals, value = body[space + 1 : end - 1].partition(b"=")
            if not equals or end > len(body) or body[end - 1] != _LINE_FEED:
                raise ValueError("it has keywords that cannot be read")
            if keyword in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):
                offsets.append(value)
            else:
                found[keyword.decode("utf-8", "surrogateescape")] = value
            at = end
        return _paired(offsets) if offsets else None

    def _count(self, entries: int) -> None:
        """Count keywords, or pieces of sparse members."""
        self._entries_left -= entries
        if self._entries_left < 0:
            raise ValueError("it has more keywords, or pieces of sparse members, than an archive has")

    def _take(self, count: int, *, whole: bool = True) -> bytes:
        """Read bytes of the headers."""
        self._left -= count
        if count < 0 or self._left < 0:
            raise ValueError(f"the headers of a member are longer than {MAX_HEADERS:,} bytes")
        data = self._file.read(count)
        self._at += len(data)
        if whole and len(data) < count:
            raise EOFError("unexpected end of data")
        return data


def _is_sum(block: bytes) -> bool:
    """Return whether a header has the checksum that it claims, of bytes without or with a sign."""
    try:
        claimed = _number(block[148:156]) - 8 * ord(" ")  # the checksum's own bytes count as spaces
    except ValueError:
        return False
    others = block[:148] + block[156:]
    unsigned = sum(others)
    return claimed == unsigned or claimed == unsigned - 256 * sum(byte > 127 for byte in others)


def _name(block: bytes, keywords: Keywords) -> str:
    """Return the name of a member."""
    name = keywords.get("GNU.sparse.name", keywords.get("path"))
    if name is None:
        name = block[:100].partition(b"\0")[0]
        prefix = block[345:500].partition(b"\0")[0]
        if prefix and block[257:263] == b"ustar\0":
            name = prefix + b"/" + name
    return name.decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """Return a number of a header: octal digits, or base 256 after a byte of 128 or 255."""
    if field[0] in (0o200, 0o377):
        return int.from_bytes(field[1:], "big") - (1 << (8 * (len(field) - 1)) if field[0] == 0o377 else 0)
    return int(field.partition(b"\0")[0].strip() or b"0", 8)


def _padded(size: int) -> int:
    """Return a size rounded up to whole blocks."""
    return -(-size // _BLOCK) * _BLOCK


def _paired(numbers: list[bytes]) -> Pieces:
    """Return numbers as pairs of position and length."""
    values = [int(number) for number in numbers]
    return list(zip(values[::2], values[1::2], strict=True))


def _pairs(field: bytes) -> Pieces:
    """Return the pairs of position and length in a field of numbers, up to the first empty one."""
    found = []
    for at in range(0, len(field), 2 * _DIGITS):
        if not field[at]:
            break
        found.append((_number(field[at : at + _DIGITS]), _number(field[at + _DIGITS : at + 2 * _DIGITS])))
    return found


def _segments(pieces: Pieces, size: int, start: int) -> list[Segment]:
    """Return the segments of a member. Its pieces must lie in order and within its size."""
    found, end = [], 0
    for offset, length in pieces:
        if offset < end or length < 0 or offset + length > size:
            raise ValueError("it has a map of a sparse member that contradicts itself")
        end = offset + length
        if length or not size:
            found.append(Segment(offset, length, start))
        start += length
    return found
