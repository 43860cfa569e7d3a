"""Small random models of transformers, saved as its users save them, and decoders that say what they give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tonearm.api import (
    Codebooks,
    CodecTokens,
    Context,
    Decoder,
    Item,
    LatentFormat,
    Latents,
    MelDialect,
    MelSpectrogram,
    Signal,
    Source,
    Spec,
)
from tonearm.plugins.discovery import Package, installed_packages
from tonearm.plugins.registry import Registry

RNG = np.random.default_rng(5)

_HUBERT = {
    "model_type": "hubert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": [8, 8],
    "conv_stride": [4, 2],
    "conv_kernel": [4, 2],
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
_DAC = {
    "model_type": "dac",
    "encoder_hidden_size": 4,
    "downsampling_ratios": [4, 2],
    "upsampling_ratios": [4, 2],
    "decoder_hidden_size": 16,
    "hidden_size": 8,
}
_W2V = {
    "model_type": "wav2vec2-bert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "feature_projection_input_dim": 16,
}
_ENCODEC = {"hidden_size": 16, "num_filters": 4, "upsampling_ratios": [4, 2], "codebook_size": 32, "num_lstm_layers": 1}
_TRANSFORMER = {"num_hidden_layers": 1, "intermediate_size": 16, "num_attention_heads": 2, "num_key_value_heads": 2}
_SEANET = {"hidden_size": 16, "num_filters": 4, "upsampling_ratios": [4, 2], "upsample_groups": 16, **_TRANSFORMER}
_HIFIGAN = {
    "model_in_dim": 10,
    "upsample_initial_channel": 16,
    "upsample_rates": [4, 2],
    "upsample_kernel_sizes": [8, 4],
    "resblock_kernel_sizes": [3],
    "resblock_dilation_sizes": [[1, 3]],
}
_FINITE = {
    "semantic_model_config": _W2V,
    "hidden_size": 32,
    "encoder_hidden_size": 2,
    "downsampling_ratios": [2, 4],
    "quantization_dim": 48,
    "quantization_levels": [4, 4, 4],
    "head_dim": 16,
    **_TRANSFORMER,
}

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "dac": ("DacModel", {**_DAC, "n_codebooks": 3, "codebook_size": 16, "codebook_dim": 4, "sampling_rate": 8000}),
    "encodec": ("EncodecModel", {**_ENCODEC, "target_bandwidths": [5.0, 20.0], "sampling_rate": 8000}),
    "encodec48": (
        "EncodecModel",
        {
            **_ENCODEC,
            "target_bandwidths": [20.0],
            "sampling_rate": 8000,
            "audio_channels": 2,
            "normalize": True,
            "chunk_length_s": 0.02,
            "overlap": 0.1,
            "norm_type": "time_group_norm",
            "use_causal_conv": False,
        },
    ),
    "mimi": (
        "MimiModel",
        {
            **_SEANET,
            "codebook_size": 32,
            "codebook_dim": 8,
            "vector_quantization_hidden_dimension": 8,
            "num_quantizers": 4,
            "sampling_rate": 8000,
        },
    ),
    "xcodec": (
        "XcodecModel",
        {
            "codebook_size": 16,
            "target_bandwidths": [8, 16],
            "acoustic_model_config": _DAC,
            "semantic_model_config": _HUBERT,
        },
    ),
    "xcodec2": ("Xcodec2Model", _FINITE),
    "neucodec": ("NeuCodecModel", _FINITE),
    "wavtokenizer": (
        "WavTokenizerModel",
        {
            "num_filters": 4,
            "upsampling_ratios": [4, 2],
            "num_lstm_layers": 1,
            "hidden_size": 32,
            "codebook_size": 32,
            "codebook_dim": 32,
            "decoder_hidden_size": 16,
            "decoder_intermediate_size": 16,
            "decoder_num_layers": 1,
            "decoder_attention_num_groups": 2,
        },
    ),
    "pocket": ("PocketTTSAudioTokenizerModel", {**_SEANET, "latent_stride": 2, "latent_dim": 6, "sampling_rate": 8000}),
    "vibevoice": (
        "VibeVoiceAcousticTokenizerModel",
        {"hidden_size": 6, "num_filters": 4, "downsampling_ratios": [2, 4], "depths": [1, 1, 1]},
    ),
    "speecht5": ("SpeechT5HifiGan", {**_HIFIGAN, "sampling_rate": 8000}),
    "fastspeech2": ("FastSpeech2ConformerHifiGan", _HIFIGAN),
    "univnet": (
        "UnivNetModel",
        {
            "model_in_channels": 4,
            "model_hidden_channels": 4,
            "num_mel_bins": 10,
            "resblock_kernel_sizes": [3],
            "resblock_stride_sizes": [8],
            "resblock_dilation_sizes": [[1, 3]],
            "kernel_predictor_num_blocks": 1,
            "kernel_predictor_hidden_channels": 4,
        },
    ),
}
"""Class and config of each model."""


def made(name: str) -> Any:
    """Return a model with random weights, of which none is left at 0 or 1."""
    import torch
    import transformers

    cls_name, config = MODELS[name]
    cls = getattr(transformers, cls_name)
    torch.manual_seed(7)
    model = cls(cls.config_class(**config))
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for weight in model.state_dict().values():
            if weight.is_floating_point():
                weight.add_(torch.randn(weight.shape, generator=generator) * 0.05)
    return model.eval()


def saved(model: Any, folder: Path) -> Path:
    """Return the folder into which a model has been saved, without any bar or line on stderr."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    model.save_pretrained(folder)
    return folder


def codes(books: int, frames: int, size: int, channels: int = 1) -> Any:
    return RNG.integers(0, size, (channels, books, frames), np.int32)


@dataclass(frozen=True, kw_only=True)
class SignalOptions:
    """What a decoder says of its signals before it reads any."""

    books: list[int] | None = None
    strides: list[int] | None = None
    sample_rate: int | None = None
    samples_per_frame: int | None = None
    mels: int | None = None
    channels: int | None = None


class _Source:
    options: SignalOptions

    def decode(self, source: Source, context: Context) -> Iterator[Item[Any]]:
        raise NotImplementedError  # pipelines are checked, and get signals in memory

    def _spec(self, cls: type[Signal], *carried: object) -> Spec:
        known = Spec(signals=(cls,), sample_rate=self.options.sample_rate, channels=self.options.channels)
        return known.carrying(*carried)


class TokensSource(_Source, Decoder[CodecTokens, SignalOptions]):
    """Give tokens of known books."""

    def produces(self) -> Spec:
        given = self.options
        books = Codebooks(
            sizes=tuple(given.books or ()),
            sample_rate=given.sample_rate,
            samples_per_frame=given.samples_per_frame,
            strides=tuple(given.strides or ()),
        )
        return self._spec(CodecTokens, books)


class LatentsSource(_Source, Decoder[Latents, SignalOptions]):
    """Give latents of a known format."""

    def produces(self) -> Spec:
        given = self.options
        known = LatentFormat(sample_rate=given.sample_rate or 8000, samples_per_frame=given.samples_per_frame or 8)
        return self._spec(Latents, known)


class MelSource(_Source, Decoder[MelSpectrogram, SignalOptions]):
    """Give mel spectrograms of a known recipe."""

    def produces(self) -> Spec:
        given = self.options
        return self._spec(
            MelSpectrogram, dialect(given.mels or 10, given.sample_rate or 8000, given.samples_per_frame or 8)
        )


def dialect(mels: int = 10, rate: int = 8000, hop: int = 8) -> Any:
    from tonearm.plugins.registry import default

    known = default().catalogue(MelDialect).find("hifigan")
    return known.replace(n_mels=mels, sample_rate=rate, hop_length=hop, n_fft=64, win_length=64, fmax=rate / 2)


class _Hooks:
    @staticmethod
    def tonearm_decoders() -> dict[str, Any]:
        return {"tokens-source": TokensSource, "latents-source": LatentsSource, "mel-source": MelSource}


def registry() -> Registry:
    from tonearm.api import hookimpl

    hooks = type("hooks", (), {"tonearm_decoders": staticmethod(hookimpl(_Hooks.tonearm_decoders))})
    return Registry([*installed_packages(), Package("sources", lambda: hooks, "sources 1")])


def pipeline(source: str, given: dict[str, Any], use: str, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "tonearm": 1,
        "input": {"use": source, "with": given},
        "steps": [{"use": use, "with": options}],
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    }
