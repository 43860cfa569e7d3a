"""References to plugin classes, with what must be known of a plugin before anything of it is imported."""

from __future__ import annotations

from typing import Any

from tonearm.plugins.plugin import Plugin
from tonearm.plugins.ports import ports_of


class Target(str):
    """Reference to a plugin class, ``"module:Class"``, which is imported when a pipeline first uses the plugin.

    ``tonearm convert a.npy a.wav`` looks for the plugins that have a suffix or connect two signals, and imports those
    alone if the others state these facts here. Where a reference is a plain text, the class is imported to find out.

    Parameters
    ----------
    place
        Reference.
    suffixes
        ``suffixes`` of a decoder or an encoder; None if they are not stated.
    same_signal
        Whether a transform gives all signals that it takes, so that none needs it to get from one to another.

    Examples
    --------
    >>> Target("acme.writer:Writer", suffixes=(".acme",)).suffixes
    ('.acme',)
    """

    __slots__ = ("same_signal", "suffixes")

    suffixes: tuple[str, ...] | None
    same_signal: bool

    def __new__(cls, place: str, *, suffixes: tuple[str, ...] | None = None, same_signal: bool = False) -> Target:
        """Make a reference."""
        made = super().__new__(cls, place)
        made.suffixes, made.same_signal = suffixes, same_signal
        return made

    def check(self, found: type[Plugin[Any]]) -> None:
        """Raise `TypeError` if a class contradicts what is stated of it."""
        suffixes = getattr(found, "suffixes", ())
        if self.suffixes is not None and self.suffixes != suffixes:
            raise TypeError(f"it is registered with the suffixes {self.suffixes}, and its class has {suffixes}")
        ports = ports_of(found)
        if self.same_signal and not set(ports.takes) <= set(ports.gives):
            raise TypeError("it is registered with same_signal, and its class does not give all that it takes")


def has_same_signal(target: object) -> bool:
    """Return whether it is stated of a transform that it gives all signals that it takes."""
    return isinstance(target, Target) and target.same_signal


def stated_suffixes(target: object) -> tuple[str, ...] | None:
    """Return the suffixes that are stated of a decoder or an encoder; None if they are not."""
    return target.suffixes if isinstance(target, Target) else None
