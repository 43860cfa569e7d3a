"""Formats by name, as ``format`` has them: a suffix, or the name of an encoder or a decoder."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tonearm.errors import UsageError, did_you_mean, one_line
from tonearm.pipeline.inference import name_by_suffix, plugins_by_suffix
from tonearm.plugins.registry import PluginError, Registry


class Format(Struct, frozen=True):
    """A format to write or to read.

    Parameters
    ----------
    plugin
        Name of the encoder or of the decoder.
    suffix
        Suffix of its files, with dot; empty for a plugin that has none.
    is_suffix
        Whether the user named the suffix, not the plugin.
    """

    plugin: str
    suffix: str
    is_suffix: bool = False


def format_of(name: str, role: str, registry: Registry) -> Format:
    """Return the format of a name: a suffix with or without its dot, in any case, or the name of a plugin.

    Parameters
    ----------
    name
        Name of the format.
    role
        Role of the plugin: ``encoder`` or ``decoder``.
    registry
        Registry of plugins.

    Raises
    ------
    UsageError
        If there is no such format.
    """
    if not isinstance(name, str):
        raise UsageError(f"format is text, not {type(name).__name__}", hint='as in format="mp3"')
    for entry in registry.entries(role):
        if name in (entry.name, entry.full_name):
            suffixes = suffixes_of(name, role, registry)
            return Format(name, suffixes[0] if suffixes else "")
    suffix = f".{name.removeprefix('.').lower()}"
    if suffix == "." or not plugins_by_suffix(registry, role, f"x{suffix}"):
        known = sorted(set(_known(role, registry)))
        hint = did_you_mean(suffix[1:], known) or f"formats are {', '.join(known)}"
        raise UsageError(f"there is no format {one_line(repr(name), 60)}", code="unknown-suffix", hint=hint)
    return Format(name_by_suffix(registry, role, f"x{suffix}"), suffix, is_suffix=True)


def suffixes_of(plugin: str, role: str, registry: Registry) -> tuple[str, ...]:
    """Return the suffixes of a plugin's files, the main one first; an encoder of any suffix has none."""
    return getattr(registry.find(role, plugin).resolve(), "suffixes", ())


def _known(role: str, registry: Registry) -> Iterator[str]:
    """Yield the suffixes of all plugins of a role, without dot, and the names of those that have none."""
    for entry in registry.entries(role):
        try:
            suffixes = getattr(entry.resolve(), "suffixes", ())
        except PluginError:
            continue
        yield from [one[1:] for one in suffixes] or [registry.short_name(entry)]
