"""Sound files of every format: libsndfile reads its own, whole and in one go, and ffmpeg the others.

libsndfile reads the first stream of a file alone, and MP3 as far as it estimates. Such files are taken apart here, and
their streams read one after the other. Nothing is sought between blocks, which lossy formats would answer with other
samples.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from tonearm.api import (
    MAX_SAMPLE_RATE,
    ItemError,
    RunCommand,
    Source,
    check_memory,
    file_types,
    quoted,
    samples_per_block,
    tags_by_name,
)
from tonearm_plugins.formats import ffmpeg_formats, mpeg_stream, ogg_stream
from tonearm_plugins.formats.library_notes import hushed_libraries
from tonearm_plugins.formats.sndfile_reading import (
    DOUBLE_SUBTYPES,
    KNOWN,
    SoundBytes,
    check_claimed_length,
    may_print,
    openable,
    reason_of,
    sequential_file,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAX_STREAMS = 4096
"""Largest number of streams in one file."""

_SOFTWARE = "software"  # tag that names the program that wrote the source, not the sound

# libsndfile's notes on a file that ends before its header says; it reads the rest without an error.
_SHORT = re.compile(r"^\s*(?:data|SSND|riff)\s*: (?P<claimed>\d+) \(should be (?P<found>\d+)\)", re.MULTILINE)
_SHORT_RF64 = re.compile(
    r"Data size : (?P<size>\d+)$.*Block Align\s*: (?P<align>\d+)$.*frame count (?P<found>\d+) does not match",
    re.MULTILINE | re.DOTALL,
)
_UNKNOWN_SIZE = 0x7FFFF000  # smallest size that programs write into a pipe, where they cannot know the real one
_UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFF)  # of RF64
_UNKNOWN_LENGTH = (1 << 63) - 1  # libsndfile's length of FLAC without one

_UNRECOGNISED = 1  # libsndfile's number of the error
_BROKEN = "else it is broken or cut short"
_ONLY_FFMPEG = RunCommand(("ffmpeg", "-i", "FILE", "FILE.wav"), "if it is a format that only ffmpeg knows")
_MATLAB = ("MAT4", "MAT5")  # libsndfile reads them as sound, at the rate that a variable may tell
_SPARE = 50_000_000  # bytes that the libraries take
_HEAD = max(ffmpeg_formats.HEAD, file_types.HEAD)
_MOST_TAGS = 16  # in front of one another


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
    """

    samples: Array
    sample_rate: int
    subtype: str
    tags: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class _Plan:
    """How a file is read: its streams, and the warnings to give.

    A stream is bytes, or None for the file itself. The lengths of streams whose headers give none are in `lengths`.
    """

    streams: tuple[bytes | None, ...] = (None,)
    lengths: tuple[int | None, ...] = (None,)
    warnings: tuple[str, ...] = ()
    held: int = 0
    is_mpeg: bool = False


def read_sound(
    file: BinaryIO,
    name: str,
    *,
    copies: int = 1,
    wide: Collection[str] | None = DOUBLE_SUBTYPES,
    spare: int = _SPARE,
) -> Sound:
    """Read a sound file.

    Parameters
    ----------
    file
        Open file: one in memory, or one with a descriptor. `opened` gives either.
    name
        Name of the file, for messages.
    copies
        Number of arrays that will be made of the samples.
    wide
        Subtypes that are read as float64, by libsndfile's names; None for all.
    spare
        Bytes that the libraries may take, beside the samples.

    Raises
    ------
    ItemError
        It is no sound, is broken or cut short, joins sounds that differ, takes too much memory, or needs a program or
        package that is not installed.
    """
    head = _Head(file)
    foreign, refusal, plan = head.foreign(name), None, _Plan()
    if foreign is None:
        plan = _plan(file, name, head)
        try:
            return _read_streams(file, name, plan, copies, wide, spare)
        except _NotReadError as error:
            foreign, refusal = head.foreign(name, last=True), error.reason
            if foreign is None:
                with _last_refusal():
                    return _read_streams(file, name, _plan_junk(file, name, refusal), copies, wide, spare)
    from tonearm_plugins.formats import ffmpeg_reading

    with _without_tags(file, head.at) as bare:
        try:
            found = ffmpeg_reading.read_foreign(bare, name, *foreign)
        except ItemError as error:
            # A broken file of libsndfile's own formats is refused in its words.
            if refusal is None or error.code != "bad-audio":
                raise
            raise refusal from error
    return Sound(found.samples, found.sample_rate, found.scale, found.tags, (*plan.warnings, *found.warnings))


def look_at_sound(file: BinaryIO, name: str) -> Outline:
    """Return what the header of a sound file says.

    Parameters
    ----------
    file, name
        As for `read_sound`.
    """
    head = _Head(file)
    foreign = head.foreign(name)
    if foreign is None:
        try:
            return _look_at_streams(file, _plan(file, name, head))
        except _NotReadError as error:
            foreign = head.foreign(name, last=True)
            if foreign is None:
                with _last_refusal():
                    return _look_at_streams(file, _plan_junk(file, name, error.reason))
    from tonearm_plugins.formats import ffmpeg_reading

    with _without_tags(file, head.at) as bare:
        return Outline(*ffmpeg_reading.look_at_foreign(bare, name, *foreign))


def decode_bytes(data: bytes, name: str, *, double: bool = False) -> tuple[Array, int]:
    """Return the samples and the sample rate of a sound file in memory.

    Parameters
    ----------
    data
        All bytes of the file.
    name
        Name of the file, for messages.
    double
        Whether float64 is wanted. Subtypes of more than 16 bits always become float64.

    Returns
    -------
    samples
        (channels, samples), float32 or float64.
    sample_rate
        Sample rate in Hz.

    Raises
    ------
    ItemError
        As for `read_sound`, with the name; ``broken-file`` if it is no sound.
    """
    with opened(Source(name=name, content=data)) as file:
        try:
            sound = read_sound(file, name, copies=2, wide=None if double else (*DOUBLE_SUBTYPES, "PCM_24"), spare=0)
        except ItemError as error:
            raise _named(error, name) from error
    return sound.samples, sound.sample_rate


def _named(error: ItemError, name: str) -> ItemError:
    """Return an error that names the file."""
    if quoted(name) in error.message:
        return error
    code = "broken-file" if error.code == "bad-audio" else error.code
    message = f"{quoted(name)} cannot be read as audio: {error.message}"
    return ItemError(message, code=code, hint=error.hint)


@contextlib.contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """Yield a source as a file with a descriptor, or as one in memory."""
    if source.content is not None:
        yield SoundBytes(source.content)
        return
    with source.open(descriptor=True) as file:
        yield file


class _NotReadError(Exception):
    """libsndfile does not read a file; `reason` is the error to raise if nothing else does."""

    def __init__(self, reason: ItemError) -> None:
        super().__init__(reason.message)
        self.reason = reason


@contextlib.contextmanager
def _last_refusal() -> Iterator[None]:
    """Raise the `ItemError` of a `_NotReadError` that is raised in a ``with`` block."""
    try:
        yield
    except _NotReadError as error:
        raise error.reason from error


class _Head:
    """First bytes of a file, after tags in front of its format.

    Attributes
    ----------
    at
        Place of the format in the file.
    start
        First bytes of it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.at = 0
        self.start = _read_at(file, _HEAD, 0)
        for _ in range(_MOST_TAGS):
            size = mpeg_stream.tag_size(self.start) if self.start.startswith(b"ID3") else 0
            if not size:
                return
            self.at += size
            self.start = _read_at(file, _HEAD, self.at)

    def foreign(self, name: str, *, last: bool = False) -> tuple[str, str] | None:
        """Return the demuxer of ffmpeg and the name of the format; None if libsndfile is to read it.

        Parameters
        ----------
        name
            Name of the file.
        last
            Whether libsndfile has refused it.
        """
        if not last and (self.start.startswith(KNOWN) or self.is_mpeg or self._is_simple_voc):
            return None
        return ffmpeg_formats.demuxer_of(self.start, name)

    @property
    def _is_simple_voc(self) -> bool:
        """Whether it is a VOC file whose sound is one block: libsndfile takes the headers of others for samples."""
        if not self.start.startswith(_VOC):
            return False
        block = int.from_bytes(self.start[20:22], "little")
        after = block + 4 + int.from_bytes(self.start[block + 1 : block + 4], "little")
        return _read_at(self._file, 1, after) in (b"", b"\0")

    @property
    def is_mpeg(self) -> bool:
        """Whether it begins as MPEG audio, or with a tag and what is no format that is known."""
        shape = mpeg_stream.frame_shape(int.from_bytes(self.start[:4], "big")) if len(self.start) >= 4 else None
        return shape is not None


_VOC = b"Creative Voice File"


def _read_streams(
    file: BinaryIO, name: str, plan: _Plan, copies: int, wide: Collection[str] | None, spare: int
) -> Sound:
    """Read a file by libsndfile."""
    sounds: list[Sound] = []
    held = plan.held + spare
    several = len(plan.streams) > 1
    for content, known in zip(plan.streams, plan.lengths, strict=True):
        with _stream(file, content) as stream, _sound_file(stream, plan) as sound:
            kind: Literal["float32", "float64"] = "float64" if wide is None or sound.subtype in wide else "float32"
            length = _frames_of_aiff(sound, stream) if known is None else known
            width = sound.channels * (8 if kind == "float64" else 4) * (copies + several)
            samples = _samples(sound, _size(stream), name, length, kind, width, held)
            tags = {} if sounds else _tags(sound, file if sound.format == "MP3" else stream)
            if sounds and (sound.samplerate, sound.channels) != (sounds[0].sample_rate, len(sounds[0].samples)):
                raise _differ(sounds[0], sound)
            sounds.append(Sound(samples, sound.samplerate, sound.subtype, tags))
            held += (copies + several) * samples.nbytes
    if not several:
        return Sound(sounds[0].samples, sounds[0].sample_rate, sounds[0].subtype, sounds[0].tags, plan.warnings)
    import numpy as np

    first = sounds[0]
    joined = np.concatenate([sound.samples for sound in sounds], axis=1)
    return Sound(joined, first.sample_rate, first.subtype, first.tags, plan.warnings)


def _look_at_streams(file: BinaryIO, plan: _Plan) -> Outline:
    total: int | None = 0
    for content, known in zip(plan.streams, plan.lengths, strict=True):
        with _stream(file, content) as stream, _sound_file(stream, plan) as sound:
            _check_header(sound)
            length = _frames_of_aiff(sound, stream) if known is None else known
            found = sound.frames if length is None else length
            total = None if total is None or found == _UNKNOWN_LENGTH else total + found
            outline = Outline(sound.samplerate, sound.channels, total)
    return outline


def _frames_of_aiff(sound: Any, file: BinaryIO) -> int | None:
    """Return the length of an AIFF file of single bytes; None for others.

    libsndfile takes the byte after an odd number of them for another sample.
    """
    if sound.format != "AIFF" or sound.subtype not in _BYTES or sound.channels % 2 == 0:
        return None
    head = _read_at(file, _HEAD, 0)
    at = head.find(b"COMM")
    frames = int.from_bytes(head[at + 10 : at + 14], "big")
    return frames if at > 0 and frames == sound.frames - 1 else None


_BYTES = ("PCM_S8", "PCM_U8", "ULAW", "ALAW")


def _differ(first: Sound, sound: Any) -> ItemError:
    before = f"{first.sample_rate} Hz with {len(first.samples)}"
    return ItemError(
        f"the file joins sounds of {before} and {sound.samplerate} Hz with {sound.channels} channels",
        code="bad-audio",
        hint="split it into one file for each",
    )


def _plan(file: BinaryIO, name: str, head: _Head) -> _Plan:
    """Return how a file is read by libsndfile."""
    if head.start.startswith(ogg_stream.MAGIC):
        return _plan_ogg(_content(file, name), head)
    if head.is_mpeg or (head.at and not head.start.startswith(KNOWN)):
        content = _content(file, name)
        first = mpeg_stream.first_frame(content, head.at)
        if first >= 0:
            return _plan_mpeg(content, first, head.at)
    if head.start[:4] == b"RIFF" and head.start[12:16] == b"fmt " and head.start[20:22] in _MPEG_IN_WAV:
        content = _content(file, name)
        start, end = _data_of_wav(content, head.at)
        if len(content) < end < start + _UNKNOWN_SIZE:
            raise _cut_short(f"the header claims {end - start}, but the file has room for {len(content) - start} only")
        first = mpeg_stream.first_frame(content[:end], start)
        if first >= 0:
            return _plan_mpeg(content[:end], first, -1)
    if head.start.startswith(_W64):
        place = _extensible_floats(head.start)
        if place:
            content = _content(file, name)
            return _Plan((content[:place] + b"\3\0" + content[place + 2 :],), held=2 * len(content))
    if head.at and head.start.startswith(KNOWN):
        return _Plan((_content(file, name)[head.at :],), (None,))
    return _Plan()


_W64 = b"riff\x2e\x91\xcf\x11"
_W64_FORMAT = b"fmt \xf3\xac\xd3\x11"
_EXTENSIBLE, _FLOAT = b"\xfe\xff", b"\3\0"


def _extensible_floats(start: bytes) -> int:
    """Return the place of the format of a W64 file of floats with an extensible header; 0 if it is another file.

    libsndfile reads these floats as integers, unless the format says what the extension says.
    """
    place = start.find(_W64_FORMAT) + 24
    is_found = place > 24 and start[place : place + 2] == _EXTENSIBLE and start[place + 24 : place + 26] == _FLOAT
    return place if is_found else 0


_MPEG_IN_WAV = (b"\x50\0", b"\x55\0")


def _data_of_wav(content: bytes, at: int) -> tuple[int, int]:
    """Return the place of the samples of a WAV file in bytes."""
    at += 12
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if content[at : at + 4] == b"data":
            return at + 8, at + 8 + size
        at += 8 + size + size % 2
    return len(content), len(content)


def _plan_ogg(content: bytes, head: _Head) -> _Plan:
    links = ogg_stream.links(content)
    _check_count(len(links))
    warnings = []
    if not all(link.has_end for link in links):
        warnings.append("the Ogg stream has no end mark: it may be cut short")
    gaps = sum(link.gaps for link in links)
    if gaps:
        warnings.append(f"the Ogg stream has {gaps} gaps: pages are missing")
    if len(links) < 2 and not any(link.is_flac for link in links) and not head.at:
        return _Plan((content,), (None,), tuple(warnings), 2 * len(content))
    streams = tuple(
        ogg_stream.native_flac(content, link) if link.is_flac else content[link.start : link.end] for link in links
    )
    return _Plan(streams, (None,) * len(streams), tuple(warnings), 2 * len(content))


def _plan_junk(file: BinaryIO, name: str, refusal: ItemError) -> _Plan:
    """Return how MPEG audio after zeros or junk is read; raise the error if there is none."""
    if not _size(file):
        raise refusal
    content = _content(file, name)
    first = mpeg_stream.first_frame(content)
    plan = _plan_mpeg(content, first, 0) if first >= 0 else _Plan()
    if not plan.is_mpeg:
        raise refusal
    return plan


def _plan_mpeg(content: bytes, first: int, at: int) -> _Plan:
    parts = mpeg_stream.parts(content, first)
    if not parts:
        return _Plan()
    _check_count(len(parts))
    for part in parts:
        if part.missing > 1:
            damage = f", and {part.junk:,} bytes that are none" if part.junk else ""
            raise _cut_short(f"it has {part.count} of {part.count + part.missing} frames{damage}")
    junk = sum(part.junk for part in parts)
    warnings = [f"{junk:,} bytes between the frames are no MPEG audio, and are skipped"] if junk else []
    if mpeg_stream.is_cut_off(content, parts[-1]):
        warnings.append("the last frame is not whole: the file may be cut short")
    lengths = tuple(None if part.length_is_known else part.count * part.shape.samples for part in parts)
    behind = len(content) - mpeg_stream.size_of_tags_behind(content)
    if len(parts) == 1 and lengths[0] is None and parts[0].spans == [(at, behind)]:
        return _Plan((content,), lengths, tuple(warnings), 2 * len(content), is_mpeg=True)
    streams = tuple(part.stream(content) for part in parts)
    return _Plan(streams, lengths, tuple(warnings), len(content) + sum(map(len, streams)), is_mpeg=True)


def _check_count(count: int) -> None:
    if count > MAX_STREAMS:
        raise ItemError(
            f"it joins {count:,} streams, more than {MAX_STREAMS:,}",
            code="too-long",
            hint="split it into several files",
        )


def _content(file: BinaryIO, name: str) -> bytes:
    """Return all bytes of a file without moving its position."""
    size = _size(file)
    check_memory(name, "", size)
    return _read_at(file, size, 0)


@contextlib.contextmanager
def _stream(file: BinaryIO, content: bytes | None) -> Iterator[BinaryIO]:
    """Yield a stream, or the whole file, as libsndfile should read it.

    libsndfile reads files in memory by calling Python. For WAV, whose blocks are large, that takes half the time of
    a copy with a descriptor; for MP3 it takes longer. Errors in other files of Python would end up on stderr.
    """
    if content is None and isinstance(file, io.BytesIO) and not _read_at(file, 4, 0).startswith(_IN_MEMORY):
        content = file.getvalue()
    if content is None:
        yield file
        return
    with Source(name="<stream>", content=content).open(descriptor=True) as stream:
        yield stream


_IN_MEMORY = (b"RIFF", b"RF64")


@contextlib.contextmanager
def _without_tags(file: BinaryIO, at: int) -> Iterator[BinaryIO]:
    """Yield a file at its start without the tags in front of its format."""
    if at:
        with _stream(file, _read_at(file, _size(file) - at, at)) as stream:
            yield stream
        return
    with _reopened(file) as copy:
        yield copy


def _read_at(file: BinaryIO, count: int, offset: int) -> bytes:
    """Return bytes of a file without moving its position, which belongs to libsndfile."""
    if isinstance(file, io.BytesIO):
        return file.getvalue()[offset : offset + count]
    found = os.pread(file.fileno(), count, offset)
    while len(found) < count and (more := os.pread(file.fileno(), count - len(found), offset + len(found))):
        found += more
    return found


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
def _sound_file(file: BinaryIO, plan: _Plan) -> Iterator[Any]:
    """Open an audio file; every error of libsndfile, then or later, is an `ItemError`.

    One on opening is a `_NotReadError`, since ffmpeg may know more. So is MPEG audio that nobody has taken apart.
    """
    import soundfile

    head = _read_at(file, 22, 0)
    quiet = hushed_libraries() if may_print(head) else contextlib.nullcontext()
    is_open = False
    try:
        with quiet, sequential_file(openable(file, head)) as sound:
            is_open = True
            if sound.format in _MATLAB:
                raise _no_audio(file_types.MATLAB)
            if sound.format == "MP3" and not plan.is_mpeg:
                raise _NotReadError(_refusal("it is MPEG audio, but no frame of it is whole"))
            yield sound
    except soundfile.LibsndfileError as error:
        found = file_types.identify(_read_at(file, file_types.HEAD, 0))
        if error.code != _UNRECOGNISED and found is not file_types.EMPTY:
            message = f"it cannot be read as audio: {reason_of(error)}"
        elif found.reader == "audio-reader":
            message = f"it begins as {found.name}, but is broken"
        else:
            raise _NotReadError(_no_audio(found)) from error
        raise _refusal(message) if is_open else _NotReadError(_refusal(message)) from error


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

    with _reopened(file) as copy:
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
    width: int,
    held: int,
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
    width
        Bytes that all arrays take for a sample of each channel.
    held
        Bytes that are held beside the samples.

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

    from tonearm_plugins.formats.channel_order import vorbis_order

    _check_header(sound)
    block = np.empty((samples_per_block(sound.channels), sound.channels), kind)
    if sound.frames == _UNKNOWN_LENGTH and length is None:
        return _until_the_end(sound, block, name, held, width)
    check_claimed_length(sound, size, length)
    count = sound.frames if length is None else length
    check_memory(name, "", (width * count + held) // 2)  # which counts it twice
    try:
        samples = np.empty((sound.channels, count), kind)  # memory that is never touched costs nothing
    except (MemoryError, ValueError) as error:
        raise ItemError(
            f"the header claims {count} samples, more than memory can hold", code="too-long", hint="split the file"
        ) from error
    # libsndfile leaves the channels of Vorbis and Opus in their own order.
    order = list(vorbis_order(sound.channels)) if sound.format == "OGG" and sound.subtype != "FLAC" else slice(None)
    done = 0
    while done < count:
        part = sound.read(out=block[: count - done])
        if not len(part):
            break
        samples[order, done : done + len(part)] = part.T
        done += len(part)
    if done < count and not (sound.format == "MP3" and count - done < _MP3_SLACK):
        raise _cut_short(f"it has {done} of {count} samples")
    return samples[:, :done]


_MP3_SLACK = 2 * 1152
"""Samples by which encoders of MP3 miscount."""


def _until_the_end(sound: Any, block: Array, name: str, held: int, width: int) -> Array:
    """Return the samples of a file that does not give its length, as one written into a pipe."""
    import numpy as np

    parts: list[Array] = []
    done = 0
    while len(part := sound.read(out=block)):
        done += len(part)
        check_memory(name, "", (2 * width * done + held) // 2)
        parts.append(part.T.copy())
    return np.concatenate(parts, axis=1) if parts else block[:0].T


def _check_header(sound: Any) -> None:
    """Refuse a file with an impossible sample rate, or with fewer bytes than its header claims."""
    if not 1 <= sound.samplerate <= MAX_SAMPLE_RATE:
        raise ItemError(f"the header claims a sample rate of {sound.samplerate} Hz", code="bad-audio")
    notes = sound.extra_info
    for note in _SHORT.finditer(notes):
        if int(note["found"]) < int(note["claimed"]) < _UNKNOWN_SIZE:
            raise _cut_short(f"the header claims {note['claimed']}, but the file has room for {note['found']} only")
    large = _SHORT_RF64.search(notes) if sound.format == "RF64" else None
    if large and int(large["size"]) not in _UNKNOWN_SIZES:
        found = int(large["found"]) * int(large["align"])
        if found + int(large["align"]) <= int(large["size"]):
            raise _cut_short(f"the header claims {large['size']} bytes, but the file has room for {found} only")


def _cut_short(what: str) -> ItemError:
    """Return the error for a file that ends too early."""
    return ItemError(
        f"the file is cut short: {what}", code="truncated", hint="the write was interrupted; write the file again"
    )
