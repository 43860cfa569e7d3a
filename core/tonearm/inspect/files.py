"""Files to inspect: found by their suffix, each array in them looked at."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from tonearm.arrays import KeyedArrayOptions
from tonearm.config.ways import find_way
from tonearm.contract import ArrayDecoder, Context, Decoder
from tonearm.errors import ItemError, TonearmError, UsageError, one_line
from tonearm.inspect.guess import UNKNOWN, Guess, guess
from tonearm.inspect.measure import measure
from tonearm.inspect.picture import picture
from tonearm.ports import ports_of
from tonearm.registry import Entry, PluginError, Registry
from tonearm.source import Source

MOST = 20
"""Arrays of one file that are looked at."""


class Inspected(Struct, frozen=True, kw_only=True):
    """One array of a file.

    Parameters
    ----------
    file, key
        Where it is; the key is empty where a format has none.
    decoder
        Name of the plugin that reads it.
    shape, dtype
        Of the array.
    guess
        What it seems to be; None if it cannot be looked at.
    error
        Why it cannot.
    picture
        Lines of block characters.
    """

    file: str
    decoder: str
    key: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    guess: Guess | None = None
    error: ItemError | None = None
    picture: tuple[str, ...] = ()

    def pipeline(self, registry: Registry) -> dict[str, Any]:
        """Return the pipeline that would convert it, with ``?`` where the user must decide."""
        options = dict(self.guess.options) if self.guess else {}
        if self.key:
            options["key"] = self.key
        steps = find_way(registry, _signals(options), _writer(registry))
        return {
            "tonearm": 1,
            "input": {"use": self.decoder, "files": self.file, "with": options},
            "steps": [{"use": name} for name in steps or ()],
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        }


def _signals(options: dict[str, Any]) -> Any:
    """Return the class of what the decoder would give."""
    from tonearm.arrays import KINDS
    from tonearm.signals import MagnitudeSpectrogram, Waveform

    kind = options.get("kind", "waveform")
    return (KINDS[kind].signal if kind in KINDS else MagnitudeSpectrogram if "n_fft" in options else Waveform,)


def _writer(registry: Registry) -> Any:
    return ports_of(registry.find("encoder", "wav-writer").resolve()).takes


def inspect_file(path: str, registry: Registry, *, decoder: str | None = None) -> Iterator[Inspected]:
    """Yield what each array of a file seems to be.

    Parameters
    ----------
    path
        Of the file.
    registry
        The plugins, and the dialects that they offer.
    decoder
        Name of the plugin that reads it; by the suffix if None.

    Raises
    ------
    UsageError
        If no decoder, or several, read files with its suffix.
    ItemError
        If the file cannot be read.
    """
    from pathlib import Path

    entry = registry.find("decoder", decoder) if decoder else _by_suffix(registry, path)
    cls: Any = entry.resolve()
    if not issubclass(cls, ArrayDecoder):
        raise UsageError(
            f"{entry.name} gives no arrays: {one_line(path)} says itself what it is, or nothing does",
            code="nothing-to-inspect",
            hint=f"tonearm plugins {entry.name} lists its options",
        )
    missing = [need for need in cls.requires if not need.is_met()]
    if missing:
        raise UsageError(f"{entry.name} needs {missing[0].what}", code="missing-requirement", hint=missing[0].hint)
    options = ports_of(cls).options
    made = cls(options(key="*") if issubclass(options, KeyedArrayOptions) else options())
    source = Source(name=path, path=Path(path))
    try:
        found = made.arrays(source, Context(dialects=lambda: registry.dialects))
        for one in itertools.islice(found, MOST):
            if isinstance(one, ItemError):
                yield Inspected(file=path, decoder=entry.name, error=one)
            else:
                yield _inspected(path, entry, one[0], one[1], registry)
    except (TonearmError, OSError) as error:
        if isinstance(error, TonearmError):
            raise
        raise ItemError(
            f"cannot read {one_line(path)}: {one_line(error.strerror or error)}", code="unreadable"
        ) from error


def _inspected(path: str, entry: Entry, key: str, array: Any, registry: Registry) -> Inspected:
    shape, dtype = tuple(array.shape), str(array.dtype)
    try:
        seen = guess(measure(array), registry.dialects)
    except ItemError as error:
        return Inspected(file=path, decoder=entry.name, key=key, shape=shape, dtype=dtype, error=error)
    axes = seen.options.get("axes", [])
    lines = picture(array, axes if UNKNOWN not in axes[-1:] else [])
    return Inspected(file=path, decoder=entry.name, key=key, shape=shape, dtype=dtype, guess=seen, picture=tuple(lines))


def _by_suffix(registry: Registry, path: str) -> Entry:
    name = os.path.basename(path).lower()  # noqa: PTH119
    found = []
    for entry in registry.entries("decoder"):
        try:
            plugin = entry.resolve()
        except PluginError:
            continue
        if issubclass(plugin, Decoder) and plugin.suffixes and name.endswith(plugin.suffixes):
            found.append(entry)
    if len(found) != 1:
        what = f"several decoders read it: {', '.join(one.name for one in found)}" if found else "no decoder reads it"
        raise UsageError(f"{one_line(path)}: {what}", code="unknown-suffix", hint="--decoder NAME")
    return found[0]
