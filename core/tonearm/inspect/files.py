"""Files to inspect: found by their suffix, each array in them looked at."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from tonearm.arrays import KeyedArrayOptions
from tonearm.errors import ItemError, UsageError, one_line
from tonearm.inspect.guess import Guess, as_sound, guess
from tonearm.inspect.measure import measure
from tonearm.inspect.notes import UNKNOWN
from tonearm.inspect.preview import picture
from tonearm.pipeline.inference import find_conversion, plugins_by_suffix
from tonearm.plugins.array_decoder import ArrayDecoder, KeyedArrayDecoder
from tonearm.plugins.context import Context
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import Registry, RegistryEntry
from tonearm.signals import MAX_SAMPLE_RATE, Waveform
from tonearm.source import Source

MOST = 20
"""Arrays of one file that are looked at."""

DECODED = 1 << 23
"""Samples of a file of sound that are decoded to be looked at; of more, the header has to do."""

RATES = ("sr", "fs", "rate", "sample_rate", "samplerate", "sampling_rate", "sampling_frequency")
"""Names of a single number beside an array that says its sample rate."""


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
    note
        What there is to say in place of all this.
    """

    file: str
    decoder: str
    key: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    guess: Guess | None = None
    error: ItemError | None = None
    picture: tuple[str, ...] = ()
    note: str = ""

    def pipeline(self, registry: Registry) -> dict[str, Any]:
        """Return the pipeline that would convert it, with ``?`` where the user must decide."""
        options = dict(self.guess.options) if self.guess else {}
        if self.key:
            options["key"] = self.key
        steps = find_conversion(registry, _signals(options), _writer(registry))
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


def inspect_file(
    path: str, registry: Registry, *, decoder: str | None = None, key: str | None = None
) -> Iterator[Inspected]:
    """Yield what each array of a file seems to be.

    Parameters
    ----------
    path
        Of the file.
    registry
        The plugins, and the dialects that they offer.
    decoder
        Name of the plugin that reads it; by the suffix if None.
    key
        Name of the arrays to look at, with * and ?; all if None.

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
    missing = [need for need in cls.requires if not need.is_met()]
    if missing:
        raise UsageError(f"{entry.name} needs {missing[0].what}", code="missing-requirement", hint=missing[0].hint)
    file = _File(path, Source(name=path, path=Path(path)), entry, registry, key)
    try:
        if not issubclass(cls, ArrayDecoder):
            yield from file.sounds(cls)
        elif issubclass(cls, KeyedArrayDecoder):
            yield from file.keyed(cls)
        else:
            yield from file.arrays(cls)
    except OSError as error:
        raise ItemError(
            f"cannot read {one_line(path)}: {one_line(error.strerror or error)}", code="unreadable"
        ) from error


class _File:
    """One file that is looked at."""

    def __init__(self, path: str, source: Source, entry: RegistryEntry, registry: Registry, key: str | None) -> None:
        self.path, self.source, self.entry, self.registry, self.key = path, source, entry, registry, key
        self.context = Context(dialects=lambda: registry.dialects)

    def sounds(self, cls: Any) -> Iterator[Inspected]:
        """Yield what a decoder of sound files says: there is nothing to guess."""
        try:
            made = cls(ports_of(cls).options())
        except TypeError as error:  # it has options that must be given
            raise UsageError(
                f"{one_line(self.path)} says nothing of itself, and nothing can be seen in it",
                code="nothing-to-inspect",
                hint=f"tonearm plugins {self.entry.name} lists what must be said",
            ) from error
        known = made.probe(self.source)
        if (known.channels or 1) * (known.length or 0) > DECODED:
            shape = (known.channels or 1, known.length or 0)
            yield self._made(shape=shape, guess=as_sound(None, known.sample_rate or 0))
            return
        for item in made.decode(self.source, self.context):
            if isinstance(item, ItemError):
                yield self._made(error=item)
            elif isinstance(item.signal, Waveform):
                samples = item.signal.samples
                seen = as_sound(measure(samples), item.signal.sample_rate)
                yield self._made(item.key, samples, guess=seen, picture=tuple(picture(samples, ["channel", "time"])))

    def keyed(self, cls: Any) -> Iterator[Inspected]:
        """Yield each array of a file that holds several by name."""
        made = cls(ports_of(cls).options(key="*"))
        with made.open_arrays(self.source, self.context) as found:
            keys = list(found)
            chosen = [key for key in keys if self.key is None or key == self.key or fnmatchcase(key, self.key)]
            if not chosen:
                what = f"there is no array {one_line(self.key or '')!r}" if keys else "there is no array"
                named = ", ".join(one_line(key, 60) for key in keys[:MOST])
                raise ItemError(what, code="no-such-key", hint=f"there are {named}" if keys else "")
            rate = self._rate(found, keys)
            for key in chosen[:MOST]:
                try:
                    array = found[key]
                except ItemError as error:
                    yield self._made(key, error=error)
                    continue
                yield (
                    self._note(key, f"a single number: {array}")
                    if array.ndim == 0
                    else self._looked_at(key, array, rate)
                )
        if len(chosen) > MOST:
            yield self._note("", f"{len(chosen) - MOST} more arrays are not looked at; --key NAME looks at one")

    def arrays(self, cls: Any) -> Iterator[Inspected]:
        """Yield each array of a file that gives them one after the other."""
        options = ports_of(cls).options
        keyed = issubclass(options, KeyedArrayOptions)
        made = cls(options(key=self.key or "*") if keyed else options())
        for number, one in enumerate(made.arrays(self.source, self.context)):
            if number == MOST:
                yield self._note("", "more arrays are not looked at")
                return
            if isinstance(one, ItemError):
                yield self._made(error=one)
            else:
                yield self._looked_at(one[0], one[1], None)

    def _rate(self, found: Any, keys: list[str]) -> tuple[int, str] | None:
        """Return the sample rate that a single number of the file says, and how."""
        for key in keys:
            if key.rpartition("/")[2].rpartition(".")[2].lower() in RATES:
                try:
                    array = found[key]
                except ItemError:
                    continue
                if array.size == 1 and array.dtype.kind in "iuf" and 1000 <= float(array.item()) <= MAX_SAMPLE_RATE:
                    return round(float(array.item())), f"the file has {key} = {array.item():g}"
        return None

    def _looked_at(self, key: str, array: Any, rate: tuple[int, str] | None) -> Inspected:
        noted = self.context.drain().measurements
        if "sample_rate" in noted:
            rate = int(noted["sample_rate"]), "the file says it"
        try:
            seen = guess(measure(array), self.registry.dialects, rate=rate, recipe=str(noted.get("recipe", "")))
        except ItemError as error:
            return self._made(key, array, error=error)
        axes = seen.options.get("axes", [])
        lines = picture(array, axes if UNKNOWN not in axes[-1:] else [])
        return self._made(key, array, guess=seen, picture=tuple(lines))

    def _made(self, key: str = "", array: Any = None, **what: Any) -> Inspected:
        if array is not None:
            what |= {"shape": tuple(array.shape), "dtype": array.dtype.name}
        return Inspected(file=self.path, decoder=self.entry.name, key=key, **what)

    def _note(self, key: str, text: str) -> Inspected:
        return self._made(key, note=text)


def _by_suffix(registry: Registry, path: str) -> RegistryEntry:
    found = plugins_by_suffix(registry, "decoder", path)
    if len(found) != 1:
        what = f"several decoders read it: {', '.join(one.name for one in found)}" if found else "no decoder reads it"
        raise UsageError(f"{one_line(path)}: {what}", code="unknown-suffix", hint="--decoder NAME")
    return found[0]
