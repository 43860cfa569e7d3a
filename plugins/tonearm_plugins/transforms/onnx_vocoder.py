"""``onnx-vocoder``: a neural vocoder in an ONNX file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import (
    Context,
    ItemError,
    Latents,
    MelDialect,
    MelSpectrogram,
    Meta,
    Spec,
    Waveform,
)
from tonearm_plugins.networks.onnx_transform import OnnxTransform
from tonearm_plugins.networks.options import NetworkOptions
from tonearm_plugins.networks.trained_dialect import check_trained_dialect, conversion_remedies, trained_mismatch


@dataclass(frozen=True, kw_only=True)
class OnnxVocoderOptions(NetworkOptions):
    """Options of ``onnx-vocoder``."""

    dialect: Annotated[
        MelDialect | None,
        Meta(
            description="Recipe of mel spectrograms that the model was trained for; any other is refused. Latents need"
            " none.",
            examples=["hifigan"],
        ),
    ] = None


class OnnxVocoder(OnnxTransform[MelSpectrogram | Latents, OnnxVocoderOptions]):
    """Turn a mel spectrogram or latents into sound with a neural vocoder in an ONNX file."""

    instead = "let the model make the sound, or collect the frames and save them"

    @property
    def recipe(self) -> MelDialect | None:
        """Recipe that the model was trained for."""
        return self.options.dialect

    def apply(self, signal: MelSpectrogram | Latents, context: Context) -> Waveform:
        """Return the waveform."""
        trained = self.recipe
        if isinstance(signal, MelSpectrogram) and (reason := trained_mismatch(trained, signal.dialect)):
            raise ItemError(reason, code="dialect-mismatch", remedies=conversion_remedies(trained))
        return super().apply(signal, context)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform at the recipe's rate, whose length the model decides."""
        given = spec.carried.get(MelDialect)
        if isinstance(given, MelDialect):
            check_trained_dialect(self.recipe, given)
        return super().produces(spec)
