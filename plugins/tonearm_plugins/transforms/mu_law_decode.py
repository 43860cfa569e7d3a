"""``mu-law-decode``: a waveform from the mu-law classes or companded values of WaveNet and similar models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import Context, GiveOption, ItemError, Meta, OptionError, SetOption, Spec, Transform, Waveform

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


@dataclass(frozen=True, kw_only=True)
class MuLawDecodeOptions:
    """Options of ``mu-law-decode``."""

    values: Annotated[
        Literal["indices", "companded"],
        Meta(
            description="Contents of the array: class indices, which need full_scale: 1 in the decoder, or companded"
            " values from -1 to 1."
        ),
    ]
    quantization_channels: Annotated[
        int, Meta(ge=2, le=1 << 16, description="Number of classes of the model; mu is one less.")
    ] = 256


class MuLawDecode(Transform[Waveform, Waveform, MuLawDecodeOptions]):
    """Expand mu-law as WaveNet and torchaudio define it; for bytes of G.711, use pcm-reader with encoding: mulaw."""

    keeps_double = True

    def produces(self, spec: Spec) -> Spec:
        """Return the spec; class indices in double precision are refused."""
        if self.options.values == "indices" and spec.precision == "double":
            raise OptionError(
                "class indices become a waveform in single precision, but the input has precision: double",
                option="values",
                code="loses-precision",
                remedies=(SetOption("precision", "single", stage="input"),),
            )
        return spec.replace(signals=(Waveform,))

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the expanded waveform; from class indices it is float32."""
        from tonearm_plugins.dsp.mu_law import mu_law_decode, mu_law_expand

        indices = self.options.values == "indices"
        try:
            samples = (mu_law_decode if indices else mu_law_expand)(signal.samples, self.options.quantization_channels)
        except ValueError as error:
            keep = SetOption("full_scale", 1, "to keep whole numbers as they are", stage="input")
            classes = GiveOption("quantization_channels", "number of classes")
            scaled = (keep,) if _were_whole(signal.samples) and not _are_whole(signal.samples) else ()
            whole = (SetOption("values", "indices", "if they are class indices"),) if _are_whole(signal.samples) else ()
            remedies = (*scaled, classes) if indices else whole
            raise ItemError(str(error), code="not-mu-law", remedies=remedies) from error
        return Waveform(samples=samples, sample_rate=signal.sample_rate)


def _are_whole(samples: Array) -> bool:
    """Return whether all samples are whole numbers, as class indices are."""
    return bool((samples == samples.round()).all() and samples.max() > 1)


def _were_whole(samples: Array) -> bool:
    """Return whether samples were integers of 8, 16 or 32 bits before full scale became 1."""
    return any(bool((samples * scale == (samples * scale).round()).all()) for scale in (2**7, 2**15, 2**31))
