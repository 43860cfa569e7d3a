"""Inflation of compressed data whose bytes, ratio and time are bounded, whatever the data claim.

Use it for all compressed data of a source: a few hundred bytes may inflate to gigabytes, and libraries believe them.
"""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, TypeAlias

from tonearm.errors import ItemError
from tonearm.reading.bounds import ARRAY_BYTES, InflationBound
from tonearm.reading.error_translation import quoted_reason
from tonearm.reading.memory import memory_limit
from tonearm.reading.messages import SAVE_UNCOMPRESSED, WRITE_AGAIN, quoted_array
from tonearm.reading.whole_chunks import WHOLE, inflate_whole, too_many_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

Compression: TypeAlias = Literal["zlib", "gzip", "deflate", "bz2", "lzma", "zstd", "lz4", "blosc"]
"""Compression of data: ``lzma`` stands for .xz and .lzma, ``lz4`` and ``blosc`` for the chunks of numcodecs."""

FREE_SECONDS: Final = 5.0
"""Processor time in seconds that inflation may take, whatever the size of the data."""

STORED_PER_SECOND: Final = 10_000_000
"""Compressed bytes for each further second."""

_PIECE: Final = 1 << 20  # bytes that are fed at a time
_STEP: Final = 4 << 20  # inflated bytes between two looks at the clock
_DICTIONARY: Final = 128 << 20  # memory of an LZMA decoder: xz -9 needs 65 MiB
_MAGIC: Final[tuple[tuple[bytes, Compression], ...]] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "lzma"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_WINDOW_BITS: Final = {"zlib": 15, "gzip": 31, "deflate": -15}


def compression_of(head: bytes) -> Compression | None:
    r"""Return the compression of a file by its first bytes.

    Parameters
    ----------
    head
        First bytes, at least 6.

    Returns
    -------
    str or None
        ``gzip``, ``bz2``, ``lzma`` or ``zstd``; None for anything else.

    Examples
    --------
    >>> compression_of(b"BZh9...")
    'bz2'
    """
    return next((compression for magic, compression in _MAGIC if head.startswith(magic)), None)


def inflate(
    data: bytes | memoryview,
    compression: Compression,
    most: int,
    name: str,
    key: str = "",
    *,
    filters: list[dict[str, Any]] | None = None,
) -> bytes:
    """Inflate data to at most so many bytes.

    Parameters
    ----------
    data
        Compressed data, one stream or several.
    compression
        Compression of the data.
    most
        Largest size of the inflated data in bytes. Nothing larger is allocated.
    name
        Name of the file, for messages.
    key
        Name of the array in it; empty if it has none.
    filters
        Filters of raw LZMA data, which name them nowhere; None for data in a container.

    Returns
    -------
    bytes
        Inflated data.

    Raises
    ------
    ItemError
        ``broken-file`` if the data are damaged or inflate to more; ``too-large`` if they take too much time, or more
        memory than `memory_limit`.

    Examples
    --------
    >>> import zlib
    >>> inflate(zlib.compress(bytes(1000)), "zlib", 1000, "a.h5") == bytes(1000)
    True
    >>> inflate(zlib.compress(bytes(1000)), "zlib", 999, "a.h5")
    Traceback (most recent call last):
    ...
    tonearm.ItemError: 'a.h5' has compressed data that inflate to more than 999 bytes
        hint: write the file again; if it was copied or downloaded, it did not arrive whole
    """
    if compression in WHOLE:
        return inflate_whole(bytes(data), compression, most, name, key)
    if compression in _WINDOW_BITS and (at_once := _inflated_at_once(data, compression, most)) is not None:
        return at_once
    inflated = bytearray()
    with InflatedFile(
        io.BytesIO(data), compression, name, key, bound=InflationBound(most + 1, 0), filters=filters
    ) as file:
        while piece := file.read(min(_STEP, most + 1 - len(inflated))):
            inflated += piece
            if len(inflated) > most:
                raise too_many_bytes(name, key, most)
    return bytes(inflated)


class InflatedFile(io.RawIOBase):
    """Inflated content of a file, which is read in pieces; seeking back starts again.

    Parameters
    ----------
    file
        Open file, binary and seekable. Inflation starts at its start. It must stay open.
    compression
        Compression of the file: any that can be inflated in pieces.
    name
        Name of the file, for messages.
    key
        Name of the array in it; empty if it has none.
    bound
        Bound on the inflated bytes, by the size of the file.
    filters
        Filters of raw LZMA data, which name them nowhere; None for data in a container.

    Raises
    ------
    ItemError
        ``too-large`` when more is read than the bound or the time allows; ``broken-file`` if the data are damaged.

    Examples
    --------
    >>> import gzip, io
    >>> file = InflatedFile(io.BytesIO(gzip.compress(b"HEAD" + bytes(1000))), "gzip", "a.tar.gz")
    >>> file.read(4), len(file.read())
    (b'HEAD', 1000)
    """

    def __init__(
        self,
        file: BinaryIO,
        compression: Compression,
        name: str,
        key: str = "",
        *,
        bound: InflationBound = ARRAY_BYTES,
        filters: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self._file, self._name, self._key = file, name, key
        self._open: Callable[[], Any] = lambda: _decompressor(compression, filters)
        self._compression = compression
        size = file.seek(0, io.SEEK_END)
        self._size, self._most = size, bound.limit(size)
        self._seconds, self._allowed = 0.0, FREE_SECONDS + size / STORED_PER_SECOND
        self._stream: Any = None
        self._rewind()

    def readable(self) -> bool:
        """Whether the file can be read: always."""
        return True

    seekable = readable

    def tell(self) -> int:
        """Return the position in the inflated data."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position in the inflated data, at most to their end."""
        if whence == io.SEEK_END:
            while self.read(_STEP):
                pass
        target = offset + (0 if whence == io.SEEK_SET else self._position)
        if target < self._position:
            if target < 0:
                raise ValueError(f"negative position {target}")
            self._rewind()
        while self._position < target and self.read(min(_STEP, target - self._position)):
            pass
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read into a buffer; return the number of bytes, which may be fewer than its size."""
        view = memoryview(buffer).cast("B")
        data = self._inflated(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, or all that are left if it is negative; fewer only at the end."""
        pieces = []
        left = size if size >= 0 else self._most + 1
        while left and (data := self._inflated(min(left, _STEP))):
            pieces.append(data)
            left -= len(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _rewind(self) -> None:
        self._file.seek(0)
        self._position, self._fed, self._stream, self._over = 0, b"", None, False

    def _inflated(self, most: int) -> bytes:
        """Return the next bytes, at most so many; none at the end."""
        import lzma
        import zlib

        started = time.thread_time()  # a process that is stopped, or waits for a disk, is not at fault
        data = b""
        try:
            while most and not data and not self._over:
                data = self._step(most)
                if self._seconds + time.thread_time() - started > self._allowed:
                    raise self._error(f"takes more than {self._allowed:.0f} s to inflate", "too-large")
        except (zlib.error, lzma.LZMAError, OSError, ValueError, TypeError, EOFError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise self._error(f"is damaged: {quoted_reason(error)}", "broken-file") from None
        self._seconds += time.thread_time() - started
        self._position += len(data)
        if self._position > self._most:
            raise self._error(f"inflates from {self._size:,} to more than {self._most:,} bytes", "too-large")
        return data

    def _step(self, most: int) -> bytes:
        """Feed the decompressor, and open the next stream at the end of one."""
        if self._stream is None:
            self._stream = self._open()
        if self._stream.eof:
            self._fed = (self._stream.unused_data or self._file.read(_PIECE)).lstrip(b"\0")
            if not self._fed or not self._continues():
                self._over = True
                return b""
            self._stream = self._open()
        elif not self._fed and self._stream.needs_input:
            self._fed = self._file.read(_PIECE)
            if not self._fed:
                raise EOFError("compressed data end before their end-of-stream marker")
        fed, self._fed = self._fed, b""
        data: bytes = self._stream.decompress(fed, most)
        return data

    def _continues(self) -> bool:
        """Whether the bytes behind a stream begin another one; anything else there is not read."""
        if len(self._fed) < 6:
            self._fed += self._file.read(_PIECE)
        return compression_of(self._fed) == self._compression

    def _error(self, what: str, code: str) -> ItemError:
        hint = SAVE_UNCOMPRESSED if code == "too-large" else WRITE_AGAIN
        return ItemError(f"{quoted_array(self._name, self._key)} {what}", code=code, hint=hint)


class _Zlib:
    """Decompressor of zlib with the interface of those of bz2 and lzma."""

    def __init__(self, bits: int) -> None:
        import zlib

        self._stream = zlib.decompressobj(bits)
        self._full = False  # whether more may come without input

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail and not self._full

    def decompress(self, data: bytes, most: int) -> bytes:
        found = self._stream.decompress(self._stream.unconsumed_tail + data, most)
        self._full = len(found) == most
        return found


def _decompressor(compression: Compression, filters: list[dict[str, Any]] | None) -> Any:
    """Return a decompressor that takes no more memory than a fixed amount for itself."""
    if compression == "bz2":
        import bz2

        return bz2.BZ2Decompressor()
    if compression == "lzma":
        import lzma

        if filters is None:
            return lzma.LZMADecompressor(memlimit=_DICTIONARY)
        if any(int(one.get("dict_size") or 0) > _DICTIONARY or int(one.get("preset") or 0) > 9 for one in filters):
            raise ValueError("an LZMA filter claims too large a dictionary")
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    return _Zlib(_WINDOW_BITS[compression])


def _inflated_at_once(data: bytes | memoryview, compression: Compression, most: int) -> bytes | None:
    """Inflate one whole stream of zlib, which takes a few seconds at most; None if it is anything else."""
    import zlib

    stream = zlib.decompressobj(_WINDOW_BITS[compression])
    try:
        found = stream.decompress(data, min(most, memory_limit()) + 1)
    except zlib.error:
        return None
    return found if stream.eof and not stream.unused_data and len(found) <= most else None
