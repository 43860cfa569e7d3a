"""The conversion of a source while it comes: pieces of a decoder pass through a chain of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tonearm.errors import ItemError, OptionError
from tonearm.pipeline.blame import as_item_error
from tonearm.pipeline.block_chain import BlockChain, check_block_chain
from tonearm.pipeline.checked import BoundPlugin, CheckedPipeline
from tonearm.pipeline.limit_checks import LimitChecks
from tonearm.pipeline.stages import plugin_as
from tonearm.plugins.block_plugins import BlockDecoder
from tonearm.plugins.blocks import array_of
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.ports import spec_of
from tonearm.plugins.sink import Sink
from tonearm.signals import Signal


def can_convert_blocks(checked: CheckedPipeline, *, pipe: bool, suffix: str | None = None) -> bool:
    """Return whether each plugin of a pipeline with one output works block by block.

    Parameters
    ----------
    checked
        Pipeline.
    pipe
        Whether the encoder writes into a pipe.
    suffix
        Suffix of what it writes there.
    """
    (output,) = checked.outputs
    decoder = plugin_as(checked.decoder, Decoder)
    try:
        decoder.check_blocks()
        spec = decoder.produces().replace(length=None)
        check_block_chain((*checked.steps, *output.steps), output.encoder, spec, pipe=pipe, suffix=suffix)
    except (ItemError, OptionError):
        return False
    return True


def convert_blocks(checked: CheckedPipeline, chunks: Iterator[bytes], name: str, sink: Sink, context: Context) -> None:
    """Convert a source while it comes.

    Parameters
    ----------
    checked
        Pipeline, which `can_convert_blocks`.
    chunks
        Bytes of the source.
    name
        Name of the source, for messages.
    sink
        Sink of the encoder.
    context
        Context, which takes measurements and warnings.

    Raises
    ------
    ItemError
        If the source or what becomes of it is refused.
    OutputError
        If the encoder cannot write.
    """
    (output,) = checked.outputs
    pieces = _pieces(checked.decoder, chunks, name, context)
    first = next(pieces, None)
    if first is None:
        raise ItemError("there is nothing to write", code="empty")
    chain = BlockChain(
        (*checked.steps, *output.steps),
        output.encoder,
        spec=spec_of(first).replace(length=None),
        sink=sink,
        context=context,
        limits=LimitChecks(checked.limits, checked.decoder),
    )
    try:
        chain.write(array_of(first))
        for piece in pieces:
            chain.write(array_of(piece))
        chain.finish()
    except BaseException:
        chain.abort()
        raise


def _pieces(bound: BoundPlugin, chunks: Iterator[bytes], name: str, context: Context) -> Iterator[Signal]:
    """Yield the pieces of a signal that the decoder gives; what it raises is an `ItemError`."""
    decoder: Any = plugin_as(bound, BlockDecoder)
    found = decoder.blocks(chunks, name, context)
    while True:
        with as_item_error(bound, context=context):
            piece = next(found, None)
        if piece is None:
            return
        yield piece
