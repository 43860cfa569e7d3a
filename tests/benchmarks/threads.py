"""Threads within one clip: all cores against one, and whether the bits are the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import evaluator
import harness
import librosa
import material
import numpy as np

from tonearm.usable_cores import usable_cores
from tonearm_plugins.dsp.griffin_lim import PRESETS, griffin_lim
from tonearm_plugins.dsp.istft import istft
from tonearm_plugins.dsp.mel_griffin_lim import mel_griffin_lim
from tonearm_plugins.dsp.stft import stft

N_FFT, HOP = 1024, 256
FRAMES = {"window": evaluator.hann(N_FFT), "hop_length": HOP, "pad": N_FFT // 2}
ROUNDS = {5: 25, 60: 9, 600: 5}

Work = Callable[..., np.ndarray]


def tables() -> Iterator[harness.Table]:
    cores = usable_cores()
    rows = []
    for seconds, rounds in ROUNDS.items():
        signal = np.resize(material.speech(min(seconds, 60)), seconds * material.SAMPLE_RATE)
        for name, work in _works(signal, long=seconds > 60):
            contenders = {str(count): functools.partial(work, threads=count) for count in (1, cores)}
            measured = harness.compare(contenders, rounds=rounds, memory=False)
            one, all_ = measured["1"], measured[str(cores)]
            same = np.array_equal(np.asarray(one.result), np.asarray(all_.result))
            ratio = f"{harness.times_faster(all_, one):.2f}"
            milliseconds = [harness.milliseconds(m.median) for m in (one, all_)]
            rows.append((f"{name}, {seconds} s", *milliseconds, ratio, "the same" if same else "others"))
    columns = ("", "one thread, ms", f"{cores} threads, ms", "times as fast", "bits")
    yield harness.Table(f"speech, n_fft {N_FFT}, hop_length {HOP}, {cores} cores", columns, tuple(rows))


def _works(signal: np.ndarray, *, long: bool) -> Iterator[tuple[str, Work]]:
    """Yield the works on a signal; only single passes on a long one."""
    length = signal.size
    spectrum = stft(signal[None], **FRAMES)
    yield "`stft`", lambda threads: stft(signal[None], **FRAMES, threads=threads)
    yield "`istft`", lambda threads: istft(spectrum, **FRAMES, length=length, threads=threads)
    if long:
        return
    magnitude = np.abs(spectrum)
    basis = librosa.filters.mel(sr=material.SAMPLE_RATE, n_fft=N_FFT, n_mels=80).astype(np.float64)
    mel = basis @ magnitude
    good = PRESETS["good"]

    def recover(threads: int, engine: str = "native") -> np.ndarray:
        return griffin_lim(
            magnitude, **FRAMES, length=length, start=good.start, iterations=good.iterations, momentum=good.momentum,
            engine=engine, threads=threads,
        ).samples  # fmt: skip

    yield "`griffin-lim`, `good`", recover
    yield "`griffin-lim`, `good`, scipy alone", functools.partial(recover, engine="scipy")
    yield (
        "`mel-to-wave`, 32 iterations",
        lambda threads: mel_griffin_lim(mel, mel_basis=basis, **FRAMES, length=length, threads=threads).samples,
    )
