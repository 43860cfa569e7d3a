"""``audio-reader``: audio files, read by libsndfile."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import (
    MAX_SAMPLE_RATE,
    Context,
    Decoder,
    Item,
    ItemError,
    RunCommand,
    Source,
    Spec,
    Waveform,
    check_memory,
    file_types,
    samples_per_block,
    tags_by_name,
)
from tonearm_plugins.decoders.waveforms import FullScale, NonFinite, waveforms
from tonearm_plugins.formats.sndfile_reading import DOUBLE_SUBTYPES, check_claimed_length

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

_FLOATS = ("FLOAT", "DOUBLE")
_WAV = (b"RIFF", b"RF64")  # first bytes
_SOFTWARE = "software"  # tag that names the program that wrote the source, not the sound

# libsndfile's notes on a file that ends before its header says; it reads the rest without an error.
_SHORT = (
    re.compile(r"^\s*(?:data|SSND|riff)\s*: (?P<claimed>\d+) \(should be (?P<found>\d+)\)", re.MULTILINE),
    re.compile(r"frame count (?P<found>\d+) does not match value from 'ds64' chunk of (?P<claimed>\d+)"),
)
_UNKNOWN_SIZE = 0x7FFFF000  # smallest size that programs write into a pipe, where they cannot know the real one

_UNRECOGNISED = 1  # libsndfile's number of the error
_BROKEN = "else it is broken or cut short"
_FFMPEG = ("ffmpeg", "-i", "FILE", "FILE.wav")
_ONLY_FFMPEG = RunCommand(_FFMPEG, "if it is a format that only ffmpeg knows")
_MATLAB = ("MAT4", "MAT5")  # libsndfile reads them as sound, at the rate that a variable may tell
_UNKNOWN_LENGTH = (1 << 63) - 1  # libsndfile's length of FLAC without one
_MP3_FRAME = 1152  # samples
_SPARE = 50_000_000  # bytes that the libraries take


@dataclass(frozen=True, kw_only=True)
class AudioOptions:
    """Options of ``audio-reader``; everything else is in the file."""

    full_scale: FullScale = None
    nan: NonFinite = "error"


class AudioReader(Decoder[Waveform, AudioOptions]):
    """Read WAV, RF64, W64, FLAC, Ogg (Vorbis, Opus), MP3, AIFF and CAF with tags; files cut short are refused."""

    suffixes = (
        ".wav",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".aif",
        ".aiff",
        ".aifc",
        ".au",
        ".caf",
        ".w64",
        ".rf64",
    )
    reads = "content"

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform]]:
        """Yield the sound: float32, or float64 if the file has more digits."""
        if source.array is not None:
            raise ItemError(
                "an array in memory is not an audio file",
                code="not-a-file",
                hint="npy-reader takes arrays; give audio-reader a path or an open file",
            )
        with _opened(source) as file, _sound_file(file) as sound:
            if sound.format == "OGG" and not _has_end_mark(file):
                context.warn("the Ogg stream has no end mark: it may be cut short")
            samples = _samples(sound, file, source.name, copied=self.options.full_scale not in (None, 1.0))
            tags = _tags(sound, file)
            sample_rate, full_scale = sound.samplerate, self._full_scale(sound.subtype)
        for signal in waveforms(
            samples,
            ("channel", "time"),
            sample_rate=sample_rate,
            full_scale=full_scale,
            nan=self.options.nan,
            context=context,
        ):
            yield Item(signal=signal, tags=tags)

    def _full_scale(self, subtype: str) -> float | None:
        """Return the value of full scale of floats: lossy codecs may exceed ±1.0, integers have their own."""
        if subtype in _FLOATS:
            return self.options.full_scale
        return None if subtype.startswith(("PCM", "ALAC")) else 1.0

    def produces(self) -> Spec:
        """Return the spec of a waveform; its rate, channels and length are in each file."""
        return Spec(signals=(Waveform,))

    def look(self, source: Source) -> Spec:
        """Return the spec of the waveform in one file, from its header."""
        with _opened(source) as file, _sound_file(file) as sound:
            _check_header(sound)
            rate, channels, length = sound.samplerate, sound.channels, sound.frames
            return self.produces().replace(sample_rate=rate, channels=channels, length=length)


@contextlib.contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    """Yield the source as a file with a descriptor, or as one in memory.

    libsndfile reads files in memory by calling Python. For WAV, whose blocks are large, that takes half the time of
    a copy with a descriptor; for MP3 it takes longer. Errors in other files of Python would end up on stderr.
    """
    from tonearm_plugins.formats.sndfile_reading import SoundBytes

    if source.content is not None and source.content.startswith(_WAV):
        yield SoundBytes(source.content)
        return
    with source.open(descriptor=True) as file:
        yield file


def _read_at(file: BinaryIO, count: int, offset: int) -> bytes:
    """Return bytes of a file without moving its position, which belongs to libsndfile."""
    if isinstance(file, io.BytesIO):
        return file.getvalue()[offset : offset + count]
    return os.pread(file.fileno(), count, offset)


def _size(file: BinaryIO) -> int:
    """Return the size of a file in bytes."""
    return len(file.getvalue()) if isinstance(file, io.BytesIO) else os.fstat(file.fileno()).st_size


@contextlib.contextmanager
def _reopened(file: BinaryIO) -> Iterator[BinaryIO]:
    """Yield a file at its start for other libraries, and leave its position as it was."""
    if isinstance(file, io.BytesIO):
        yield io.BytesIO(file.getvalue())
        return
    with os.fdopen(os.dup(file.fileno()), "rb") as copy:
        place = copy.tell()
        copy.seek(0)
        yield copy
        copy.seek(place)  # both descriptors share it


@contextlib.contextmanager
def _sound_file(file: BinaryIO) -> Iterator[Any]:
    """Open an audio file; every error of libsndfile, then or later, is an `ItemError`."""
    import soundfile

    from tonearm_plugins.formats.library_notes import hushed_libraries
    from tonearm_plugins.formats.sndfile_reading import may_print, openable, reason_of

    head = _read_at(file, 22, 0)
    quiet = hushed_libraries() if may_print(head) else contextlib.nullcontext()
    try:
        with quiet, soundfile.SoundFile(openable(file, head), closefd=False) as sound:
            if sound.format in _MATLAB:
                raise _no_audio(file_types.MATLAB)
            yield sound
    except soundfile.LibsndfileError as error:
        found = file_types.identify(_read_at(file, file_types.HEAD, 0))
        if error.code != _UNRECOGNISED and found is not file_types.EMPTY:
            message = f"it cannot be read as audio: {reason_of(error)}"
        elif found.reader == "audio-reader":
            message = f"it begins as {found.name}, but is broken"
        else:
            raise _no_audio(found) from error
        raise ItemError(message, code="bad-audio", hint=_BROKEN, remedies=(_ONLY_FFMPEG,)) from error


def _no_audio(found: file_types.FileType) -> ItemError:
    """Return the error for a file of another type."""
    hint = "" if found in (file_types.UNKNOWN, file_types.ZEROS) else found.hint
    message = f"it is not a known audio format; it looks like {found.name}"
    return ItemError(message, code="bad-audio", hint=hint or _BROKEN, remedies=() if hint else (_ONLY_FFMPEG,))


def _tags(sound: Any, file: BinaryIO) -> dict[str, str]:
    """Return all tags of an open sound file; libsndfile has names for ten, and leaves the others out."""
    from tonearm_plugins.formats.tags import read_more

    with _reopened(file) as copy:
        more = read_more(copy, sound.format, sound.subtype)
    tags = tags_by_name({name: text for name, text in sound.copy_metadata().items() if name != _SOFTWARE})
    if "track" in more:  # with the total, which libsndfile leaves out
        tags["track"] = more["track"]
    if sound.format == "AIFF" and "copyright" in more:  # libsndfile makes dots of letters beyond ASCII
        tags["copyright"] = more["copyright"]
    return more | tags


def _samples(sound: Any, file: BinaryIO, name: str, *, copied: bool = False) -> Array:
    """Return all samples of an open sound file.

    Parameters
    ----------
    sound
        Open `soundfile.SoundFile`.
    file
        The file that it reads.
    name
        Name of the file, for messages.
    copied
        Whether a second array will be made of the samples, in another scale.

    Returns
    -------
    ndarray
        (channels, samples), float32 or float64.

    Raises
    ------
    ItemError
        The file has fewer samples than its header claims, claims no number, or does not fit into memory.
    """
    import numpy as np

    from tonearm_plugins.formats.channel_order import vorbis_order

    _check_header(sound)
    kind = "float64" if sound.subtype in DOUBLE_SUBTYPES else "float32"
    check_claimed_length(sound, _size(file))
    needed = sound.channels * sound.frames * (8 if kind == "float64" else 4) * (2 if copied else 1)
    check_memory(name, "", (needed + _SPARE) // 2)  # which counts it twice
    try:
        samples = np.empty((sound.channels, sound.frames), kind)  # memory that is never touched costs nothing
    except (MemoryError, ValueError) as error:
        raise ItemError(
            f"the header claims {sound.frames} samples, more than memory can hold",
            code="too-long",
            hint="split the file",
        ) from error
    block = np.empty((samples_per_block(sound.channels), sound.channels), kind)
    # libsndfile leaves the channels of Vorbis and Opus in their own order.
    order = list(vorbis_order(sound.channels)) if sound.format == "OGG" and sound.subtype != "FLAC" else slice(None)
    done = 0
    while done < sound.frames:
        part = sound.read(out=block[: sound.frames - done])
        if not len(part):
            break
        samples[order, done : done + len(part)] = part.T
        done += len(part)
    if done < sound.frames and not (sound.format == "MP3" and _is_estimate(sound.frames - done, file)):
        raise _cut_short(f"it has {done} of {sound.frames} samples")
    return samples[:, :done]


def _check_header(sound: Any) -> None:
    """Refuse a file with an impossible sample rate, with fewer bytes than its header claims, or without a length."""
    if not 1 <= sound.samplerate <= MAX_SAMPLE_RATE:
        raise ItemError(f"the header claims a sample rate of {sound.samplerate} Hz", code="bad-audio")
    for pattern in _SHORT:
        for note in pattern.finditer(sound.extra_info):
            if int(note["found"]) < int(note["claimed"]) < _UNKNOWN_SIZE:
                raise _cut_short(f"the header claims {note['claimed']}, but the file has room for {note['found']} only")
    if sound.frames == _UNKNOWN_LENGTH:
        raise ItemError(
            f"the {sound.format} file has no length in its header: it was written into a pipe",
            code="unknown-length",
            remedies=(RunCommand(_FFMPEG, "which reads it to its end"),),
        )


def _is_estimate(missing: int, file: BinaryIO) -> bool:
    """Return whether libsndfile guessed the length of an MP3 file from its size, for want of an Info frame."""
    from mutagen import MutagenError
    from mutagen.mp3 import BitrateMode, MPEGInfo

    if missing < 2 * _MP3_FRAME:
        return True
    with _reopened(file) as copy:
        try:
            return bool(MPEGInfo(copy).bitrate_mode == BitrateMode.UNKNOWN)
        except MutagenError:  # it finds no frame at all, where libsndfile found one
            return True


def _has_end_mark(file: BinaryIO) -> bool:
    """Return whether the last page of an Ogg file is marked as the last; a page has at most 65,307 bytes."""
    tail = _read_at(file, 1 << 16, max(0, _size(file) - (1 << 16)))
    page = tail.rfind(b"OggS")
    return 0 <= page < len(tail) - 5 and bool(tail[page + 5] & 4)


def _cut_short(what: str) -> ItemError:
    """Return the error for a file that ends too early."""
    return ItemError(
        f"the file is cut short: {what}", code="truncated", hint="the write was interrupted; write the file again"
    )
