"""Options ``dtype``, ``squeeze`` and ``layout`` of encoders that write arrays, and the arrays that they describe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec.structs import replace

from tonearm.api import (
    Advice,
    CodecTokens,
    Context,
    InsertStep,
    Item,
    ItemError,
    LaidTokens,
    Meta,
    OptionError,
    PcmOptions,
    RemoveOption,
    SetOption,
    Signal,
    Spec,
    TagOptions,
    TokenLayout,
    Waveform,
    as_written,
    pcm_blocks,
)

if TYPE_CHECKING:
    import numpy as np

DtypeName = Literal[
    "float16", "float32", "float64", "complex64", "complex128", "int16", "int32", "int64", "uint16", "uint32"
]
Dtype = Annotated[
    DtypeName | None,
    Meta(
        description="Type of the array, as NumPy names it; by default that of the signal, usually float32 or"
        " complex64. int16 and int32 are for waveforms, which are rounded to the full scale of the type, and, with"
        " int64, uint16 and uint32, for codec tokens."
    ),
]
Squeeze = Annotated[
    bool, Meta(description="Whether the axis of a single channel is dropped: (samples,), (bins, frames).")
]

_TOKENS = CodecTokens.port
_OF_SOUND = ("int16", "int32")
"""Types of integers that samples may have."""


@dataclass(frozen=True, kw_only=True)
class ArrayWriterOptions(PcmOptions):
    """Options of an encoder that writes arrays."""

    dtype: Dtype = None
    squeeze: Squeeze = False
    layout: Annotated[
        TokenLayout | None,
        Meta(
            description="Layout in which codec tokens are written, as a model writes them: a name, or its figures. By"
            " default the codes themselves are written, for each channel, book and frame."
        ),
    ] = None


def check_layout(layout: TokenLayout | None, spec: Spec) -> None:
    """Raise `OptionError` if signals of a specification cannot be written in a layout."""
    if layout is None:
        return
    if all(signal is not Signal and signal.port != _TOKENS for signal in spec.signals):
        ports = " or ".join(signal.port for signal in spec.signals)
        message = f"a layout is for codec tokens, but this is {ports}"
        raise OptionError(message, option="layout", remedies=(RemoveOption("layout"),))
    if layout.obstacle:
        raise OptionError(
            f"tokens cannot be written in the layout {layout.label}: {layout.obstacle}",
            option="layout",
            code="layout-not-invertible",
            hint="write them without a layout, or in another one",
        )


def laid_item(item: Item[Signal], layout: TokenLayout | None) -> Item[Signal]:
    """Return an item whose tokens are in a layout; without one, the item itself."""
    if layout is None or not isinstance(item.signal, CodecTokens):
        return item
    return replace(item, signal=LaidTokens(item.signal, layout))


def warn_of_segments(signal: Signal, options: TagOptions, context: Context) -> None:
    """Warn if a file without metadata drops the segments of tokens or their factors, and none beside it has them."""
    laid = signal if isinstance(signal, LaidTokens) else None
    tokens = laid.tokens if laid else signal
    if not isinstance(tokens, CodecTokens) or options.provenance:
        return
    lost = [] if not tokens.segments or (laid and laid.has_segments) else [f"segments: {list(tokens.segments)}"]
    if tokens.scales:
        lost.append(f"scales: {list(tokens.scales)}")
    if lost:
        context.warn(
            f"the file does not hold what the codec's decoder needs beside the codes: {', '.join(lost)}; .safetensors"
            " does, and 'provenance: true' puts it into a file beside this one"
        )


def check_arrays(options: ArrayWriterOptions, spec: Spec) -> None:
    """Raise `OptionError` if a type or a layout cannot hold signals of a specification."""
    check_dtype(options, spec.signals)
    check_layout(options.layout, spec)
    if options.layout is not None and options.layout.form == "text":
        other = options.layout.other_form
        remedies = (SetOption("layout", other, "for ids"),) if other else ()
        raise OptionError(
            f"the layout {options.layout.label} is of text, not of arrays",
            option="layout",
            remedies=(*remedies, Advice("write text by tokens-writer")),
        )


def check_dtype(options: ArrayWriterOptions, signals: Iterable[type[Signal]]) -> None:
    """Raise `OptionError` if the type cannot hold the values of any of the signals."""
    dtype = options.dtype
    ports = {signal.port for signal in signals if signal is not Signal}
    is_whole = dtype is not None and dtype.lstrip("u").startswith("int")
    if dtype is not None and ports == {"complex"} and not dtype.startswith("complex"):
        remedies = (SetOption("dtype", "complex64"), InsertStep("istft", when="for a waveform"))
        raise OptionError(f"{dtype} cannot hold complex values", option="dtype", remedies=remedies)
    if dtype is not None and not is_whole and ports == {_TOKENS}:
        message = f"{dtype} is for sound and spectra, and codes are whole numbers"
        raise OptionError(message, option="dtype", remedies=(SetOption("dtype", "int32"),))
    if is_whole and ports and not ports & {"waveform", _TOKENS}:
        raise OptionError(
            f"{dtype} is for waveforms, which have a full scale",
            option="dtype",
            remedies=(SetOption("dtype", "float32"),),
        )
    if is_whole and dtype not in _OF_SOUND and ports and _TOKENS not in ports:
        message = f"{dtype} is for codec tokens"
        raise OptionError(message, option="dtype", remedies=(SetOption("dtype", "int16"),))
    if options.dither and dtype not in _OF_SOUND:
        answers = (SetOption("dtype", "int16"), RemoveOption("dither"))
        raise OptionError("dither is only for integers", option="dither", remedies=answers)
    if options.dither and ports == {_TOKENS}:
        raise OptionError("dither is only for waveforms", option="dither", remedies=(RemoveOption("dither"),))


def array_of(signal: Signal, options: ArrayWriterOptions, context: Context) -> np.ndarray[Any, Any]:
    """Return the array of a signal with the type and shape that the options ask for.

    The axes of a mel spectrogram are in the order of its recipe.

    Raises
    ------
    ItemError
        The signal does not have exactly one array, or the type cannot hold its values.
    """
    arrays = as_written(signal)
    if len(arrays) != 1:
        if signal.port == _TOKENS:
            raise several_levels(len(arrays))
        raise ItemError(f"a {signal.port} has {len(arrays)} arrays, but the file holds one", code="wrong-type")
    return _array_of(arrays[0], signal, options, context)


def arrays_of(signal: Signal, options: ArrayWriterOptions, context: Context) -> list[np.ndarray[Any, Any]]:
    """Return the arrays of a signal as `array_of` does: of tokens, there may be one for each level."""
    if signal.port != _TOKENS:
        return [array_of(signal, options, context)]
    return [_array_of(array, signal, options, context) for array in as_written(signal)]


def several_levels(levels: int) -> ItemError:
    """Return the error for tokens with levels in a file that holds one array."""
    return ItemError(
        f"the tokens are arrays of {levels} levels, but a file of this format holds one array",
        code="wrong-type",
        hint="write .safetensors, or name a layout that has all levels in one sequence, such as orpheus",
    )


def _array_of(
    array: np.ndarray[Any, Any], signal: Signal, options: ArrayWriterOptions, context: Context
) -> np.ndarray[Any, Any]:
    """Return an array of a signal with the type and shape that the options ask for."""
    import numpy as np

    if options.squeeze and array.ndim > 1 and array.shape[0] == 1 and not isinstance(signal, LaidTokens):
        array = array[0]
    if options.dtype is None:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if signal.port == _TOKENS:
        return _codes_of(array, np.dtype(options.dtype))
    if options.dtype.startswith("int"):
        if not isinstance(signal, Waveform):
            raise ItemError(f"{options.dtype} is for waveforms, but this is {signal.port}", code="wrong-type")
        blocks = pcm_blocks(signal, int(options.dtype[3:]), context, options.generator(context))
        return np.concatenate(list(blocks)).T.reshape(array.shape)
    wanted = np.dtype(options.dtype)
    if array.dtype.kind == "c" and wanted.kind != "c":
        raise ItemError(f"{options.dtype} cannot hold complex values", code="wrong-type")
    with np.errstate(over="ignore"):
        made = array.astype(wanted)
    if not np.isfinite(made).all() and np.isfinite(array).all():
        raise ItemError(
            f"{options.dtype} cannot hold a value of {np.abs(array).max():g}",
            code="out-of-range",
            remedies=(SetOption("dtype", "float32"),),
        )
    return made


def _codes_of(array: np.ndarray[Any, Any], wanted: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return codes as another type of whole numbers, or raise `ItemError` if it cannot hold one of them."""
    import numpy as np

    if wanted.kind not in "iu":
        raise ItemError(f"{wanted} cannot hold codes, which are whole numbers", code="wrong-type")
    limits = np.iinfo(wanted)
    for value in (int(array.min()), int(array.max())):
        if not limits.min <= value <= limits.max:
            raise ItemError(
                f"{wanted} cannot hold the code {value}",
                code="out-of-range",
                remedies=(SetOption("dtype", "int32"),),
            )
    return array.astype(wanted)
