"""Sound files of every format: libsndfile reads its own, and ffmpeg the others."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, BinaryIO

from tonearm.api import InstallExtra, ItemError, Source, quoted
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.formats.sndfile_reading import (
    DOUBLE_SUBTYPES,
    SoundBytes,
    read_bytes_at,
    reopened_file,
    size_in_bytes,
)
from tonearm_plugins.formats.sound_decoding import NotReadError, Outline, Sound, look_at_streams, read_streams
from tonearm_plugins.formats.sound_plan import (
    Head,
    Plan,
    plan_after_junk,
    plan_of,
    plan_of_joined,
    plan_of_longer_flac,
    plan_of_open_sizes,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

_SPARE = 50_000_000  # bytes that the libraries take
_INSTALL = InstallExtra("m4a")  # which reads variants that libsndfile does not have


def read_sound(
    file: BinaryIO,
    name: str,
    *,
    copies: int = 1,
    wide: Collection[str] | None = DOUBLE_SUBTYPES,
    spare: int = _SPARE,
    on_progress: OnProgress | None = None,
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
    on_progress
        Function called with the samples that are read, and with the number of all.

    Raises
    ------
    ItemError
        It is no sound, is broken or cut short, joins sounds that differ, takes too much memory, or needs a program or
        package that is not installed.
    """
    head = Head(file)
    foreign, refusal, plan = head.foreign(name), None, Plan()
    if foreign is None:
        plan = plan_of(file, name, head)
        try:
            return _by_libsndfile(file, name, head, plan, copies, wide, spare, on_progress)
        except NotReadError as error:
            foreign, refusal = head.foreign(name, last=True), error.reason
            if foreign is None:
                with _last_refusal():
                    after = plan_after_junk(file, name, refusal)
                    return read_streams(file, name, after, copies, wide, spare, on_progress)
    from tonearm_plugins.formats import ffmpeg_reading

    with _without_tags(file, head.at) as bare:
        try:
            found = ffmpeg_reading.read_foreign(bare, name, *foreign, on_progress=on_progress)
        except ItemError as error:
            if refusal is None or error.code not in ("bad-audio", "missing-requirement"):
                raise
            # A broken file of libsndfile's own formats is refused in its words.
            if error.code == "missing-requirement":
                raise ItemError(refusal.message, code="bad-audio", remedies=(_INSTALL,)) from error
            raise refusal from error
    return Sound(found.samples, found.sample_rate, found.scale, found.tags, (*plan.warnings, *found.warnings))


def _by_libsndfile(
    file: BinaryIO,
    name: str,
    head: Head,
    plan: Plan,
    copies: int,
    wide: Collection[str] | None,
    spare: int,
    on_progress: OnProgress | None,
) -> Sound:
    """Read a file as planned, and otherwise if it then shows that it is joined, or leaves its size open."""
    try:
        sound = read_streams(file, name, plan, copies, wide, spare, on_progress)
        if not sound.samples.shape[1]:
            other = plan_of_open_sizes(file, name, head)
        elif sound.end is not None:
            other = plan_of_joined(file, name, head, head.at + sound.end) or plan_of_longer_flac(file, name, head)
        else:
            return sound
        if other is None:
            return sound
    except NotReadError:
        other = plan_of_open_sizes(file, name, head)
        if other is None:
            raise
    return read_streams(file, name, other, copies, wide, spare, on_progress)


def look_at_sound(file: BinaryIO, name: str) -> Outline:
    """Return what the header of a sound file says.

    Parameters
    ----------
    file, name
        As for `read_sound`.
    """
    head = Head(file)
    foreign = head.foreign(name)
    if foreign is None:
        try:
            return _look_by_libsndfile(file, name, head)
        except NotReadError as error:
            foreign = head.foreign(name, last=True)
            if foreign is None:
                with _last_refusal():
                    return look_at_streams(file, plan_after_junk(file, name, error.reason))
    from tonearm_plugins.formats import ffmpeg_reading

    with _without_tags(file, head.at) as bare:
        return Outline(*ffmpeg_reading.look_at_foreign(bare, name, *foreign))


def _look_by_libsndfile(file: BinaryIO, name: str, head: Head) -> Outline:
    """Return what the header of a file says that is planned as `_by_libsndfile` plans it."""
    joined = plan_of_joined(file, name, head) if head.start.startswith(b"fLaC") else None
    try:
        found = look_at_streams(file, joined or plan_of(file, name, head))
        other = None if found.length else plan_of_open_sizes(file, name, head)
        if other is None:
            return found
    except NotReadError:
        other = plan_of_open_sizes(file, name, head)
        if other is None:
            raise
    return look_at_streams(file, other)


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


@contextlib.contextmanager
def _last_refusal() -> Iterator[None]:
    """Raise the `ItemError` of a `NotReadError` that is raised in a ``with`` block."""
    try:
        yield
    except NotReadError as error:
        raise error.reason from error


@contextlib.contextmanager
def _without_tags(file: BinaryIO, at: int) -> Iterator[BinaryIO]:
    """Yield a file at its start without the tags in front of its format."""
    if at:
        yield io.BytesIO(read_bytes_at(file, size_in_bytes(file) - at, at))
        return
    with reopened_file(file) as copy:
        yield copy
