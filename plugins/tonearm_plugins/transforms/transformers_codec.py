"""``transformers-codec``: the decoder of a neural codec, run by Hugging Face's transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import (
    MAX_SAMPLE_RATE,
    Codebooks,
    CodecTokens,
    Context,
    LatentFormat,
    Latents,
    Meta,
    OptionError,
    Spec,
    Waveform,
)
from tonearm_plugins.networks.codes import check_block_codes
from tonearm_plugins.networks.failures import as_item_error
from tonearm_plugins.networks.model_config import CODECS, CodecFigures, ModelConfig
from tonearm_plugins.networks.original_sound import restored, restored_spec
from tonearm_plugins.networks.signal_checks import agreed_rate, check_bands, check_books, check_latents
from tonearm_plugins.networks.transformers_options import TransformersOptions, TransformersTransform


@dataclass(frozen=True, kw_only=True)
class TransformersCodecOptions(TransformersOptions):
    """Options of ``transformers-codec``."""

    sample_rate: Annotated[
        int | None,
        Meta(
            ge=1,
            le=MAX_SAMPLE_RATE,
            description="Sample rate of the sound in Hz, if neither the model's config nor the signal says it.",
        ),
    ] = None


class TransformersCodec(TransformersTransform[CodecTokens | Latents, TransformersCodecOptions]):
    """Decode codec tokens or latents into sound by a codec of Hugging Face's transformers, such as EnCodec or Mimi."""

    classes = CODECS
    other = "transformers-vocoder"

    def apply(self, signal: CodecTokens | Latents, context: Context) -> Waveform:
        """Return the waveform."""
        from tonearm_plugins.networks.transformers_model import decode_latents, decode_tokens

        _, config = self.config()
        figures = _figures(config)
        try:
            if isinstance(signal, CodecTokens):
                rate = self._check(config, figures, signal.codebooks, signal.books)
            else:
                rate = self._check(config, figures, signal.format)
        except OptionError as error:
            raise as_item_error(error) from error
        if isinstance(signal, CodecTokens):
            check_block_codes(signal.block_array(), [figures.size] * signal.books)
            samples = self.run(signal, signal.channels, lambda model, part: decode_tokens(model, signal, part), context)
        else:
            check_bands(config.name, figures, signal)
            samples = self.run(
                signal, signal.channels, lambda model, part: decode_latents(model, signal, part), context
            )
        return restored(Waveform(samples=samples, sample_rate=rate), signal, context)

    def checked(self, spec: Spec, config: ModelConfig) -> Spec:
        """Return a waveform of the codec's rate and channels."""
        figures = _figures(config)
        known: Codebooks | LatentFormat | None = None
        if CodecTokens in spec.signals:
            books = spec.carried.get(Codebooks)
            known = books if isinstance(books, Codebooks) else Codebooks()
        if Latents in spec.signals and (known is None or not figures.books):
            given = spec.carried.get(LatentFormat)
            known = given if isinstance(given, LatentFormat) else None
        rate = self._check(config, figures, known)
        channels = None if spec.channels is None else spec.channels * figures.channels
        made = spec.replace(signals=(Waveform,), sample_rate=rate, channels=channels, length=None)
        return restored_spec(made.dropping(Codebooks, LatentFormat))

    def _check(
        self,
        config: ModelConfig,
        figures: CodecFigures,
        known: Codebooks | LatentFormat | None,
        books: int | None = None,
    ) -> int:
        """Return the sample rate of the sound, if the model takes what is known of tokens, or of latents if any."""
        if isinstance(known, Codebooks):
            check_books(config.name, figures, known, books)
        else:
            check_latents(config.name, figures, known)
        told = figures.sample_rate or (known.sample_rate if known else None)
        return agreed_rate(self.options.sample_rate, told, teller=f"{config.name} gives sound at")


def _figures(config: ModelConfig) -> CodecFigures:
    assert isinstance(config.figures, CodecFigures)
    return config.figures
