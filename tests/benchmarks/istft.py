"""The inverse STFT, in both orders of memory, against librosa, torch and scipy."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import evaluator
import harness
import librosa
import material
import numpy as np

import peers
import tonearm
from tonearm_plugins.dsp.istft import istft

CASES = (
    ("speech", 60, 1024, 256, 15),
    ("music", 60, 2048, 512, 15),
    ("speech", 5, 1024, 256, 25),
    ("music", 5, 2048, 512, 25),
    *(("speech", 20, n_fft, hop, 9) for n_fft, hop in ((1920, 480), (400, 160), (800, 200), (2048, 300))),
)
ORDERS = {"C": "frames adjacent (C order)", "F": "bins adjacent (Fortran order)"}
ONCE, ALONE, MAPPED = "read and written once", "`dsp.istft`", "`dsp.istft`, mapped file"
COLUMNS = ("", "ms", "× librosa", "× torch", "largest error / peak", "memory × input")


def tables() -> Iterator[harness.Table]:
    for kind, seconds, n_fft, hop, rounds in CASES:
        signal = {"speech": material.speech, "music": material.music}[kind](seconds)
        exact = evaluator.spectra(signal, n_fft, hop).T
        for order, name in ORDERS.items():
            spectrum = np.array(exact, np.complex64, order=order)
            title = f"{kind}, {seconds} s, n_fft {n_fft}, hop_length {hop}, {name}"
            yield _table(title, spectrum, signal, n_fft, hop, rounds)
    yield _limits()


def _limits() -> harness.Table:
    """Compare the function with the memory that it reads and writes, and with a pipeline around it."""
    n_fft, hop, rows = 1024, 256, []
    signal = material.speech(60)
    for order, name in ORDERS.items():
        spectrum = np.array(evaluator.spectra(signal, n_fft, hop).T, np.complex64, order=order)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "spectrum.npy"
            np.save(path, spectrum)
            measured = harness.compare(_around(spectrum, path, n_fft, hop, signal.size), rounds=25, memory=False)
        for what, m in measured.items():
            alone = measured[MAPPED if "mapped" in what else ALONE]
            ratios = (f"{1 / harness.times_faster(m, base):.3g}" for base in (measured[ONCE], alone))
            rows.append((f"{what}, {name}", harness.milliseconds(m.median), *ratios))
    columns = ("", "ms", f"÷ {ONCE}", "÷ `dsp.istft` of the same")
    return harness.Table(f"speech, 60 s, n_fft {n_fft}, hop_length {hop}, and what bounds it", columns, tuple(rows))


def _around(spectrum: np.ndarray, path: Path, n_fft: int, hop: int, length: int) -> dict[str, harness.Work]:
    frames = {"window": evaluator.hann(n_fft), "hop_length": hop, "pad": n_fft // 2, "length": length}
    numbers, result = spectrum.reshape(-1, order="A").view(np.float32), np.zeros(length, np.float32)
    pipeline = _pipeline(n_fft, hop, length)
    return {
        ONCE: lambda: (numbers.sum(), result.copy()),
        ALONE: lambda: istft(spectrum[None], **frames),
        "pipeline": lambda: list(pipeline.convert(spectrum)),
        MAPPED: lambda: istft(np.load(path, mmap_mode="r")[None], **frames),
        "pipeline, mapped file": lambda: list(pipeline.convert(path)),
    }


def _pipeline(n_fft: int, hop: int, length: int) -> tonearm.Pipeline:
    figures = {"kind": "complex", "sample_rate": material.SAMPLE_RATE, "n_fft": n_fft, "hop_length": hop}
    return tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": figures | {"length": length}},
            "steps": [{"use": "istft"}],
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        }
    )


def _table(title: str, spectrum: np.ndarray, signal: np.ndarray, n_fft: int, hop: int, rounds: int) -> harness.Table:
    window, length = evaluator.hann(n_fft), len(signal)

    def ours(engine: str) -> np.ndarray:
        return istft(spectrum[None], window=window, hop_length=hop, pad=n_fft // 2, length=length, engine=engine)[0]

    contenders: dict[str, harness.Work] = {
        "librosa": functools.partial(librosa.istft, spectrum, hop_length=hop, n_fft=n_fft, length=length)
    }
    if peers.has_torch():
        contenders["torch"] = functools.partial(peers.torch_istft, spectrum, n_fft, hop, length)
    contenders["scipy.signal"] = functools.partial(peers.scipy_istft, spectrum, n_fft, hop, length)
    contenders["tonearm"] = functools.partial(ours, "native")
    contenders["tonearm, scipy alone"] = functools.partial(ours, "scipy")
    measured = harness.compare(contenders, rounds=rounds)
    rows = []
    for name, m in measured.items():
        ratios = [f"{harness.times_faster(m, measured[p]):.3g}" if p in measured else "" for p in ("librosa", "torch")]
        error = evaluator.error_of_the_peak(np.asarray(m.result), signal[: np.asarray(m.result).size].astype(float))
        memory = f"{m.peak / spectrum.nbytes:.2f}" if m.peak is not None else ""
        rows.append((name, harness.milliseconds(m.median), *ratios, f"{error:.1e}", memory))
    return harness.Table(title, COLUMNS, tuple(rows))
