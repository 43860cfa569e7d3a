"""Decoders that have started: where options leave open what a decoder gives, its first item tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tonearm.errors import ItemError, UsageError, one_line
from tonearm.pipeline.blame import as_item_error
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.inference import Signals
from tonearm.pipeline.signal_checks import check_given
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.item import Item
from tonearm.plugins.registry import Registry
from tonearm.reading.compressed_sources import inflated_source
from tonearm.signals import Signal
from tonearm.source import Source


def decoded_signals(
    bound: BoundPlugin, source: Source, registry: Registry, *, start: bool = False
) -> tuple[Signals, StartedDecoder | None]:
    """Return the class of the signals that the decoder gives; where its options leave it open, start to decode.

    Parameters
    ----------
    bound
        Decoder.
    source
        Source.
    registry
        Registry with the named structs that options name.
    start
        Whether to start to decode in any case.
    """
    plugin = bound.plugin
    if not isinstance(plugin, Decoder):
        raise UsageError(f"{bound.name} is not a decoder")
    if source.signal is not None:
        return (type(source.signal),), None
    signals = plugin.produces().signals
    if len(signals) == 1 and signals[0] is not Signal and not start:
        return signals, None
    with as_item_error(bound):
        started = StartedDecoder(plugin, source, registry)
        if started.first is None:
            raise UsageError(f"{one_line(source.name)} holds nothing", code="empty")
        if isinstance(started.first, ItemError):
            raise started.first
        check_given(started.signal, bound)
        return (type(started.signal),), started


class StartedDecoder(Decoder[Signal, Any]):
    """A decoder that has decoded the first item of a source, and continues from there.

    Parameters
    ----------
    plugin
        Decoder that does the work.
    source
        Source.
    registry
        Registry with the named structs that options name.

    Attributes
    ----------
    plugin
        Same as the parameter.
    first
        First item, until it is decoded: None if there is none.
    """

    def __init__(self, plugin: Decoder[Any, Any], source: Source, registry: Registry) -> None:
        super().__init__(plugin.options)
        self.plugin = plugin
        self._context = Context(catalogue=registry.catalogue)
        self._items = iter(plugin.decode(inflated_source(source, type(plugin).suffixes), self._context))
        self.first = next(self._items, None)

    @property
    def signal(self) -> Any:
        """Signal of the first item, until it is decoded."""
        return getattr(self.first, "signal", self.first)

    def preflight(self) -> None:
        """Let the decoder prepare."""
        self.plugin.preflight()

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:  # noqa: ARG002 - started
        """Yield the first item and then the others, with what the decoder has recorded about each."""
        item, self.first = self.first, None
        while item is not None:
            self._forward(context)
            yield item
            del item  # frees its memory before the next item is made
            try:
                item = next(self._items, None)
            finally:
                self._forward(context)

    def _forward(self, context: Context) -> None:
        recorded = self._context.drain()
        context.measure(**recorded.measurements)
        context.doubts += recorded.doubts
        for warning in recorded.warnings:
            context.warn(warning)
