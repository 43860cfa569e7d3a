"""The STFT and mel spectrograms, against librosa, torch and scipy, with their errors against float64."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

import evaluator
import harness
import librosa
import material
import numpy as np

import peers
from tonearm_plugins.dsp.engines.choice import VARIABLE
from tonearm_plugins.dsp.mel_spectrogram import mel_spectrogram
from tonearm_plugins.dsp.stft import stft

CASES = (
    ("speech", 60, 1024, 256, 15),
    ("music", 60, 2048, 512, 15),
    ("speech", 5, 1024, 256, 25),
    ("speech", 20, 400, 160, 9),
)
COLUMNS = ("", "ms", "× librosa", "× torch", "largest error / peak", "memory × samples")
BANDS = 80


def tables() -> Iterator[harness.Table]:
    for kind, seconds, n_fft, hop, rounds in CASES:
        signal = {"speech": material.speech, "music": material.music}[kind](seconds).astype(np.float32)
        title = f"{kind}, {seconds} s, n_fft {n_fft}, hop_length {hop}"
        exact = evaluator.spectra(signal, n_fft, hop).T
        yield _table(f"STFT: {title}", _stfts(signal, n_fft, hop), exact, signal, rounds)
        weights = librosa.filters.mel(sr=material.SAMPLE_RATE, n_fft=n_fft, n_mels=BANDS)
        for power in (2, 1):
            bands = weights.astype(np.float64) @ np.abs(exact) ** power
            contenders = _mels(signal, n_fft, hop, weights, power)
            yield _table(f"{BANDS} mel bands of power {power}: {title}", contenders, bands, signal, rounds)


def _stfts(signal: np.ndarray, n_fft: int, hop: int) -> Mapping[str, harness.Work]:
    torch = functools.partial(peers.torch_stft, signal, n_fft, hop)
    ours = functools.partial(stft, signal[None], window=evaluator.hann(n_fft), hop_length=hop, pad=n_fft // 2)
    by_torch = {"torch": torch, "torch, frames adjacent": lambda: np.ascontiguousarray(torch())}
    return {
        "librosa": functools.partial(librosa.stft, signal, n_fft=n_fft, hop_length=hop),
        **(by_torch if peers.has_torch() else {}),
        "scipy.signal": functools.partial(peers.scipy_stft, signal, n_fft, hop),
        "tonearm": lambda: ours()[0],
        "tonearm, scipy alone": functools.partial(_by_scipy, ours),
    }


def _mels(signal: np.ndarray, n_fft: int, hop: int, weights: np.ndarray, power: int) -> Mapping[str, harness.Work]:
    """Return contenders. Ours works in double precision, the others in single precision."""
    ours = functools.partial(
        mel_spectrogram, signal[None], window=evaluator.hann(n_fft), win_length=n_fft, hop_length=hop,
        pad=(n_fft // 2, n_fft // 2), pad_mode="constant", mel_basis=weights, power=power,
    )  # fmt: skip
    given = {"sr": material.SAMPLE_RATE, "n_fft": n_fft, "hop_length": hop, "n_mels": weights.shape[0], "power": power}
    torch = functools.partial(peers.torch_mel, signal, n_fft, hop, weights, power)
    return {
        "librosa": functools.partial(librosa.feature.melspectrogram, y=signal, **given),
        **({"torch": torch} if peers.has_torch() else {}),
        "tonearm": lambda: ours()[0],
        "tonearm, scipy alone": functools.partial(_by_scipy, ours),
    }


def _by_scipy(work: harness.Work) -> np.ndarray:
    with harness.environment(VARIABLE, "scipy"):
        return np.asarray(work())[0]


def _table(
    title: str, contenders: Mapping[str, harness.Work], exact: np.ndarray, signal: np.ndarray, rounds: int
) -> harness.Table:
    measured = harness.compare(contenders, rounds=rounds)
    rows = []
    for name, m in measured.items():
        ratios = [f"{harness.times_faster(m, measured[p]):.3g}" if p in measured else "" for p in ("librosa", "torch")]
        found = np.asarray(m.result)[:, : exact.shape[1]]
        error = np.abs(found - exact).max() / np.abs(exact).max()
        memory = f"{m.peak / signal.nbytes:.2f}" if m.peak is not None else ""
        rows.append((name, harness.milliseconds(m.median), *ratios, f"{error:.1e}", memory))
    return harness.Table(title, COLUMNS, tuple(rows))
