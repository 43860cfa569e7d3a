"""``mu-law-decode``: a waveform from the mu-law classes or companded values of WaveNet and similar models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import (
    BlockTransform,
    Context,
    EachBlock,
    GiveOption,
    ItemError,
    Meta,
    OptionError,
    Remedy,
    SetOption,
    Spec,
    StartedTransform,
    Waveform,
)

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


class MuLawDecode(BlockTransform[Waveform, Waveform, MuLawDecodeOptions]):
    """Expand mu-law as WaveNet and torchaudio define it; for bytes of G.711, use pcm-reader with encoding: mulaw."""

    keeps_double = True
    any_blocks = True

    def produces(self, spec: Spec) -> Spec:
        """Return the spec; class indices in double precision are refused."""
        if self.options.values == "indices" and spec.precision == "double":
            raise OptionError(
                "class indices become a waveform in single precision, but the input has precision: double",
                option="values",
                code="loses-precision",
                remedies=(SetOption("precision", "single", stage="input"),),
            )
        return spec.replace(
            signals=(Waveform,), precision="single" if self.options.values == "indices" else spec.precision
        )

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the expansion, which gives float32 for class indices."""
        return EachBlock(self._decoded)

    def _decoded(self, block: Array) -> Array:
        from tonearm_plugins.dsp.mu_law import mu_law_decode, mu_law_expand

        expand = mu_law_decode if self.options.values == "indices" else mu_law_expand
        try:
            return expand(block, self.options.quantization_channels)
        except ValueError as error:
            raise ItemError(str(error), code="not-mu-law", remedies=self._remedies(block)) from error

    def _remedies(self, samples: Array) -> tuple[Remedy, ...]:
        """Return the remedies for values that are not what the options say: whole numbers are classes."""
        import numpy as np

        options = self.options
        finite = samples[np.isfinite(samples)]
        low, high = float(finite.min(initial=0)), float(finite.max(initial=0))
        whole, half = bool((finite == np.rint(finite)).all()), options.quantization_channels // 2
        more = GiveOption("quantization_channels", "number of classes")
        if whole and low < 0:  # as librosa.mu_compress counts them
            signed = "if they are signed classes"
            if low < -half or high >= half:
                return (more,)
            if options.values == "indices":
                return (SetOption("values", "companded", signed),)
            return (SetOption("full_scale", half, signed, stage="input"),)
        if options.values == "indices":
            keep = SetOption("full_scale", 1, "to keep whole numbers as they are", stage="input")
            companded = SetOption("values", "companded", "if they are companded")
            return (more,) if whole else (keep, companded) if max(-low, high) <= 1 else (keep,)
        return (SetOption("values", "indices", "if they are class indices"),) if whole else ()
