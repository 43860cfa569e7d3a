"""What is too large to be loaded: an hour of STFT mapped from a file, and ten minutes of magnitudes."""

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

from tonearm_plugins.dsp.griffin_lim import griffin_lim
from tonearm_plugins.dsp.istft import istft
from tonearm_plugins.dsp.stft import stft

CALL = {"window": evaluator.hann(1024), "hop_length": 256, "pad": 512}
COLUMNS = ("", "s", "× librosa", "memory × input")


def tables() -> Iterator[harness.Table]:
    with tempfile.TemporaryDirectory() as folder:
        for fortran in (False, True):
            yield _hour(Path(folder) / "hour.npy", fortran=fortran)
    magnitude = np.abs(stft(material.speech(600)[None], **CALL))
    contenders: dict[str, harness.Work] = {
        "librosa": functools.partial(librosa.griffinlim, magnitude[0], n_iter=2, hop_length=256, n_fft=1024)
    }
    for engine in ("native", "scipy"):
        for start in ("plgi", "random"):
            contenders[f"tonearm, {engine}, {start}"] = functools.partial(
                griffin_lim, magnitude, **CALL, iterations=2, engine=engine, start=start
            )
    title = "two iterations of phase recovery, speech, 600 s, n_fft 1024, hop_length 256"
    yield _table(title, contenders, magnitude.nbytes, rounds=1)


def _hour(path: Path, *, fortran: bool) -> harness.Table:
    frames = 3600 * material.SAMPLE_RATE // 256
    mapped = np.lib.format.open_memmap(path, "w+", np.complex64, (513, frames), fortran_order=fortran)
    minute = stft(material.speech(60)[None], **CALL)[0]
    for begin in range(0, frames, minute.shape[1]):
        mapped[:, begin : begin + minute.shape[1]] = minute[:, : frames - begin]
    mapped.flush()
    size = mapped.nbytes
    del mapped

    def ours(engine: str) -> np.ndarray:
        return istft(np.load(path, mmap_mode="r")[None], **CALL, engine=engine)

    contenders: dict[str, harness.Work] = {
        "librosa": lambda: librosa.istft(np.load(path), hop_length=256, n_fft=1024),
        "librosa, mapped": lambda: librosa.istft(np.load(path, mmap_mode="r"), hop_length=256, n_fft=1024),
        "tonearm, mapped": functools.partial(ours, "native"),
        "tonearm, mapped, scipy alone": functools.partial(ours, "scipy"),
    }
    order = "Fortran" if fortran else "C"
    return _table(f"ISTFT of one hour on disk, {size / 2**30:.2f} GiB, {order} order", contenders, size, rounds=3)


def _table(title: str, contenders: dict[str, harness.Work], size: int, *, rounds: int) -> harness.Table:
    measured = harness.compare(contenders, rounds=rounds)
    rows = [
        (
            name,
            f"{m.median:.2f}",
            f"{harness.times_faster(m, measured['librosa']):.3g}",
            f"{m.peak / size:.2f}" if m.peak is not None else "",
        )
        for name, m in measured.items()
    ]
    note = "Memory counts anonymous pages and, where a file is mapped, those of its pages that stayed resident."
    return harness.Table(title, COLUMNS, tuple(rows), note)
