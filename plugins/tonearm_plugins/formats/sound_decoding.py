"""Streams of sound, decoded by libsndfile in one go.

Nothing is sought between blocks, which lossy formats would answer with other samples.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from tonearm.api import (
    ItemError,
    RunCommand,
    Source,
    check_memory,
    file_types,
    samples_per_block,
    tags_by_name,
)
from tonearm_plugins.dsp.progress import OnProgress, share_of
from tonearm_plugins.formats.channel_order import vorbis_order
from tonearm_plugins.formats.library_notes import hushed_libraries
from tonearm_plugins.formats.sndfile_reading import (
    check_claimed_length,
    may_print,
    openable,
    read_bytes_at,
    reason_of,
    reopened_file,
    sequential_file,
    size_in_bytes,
)
from tonearm_plugins.formats.sound_plan import Plan, check_header, cut_short_error

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

_SOFTWARE = "software"  # tag that names the program that wrote the source, not the sound

_UNKNOWN_LENGTH = (1 << 63) - 1  # libsndfile's length of FLAC without one

_UNRECOGNISED = 1  # libsndfile's number of the error
_BROKEN = "else it is broken or cut short"
_ONLY_FFMPEG = RunCommand(("ffmpeg", "-i", "FILE", "FILE.wav"), "if it is a format that only ffmpeg knows")
_MATLAB = ("MAT4", "MAT5")  # libsndfile reads them as sound, at the rate that a variable may tell


@dataclass(frozen=True)
class Sound:
    """All of a sound file.

    Parameters
    ----------
    samples
        (channels, samples), float32, or float64 if the file has more digits. Channels are in WAV's order.
    sample_rate
        Sample rate in Hz.
    subtype
        Format of the samples by libsndfile's name; ``PCM``, ``FLOAT`` or ``CODED`` if ffmpeg has read it.
    tags
        Tags by name.
    warnings
        Warnings to give.
    end
        Place in bytes after which a single stream of FLAC ends, or a little before; None if it is of another format.
    """

    samples: Array
    sample_rate: int
    subtype: str
    tags: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    end: int | None = None


@dataclass(frozen=True)
class Outline:
    """What the header of a sound file says.

    Parameters
    ----------
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.
    length
        Samples of each channel; None if the header does not say it.
    """

    sample_rate: int
    channels: int
    length: int | None


class NotReadError(Exception):
    """libsndfile does not read a file; `reason` is the error to raise if nothing else does."""

    def __init__(self, reason: ItemError) -> None:
        super().__init__(reason.message)
        self.reason = reason


def read_streams(
    file: BinaryIO,
    name: str,
    plan: Plan,
    copies: int,
    wide: Collection[str] | None,
    spare: int,
    on_progress: OnProgress | None = None,
) -> Sound:
    """Read the streams of a file by libsndfile, one after the other.

    Parameters
    ----------
    file, name
        Open file, and its name for messages.
    plan
        How it is read.
    copies, wide, spare, on_progress
        As for `sound_reading.read_sound`.

    Raises
    ------
    NotReadError
        libsndfile does not open a stream.
    ItemError
        The file is broken or cut short, joins sounds that differ, or takes too much memory.
    """
    sounds: list[Sound] = []
    held = plan.held + spare
    several = len(plan.streams) > 1
    for content, known in zip(plan.streams, plan.lengths, strict=True):
        with _stream_file(file, content) as stream, _sound_file(stream, plan) as sound:
            kind: Literal["float32", "float64"] = "float64" if wide is None or sound.subtype in wide else "float32"
            length = _frames_of_aiff(sound, stream) if known is None else known
            width = sound.channels * (8 if kind == "float64" else 4) * (copies + several)
            report = share_of(on_progress, len(sounds), len(plan.streams)) if several else on_progress
            order = _order(sound, stream)
            samples = _samples(sound, size_in_bytes(stream), name, length, kind, order, width, held, report)
            tags = {} if sounds else _tags(sound, file if sound.format == "MP3" else stream)
            if sounds and (sound.samplerate, sound.channels) != (sounds[0].sample_rate, len(sounds[0].samples)):
                raise _differ(sounds[0], sound)
            is_alone = sound.format == "FLAC" and not several
            end = max(0, os.lseek(stream.fileno(), 0, os.SEEK_CUR) - _READ_AHEAD) if is_alone else None
            sounds.append(Sound(samples, sound.samplerate, sound.subtype, tags, plan.warnings, end))
            held += (copies + several) * samples.nbytes
    if not several:
        return sounds[0]
    import numpy as np

    first = sounds[0]
    joined = np.concatenate([sound.samples for sound in sounds], axis=1)
    return Sound(joined, first.sample_rate, first.subtype, first.tags, plan.warnings)


_READ_AHEAD = 1 << 14
"""Bytes that libFLAC may have read beyond the end of a stream; its buffer has half as many."""


def look_at_streams(file: BinaryIO, plan: Plan) -> Outline:
    """Return what the headers of the streams of a file say, by libsndfile."""
    total: int | None = 0
    for content, known in zip(plan.streams, plan.lengths, strict=True):
        with _stream_file(file, content) as stream, _sound_file(stream, plan) as sound:
            check_header(sound)
            length = _frames_of_aiff(sound, stream) if known is None else known
            found = sound.frames if length is None else length
            total = None if total is None or found == _UNKNOWN_LENGTH else total + found
            outline = Outline(sound.samplerate, sound.channels, total)
    return outline


def _order(sound: Any, stream: BinaryIO) -> list[int] | slice:
    """Return the place of each channel in WAV's order; libsndfile leaves Vorbis and Opus in their own order."""
    if sound.format != "OGG" or sound.subtype == "FLAC" or sound.channels < 3:
        return slice(None)
    head = read_bytes_at(stream, _START, 0)
    family = head.find(b"OpusHead") + 18
    if sound.subtype == "OPUS" and head[family : family + 1] != _SURROUND:
        return slice(None)
    return list(vorbis_order(sound.channels))


_SURROUND = b"\1"
"""Mapping family of Opus with the order of Vorbis; channels of the others have no places, or those of Ambisonics."""


def _frames_of_aiff(sound: Any, file: BinaryIO) -> int | None:
    """Return the length of an AIFF file of single bytes; None for others.

    libsndfile takes the byte after an odd number of them for another sample.
    """
    if sound.format != "AIFF" or sound.subtype not in _BYTES or sound.channels % 2 == 0:
        return None
    head = read_bytes_at(file, _START, 0)
    at = head.find(b"COMM")
    frames = int.from_bytes(head[at + 10 : at + 14], "big")
    return frames if at > 0 and frames == sound.frames - 1 else None


_START = 4096  # bytes
_BYTES = ("PCM_S8", "PCM_U8", "ULAW", "ALAW")


def _differ(first: Sound, sound: Any) -> ItemError:
    before = f"{first.sample_rate} Hz with {len(first.samples)} channels"
    return ItemError(
        f"the file joins sounds of {before} and {sound.samplerate} Hz with {sound.channels} channels",
        code="bad-audio",
        hint="split it into one file for each",
    )


@contextlib.contextmanager
def _stream_file(file: BinaryIO, content: bytes | None) -> Iterator[BinaryIO]:
    """Yield a stream, or the whole file, as libsndfile should read it.

    libsndfile reads files in memory by calling Python. For WAV, whose blocks are large, that takes half the time of
    a copy with a descriptor; for MP3 it takes longer. Errors in other files of Python would end up on stderr.
    """
    if content is None and isinstance(file, io.BytesIO) and not read_bytes_at(file, 4, 0).startswith(_IN_MEMORY):
        content = file.getvalue()
    if content is None:
        yield file
        return
    with Source(name="<stream>", content=content).open(descriptor=True) as stream:
        yield stream


_IN_MEMORY = (b"RIFF", b"RF64")


@contextlib.contextmanager
def _sound_file(file: BinaryIO, plan: Plan) -> Iterator[Any]:
    """Open an audio file; every error of libsndfile, then or later, is an `ItemError`.

    One on opening is a `NotReadError`, since ffmpeg may know more. So is MPEG audio that nobody has taken apart.
    """
    import soundfile

    head = read_bytes_at(file, 22, 0)
    quiet = hushed_libraries() if may_print(head) else contextlib.nullcontext()
    is_open = False
    try:
        with quiet, sequential_file(openable(file, head)) as sound:
            is_open = True
            if sound.format in _MATLAB:
                raise _no_audio(file_types.MATLAB)
            if sound.format == "MP3" and not plan.is_mpeg:
                raise NotReadError(_refusal("it is MPEG audio, but no frame of it is whole"))
            yield sound
    except soundfile.LibsndfileError as error:
        found = file_types.identify(read_bytes_at(file, file_types.HEAD, 0))
        if error.code != _UNRECOGNISED and found is not file_types.EMPTY:
            message = f"it cannot be read as audio: {reason_of(error)}"
        elif found.reader == "audio-reader":
            message = f"it begins as {found.name}, but is broken"
        else:
            raise NotReadError(_no_audio(found)) from error
        raise _refusal(message) if is_open else NotReadError(_refusal(message)) from error


def _refusal(message: str) -> ItemError:
    """Return the error for a file that may be broken, or of a format that ffmpeg alone knows."""
    return ItemError(message, code="bad-audio", hint=_BROKEN, remedies=(_ONLY_FFMPEG,))


def _no_audio(found: file_types.FileType) -> ItemError:
    """Return the error for a file of another type."""
    hint = "" if found in (file_types.UNKNOWN, file_types.ZEROS) else found.hint
    message = f"it is not a known audio format; it looks like {found.name}"
    return ItemError(message, code="bad-audio", hint=hint or _BROKEN, remedies=() if hint else (_ONLY_FFMPEG,))


def _tags(sound: Any, file: BinaryIO) -> dict[str, str]:
    """Return all tags of an open sound file; libsndfile has names for ten, and leaves the others out."""
    from tonearm_plugins.formats.tags import read_more

    with reopened_file(file) as copy:
        more = read_more(copy, sound.format, sound.subtype)
    tags = tags_by_name({name: text for name, text in sound.copy_metadata().items() if name != _SOFTWARE})
    if "track" in more:  # with the total, which libsndfile leaves out
        tags["track"] = more["track"]
    if sound.format == "AIFF" and "copyright" in more:  # libsndfile makes dots of letters beyond ASCII
        tags["copyright"] = more["copyright"]
    return more | tags


def _samples(
    sound: Any,
    size: int,
    name: str,
    length: int | None,
    kind: Literal["float32", "float64"],
    order: list[int] | slice,
    width: int,
    held: int,
    on_progress: OnProgress | None,
) -> Array:
    """Return all samples of an open sound file.

    Parameters
    ----------
    sound
        Open `soundfile.SoundFile`.
    size
        Size of the file in bytes.
    name
        Name of the file, for messages.
    length
        Samples of each channel, if that which libsndfile gives is an estimate.
    kind
        Type of the samples.
    order
        Place of each channel of the file, or a slice that has all of them in order.
    width
        Bytes that all arrays take for a sample of each channel.
    held
        Bytes that are held beside the samples.
    on_progress
        Function called with the samples that are read, and with the number of all.

    Returns
    -------
    ndarray
        (channels, samples).

    Raises
    ------
    ItemError
        The file has fewer samples than its header claims, or does not fit into memory.
    """
    import numpy as np

    check_header(sound)
    block = np.empty((samples_per_block(sound.channels), sound.channels), kind)
    if sound.frames == _UNKNOWN_LENGTH and length is None:
        return _until_the_end(sound, block, name, held, width, on_progress)
    check_claimed_length(sound, size, length)
    count = sound.frames if length is None else length
    check_memory(name, "", (width * count + held) // 2)  # which counts it twice
    try:
        samples = np.empty((sound.channels, count), kind)  # memory that is never touched costs nothing
    except (MemoryError, ValueError) as error:
        raise ItemError(
            f"the header claims {count} samples, more than memory can hold", code="too-long", hint="split the file"
        ) from error
    done = 0
    while done < count:
        part = sound.read(out=block[: count - done])
        if not len(part):
            break
        samples[order, done : done + len(part)] = part.T
        done += len(part)
        if on_progress:
            on_progress(done, count)
    if done < count and not (sound.format == "MP3" and count - done < _MP3_SLACK):
        raise cut_short_error(f"it has {done} of {count} samples")
    return samples[:, :done]


_MP3_SLACK = 2 * 1152
"""Samples by which encoders of MP3 miscount."""


def _until_the_end(sound: Any, block: Array, name: str, held: int, width: int, on_progress: OnProgress | None) -> Array:
    """Return the samples of a file that does not give its length, as one written into a pipe."""
    import numpy as np

    parts: list[Array] = []
    done = 0
    while len(part := sound.read(out=block)):
        done += len(part)
        check_memory(name, "", (2 * width * done + held) // 2)
        parts.append(part.T.copy())
        if on_progress:
            on_progress(done, math.inf)
    return np.concatenate(parts, axis=1) if parts else block[:0].T
