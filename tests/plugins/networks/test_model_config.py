"""Configs of models: their figures are those of transformers' own classes, with and without defaults."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tonearm.api import OptionError
from tonearm_plugins.networks.model_config import CODECS, PARTS, VOCODERS, CodecFigures, VocoderFigures, read_config

sys.path.insert(0, str(Path(__file__).parents[1] / "transforms"))


def figures(folder: Path, classes: Any = CODECS, **config: Any) -> Any:
    (folder / "config.json").write_text(json.dumps(config))
    return read_config(folder, classes, other="the-other").figures


def test_figures_of_released_models(tmp_path: Path) -> None:
    """As their configs on the hub have them."""
    found = figures(tmp_path, model_type="mimi", sampling_rate=24000, frame_rate=12.5, num_quantizers=32)
    assert found == CodecFigures(books=32, fewer_books=True, size=2048, samples_per_frame=1920, sample_rate=24000)
    found = figures(
        tmp_path,
        model_type="encodec",
        sampling_rate=48000,
        audio_channels=2,
        chunk_length_s=1.0,
        overlap=0.01,
        normalize=True,
        target_bandwidths=[3.0, 6.0, 12.0, 24.0],
    )
    assert (found.books, found.samples_per_frame, found.channels) == (16, 320, 2)
    dac = {"sampling_rate": 44100, "downsampling_ratios": [2, 4, 8, 8], "n_codebooks": 9, "hidden_size": 1024}
    found = figures(tmp_path, model_type="dac", **dac)
    assert (found.books, found.samples_per_frame, found.sample_rate, found.bands) == (9, 512, 44100, 1024)
    found = figures(tmp_path, VOCODERS, model_type="speecht5_hifigan")
    assert found == VocoderFigures(mels=80, samples_per_frame=256, sample_rate=16000)


def test_hifigans_of_older_versions_are_told_by_their_class(tmp_path: Path) -> None:
    """As microsoft/speecht5_hifigan and espnet/fastspeech2_conformer_hifigan were saved."""
    for names, expected in (
        (["SpeechT5HifiGan"], "SpeechT5HifiGan"),
        (["FastSpeech2ConformerHifiGan"], "FastSpeech2ConformerHifiGan"),
        (["Other"], "SpeechT5HifiGan"),
        (None, "SpeechT5HifiGan"),
    ):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "hifigan", "architectures": names}))
        assert read_config(tmp_path, VOCODERS, other="").name == expected
    whole = {"model_type": "fastspeech2_conformer_with_hifigan", "vocoder_config": {"model_type": "hifigan"}}
    (tmp_path / "config.json").write_text(json.dumps(whole))
    assert read_config(tmp_path, VOCODERS, other="").name == "FastSpeech2ConformerHifiGan"


@pytest.mark.torch("transformers")
@pytest.mark.parametrize("kind", [*CODECS, *VOCODERS])
def test_defaults_are_those_of_the_classes(tmp_path: Path, kind: str) -> None:
    import transformers

    classes: Any = CODECS if kind in CODECS else VOCODERS
    config = transformers.AutoConfig.for_model(kind)
    assert config.model_type == kind
    bare = figures(tmp_path, classes, model_type=kind)
    config.save_pretrained(tmp_path)
    whole = read_config(tmp_path, classes, other="").figures
    assert bare == whole
    rate = next((getattr(config, name) for name in ("output_sampling_rate", "sampling_rate", "sample_rate")
                 if hasattr(config, name)), None)  # fmt: skip
    assert whole.sample_rate == rate
    if isinstance(whole, CodecFigures):
        samples = config.frame_size if hasattr(config, "frame_size") else config.hop_length
        assert whole.samples_per_frame == samples
        books = getattr(config, "num_quantizers", None) or getattr(config, "n_codebooks", None)
        if books:
            assert whole.books == books
        if whole.books and hasattr(config, "codebook_size"):
            assert whole.size == config.codebook_size


@pytest.mark.torch("transformers")
def test_figures_of_small_models_are_those_of_their_classes(tmp_path: Path) -> None:
    import transformers
    from transformers_models import MODELS

    for name, (cls, given) in MODELS.items():
        config = getattr(transformers, cls).config_class(**given)
        config.save_pretrained(tmp_path / name)
        classes: Any = CODECS if config.model_type in CODECS else VOCODERS
        found = read_config(tmp_path / name, classes, other="").figures
        if isinstance(found, CodecFigures) and found.books > 1:
            assert found.books == getattr(config, "num_quantizers", None) or config.n_codebooks


@pytest.mark.parametrize("kind", PARTS)
def test_a_part_of_a_larger_model(tmp_path: Path, kind: str) -> None:
    field, prefix, inner = PARTS[kind]
    classes: Any = CODECS if inner in CODECS else VOCODERS
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind, field: {"sampling_rate": 32000}}))
    found = read_config(tmp_path, classes, other="")
    assert (found.name, found.inside) == (classes[inner].name, (field, prefix))
    assert found.figures.sample_rate == 32000


@pytest.mark.torch("transformers")
@pytest.mark.parametrize("kind", PARTS)
def test_its_weights_begin_as_the_class_names_them(kind: str) -> None:
    """The field and the beginning are read off transformers' own code, because these models are large."""
    import inspect

    import transformers

    field, prefix, _ = PARTS[kind]
    config = transformers.AutoConfig.for_model(kind).__class__
    known = {"csm": "CsmForConditionalGeneration", "musicgen": "MusicgenForConditionalGeneration"}
    known |= {"musicgen_melody": "MusicgenMelodyForConditionalGeneration"}
    known |= {"fastspeech2_conformer_with_hifigan": "FastSpeech2ConformerWithHifiGan"}
    assert f"self.{prefix} = " in inspect.getsource(getattr(transformers, known[kind]))
    assert field in inspect.getsource(config)


@pytest.mark.parametrize(
    ("config", "code", "message"),
    [
        ({}, "unknown-model", "has no model_type"),
        ({"model_type": ["dac"]}, "unknown-model", "which is none of the classes"),
        ({"model_type": "csm", "codec_config": {"model_type": ["mimi"]}}, "unknown-model", "none of the classes"),
        ({"model_type": "musicgen", "audio_encoder": {"sampling_rate": "x"}}, "bad-model", "no config of EncodecModel"),
        ({"model_type": "univnet"}, "unknown-model", "is a UnivNetModel, which the-other runs"),
        ({"model_type": "dac", "downsampling_ratios": "ab"}, "bad-model", "is no config of DacModel: TypeError"),
        ({"model_type": "encodec", "sampling_rate": 1e999}, "bad-model", "is no config of EncodecModel: OverflowError"),
        ({"model_type": "encodec", "target_bandwidths": []}, "bad-model", "is no config of EncodecModel: IndexError"),
        ({"model_type": "dac", "n_codebooks": "9"}, "bad-model", "is no config of DacModel: .* got `str`"),
        ({"model_type": "dac", "downsampling_ratios": [0]}, "bad-model", "`int` >= 1"),
        ({"model_type": "encodec", "upsampling_ratios": [1e400]}, "bad-model", "is no config of EncodecModel"),
    ],
)
def test_configs_of_nothing_that_runs(tmp_path: Path, config: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(OptionError, match=message) as caught:
        figures(tmp_path, **config)
    assert (caught.value.code, caught.value.option) == (code, "model")
