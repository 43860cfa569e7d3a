"""Vocoders in ONNX files, from pipelines and by hand: mel spectrograms and latents to waveforms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from network_material import (
    CASES,
    HIFIGAN,
    SMALL,
    Case,
    assert_close,
    mel_of,
    small_mel,
    stateful,
    streamed,
    vocoder,
    with_more,
)

import tonearm
from tonearm.api import (
    Context,
    ItemError,
    LatentFormat,
    Latents,
    MelDialect,
    MelSpectrogram,
    OptionError,
    Spec,
    spec_of,
)
from tonearm.plugins.registry import default
from tonearm_plugins.transforms.onnx_vocoder import OnnxVocoder, OnnxVocoderOptions
from trial_graphs import last_band_vocoder, magnitude_phase_vocoder, run

VOCODERS = [case for case in CASES if case.facts["kind"] in ("vocoder", "spectrum", "latent")]


def made(path: str | Path, dialect: MelDialect | None = SMALL, **options: Any) -> OnnxVocoder:
    given = OnnxVocoderOptions(model=str(path), dialect=dialect, **options)
    assert [str(problem) for problem in given.problems()] == []
    return OnnxVocoder(given)


def of(case: Case, folder: Path, **more: Any) -> OnnxVocoder:
    options = case.options(folder, **more)
    return made(options.pop("model"), getattr(case.signal(), "dialect", None), **options)


def pipeline(path: Path, dialect: str = "hifigan", **options: Any) -> dict[str, Any]:
    return {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {"kind": "mel", "dialect": dialect}},
        "steps": [{"use": "onnx-vocoder", "with": {"model": str(path), "dialect": "hifigan", **options}}],
        "outputs": [{"use": "wav-writer", "file": "a.wav"}],
    }


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("case", VOCODERS, ids=str)
def test_models_give_their_sound_whole(case: Case, batch: int, tmp_path: Path) -> None:
    found = of(case, tmp_path, batch=batch).apply(case.signal(), Context())
    assert found.sample_rate == case.facts["sample_rate"]
    assert_close(found.samples, case.wave())


@pytest.mark.one_in(3)
@pytest.mark.parametrize("more", [{}, {"batch": 3}, {"receptive_field": True}], ids=["plain", "batch", "field"])
@pytest.mark.parametrize("chunk", [1, 4, None])
@pytest.mark.parametrize("case", [case for case in VOCODERS if case.is_exact], ids=str)
def test_and_in_chunks_and_streams(case: Case, chunk: int | None, more: dict[str, Any], tmp_path: Path) -> None:
    """Chunks are of 64 frames, or of a few frames more than the receptive field."""
    chunk = 64 if chunk is None else sum(case.field) + chunk
    given = {"receptive_field": case.field} if "receptive_field" in more else more
    share = 5e-5 if case.facts["kind"] == "spectrum" else 1e-5
    transform, context = of(case, tmp_path, chunk=chunk, **given), Context()
    assert_close(transform.apply(case.signal(), context).samples, case.wave(), share)
    assert context.warnings == []
    assert_close(streamed(transform, case.signal(), 5), case.wave(), share)


@pytest.mark.parametrize("case", [case for case in VOCODERS if case.facts["kind"] == "spectrum"], ids=str)
@pytest.mark.parametrize("chunk", [None, 26])
def test_padding_of_the_inverse_stft(case: Case, chunk: int | None, tmp_path: Path) -> None:
    transform = of(case, tmp_path, padding="half-overlap", chunk=chunk)
    assert_close(transform.apply(case.signal(), Context()).samples, case.wave("half-overlap"), 5e-5)


def test_bands_may_come_last(tmp_path: Path) -> None:
    path = last_band_vocoder(tmp_path / "v.onnx")
    mel = np.random.default_rng(0).uniform(-11, 1, (2, 80, 90)).astype("f4")
    wanted = run(path, {"mel": mel.transpose(0, 2, 1)})["wav"]
    for chunk in (None, 20):
        found = made(path, HIFIGAN, chunk=chunk).apply(MelSpectrogram(values=mel, dialect=HIFIGAN), Context())
        assert_close(found.samples, wanted)


def test_latents_need_no_dialect(tmp_path: Path) -> None:
    path, values = magnitude_phase_vocoder(tmp_path / "v.onnx"), mel_of(60)
    latents = Latents(values=values, format=LatentFormat(sample_rate=24000, samples_per_frame=128))
    found = made(path, None, n_fft=512).apply(latents, Context())
    assert (found.sample_rate, found.samples.shape) == (24000, (1, 59 * 128))


def test_a_known_length_is_kept(tmp_path: Path) -> None:
    signal = MelSpectrogram(values=mel_of(40), dialect=SMALL, length=600)
    assert made(vocoder(tmp_path / "v.onnx")).apply(signal, Context()).length == 600


def test_what_a_model_takes_besides(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    speaker, f0 = rng.random(12, "f4"), rng.random((1, 90), "f4")
    np.save(tmp_path / "a.f0.npy", f0)
    path, signal = with_more(tmp_path / "m.onnx"), small_mel(90)
    feeds = {"mel": signal.values, "mel_lengths": np.array([90]), "spk_emb": speaker[None], "f0": f0}
    wanted = run(path, feeds | {"noise_scale": np.array(0.002, np.float32)})["wav"][:, 0]
    np.save(tmp_path / "a.npy", signal.values[0])
    inputs = {"spk_emb": speaker.tolist(), "noise_scale": 0.002, "f0": {"file": "{stem}.f0.npy"}}
    content = pipeline(path, inputs=inputs)
    changes = {
        name: getattr(SMALL, name) for name in ("n_mels", "n_fft", "win_length", "hop_length", "sample_rate", "fmax")
    }
    recipe = {"base": "hifigan", **changes}
    content["input"]["with"] = {"kind": "mel", "dialect": recipe}
    content["steps"][0]["with"] |= {"dialect": recipe}
    file = tmp_path / "p.yaml"
    file.write_text(json.dumps(content))
    (found,) = tonearm.load_pipeline(file).convert(tmp_path / "a.npy")
    assert_close(found.samples, wanted)


def test_states_stream(tmp_path: Path) -> None:
    path, signal = stateful(tmp_path / "s.onnx"), small_mel(61, 2)
    wanted = run(path, {"mel": signal.values, "state_in": np.zeros((2, 12, 4), "f4")})["wav"][:, 0]
    for chunk in (None, 7):
        assert_close(made(path, chunk=chunk).apply(signal, Context()).samples, wanted)
        assert_close(streamed(made(path, chunk=chunk), signal, 4), wanted)


def test_a_spectrum_is_streamed_into_a_file(tmp_path: Path) -> None:
    (case, *_) = (case for case in VOCODERS if case.facts["kind"] == "spectrum" and case.run.endswith("B2"))
    step = ("onnx-vocoder", {"model": str(case.path), "dialect": "vocos", "padding": "center"})
    mel = case.signal().values[0]
    with tonearm.stream(
        tmp_path / "a.wav", subtype="FLOAT", kind="mel", dialect="vocos", axes=["mel", "frame"], steps=[step]
    ) as out:
        for begin in range(0, mel.shape[1], 5):
            out.write(mel[:, begin : begin + 5])
    assert_close(tonearm.read(tmp_path / "a.wav").samples, case.wave()[:1], 5e-5)


def test_the_last_block_of_a_stream_may_be_cut_by_its_length(tmp_path: Path) -> None:
    transform, signal = made(vocoder(tmp_path / "v.onnx"), chunk=10), small_mel(60)
    whole = transform.apply(signal, Context()).samples
    assert_close(streamed(transform, signal, 9, length=900), whole[:, :900])


def test_it_runs_in_a_pipeline(tmp_path: Path) -> None:
    (case, *_) = (case for case in VOCODERS if case.name == "hifigan_tiny")
    checked = tonearm.load_pipeline(pipeline(case.path))
    checked.preflight()
    (wave,) = checked.convert(case.signal().values[0])
    assert_close(wave.samples, case.wave())


class TestWhatDoesNotFit:
    def test_another_dialect_is_found_before_any_data_is_read(self) -> None:
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(pipeline(VOCODERS[0].path, "coqui"))
        (problem,) = caught.value.problems
        assert problem.code == "dialect-mismatch"
        assert problem.message == (
            "onnx-vocoder: the vocoder takes the recipe hifigan, but the mel spectrogram is in coqui: padding center"
            " for half-overlap, fmax 11025 for 8000, magnitude_guard 0 for 1e-09, floor 1e-08 for 1e-05 and 3 more"
        )
        assert 'put {"use": "mel-to-wave"} and {"use": "wave-to-mel", "with": {' in problem.hint

    def test_and_at_the_latest_with_the_signal(self, tmp_path: Path) -> None:
        other = SMALL.replace(log="log10", name="other")
        with pytest.raises(ItemError, match=r"the mel spectrogram is in other: log log10 for ln") as caught:
            made(vocoder(tmp_path / "v.onnx")).apply(MelSpectrogram(values=mel_of(9), dialect=other), Context())
        assert caught.value.code == "dialect-mismatch"

    def test_the_same_figures_by_another_name_fit(self, tmp_path: Path) -> None:
        (case, *_) = (case for case in VOCODERS if case.name == "hifigan_tiny")
        same = default().catalogue(MelDialect).find("bigvgan-22k-fmax8k")
        plugin = of(case, tmp_path)
        assert plugin.produces(Spec(signals=(MelSpectrogram,)).carrying(same)).sample_rate == 22050
        assert plugin.apply(MelSpectrogram(values=case.signal().values, dialect=same), Context()).length == 20 * 256

    def test_a_dialect_of_another_hop(self, tmp_path: Path) -> None:
        wide = SMALL.replace(hop_length=8)
        with pytest.raises(ItemError) as caught:
            made(vocoder(tmp_path / "v.onnx"), wide).apply(MelSpectrogram(values=mel_of(20), dialect=wide), Context())
        assert caught.value.message == "the model gives 16 samples a frame, not 8"
        assert caught.value.code == "dialect-mismatch"

    def test_produces_names_the_option(self, tmp_path: Path) -> None:
        with pytest.raises(OptionError) as caught:
            made(vocoder(tmp_path / "v.onnx")).produces(Spec(signals=(MelSpectrogram,)).carrying(HIFIGAN))
        assert caught.value.option == "dialect"

    def test_bands_of_the_model(self, tmp_path: Path) -> None:
        path = vocoder(tmp_path / "v.onnx")
        with pytest.raises(OptionError, match="12") as caught:
            made(path, HIFIGAN).produces(Spec(signals=(MelSpectrogram,)).carrying(HIFIGAN))
        assert caught.value.code == "dialect-mismatch"
        with pytest.raises(ItemError, match="12") as late:
            made(path, HIFIGAN).apply(MelSpectrogram(values=np.zeros((1, 80, 9), "f4"), dialect=HIFIGAN), Context())
        assert late.value.code == "dialect-mismatch"

    def test_a_running_phase_is_said_and_refuses_streams(self, tmp_path: Path) -> None:
        (case, *_) = (case for case in VOCODERS if case.name == "nsf_tiny")
        plugin, spec = of(case, tmp_path), spec_of(case.signal())
        (warning,) = plugin.warnings(spec)
        assert warning.code == "not-in-chunks"
        assert "CumSum" in warning.message
        with pytest.raises(OptionError, match="needs the whole signal") as caught:
            plugin.check_blocks(spec)
        assert caught.value.code == "needs-whole"
        in_chunks = of(case, tmp_path, chunk=24)
        in_chunks.check_blocks(spec)
        assert [one.code for one in in_chunks.warnings(spec)] == ["not-in-chunks"]

    def test_a_missing_package_is_named_with_the_line_that_installs_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        is_met = "tonearm.plugins.requirements.Requirement.is_met"
        monkeypatch.setattr(is_met, lambda self: self.name != "onnxruntime")
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(pipeline(VOCODERS[0].path))
        (problem,) = caught.value.problems
        assert problem.code == "missing-requirement"
        assert problem.hint == "pip install 'tonearm[onnx]'"
