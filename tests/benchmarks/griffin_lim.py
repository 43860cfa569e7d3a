"""Phase recovery: tonearm's presets against librosa's and torch's 32 iterations."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import evaluator
import harness
import librosa
import material
import numpy as np

import peers
from tonearm_plugins.dsp.griffin_lim import PRESETS, griffin_lim

# material, seconds, n_fft, hop_length, rounds
CASES = (
    ("speech", 60, 1024, 256, 5),
    ("music", 60, 1024, 256, 5),
    ("music", 60, 2048, 512, 5),
    ("speech", 5, 1024, 256, 15),
    ("music", 5, 2048, 512, 15),
)
ODD_CASES = tuple(("speech", 20, n_fft, hop, 5) for n_fft, hop in ((1920, 480), (400, 160), (800, 200), (2048, 300)))
COLUMNS = (
    "32 iterations unless a preset says otherwise",
    "ms",
    "× librosa",
    "× torch",
    "SC dB",
    "PESQ",
    "memory × input",
)


def tables() -> Iterator[harness.Table]:
    for case in CASES:
        yield _table(*case, presets=("good", "fast", "draft", "best"))
    for case in ODD_CASES:
        yield _table(*case, presets=("good",))


def _table(kind: str, seconds: int, n_fft: int, hop: int, rounds: int, *, presets: tuple[str, ...]) -> harness.Table:
    signal = {"speech": material.speech, "music": material.music}[kind](seconds)
    magnitude = np.abs(librosa.stft(signal, n_fft=n_fft, hop_length=hop))
    known = np.ascontiguousarray(magnitude)
    window, length = evaluator.hann(n_fft), len(signal)

    def ours(engine: str, preset: str) -> np.ndarray:
        chosen = PRESETS[preset]
        return griffin_lim(
            known[None], window=window, hop_length=hop, pad=n_fft // 2, length=length, start=chosen.start,
            iterations=chosen.iterations, momentum=chosen.momentum, engine=engine,
        ).samples[0]  # fmt: skip

    contenders: dict[str, harness.Work] = {
        "librosa": functools.partial(librosa.griffinlim, known, n_iter=32, hop_length=hop, n_fft=n_fft, length=length)
    }
    if peers.has_torch():
        contenders["torch"] = functools.partial(peers.torch_griffin_lim, known, n_fft, hop, length)
    contenders |= {f"tonearm, `{preset}`": functools.partial(ours, "native", preset) for preset in presets}
    contenders["tonearm, `good`, scipy alone"] = functools.partial(ours, "scipy", "good")
    measured = harness.compare(contenders, rounds=rounds)
    rows = []
    for name, m in measured.items():
        found = np.asarray(m.result)
        quality = evaluator.pesq_wide_band(found, signal, material.SAMPLE_RATE) if kind == "speech" else None
        ratios = [f"{harness.times_faster(m, measured[p]):.3g}" if p in measured else "" for p in ("librosa", "torch")]
        rows.append((
            name,
            harness.milliseconds(m.median),
            *ratios,
            f"{evaluator.convergence_db(found, signal, n_fft, hop):.2f}",
            f"{quality:.2f}" if quality else "",
            f"{m.peak / known.nbytes:.2f}" if m.peak is not None else "",
        ))  # fmt: skip
    return harness.Table(f"{kind}, {seconds} s, n_fft {n_fft}, hop_length {hop}", COLUMNS, tuple(rows))
