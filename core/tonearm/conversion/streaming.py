"""Streams at work: the request checked before the first chunk, then chunks through steps and an encoder to a place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct

from tonearm.conversion.call import Call, GivenStep, check_mappings
from tonearm.conversion.chunks import ChunkReader
from tonearm.conversion.destination import Destination
from tonearm.conversion.keywords import plain_keyword
from tonearm.conversion.saved import Saved
from tonearm.conversion.stream_places import StreamPlace
from tonearm.errors import ItemError, OptionError, UsageError, one_line
from tonearm.pipeline.blame import refusal
from tonearm.pipeline.block_chain import BlockChain, check_block_chain
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.limit_checks import LimitChecks
from tonearm.pipeline.stages import plugin_as
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.encoder import Encoder
from tonearm.source import CHUNKS

if TYPE_CHECKING:
    from tonearm.typing import Array

PIECE: Final = 1 << 16
"""Samples over all channels that are passed on at once, so that the bytes of a long chunk leave while it is encoded."""

_OF_WHOLE: Final[Mapping[str, str]] = {
    "lengths": "lengths are those of a batch",
    "imag": "imag is the second half of a whole array",
    "phase": "phase is the second half of a whole array",
    "key": "key selects an array of a mapping",
    "length": "length is that of the whole sound",
}
"""Options that no chunk has a use for, each with the reason."""

State = Literal["open", "closed", "given up"]


class StreamRequest(Struct, frozen=True):
    """A stream that can be opened: everything was checked that can be known before the first chunk.

    Parameters
    ----------
    pipeline
        Pipeline that the call stands for, with one output.
    destination
        Destination.
    channels
        Number of channels; None to take that of the first chunk.
    """

    pipeline: Converter
    destination: Destination
    channels: int | None

    @property
    def encoder(self) -> BoundPlugin:
        """Encoder."""
        return self.pipeline.outputs[0].encoder

    @property
    def steps(self) -> tuple[BoundPlugin, ...]:
        """Steps in order."""
        return (*self.pipeline.checked.steps, *self.pipeline.outputs[0].steps)


def stream_request(
    destination: Destination,
    *,
    sample_rate: int | None,
    channels: int | None,
    steps: Iterable[GivenStep],
    encoder: Mapping[str, object] | None,
    limits: Mapping[str, object] | None,
    options: Mapping[str, Any],
    is_pipe: bool,
) -> StreamRequest:
    """Return the request of a stream, or raise whatever is wrong with it.

    Parameters
    ----------
    destination
        Destination.
    sample_rate, channels, steps, encoder, limits, options
        Arguments of the call.
    is_pipe
        Whether the destination is a pipe.

    Raises
    ------
    PipelineError
        If an option is wrong or missing.
    UsageError
        If the call is wrong otherwise.
    ItemError
        If a step or the encoder needs the whole signal, or the encoder must go back in a pipe.
    """
    check_mappings(encoder=encoder, limits=limits)
    channels = _checked_channels(channels)
    if destination.opened is None and not is_pipe:
        _refuse_fields(destination)
    given = {name: plain_keyword(value) for name, value in options.items()}
    _refuse_options_of_whole(given)
    sample_rate = plain_keyword(sample_rate)
    if given.get("dialect") is None:  # which states the rate itself
        if sample_rate is None and given.get("layout") is None and given.get("kind") != "tokens":
            raise UsageError("sample_rate is missing", code="missing-option", hint="as in sample_rate=24000")
        given = given if sample_rate is None else {"sample_rate": sample_rate, **given}
    call = Call(
        source=CHUNKS,
        encoder=destination.encoder,
        file=destination.file,
        options=_with_kind(given),
        steps=steps,
        encoder_options=encoder or {},
        limits={name: plain_keyword(value) for name, value in (limits or {}).items()},
    )
    request = StreamRequest(call.own_converter(), destination, channels)
    request.pipeline.preflight()
    decoder = plugin_as(request.pipeline.checked.decoder, Decoder)
    known = decoder.produces().replace(channels=channels, length=None, several=None)
    suffix = destination.suffix or None
    last = check_block_chain(request.steps, request.encoder, known, pipe=is_pipe, suffix=suffix)
    if sample_rate not in (None, known.sample_rate):
        message = f"the chunks have {known.sample_rate} Hz, but sample_rate says {sample_rate}"
        raise UsageError(message, code="rate-mismatch", hint=f"sample_rate={known.sample_rate}")
    if last.channels is not None:
        try:
            plugin_as(request.encoder, Encoder).accepts(last)
        except OptionError as error:
            raise refusal(error, request.encoder) from error
    return request


def _checked_channels(channels: Any) -> int | None:
    """Return a number of channels as a plain number."""
    channels = plain_keyword(channels)
    if channels is not None and (type(channels) is not int or channels < 1):
        message = f"channels is {one_line(repr(channels), 60)}, not a whole number from 1 on"
        raise UsageError(message, code="bad-option", hint="as in channels=2")
    return channels


def _refuse_fields(destination: Destination) -> None:
    """Raise `UsageError` if the name of the file is a template with fields: a stream writes one file."""
    from tonearm.pipeline.templates import parse_template  # not at the top: most names have no brace

    if fields := sorted(parse_template(destination.file).fields):
        message = f"the name of a stream's file has the field {{{fields[0]}}}, but it writes one file"
        raise UsageError(message, code="bad-template", hint="give the name itself")


def _refuse_options_of_whole(given: Mapping[str, object]) -> None:
    """Raise `UsageError` for options that describe a whole sound, or a batch of them."""
    for name, reason in _OF_WHOLE.items():
        if given.get(name) is not None:
            message = f"{reason}, which a stream never has"
            raise UsageError(message, code="needs-whole", hint=f"leave {name} out, or save the whole sound")
    axes: Any = given.get("axes")
    if isinstance(axes, list) and "batch" in axes:
        message = "a stream is one sound, and axes names a batch"
        raise UsageError(message, code="needs-whole", hint="open a stream for each sound, and write chunk[0], chunk[1]")


_TELLS_KIND: Final = ("kind", "dialect", "layout")
_OF_FRAMES: Final = ("n_fft", "hop_length", "win_length", "recipe", "convention")


def _with_kind(given: dict[str, Any]) -> dict[str, Any]:
    """Return options that tell the kind of the chunks, which are samples unless something else is stated."""
    if any(given.get(name) is not None for name in _TELLS_KIND):
        return given
    axes = given.get("axes")
    frames = [name for name in _OF_FRAMES if given.get(name) is not None]
    if isinstance(axes, list) and "time" not in axes:
        frames.append("axes")
    if frames:
        message = f"{frames[0]} describes frames of a spectrogram, but kind does not say of which"
        raise UsageError(message, code="unknown-kind", hint='as in kind="complex"')
    return {"kind": "waveform", **given}


class StreamWork:
    """A stream at work. Nothing in it is locked: one thread at a time may use it.

    Parameters
    ----------
    request
        Request.
    place
        Place that it goes to.

    Attributes
    ----------
    context
        Context with measurements and warnings.
    state
        Whether it is open, closed, or given up.
    """

    def __init__(self, request: StreamRequest, place: StreamPlace) -> None:
        checked = request.pipeline.checked
        self.context = Context(catalogue=checked.catalogue)
        self.state: State = "open"
        self._place = place
        self._request = request
        self._limits = LimitChecks(checked.limits, checked.decoder)
        self._reader = ChunkReader(checked.decoder, request.channels, self.context)
        self._chain: BlockChain | None = None
        self._failed = False

    @property
    def place(self) -> StreamPlace:
        """Place that the sound goes to."""
        return self._place

    @property
    def has_failed(self) -> bool:
        """Whether a step or the encoder has failed, so that no further chunk can be taken."""
        return self._failed

    @property
    def measured(self) -> dict[str, float | int | str]:
        """Measurements so far."""
        duration = {"duration": round(self._chain.duration, 6)} if self._chain is not None else {}
        return {**duration, **self.context.measurements}

    def pieces(self, chunk: Any) -> Iterator[None]:
        """Take a chunk, and yield whenever a piece of it is encoded. A chunk that is refused leaves nothing behind.

        Raises
        ------
        ItemError
            If the chunk is refused, or a step or the encoder fails.
        OutputError
            If the place cannot be written to.
        """
        values = self._reader.read(chunk)
        if values is None:
            return
        for piece in _cut(values):
            try:
                if self._chain is None:
                    self._chain = self._started()
                self._chain.write(piece)
                self._place.flush()
            except BaseException:
                self._failed = True
                raise
            yield

    def _started(self) -> BlockChain:
        """Return the chain of plugins, once the first chunk tells what it works on."""
        request = self._request
        return BlockChain(
            request.steps,
            request.encoder,
            spec=self._reader.spec,
            sink=self._place.sink,
            context=self.context,
            limits=self._limits,
        )

    def finish(self) -> Saved:
        """Write the end, publish the file, and return what it is; if that fails, everything is discarded.

        Raises
        ------
        ItemError
            If no sample came, or the whole breaks a limit.
        OutputError
            If the end cannot be written, or the file not be published.
        """
        try:
            if self._chain is None:
                raise ItemError("there is nothing to write: no chunk has a sample", code="empty")
            if self._failed:
                self._chain.finish_early()
            else:
                self._chain.finish()
            paths = self._place.publish()
        except BaseException:
            self.discard()
            raise
        self.state = "closed"
        return Saved(paths, (dict(self.context.measurements),), tuple(dict.fromkeys(self.context.warnings)))

    @property
    def can_finish(self) -> bool:
        """Whether something came, and the encoder can finish it."""
        return self.state == "open" and self._chain is not None and self._chain.can_finish

    def discard(self) -> None:
        """Release everything, and take back what was written, where that can be done."""
        if self.state != "open":
            return
        self.state = "given up"
        try:
            if self._chain is not None:
                with contextlib.suppress(Exception):  # the file is given up: nobody is to learn of a second error
                    self._chain.abort()
        finally:
            self._place.discard()


def _cut(values: Array) -> Iterator[Array]:
    """Yield the pieces of a chunk's values, none of which is long."""
    length = max(1, PIECE * values.shape[-1] // max(values.size, 1))
    if values.shape[-1] <= length:
        yield values
        return
    for at in range(0, values.shape[-1], length):
        yield values[..., at : at + length]
