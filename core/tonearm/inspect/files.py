"""Files to inspect: found by their suffix, each array in them looked at."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from tonearm.arrays import KeyedArrayOptions
from tonearm.errors import ItemError, UsageError, one_line
from tonearm.inspect.guess import Guess, describe_sound_file, guess
from tonearm.inspect.notes import UNKNOWN
from tonearm.inspect.preview import draw_preview
from tonearm.inspect.statistics import compute_statistics
from tonearm.pipeline.inference import find_conversion, plugins_by_suffix
from tonearm.plugins.array_decoder import ArrayDecoder, KeyedArrayDecoder
from tonearm.plugins.context import Context
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import Registry, RegistryEntry
from tonearm.signals import MAX_SAMPLE_RATE, Waveform
from tonearm.source import Source

MAX_ARRAYS = 20
"""Arrays of one file that are looked at."""

MAX_DECODED_SAMPLES = 1 << 23
"""Samples of a file of sound that are decoded to be looked at; of more, the header has to do."""

RATE_KEYS = ("sr", "fs", "rate", "sample_rate", "samplerate", "sampling_rate", "sampling_frequency")
"""Names of a single number beside an array that says its sample rate."""


class Inspection(Struct, frozen=True, kw_only=True):
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
    preview
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
    preview: tuple[str, ...] = ()
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
) -> Iterator[Inspection]:
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
    file = _FileInspector(path, Source(name=path, path=Path(path)), entry, registry, key)
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


class _FileInspector:
    """One file that is looked at."""

    def __init__(self, path: str, source: Source, entry: RegistryEntry, registry: Registry, key: str | None) -> None:
        self.path, self.source, self.entry, self.registry, self.key = path, source, entry, registry, key
        self.context = Context(dialects=lambda: registry.dialects)

    def sounds(self, cls: Any) -> Iterator[Inspection]:
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
        if (known.channels or 1) * (known.length or 0) > MAX_DECODED_SAMPLES:
            shape = (known.channels or 1, known.length or 0)
            yield self._inspection(shape=shape, guess=describe_sound_file(None, known.sample_rate or 0))
            return
        for item in made.decode(self.source, self.context):
            if isinstance(item, ItemError):
                yield self._inspection(error=item)
            elif isinstance(item.signal, Waveform):
                samples = item.signal.samples
                guessed = describe_sound_file(compute_statistics(samples), item.signal.sample_rate)
                yield self._inspection(
                    item.key, samples, guess=guessed, preview=tuple(draw_preview(samples, ["channel", "time"]))
                )

    def keyed(self, cls: Any) -> Iterator[Inspection]:
        """Yield each array of a file that holds several by name."""
        made = cls(ports_of(cls).options(key="*"))
        with made.open_arrays(self.source, self.context) as found:
            keys = list(found)
            chosen = [key for key in keys if self.key is None or key == self.key or fnmatchcase(key, self.key)]
            if not chosen:
                what = f"there is no array {one_line(self.key or '')!r}" if keys else "there is no array"
                named = ", ".join(one_line(key, 60) for key in keys[:MAX_ARRAYS])
                raise ItemError(what, code="no-such-key", hint=f"there are {named}" if keys else "")
            rate = self._rate(found, keys)
            for key in chosen[:MAX_ARRAYS]:
                try:
                    array = found[key]
                except ItemError as error:
                    yield self._inspection(key, error=error)
                    continue
                yield (
                    self._note(key, f"a single number: {array}")
                    if array.ndim == 0
                    else self._inspect_array(key, array, rate)
                )
        if len(chosen) > MAX_ARRAYS:
            yield self._note("", f"{len(chosen) - MAX_ARRAYS} more arrays are not looked at; --key NAME looks at one")

    def arrays(self, cls: Any) -> Iterator[Inspection]:
        """Yield each array of a file that gives them one after the other."""
        options = ports_of(cls).options
        keyed = issubclass(options, KeyedArrayOptions)
        made = cls(options(key=self.key or "*") if keyed else options())
        for number, one in enumerate(made.arrays(self.source, self.context)):
            if number == MAX_ARRAYS:
                yield self._note("", "more arrays are not looked at")
                return
            if isinstance(one, ItemError):
                yield self._inspection(error=one)
            else:
                yield self._inspect_array(one[0], one[1], None)

    def _rate(self, found: Any, keys: list[str]) -> tuple[int, str] | None:
        """Return the sample rate that a single number of the file says, and how."""
        for key in keys:
            if key.rpartition("/")[2].rpartition(".")[2].lower() in RATE_KEYS:
                try:
                    array = found[key]
                except ItemError:
                    continue
                if array.size == 1 and array.dtype.kind in "iuf" and 1000 <= float(array.item()) <= MAX_SAMPLE_RATE:
                    return round(float(array.item())), f"the file has {key} = {array.item():g}"
        return None

    def _inspect_array(self, key: str, array: Any, rate: tuple[int, str] | None) -> Inspection:
        noted = self.context.drain().measurements
        if "sample_rate" in noted:
            rate = int(noted["sample_rate"]), "the file says it"
        try:
            guessed = guess(
                compute_statistics(array), self.registry.dialects, rate=rate, recipe=str(noted.get("recipe", ""))
            )
        except ItemError as error:
            return self._inspection(key, array, error=error)
        axes = guessed.options.get("axes", [])
        lines = draw_preview(array, axes if UNKNOWN not in axes[-1:] else [])
        return self._inspection(key, array, guess=guessed, preview=tuple(lines))

    def _inspection(self, key: str = "", array: Any = None, **what: Any) -> Inspection:
        if array is not None:
            what |= {"shape": tuple(array.shape), "dtype": array.dtype.name}
        return Inspection(file=self.path, decoder=self.entry.name, key=key, **what)

    def _note(self, key: str, text: str) -> Inspection:
        return self._inspection(key, note=text)


def _by_suffix(registry: Registry, path: str) -> RegistryEntry:
    found = plugins_by_suffix(registry, "decoder", path)
    if len(found) != 1:
        what = f"several decoders read it: {', '.join(one.name for one in found)}" if found else "no decoder reads it"
        raise UsageError(f"{one_line(path)}: {what}", code="unknown-suffix", hint="--decoder NAME")
    return found[0]
