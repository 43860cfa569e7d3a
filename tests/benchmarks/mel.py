"""From mel spectrograms: magnitudes alone, and waveforms, against librosa and torchaudio's way."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import evaluator
import harness
import librosa
import material
import numpy as np
import peers

from tonearm_plugins.dsp.mel_inverse import mel_griffin_lim, mel_to_magnitude

N_FFT, HOP, MELS = 1024, 256, 80
CALL = {"window": evaluator.hann(N_FFT), "hop_length": HOP, "pad": N_FFT // 2}
MAGNITUDE_COLUMNS = ("magnitudes", "ms", "× librosa", "distance of the mel spectrogram, dB")
WAVEFORM_COLUMNS = ("waveform", "ms", "× librosa", "mel distance dB", "mel L1 dB", "PESQ", "memory × input")


def tables() -> Iterator[harness.Table]:
    weights = librosa.filters.mel(sr=material.SAMPLE_RATE, n_fft=N_FFT, n_mels=MELS)
    for power in (1, 2):
        signal = material.speech(30)
        magnitude = np.abs(evaluator.spectra(signal, N_FFT, HOP)).T
        mel = (weights @ magnitude**power).astype(np.float32)
        title = f"speech, 30 s, {MELS} bands of n_fft {N_FFT}, hop_length {HOP}, power {power}"
        yield _magnitudes(title, mel, weights, power)
        yield _waveforms(title, mel, weights, power, signal)


def _magnitudes(title: str, mel: np.ndarray, weights: np.ndarray, power: int) -> harness.Table:
    contenders: dict[str, harness.Work] = {
        "librosa": lambda: librosa.feature.inverse.mel_to_stft(mel, sr=material.SAMPLE_RATE, n_fft=N_FFT, power=power)
    }
    for iterations in (0, 3, 10):
        contenders[f"tonearm, {iterations} updates"] = functools.partial(
            mel_to_magnitude, mel[None], mel_basis=weights, power=power, iterations=iterations
        )
    rows = []
    measured = harness.compare(contenders, rounds=3, memory=False)
    for name, m in measured.items():
        again = weights @ np.asarray(m.result, np.float64).reshape(N_FFT // 2 + 1, -1) ** power
        distance = 20 * np.log10(np.linalg.norm(again - mel) / np.linalg.norm(mel))
        ratio = harness.times_faster(m, measured["librosa"])
        rows.append((name, harness.milliseconds(m.median), f"{ratio:.3g}", f"{distance:.1f}"))
    return harness.Table(title, MAGNITUDE_COLUMNS, tuple(rows))


def _waveforms(title: str, mel: np.ndarray, weights: np.ndarray, power: int, signal: np.ndarray) -> harness.Table:
    length = len(signal)

    def librosas() -> np.ndarray:
        return librosa.feature.inverse.mel_to_audio(
            mel, sr=material.SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP, power=power, n_iter=32, length=length
        )

    def torchs() -> np.ndarray:
        known = peers.torch_inverse_mel(mel, weights) ** (1 / power)
        return peers.torch_griffin_lim(known, N_FFT, HOP, length)

    def ours(iterations: int, engine: str) -> np.ndarray:
        return mel_griffin_lim(
            mel[None], mel_basis=weights, power=power, length=length, iterations=iterations, engine=engine, **CALL
        ).samples[0]

    contenders: dict[str, harness.Work] = {"librosa, 32 iterations": librosas}
    if peers.has_torch():
        contenders["torch, 32 iterations"] = torchs
    for iterations in (8, 16, 32):
        contenders[f"tonearm, {iterations} iterations"] = functools.partial(ours, iterations, "native")
    contenders["tonearm, 32 iterations, scipy alone"] = functools.partial(ours, 32, "scipy")
    measured = harness.compare(contenders, rounds=3)
    rows = []
    for name, m in measured.items():
        found = np.asarray(m.result)
        again = weights @ np.abs(evaluator.spectra(found, N_FFT, HOP)).T ** power
        distance = 20 * np.log10(np.linalg.norm(again - mel) / np.linalg.norm(mel))
        in_db = [20 / power * np.log10(np.maximum(x, 1e-5)) for x in (again, mel)]
        quality = evaluator.pesq_wide_band(found, signal, material.SAMPLE_RATE)
        rows.append((
            name,
            harness.milliseconds(m.median),
            f"{harness.times_faster(m, measured['librosa, 32 iterations']):.3g}",
            f"{distance:.1f}",
            f"{np.abs(in_db[0] - in_db[1]).mean():.2f}",
            f"{quality:.2f}" if quality else "",
            f"{m.peak / mel.nbytes:.1f}" if m.peak is not None else "",
        ))  # fmt: skip
    return harness.Table(title, WAVEFORM_COLUMNS, tuple(rows))
