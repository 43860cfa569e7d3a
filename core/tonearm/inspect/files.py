"""Inspection of files: the decoder is chosen by suffix, and each array of the file is examined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tonearm.arrays import ArrayDecoder, KeyedArrayDecoder, KeyedArrayOptions
from tonearm.arrays.folded_axes import POLAR, flat_names
from tonearm.arrays.stated import StatedRate, Statements, rate_among
from tonearm.arrays.stated_lengths import lengths_among
from tonearm.errors import ChooseOption, ItemError, RunCommand, UsageError, one_line
from tonearm.findings.notes import UNKNOWN
from tonearm.findings.statistics import compute_statistics
from tonearm.inspect.guess import Guess, describe_sound_file, describe_tokens, guess
from tonearm.inspect.padding import with_padding
from tonearm.inspect.preview import WIDTH, draw_preview
from tonearm.inspect.token_text import MOST_BYTES, guess_of_text, marked_layouts
from tonearm.pipeline.inference import decoder_of_layouts, find_conversion, plugin_by_suffix
from tonearm.pipeline.networks import FORMS, MODEL, WITHOUT_SOUND
from tonearm.pipeline.options import default_options
from tonearm.plugins.context import Context
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import Registry, RegistryEntry
from tonearm.reading.compressed_sources import inflated_source
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.signals import CodecTokens, Waveform
from tonearm.source import Source

MAX_ARRAYS = 20
"""Largest number of arrays of one file that are inspected."""

MAX_DECODED_SAMPLES = 1 << 23
"""Largest number of samples of a sound file that are decoded; of a longer file, only the header is read."""


class Inspection(Struct, frozen=True, kw_only=True):
    """Inspection of one array of a file.

    Parameters
    ----------
    file, key
        Name of the file, and of the array in it; the key is empty if the format has none.
    decoder
        Name of the decoder.
    shape, dtype
        Shape and type of the array.
    guess
        Guess of what the array holds; None if it cannot be read.
    error
        Error that occurred when it was read; None if there was none.
    preview
        Lines of block characters.
    note
        Text in place of a guess, such as the value of a single number.
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
        """Return a pipeline that converts the array, with ``?`` where the user must decide."""
        options = dict(self.guess.options) if self.guess else {}
        if self.key:
            options["key"] = self.key
        decoder: Any = registry.find("decoder", self.decoder).resolve()
        own = ports_of(decoder).gives
        signals = own if own == (CodecTokens,) else _decoded_signals(options, registry)
        steps = _steps(signals, registry)
        has_rows = getattr(decoder, "holds_many", False) and not issubclass(decoder, KeyedArrayDecoder)
        is_several = has_rows or _may_be_batch(options) or CodecTokens in signals
        return {
            "tonearm": 1,
            "input": {"use": self.decoder, "files": self.file, "with": options},
            "steps": steps,
            "outputs": [{"use": "wav-writer", "file": "{stem}-{index}.wav" if is_several else "{stem}.wav"}],
        }


def _steps(signals: Any, registry: Registry) -> list[dict[str, Any]]:
    """Return the steps that make sound of signals, with ``?`` for the model of a network."""
    names = find_conversion(registry, signals, _writer_ports(registry))
    if names is None and set(signals) & set(WITHOUT_SOUND):
        return [{"use": FORMS[0].transforms[0], "with": {MODEL: UNKNOWN}}]
    return [{"use": name} for name in names or ()]


def _may_be_batch(options: dict[str, Any]) -> bool:
    """Return whether one of the axes is a batch, or may be one, so that names of outputs must distinguish its items."""
    return bool({"batch", UNKNOWN} & set(options.get("axes", ())))


def _decoded_signals(options: dict[str, Any], registry: Registry) -> Any:
    """Return the class of the signals that the decoder gives with these options."""
    kind = options.get("kind", "tokens" if "layout" in options else "waveform")
    if kind == UNKNOWN:
        kind = "magnitude" if "n_fft" in options else "waveform"
    cls: Any = registry.find("kind", kind).resolve()
    if cls.phase_gives and POLAR in flat_names(options.get("axes", ())):
        return (cls.phase_gives,)
    return ports_of(cls).gives


def _writer_ports(registry: Registry) -> Any:
    return ports_of(registry.find("encoder", "wav-writer").resolve()).takes


def inspect_file(
    path: str,
    registry: Registry,
    *,
    decoder: str | None = None,
    key: str | None = None,
    preview_width: int = WIDTH,
    found: Source | None = None,
) -> Iterator[Inspection]:
    """Yield the inspection of each array of a file.

    Parameters
    ----------
    path
        Name of the file.
    registry
        Registry of plugins and named structs.
    decoder
        Name of the decoder; the one for the file's suffix if None.
    key
        Name of the arrays to inspect, with * and ?; all if None.
    preview_width
        Largest number of characters in a line of a preview.
    found
        The file itself, if the name is not its path.

    Raises
    ------
    UsageError
        If no decoder, or more than one, reads files with this suffix.
    ItemError
        If the file cannot be read.
    """
    from pathlib import Path

    source = found or Source(name=path, path=Path(path))
    if decoder is None and (marked := _text_of_tokens(path, source, registry)) is not None:
        yield marked
        return
    entry = registry.find("decoder", decoder) if decoder else plugin_by_suffix(registry, "decoder", path)
    cls: Any = entry.resolve()
    missing = [need for need in cls.requires if not need.is_met()]
    if missing:
        message = f"{entry.name} needs {missing[0].what}, which is not installed"
        raise UsageError(message, code="missing-requirement", hint=missing[0].hint)
    try:
        source = inflated_source(source, cls.suffixes)
        inspector = _FileInspector(path, source, entry, registry, key, preview_width)
        if not issubclass(cls, ArrayDecoder):
            yield from inspector.sound_file(cls)
        elif issubclass(cls, KeyedArrayDecoder):
            yield from inspector.keyed_arrays(cls)
        else:
            yield from inspector.array_stream(cls)
    except OSError as error:
        raise ItemError(
            f"cannot read {one_line(path)}: {one_line(error.strerror or error)}", code="unreadable"
        ) from error


def _text_of_tokens(path: str, source: Source, registry: Registry) -> Inspection | None:
    """Return the inspection of text in which marks stand for codec tokens; None for any other file."""
    reader = decoder_of_layouts(registry, path)
    if reader is None or source.holds_arrays:
        return None
    try:
        cls: Any = registry.find("decoder", reader).resolve()
        with inflated_source(source, cls.layout_suffixes).open() as file:
            text = file.read(MOST_BYTES).decode("utf-8", "replace")
    except (OSError, ItemError):
        return None  # the decoder of the suffix says why
    marked = marked_layouts(text, registry.catalogue(TokenLayout))
    return Inspection(file=path, decoder=reader, guess=guess_of_text(marked)) if marked else None


class _FileInspector:
    """Inspector of one file."""

    def __init__(
        self, path: str, source: Source, entry: RegistryEntry, registry: Registry, key: str | None, width: int
    ) -> None:
        self.path, self.source, self.entry, self.registry, self.key = path, source, entry, registry, key
        self.width = width
        self.context = Context(catalogue=registry.catalogue)

    def sound_file(self, cls: Any) -> Iterator[Inspection]:
        """Yield the inspection of each item of a sound file, or of each field of a file that may hold one."""
        try:
            yield from self._sounds(cls, {})
        except TypeError as error:  # some options have no default
            raise self._untold() from error
        except ItemError as error:
            if error.code != "missing-option":
                raise
            choices = [one for one in error.remedies if isinstance(one, ChooseOption)]
            if not choices:
                raise self._untold() from error
            for value in choices[0].values:
                try:
                    yield from self._sounds(cls, {choices[0].option: value})
                except ItemError as inner:
                    yield self._inspection(str(value), error=inner)

    def _untold(self) -> UsageError:
        return UsageError(
            f"{one_line(self.path)} does not tell what it holds",
            code="nothing-to-inspect",
            remedies=(RunCommand(("tonearm", "plugins", self.entry.name), when="to see which options to give"),),
        )

    def _sounds(self, cls: Any, options: Mapping[str, Any]) -> Iterator[Inspection]:
        """Yield the inspection of each item that a decoder with these options yields."""
        decoder = cls(default_options(ports_of(cls).options, self.registry, **options))
        spec = decoder.look(self.source)
        if (spec.channels or 1) * (spec.length or 0) > MAX_DECODED_SAMPLES:
            shape = (spec.channels or 1, spec.length or 0)
            yield self._inspection(shape=shape, guess=describe_sound_file(None, spec.sample_rate or 0))
            return
        for item in decoder.decode(self.source, self.context):
            if isinstance(item, ItemError):
                yield self._inspection(error=item)
            elif isinstance(item.signal, Waveform):
                yield self._waveform(item.key, item.signal, options)
            elif isinstance(item.signal, CodecTokens):
                yield self._inspection(item.key, item.signal.block_array(), guess=describe_tokens(item.signal))

    def _waveform(self, key: str, waveform: Waveform, options: Mapping[str, Any] = MappingProxyType({})) -> Inspection:
        """Return the inspection of a sound, which needs no guessing."""
        samples = waveform.samples
        description = describe_sound_file(compute_statistics(samples), waveform.sample_rate)
        preview = tuple(draw_preview(samples, ["channel", "time"], self.width))
        return self._inspection(key, samples, guess=replace(description, options=dict(options)), preview=preview)

    def keyed_arrays(self, cls: Any) -> Iterator[Inspection]:
        """Yield the inspection of each array of a file that holds arrays by name."""
        decoder = cls(default_options(ports_of(cls).options, self.registry, key="*"))
        with decoder.open_arrays(self.source, self.context) as arrays:
            keys = list(arrays)
            chosen = [key for key in keys if self.key is None or key == self.key or fnmatchcase(key, self.key)]
            if not chosen:
                message = f"there is no array {one_line(self.key or '')!r}" if keys else "there is no array"
                names = tuple(one_line(key, 60) for key in keys[:MAX_ARRAYS])
                raise ItemError(message, code="no-such-key", remedies=(ChooseOption("key", names),) if names else ())
            statements, lengths = Statements(arrays), lengths_among(arrays, keys)
            for key in chosen[:MAX_ARRAYS]:
                try:
                    array = arrays[key]
                except ItemError as error:
                    yield self._inspection(key, error=error)
                    continue
                if isinstance(array, Waveform):
                    yield self._waveform(key, array)
                elif key in lengths and len(chosen) > 1:
                    yield self._inspection(key, array, note=f"lengths from {array.min():g} to {array.max():g}")
                elif array.ndim:
                    yield self._inspect_array(key, array, rate_among(statements.about(key)), lengths)
                else:
                    yield self._inspection(key, note=f"a single number: {array}")
        if len(chosen) > MAX_ARRAYS:
            yield self._inspection(
                note=f"{len(chosen) - MAX_ARRAYS} more arrays are not inspected; --key NAME inspects one"
            )

    def array_stream(self, cls: Any) -> Iterator[Inspection]:
        """Yield the inspection of each array of a file that gives its arrays one after the other."""
        options = ports_of(cls).options
        keyed = issubclass(options, KeyedArrayOptions)
        decoder = cls(default_options(options, self.registry, **({"key": self.key or "*"} if keyed else {})))
        for number, found in enumerate(decoder.arrays(self.source, self.context)):
            if number == MAX_ARRAYS:
                yield self._inspection(note="more arrays are not inspected")
                return
            if isinstance(found, ItemError):
                yield self._inspection(error=found)
            else:
                key, array = found
                if isinstance(array, Waveform):
                    yield self._waveform(key, array)
                else:
                    yield self._inspect_array(key, array, None)

    def _inspect_array(
        self, key: str, array: Any, stated: StatedRate | None, lengths: Mapping[str, Any] = MappingProxyType({})
    ) -> Inspection:
        """Return the inspection of an array.

        Parameters
        ----------
        key
            Name of the array.
        array
            Array.
        stated
            Sample rate that the file states.
        lengths
            Arrays of the file that may hold true lengths, by name.
        """
        measurements = self.context.drain().measurements
        rate = None
        if stated is not None and stated.other is None:
            rate = stated.rate, f"the file has {stated.origin}"
        if "sample_rate" in measurements:
            rate = int(measurements["sample_rate"]), "from the file"
        declared = {name: value for name, value in measurements.items() if isinstance(value, str)}
        try:
            guessed = guess(compute_statistics(array), self.registry, rate=rate, declared=declared)
            guessed = with_padding(guessed, array, lengths)
        except ItemError as error:
            return self._inspection(key, array, error=error)
        axes = guessed.options.get("axes", [])
        lines = draw_preview(array, axes if UNKNOWN not in axes[-1:] else [], self.width)
        return self._inspection(key, array, guess=guessed, preview=tuple(lines))

    def _inspection(self, key: str = "", array: Any = None, **fields: Any) -> Inspection:
        if array is not None:
            fields |= {"shape": tuple(array.shape), "dtype": array.dtype.name}
        return Inspection(file=self.path, decoder=self.entry.name, key=key, **fields)
