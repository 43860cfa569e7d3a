"""Reading of an array as signals, one for each element of its batch axis, as the options describe it.

``check`` imports this module, but reads no array: what only few arrays need is imported in functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tonearm.arrays.axes import arrange
from tonearm.arrays.extent import extent_of, finite_extent_of
from tonearm.arrays.kinds import KINDS, AxisName, KindName
from tonearm.arrays.not_finite import not_finite_error, replace_not_finite
from tonearm.arrays.options import MAGNITUDE_KINDS, ArrayOptions
from tonearm.arrays.scale import check_range, to_full_scale, to_magnitude
from tonearm.errors import ChooseOption, ItemError, RemoveOption, SetOption
from tonearm.recipes.catalogue import Catalogue
from tonearm.recipes.mel import MelDialect, MelSpectrogram
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, Signal, StftGrid, Waveform

if TYPE_CHECKING:
    from tonearm.typing import Array


def read_array(
    array: Array,
    options: ArrayOptions,
    *,
    warn: Callable[[str], None],
    lengths: Array | None = None,
    imag: Array | None = None,
    phase: Array | None = None,
    dialects: Callable[[], Catalogue[MelDialect]] = lambda: Catalogue(MelDialect),
) -> Iterator[Signal | ItemError]:
    """Yield the signals of an array, one for each element of its batch axis.

    If one of several elements cannot be read, its `ItemError` takes its place, and the others follow.

    Parameters
    ----------
    array
        Array of any dtype; a mapped array of float32 or complex64 stays mapped.
    options
        Options that describe the array.
    warn
        Function called with each warning.
    lengths
        True length of each element along its time or frame axis, of shape (batch,). The rest is padding and is cropped.
    imag
        Imaginary parts, with the shape of ``array``, which then holds the real parts.
    phase
        Phases in radians, with the shape of ``array``, which then holds magnitudes, powers or decibels.
    dialects
        Function that returns all dialects, used to suggest those that fit.

    Raises
    ------
    ItemError
        If the array contradicts the options, is ambiguous, or holds NaN or infinity.
    """
    array = _numbers(array)
    kind = options.kind or _kind_of(array)
    grid = options.grid() if "bin" in KINDS[kind].axes else None
    sizes: dict[AxisName, int] = {"bin": grid.bins} if grid else {}
    if options.axes and "complex" in options.axes:
        from tonearm.arrays.complex_parts import check_real

        sizes["complex"] = 2
        check_real(array, "an axis of real and imaginary parts")
    if kind == "mel":
        from tonearm.arrays.mel_arrays import arrange_mel, check_mel

        batch = arrange_mel(_real(array, kind), options, dialects)
    else:
        batch = arrange(array, kind, options.axes, sizes)
    if lengths is not None:
        lengths = _checked_lengths(lengths, batch.shape)
    second = _second(array, kind, options, sizes, imag, phase)
    for index in range(batch.shape[0]):
        end = None if lengths is None else int(lengths[index])
        values, other = batch[index][..., :end], None if second is None else second[index][..., :end]
        try:
            if options.axes and "complex" in options.axes:
                values, other = values[0], values[1]
            if other is not None and phase is None:
                from tonearm.arrays.complex_parts import from_real_and_imaginary

                values = from_real_and_imaginary(values, other, double=options.precision == "double")
            signal = _signal(values, kind, grid, options, warn)
            if isinstance(signal, MelSpectrogram):
                signal = check_mel(signal, warn, dialects)
            yield signal if phase is None or other is None else _with_phase(signal, other, options)
        except ItemError as error:
            if batch.shape[0] == 1:
                raise
            yield error


def _second(
    array: Array,
    kind: KindName,
    options: ArrayOptions,
    sizes: dict[AxisName, int],
    imag: Array | None,
    phase: Array | None,
) -> Array | None:
    """Return the imaginary parts or phases, with the same axes as the array."""
    given, names = (imag, ("real parts", "imaginary parts")) if phase is None else (phase, ("magnitudes", "phases"))
    if given is None:
        return None
    from tonearm.arrays.complex_parts import check_parts

    given = _numbers(given)
    check_parts(array, given, names)
    return arrange(given, kind, options.axes, sizes)


def _with_phase(signal: Signal, phase: Array, options: ArrayOptions) -> Signal:
    if not isinstance(signal, MagnitudeSpectrogram):
        raise ItemError(f"a {signal.port} has no phase", code="kind-mismatch", remedies=(MAGNITUDE_KINDS,))
    from tonearm.arrays.complex_parts import from_magnitude_and_phase

    values = from_magnitude_and_phase(signal.values, phase, options.nan)
    return ComplexSpectrogram(values=values, grid=signal.grid, length=signal.length)


def _numbers(array: Array) -> Array:
    """Return an array of numbers in this machine's byte order, or raise `ItemError` if it holds anything else."""
    if array.dtype.kind not in "iufc":
        what = {"O": "Python objects", "b": "true and false", "V": "raw bytes or records", "U": "text", "S": "text"}
        raise ItemError(
            f"the array holds {what.get(array.dtype.kind, str(array.dtype))}, not numbers",
            code="not-numbers",
            hint="save it as float32",
        )
    if array.ndim == 0:
        raise ItemError(f"it is a single number, {array}, not an array", code="scalar", hint="check what was saved")
    if array.size == 0:
        raise ItemError(f"the array is empty: its shape is {array.shape}", code="empty")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _kind_of(array: Array) -> KindName:
    """Return the kind of an array, if it is certain."""
    if array.dtype.kind == "c":
        return "complex"
    if array.ndim == 1:
        return "waveform"
    raise ItemError(
        f"cannot tell what a real array of shape {array.shape} holds",
        code="unknown-kind",
        remedies=(ChooseOption("kind", tuple(kind for kind in KINDS if kind != "complex")),),
    )


def _checked_lengths(lengths: Array, shape: tuple[int, ...]) -> Array:
    """Return one length per element. Models write (batch,), (batch, 1), or a single number for one element."""
    lengths = lengths.reshape(1) if lengths.ndim == 0 and shape[0] == 1 else lengths
    if lengths.ndim == 0 or lengths.size != shape[0] or len(lengths) != shape[0] or lengths.dtype.kind not in "iu":
        raise ItemError(
            f"lengths is {lengths.dtype} of shape {lengths.shape}, not a whole number for each of {shape[0]} elements",
            code="bad-lengths",
        )
    if lengths.min() < 1 or lengths.max() > shape[-1]:
        raise ItemError(
            f"lengths go from {lengths.min()} to {lengths.max()}, but the padded axis has {shape[-1]}",
            code="bad-lengths",
            hint="lengths count samples of a waveform or frames of a spectrogram",
        )
    return lengths.reshape(-1)


def _signal(
    values: Array, kind: KindName, grid: StftGrid | None, options: ArrayOptions, warn: Callable[[str], None]
) -> Signal:
    """Return one signal; its values are checked once, then scaled."""
    double = options.precision == "double"
    extent = extent_of(values)
    if not extent.finite:
        if options.nan == "error":
            raise not_finite_error(values, f"{kind} array")
        extent = finite_extent_of(values)  # the checks below are for the other values
        if options.nan == "zero":
            values = replace_not_finite(values)
            warn("NaN or infinite values taken as 0")
    if kind not in ("waveform", "db"):
        check_range(kind, extent)
    if kind == "mel" and options.dialect is not None:
        floats = _real(values, kind).astype("float64" if double else "float32", copy=False)
        return MelSpectrogram(values=floats, dialect=options.dialect, length=options.length)
    if grid is None:
        samples = to_full_scale(_real(values, kind), options.full_scale, extent, double=double)
        return Waveform(samples=samples, sample_rate=options.rate or 0)
    if kind == "complex":
        if values.dtype.kind != "c":
            raise ItemError(
                "the array is real, but kind is complex",
                code="kind-mismatch",
                remedies=(
                    SetOption(
                        "axes", ["bin", "frame", "complex"], when="if it has an axis of real and imaginary parts"
                    ),
                    SetOption("kind", "magnitude"),
                ),
            )
        spectrum = values.astype("complex128" if double else "complex64", copy=False)
    else:
        floats = _real(values, kind).astype("float64" if double else "float32", copy=False)
        spectrum = to_magnitude(floats, kind, extent, warn)
    made = ComplexSpectrogram if kind == "complex" else MagnitudeSpectrogram
    return made(values=spectrum, grid=grid, length=options.length)


def _real(values: Array, kind: KindName) -> Array:
    if values.dtype.kind == "c":
        raise ItemError(
            f"the array is complex, but a {kind} is real",
            code="kind-mismatch",
            remedies=(SetOption("kind", "complex"), RemoveOption("kind")),
        )
    return values
