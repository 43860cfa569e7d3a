"""Files of any format that are compressed as a whole, such as ``a.npy.gz``: decoders get their inflated content."""

from __future__ import annotations

import os
from typing import BinaryIO, Final

from tonearm.errors import ItemError
from tonearm.source import Source

COMPRESSED_SUFFIXES: Final = (".gz", ".bz2", ".xz", ".zst")
"""Suffixes of compressed files that are inflated for decoders."""

_STEP: Final = 4 << 20  # bytes that are inflated at a time


def name_within(name: str) -> str:
    """Return a name without the suffix of its compression; the same name if it has none.

    Examples
    --------
    >>> name_within("a.npy.gz"), name_within("a.npy")
    ('a.npy', 'a.npy')
    """
    suffix = next((one for one in COMPRESSED_SUFFIXES if name.lower().endswith(one)), "")
    return name[: len(name) - len(suffix)]


def inflated_source(source: Source, suffixes: tuple[str, ...]) -> Source:
    """Return a source as a decoder should read it: inflated if its name says that it is compressed as a whole.

    Parameters
    ----------
    source
        Source.
    suffixes
        Suffixes of the decoder. It inflates files itself if one of these is that of the source.

    Returns
    -------
    Source
        The same source if it is not compressed, or a source with inflated content in memory.

    Raises
    ------
    ItemError
        ``wrong-format`` if the file is not what its name says; ``too-large`` or ``broken-file`` as for `InflatedFile`.
    """
    name = source.path_text
    if name is None or not name.lower().endswith(COMPRESSED_SUFFIXES) or name.lower().endswith(suffixes):
        return source
    return _inflated(source, name)


def _inflated(source: Source, name: str) -> Source:
    """Return a compressed source with its content."""
    from tonearm.reading import file_types
    from tonearm.reading.inflate import InflatedFile, compression_of
    from tonearm.reading.memory import check_memory
    from tonearm.reading.messages import WRITE_AGAIN, quoted

    with source.open() as file:
        head = file.read(file_types.HEAD)
        compression = compression_of(head)
        if compression is None:
            found = file_types.identify(head)
            if found is file_types.EMPTY:
                raise ItemError(f"{quoted(source.name)} is empty: it has 0 bytes", code="empty", hint=WRITE_AGAIN)
            raise ItemError(
                f"{quoted(source.name)} is not compressed; it looks like {found.name}",
                code="wrong-format",
                hint=f"leave {os.path.splitext(name)[1]} out of its name",  # noqa: PTH122
            )
        if compression == "zstd":
            return _with_content(source, _inflated_at_once(file, source.name))
        pieces, size = [], 0
        with InflatedFile(file, compression, source.name) as stream:
            while piece := stream.read(_STEP):
                size += len(piece)
                check_memory(source.name, "", size)
                pieces.append(piece)
    return _with_content(source, b"".join(pieces))


def _inflated_at_once(file: BinaryIO, name: str) -> bytes:
    """Return the content of a file of zstd, whose size is bounded by what its blocks can hold."""
    from tonearm.reading.bounded_file import size_of
    from tonearm.reading.bounds import ARRAY_BYTES
    from tonearm.reading.inflate import inflate
    from tonearm.reading.memory import check_memory

    size = size_of(file)
    check_memory(name, "", size)
    file.seek(0)
    return inflate(file.read(), "zstd", ARRAY_BYTES.limit(size), name)


def _with_content(source: Source, content: bytes) -> Source:
    """Return a source with other content, in memory."""
    return Source(
        name=source.name,
        path=source.path_text,
        relative_dir=source.relative_dir,
        content=content,
        key=source.key,
        found=source.found,
        absolute_path=source.absolute_path,
    )
