"""``transformers-vocoder``: a neural vocoder, run by Hugging Face's transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, MelDialect, MelSpectrogram, Meta, OptionError, Spec, StftGrid, Waveform
from tonearm_plugins.networks.failures import as_item_error
from tonearm_plugins.networks.model_config import VOCODERS, ModelConfig, VocoderFigures
from tonearm_plugins.networks.signal_checks import check_dialect
from tonearm_plugins.networks.trained_dialect import check_trained_dialect
from tonearm_plugins.networks.transformers_options import TransformersOptions, TransformersTransform


@dataclass(frozen=True, kw_only=True)
class TransformersVocoderOptions(TransformersOptions):
    """Options of ``transformers-vocoder``."""

    dialect: Annotated[
        MelDialect | None,
        Meta(
            description="Recipe that the model was trained for; any other is refused. Its config says no more than the"
            " number of mel bands, the hop length and, often, the sample rate.",
            examples=["speecht5"],
        ),
    ] = None
    seed: Annotated[int, Meta(ge=0, description="Seed for the noise that UnivNet starts from.")] = 0


class TransformersVocoder(TransformersTransform[MelSpectrogram, TransformersVocoderOptions]):
    """Turn a mel spectrogram into sound with a vocoder of Hugging Face's transformers, such as HiFi-GAN."""

    classes = VOCODERS
    other = "transformers-codec"

    def apply(self, signal: MelSpectrogram, context: Context) -> Waveform:
        """Return the waveform."""
        from tonearm_plugins.networks.transformers_model import vocode

        _, config = self.config()
        try:
            self._check(config, signal.dialect)
        except OptionError as error:
            raise as_item_error(error) from error
        seed = self.options.seed
        samples = self.run(
            signal, len(signal.values), lambda model, part: vocode(model, signal.values[part], seed), context
        )
        return Waveform(samples=samples, sample_rate=signal.dialect.sample_rate)

    def checked(self, spec: Spec, config: ModelConfig) -> Spec:
        """Return a waveform at the rate of the recipe."""
        dialect = spec.carried.get(MelDialect)
        if isinstance(dialect, MelDialect):
            self._check(config, dialect)
        made = spec.replace(signals=(Waveform,), length=None)
        return made.dropping(StftGrid, MelDialect)

    def _check(self, config: ModelConfig, dialect: MelDialect) -> None:
        """Raise `OptionError` if the model does not take mel spectrograms of a dialect."""
        assert isinstance(config.figures, VocoderFigures)
        check_dialect(config.name, config.figures, dialect)
        check_trained_dialect(self.options.dialect, dialect)
