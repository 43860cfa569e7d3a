"""The function `tonearm.stream`, and the `Stream` that it returns: sound that is written while a model makes it."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tonearm.conversion.call import GivenStep
from tonearm.conversion.destination import Destination, destination_of, unnamed_destination
from tonearm.conversion.formats import format_of
from tonearm.conversion.saved import Saved
from tonearm.conversion.stream_places import is_changeable, is_socket, place_of
from tonearm.conversion.streaming import StreamWork, stream_request
from tonearm.errors import TonearmError, UsageError, one_line
from tonearm.errors.short_errors import short_errors
from tonearm.errors.text import describe_exception
from tonearm.errors.warning import warn
from tonearm.plugins import registry as registries
from tonearm.python.disabled_packages import warn_of_disabled_packages
from tonearm.signals.levels import sound_facts

if TYPE_CHECKING:
    import socket

    from tonearm.python.audio_input import Sound, WritableFile
    from tonearm.signals import Signal

Partial: TypeAlias = Literal["discard", "keep"]
"""What becomes of a stream that does not reach its end."""


@short_errors
def stream(
    target: str | os.PathLike[str] | WritableFile | socket.socket,
    *,
    format: str | None = None,  # noqa: A002 - the name that every such function has
    sample_rate: int | None = None,
    channels: int | None = None,
    steps: Sequence[GivenStep] = (),
    encoder: Mapping[str, object] | None = None,
    limits: Mapping[str, object] | None = None,
    overwrite: bool = True,
    durable: bool = False,
    partial: Partial = "discard",
    **options: Any,
) -> Stream:
    """Open a stream, into which a model's output is written chunk by chunk while the model still makes more.

    Whatever can be wrong with the call is raised here, before the first chunk. A file of a name appears when the
    stream is closed, whole, with the bytes that `save` would write for the same samples. Into a pipe or a socket,
    encoded bytes leave with each chunk. docs/streams.md says which formats and steps can stream.

    Parameters
    ----------
    target
        Path of the file, whose suffix selects the format. Or an open binary file, a socket, or any object with a method
        ``write`` that takes bytes; pass ``format`` then, unless the file's name has a suffix. A file that Python's
        ``open`` or ``tempfile`` opened for writing, and an `io.BytesIO`, get the bytes of a file at their position.
        Everything else is a pipe: what has left cannot be changed there, and it stays open at the end.
    format
        Suffix without dot, such as ``"mp3"``, or the name of an encoder; by default that of the target.
    sample_rate
        Sample rate of the chunks in Hz. Not needed with a ``dialect`` or a ``layout``, which state it.
    channels
        Number of channels; by default that of the first chunk. With it, the axes of chunks of two axes are known, and
        an encoder that cannot write so many channels is refused at once.
    steps
        Transforms to apply, as for `save`. One that needs the whole sound, such as ``normalize``, is refused.
    encoder, limits, overwrite, durable
        As for `save`. Sound beyond the limit ``beyond`` is an error at once; the other limits are checked at the end.
    partial
        What becomes of a stream that does not reach its end, because the body of ``with`` raises, or by `Stream.abort`:
        ``"discard"`` leaves no file, ``"keep"`` finishes and publishes what came, with a warning.
    **options
        Options by name, as for `save`: of the chunks, such as ``full_scale``, or ``kind="complex"``, ``n_fft`` and
        ``hop_length`` for frames of a spectrogram; and of the encoder, such as ``bitrate``.

    Returns
    -------
    Stream
        The open stream. Use it as a context manager.

    Raises
    ------
    PipelineError
        If an option is wrong or missing; ``problems`` has each, with its remedies.
    UsageError
        If the call is wrong otherwise.
    ItemError
        If a step or the encoder needs the whole sound, the encoder cannot write into a pipe or so many channels, or a
        file exists and ``overwrite`` is false.
    OutputError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import tonearm
    >>> folder = Path(tempfile.mkdtemp())
    >>> def model():
    ...     for start in range(0, 24000, 4000):
    ...         yield 0.5 * np.sin(2 * np.pi * 440 * np.arange(start, start + 4000) / 24000)
    >>> with tonearm.stream(folder / "speech.wav", sample_rate=24000) as out:
    ...     for chunk in model():
    ...         out.write(chunk)
    >>> out.saved.path.name, out.measured["duration"]
    ('speech.wav', 1.0)
    """
    registry = registries.default()
    warn_of_disabled_packages(registry)
    check_partial(partial)
    destination = _destination(target, format, registry)
    is_pipe = destination.opened is not None and not is_changeable(destination.opened)
    request = stream_request(
        destination,
        sample_rate=sample_rate,
        channels=channels,
        steps=steps,
        encoder=encoder,
        limits=limits,
        options=options,
        is_pipe=is_pipe,
    )
    place = place_of(destination, request.pipeline, overwrite=overwrite, durable=durable)
    return Stream(StreamWork(request, place), partial)


def _destination(target: Any, format: str | None, registry: registries.Registry) -> Destination:  # noqa: A002
    """Return where a stream goes."""
    if is_socket(target):
        if format is None:
            raise UsageError("a socket does not tell its format", hint='name it, as in format="mp3"')
        return unnamed_destination(format_of(format, "encoder", registry), opened=target)
    if not isinstance(target, (str, os.PathLike)) and not callable(getattr(target, "write", None)):
        message = f"a stream goes to a path, an open binary file or a socket, not to {type(target).__name__}"
        raise UsageError(message, hint='as in stream("speech.mp3", sample_rate=24000)')
    return destination_of(target, format, registry)


def check_partial(partial: object) -> None:
    """Raise `UsageError` unless it is known what becomes of a stream that does not reach its end."""
    if partial not in ("discard", "keep"):
        message = f"partial is {one_line(repr(partial), 60)}"
        raise UsageError(message, code="bad-option", hint='write partial="discard" or partial="keep"')


class Stream:
    """An open stream: write chunks into it, then close it. Use it as a context manager.

    If the body of ``with`` raises, the stream is given up as ``partial`` of `stream` says, and the exception goes on.
    A stream that nobody closes is given up when it is garbage-collected, or when the process ends, with a
    `ResourceWarning`. A child that is forked has no part in the streams of its parent. Threads may write in turns.

    Examples
    --------
    >>> import io
    >>> import tonearm
    >>> file = io.BytesIO()
    >>> out = tonearm.stream(file, format="wav", sample_rate=8000)
    >>> out.write([0.5, -0.5] * 4000)
    >>> out
    <Stream to an open file: open, 1.00 s>
    >>> out.close()
    Saved(an open file, 1.00 s, peak -6.0 dBFS)
    """

    __module__ = "tonearm"

    def __init__(self, work: StreamWork, partial: Partial) -> None:
        self._work = work
        self._partial: Partial = partial
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._holder = 0
        self._saved: Saved | None = None
        self._abandoned = weakref.finalize(self, _abandon, work, partial, self._process)

    @short_errors
    def write(self, chunk: Sound | Signal) -> None:
        """Write a chunk: what is encoded by then has left for a pipe when this returns.

        Chunks are samples of shape (n,), or of several channels as ``axes`` or ``channels`` of `stream` say, of any
        length. What a chunk is follows from the options and from the first one, and never from a later one.

        Parameters
        ----------
        chunk
            List of numbers, array, or tensor of any library; or a `Waveform`. An empty one is skipped.

        Raises
        ------
        ItemError
            If the chunk contradicts the options or the chunks before, or is no sound; the message has its number. The
            stream can go on without it. Or if a step or the encoder fails, which ends the stream.
        OutputError
            If the file cannot be written, as on a full disk. If the reader of a pipe has left, ``code`` is
            ``"reader-left"``.
        UsageError
            If the chunk is no array, or the stream is closed.
        """
        with _Turn(self):
            self._check_open()
            for _ in self._work.pieces(chunk):
                pass

    @short_errors
    def close(self) -> Saved:
        """Write the end, publish the file, and return what was written. A second call returns the same.

        Returns
        -------
        Saved
            Path of the file, what was measured, and warnings, which are also given as `TonearmWarning`.

        Raises
        ------
        ItemError
            If no chunk came, or the whole breaks a limit. Nothing is published then.
        OutputError
            If the end cannot be written.
        UsageError
            If the stream was given up.
        """
        with _Turn(self):
            if self._saved is None:
                self._check_open()
                self._abandoned.detach()
                self._saved = self._work.finish()
                for message in self._saved.warnings:
                    warn(message)
            return self._saved

    @short_errors
    def abort(self) -> None:
        """Give the stream up, as ``partial`` says: leave no file, or finish what came. After `close`, do nothing.

        Raises
        ------
        UsageError
            If the stream belongs to another process.
        """
        with _Turn(self):
            if self._work.state == "open":
                self._abandoned.detach()
                self._saved = given_up(self._work, self._partial, "it was aborted")

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            if self._work.state == "open":
                self.close()
        elif os.getpid() == self._process:
            with _Turn(self):
                if self._work.state == "open":
                    self._abandoned.detach()
                    self._saved = given_up(self._work, self._partial, error)

    @property
    def saved(self) -> Saved | None:
        """What was written: that which `close` has returned; None before the end, and if nothing is kept."""
        return self._saved

    @property
    def measured(self) -> Mapping[str, float | int | str]:
        """Measurements so far: the duration in seconds, and what steps measure; at the end the peak and others, too."""
        return self._work.measured

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings so far."""
        return tuple(dict.fromkeys(self._work.context.warnings))

    @property
    def closed(self) -> bool:
        """Whether the stream has ended, in whichever way."""
        return self._work.state != "open"

    def __repr__(self) -> str:
        facts = ", ".join([self._work.state, *sound_facts(self.measured)])
        return f"<{type(self).__name__} to {self._work.place.name}: {facts}>"

    def _check_open(self) -> None:
        if self._work.state != "open":
            message = f"the stream to {self._work.place.name} is {self._work.state}"
            raise UsageError(message, code="stream-closed", hint="open a new one")
        if self._work.has_failed:
            message = f"the stream to {self._work.place.name} has failed, and takes no more"
            raise UsageError(message, code="stream-closed", hint="abort it, and open a new one")


class _Turn:
    """The turn of a thread at a stream. Another process, and a thread that is at work in it already, have none."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __enter__(self) -> None:
        stream = self._stream
        if os.getpid() != stream._process:  # noqa: SLF001 - of this module
            message = "the stream belongs to the process that opened it, and this one was forked from that"
            raise UsageError(message, code="stream-closed", hint="open a stream in the child, or send it chunks")
        if not stream._lock.acquire(blocking=False):  # noqa: SLF001
            if stream._holder == threading.get_ident():  # noqa: SLF001
                message = "the stream is at work on another chunk in this thread"
                raise UsageError(message, hint="do not write to it in a handler of signals")
            stream._lock.acquire()  # noqa: SLF001
        stream._holder = threading.get_ident()  # noqa: SLF001

    def __exit__(self, *_: object) -> None:
        self._stream._holder = 0  # noqa: SLF001
        self._stream._lock.release()  # noqa: SLF001


def given_up(work: StreamWork, partial: Partial, reason: str | BaseException) -> Saved | None:
    """End a stream before its end: finish and publish what came, with a warning, or discard everything.

    Parameters
    ----------
    work
        Stream at work.
    partial
        Whether to discard or to keep what came.
    reason
        Why it does not reach its end: a text, or the exception.

    Returns
    -------
    Saved or None
        What is kept; None if nothing is.
    """
    if isinstance(reason, TonearmError):
        reason = reason.message  # its hint is for the exception, which goes on
    elif isinstance(reason, BaseException):
        reason = describe_exception(reason)
    if partial == "discard" or not work.can_finish:
        if partial == "keep" and work.has_failed:
            warn(f"the stream to {work.place.name} was cut short ({one_line(reason, 200)}), and nothing can be kept")
        work.discard()
        return None
    try:
        saved = work.finish()
    except TonearmError as error:
        warn(f"the stream to {work.place.name} was cut short, and nothing is kept: {error.message}")
        return None
    duration = float(work.measured.get("duration", 0.0))
    warn(
        f"the stream to {work.place.name} was cut short ({one_line(reason, 200)}); its first {duration:.2f} s are kept"
    )
    for message in saved.warnings:
        warn(message)
    return saved


def _abandon(work: StreamWork, partial: Partial, process: int) -> None:
    """Give up a stream that nobody has closed; a child of its process leaves it alone."""
    if os.getpid() != process or work.state != "open":
        return
    warn(f"unclosed stream to {work.place.name}", ResourceWarning)
    given_up(work, partial, "it was never closed")
