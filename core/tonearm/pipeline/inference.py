"""Inference of plugins: by the suffix of a file, and by the ports that transforms must connect."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping

from tonearm.errors import Advice, ChoosePlugin, Remedy, RunCommand, UsageError, did_you_mean, one_line
from tonearm.errors.text import edit_distance
from tonearm.pipeline.networks import NETWORKS, needs_model
from tonearm.plugins.ports import Ports, ports_of
from tonearm.plugins.registry import PluginError, Registry, RegistryEntry
from tonearm.plugins.target import has_same_signal, stated_suffixes
from tonearm.reading import file_types
from tonearm.reading.compressed_sources import name_within
from tonearm.reading.file_types import DECOMPRESSORS
from tonearm.signals import Signal
from tonearm.source import open_regular

Signals = tuple[type[Signal], ...]

PIPELINE_SUFFIXES = (".yaml", ".yml")
"""Suffixes of pipelines."""


def matching_signals(given: Iterable[type[Signal]], taken: Signals) -> Signals:
    """Return the given signal classes that a port takes, including base classes of those that it takes."""
    return tuple(one for one in given if any(issubclass(one, other) or issubclass(other, one) for other in taken))


def plugins_by_suffix(registry: Registry, role: str, name: str) -> list[RegistryEntry]:
    """Return the plugins of a role for the suffix of a file name; the longest matching suffix wins.

    Decoders read files that are compressed as a whole, too, such as ``a.npy.gz``.
    """
    base = os.path.basename(name.rstrip("/")).lower()  # noqa: PTH119
    known, start = _by_suffix(registry, role), base.find(".")
    while start >= 0:
        if found := [entry for entry in known.get(base[start:], ()) if _is_usable(entry)]:
            return found
        start = base.find(".", start + 1)
    within = name_within(name) if role == "decoder" else name
    return plugins_by_suffix(registry, role, within) if within != name else []


@functools.lru_cache(maxsize=16)
def _by_suffix(registry: Registry, role: str) -> Mapping[str, list[RegistryEntry]]:
    """Return the plugins of a role by their suffixes, without some that cannot be used."""
    known: dict[str, list[RegistryEntry]] = {}
    for entry in registry.entries(role):
        suffixes = stated_suffixes(entry.target)
        if suffixes is None:
            suffixes = getattr(entry.resolve(), "suffixes", ()) if _is_usable(entry) else ()
        for suffix in dict.fromkeys(suffixes):
            known.setdefault(suffix, []).append(entry)
    return known


def _is_usable(entry: RegistryEntry) -> bool:
    try:
        entry.resolve()
    except PluginError:
        return False
    return True


def plugin_by_suffix(registry: Registry, role: str, name: str) -> RegistryEntry:
    """Return the only plugin that reads (or writes) files with the suffix of a name.

    Raises
    ------
    UsageError
        If there is no plugin for the suffix, or more than one.
    ItemError
        If no decoder has the suffix, and the file cannot be read.
    """
    found = plugins_by_suffix(registry, role, name)
    if len(found) == 1:
        return found[0]
    if found:
        names = tuple(registry.short_name(entry) for entry in found)
        message = f"several {role}s fit {one_line(name)}: {', '.join(names)}"
        raise UsageError(message, code="ambiguous-suffix", remedies=(ChoosePlugin(role, names),))
    if role == "decoder" and os.path.isdir(name):  # noqa: PTH112
        remedy = RunCommand(("tonearm", "inspect", name), when="to print pipelines that convert its files")
        message = f"{one_line(name)} is a folder, and no decoder reads it as one source"
        raise UsageError(message, code="unknown-suffix", remedies=(remedy,))
    if role == "encoder" and (name.endswith("/") or os.path.isdir(name)):  # noqa: PTH112
        message = f"{one_line(name)} is a folder; the name of a file has a suffix, which selects the encoder"
        raise UsageError(message, code="unknown-suffix", hint=f"as in {one_line(os.path.join(name, 'sound.wav'))}")  # noqa: PTH118
    suffix = os.path.splitext(name)[1].lower().removesuffix(".")  # noqa: PTH122
    shown = one_line(suffix) or "a name with no suffix"
    if role == "decoder":
        raise _by_content(registry, name, suffix, f"no decoder reads {shown}")
    message = f"no encoder writes {shown}"
    raise UsageError(message, code="unknown-suffix", remedies=_other_suffixes(registry, suffix, name))


def name_by_suffix(registry: Registry, role: str, name: str) -> str:
    """Return the short name of the plugin of a role that fits a file's suffix, as `plugin_by_suffix` finds it."""
    return registry.short_name(plugin_by_suffix(registry, role, name))


def decoder_of_layouts(registry: Registry, name: str) -> str | None:
    """Return the short name of the decoder that reads a file if a layout of tokens is given; None if there is none."""
    suffix = os.path.splitext(name_within(name))[1].lower()  # noqa: PTH122
    for entry in registry.entries("decoder"):
        try:
            if suffix in getattr(entry.resolve(), "layout_suffixes", ()):
                return registry.short_name(entry)
        except PluginError:
            continue
    return None


def _other_suffixes(registry: Registry, suffix: str, name: str) -> tuple[Remedy, ...]:
    """Return the suffix of an encoder that was meant, or the suffixes of all, and the encoders for any suffix.

    A name with no suffix needs one with any encoder.
    """
    known: set[str] = set()
    others: list[str] = []
    for entry in registry.entries("encoder"):
        try:
            suffixes = getattr(entry.resolve(), "suffixes", ())
        except PluginError:
            continue
        known.update(suffixes)
        others += [] if suffixes else [registry.short_name(entry)]
    # A letter that is another one may be another format, as .wma is, so letters are missing, too many or transposed.
    meant = [
        one
        for one in sorted(known)
        if (len(one) != len(suffix) and edit_distance(one, suffix, 1) == 1) or sorted(one) == sorted(suffix)
    ]
    advice = Advice(did_you_mean(suffix, meant[:1]) if meant else f"encoders write {', '.join(sorted(known))}")
    if not suffix:
        first = ".wav" if ".wav" in known else min(known, default="")
        named = one_line(os.path.basename(name).rstrip(".") + first)  # noqa: PTH119
        return Advice(f"as in {named}"), advice
    return advice, ChoosePlugin("encoder", tuple(others), "for other formats" if others else "")


def _by_content(registry: Registry, name: str, suffix: str, message: str) -> UsageError:
    """Return the error for a file whose suffix no decoder has, by its first bytes.

    Raises
    ------
    ItemError
        If the file cannot be read.
    """
    with open_regular(name) as file:
        found = file_types.identify(file.read(file_types.HEAD))
    remedies: tuple[Remedy, ...]
    if found in (file_types.UNKNOWN, file_types.ZEROS):
        remedies = (ChoosePlugin("decoder", when="raw-reader for raw numbers, pcm-reader for raw samples"),)
    elif any(entry.name == found.reader for entry in registry.entries("decoder")):
        remedies = (ChoosePlugin("decoder", (found.reader,)),)
    elif (program := DECOMPRESSORS.get(suffix)) and found.hint.endswith(program):
        remedies = (RunCommand((program, name), when="to decompress it first"),)
    elif suffix in PIPELINE_SUFFIXES:
        remedies = (RunCommand(("tonearm", "check", name), when="if it is a pipeline"),)
    else:
        remedies = (Advice(found.hint),)
    return UsageError(f"{message}; it looks like {found.name}", code="unknown-suffix", remedies=remedies)


def find_conversion(registry: Registry, given: Signals, wanted: Signals) -> tuple[str, ...] | None:
    """Return the names of the shortest chain of transforms between two ports; None if there is none.

    No network is part of it, because each belongs to one model.
    """
    if matching_signals(given, wanted):
        return ()  # so that no transform is imported
    known = list(_transforms(registry))
    ways: list[tuple[tuple[str, ...], Signals]] = [((), given)]
    seen = {given}
    for names, signals in ways:  # the list grows during the loop: breadth-first search
        if matching_signals(signals, wanted):
            return names
        for name, ports in known:
            if matching_signals(signals, ports.takes) and ports.gives not in seen:
                seen.add(ports.gives)
                ways.append(((*names, name), ports.gives))
    return None


def _transforms(registry: Registry) -> Iterable[tuple[str, Ports]]:
    """Yield the names and ports of all usable transforms that are no networks and make other signals."""
    for entry in registry.entries("transform"):
        if has_same_signal(entry.target) or registry.short_name(entry) in NETWORKS:  # so that it is not imported
            continue
        try:
            ports = ports_of(entry.resolve())
        except PluginError:
            continue
        if not needs_model(ports):
            yield registry.short_name(entry), ports
