"""``audio-reader``: audio files, by libsndfile."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tonearm.api import (
    MAX_SAMPLE_RATE,
    ArrayOptions,
    Context,
    Decoder,
    Item,
    ItemError,
    Meta,
    NanPolicy,
    Source,
    Spec,
    Waveform,
    read_array,
)
from tonearm_plugins.formats.file_types import HEAD, looks_like
from tonearm_plugins.formats.sndfile_reading import refuse_bomb

if TYPE_CHECKING:
    import numpy as np

_BLOCK = 1 << 17  # samples, over all channels, that are read at a time
_DOUBLE = ("PCM_32", "DOUBLE", "ALAC_32")  # they have more digits than float32
_FLOATS = ("FLOAT", "DOUBLE")
_SOFTWARE = "software"  # names the program that wrote the source, not the sound

# What libsndfile notes of a file that ends before its header says; it then reads what there is, without a word.
_SHORT = (
    re.compile(r"^\s*(?:data|SSND|riff)\s*: (?P<said>\d+) \(should be (?P<found>\d+)\)", re.MULTILINE),
    re.compile(r"frame count (?P<found>\d+) does not match value from 'ds64' chunk of (?P<said>\d+)"),
)
_UNKNOWN_SIZE = 0x7FFFF000  # and beyond: what programs say that write into a pipe, and cannot know

_UNRECOGNISED = 1  # libsndfile's number
_FFMPEG = "it is broken or cut short, or a format that only ffmpeg knows: ffmpeg -i FILE FILE.wav"
_UNKNOWN_LENGTH = (1 << 63) - 1  # libsndfile's, of FLAC
_MP3_FRAME = 1152  # samples


@dataclass(frozen=True, kw_only=True)
class AudioOptions:
    """Options of ``audio-reader``; the file itself says the rest."""

    full_scale: Annotated[
        float | None,
        Meta(
            gt=0,
            description="The value that is full scale, in files of floats which are not within ±1.0: 32768 for those"
            " that hold 16-bit samples.",
        ),
    ] = None
    nan: Annotated[
        NanPolicy,
        Meta(
            description="What becomes of NaN and infinity in files of floats: error refuses the item, zero puts 0"
            " there, keep leaves them to a later step (what is written must be finite)."
        ),
    ] = "error"


class AudioReader(Decoder[Waveform, AudioOptions]):
    """Read WAV, RF64, W64, FLAC, Ogg (Vorbis, Opus), MP3, AIFF and CAF, with tags; a file cut short is refused."""

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

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform]]:
        """Yield the sound: float32, or float64 where the file has more digits than that."""
        if source.array is not None:
            raise ItemError(
                "an array in memory is no audio file",
                code="not-a-file",
                hint="npy-reader takes arrays; give audio-reader a path or an open file",
            )
        with source.open() as file, _on_disk(file, source) as descriptor, _sound_file(descriptor) as sound:
            if sound.format == "OGG" and not _has_end(descriptor):
                context.warn("the Ogg stream has no end mark: it may be cut short")
            samples = _samples(sound, descriptor)
            tags = _tags(sound, descriptor)
            options = ArrayOptions(
                kind="waveform",
                axes=["channel", "time"],
                sample_rate=sound.samplerate,
                precision="double" if sound.subtype in _DOUBLE else "single",
                full_scale=self._full_scale(sound.subtype),
                nan=self.options.nan,
            )
        for signal in read_array(samples, options, warn=context.warn):
            if isinstance(signal, Waveform):
                yield Item(signal=signal, tags=tags)

    def _full_scale(self, subtype: str) -> float | None:
        """Return what is full scale, where that is a question; lossy codecs go beyond ±1.0 as they please."""
        if subtype in _FLOATS:
            return self.options.full_scale
        return None if subtype.startswith(("PCM", "ALAC")) else 1.0

    def produces(self) -> Spec:
        """Return a waveform, of which each file says the rest."""
        return Spec(signals=(Waveform,))

    def look(self, source: Source) -> Spec:
        """Return what the header of a file says."""
        with source.open() as file, _on_disk(file, source) as descriptor, _sound_file(descriptor) as sound:
            _check_header(sound)
            rate, channels, length = sound.samplerate, sound.channels, sound.frames
            return self.produces().but(sample_rate=rate, channels=channels, length=length)


@contextlib.contextmanager
def _on_disk(file: Any, source: Source) -> Iterator[int]:
    """Yield a descriptor of a file's content.

    libsndfile could read from Python's files by calling back, but what goes wrong in there ends up on stderr.
    """
    if source.file is None:
        yield file.fileno()
        return
    import shutil
    import tempfile

    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        yield copy.fileno()


@contextlib.contextmanager
def _sound_file(descriptor: int) -> Iterator[Any]:
    """Open an audio file; whatever libsndfile says is wrong with it, then or later, is an `ItemError`."""
    import soundfile

    from tonearm_plugins.formats.sndfile_reading import hushed, is_mpeg, reason_of

    quiet = hushed() if is_mpeg(os.pread(descriptor, 16, 0)) else contextlib.nullcontext()
    try:
        with quiet, soundfile.SoundFile(descriptor, closefd=False) as sound:
            yield sound
    except soundfile.LibsndfileError as error:
        what, hint = looks_like(os.pread(descriptor, HEAD, 0))
        if error.code == _UNRECOGNISED or what.startswith("an empty"):
            audio = hint.endswith("audio-reader")  # it begins as audio, but does not go on as such
            raise ItemError(
                f"it begins as {what}, but is broken"
                if audio
                else f"it is no audio that is known: it looks like {what}",
                code="bad-audio",
                hint=_FFMPEG if audio or "nothing" in what else hint,
            ) from error
        raise ItemError(
            f"cannot be read as audio: {reason_of(error)}",
            code="bad-audio",
            hint=_FFMPEG,
        ) from error


def _tags(sound: Any, descriptor: int) -> dict[str, str]:
    """Return all tags of an open sound file; libsndfile has names for ten, and leaves the others out."""
    from tonearm_plugins.formats.tags import read_more

    with os.fdopen(os.dup(descriptor), "rb") as file:
        place = file.tell()
        more = read_more(file, sound.format, sound.subtype)
        file.seek(place)  # which libsndfile shares
    return more | {name: text for name, text in sound.copy_metadata().items() if name != _SOFTWARE}


def _samples(sound: Any, descriptor: int) -> np.ndarray[Any, Any]:
    """Return all samples of an open sound file, (channels, samples).

    Raises
    ------
    ItemError
        If there are fewer than it says, it does not say how many, or memory cannot hold them.
    """
    import numpy as np

    from tonearm_plugins.formats.channels import vorbis_order

    _check_header(sound)
    kind = "float64" if sound.subtype in _DOUBLE else "float32"
    size = os.fstat(descriptor).st_size
    refuse_bomb(sound, size)
    try:
        samples = np.empty((sound.channels, sound.frames), kind)  # memory that nobody touches costs nothing
    except (MemoryError, ValueError) as error:
        raise ItemError(
            f"it says it has {sound.frames} samples, more than memory can hold", code="too-long", hint="split the file"
        ) from error
    block = np.empty((max(1, _BLOCK // sound.channels), sound.channels), kind)
    # libsndfile leaves the channels of Vorbis and Opus in their own order.
    order = list(vorbis_order(sound.channels)) if sound.format == "OGG" and sound.subtype != "FLAC" else slice(None)
    done = 0
    while done < sound.frames:
        part = sound.read(out=block[: sound.frames - done])
        if not len(part):
            break
        samples[order, done : done + len(part)] = part.T
        done += len(part)
    if done < sound.frames and not (sound.format == "MP3" and _is_estimate(sound.frames - done, descriptor)):
        raise _cut_short(f"{done} of {sound.frames} samples are there")
    return samples[:, :done]


def _check_header(sound: Any) -> None:
    """Refuse a file that is shorter than it says, does not say how long it is, or has a sample rate that none has."""
    if not 1 <= sound.samplerate <= MAX_SAMPLE_RATE:
        raise ItemError(f"it says that its sample rate is {sound.samplerate} Hz", code="bad-audio")
    for pattern in _SHORT:
        for note in pattern.finditer(sound.extra_info):
            if int(note["found"]) < int(note["said"]) < _UNKNOWN_SIZE:
                raise _cut_short(f"its header says {note['said']}, but there is room for {note['found']} only")
    if sound.frames == _UNKNOWN_LENGTH:
        raise ItemError(
            f"the {sound.format} file does not say how long it is: it was written into a pipe",
            code="unknown-length",
            hint="ffmpeg -i FILE FILE.wav reads it to its end",
        )


def _is_estimate(missing: int, descriptor: int) -> bool:
    """Say whether the length of an MP3 file was no more than a guess from its size, as no Info frame says it."""
    from mutagen.mp3 import BitrateMode, MPEGInfo

    if missing < 2 * _MP3_FRAME:
        return True
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return bool(MPEGInfo(file).bitrate_mode == BitrateMode.UNKNOWN)


def _has_end(descriptor: int) -> bool:
    """Say whether the last page of an Ogg file is marked as such; a page has at most 65,307 bytes."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, 1 << 16, max(0, size - (1 << 16)))
    page = tail.rfind(b"OggS")
    return 0 <= page < len(tail) - 5 and bool(tail[page + 5] & 4)


def _cut_short(what: str) -> ItemError:
    return ItemError(
        f"the file is cut short: {what}", code="truncated", hint="the write was interrupted; make it again"
    )
