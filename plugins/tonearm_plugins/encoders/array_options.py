"""The array of a signal as a file is to hold it: its type, and whether one channel is an axis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from tonearm.api import Context, ItemError, Meta, OptionError, Signal, Waveform
from tonearm_plugins.encoders.pcm_options import Dithered, dither_of, pcm_blocks
from tonearm_plugins.formats.signal_metadata import as_written

if TYPE_CHECKING:
    import numpy as np

DtypeName = Literal["float16", "float32", "float64", "complex64", "complex128", "int16", "int32"]
Dtype = Annotated[
    DtypeName | None,
    Meta(
        description="NumPy's name of the type; that of the signal if not given, which is float32 or complex64 as a"
        " rule. Integers are for waveforms: rounded, full scale that of the type."
    ),
]
Squeeze = Annotated[
    bool, Meta(description="Whether a single channel is left out of the axes: (samples,), (bins, frames).")
]

_KINDS = {"f": "float", "c": "complex", "i": "int"}


class ArrayLike(Dithered, Protocol):
    """Options that say how an array is written."""

    @property
    def dtype(self) -> DtypeName | None:
        """The type."""

    @property
    def squeeze(self) -> bool:
        """Whether a single channel is no axis."""


def check_dtype(options: ArrayLike, signals: Iterable[type[Signal]]) -> None:
    """Raise `OptionError` if a type cannot hold the values of signals."""
    dtype = options.dtype
    ports = {signal.port for signal in signals if signal is not Signal}
    if dtype is not None and ports == {"complex"} and not dtype.startswith("complex"):
        raise OptionError(
            f"{dtype} cannot hold complex values", option="dtype", hint="complex64, or istft before it for a waveform"
        )
    if dtype is not None and dtype.startswith("int") and ports and "waveform" not in ports:
        raise OptionError(f"{dtype} is for waveforms, which have a full scale", option="dtype", hint="float32")
    if options.dither and (dtype is None or not dtype.startswith("int")):
        raise OptionError("dither is for what is rounded", option="dither", hint="dtype: int16, or leave dither out")


def the_array(signal: Signal, options: ArrayLike, context: Context) -> np.ndarray[Any, Any]:
    """Return the array of a signal, of the type and shape that options say; of a mel, as its dialect orders the axes.

    Raises
    ------
    ItemError
        If there is not exactly one, or the type cannot hold its values.
    """
    import numpy as np

    arrays = as_written(signal)
    if len(arrays) != 1:
        raise ItemError(f"a {signal.port} has {len(arrays)} arrays, and the file has room for one", code="wrong-type")
    array = arrays[0]
    if options.squeeze and array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    if options.dtype is None:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if options.dtype.startswith("int"):
        if not isinstance(signal, Waveform):
            raise ItemError(f"{options.dtype} is for waveforms, but this is {signal.port}", code="wrong-type")
        blocks = pcm_blocks(signal, int(options.dtype[3:]), context, dither_of(options, context))
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
            hint="dtype: float32",
        )
    return made
