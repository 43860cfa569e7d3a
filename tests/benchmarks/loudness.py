"""Loudness against pyloudnorm, true peaks against oversampling by soxr, the limiter against numpy, and threads."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator

import harness
import material
import numpy as np
import soxr

from tonearm_plugins.dsp.levels import apply_gain
from tonearm_plugins.dsp.limiter import limit
from tonearm_plugins.dsp.loudness import measure_loudness
from tonearm_plugins.dsp.resampling import resample
from tonearm_plugins.dsp.true_peak import measure_true_peak

CASES = (("speech", 60, 1), ("speech", 5, 1), ("music", 60, 2), ("music", 600, 2))
LOUDNESS_COLUMNS = ("integrated loudness", "CPU ms", "× pyloudnorm", "LUFS", "memory × input")
PEAK_COLUMNS = ("true peak", "CPU ms", "× soxr", "dBTP", "memory × input")
LIMITER_COLUMNS = ("limiter at -1 dBTP, 5 ms ahead", "CPU ms", "× numpy", "reduction dB", "memory × input")
CEILING = 10 ** (-1 / 20)
TARGET_LUFS = -16.0


def tables() -> Iterator[harness.Table]:
    for kind, seconds, channels in CASES:
        samples = _sound(kind, seconds, channels)
        title = f"{kind}, {seconds} s, {channels} channel{'s' * (channels > 1)} at {material.SAMPLE_RATE} Hz"
        rounds = 15 if seconds <= 60 else 5
        yield _loudness(title, samples, rounds)
        yield _true_peak(title, samples, rounds)
        yield _limiter(title, samples, rounds)
    yield _threads(_sound("music", 600, 2))


def _sound(kind: str, seconds: int, channels: int) -> np.ndarray:
    signal = {"speech": material.speech, "music": material.music}[kind](min(seconds, 60))
    samples = np.tile(signal, (channels, -(-seconds // 60)))
    samples[-1] *= np.float32(0.5)
    return samples


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


def _limiter(title: str, samples: np.ndarray, rounds: int) -> harness.Table:
    gain = measure_loudness(samples, material.SAMPLE_RATE).gain_to(TARGET_LUFS)
    loud = apply_gain(samples, gain)

    def ours(engine: str) -> float:
        lookahead, release = material.SAMPLE_RATE // 200, material.SAMPLE_RATE / 20
        return limit(loud, CEILING, lookahead=lookahead, release=release, true_peak=True, engine=engine).reduction_db

    contenders: dict[str, harness.Work] = {
        "tonearm": functools.partial(ours, "native"),
        "tonearm, numpy alone": functools.partial(ours, "scipy"),
    }
    return _table(title, LIMITER_COLUMNS, contenders, "tonearm, numpy alone", loud, rounds)


def _threads(samples: np.ndarray) -> harness.Table:
    rate = material.SAMPLE_RATE
    works: dict[str, Callable[[int], object]] = {
        "integrated loudness": lambda threads: measure_loudness(samples, rate, threads=threads),
        "true peak": lambda threads: measure_true_peak(samples, threads=threads),
        "resampling to 48,000 Hz": lambda threads: resample(samples, rate, 48_000, threads=threads).shape,
    }
    rows = []
    for name, work in works.items():
        contenders = {str(threads): functools.partial(work, threads) for threads in (1, 2)}
        one, two = harness.compare(contenders, rounds=7, memory=False).values()
        times = (harness.milliseconds(one.median), harness.milliseconds(two.median))
        rows.append((name, *times, f"{harness.times_faster(two, one):.3g}"))
    columns = ("music, 600 s, 2 channels", "ms, one thread", "ms, two threads", "× one thread")
    return harness.Table("several threads, by the clock on the wall", columns, tuple(rows))


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
