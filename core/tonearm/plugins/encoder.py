"""The base class of encoders, which write one signal to one file."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Generic

from tonearm.errors import ItemError, OptionError
from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.plugins.limits import Limits
from tonearm.plugins.plugin import In, Opts, Plugin
from tonearm.plugins.ports import Spec, spec_of
from tonearm.plugins.sink import Sink
from tonearm.signals import Signal

PIPE_HINT = "write a file, or choose wav, flac, ogg, opus, mp3, m4a, aac or raw"
"""Hint for an encoder that cannot write into a pipe."""


class Encoder(Plugin[Opts], Generic[In, Opts]):
    """A plugin that writes one signal to one file.

    Attributes
    ----------
    suffixes
        Suffixes of the files that it writes, with dot, in lower case.
    other_suffixes
        Suffixes that its files may have too, though they stand for another encoder where none is named.
    limits
        Sample rates, channels and lengths that the format can hold; None if it holds any.
    instead
        What to use in a stream in place of it, if it needs the whole signal: ``write .wav``.
    """

    role = "encoder"
    port_names = ("takes", "options")
    suffixes: ClassVar[tuple[str, ...]] = ()
    other_suffixes: ClassVar[tuple[str, ...]] = ()
    limits: ClassVar[Limits | None] = None
    instead: ClassVar[str] = ""

    @abstractmethod
    def encode(self, item: Item[In], sink: Sink, context: Context) -> None:
        """Write the signal of an item to ``sink.path`` or ``sink.open()``. The host has checked it by `accepts`."""

    def limits_for(self, spec: Spec) -> Limits | None:  # noqa: ARG002 - for encoders whose limits depend on it
        """Return the limits for signals of a specification, by default ``limits``: they may depend on options."""
        return self.limits

    def accepts(self, spec: Spec) -> None:
        """Raise `OptionError` if a signal cannot be written, such as 6 channels as MP3.

        The host calls this twice: at ``check`` with what is known by then, and with the specification of each signal
        before it is written. By default it checks the limits.

        Parameters
        ----------
        spec
            Specification of the signal. ``spec.suffix`` is the suffix of the file, if its template determines it.
        """
        limits = self.limits_for(spec)
        if limits is not None:
            limits.check(spec)

    def check_blocks(self, spec: Spec) -> None:  # noqa: ARG002 - for encoders that work block by block
        """Raise `OptionError` if it needs the whole signal, which a stream never has; `BlockEncoder` does not."""
        raise OptionError(
            f"{self.registered.name or type(self).__name__} needs the whole signal, which a stream never has",
            code="needs-whole",
            hint=self.instead or "collect the whole sound and save it",
        )

    def check_pipe(self, spec: Spec) -> None:  # noqa: ARG002 - for encoders whose options decide
        """Raise `OptionError` if it cannot write into a pipe, by default always; `BlockEncoder` has ``pipes``."""
        raise refuses_pipes(self.registered.name or type(self).__name__)

    def clips(self) -> bool:
        """Return whether samples beyond ±1.0 are clipped; by default, unless the options choose a float format.

        The host refuses to write a waveform of which many samples would be clipped. One that is written as floats may
        go beyond ±1.0, up to the limit ``beyond``.
        """
        float_format = getattr(self.options, "float_format", None)  # of PcmOptions
        return float_format is None or not float_format()

    def check_signal(self, signal: Signal, suffix: str = "") -> None:
        """Raise `ItemError` if a signal cannot be written, with the code and the text that ``check`` would have.

        Parameters
        ----------
        signal
            Signal.
        suffix
            Suffix of the file, with dot.
        """
        try:
            self.accepts(spec_of(signal, suffix))
        except OptionError as error:
            raise ItemError(error.message, code=error.code, remedies=error.remedies) from error


def refuses_pipes(name: str) -> OptionError:
    """Return the error of an encoder that cannot write into a pipe.

    Parameters
    ----------
    name
        Name of the encoder.
    """
    return OptionError(
        f"{name} must go back in what it has written, and a pipe cannot",
        code="needs-file",
        hint=PIPE_HINT,
    )
