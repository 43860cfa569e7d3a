"""Scale, as people first met it: nothing that is silent, noise or squares comes out without a word.

Each case is a file and a command line. What comes out is right, or the message has the line to write, which is tried.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import soundfile

import tonearm
from tonearm.cli.main import main

RATE, N_FFT, HOP = 22050, 1024, 256
GRID = ["--sample-rate", str(RATE), "--n-fft", str(N_FFT), "--hop-length", str(HOP)]
WAVE = ["--sample-rate", str(RATE)]
ROOT = Path(__file__).parents[2]


def speech(peak: float = 0.441) -> Any:
    """Return a sound like speech: bursts of a few partials, with silence between them."""
    time = np.arange(12288) / RATE
    partials = sum(np.sin(2 * np.pi * 140 * k * time + k) / k for k in range(1, 20))
    made = partials * np.maximum(np.sin(2 * np.pi * 3 * time), 0)
    return made * (peak / np.abs(made).max())


Y = speech()


def stft(samples: Any) -> Any:
    return librosa.stft(samples, n_fft=N_FFT, hop_length=HOP).astype(np.complex64)


def standardised() -> Any:
    mel = np.load(ROOT / "configs/samples/mel/hifigan.npy")
    return ((mel - mel.mean()) / mel.std()).astype(np.float32)


SPIKE = np.zeros(RATE, np.int16)
SPIKE[99] = 1

ARRAYS: dict[str, Callable[[], Any]] = {
    "complex in int16": lambda: stft(Y * 32768),
    "complex in 24 bits": lambda: stft(Y * 2**23),
    "complex128 in int32": lambda: librosa.stft(Y * 2**31, n_fft=N_FFT, hop_length=HOP),
    "parts in int16": lambda: np.stack([stft(Y * 32768).real, stft(Y * 32768).imag], axis=-1),
    "magnitude in int16": lambda: np.abs(stft(Y * 32768)),
    "power in int16": lambda: np.abs(stft(Y * 32768)) ** 2,
    "db in int16": lambda: 20 * np.log10(np.maximum(np.abs(stft(Y * 32768)), 1e-5)),
    "int32 of 16 bits": lambda: np.rint(Y * 32767).astype(np.int32),
    "int32 of 24 bits": lambda: np.rint(Y * 2**23).astype(np.int32),
    "int64 of 16 bits": lambda: np.rint(Y * 32767).astype(np.int64),
    "one axis among four": lambda: Y.astype(np.float32)[None, None, None],
    "float in int16": lambda: (Y * 32768).astype(np.float32),
    "float in int32": lambda: Y * 2**31,
    "uint16": lambda: np.rint(Y * 32767 + 32768).astype(np.uint16),
    "standardised mel": standardised,
    "melgan": lambda: np.load(ROOT / "configs/samples/mel/melgan.npy"),
    "float × 1e-5": lambda: (Y * 1e-5).astype(np.float32),
    "a spike": lambda: SPIKE,
    "zeros": lambda: np.zeros(RATE, np.float32),
    "quiet complex": lambda: stft(Y / 32768),
    "8 times": lambda: (Y * 8).astype(np.float32),
    "standardised waveform": lambda: (Y / Y.std()).astype(np.float32),
    "tokens": lambda: np.random.default_rng(0).integers(0, 4096, 2000).astype(np.int16),
    "linear as db": lambda: np.abs(stft(Y)),
    "int32": lambda: np.rint(Y * (2**31 - 1)).astype(np.int32),
    "int16": lambda: np.rint(Y * 32767).astype(np.int16),
}


@pytest.fixture
def convert(tmp_path: Path, monkeypatch: Any, capsys: Any) -> Any:
    """Return a function that converts an array: its exit status, what it printed, and the samples."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, *arguments: str, suffix: str = ".wav") -> tuple[int, str, Any]:
        np.save("in.npy", ARRAYS[name]())
        Path(f"out{suffix}").unlink(missing_ok=True)
        status = main(["convert", "in.npy", f"out{suffix}", *arguments])
        written = Path(f"out{suffix}")
        samples = soundfile.read(written)[0] if written.exists() and suffix != ".npy" else None
        return status, capsys.readouterr().err, samples

    return run


FLOAT = ["--set", "outputs.0.with.subtype=FLOAT"]
KIND = {"magnitude": ["--kind", "magnitude"], "power": ["--kind", "power"], "db": ["--kind", "db"]}


def flags(name: str) -> list[str]:
    parts = ["--axes", "bin,frame,complex"] if name.startswith("parts") else []
    return [*GRID, *KIND.get(name.split()[0], []), *parts]


INVERTED = [
    name for name in ARRAYS if name.split()[0] in ("complex", "complex128", "parts", "magnitude", "power", "db")
]


@pytest.mark.parametrize("more", [[], FLOAT], ids=["integers", "floats"])
@pytest.mark.parametrize("name", INVERTED)
def test_a_spectrogram_of_another_scale_is_refused_and_the_line_to_add_is_right(
    name: str, more: list[str], convert: Any
) -> None:
    status, said, _ = convert(name, *flags(name), *more)
    assert status == 3
    assert said.startswith("beyond-full-scale: ")
    assert len(said.strip().splitlines()) <= 3
    (line,) = [part for part in said.split("hint: ")[1].split("; ") if part.startswith("--full-scale")]
    status, said, found = convert(name, *flags(name), *more, *shlex.split(line.split(",")[0]))
    assert (status, said.count("warning")) == (0, 0)
    peak = np.abs(found).max()
    if "complex" in name or "parts" in name:
        assert np.abs(found - Y[: len(found)]).max() < (1e-6 if more else 2e-5)
    assert 0.5 * 0.441 < peak < 1.5 * 0.441  # of magnitudes, phases are an estimate


@pytest.mark.parametrize("kind", [[], ["--kind", "complex"]], ids=["inferred", "written"])
def test_full_scale_serves_a_spectrogram_whose_kind_is_written_or_not(kind: list[str], convert: Any) -> None:
    status, _, found = convert("complex in int16", *GRID, *kind, "--full-scale", "32768")
    assert status == 0
    assert np.abs(found - Y[: len(found)]).max() < 2e-5


@pytest.mark.parametrize("more", [[], FLOAT], ids=["integers", "floats"])
def test_a_standardised_mel_is_doubted_and_its_sound_refused(more: list[str], convert: Any) -> None:
    status, said, _ = convert("standardised mel", "--dialect", "hifigan", *more)
    assert status == 3
    assert "dialect-doubtful: values with a mean of " in said
    assert "beyond-full-scale: " in said
    status, said, _ = convert("standardised mel", "--dialect", "hifigan", "--strict", *more)
    assert (status, said.startswith("dialect-doubtful: ")) == (3, True)


def test_a_mel_of_another_family_is_doubted_and_what_is_proposed_is_right(convert: Any) -> None:
    status, said, wrong = convert("melgan", "--dialect", "hifigan")
    assert (status, wrong is None) == (0, False)
    assert said.startswith("warning: dialect-doubtful: 35 values are exactly -5, the floor of melgan, but")
    assert "; --dialect melgan\n" in said
    assert convert("melgan", "--dialect", "hifigan", "--strict")[:1] == (3,)
    status, said, _ = convert("melgan", "--dialect", "melgan", "--strict")
    assert (status, "dialect-doubtful" in said) == (0, False)


@pytest.mark.parametrize("name", ["int32 of 16 bits", "int32 of 24 bits", "int64 of 16 bits", "uint16"])
def test_integers_that_do_not_use_their_type_are_asked_about(name: str, convert: Any, capsys: Any) -> None:
    status, said, _ = convert(name, *WAVE)
    assert status == 3
    assert said.startswith("unknown-scale: ")
    first = said.split("hint: ")[1].split(",")[0]
    status, said, found = convert(name, *WAVE, *shlex.split(first))
    assert (status, "warning" in said) == (0, False)
    assert np.abs(found - Y).max() < 1e-4
    assert main(["inspect", "in.npy", "--json"]) == 0
    (shown,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["value"] for one in shown["findings"] if one["what"] == "scale"] == ["?"]


@pytest.mark.parametrize("name", ["int32", "int16"])
def test_integers_that_use_their_type_are_not(name: str, convert: Any) -> None:
    status, said, found = convert(name, *WAVE)
    assert (status, "warning" in said) == (0, False)
    assert np.abs(found - Y).max() < 1e-4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "float × 1e-5",
            "too-quiet: the peak of the waveform is only -107.1 dBFS (4.41e-06), and 16-bit samples of it",
        ),
        ("a spike", "too-quiet: the peak of the waveform is only -90.3 dBFS (3.05e-05)"),
        ("zeros", "the waveform is silent"),
        ("quiet complex", "too-quiet: the peak of the waveform is only -97.4 dBFS"),
    ],
)
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_what_is_written_too_quiet_is_warned_of_with_its_peak(
    name: str, message: str, suffix: str, convert: Any
) -> None:
    given = GRID if name == "quiet complex" else WAVE
    status, said, _ = convert(name, *given, suffix=suffix)
    assert status == 0
    assert said.startswith(f"warning: {message}")
    status, said, _ = convert(name, *given, "--strict", suffix=suffix)
    assert status == 3
    assert said.startswith("too-quiet: ")


@pytest.mark.parametrize("name", ["8 times", "standardised waveform"])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".opus", ".mp3"])
def test_what_would_be_clipped_is_refused_by_every_encoder_and_the_line_to_add_is_right(
    name: str, suffix: str, convert: Any
) -> None:
    status, said, _ = convert(name, *WAVE, suffix=suffix)
    assert status == 3
    assert said.startswith("clipped: ")
    lines = said.split("hint: ")[1].strip().split("; ")
    (step,) = [line.split(",")[0] for line in lines if line.startswith("--step")]
    (limit,) = [line.split(",")[0] for line in lines if line.startswith("--limit")]
    status, said, found = convert(name, *WAVE, *shlex.split(step), suffix=suffix)
    assert (status, "clipped" in said) == (0, False)
    assert np.abs(found).max() < 1.1
    status, said, _ = convert(name, *WAVE, *shlex.split(limit), suffix=suffix)
    assert status == 0
    assert "samples were beyond full scale and clipped" in said


def test_floats_beyond_full_scale_are_warned_of(convert: Any) -> None:
    status, said, found = convert("8 times", *WAVE, *FLOAT)
    assert status == 0
    assert said.startswith("warning: clipped: ")
    np.testing.assert_array_equal(found.astype(np.float32), (Y * 8).astype(np.float32))


@pytest.mark.parametrize("name", ["float in int16", "float in int32"])
def test_samples_stored_as_floats_are_asked_about(name: str, convert: Any) -> None:
    status, said, _ = convert(name, *WAVE)
    assert (status, said.split(":")[0]) == (3, "beyond-full-scale")
    status, _, found = convert(name, *WAVE, *shlex.split(said.split("hint: ")[1].split(",")[0]))
    assert status == 0
    assert np.abs(found - Y).max() < 2e-5


@pytest.mark.parametrize(
    "unused", [["--n-fft", "1024"], ["--hop-length", "256"], ["--window", "hann"], ["--center", "true"]]
)
@pytest.mark.parametrize("name", ["one axis among four", "int16"])
def test_options_that_a_waveform_has_no_use_for_are_refused(name: str, unused: list[str], convert: Any) -> None:
    status, said, _ = convert(name, *WAVE, *unused)
    assert status == 3
    assert said.startswith("unknown-option: ")
    assert f"leave {unused[0]} out" in said
    assert convert(name, *WAVE)[0] == 0


def test_an_array_whose_only_long_axis_is_its_last_needs_no_kind(convert: Any) -> None:
    status, said, found = convert("one axis among four", *WAVE)
    assert (status, "warning" in said) == (0, False)
    assert np.abs(found - Y).max() < 2e-5


@pytest.mark.parametrize(
    ("axes", "array"),
    [
        ("batch,time", lambda: Y.astype(np.float32)[None]),
        ("time,channel", lambda: Y.astype(np.float32)[:, None]),
        ("channel,time", lambda: np.stack([Y, Y]).astype(np.float32)),
    ],
)
def test_axes_with_time_need_no_kind(axes: str, array: Any, convert: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(ARRAYS, "given", array)
    status, _, found = convert("given", *WAVE, "--axes", axes)
    assert status == 0
    assert np.abs(found.T - Y).max() < 2e-5


@pytest.mark.parametrize(
    ("name", "given"),
    [("tokens", WAVE), ("linear as db", [*GRID, "--kind", "db", "--limit", "beyond=1e9", "--limit", "clipped=1"])],
)
def test_values_that_look_like_another_kind_are_doubted(name: str, given: list[str], convert: Any) -> None:
    _, said, _ = convert(name, *given)
    assert said.startswith("warning: kind-doubtful: ")
    status, said, _ = convert(name, *given, "--strict")
    assert (status, said.startswith("kind-doubtful: ")) == (3, True)
    _, said, _ = convert(name, *given, "--limit", "dialect=off")
    assert "kind-doubtful" not in said


def test_a_run_says_the_same_and_goes_on(tmp_path: Path) -> None:
    arrays = {name: ARRAYS[name]() for name in ("complex in int16", "quiet complex")}
    arrays["right"] = stft(Y)
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"sample_rate": RATE, "n_fft": N_FFT, "hop_length": HOP}},
            "steps": [{"use": "istft"}],
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        }
    )
    results: list[Any] = []
    report = pipeline.run(arrays, out=tmp_path, observe=results.append)
    assert [error.code for error in report.errors] == ["beyond-full-scale"]
    assert '"full_scale": 32768 in the options of input' in report.errors[0].hint
    warned = [warning for result in results for warning in result.warnings]
    assert [warning.split(":")[0] for warning in warned] == ["too-quiet"]
