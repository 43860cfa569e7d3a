"""Loudness against pyloudnorm, true peaks against oversampling the whole by soxr; CPU time."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator

import harness
import material
import numpy as np
import soxr

from tonearm_plugins.dsp.loudness import measure_loudness
from tonearm_plugins.dsp.true_peak import measure_true_peak

CASES = (("speech", 60, 1), ("speech", 5, 1), ("music", 60, 2), ("music", 600, 2))
LOUDNESS_COLUMNS = ("integrated loudness", "CPU ms", "× pyloudnorm", "LUFS", "memory × input")
PEAK_COLUMNS = ("true peak", "CPU ms", "× soxr", "dBTP", "memory × input")


def tables() -> Iterator[harness.Table]:
    for kind, seconds, channels in CASES:
        signal = {"speech": material.speech, "music": material.music}[kind](min(seconds, 60))
        samples = np.tile(signal, (channels, -(-seconds // 60)))
        samples[-1] *= np.float32(0.5)
        title = f"{kind}, {seconds} s, {channels} channel{'s' * (channels > 1)} at {material.SAMPLE_RATE} Hz"
        rounds = 15 if seconds <= 60 else 5
        yield _loudness(title, samples, rounds)
        yield _true_peak(title, samples, rounds)


def _loudness(title: str, samples: np.ndarray, rounds: int) -> harness.Table:
    def ours(engine: str) -> float:
        return measure_loudness(samples, material.SAMPLE_RATE, engine=engine).integrated

    contenders: dict[str, harness.Work] = {}
    try:
        import pyloudnorm
    except ImportError:
        pass
    else:
        frames = np.ascontiguousarray(samples.T)  # as soundfile reads them
        contenders["pyloudnorm"] = functools.partial(pyloudnorm.Meter(material.SAMPLE_RATE).integrated_loudness, frames)
    contenders["tonearm"] = functools.partial(ours, "native")
    contenders["tonearm, scipy alone"] = functools.partial(ours, "scipy")
    return _table(title, LOUDNESS_COLUMNS, contenders, "pyloudnorm", samples, rounds)


def _true_peak(title: str, samples: np.ndarray, rounds: int) -> harness.Table:
    def soxrs() -> float:
        return max(_decibels(np.abs(soxr.resample(channel, 1, 4)).max()) for channel in samples)

    def ours(engine: str) -> float:
        return _decibels(measure_true_peak(samples, engine=engine))

    contenders: dict[str, harness.Work] = {
        "soxr, HQ": soxrs,
        "tonearm": functools.partial(ours, "native"),
        "tonearm, numpy alone": functools.partial(ours, "scipy"),
    }
    return _table(title, PEAK_COLUMNS, contenders, "soxr, HQ", samples, rounds)


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude)


def _table(
    title: str,
    columns: tuple[str, ...],
    contenders: dict[str, harness.Work],
    peer: str,
    samples: np.ndarray,
    rounds: int,
) -> harness.Table:
    measured = harness.compare(contenders, rounds=rounds, clock=time.process_time)
    rows = []
    for name, m in measured.items():
        ratio = f"{harness.times_faster(m, measured[peer]):.3g}" if peer in measured else ""
        memory = f"{m.peak / samples.nbytes:.2f}" if m.peak is not None else ""
        rows.append((name, harness.milliseconds(m.median), ratio, f"{m.result:.2f}", memory))
    return harness.Table(title, columns, tuple(rows))
