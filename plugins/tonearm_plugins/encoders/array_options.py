"""Options ``dtype`` and ``squeeze`` of encoders that write arrays, and the array that they describe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tonearm.api import (
    Context,
    InsertStep,
    ItemError,
    Meta,
    OptionError,
    PcmOptions,
    RemoveOption,
    SetOption,
    Signal,
    Waveform,
    as_written,
    pcm_blocks,
)

if TYPE_CHECKING:
    import numpy as np

DtypeName = Literal["float16", "float32", "float64", "complex64", "complex128", "int16", "int32"]
Dtype = Annotated[
    DtypeName | None,
    Meta(
        description="Type of the array, as NumPy names it; by default that of the signal, usually float32 or"
        " complex64. Integers are for waveforms, which are rounded to the full scale of the type."
    ),
]
Squeeze = Annotated[
    bool, Meta(description="Whether the axis of a single channel is dropped: (samples,), (bins, frames).")
]


@dataclass(frozen=True, kw_only=True)
class ArrayWriterOptions(PcmOptions):
    """Options of an encoder that writes arrays."""

    dtype: Dtype = None
    squeeze: Squeeze = False


def check_dtype(options: ArrayWriterOptions, signals: Iterable[type[Signal]]) -> None:
    """Raise `OptionError` if the type cannot hold the values of any of the signals."""
    dtype = options.dtype
    ports = {signal.port for signal in signals if signal is not Signal}
    if dtype is not None and ports == {"complex"} and not dtype.startswith("complex"):
        remedies = (SetOption("dtype", "complex64"), InsertStep("istft", when="for a waveform"))
        raise OptionError(f"{dtype} cannot hold complex values", option="dtype", remedies=remedies)
    if dtype is not None and dtype.startswith("int") and ports and "waveform" not in ports:
        raise OptionError(
            f"{dtype} is for waveforms, which have a full scale",
            option="dtype",
            remedies=(SetOption("dtype", "float32"),),
        )
    if options.dither and (dtype is None or not dtype.startswith("int")):
        raise OptionError(
            "dither is only for integers",
            option="dither",
            remedies=(SetOption("dtype", "int16"), RemoveOption("dither")),
        )


def array_of(signal: Signal, options: ArrayWriterOptions, context: Context) -> np.ndarray[Any, Any]:
    """Return the array of a signal with the type and shape that the options ask for.

    The axes of a mel spectrogram are in the order of its recipe.

    Raises
    ------
    ItemError
        The signal does not have exactly one array, or the type cannot hold its values.
    """
    import numpy as np

    arrays = as_written(signal)
    if len(arrays) != 1:
        raise ItemError(f"a {signal.port} has {len(arrays)} arrays, but the file holds one", code="wrong-type")
    array = arrays[0]
    if options.squeeze and array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    if options.dtype is None:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
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
