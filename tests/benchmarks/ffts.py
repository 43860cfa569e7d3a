"""Griffin-Lim's iterations against the bare FFTs of other libraries, and against the limit of the processor.

An iteration takes one forward and one inverse FFT of each frame, and windows, projection, overlap-add and momentum. The
libraries do the FFTs alone, on blocks of frames that stay in the cache.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator

import evaluator
import harness
import material
import numpy as np

import peers
from tonearm_plugins.dsp.griffin_lim import griffin_lim
from tonearm_plugins.dsp.stft import stft

CASES = ((60, 1024, 256), (60, 2048, 512))  # seconds, n_fft, hop_length
ITERATIONS = 32
BLOCK = 16  # frames that a library transforms at once: their samples and bins fit into the second cache
ROUNDS = 7
COLUMNS = ("32 iterations", "ms", "time / FFTW's", "GFLOP/s of FFT", "share of the FMA peak")


def tables() -> Iterator[harness.Table]:
    peak = fma_peak()
    for case in CASES:
        yield _table(*case, peak=peak)


def _table(seconds: int, n_fft: int, hop: int, *, peak: float) -> harness.Table:
    frames = {"window": evaluator.hann(n_fft), "hop_length": hop, "pad": n_fft // 2}
    signal = material.speech(seconds)
    known = np.abs(stft(signal[None], **frames))
    count = known.shape[-1]

    def ours(iterations: int) -> object:
        return griffin_lim(known, **frames, length=signal.size, start="plgi", iterations=iterations, engine="native")

    blocks = ITERATIONS * -(-count // BLOCK)
    contenders: dict[str, harness.Work] = {
        name: functools.partial(_repeat, pair, blocks) for name, pair in _bare_ffts(n_fft).items()
    }
    contenders["tonearm, `good`, start and end included"] = functools.partial(ours, ITERATIONS)
    contenders["start and end alone"] = functools.partial(ours, 0)
    measured = harness.compare(contenders, rounds=ROUNDS, memory=False)
    seconds_of = {name: m.median for name, m in measured.items()}
    whole, rest = list(measured)[-2:]
    pairs = zip(measured[whole].seconds, measured[rest].seconds, strict=True)
    only = harness.Measured([all_of_it - ends for all_of_it, ends in pairs])
    del measured[rest]
    measured["tonearm, the iterations alone"] = only
    flops = ITERATIONS * count * 2 * 2.5 * n_fft * math.log2(n_fft)
    rows = []
    for name, m in measured.items():
        rate = flops / m.median / 1e9
        against = f"{1 / harness.times_faster(m, measured['FFTW']):.2f}" if "FFTW" in measured else ""
        rows.append((name, harness.milliseconds(m.median), against, f"{rate:.0f}", f"{rate / peak:.0%}"))
    note = (
        f"{count} frames. A real FFT of N points counts as 2.5 N log2 N operations, whatever it takes. The peak of this"
        f" processor, measured with independent multiply-adds in registers, is {peak:.0f} GFLOP/s. Start and end take"
        f" {harness.milliseconds(seconds_of[rest])} ms. FFTW planned with FFTW_PATIENT."
    )
    return harness.Table(f"The FFTs of {seconds} s, n_fft {n_fft}, hop_length {hop}", COLUMNS, tuple(rows), note)


def _repeat(work: harness.Work, times: int) -> None:
    for _ in range(times):
        work()


def _bare_ffts(n_fft: int) -> dict[str, harness.Work]:
    """Return, by library, the forward and inverse FFT of one block of frames."""
    frames = np.random.default_rng(0).standard_normal((BLOCK, n_fft)).astype(np.float32)
    found: dict[str, harness.Work] = {}
    try:
        import pyfftw
    except ImportError:
        pass
    else:
        samples = pyfftw.empty_aligned(frames.shape, np.float32, n=64)
        bins = pyfftw.empty_aligned((BLOCK, n_fft // 2 + 1), np.complex64, n=64)
        plans = [
            pyfftw.FFTW(a, b, axes=(1,), direction=direction, flags=("FFTW_PATIENT",), threads=1)
            for a, b, direction in ((samples, bins, "FFTW_FORWARD"), (bins, samples, "FFTW_BACKWARD"))
        ]
        samples[:] = frames
        found["FFTW"] = lambda: [plan.execute() for plan in plans]
    if peers.has_torch():
        import torch

        given = torch.from_numpy(frames)
        spectra, back = torch.fft.rfft(given), torch.empty_like(given)

        def mkl() -> None:
            torch.fft.rfft(given, out=spectra)
            torch.fft.irfft(spectra, n=n_fft, out=back)

        found["MKL (torch)"] = mkl
    import scipy.fft

    found["pocketfft (scipy.fft)"] = lambda: scipy.fft.irfft(scipy.fft.rfft(frames), n=n_fft)
    return found


def fma_peak() -> float:
    """Return how many billions of operations a second this processor does in multiply-adds that wait for nothing."""
    from tonearm_plugins.dsp.engines.native.compiler import Kernel, this_machine
    from tonearm_plugins.dsp.engines.native.llvm_writer import Writer

    machine, chains, turns = this_machine(), 16, 1_000_000

    def write(writer: Writer) -> None:
        values = writer.memory("values")
        factor, first = values[0], values[0]
        with writer.carrying(turns, *[first] * chains) as (_, cells):
            for cell in cells:
                cell.value = cell.value * factor + factor
        for i, cell in enumerate(cells):
            values[i * machine.lanes] = cell.value

    run = Kernel(machine, write, {})
    values, best = np.full(chains * machine.lanes, 0.5, np.float32), math.inf
    for _ in range(20):
        values[: machine.lanes] = 0.5
        begin = time.perf_counter()
        run(run.scratch(), values=values)
        best = min(best, time.perf_counter() - begin)
    return 2 * chains * machine.lanes * turns / best / 1e9
