"""Vocoders of transformers: small random models, each against its own class, and what `check` refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers_models import RNG, dialect, made, pipeline, registry, saved

import tonearm
from tonearm.api import Context, ItemError, MelSpectrogram
from tonearm_plugins.transforms.transformers_vocoder import TransformersVocoder, TransformersVocoderOptions

pytestmark = pytest.mark.torch("transformers")

NAMES = ("speecht5", "fastspeech2", "univnet")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Models by name, and the folders that they are saved in."""
    root = tmp_path_factory.mktemp("models")
    models = {name: made(name) for name in NAMES}
    return {name: (model, saved(model, root / name)) for name, model in models.items()}


def vocoder(folder: Path, **options: Any) -> TransformersVocoder:
    return TransformersVocoder(TransformersVocoderOptions(model=str(folder), **options))


def mel(channels: int = 1, frames: int = 25) -> Any:
    return RNG.normal(-4, 2, (channels, 10, frames)).astype("f4")


def own(model: Any, values: Any, seed: int = 0) -> Any:
    """Return what the model's own class makes of one mel spectrogram (mels, frames)."""
    import torch

    with torch.inference_mode():
        given = torch.tensor(values.T[None])
        if type(model).__name__ == "UnivNetModel":
            return model(given, generator=torch.Generator().manual_seed(seed)).waveforms[0].numpy()
        return model(given)[0].numpy()


@pytest.mark.parametrize("name", NAMES)
def test_channels_become_what_the_class_makes(folders: Any, name: str) -> None:
    model, folder = folders[name]
    values = mel(channels=3)
    expected = np.stack([own(model, one) for one in values])
    assert np.abs(expected).max() > 1e-4
    signal = MelSpectrogram(values=values, dialect=dialect())
    wave = vocoder(folder).apply(signal, Context())
    np.testing.assert_array_equal(wave.samples, expected)
    assert (wave.sample_rate, wave.samples.shape) == (8000, (3, 200))
    together = vocoder(folder, batch=2).apply(signal, Context())
    np.testing.assert_allclose(together.samples, expected, atol=1e-5 * np.abs(expected).max())
    cut = vocoder(folder).apply(MelSpectrogram(values=values, dialect=dialect(), length=190), Context())
    np.testing.assert_array_equal(cut.samples, expected[:, :190])


@pytest.mark.parametrize("name", ["speecht5", "fastspeech2"])
def test_a_model_saved_by_an_older_version(folders: Any, tmp_path: Path, name: str) -> None:
    """Both classes had the model_type hifigan then."""
    model, _ = folders[name]
    folder = saved(model, tmp_path)
    config = json.loads((folder / "config.json").read_text()) | {"model_type": "hifigan"}
    (folder / "config.json").write_text(json.dumps(config))
    values = mel()
    wave = vocoder(folder).apply(MelSpectrogram(values=values, dialect=dialect()), Context())
    np.testing.assert_array_equal(wave.samples[0], own(model, values[0]))


def test_noise_depends_on_the_seed_alone(folders: Any) -> None:
    model, folder = folders["univnet"]
    values = mel()
    signal = MelSpectrogram(values=values, dialect=dialect())
    for seed in (0, 3):
        plugin = vocoder(folder, seed=seed)
        for _ in range(2):
            np.testing.assert_array_equal(plugin.apply(signal, Context()).samples[0], own(model, values[0], seed))


def test_a_vocoder_beside_its_acoustic_model_is_found(folders: Any, tmp_path: Path) -> None:
    """Saved as FastSpeech2ConformerWithHifiGan saves it."""
    import torch
    from transformers import (
        FastSpeech2ConformerConfig,
        FastSpeech2ConformerHifiGanConfig,
        FastSpeech2ConformerWithHifiGan,
        FastSpeech2ConformerWithHifiGanConfig,
    )
    from transformers_models import MODELS

    layers = {"num_hidden_layers": 1, "hidden_size": 8, "num_mel_bins": 10, "vocab_size": 5}
    small = {f"{part}_{name}": value for part in ("encoder", "decoder") for name, value in (
        ("layers", 1), ("num_attention_heads", 2), ("linear_units", 8), ("kernel_size", 3))}  # fmt: skip
    config = FastSpeech2ConformerWithHifiGanConfig(
        model_config=FastSpeech2ConformerConfig(**layers, **small).to_dict(),
        vocoder_config=FastSpeech2ConformerHifiGanConfig(**MODELS["fastspeech2"][1]).to_dict(),
    )
    whole = FastSpeech2ConformerWithHifiGan(config).eval()
    with torch.no_grad():
        for weight in whole.vocoder.state_dict().values():
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)) * 0.05)
    folder = saved(whole, tmp_path)
    values = mel()
    wave = vocoder(folder).apply(MelSpectrogram(values=values, dialect=dialect()), Context())
    np.testing.assert_array_equal(wave.samples[0], own(whole.vocoder, values[0]))


def test_a_pipeline_in_yaml(folders: Any, tmp_path: Path) -> None:
    model, folder = folders["speecht5"]
    given = pipeline("mel-source", {}, "transformers-vocoder", {"model": str(folder)})
    (tmp_path / "a.yaml").write_text(json.dumps(given))
    values = mel()
    loaded = tonearm.load_pipeline(tmp_path / "a.yaml", plugins=registry())
    (wave,) = loaded.convert(MelSpectrogram(values=values, dialect=dialect()))
    np.testing.assert_array_equal(wave.samples[0], own(model, values[0]))


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("speecht5", {"mels": 12}, "SpeechT5HifiGan does not take the mel spectrogram, which has 12 mel bands, not 10"),
        ("speecht5", {"sample_rate": 16000}, "which has 16000 Hz, not 8000 Hz"),
        ("fastspeech2", {"samples_per_frame": 16}, "which has 16 samples a frame, not 8"),
        ("univnet", {"mels": 12, "samples_per_frame": 4}, "which has 12 mel bands, not 10; 4 samples a frame, not 8"),
    ],
)
def test_the_recipe_is_checked_against_the_config(
    folders: Any, name: str, given: dict[str, Any], expected: str
) -> None:
    document = pipeline("mel-source", given, "transformers-vocoder", {"model": str(folders[name][1])})
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(document, plugins=registry())
    (problem,) = caught.value.problems
    assert problem.code == "model-mismatch"
    assert expected in problem.message
    assert problem.hint.endswith("change the dialect in the options of input")


def test_the_rate_beside_a_config_counts(folders: Any, tmp_path: Path) -> None:
    """UnivNet's is in its feature extractor's config."""
    folder = saved(folders["univnet"][0], tmp_path)
    (folder / "preprocessor_config.json").write_text('{"sampling_rate": 24000}')
    with pytest.raises(ItemError, match="which has 8000 Hz, not 24000 Hz"):
        vocoder(folder).apply(MelSpectrogram(values=mel(), dialect=dialect()), Context())


def test_the_recipe_that_it_was_trained_for(folders: Any) -> None:
    folder = folders["speecht5"][1]
    signal = MelSpectrogram(values=mel(), dialect=dialect())
    assert vocoder(folder, dialect=dialect()).apply(signal, Context()).length == 200
    with pytest.raises(ItemError, match=r"the mel spectrogram is in .*: log ln for log10") as caught:
        vocoder(folder, dialect=dialect().replace(log="log10")).apply(signal, Context())
    assert caught.value.code == "dialect-mismatch"


def test_a_codec_is_none(folders: Any, tmp_path: Path) -> None:
    saved(made("dac"), tmp_path)
    document = pipeline("mel-source", {}, "transformers-vocoder", {"model": str(tmp_path)})
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(document, plugins=registry())
    (problem,) = caught.value.problems
    assert (problem.code, problem.hint) == ("unknown-model", "use transformers-codec")
    assert problem.message.endswith("is a DacModel, which transformers-codec runs")


@pytest.mark.slow
def test_a_run_in_worker_processes_after_a_call_in_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch has threads by then, so workers are not forked from this process."""
    import soundfile
    from transformers_models import MODELS

    name, config = MODELS["speecht5"]
    figures = {
        "model_in_dim": 80,
        "upsample_rates": [16, 16],
        "sampling_rate": 22050,
        "upsample_kernel_sizes": [32, 32],
    }
    monkeypatch.setitem(MODELS, "hifigan", (name, {**config, **figures}))
    model = made("hifigan")
    saved(model, tmp_path / "models/hifigan")
    values = RNG.normal(-4, 2, (4, 80, 30)).astype("f4")
    for index, one in enumerate(values):
        np.save(tmp_path / f"{index}.npy", one)
    (tmp_path / "a.yaml").write_text(
        """\
tonearm: 1
input: {use: npy-reader, files: "*.npy", with: {kind: mel, dialect: hifigan}}
steps: [{use: transformers-vocoder, with: {model: models/hifigan, dialect: hifigan}}]
outputs: [{use: wav-writer, file: "{stem}.wav", with: {subtype: FLOAT}}]
"""
    )
    loaded = tonearm.load_pipeline(tmp_path / "a.yaml")
    (wave,) = loaded.convert(tmp_path / "0.npy")
    np.testing.assert_array_equal(wave.samples[0], own(model, values[0]))
    report = loaded.run(out=tmp_path / "out", jobs=2)
    assert (report.total, report.failed) == (4, 0), report.failures
    for index, one in enumerate(values):
        samples, rate = soundfile.read(tmp_path / f"out/{index}.wav", dtype="float32")
        assert rate == 22050
        np.testing.assert_allclose(samples, own(model, one), atol=1e-6 * np.abs(samples).max())
