"""From mel spectrograms: magnitudes alone, and waveforms, against librosa and torchaudio's way."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import evaluator
import harness
import librosa
import material
import numpy as np

import peers
from tonearm_plugins.dsp.mel_griffin_lim import PRESETS, mel_griffin_lim
from tonearm_plugins.dsp.mel_to_magnitude import mel_to_magnitude

SECONDS = 60
ROUNDS = 3
MAGNITUDE_COLUMNS = ("magnitudes", "ms", "× librosa", "mel distance dB", "residual ÷ librosa's")
WAVEFORM_COLUMNS = (
    "waveform, iterations", "ms", "× librosa", "× torch", "mel distance dB", "mel L1 dB", "L1 ÷ librosa's", "PESQ",
    "memory × input",
)  # fmt: skip
LIBROSA, TORCH = "librosa, 32", "torch, 32"
NOTE = (
    "Times are CPU time. The mel distance is over the norm, of all frames; L1 is the mean difference, each band in dB."
)


@dataclass(frozen=True)
class Case:
    """A mel spectrogram of 60 s of speech, and how far from it a sound is."""

    sample_rate: int
    n_fft: int
    hop: int
    mels: int
    power: int

    @property
    def title(self) -> str:
        return (
            f"speech, {SECONDS} s, {self.mels} bands at {self.sample_rate:,} Hz, n_fft {self.n_fft}, hop_length "
            f"{self.hop}, power {self.power}"
        )

    @cached_property
    def signal(self) -> np.ndarray:
        return material.speech(SECONDS) if self.sample_rate == material.SAMPLE_RATE else material.wide_speech(SECONDS)

    @cached_property
    def weights(self) -> np.ndarray:
        return librosa.filters.mel(sr=self.sample_rate, n_fft=self.n_fft, n_mels=self.mels)

    @cached_property
    def mel(self) -> np.ndarray:
        return self.mel_of(np.abs(evaluator.spectra(self.signal, self.n_fft, self.hop)).T).astype(np.float32)

    def mel_of(self, magnitude: np.ndarray) -> np.ndarray:
        return self.weights @ magnitude.astype(np.float64) ** self.power

    def residual(self, magnitude: np.ndarray) -> float:
        return float(np.linalg.norm(self.mel_of(magnitude) - self.mel) / np.linalg.norm(self.mel))

    def mean_difference_db(self, magnitude: np.ndarray) -> float:
        found, wanted = (np.log10(np.maximum(x, 1e-5)) for x in (self.mel_of(magnitude), self.mel))
        return float(20 / self.power * np.abs(found - wanted).mean())


CASES = (
    Case(22_050, 1024, 256, 80, 1),
    Case(44_100, 2048, 512, 128, 1),
    Case(22_050, 1024, 256, 80, 2),
)


def tables() -> Iterator[harness.Table]:
    for case in CASES:
        yield _magnitudes(case)
        yield _waveforms(case)


def _magnitudes(case: Case) -> harness.Table:
    mel = case.mel
    contenders: dict[str, harness.Work] = {
        "librosa": lambda: librosa.feature.inverse.mel_to_stft(
            mel, sr=case.sample_rate, n_fft=case.n_fft, power=case.power
        )
    }
    for iterations in (0, 3, 10):
        contenders[f"tonearm, {iterations} updates"] = functools.partial(
            mel_to_magnitude, mel[None], mel_basis=case.weights, power=case.power, iterations=iterations
        )
    measured = harness.compare(contenders, rounds=ROUNDS, memory=False, clock=time.process_time)
    residuals = {
        name: case.residual(np.asarray(m.result).reshape(case.n_fft // 2 + 1, -1)) for name, m in measured.items()
    }
    rows = [
        (
            name,
            harness.milliseconds(m.median),
            f"{harness.times_faster(m, measured['librosa']):.3g}",
            f"{20 * np.log10(residuals[name]):.1f}",
            f"{residuals[name] / residuals['librosa']:.2f}",
        )
        for name, m in measured.items()
    ]
    return harness.Table(case.title, MAGNITUDE_COLUMNS, tuple(rows), NOTE)


def _waveforms(case: Case) -> harness.Table:
    measured = harness.compare(_contenders(case), rounds=ROUNDS, clock=time.process_time)
    magnitudes = {
        name: np.abs(evaluator.spectra(np.asarray(m.result), case.n_fft, case.hop)).T for name, m in measured.items()
    }
    theirs = case.mean_difference_db(magnitudes[LIBROSA])
    rows = []
    for name, m in measured.items():
        difference = case.mean_difference_db(magnitudes[name])
        quality = evaluator.pesq_wide_band(np.asarray(m.result), case.signal, case.sample_rate)
        rows.append((
            name,
            harness.milliseconds(m.median),
            f"{harness.times_faster(m, measured[LIBROSA]):.3g}",
            f"{harness.times_faster(m, measured[TORCH]):.3g}" if TORCH in measured else "",
            f"{20 * np.log10(case.residual(magnitudes[name])):.1f}",
            f"{difference:.2f}",
            f"{difference / theirs:.2f}",
            f"{quality:.2f}" if quality else "",
            f"{m.peak / case.mel.nbytes:.1f}" if m.peak is not None else "",
        ))  # fmt: skip
    return harness.Table(case.title, WAVEFORM_COLUMNS, tuple(rows), NOTE)


def _contenders(case: Case) -> dict[str, harness.Work]:
    mel, weights, length = case.mel, case.weights, len(case.signal)
    frames = {"window": evaluator.hann(case.n_fft), "hop_length": case.hop, "pad": case.n_fft // 2}

    def librosas() -> np.ndarray:
        return librosa.feature.inverse.mel_to_audio(
            mel, sr=case.sample_rate, n_fft=case.n_fft, hop_length=case.hop, power=case.power, n_iter=32, length=length
        )

    def torchs() -> np.ndarray:
        known = peers.torch_inverse_mel(mel, weights) ** (1 / case.power)
        return peers.torch_griffin_lim(known, case.n_fft, case.hop, length)

    def ours(preset: str, engine: str) -> np.ndarray:
        chosen = PRESETS[preset]
        return mel_griffin_lim(
            mel[None], mel_basis=weights, power=case.power, length=length, start=chosen.start,
            iterations=chosen.iterations, momentum=chosen.momentum, engine=engine, **frames,
        ).samples[0]  # fmt: skip

    contenders: dict[str, harness.Work] = {LIBROSA: librosas}
    if peers.has_torch():
        contenders[TORCH] = torchs
    for name, preset in PRESETS.items():
        contenders[f"tonearm, `{name}`, {preset.iterations}"] = functools.partial(ours, name, "native")
    for name in ("draft", "fast"):
        row = f"tonearm, `{name}`, {PRESETS[name].iterations}, scipy alone"
        contenders[row] = functools.partial(ours, name, "scipy")
    return contenders
