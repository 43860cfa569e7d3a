"""Networks in the forms in which models are exported, run by pipelines, against onnxruntime called directly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import librosa
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

import tonearm
import trial_graphs as graphs
from tonearm.api import Context, Waveform
from tonearm.plugins.ports import spec_of

Array = NDArray[Any]
Inputs = Mapping[str, Array]
FRAMES = 150
LIMITS = {"waveform": 1e-5, "spectrum": 5e-5}
"""Largest differences between chunks or streams and the whole, as shares of the peak, by what a network gives."""

LAYOUT = {"axes": ["book", "frame"], "size": graphs.SIZE}
CODEC = {"sample_rate": graphs.RATE, "samples_per_frame": graphs.HOP}
TOKENS = {"kind": "tokens", "layout": LAYOUT | CODEC}
LEVELS = {"kind": "tokens", "layout": {"ragged": True, "size": graphs.SIZE, "strides": [4, 2, 1]} | CODEC}
LATENTS = {
    "kind": "latent",
    "axes": ["band", "frame"],
    "sample_rate": graphs.RATE,
    "samples_per_frame": graphs.SPECTRUM_HOP,
}
MEL = {"kind": "mel", "dialect": "hifigan"}
ISTFT = {"n_fft": graphs.N_FFT, "hop_length": graphs.SPECTRUM_HOP, "padding": "center"}


def _spectrum(outputs: Inputs) -> Array:
    """Return the complex spectrum that outputs stand for, by their names."""
    if "spec" in outputs:
        spectrum = outputs["spec"][0]
        spectrum = spectrum if spectrum.shape[0] == 2 else np.moveaxis(spectrum, -1, 0)
        return np.asarray(spectrum[0] + 1j * spectrum[1])
    if "real" in outputs:
        return np.asarray((outputs["real"] + 1j * outputs["imag"])[0])
    magnitudes = outputs["mag"] if "mag" in outputs else np.exp(outputs["logmag"])
    return np.asarray((magnitudes * np.exp(1j * outputs["phase"]))[0])


class Trial(NamedTuple):
    """A network, and how it is used.

    Parameters
    ----------
    make
        Function that writes it.
    source
        Options of the reader.
    inputs
        Function from a number of frames to what onnxruntime is given; the first, or all of levels, are the signal.
    options
        Options of the transform, beside its model.
    use
        Transform.
    gives
        What it gives: a waveform, or a spectrum.
    cuts
        Whether it can be cut exactly.
    """

    make: Callable[[Path], Path]
    source: Mapping[str, object]
    inputs: Callable[[int], Inputs]
    options: Mapping[str, object] = {}
    use: str = "onnx-codec"
    gives: str = "waveform"
    cuts: bool = True

    def signal(self, frames: int) -> Any:
        """Return what the model wrote: an array, or arrays by name."""
        inputs = self.inputs(frames)
        if self.source is LEVELS:
            return {name: values[0] for name, values in inputs.items()}
        return next(iter(inputs.values()))[0] if self.source is MEL or "z" in inputs else graphs.codes_of(frames)

    def expected(self, model: Path, frames: int) -> Array:
        """Return the sound, by onnxruntime and librosa alone."""
        outputs = graphs.run(model, self.inputs(frames))
        if self.gives == "spectrum":
            return librosa.istft(_spectrum(outputs), hop_length=graphs.SPECTRUM_HOP, n_fft=graphs.N_FFT)
        return next(iter(outputs.values())).ravel()

    def pipeline(self, model: Path, **options: object) -> tonearm.Pipeline:
        """Return a pipeline that runs it."""
        return tonearm.load_pipeline(self.content(model, **options))

    def content(self, model: Path, **options: object) -> dict[str, object]:
        """Return the content of a pipeline that runs it."""
        step = {"use": self.use, "with": {"model": str(model), **self.options, **options}}
        output = {"use": "wav-writer", "file": "sound.wav", "with": {"subtype": "FLOAT"}}
        source = {"use": "npz-reader" if self.source is LEVELS else "npy-reader", "with": dict(self.source)}
        return {"tonearm": 1, "input": source, "steps": [step], "outputs": [output]}


def _tokens(name: str = "audio_codes", lead: int = 1, **more: Array) -> Callable[[int], Inputs]:
    return lambda frames: {name: graphs.codes_of(frames)[(None,) * lead], **more}


def _tokens_as(name: str, arranged: Callable[[Array], Array]) -> Callable[[int], Inputs]:
    return lambda frames: {name: arranged(graphs.codes_of(frames))}


def _with_length(frames: int) -> Inputs:
    return {"tokens": graphs.codes_of(frames)[None], "tokens_len": np.array([frames])}


def _levels(frames: int) -> Inputs:
    return {f"codes_{level}": graphs.codes_of(frames << level, level, books=1) for level in range(3)}


def _z(frames: int) -> Inputs:
    return {"z": graphs.latents_of(frames)[None]}


def _mel(frames: int) -> Inputs:
    return {"mel": np.random.default_rng(0).uniform(-11, 1, (1, frames, 80)).astype("f4")}


CACHE = np.zeros((1, graphs.WIDTH, 2 * graphs.REACH), "f4")
ONE = np.ones((1, 1), "f4")
STATE = np.zeros((1, 1, graphs.WIDTH), "f4")
STYLE = np.linspace(-1, 1, graphs.WIDTH, dtype="f4")[None]
SPEAKER = {"sid": np.array([3]), "style": STYLE, "noise_scale": np.array([0.5], "f4")}
GIVEN = {"sid": 3, "style": STYLE[0].tolist(), "noise_scale": 0.5}
LONG_LATENTS = LATENTS | {"samples_per_frame": graphs.HOP}
SPECTRAL: Mapping[str, Any] = {"source": LATENTS, "inputs": _z, "use": "onnx-vocoder", "gives": "spectrum"}
TRIALS = {
    "plain": Trial(graphs.plain_codec, TOKENS, _tokens()),
    "LSTM": Trial(graphs.lstm_codec, TOKENS, _tokens(), cuts=False),
    "quantised": Trial(graphs.quantised_codec, TOKENS, _tokens(), cuts=False),
    "states": Trial(graphs.state_codec, TOKENS, _tokens("codes", cache_in=CACHE)),
    "rank 4": Trial(graphs.rank_4_codec, TOKENS, _tokens(lead=2)),
    "scales": Trial(graphs.scaled_codec, TOKENS, _tokens(audio_scales=ONE)),
    "levels": Trial(graphs.ragged_codec, LEVELS, _levels),
    "bands last": Trial(graphs.last_band_vocoder, MEL, _mel, {"dialect": "hifigan"}, "onnx-vocoder"),
    "books first": Trial(graphs.book_first_codec, TOKENS, _tokens_as("codes", lambda codes: codes[:, None])),
    "frames first": Trial(graphs.frame_first_codec, TOKENS, _tokens_as("codes", lambda codes: codes.T[None])),
    "length": Trial(graphs.length_codec, TOKENS, _with_length),
    "speaker": Trial(graphs.speaker_vocoder, LONG_LATENTS, lambda frames: _z(frames) | SPEAKER, {"inputs": GIVEN}),
    "half precision": Trial(graphs.half_precision_codec, TOKENS, _tokens()),
    "overhang": Trial(graphs.overhanging_codec, TOKENS, _tokens()),
    "a frame less": Trial(graphs.short_codec, TOKENS, _tokens()),
    "attention": Trial(graphs.attention_codec, TOKENS, _tokens(), cuts=False),
    "halving": Trial(graphs.halving_vocoder, LONG_LATENTS, _z),
    "LSTM with states": Trial(graphs.lstm_state_codec, TOKENS, _tokens("codes", h_in=STATE, c_in=STATE)),
    "complex axis": Trial(graphs.complex_axis_vocoder, options=ISTFT, **SPECTRAL),
    "complex last": Trial(graphs.complex_last_vocoder, options=ISTFT, **SPECTRAL),
    "real and imaginary": Trial(graphs.real_imag_vocoder, options=ISTFT, **SPECTRAL),
    "magnitude and phase": Trial(graphs.magnitude_phase_vocoder, options=ISTFT, **SPECTRAL),
    "logarithm and phase": Trial(graphs.log_magnitude_phase_vocoder, options=ISTFT, **SPECTRAL),
}
CUT = {name: trial for name, trial in TRIALS.items() if trial.cuts}


def sound(made: tonearm.Pipeline, values: Any) -> Array:
    """Return the sound of what a model wrote."""
    (wave,) = made.convert(values)
    assert isinstance(wave, Waveform)
    assert wave.channels == 1
    return np.asarray(wave.samples[0])


def streamed(trial: Trial, model: Path, frames: int, lengths: Sequence[int]) -> Array:
    """Return the sound of a signal whose frames come in blocks of some lengths, over and over."""
    (signal,) = tonearm.load_pipeline({"tonearm": 1, "input": trial.content(model)["input"]}).convert(
        trial.signal(frames)
    )
    transform: Any = trial.pipeline(model).checked.steps[0].plugin
    started = transform.start(spec_of(signal).replace(length=None), Context())
    values, parts, start = signal.block_array(), [], 0
    while start < values.shape[-1]:
        stop = start + lengths[len(parts) % len(lengths)]
        parts.append(started.push(values[..., start:stop]))
        start = stop
    parts.append(started.finish())
    return np.concatenate([part for part in parts if part is not None], axis=-1)[0]


def error(found: Array, expected: Array) -> float:
    """Return the greatest difference as a share of the peak."""
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.one_in(3)
@pytest.mark.parametrize("frames", [1, 7, FRAMES])
@pytest.mark.parametrize("name", TRIALS)
def test_the_whole_is_what_onnxruntime_gives(name: str, frames: int, tmp_path: Path) -> None:
    trial = TRIALS[name]
    if frames == 1 and (trial.gives == "spectrum" or name in ("a frame less", "halving")):
        pytest.skip("it makes no samples of one frame")
    model = trial.make(tmp_path / "m.onnx")
    assert error(sound(trial.pipeline(model), trial.signal(frames)), trial.expected(model, frames)) <= 1e-5


@pytest.mark.one_in(3)
@pytest.mark.parametrize("chunk", [16, 33, 149])
@pytest.mark.parametrize("name", CUT)
def test_chunks_are_what_the_whole_is(name: str, chunk: int, tmp_path: Path) -> None:
    trial = CUT[name]
    model = trial.make(tmp_path / "m.onnx")
    found = sound(trial.pipeline(model, chunk=chunk), trial.signal(FRAMES))
    assert error(found, trial.expected(model, FRAMES)) <= LIMITS[trial.gives]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("lengths", [[1], [7, 64], [FRAMES]])
@pytest.mark.parametrize("name", CUT)
def test_streams_are_what_the_whole_is(name: str, lengths: list[int], tmp_path: Path) -> None:
    trial = CUT[name]
    model = trial.make(tmp_path / "m.onnx")
    found = streamed(trial, model, FRAMES, lengths)
    assert error(found, trial.expected(model, FRAMES)) <= LIMITS[trial.gives]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", TRIALS)
def test_yaml_and_files_give_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tonearm.cli.main import main

    monkeypatch.chdir(tmp_path)
    trial = TRIALS[name]
    model = trial.make(tmp_path / "m.onnx")
    signal = trial.signal(40)
    if isinstance(signal, dict):
        np.savez("a.npz", **signal)
    else:
        np.save("a.npy", signal)
    file = "a.npz" if isinstance(signal, dict) else "a.npy"
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(trial.content(model)), encoding="utf-8")
    assert main(["check", "p.yaml"]) == 0
    assert main(["run", "p.yaml", file, "-o", "out"]) == 0
    found = tonearm.read(tmp_path / "out/sound.wav").samples[0]
    assert error(found, trial.expected(model, 40)) <= 1e-5


class TestWindowsOfAFixedSize:
    """Three levels in windows of 12, 24 and 48 codes, as browsers run SNAC."""

    @pytest.mark.parametrize("frames", [5, 12, 13, 100])
    def test_they_give_what_the_whole_gives(self, frames: int, tmp_path: Path) -> None:
        fixed = graphs.ragged_codec(tmp_path / "fixed.onnx", 12)
        free = graphs.ragged_codec(tmp_path / "free.onnx")
        trial = TRIALS["levels"]
        found, expected = sound(trial.pipeline(fixed), trial.signal(frames)), trial.expected(free, frames)
        assert found.shape == expected.shape
        # A window that is longer than the signal is filled up, which the last frames can hear.
        heard = graphs.REACH * graphs.HOP if frames < 12 else 0
        end = expected.size - heard
        assert error(found[:end], expected[:end]) <= 1e-5


class TestSeveralSignals:
    def test_two_channels(self, tmp_path: Path) -> None:
        trial = TRIALS["plain"]
        model = graphs.stereo_codec(tmp_path / "m.onnx")
        (wave,) = trial.pipeline(model, chunk=20).convert(trial.signal(FRAMES))
        expected = graphs.run(model, trial.inputs(FRAMES))["audio_values"][0]
        assert wave.channels == 2
        assert error(wave.samples, expected) <= 1e-5

    @pytest.mark.parametrize("name", ["plain", "LSTM", "scales", "length"])
    def test_items_of_different_lengths_in_one_batch(self, name: str, tmp_path: Path) -> None:
        trial = TRIALS[name]
        model = trial.make(tmp_path / "m.onnx")
        lengths = (12, 40, 12, 5)
        batch = [graphs.codes_of(frames) for frames in lengths]
        found = [wave.samples[0] for wave in trial.pipeline(model, batch=3).convert(batch)]
        assert len(found) == len(lengths)
        for samples, frames in zip(found, lengths, strict=True):
            assert error(samples, trial.expected(model, frames)) <= 1e-5


class TestWhatCannotBeCut:
    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (graphs.lstm_codec, "LSTM"),
            (graphs.noisy_codec, "RandomNormalLike"),
            (graphs.quantised_codec, "DynamicQuantizeLinear"),
        ],
    )
    def test_check_names_the_reason(self, make: Callable[[Path], Path], reason: str, tmp_path: Path) -> None:
        made = TRIALS["plain"].pipeline(make(tmp_path / "m.onnx"))
        assert any(reason in str(warning) for warning in made.checked.warnings)

    def test_noise_runs_whole(self, tmp_path: Path) -> None:
        trial = TRIALS["plain"]
        model = graphs.noisy_codec(tmp_path / "m.onnx")
        found = sound(trial.pipeline(model), trial.signal(FRAMES))
        assert error(found, trial.expected(model, FRAMES)) < 0.05

    def test_an_lstm_is_cut_on_request(self, tmp_path: Path) -> None:
        trial = TRIALS["LSTM"]
        model = trial.make(tmp_path / "m.onnx")
        found = sound(trial.pipeline(model, chunk=50, receptive_field=[20, 2]), trial.signal(FRAMES))
        assert 1e-7 < error(found, trial.expected(model, FRAMES)) < 0.2


class TestRefusals:
    def refusal(self, model: Path, trial: str = "plain", **options: object) -> str:
        """Return what `check` says of a model."""
        with pytest.raises(tonearm.PipelineError) as caught:
            TRIALS[trial].pipeline(model, **options)
        return "\n".join(str(problem) for problem in caught.value.problems)

    def test_two_outputs_of_unknown_meaning(self, tmp_path: Path) -> None:
        said = self.refusal(graphs.two_outputs(tmp_path / "m.onnx"), "real and imaginary")
        assert "out_a" in said
        assert "outputs" in said

    def test_they_can_be_named(self, tmp_path: Path) -> None:
        trial = TRIALS["real and imaginary"]
        model = graphs.two_outputs(tmp_path / "m.onnx")
        made = trial.pipeline(model, outputs={"out_a": "real", "out_b": "imag"})
        outputs = graphs.run(model, trial.inputs(FRAMES))
        spectrum = (outputs["out_a"] + 1j * outputs["out_b"])[0]
        expected = librosa.istft(spectrum, hop_length=graphs.SPECTRUM_HOP, n_fft=graphs.N_FFT)
        assert error(sound(made, trial.signal(FRAMES)), expected) <= 1e-5

    def test_operators_that_onnxruntime_lacks(self, tmp_path: Path) -> None:
        assert "com.acme" in self.refusal(graphs.custom_operator(tmp_path / "m.onnx"))

    def test_external_data_that_is_missing(self, tmp_path: Path) -> None:
        assert "weights.bin" in self.refusal(graphs.external_codec(tmp_path / "m.onnx"))

    def test_external_data_out_of_its_folder(self, tmp_path: Path) -> None:
        (tmp_path / "models").mkdir()
        model = graphs.external_codec(tmp_path / "models/m.onnx", "../weights.bin")
        (tmp_path / "models/moved.bin").rename(tmp_path / "weights.bin")
        assert "../weights.bin" in self.refusal(model)

    def test_external_data_beside_the_model(self, tmp_path: Path) -> None:
        trial = TRIALS["plain"]
        model = graphs.external_codec(tmp_path / "m.onnx")
        (tmp_path / "moved.bin").rename(tmp_path / "weights.bin")
        assert error(sound(trial.pipeline(model), trial.signal(40)), trial.expected(model, 40)) <= 1e-5

    def test_another_number_of_books(self, tmp_path: Path) -> None:
        trial = TRIALS["plain"]
        model = graphs.codec_like(tmp_path / "m.onnx", 9, graphs.SIZE, graphs.HOP)
        content = trial.content(model)
        content["input"] = {
            "use": "npy-reader",
            "with": {"kind": "tokens", "layout": LAYOUT | CODEC | {"codebooks": 4}},
        }
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(content)
        assert "takes 9 books, but the codec tokens have 4" in str(caught.value)
