"""Signals that a caller has in memory, in place of a decoder: they describe themselves, and need no options."""

from __future__ import annotations

from collections.abc import Iterator

from tonearm.names import BUILTIN
from tonearm.pipeline.checked import BoundPlugin
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.discovery import Package
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import NoOptions, PluginIdentity
from tonearm.plugins.ports import Spec, ports_of, spec_of
from tonearm.plugins.registry import RegistryEntry
from tonearm.signals import Signal
from tonearm.source import Source
from tonearm.version import __version__

SIGNAL = "signal"
"""Name that stands for a decoder in a pipeline whose source is a signal."""


class SignalDecoder(Decoder[Signal, NoOptions]):
    """A decoder that yields the signal that its source is.

    Parameters
    ----------
    spec
        Specification of the signal.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__(NoOptions())
        self._spec = spec

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal]]:  # noqa: ARG002 - nothing to report
        """Yield the signal."""
        if source.signal is not None:
            yield Item(signal=source.signal)

    def produces(self) -> Spec:
        """Return the specification of the signal."""
        return self._spec


def bound_signal(signal: Signal) -> BoundPlugin:
    """Return the decoder of a signal, bound to its place in a pipeline.

    The specification leaves out what differs from one sound of a loop to the next: the numbers of channels and samples.
    It asks for no precision, as that of a sound file does not: a step may round double precision.
    """
    spec = spec_of(signal).replace(channels=None, length=None, precision=None)
    plugin = SignalDecoder(spec)
    package = Package(origin=BUILTIN, load=lambda: None, label=f"tonearm {__version__}")
    entry = RegistryEntry(SIGNAL, "decoder", SignalDecoder, package)
    name = f"the {signal.port}"
    plugin.registered = PluginIdentity(name, entry.full_name, package.label)
    return BoundPlugin(name, entry, plugin, ports_of(SignalDecoder), spec=spec)
