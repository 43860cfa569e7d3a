"""``kaldi-reader``: matrices and waveforms in Kaldi's ark and scp files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import (
    WRITE_AGAIN,
    BoundedFile,
    Context,
    ItemError,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    LazyArrays,
    Requirement,
    Source,
    check_memory,
    file_types,
    quoted,
    quoted_array,
    wrong_format_error,
)
from tonearm_plugins.formats import kaldi

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAX_LINE = 4096
"""Size of a line of an scp file in bytes."""

MAX_KEY = 1024
"""Size of an utterance's key in bytes."""

_ENTRY_BYTES = 300  # memory that the entry of an utterance takes, beside its key and its file


class KaldiReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read Kaldi's .ark and .scp files by kaldiio; each utterance has its own key. Commands and pickles are refused."""

    suffixes = (".ark", ".scp")
    reads = "content"
    holds_many = True
    requires = (Requirement(name="kaldiio", hint="pip install 'tonearm[kaldi]'"),)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open an ark file, or those that an scp file names, as a mapping from utterances to arrays."""
        rates: dict[str, int] = {}

        def load(key: str) -> Array:
            if offsets is not None:
                return _value(file, offsets[key], key, source.name, rates)
            return _value_at(*places[key], key, source.name, rates)

        with source.open() as file:
            is_list = source.name.lower().removesuffix(".gz").endswith(".scp")
            places = _places(file, source) if is_list else {}
            offsets = None if is_list else _offsets(file, source.name)
            yield LazyArrays(
                places if offsets is None else offsets,
                load,
                lambda key: {"sample_rate": rates[key]} if key in rates else {},
            )


def _value_at(path: str, offset: int, key: str, name: str, rates: dict[str, int]) -> Array:
    """Return the value at a file and an offset that an scp file names."""
    if offset < 0:
        raise ItemError(
            f"{quoted_array(name, key)} is {quoted(path)}, which is more than a file and an offset",
            code="kaldi-refused",
            hint="commands and slices are refused; write the ark first: copy-feats scp:x.scp ark,scp:y.ark,y.scp",
        )
    with Source(name=path, path=_as_path(path)).open() as file:
        return _value(file, offset, key, path, rates)


def _value(file: BinaryIO, offset: int, key: str, name: str, rates: dict[str, int]) -> Array:
    """Return the value at an offset: a matrix, a vector, or a waveform, whose sample rate is noted."""
    import numpy as np

    file.seek(offset)
    found = kaldi.read_value(BoundedFile(file, name), key)
    if not isinstance(found, tuple):
        return np.asarray(found)
    rate, array = found if isinstance(found[0], int) else found[::-1]
    rates[key] = int(rate)
    return np.asarray(array).T


def _skip_floats(file: BoundedFile) -> bool:
    """Skip a matrix or vector of floats, the common values, unread. Return whether there was one, and all of it."""
    at = file.tell()
    size = kaldi.floats_size(file.read(kaldi.FLOATS_HEADER))
    is_whole = 0 < size <= file.end - at
    file.seek(at + size if is_whole else at)
    return is_whole


def _offsets(file: BinaryIO, name: str) -> dict[str, int]:
    """Return the position of each utterance's value, in one pass over the archive: it has no directory."""
    file.seek(0)
    bounded = BoundedFile(file, name)
    found: dict[str, int] = {}
    held = 0
    while bounded.tell() < bounded.end:
        key = _next_key(file, name, first=not found)
        if not key:
            break
        if key in found:
            raise ItemError(
                f"{quoted(name)} has two utterances {quoted(key)}", code="duplicate", hint="give each its own"
            )
        found[key] = file.tell()
        held += _ENTRY_BYTES + len(key)
        check_memory(name, "", held)
        if not _skip_floats(bounded):
            kaldi.read_value(bounded, key)
    if not found:
        raise ItemError(f"{quoted(name)} is empty", code="empty", hint=WRITE_AGAIN)
    return found


def _next_key(file: BinaryIO, name: str, *, first: bool) -> str:
    """Return the key before the next value, or an empty text at the end."""
    at = file.tell()
    start = file.read(MAX_KEY)
    key, space, _ = start.lstrip(b"\n").partition(b" ")
    key_at = len(start) - len(start.lstrip(b"\n"))
    if not start.strip():
        return ""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        text = "\0"
    # Other files may begin with text that would pass for a key.
    if (
        not space
        or not text.isprintable()
        or (
            first and file_types.identify(start) in (file_types.GIT_LFS_POINTER, file_types.WEB_PAGE, file_types.MATLAB)
        )
    ):
        if first:
            raise wrong_format_error(file, name, "a Kaldi archive")
        raise ItemError(f"{quoted(name)} is broken at byte {at:,}", code="broken-file", hint=WRITE_AGAIN)
    file.seek(at + key_at + len(key) + 1)
    return text


def _places(file: BinaryIO, source: Source) -> dict[str, tuple[str, int]]:
    """Return the file and offset of each utterance in an scp file; the offset is -1 for anything but a file."""
    found: dict[str, tuple[str, int]] = {}
    folder = os.path.dirname(source.path or "")  # noqa: PTH120
    number = held = 0
    while line := file.readline(MAX_LINE):
        number += 1
        try:
            words = line.decode().split(None, 1)
        except UnicodeDecodeError:
            words = []
        if not words:
            continue
        if len(words) != 2 or len(line) == MAX_LINE:
            raise ItemError(
                f"{quoted(source.name)}: line {number} is not a key and a place",
                code="broken-file",
                hint="write KEY FILE:OFFSET",
            )
        key, place = words[0], words[1].strip()
        held += _ENTRY_BYTES + len(line)
        check_memory(source.name, "", held)
        if key in found:
            raise ItemError(f"{quoted(source.name)} has two utterances {quoted(key)}", code="duplicate")
        path, colon, offset = place.rpartition(":")
        if "|" in place or place.endswith("]") or place == "-":
            found[key] = (place, -1)
        elif colon and offset.isascii() and offset.isdigit():
            found[key] = (_beside(path, folder), int(offset))
        else:
            found[key] = (_beside(place, folder), 0)
    return found


def _beside(path: str, folder: str) -> str:
    """Return a path that is relative to where Kaldi ran: as it is if it exists, else beside the scp file."""
    beside = os.path.join(folder, path)  # noqa: PTH118
    return path if os.path.exists(path) or not os.path.exists(beside) else beside  # noqa: PTH110


def _as_path(path: str) -> Any:
    from pathlib import Path

    return Path(path)
