"""Reading of an array as signals, one for each element of its batch axis, as the options describe it.

``check`` imports this module, but reads no array: what only few arrays need is imported in functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonearm.arrays.axes import arrange, reversed_error
from tonearm.arrays.conversion_memory import CHECKED_FROM, check_conversion
from tonearm.arrays.extent import extent_of, finite_extent_of
from tonearm.arrays.folded_axes import COMPLEX, PARTS, POLAR, REVERSED_POLAR, flat_names, unfold
from tonearm.arrays.not_finite import not_finite_error, replace_not_finite
from tonearm.arrays.options import ArrayOptions
from tonearm.arrays.values import converted, limit_error, numbers, real_or_complex
from tonearm.errors import ItemError
from tonearm.plugins.context import Context
from tonearm.plugins.kind import ArrayTraits, Kind
from tonearm.signals import ComplexSpectrogram, Signal

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_LENGTH = 2.0**53
"""Length from which not every whole number is a float."""


def read_array(
    array: Array,
    options: ArrayOptions,
    context: Context,
    *,
    lengths: Array | None = None,
    imag: Array | None = None,
    phase: Array | None = None,
) -> Iterator[Signal | ItemError]:
    """Yield the signals of an array, one for each element of its batch axis.

    If one of several elements cannot be read, its `ItemError` takes its place, and the others follow.

    Parameters
    ----------
    array
        Array of any dtype; a mapped array of float32 or complex64 stays mapped.
    options
        Options that describe the array.
    context
        Context of the item.
    lengths
        True length of each element along its last axis, of shape (batch,). The rest is padding and is cropped.
    imag
        Imaginary parts, with the shape of ``array``, which then holds the real parts.
    phase
        Phases in radians, with the shape of ``array``, for kinds that take them, such as magnitudes.

    Raises
    ------
    ItemError
        If the array contradicts the options, is ambiguous, or holds NaN or infinity.
    """
    if array.size >= CHECKED_FROM:
        check_conversion(array, options, parts=sum(part is not None for part in (imag, phase)))
    array = numbers(array)
    kind = options.read_kind.told_by(array, context)
    if (own := kind.read_whole([array], options.axes, lengths, context)) is not None:
        yield from own
        return
    axes = options.axes or (kind.axes_of(array) if imag is None else None)
    sizes = kind.sizes()
    part = next((name for name in PARTS if name in flat_names(axes)), None) if axes else None
    if part is not None:
        from tonearm.arrays.complex_parts import check_real

        sizes = {**sizes, part: 2}
        check_real(array, f"an axis of {'real and imaginary parts' if part == COMPLEX else 'magnitudes and phases'}")
    needs_parts = COMPLEX in kind.optional_axes and imag is None and array.dtype.kind != "c"
    lengths = None if lengths is None else _whole_lengths(lengths)
    named = lengths if lengths is not None and lengths.dtype.kind in "iu" and lengths.size else None
    batch = _arranged(array, kind, axes, sizes, context, needs_parts=needs_parts, lengths=named)
    if lengths is not None:
        lengths = _checked_lengths(lengths, batch.shape)
    second = _second(array, kind, axes, sizes, imag, phase, context, named)
    if part is None and imag is None:
        batch = real_or_complex(batch, kind, context)
    for index in range(batch.shape[0]):
        end = None if lengths is None else int(lengths[index])
        values, other = batch[index][..., :end], None if second is None else second[index][..., :end]
        try:
            if part is not None:
                if part == POLAR:
                    _check_polar(values)
                values, other = values[0], values[1]
            has_phase = phase is not None or part == POLAR
            if other is not None and not has_phase:
                from tonearm.arrays.complex_parts import from_real_and_imaginary

                values = from_real_and_imaginary(values, other, double=options.precision == "double")
            signal = _signal(values, kind, options, context)
            yield signal if other is None or not has_phase else _with_phase(signal, other, kind, options, context)
            del signal, values, other  # before the next ones are made
        except ItemError as error:
            if batch.shape[0] == 1:
                raise
            yield error


def _check_polar(values: Array) -> None:
    """Raise `ItemError` if phases come before magnitudes."""
    from tonearm.findings.layout import layout_along

    if not float(values[0].min()) >= 0 and layout_along(values, 0) == REVERSED_POLAR:
        raise reversed_error()


def _second(
    array: Array,
    kind: Kind[Any, Any],
    axes: Sequence[str] | None,
    sizes: Mapping[str, int],
    imag: Array | None,
    phase: Array | None,
    context: Context,
    lengths: Array | None,
) -> Array | None:
    """Return the imaginary parts or phases, with the same axes as the array."""
    given, names = (imag, ("real parts", "imaginary parts")) if phase is None else (phase, ("magnitudes", "phases"))
    if given is None:
        return None
    from tonearm.arrays.complex_parts import check_parts

    given = numbers(given)
    check_parts(array, given, names)
    return _arranged(given, kind, axes, sizes, context, lengths=lengths)


def _arranged(
    array: Array,
    kind: Kind[Any, Any],
    axes: Sequence[str] | None,
    sizes: Mapping[str, int],
    context: Context,
    *,
    needs_parts: bool = False,
    lengths: Array | None = None,
) -> Array:
    """Return a view of an array with its axes in order, as `arrange` does, without folded axes and with its bands."""
    if axes is not None:
        array, axes = unfold(array, axes, {} if kind.axis_parts() else sizes)
    if parts := kind.axis_parts():
        from tonearm.arrays.bands import take_bands

        array, axes = take_bands(array, axes, kind.axes, parts)
    return arrange(array, kind, axes, sizes, context, needs_parts=needs_parts, lengths=lengths)


def _with_phase(signal: Signal, phase: Array, kind: Kind[Any, Any], options: ArrayOptions, context: Context) -> Signal:
    """Return a signal with phases, which have their own NaN and infinity."""
    if kind.phase_gives is None:
        raise ItemError(f"a {kind.name} array has no phase", code="kind-mismatch")
    if options.nan != "keep" and not extent_of(phase).finite:
        if options.nan == "error":
            raise not_finite_error(phase, "phase array")
        phase = replace_not_finite(phase)
    from tonearm.arrays.phases import doubt_frames, doubt_phases

    doubts = len(context.doubts)
    doubt_phases(phase, context)
    made: Signal = kind.with_phase(signal, phase)
    if isinstance(made, ComplexSpectrogram) and len(context.doubts) == doubts:
        doubt_frames(made.values[0], made.grid, context)
    return made


_OF_LENGTHS = "lengths count samples of a waveform or frames of a spectrogram"


def _whole_lengths(lengths: Array) -> Array:
    """Return lengths as whole numbers, if they are that. MATLAB writes them as floats."""
    import numpy as np

    if lengths.dtype.kind == "f" and (np.abs(lengths) < MAX_LENGTH).all() and (lengths == np.rint(lengths)).all():
        return lengths.astype(np.int64)
    return lengths


def _checked_lengths(lengths: Array, shape: tuple[int, ...]) -> Array:
    """Return one length per element. Models write (batch,), (batch, 1), or a number for one; MATLAB (1, batch)."""
    lengths = lengths.reshape(1) if lengths.ndim == 0 and shape[0] == 1 else lengths
    is_flat = lengths.ndim > 0 and max(lengths.shape) == lengths.size == shape[0]
    if not is_flat or lengths.dtype.kind not in "iu":
        raise ItemError(
            f"lengths is {lengths.dtype} of shape {lengths.shape}, not a whole number for each of {shape[0]} elements",
            code="bad-lengths",
            hint=_OF_LENGTHS,
        )
    if lengths.min() < 1 or lengths.max() > shape[-1]:
        raise ItemError(
            f"lengths go from {lengths.min()} to {lengths.max()}, but the padded axis has {shape[-1]}",
            code="bad-lengths",
            hint=_OF_LENGTHS,
        )
    return lengths.reshape(-1)


def _signal(values: Array, kind: Kind[Any, Any], options: ArrayOptions, context: Context) -> Signal:
    """Return one signal; its values are checked once, then given to the kind."""
    double = options.precision == "double"
    may_be_left = context.may_leave_search and options.nan == "error" and not double
    if may_be_left and (unsearched := _unsearched(values, kind, context)) is not None:
        return unsearched
    extent = extent_of(values)
    if not extent.finite:
        if options.nan == "error":
            raise not_finite_error(values, f"{kind.name} array")
        extent = finite_extent_of(values)  # the checks below are for the other values
        if options.nan == "zero":
            values = replace_not_finite(values)
            context.warn("NaN or infinite values taken as 0")
    if extent.peak > kind.limit:
        raise limit_error(kind.name, extent.peak, kind.limit)
    signal: Signal = kind.read_known(
        converted(values, kind.dtype, double=double), ArrayTraits(extent.low, extent.high, double), context
    )
    return signal


def _unsearched(values: Array, kind: Kind[Any, Any], context: Context) -> Signal | None:
    """Return the signal of complex values that nobody has searched for NaN; None where that is needed first.

    That is so if the kind computes with them, or doubts them: an error about NaN tells more.
    """
    import numpy as np

    if kind.dtype != "complex" or values.dtype != np.complex64 or type(kind).read_known is not Kind.read_known:
        return None
    doubts = len(context.doubts)
    with np.errstate(all="ignore"):
        signal: Signal = kind.read(values, context)
    if len(context.doubts) > doubts or not np.may_share_memory(values, signal.arrays()[0]):
        del context.doubts[doubts:]
        return None
    context.is_unsearched = True
    return signal
