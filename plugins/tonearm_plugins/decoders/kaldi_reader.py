"""``kaldi-reader``: matrices and waveforms of Kaldi's ark and scp files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import Context, ItemError, KeyedArrayDecoder, KeyedArrayOptions, Requirement, Source
from tonearm_plugins.formats.file_types import HEAD, looks_like, shown
from tonearm_plugins.formats.lazy_arrays import LazyArrays
from tonearm_plugins.formats.reading import judged, size_of, stranger

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

MAX_LINE = 4096  # bytes of a line of an scp file
MAX_TOKEN = 1024


class KaldiReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read Kaldi's .ark and .scp files by kaldiio; each utterance has its own key. No commands, no pickles."""

    suffixes = (".ark", ".scp")
    requires = (Requirement(name="kaldiio", hint="pip install 'tonearm[kaldi]'"),)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open an ark file, or what an scp file names."""
        with source.open() as file:
            if source.name.lower().endswith(".scp"):
                places = _places(file, source)
                yield LazyArrays(places, lambda key: self._of_scp(places[key], key, source.name, context))
            else:
                found = _offsets(file, source.name)
                yield LazyArrays(found, lambda key: self._load(file, found[key], key, source.name, context))

    def _of_scp(self, place: tuple[str, int], key: str, name: str, context: Context) -> Array:
        path, offset = place
        if offset < 0:
            raise ItemError(
                f"{shown(name)}: {shown(key)} is {shown(path)}, which is more than a file and an offset",
                code="kaldi-refused",
                hint="commands and slices are not run; write the ark first: copy-feats scp:x.scp ark,scp:y.ark,y.scp",
            )
        with Source(name=path, path=_as_path(path)).open() as file:
            return self._load(file, offset, key, path, context)

    def _load(self, file: BinaryIO, offset: int, key: str, name: str, context: Context) -> Array:
        """Return what is at an offset: a matrix, a vector, or a waveform at the rate that the options say."""
        import numpy as np

        file.seek(offset)
        found = _value(_Bounded(file, size_of_rest(file)), name)
        if not isinstance(found, tuple):
            return np.asarray(found)
        rate, array = found if isinstance(found[0], int) else found[::-1]
        context.measure(sample_rate=int(rate))
        if self.options.sample_rate is not None and rate != self.options.sample_rate:
            raise ItemError(
                f"{shown(key)} is sampled at {rate} Hz, but sample_rate is {self.options.sample_rate}",
                code="rate-mismatch",
                hint=f"sample_rate: {rate}",
            )
        return np.asarray(array).T


class _Bounded:
    """A file that never reads more than there is, whatever a header claims; and remembers no more than its place."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self.end = file.tell() + left

    def read(self, count: int = -1) -> bytes:
        left = self.end - self._file.tell()
        if count > left + HEAD:
            claimed = f" ({count:,})" if count < 1 << 63 else ""
            raise ItemError(
                f"it claims more bytes{claimed} than are there: {left:,}", code="broken-file", hint="write it again"
            )
        return self._file.read(left if count < 0 else count)


def size_of_rest(file: BinaryIO) -> int:
    """Return how many bytes follow in a file."""
    at = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(at)
    return end - at


def _value(file: _Bounded, name: str) -> Any:
    """Read one value, which kaldiio does for all that Kaldi and it write; a pickle is never opened."""
    from kaldiio.matio import read_kaldi

    at = file.tell()
    start = file.read(5)
    file.seek(at)
    if start[:3] == b"PKL":
        raise ItemError(
            f"{shown(name)} holds a pickle, which is never opened", code="kaldi-refused", hint="save matrices"
        )
    if not start:
        raise ItemError(f"{shown(name)} ends where a value should be", code="broken-file", hint="write it again")
    with judged(name, "a Kaldi archive"):
        if start == b"AUDIO" or start[:4] == b"fLaC":
            return _sound(file, start, name)
        return read_kaldi(file)


def _sound(file: _Bounded, start: bytes, name: str) -> tuple[int, Array]:
    """Read an encoded sound as kaldiio writes it: after AUDIO and its length, or FLAC as the rest of the file."""
    from tonearm_plugins.formats.sndfile_reading import decoded

    if start == b"AUDIO":
        file.read(len(start))
        digits = file.read(1)[0]
        data = file.read(int.from_bytes(file.read(digits), "little"))
    else:
        data = file.read()
    samples, rate = decoded(data, name)
    return rate, samples[0] if len(samples) == 1 else samples.T


def _offsets(file: BinaryIO, name: str) -> dict[str, int]:
    """Return where the value of each utterance starts; one pass over the archive, which has no directory."""
    bounded = _Bounded(file, size_of(file))
    found: dict[str, int] = {}
    while bounded.tell() < bounded.end:
        key = _token(file, name, first=not found)
        if not key:
            break
        if key in found:
            raise ItemError(
                f"{shown(name)} has two utterances {shown(key)}", code="duplicate", hint="give each its own"
            )
        found[key] = file.tell()
        _value(bounded, name)
    if not found:
        raise ItemError(f"{shown(name)} is empty", code="empty", hint="write it again")
    return found


def _token(file: BinaryIO, name: str, *, first: bool) -> str:
    """Return the key before the next value; empty at the end."""
    at = file.tell()
    start = file.read(MAX_TOKEN)
    key, space, _ = start.lstrip(b"\n").partition(b" ")
    key_at = len(start) - len(start.lstrip(b"\n"))
    if not start.strip():
        return ""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        text = "\0"
    # What is text may pass for a key: a pointer to the data, or a web page.
    if not space or not text.isprintable() or (first and looks_like(start)[0].startswith(("a Git", "a web", "a MAT"))):
        if first:
            raise stranger(file, name, "a Kaldi archive")
        raise ItemError(f"{shown(name)} is broken at byte {at:,}", code="broken-file", hint="write it again")
    file.seek(at + key_at + len(key) + 1)
    return text


def _places(file: BinaryIO, source: Source) -> dict[str, tuple[str, int]]:
    """Return the file and offset of each utterance that an scp file names; -1 where it names something else."""
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
                f"{shown(source.name)}: line {number} is no key and place", code="broken-file", hint="KEY FILE:OFFSET"
            )
        key, place = words[0], words[1].strip()
        if key in found:
            raise ItemError(f"{shown(source.name)} has two utterances {shown(key)}", code="duplicate")
        path, colon, offset = place.rpartition(":")
        if "|" in place or place.endswith("]") or place == "-":
            found[key] = (place, -1)
        elif colon and offset.isascii() and offset.isdigit():
            found[key] = (_beside(path, folder), int(offset))
        else:
            found[key] = (_beside(place, folder), 0)
    return found


def _beside(path: str, folder: str) -> str:
    """Return a path that Kaldi took from where it ran: as it stands if it is there, else beside the scp file."""
    beside = os.path.join(folder, path)  # noqa: PTH118
    return path if os.path.exists(path) or not os.path.exists(beside) else beside  # noqa: PTH110


def _as_path(path: str) -> Any:
    from pathlib import Path

    return Path(path)
