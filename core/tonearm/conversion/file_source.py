"""Files that a caller reads: named ones, open ones, and their content in memory."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO

from msgspec import Struct

from tonearm.addresses import refuse_address, refuse_missing
from tonearm.conversion.formats import format_of
from tonearm.errors import UsageError
from tonearm.pipeline.inference import decoder_of_layouts, name_by_suffix
from tonearm.plugins.registry import Registry
from tonearm.source import Source


class GivenSource(Struct, frozen=True):
    """Source that a caller gives, and the decoder that reads it.

    Parameters
    ----------
    source
        Source.
    decoder
        Name of the decoder of a file; empty for what is in memory.
    """

    source: Source
    decoder: str = ""


def file_source(
    given: Any,
    format: str | None,  # noqa: A002 - the name that the call has
    registry: Registry,
    *,
    has_layout: bool = False,
) -> GivenSource:
    """Return a file as a source.

    Parameters
    ----------
    given
        Path, open binary file, or the content of a file.
    format
        Suffix without dot, or name of a decoder; None to tell it from the suffix of the file.
    registry
        Registry of plugins.
    has_layout
        Whether a layout of tokens is given, which text may hold as well.

    Raises
    ------
    UsageError
        If it is no file, or does not tell its format.
    ItemError
        If it does not exist.
    """
    if isinstance(given, (str, os.PathLike)):
        path = os.fsdecode(given)
        refuse_address(path)
        refuse_missing(path)
        return GivenSource(Source(name=path, path=path), _decoder(path, format, registry, has_layout))
    file = io.BytesIO(given) if isinstance(given, (bytes, bytearray, memoryview)) else given
    if not callable(getattr(file, "read", None)):
        kind = type(given).__name__
        raise UsageError(f"read takes a file, not {kind}", hint="to_waveform takes arrays, tensors and signals")
    if isinstance(file, io.TextIOBase) or getattr(file, "encoding", None) is not None:
        raise UsageError("the file is one of text; sound is binary", hint='open it with "rb"')
    name = getattr(file, "name", None)
    name = os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else ""
    if format is None and not os.path.splitext(name)[1]:  # noqa: PTH122
        what = "bytes do" if file is not given else "an open file does"
        raise UsageError(f"{what} not tell the format", hint='name it, as in format="mp3"')
    return GivenSource(
        Source(name=name or "<file>", file=_seekable(file)), _decoder(name, format, registry, has_layout)
    )


def _seekable(file: BinaryIO) -> BinaryIO:
    """Return a file that decoders can move in: the file itself, or a copy in memory of a pipe."""
    seekable = getattr(file, "seekable", None)
    return file if callable(seekable) and seekable() else io.BytesIO(file.read())


def _decoder(name: str, format: str | None, registry: Registry, has_layout: bool) -> str:  # noqa: A002
    """Return the name of the decoder for a format, or for the suffix of a file's name."""
    if format is None:
        if has_layout and (found := decoder_of_layouts(registry, name)):
            return found
        return name_by_suffix(registry, "decoder", name)
    return format_of(format, "decoder", registry).plugin
