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
    SetOption,
    Source,
    file_types,
    quoted,
    quoted_array,
    reading_errors,
    wrong_format_error,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAX_LINE = 4096
"""Size of a line of an scp file in bytes."""

MAX_KEY = 1024
"""Size of an utterance's key in bytes."""

# Numbers of axes and sizes of values in bytes. After the type, each axis has the byte 4 and a count of four bytes.
_FLOATS = {b"\0BFM ": (2, 4), b"\0BDM ": (2, 8), b"\0BFV ": (1, 4), b"\0BDV ": (1, 8)}
_FLOATS_HEADER = 15


class KaldiReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read Kaldi's .ark and .scp files by kaldiio; each utterance has its own key. Commands and pickles are refused."""

    suffixes = (".ark", ".scp")
    reads = "content"
    requires = (Requirement(name="kaldiio", hint="pip install 'tonearm[kaldi]'"),)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open an ark file, or those that an scp file names, as a mapping from utterances to arrays."""
        with source.open() as file:
            if source.name.lower().endswith(".scp"):
                places = _places(file, source)
                yield LazyArrays(places, lambda key: self._load_place(places[key], key, source.name, context))
            else:
                found = _offsets(file, source.name)
                yield LazyArrays(found, lambda key: self._load(file, found[key], key, source.name, context))

    def _load_place(self, place: tuple[str, int], key: str, name: str, context: Context) -> Array:
        """Return the value at a file and an offset that an scp file names."""
        path, offset = place
        if offset < 0:
            raise ItemError(
                f"{quoted_array(name, key)} is {quoted(path)}, which is more than a file and an offset",
                code="kaldi-refused",
                hint="commands and slices are refused; write the ark first: copy-feats scp:x.scp ark,scp:y.ark,y.scp",
            )
        with Source(name=path, path=_as_path(path)).open() as file:
            return self._load(file, offset, key, path, context)

    def _load(self, file: BinaryIO, offset: int, key: str, name: str, context: Context) -> Array:
        """Return the value at an offset: a matrix, a vector, or a waveform at the sample rate of the options."""
        import numpy as np

        file.seek(offset)
        found = _value(BoundedFile(file, name))
        if not isinstance(found, tuple):
            return np.asarray(found)
        rate, array = found if isinstance(found[0], int) else found[::-1]
        context.measure(sample_rate=int(rate))
        expected = self.options.of_kind("sample_rate")
        if expected is not None and rate != expected:
            raise ItemError(
                f"{quoted(key)} is sampled at {rate} Hz, but sample_rate is {expected}",
                code="rate-mismatch",
                remedies=(SetOption("sample_rate", int(rate)),),
            )
        return np.asarray(array).T


def _value(file: BoundedFile) -> Any:
    """Read one value by kaldiio; pickles are refused."""
    from kaldiio.matio import read_kaldi

    at, name = file.tell(), file.name
    start = file.read(5)
    file.seek(at)
    if start[:3] == b"PKL":
        raise ItemError(
            f"{quoted(name)} holds a pickle; pickles are refused, as they can run any code",
            code="kaldi-refused",
            hint="save matrices",
        )
    if not start:
        raise ItemError(f"{quoted(name)} ends where a value should be", code="broken-file", hint=WRITE_AGAIN)
    with reading_errors(name, "a Kaldi archive"):
        if start == b"AUDIO" or start[:4] == b"fLaC":
            return _sound(file, start)
        return read_kaldi(file)


def _sound(file: BoundedFile, start: bytes) -> tuple[int, Array]:
    """Read an encoded sound: after AUDIO and its length, as kaldiio writes it, or FLAC as the rest of the file."""
    from tonearm_plugins.formats.sndfile_reading import decode_bytes

    if start == b"AUDIO":
        file.read(len(start))
        digits = file.read(1)[0]
        data = file.read(int.from_bytes(file.read(digits), "little"))
    else:
        data = file.read()
    samples, rate = decode_bytes(data, file.name)
    return rate, samples[0] if len(samples) == 1 else samples.T


def _skip_floats(file: BoundedFile) -> bool:
    """Skip a matrix or vector of floats, the common values, unread. Return whether there was one, and all of it."""
    at = file.tell()
    head = file.read(_FLOATS_HEADER)
    rank, size = _FLOATS.get(head[:5], (0, 0))
    for axis in range(rank):
        start = 5 + 5 * axis
        size *= int.from_bytes(head[start + 1 : start + 5], "little") if head[start : start + 1] == b"\x04" else 0
    end = at + 5 + 5 * rank + size
    is_whole = size > 0 and end <= file.end
    file.seek(end if is_whole else at)
    return is_whole


def _offsets(file: BinaryIO, name: str) -> dict[str, int]:
    """Return the position of each utterance's value, in one pass over the archive: it has no directory."""
    file.seek(0)
    bounded = BoundedFile(file, name)
    found: dict[str, int] = {}
    while bounded.tell() < bounded.end:
        key = _next_key(file, name, first=not found)
        if not key:
            break
        if key in found:
            raise ItemError(
                f"{quoted(name)} has two utterances {quoted(key)}", code="duplicate", hint="give each its own"
            )
        found[key] = file.tell()
        if not _skip_floats(bounded):
            _value(bounded)
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
    number = 0
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
