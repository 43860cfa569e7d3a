"""Options and steps shared by the decoders whose files hold nothing but sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import ArrayOptions, Context, Meta, NanPolicy, Waveform, read_array

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

FullScale = Annotated[
    float | None,
    Meta(
        gt=0,
        description="Value of full scale in files of floats beyond ±1.0: 32768 for floats that hold 16-bit samples.",
    ),
]
NonFinite = Annotated[
    NanPolicy,
    Meta(
        description="Treatment of NaN and infinity in files of floats: error refuses the item, zero replaces them with"
        " 0, keep leaves them to a later step (an encoder needs finite values)."
    ),
]


def waveforms(
    samples: Array,
    axes: Sequence[Literal["channel", "time"]],
    *,
    sample_rate: int,
    full_scale: float | None,
    nan: NanPolicy,
    context: Context,
) -> Iterator[Waveform]:
    """Yield the waveform of an array of samples.

    Parameters
    ----------
    samples
        Samples of any number type, with two axes. Those of float64 stay in double precision.
    axes
        Names of the axes, in the array's order.
    sample_rate
        Sample rate in Hz.
    full_scale
        Value of full scale among floats; None if they are within ±1.0.
    nan
        Treatment of NaN and infinity.
    context
        Context of the item.

    Raises
    ------
    ItemError
        As for `tonearm.api.read_array`.
    """
    from tonearm.api import WaveformKind, WaveformOptions

    options = ArrayOptions(
        kind=WaveformKind(WaveformOptions(sample_rate=sample_rate, full_scale=full_scale)),
        axes=list(axes),
        precision="double" if samples.dtype == "f8" else "single",
        nan=nan,
    )
    for signal in read_array(samples, options, context):
        if isinstance(signal, Waveform):
            yield signal
