"""What ``config.json`` says of a model that transformers runs: its class, and the figures that its input must have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct, convert, to_builtins

from tonearm.api import MAX_SAMPLE_RATE, Advice, OptionError
from tonearm_plugins.networks.failures import failure_reason
from tonearm_plugins.networks.hub import CONFIG, PREPROCESSOR_CONFIG, read_json

Fields: TypeAlias = Mapping[str, Any]
"""Fields of a config, those that the file leaves out with the defaults of the class."""


Positive: TypeAlias = Annotated[int, Meta(ge=1)]
SampleRate: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_SAMPLE_RATE)]


class CodecFigures(Struct, frozen=True, kw_only=True):
    """The figures of a codec.

    Parameters
    ----------
    books
        Largest number of codebooks that it decodes, or the only one; 0 if it takes no codes.
    fewer_books
        Whether it decodes fewer books too, as a codec does whose books are residuals.
    size
        Number of codes of each book.
    samples_per_frame
        Samples of a frame.
    sample_rate
        Sample rate in Hz; None if the config does not tell.
    bands
        Number of bands of the latents that it decodes; None if it takes none.
    channels
        Channels of sound that one set of codes gives.
    """

    books: Annotated[int, Meta(ge=0)] = 0
    fewer_books: bool = False
    size: Annotated[int, Meta(ge=0)] = 0
    samples_per_frame: Positive
    sample_rate: SampleRate | None
    bands: Positive | None = None
    channels: Positive = 1


class VocoderFigures(Struct, frozen=True, kw_only=True):
    """The figures of a vocoder: bands of its mel spectrogram, samples a frame, and the sample rate if it is known."""

    mels: Positive
    samples_per_frame: Positive
    sample_rate: SampleRate | None


Figures: TypeAlias = CodecFigures | VocoderFigures


class ModelClass(Struct, frozen=True, kw_only=True):
    """A class of transformers.

    Parameters
    ----------
    name
        Name of the class.
    figures
        Function that returns its figures from the fields of its config.
    defaults
        Values of the fields that a config may leave out.
    needs
        Packages that it needs beside transformers and PyTorch.
    """

    name: str
    figures: Callable[[Fields], Figures]
    defaults: Fields
    needs: tuple[str, ...] = ()


class ModelConfig(Struct, frozen=True, kw_only=True):
    """The config of a model.

    Parameters
    ----------
    name
        Name of the class of transformers that runs it.
    figures
        Its figures.
    needs
        Packages that the class needs beside transformers and PyTorch.
    inside
        Field of the config that holds that of the class, and the beginning of the names of its weights, if the class
        is a part of a larger model; empty texts otherwise.
    """

    name: str
    figures: Figures
    needs: tuple[str, ...] = ()
    inside: tuple[str, str] = ("", "")


def _rate_of_residuals(fields: Fields, rate: int, hop: int) -> int:
    """Return the number of books of a codec whose config says bandwidths in kbit/s."""
    bits = math.ceil(math.log2(fields["codebook_size"])) * math.ceil(rate / hop)
    return int(1000 * fields["target_bandwidths"][-1] // bits)


def _dac(fields: Fields) -> CodecFigures:
    ratios = fields["downsampling_ratios"]
    return CodecFigures(
        books=fields["n_codebooks"],
        fewer_books=True,
        size=fields["codebook_size"],
        samples_per_frame=math.prod(ratios),
        sample_rate=fields["sampling_rate"],
        bands=fields.get("hidden_size") or fields["encoder_hidden_size"] * 2 ** len(ratios),
    )


def _encodec(fields: Fields) -> CodecFigures:
    hop = math.prod(fields["upsampling_ratios"])
    return CodecFigures(
        books=_rate_of_residuals(fields, fields["sampling_rate"], hop),
        fewer_books=True,
        size=fields["codebook_size"],
        samples_per_frame=hop,
        sample_rate=fields["sampling_rate"],
        channels=fields.get("audio_channels", 1),
    )


def _mimi(fields: Fields) -> CodecFigures:
    rate, hop = fields["sampling_rate"], math.prod(fields["upsampling_ratios"])
    if frame_rate := fields.get("frame_rate") or fields.get("_frame_rate"):
        hop *= int(math.ceil(rate / hop) / frame_rate)
    else:
        hop *= 2
    return CodecFigures(
        books=fields["num_quantizers"],
        fewer_books=True,
        size=fields["codebook_size"],
        samples_per_frame=hop,
        sample_rate=rate,
    )


def _xcodec(fields: Fields) -> CodecFigures:
    acoustic = fields.get("acoustic_model_config") or {}
    rate, hop = fields["sample_rate"], math.prod(acoustic.get("downsampling_ratios") or (8, 5, 4, 2))
    return CodecFigures(
        books=_rate_of_residuals(fields, rate, hop),
        fewer_books=True,
        size=fields["codebook_size"],
        samples_per_frame=hop,
        sample_rate=rate,
    )


def _finite_scalars(fields: Fields, *, rate: int, factor: float = 1.0) -> CodecFigures:
    """Return the figures of a codec with one book, whose codes number the levels of each dimension together."""
    return CodecFigures(
        books=1,
        size=math.prod(fields["quantization_levels"]),
        samples_per_frame=int(math.prod(fields["downsampling_ratios"]) * factor),
        sample_rate=rate,
        bands=fields["quantization_dim"],
    )


def _xcodec2(fields: Fields) -> CodecFigures:
    return _finite_scalars(fields, rate=fields["sampling_rate"])


def _neucodec(fields: Fields) -> CodecFigures:
    rate = fields["output_sampling_rate"]
    return _finite_scalars(fields, rate=rate, factor=rate / fields["input_sampling_rate"])


def _wavtokenizer(fields: Fields) -> CodecFigures:
    return CodecFigures(
        books=1,
        size=fields["codebook_size"],
        samples_per_frame=math.prod(fields["upsampling_ratios"]),
        sample_rate=fields["sampling_rate"],
    )


def _pocket_tts(fields: Fields) -> CodecFigures:
    return CodecFigures(
        samples_per_frame=math.prod(fields["upsampling_ratios"]) * fields["latent_stride"],
        sample_rate=fields["sampling_rate"],
        bands=fields["latent_dim"],
    )


def _vibevoice(fields: Fields) -> CodecFigures:
    return CodecFigures(
        samples_per_frame=math.prod(fields["downsampling_ratios"]),
        sample_rate=fields.get("sampling_rate"),
        bands=fields["hidden_size"],
    )


def _hifigan(fields: Fields) -> VocoderFigures:
    return VocoderFigures(
        mels=fields["model_in_dim"],
        samples_per_frame=math.prod(fields["upsample_rates"]),
        sample_rate=fields.get("sampling_rate"),
    )


def _univnet(fields: Fields) -> VocoderFigures:
    return VocoderFigures(
        mels=fields["num_mel_bins"],
        samples_per_frame=math.prod(fields["resblock_stride_sizes"]),
        sample_rate=fields.get("sampling_rate"),
    )


_BANDWIDTHS = (0.5, 1, 1.5, 2, 4)
_LEVELS = {"downsampling_ratios": (2, 2, 4, 4, 5), "quantization_dim": 2048, "quantization_levels": (4,) * 8}

CODECS: Mapping[str, ModelClass] = {
    "dac": ModelClass(
        name="DacModel",
        figures=_dac,
        defaults={
            "encoder_hidden_size": 64,
            "downsampling_ratios": (2, 4, 8, 8),
            "n_codebooks": 9,
            "codebook_size": 1024,
            "sampling_rate": 16000,
        },
    ),
    "encodec": ModelClass(
        name="EncodecModel",
        figures=_encodec,
        defaults={
            "target_bandwidths": (1.5, 3.0, 6.0, 12.0, 24.0),
            "sampling_rate": 24000,
            "upsampling_ratios": (8, 5, 4, 2),
            "codebook_size": 1024,
        },
    ),
    "higgs_audio_v2_tokenizer": ModelClass(
        name="HiggsAudioV2TokenizerModel",
        figures=_xcodec,
        defaults={"target_bandwidths": _BANDWIDTHS, "sample_rate": 24000, "codebook_size": 1024},
        needs=("torchaudio",),
    ),
    "mimi": ModelClass(
        name="MimiModel",
        figures=_mimi,
        defaults={
            "sampling_rate": 24000,
            "upsampling_ratios": (8, 6, 5, 4),
            "codebook_size": 2048,
            "num_quantizers": 32,
        },
    ),
    "neucodec": ModelClass(
        name="NeuCodecModel",
        figures=_neucodec,
        defaults={"input_sampling_rate": 16000, "output_sampling_rate": 24000, **_LEVELS},
    ),
    "pocket_tts_audio_tokenizer": ModelClass(
        name="PocketTTSAudioTokenizerModel",
        figures=_pocket_tts,
        defaults={"sampling_rate": 24000, "upsampling_ratios": (6, 5, 4), "latent_stride": 16, "latent_dim": 32},
    ),
    "vibevoice_acoustic_tokenizer": ModelClass(
        name="VibeVoiceAcousticTokenizerModel",
        figures=_vibevoice,
        defaults={"downsampling_ratios": (2, 2, 4, 5, 5, 8), "hidden_size": 64},
    ),
    "wavtokenizer": ModelClass(
        name="WavTokenizerModel",
        figures=_wavtokenizer,
        defaults={"sampling_rate": 24000, "upsampling_ratios": (6, 5, 5, 4), "codebook_size": 4096},
    ),
    "xcodec": ModelClass(
        name="XcodecModel",
        figures=_xcodec,
        defaults={"target_bandwidths": _BANDWIDTHS, "sample_rate": 16000, "codebook_size": 1024},
    ),
    "xcodec2": ModelClass(name="Xcodec2Model", figures=_xcodec2, defaults={"sampling_rate": 16000, **_LEVELS}),
}
"""Codecs by the ``model_type`` of their config."""

VOCODERS: Mapping[str, ModelClass] = {
    "fastspeech2_conformer_hifigan": ModelClass(
        name="FastSpeech2ConformerHifiGan",
        figures=_hifigan,
        defaults={"model_in_dim": 80, "upsample_rates": (8, 8, 2, 2)},
    ),
    "speecht5_hifigan": ModelClass(
        name="SpeechT5HifiGan",
        figures=_hifigan,
        defaults={"model_in_dim": 80, "upsample_rates": (4, 4, 4, 4), "sampling_rate": 16000},
    ),
    "univnet": ModelClass(
        name="UnivNetModel",
        figures=_univnet,
        defaults={"num_mel_bins": 100, "resblock_stride_sizes": (8, 8, 4)},
    ),
}
"""Vocoders by the ``model_type`` of their config."""

PARTS: Mapping[str, tuple[str, str, str]] = {
    "csm": ("codec_config", "codec_model", "mimi"),
    "fastspeech2_conformer_with_hifigan": ("vocoder_config", "vocoder", "fastspeech2_conformer_hifigan"),
    "musicgen": ("audio_encoder", "audio_encoder", "encodec"),
    "musicgen_melody": ("audio_encoder", "audio_encoder", "encodec"),
}
"""Larger models by ``model_type``, each with the part that decodes.

The field that holds the part's config, the beginning of the names of its weights, and its ``model_type``, if its config
does not say that.
"""

SHARED_TYPES: Mapping[str, str] = {"hifigan": "speecht5_hifigan"}
"""``model_type`` that configs of several classes have had in older versions, and the class if a config names none."""


def read_config(folder: Path, classes: Mapping[str, ModelClass], *, other: str) -> ModelConfig:
    """Return what the config in a folder says of a model.

    Parameters
    ----------
    folder
        Folder of the model.
    classes
        Classes that the caller runs, by ``model_type``.
    other
        Name of the transform that runs the other classes that are known here.

    Raises
    ------
    OptionError
        If the config cannot be read, or is that of no class that the caller runs.
    """
    fields = read_json(folder / CONFIG)
    inside: Sequence[str] = ("", "")
    kind: Any = fields.get("model_type")
    if isinstance(kind, str) and kind in PARTS:
        *inside, kind = PARTS[kind]
        fields = part if isinstance(part := fields.get(inside[0]), dict) else {}
        kind = kind if fields.get("model_type") in (None, *SHARED_TYPES) else fields["model_type"]
    if isinstance(kind, str) and kind in SHARED_TYPES:
        kind = _type_of(fields.get("architectures")) or SHARED_TYPES[kind]
    found = classes.get(kind) if isinstance(kind, str) else None
    if found is None:
        raise _unknown(folder, kind, classes, other)
    preprocessing = folder / PREPROCESSOR_CONFIG
    told = read_json(preprocessing).get("sampling_rate") if preprocessing.is_file() else None
    rate = {} if told is None or inside[0] else {"sampling_rate": told}
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        computed = found.figures(rate | dict(found.defaults) | given)
        figures = convert(to_builtins(computed), type(computed))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise OptionError(
            f"{folder / CONFIG} is no config of {found.name}: {failure_reason(error)}",
            option="model",
            code="bad-model",
            remedies=(Advice("download the model again, or save it by save_pretrained"),),
        ) from error
    return ModelConfig(name=found.name, figures=figures, needs=found.needs, inside=(inside[0], inside[1]))


def _type_of(names: object) -> str | None:
    """Return the ``model_type`` of the first class that a config names; None if none is known."""
    known = {one.name: kind for kind, one in {**CODECS, **VOCODERS}.items()}
    return next((known[name] for name in names if name in known), None) if isinstance(names, list) else None


def _unknown(folder: Path, kind: object, classes: Mapping[str, ModelClass], other: str) -> OptionError:
    """Return the error for a config of a class that the caller does not run."""
    known = {**CODECS, **VOCODERS}
    if isinstance(kind, str) and kind in known:
        return OptionError(
            f"{folder} is a {known[kind].name}, which {other} runs",
            option="model",
            code="unknown-model",
            remedies=(Advice(f"use {other}"),),
        )
    what = f"{folder / CONFIG} has no model_type" if kind is None else f"{folder} is of model_type {kind!r}"
    names = ", ".join(sorted(one.name for one in classes.values()))
    return OptionError(
        f"{what}, which is none of the classes that decode here: {names}",
        option="model",
        code="unknown-model",
        remedies=(Advice("name a model of one of these classes, or wrap its decoder in a plugin of your own"),),
    )
