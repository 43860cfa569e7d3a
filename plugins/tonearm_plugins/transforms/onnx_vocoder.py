"""``onnx-vocoder``: a neural vocoder in an ONNX file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import (
    Advice,
    Context,
    InsertStep,
    ItemError,
    Latents,
    MelDialect,
    MelSpectrogram,
    Meta,
    OptionError,
    Remedy,
    Spec,
    Waveform,
)
from tonearm_plugins.networks.onnx_transform import OnnxTransform
from tonearm_plugins.networks.options import NetworkOptions

NAMED = 4
"""Largest number of differences between recipes that an error names."""


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
    def dialect(self) -> MelDialect | None:
        """Recipe that the model was trained for."""
        return self.options.dialect

    def apply(self, signal: MelSpectrogram | Latents, context: Context) -> Waveform:
        """Return the waveform."""
        if isinstance(signal, MelSpectrogram) and (reason := self._mismatch(signal.dialect)):
            raise ItemError(reason, code="dialect-mismatch", remedies=self._remedies())
        return super().apply(signal, context)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform at the recipe's rate, whose length the model decides."""
        given = spec.carried.get(MelDialect)
        if isinstance(given, MelDialect) and (reason := self._mismatch(given)):
            raise OptionError(reason, option="dialect", code="dialect-mismatch", remedies=self._remedies())
        return super().produces(spec)

    def _mismatch(self, given: MelDialect) -> str:
        """Return how a signal's recipe differs from the model's, or an empty text if it does not."""
        wanted = self.options.dialect
        differences = wanted.differences(given) if wanted else ()
        if not differences or wanted is None:
            return ""
        more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
        return (
            f"the vocoder takes the recipe {wanted.label}, but the mel spectrogram is in {given.label}:"
            f" {', '.join(differences[:NAMED])}{more}"
        )

    def _remedies(self) -> tuple[Remedy, ...]:
        """Return the remedies for a mel spectrogram of another recipe."""
        wanted = self.options.dialect
        options = {"dialect": wanted.name} if wanted and wanted.name else {}
        return (
            InsertStep("wave-to-mel", options, first=("mel-to-wave",), when="to convert one recipe into the other"),
            Advice("check both recipes"),
        )
