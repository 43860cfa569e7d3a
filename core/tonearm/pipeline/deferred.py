"""Steps that wait until a file is written: a long signal on disk passes through them block by block, never as a whole.

The samples and bytes are those of whole work, as plugins that work block by block promise. So memory does not depend on
the length of the signal: an hour on disk becomes an MP3 file in that of a minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tonearm.arrays.conversion_memory import is_mapped
from tonearm.errors import TonearmError
from tonearm.pipeline.block_chain import BlockChain, check_block_chain
from tonearm.pipeline.checked import BoundPlugin, Output
from tonearm.pipeline.limit_checks import LimitChecks
from tonearm.pipeline.outcome import Outcome
from tonearm.plugins.block_plugins import BlockEncoder, BlockTransform
from tonearm.plugins.blocks import array_of, blocks_of, canonical_length
from tonearm.plugins.ports import spec_of
from tonearm.plugins.sink import Sink
from tonearm.signals import Signal

DEFERRED_FROM = 64 << 20
"""Size in bytes from which a mapped signal is not transformed as a whole."""

_BLOCKS = 64
"""Canonical blocks that are passed on at once: steps that take blocks of any length are faster in longer ones."""


def deferring(steps: Sequence[BoundPlugin], outputs: Sequence[Output]) -> bool:
    """Return whether steps and outputs can work block by block, as far as their classes tell."""
    chains = [(*steps, *output.steps) for output in outputs]
    plugins = [step.plugin for chain in chains for step in chain]
    return (
        bool(plugins)
        and all(isinstance(plugin, BlockTransform) for plugin in plugins)
        and all(isinstance(output.encoder.plugin, BlockEncoder) for output in outputs)
    )


def deferred_items(
    stream: Iterator[Outcome], steps: tuple[BoundPlugin, ...], outputs: Sequence[Output]
) -> Iterator[Outcome]:
    """Yield the items of a decoder; those that are long and mapped leave the steps for later.

    Parameters
    ----------
    stream
        Outcomes of the decoder.
    steps
        Steps that all outputs share.
    outputs
        Outputs. An item is deferred if every one can be written block by block.
    """
    for outcome in stream:
        item = outcome.item
        if outcome.error or item is None or outcome.may_have_nan or not _is_long(item.signal):
            yield outcome
            continue
        try:
            for output in outputs:
                check_block_chain((*steps, *output.steps), output.encoder, spec_of(item.signal), pipe=False)
        except TonearmError:  # whole work tells what is wrong, or can do it
            yield outcome
        else:
            error = outcome.search() if outcome.search else None  # the steps have no decoder to blame later
            outcome.context.is_unsearched = False
            yield replace(outcome, search=None, error=error, deferred=None if error else steps)


def write_deferred(outcome: Outcome, encoder: BoundPlugin, sink: Sink, limits: LimitChecks) -> None:
    """Pass the signal of an item through the steps that wait, and write it.

    Parameters
    ----------
    outcome
        Outcome with steps that wait.
    encoder
        Encoder.
    sink
        Sink.
    limits
        Checks by the limits.
    """
    item, context, steps = outcome.item, outcome.context, outcome.deferred
    assert item is not None
    assert steps is not None
    spec, values = spec_of(item.signal), array_of(item.signal)
    length = _BLOCKS * canonical_length(spec)
    chain = BlockChain(steps, encoder, spec=spec, sink=sink, context=context, limits=limits, item=item)
    try:
        done = 0
        for block in blocks_of(values, length):
            chain.write(block)
            done += block.shape[-1]
            context.progress(done, values.shape[-1])
        chain.finish()
    except BaseException:
        chain.abort()
        raise


def _is_long(signal: Signal) -> bool:
    """Return whether a signal is one long array in a mapped file."""
    arrays = signal.arrays()
    return len(arrays) == 1 and arrays[0].nbytes >= DEFERRED_FROM and is_mapped(arrays[0])
