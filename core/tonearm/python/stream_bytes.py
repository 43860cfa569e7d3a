"""The functions `tonearm.stream_bytes` and `tonearm.astream_bytes`: chunks of sound in, encoded bytes out."""

from __future__ import annotations

import contextlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tonearm.conversion.call import GivenStep
from tonearm.conversion.destination import unnamed_destination
from tonearm.conversion.formats import format_of
from tonearm.conversion.saved import Saved
from tonearm.conversion.stream_places import PipePlace
from tonearm.conversion.streaming import StreamRequest, StreamWork, stream_request
from tonearm.errors import UsageError
from tonearm.errors.short_errors import short_errors
from tonearm.errors.warning import warn
from tonearm.plugins import registry as registries
from tonearm.python.disabled_packages import warn_of_disabled_packages
from tonearm.python.stream import Partial, check_partial, given_up

if TYPE_CHECKING:
    from tonearm.python.audio_input import Sound
    from tonearm.signals import Signal

T = TypeVar("T")

_END: Final = object()
"""Stands for the end of an iterator."""


@short_errors
def stream_bytes(
    chunks: Iterable[Sound | Signal],
    format: str,  # noqa: A002 - the name that every such function has
    *,
    sample_rate: int | None = None,
    channels: int | None = None,
    steps: Sequence[GivenStep] = (),
    encoder: Mapping[str, object] | None = None,
    limits: Mapping[str, object] | None = None,
    partial: Partial = "discard",
    **options: Any,
) -> Iterator[bytes]:
    """Encode chunks of sound, and yield the bytes as they come, such as those of a response over HTTP.

    The bytes are those of a pipe: docs/streams.md says what players get of each format. Whatever can be wrong with the
    call is raised at once. Where the iteration ends early, the source is closed, too.

    Parameters
    ----------
    chunks
        Chunks, as for `Stream.write`: an iterable, such as a generator.
    format
        Suffix without dot, such as ``"mp3"``, or the name of an encoder.
    sample_rate, channels, steps, encoder, limits, **options
        As for `stream`.
    partial
        What becomes of the stream where ``chunks`` raises: ``"discard"`` stops at once, ``"keep"`` yields the end of
        the file first. The exception goes on in either case.

    Yields
    ------
    bytes
        The next bytes; together they are the file.

    Raises
    ------
    PipelineError
        If an option is wrong or missing.
    UsageError
        If the call is wrong otherwise, or a chunk is no array.
    ItemError
        If the format, a step or a chunk cannot be streamed.

    Examples
    --------
    >>> import tonearm
    >>> chunks = ([0.5, -0.5] * 400 for _ in range(10))
    >>> parts = list(tonearm.stream_bytes(chunks, "wav", sample_rate=8000))
    >>> parts[0][:4], len(parts) > 5
    (b'RIFF', True)
    """
    if not hasattr(chunks, "__iter__"):
        raise _not_iterable(chunks, is_async=hasattr(chunks, "__aiter__"))
    request = _request(format, sample_rate, channels, steps, encoder, limits, partial, options)
    return _parts(request, chunks, partial)


@short_errors
def astream_bytes(
    chunks: AsyncIterable[Sound | Signal] | Iterable[Sound | Signal],
    format: str,  # noqa: A002 - the name that every such function has
    *,
    sample_rate: int | None = None,
    channels: int | None = None,
    steps: Sequence[GivenStep] = (),
    encoder: Mapping[str, object] | None = None,
    limits: Mapping[str, object] | None = None,
    partial: Partial = "discard",
    **options: Any,
) -> AsyncIterator[bytes]:
    """Encode chunks of sound as `stream_bytes` does, in a server whose event loop goes on meanwhile.

    Encoding, and the steps of a source that is not asynchronous, run in threads of the loop. If the task is cancelled,
    or the iterator is closed by ``aclose()``, the source is closed, too: a chunk that a thread is making is waited for.
    Under an event loop that is not asyncio's, everything runs in the thread of the loop, in short pieces.

    Parameters
    ----------
    chunks
        Chunks, as for `Stream.write`: an asynchronous iterable, or any other.
    format, sample_rate, channels, steps, encoder, limits, partial, **options
        As for `stream_bytes`.

    Yields
    ------
    bytes
        The next bytes; together they are the file.

    Raises
    ------
    PipelineError
        If an option is wrong or missing.
    UsageError
        If the call is wrong otherwise, or a chunk is no array.
    ItemError
        If the format, a step or a chunk cannot be streamed.

    Examples
    --------
    >>> import asyncio
    >>> import tonearm
    >>> async def model():
    ...     for _ in range(10):
    ...         await asyncio.sleep(0)
    ...         yield [0.5, -0.5] * 400
    >>> async def body():
    ...     return [part async for part in tonearm.astream_bytes(model(), "wav", sample_rate=8000)]
    >>> asyncio.run(body())[0][:4]
    b'RIFF'
    """
    is_async = hasattr(chunks, "__aiter__")
    if not is_async and not hasattr(chunks, "__iter__"):
        raise _not_iterable(chunks, is_async=False)
    request = _request(format, sample_rate, channels, steps, encoder, limits, partial, options)
    return _async_parts(request, chunks, partial, is_async=is_async)


def _not_iterable(chunks: object, *, is_async: bool) -> UsageError:
    if is_async:
        return UsageError("the chunks come asynchronously", hint="use astream_bytes")
    hint = "call the generator's function, as in model()" if callable(chunks) else "give a list or a generator"
    return UsageError(f"chunks are an iterable, not {type(chunks).__name__}", hint=hint)


def _request(
    format: str,  # noqa: A002
    sample_rate: int | None,
    channels: int | None,
    steps: Sequence[GivenStep],
    encoder: Mapping[str, object] | None,
    limits: Mapping[str, object] | None,
    partial: Partial,
    options: Mapping[str, Any],
) -> StreamRequest:
    """Return the request of a stream whose bytes the caller takes."""
    registry = registries.default()
    warn_of_disabled_packages(registry)
    check_partial(partial)
    return stream_request(
        unnamed_destination(format_of(format, "encoder", registry)),
        sample_rate=sample_rate,
        channels=channels,
        steps=steps,
        encoder=encoder,
        limits=limits,
        options=options,
        is_pipe=True,
    )


class _Encoding:
    """A stream whose bytes are collected until they are taken."""

    def __init__(self, request: StreamRequest, partial: Partial) -> None:
        self._parts: list[bytes] = []
        self._partial: Partial = partial
        self.work = StreamWork(request, PipePlace(self._parts.append, request.destination.suffix))

    def take(self) -> bytes:
        """Return the bytes that have come, and forget them."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken

    def encoded(self, chunks: Iterable[Any]) -> Iterator[None]:
        """Take chunks, and yield whenever a piece of one is encoded."""
        for chunk in chunks:
            yield from self.work.pieces(chunk)

    def give_up(self, error: BaseException) -> None:
        """Encode the end after an error, if what came is to be kept; else release everything."""
        given_up(self.work, self._partial, error)


def _warn(saved: Saved) -> None:
    """Give the warnings about what was written."""
    for message in saved.warnings:
        warn(message)


def _parts(request: StreamRequest, chunks: Iterable[Any], partial: Partial) -> Generator[bytes, None, None]:
    """Yield the encoded bytes of chunks."""
    encoding = _Encoding(request, partial)
    source = iter(chunks)
    try:
        try:
            for _ in encoding.encoded(source):
                if part := encoding.take():
                    yield part
            _warn(encoding.work.finish())
        except Exception as error:
            encoding.give_up(error)
            if part := encoding.take():
                yield part
            raise
        if part := encoding.take():
            yield part
    finally:
        encoding.work.discard()
        if close := getattr(source, "close", None):
            close()


async def _async_parts(
    request: StreamRequest, chunks: Any, partial: Partial, *, is_async: bool
) -> AsyncIterator[bytes]:
    """Yield the encoded bytes of chunks, as `_parts` does."""
    encoding = _Encoding(request, partial)
    source = aiter(chunks) if is_async else iter(chunks)
    try:
        try:
            async with contextlib.aclosing(_batches(encoding, source, is_async=is_async)) as batches:
                async for pieces in batches:
                    while await _in_thread(next, pieces, _END) is not _END:
                        if part := encoding.take():
                            yield part
            _warn(await _in_thread(encoding.work.finish))
        except Exception as error:
            encoding.give_up(error)
            if part := encoding.take():
                yield part
            raise
        if part := encoding.take():
            yield part
    finally:
        encoding.work.discard()
        if is_async:
            if aclose := getattr(source, "aclose", None):
                await aclose()
        elif close := getattr(source, "close", None):
            await _in_thread(close)


async def _batches(encoding: _Encoding, source: Any, *, is_async: bool) -> AsyncGenerator[Iterator[None], None]:
    """Yield iterators that encode: one for each chunk of an asynchronous source, or one for all chunks of another."""
    if not is_async:
        yield encoding.encoded(source)
        return
    async for chunk in source:
        yield encoding.work.pieces(chunk)


async def _in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a thread of the event loop, or here if the loop is not asyncio's.

    If the task is cancelled meanwhile, it ends when the function has returned: nothing can stop a thread, and what it
    works on must not be closed before.
    """
    import asyncio
    import contextvars

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return function(*arguments)
    future = loop.run_in_executor(None, contextvars.copy_context().run, function, *arguments)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with contextlib.suppress(asyncio.CancelledError):  # a group of tasks may cancel again and again
                await asyncio.wait([future])
        if not future.cancelled():
            future.exception()  # so that the loop does not report it: the task ends as cancelled
        raise
