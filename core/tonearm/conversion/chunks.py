"""Chunks of a stream as arrays, read by one rule that arguments or the first chunk fix, and never by a guess per chunk.

A chunk that contradicts the rule is refused, with its number. Its values are those that the decoder of arrays would
give for the whole, so that it does not matter how a sound is cut.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tonearm.arrays.axes import arrange, inferred_axes
from tonearm.arrays.extent import extent_of, finite_extent_of
from tonearm.arrays.not_finite import not_finite_error, replace_not_finite
from tonearm.arrays.read import read_array
from tonearm.arrays.values import numbers
from tonearm.errors import ItemError, SetOption, TonearmError, UsageError
from tonearm.errors.text import counted
from tonearm.kinds.scale import to_full_scale, unknown_scale
from tonearm.pipeline.blame import placed
from tonearm.pipeline.checked import BoundPlugin
from tonearm.plugins.blocks import array_of
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.kind import ArrayTraits
from tonearm.plugins.ports import Spec, spec_of
from tonearm.signals import Codebooks, CodecTokens, LatentFormat, Signal

if TYPE_CHECKING:
    from tonearm.typing import Array

AUDIBLE_BITS = 16
"""Number of bits up to which signed integers use the whole range of their type, whatever a single chunk shows."""


class ChunkReader:
    """A reader of chunks.

    Parameters
    ----------
    decoder
        Decoder of arrays, whose options describe the chunks.
    channels
        Number of channels; None to take that of the first chunk.
    context
        Context that takes warnings.

    Attributes
    ----------
    number
        Number of chunks that were given, empty ones included.
    spec
        Specification of the signal. Until the first chunk that is not empty, channels and precision may be unknown.
    """

    def __init__(self, decoder: BoundPlugin, channels: int | None, context: Context) -> None:
        plugin = decoder.plugin
        assert isinstance(plugin, Decoder)
        self.number = 0
        self.spec: Spec = plugin.produces().replace(channels=channels, length=None, several=None)
        self._decoder = decoder
        self._options = plugin.options
        self._kind = plugin.options.read_kind
        self._context = context
        self._names: list[str] = []
        """Names of the axes of arrays, once they are known."""
        self._dtype: Any = None
        """Type of the first array's numbers."""
        self._result: Any = None
        """Type of the numbers that `read` gives."""

    def read(self, chunk: Any) -> Array | None:
        """Return the values of a chunk, of shape (channels, samples) or (channels, bins, frames); None if it is empty.

        Raises
        ------
        ItemError
            If the chunk contradicts the options or the first chunk, or its values cannot be sound.
        UsageError
            If it is no array.
        """
        self.number += 1
        try:
            values = self._of_signal(chunk) if isinstance(chunk, Signal) else self._of_array(chunk)
        except TonearmError as error:
            raise self._numbered(error) from error
        if values is not None and self._result is None:
            self._result = values.dtype
            precision = "double" if values.dtype.name in ("float64", "complex128") else "single"
            self.spec = self.spec.replace(channels=int(values.shape[0]), precision=precision)
        return values

    def _of_signal(self, chunk: Signal) -> Array | None:
        """Return the values of a signal, which describes itself."""
        found, known = spec_of(chunk), self.spec
        if not isinstance(chunk, known.signals):
            ports = " or ".join(cls.port for cls in known.signals)
            raise ItemError(f"it is a {chunk.port}, but the chunks are {ports}", code="kind-mismatch")
        if known.sample_rate is not None and found.sample_rate != known.sample_rate:
            message = f"it has {found.sample_rate} Hz, but sample_rate says {known.sample_rate}"
            raise ItemError(message, code="rate-mismatch", hint=f"open the stream with sample_rate={found.sample_rate}")
        different = [value for cls, value in found.carried.items() if not _agrees(known.carried.get(cls, value), value)]
        if different:
            what = type(different[0]).__name__
            raise ItemError(f"its {what} is not that of the stream", code="chunk-changed", hint="make all chunks alike")
        if self._options.of_kind("full_scale") is not None:
            message = "it is a signal, whose full scale is ±1.0, and full_scale describes arrays"
            raise ItemError(message, code="bad-option", hint="leave full_scale out")
        if self._options.nan != "error":
            message = "it is a signal, and nan describes arrays"
            raise ItemError(message, code="bad-option", hint="leave nan out, and give arrays where values may be NaN")
        values = array_of(chunk)
        if not values.shape[-1]:
            return None
        self._check_channels(values.shape[0])
        if not extent_of(values).finite:
            raise not_finite_error(values, chunk.port)
        if self._result is None:
            self.spec = known.carrying(*found.carried.values())
        return values if self._result is None else values.astype(self._result, copy=False)

    def _of_array(self, chunk: Any) -> Array | None:
        """Return the values of an array, a tensor, or a list of numbers."""
        if CodecTokens in self.spec.signals:
            from tonearm.recipes.tokens.chunks import refuse_chunk  # not at the top: few streams are of tokens

            refuse_chunk(self._options.of_kind("layout"))
        array = _as_array(chunk)
        if not array.size and array.ndim:
            return None
        array = numbers(array)
        if self._dtype is None:
            self._names = self._axes_of(array)
        else:
            self._check_type(array)
        values = self._of_samples(array) if self._kind.axes == ("time",) else self._of_frames(array)
        self._check_channels(values.shape[0])
        if self._dtype is None:
            self._dtype = array.dtype
        return values if self._result is None else values.astype(self._result, copy=False)

    def _of_samples(self, array: Array) -> Array:
        """Return samples of shape (channels, samples), with full scale at ±1.0."""
        kind = array.dtype.kind
        if kind == "c":
            hint = 'give its real part, or open the stream with kind="complex" for frames of a spectrogram'
            raise ItemError("it is complex, but samples are real", code="kind-mismatch", hint=hint)
        values = array[None] if array.ndim == 1 and self._names == ["time"] else self._arranged(array)[0]
        extent = extent_of(values)
        if not extent.finite:
            if self._options.nan == "error":
                raise not_finite_error(values, "waveform array")
            extent = finite_extent_of(values)
            if self._options.nan == "zero":
                values = replace_not_finite(values)
                self._context.warn("NaN or infinite values taken as 0")
        double = self._options.precision == "double"
        traits = ArrayTraits(extent.low, extent.high, double)
        full_scale = self._options.of_kind("full_scale")
        if full_scale is None and (kind == "u" or (kind == "i" and array.dtype.itemsize * 8 > AUDIBLE_BITS)):
            raise unknown_scale(array, traits)  # a chunk does not show whether the whole uses the range of the type
        scaled: Array = to_full_scale(values, full_scale, traits)
        return scaled

    def _of_frames(self, array: Array) -> Array:
        """Return frames of shape (channels, bins, frames), as the decoder reads them."""
        context = Context(catalogue=self._context.catalogue)
        options = dataclasses.replace(self._options, axes=self._names or None)
        (signal,) = read_array(array, options, context)
        if isinstance(signal, ItemError):
            raise signal
        for warning in context.warnings:
            self._context.warn(warning)
        if self._dtype is None:
            self.spec = replace(spec_of(signal), length=None, channels=self.spec.channels)
        return array_of(signal)

    def _arranged(self, array: Array) -> Array:
        """Return a view of an array with the axes batch, channel, and those of the kind."""
        names, long = self._names, sum(size != 1 for size in array.shape)
        if self._dtype is not None and self._options.axes is None and long > len(names):
            message = f"it has the shape {array.shape}, but the chunks before had the axes {' and '.join(names)}"
            raise ItemError(message, code="chunk-changed", hint="make all chunks alike")
        return arrange(array, self._kind, self._names, self._kind.sizes(), self._context)

    def _axes_of(self, array: Array) -> list[str]:
        """Return the names of the axes of the first array."""
        if CodecTokens in self.spec.signals:
            return list(self._options.axes or ())  # else those of the layout
        if self._options.axes is not None:
            return list(self._options.axes)
        channels, shape = self.spec.channels, array.shape
        needed = list(self._kind.axes)
        if array.ndim == len(needed) + 1 and channels is not None and channels > 1:
            places = [axis for axis, size in enumerate(shape) if size == channels]
            if needed == ["time"] and len(places) == 1:
                return ["channel", "time"] if places == [0] else ["time", "channel"]
            if needed != ["time"] and places == [0]:
                return ["channel", *inferred_axes(array[0], self._kind, self._kind.sizes(), self._context)]
            names: Sequence[str] = ["channel", *needed]
            message = f"the axes of shape {shape} are ambiguous"
            raise ItemError(message, code="ambiguous-axes", remedies=(SetOption("axes", list(names)),))
        return inferred_axes(array, self._kind, self._kind.sizes(), self._context)

    def _check_type(self, array: Array) -> None:
        """Raise `ItemError` if the numbers are of another type than before: integers have the scale of their type."""
        known, found = self._dtype, array.dtype
        if found == known or (found.kind == known.kind and known.kind in "fc"):
            return
        message = f"it holds {found.name}, but the chunks before held {known.name}"
        raise ItemError(message, code="chunk-changed", hint=f"convert it, as by array.astype({known.name!r})")

    def _check_channels(self, found: int) -> None:
        known = self.spec.channels
        if known is not None and found != known:
            is_first = self._result is None
            says = "channels says" if is_first else "the chunks before had"
            code = "channels-mismatch" if is_first else "chunk-changed"
            hint = f'open the stream with channels={found}, or name the axes, as in axes=["time", "channel"]'
            raise ItemError(f"it has {counted(found, 'channel')}, but {says} {known}", code=code, hint=hint)

    def _numbered(self, error: TonearmError) -> TonearmError:
        """Return an error that begins with the number of the chunk."""
        message = f"chunk {self.number}: {error.message}"
        numbered = (UsageError if isinstance(error, UsageError) else ItemError)(
            message, code=error.code, remedies=error.remedies
        )
        return placed(numbered, self._decoder)


def _agrees(known: object, found: object) -> bool:
    """Return whether a chunk carries what the stream does; what either does not know agrees with anything."""
    for cls in (Codebooks, LatentFormat):
        if isinstance(known, cls) and isinstance(found, cls):
            pairs = ((getattr(known, one.name), getattr(found, one.name)) for one in dataclasses.fields(cls))
            return all(first == second or first in ((), None) or second is None for first, second in pairs)
    return known == found


def _as_array(chunk: Any) -> Array:
    """Return a chunk as an array, or raise `UsageError` if it is something that only a whole sound is."""
    if isinstance(chunk, Mapping):
        raise UsageError("it is a mapping", code="not-an-array", hint='write one array of it, as in chunk["audio"]')
    if isinstance(chunk, (str, bytes)) or hasattr(chunk, "__fspath__"):
        hint = "make a NumPy array of it first" if isinstance(chunk, bytes) else "read it first, as by tonearm.read"
        raise UsageError(f"it is {type(chunk).__name__}, not samples", code="not-an-array", hint=hint)
    from tonearm.tensors import as_array  # not at the top: a path or a mapping needs no library

    return as_array(chunk)
