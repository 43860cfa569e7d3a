"""The base classes of plugins that work block by block, so that sound can pass through them while it is made.

Work on a whole signal is derived from that: both are the same code, and give the same samples and bytes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from tonearm.plugins.blocks import array_of, blocks_of, canonical_length, signal_of
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import In, Opts, Out
from tonearm.plugins.ports import Spec, spec_of
from tonearm.plugins.sink import Sink
from tonearm.plugins.transform import Transform

if TYPE_CHECKING:
    from tonearm.typing import Array

ENCODER_BLOCK = 1 << 17
"""Samples of a block over all channels that an encoder gets of a whole signal: they stay in the cache of a core."""


class StartedTransform(ABC):
    """A transform at work on one signal. A block is an array whose last axis is time."""

    @abstractmethod
    def push(self, block: Array) -> Array:
        """Return what the next block makes complete, which may be empty along the last axis.

        The block must not change. The host may use its memory again after the call, so copy what is kept.
        """

    def finish(self) -> Array | None:
        """Return what is left when all blocks have been pushed; None if nothing is, as by default."""
        return None

    def push_last(self, block: Array) -> Array:
        """Return what the last block makes complete, and what is left then.

        By default both are joined. Override it where the end can be had in one piece with the block.
        """
        import numpy as np

        first, rest = self.push(block), self.finish()
        if rest is None or not rest.shape[-1]:
            return first
        return np.concatenate((first, rest), axis=-1) if first.shape[-1] else rest


class EachBlock(StartedTransform):
    """A transform at work that does the same to each block, whatever came before.

    Parameters
    ----------
    function
        Function from a block to a block.
    """

    def __init__(self, function: Callable[[Array], Array]) -> None:
        self._function = function

    def push(self, block: Array) -> Array:
        """Return the result of the function."""
        return self._function(block)


class BlockTransform(Transform[In, Out, Opts], Generic[In, Out, Opts]):
    """A transform that works block by block.

    Attributes
    ----------
    any_blocks
        Whether the values do not depend, bit by bit, on how a signal is cut. Then a whole signal comes in one piece,
        and a stream in the pieces that it is written in. Other plugins get blocks of 2,048 samples, or the frames that
        span them, whole and streamed alike.
    """

    any_blocks: ClassVar[bool] = False

    @abstractmethod
    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the transform at work on a signal.

        Parameters
        ----------
        spec
            Specification of the signal. Its class, sample rate, channels and precision are known; its length is None in
            a stream.
        context
            Context of the item.
        """

    def check_blocks(self, spec: Spec) -> None:
        """Raise `OptionError` if the options need the whole signal; by default none does."""

    def apply(self, signal: In, context: Context) -> Out:
        """Return the new signal."""
        import numpy as np

        spec = spec_of(signal)
        values = array_of(signal)
        started = self.start(spec, context)
        if self.any_blocks:
            result = started.push_last(values)
        else:
            length, total = canonical_length(spec), values.shape[-1]
            parts = []
            for number, block in enumerate(blocks_of(values, length), 1):
                is_last = number * length >= total
                parts.append(started.push_last(block) if is_last else started.push(block))
                context.progress(min(number * length, total), total)
            result = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
        if result is values:
            return signal  # type: ignore[return-value]
        # The values have the precision that they have: `produces` may refuse double precision that an input asks for.
        made: Any = self.made(self.produces(spec.replace(precision=None)), result)
        return made  # type: ignore[no-any-return]

    def made(self, spec: Spec, values: Array) -> Any:
        """Return the new signal, from what `produces` says and the joined blocks.

        Override it for a class of signal that is not made of one array and what its specification carries.
        """
        return signal_of(spec, values)


class BlockDecoder(Decoder[Out, Opts], Generic[Out, Opts]):
    """A decoder that can read a source while it comes, if its format needs no look at the rest."""

    @abstractmethod
    def blocks(self, chunks: Iterable[bytes], name: str, context: Context) -> Iterator[Out]:
        """Yield the signal of a source piece by piece, each as soon as its bytes are there.

        Parameters
        ----------
        chunks
            Bytes of the source, cut anywhere. Asking for the next ones may wait for them.
        name
            Name of the source, for messages.
        context
            Context of the source.

        Raises
        ------
        ItemError
            If the bytes are not of the format, or the source ends within a sample.
        """

    def check_blocks(self) -> None:
        """Raise `OptionError` if the options need the whole source; by default none does."""


class StartedEncoder(ABC):
    """An encoder at work on one file. A block is an array whose last axis is time."""

    @abstractmethod
    def write(self, block: Array) -> None:
        """Encode the next block, and write what is complete.

        The block must not change. The host may use its memory again after the call, so copy what is kept.
        """

    @abstractmethod
    def finish(self) -> None:
        """Write the end of the file, after the last block, and close it."""

    def abort(self) -> None:  # noqa: B027 - most hold nothing
        """Release what is held, since the file is given up: after an error, or where nobody wants it any longer.

        It may follow any call, even one of `finish` that failed. By default there is nothing to release.
        """


class BlockEncoder(Encoder[In, Opts], Generic[In, Opts]):
    """An encoder that works block by block.

    Attributes
    ----------
    any_blocks
        Whether the bytes do not depend on how a signal is cut, as in `BlockTransform`.
    pipes
        Whether it can write into a pipe, where nothing can be patched afterwards: ``sink.seekable`` is false there.
    """

    any_blocks: ClassVar[bool] = False
    pipes: ClassVar[bool] = False

    @abstractmethod
    def start(self, spec: Spec, sink: Sink, context: Context) -> StartedEncoder:
        """Return the encoder at work on a file.

        Parameters
        ----------
        spec
            Specification of the signal, which `accepts` has taken. Its length is None in a stream.
        sink
            Sink.
        context
            Context of the item. ``context.item`` is the item until this returns; None in a stream, which is none yet.
        """

    def check_blocks(self, spec: Spec) -> None:
        """Raise `OptionError` if the options need the whole signal; by default none does."""

    def check_pipe(self, spec: Spec) -> None:
        """Raise `OptionError` if it cannot write into a pipe with its options."""
        if not self.pipes:
            super().check_pipe(spec)

    def encode(self, item: Item[In], sink: Sink, context: Context) -> None:
        """Write the signal of an item."""
        spec = spec_of(item.signal, sink.suffix)
        values = array_of(item.signal)
        length = max(1, ENCODER_BLOCK // (values.size // values.shape[-1])) if self.any_blocks else None
        started = start_encoder(self, item, spec, sink, context)
        try:
            done = 0
            for block in blocks_of(values, length or canonical_length(spec)):
                started.write(block)
                done += block.shape[-1]
                context.progress(done, values.shape[-1])
            started.finish()
        except BaseException:
            started.abort()
            raise


def start_encoder(
    encoder: BlockEncoder[Any, Any], item: Item[Any] | None, spec: Spec, sink: Sink, context: Context
) -> StartedEncoder:
    """Return an encoder at work on an item, which its `start` finds in the context.

    Parameters
    ----------
    encoder
        Encoder.
    item
        Item; None in a stream.
    spec, sink, context
        Arguments of `BlockEncoder.start`.
    """
    context.item = item
    try:
        return encoder.start(spec, sink, context)
    finally:
        context.item = None
