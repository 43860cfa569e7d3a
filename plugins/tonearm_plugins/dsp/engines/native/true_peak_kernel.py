"""The kernel of true peaks: the largest absolute value between samples, by interpolation."""

from __future__ import annotations

import numpy as np

from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, compiled, this_machine
from tonearm_plugins.dsp.engines.native.llvm_writer import Vec, Writer
from tonearm_plugins.dsp.typing import Float32Array


def write(writer: Writer, span: int, phases: int, taps: int) -> None:
    """Write the kernel."""
    rows, results = writer.memory("rows"), writer.memory("results")
    filters = writer.memory("filters")
    count = writer.int_argument("count")
    lanes = writer.lanes

    def size(x: Vec) -> Vec:
        return Vec(writer, writer.call(x.type, f"llvm.fabs.v{lanes}f32", (x.type, x.name)))

    together = 2 * lanes  # two vectors to a turn, which share the taps
    with writer.loop(count) as row, writer.loop(span // together) as group:
        own = rows.part(row * (span + taps - 1) + group * together)
        sums = [[writer.constant(0.0)] * phases for _ in range(2)]
        for tap in range(taps):
            here = [own[tap], own[tap + lanes]]
            for phase in range(phases):
                weight = filters.splat(phase * taps + tap)
                for half in range(2):
                    sums[half][phase] = sums[half][phase] + here[half] * weight
        for half in range(2):
            highest = writer.constant(0.0)
            for value in map(size, sums[half]):
                highest = (value > highest).choose(value, highest)
            results[row * span + group * together + half * lanes] = highest


# ---- calling it ----


def interpolated_peaks(rows: Float32Array, filters: Float32Array, machine: Machine | None = None) -> Float32Array:
    """Return the largest absolute value that one of the filters gives at each place of each row.

    Parameters
    ----------
    rows
        (count, span + taps - 1), contiguous; span is a multiple of 32.
    filters
        (phases, taps), contiguous.

    Returns
    -------
    ndarray
        (count, span).
    """
    machine = machine or this_machine()
    phases, taps = filters.shape
    span = rows.shape[1] - taps + 1

    def make() -> Kernel:
        return Kernel(machine, lambda writer: write(writer, span, phases, taps), {})

    run = compiled(("true peak", span, phases, taps, machine), make)
    results = np.empty((len(rows), span), np.float32)
    run(run.scratch(), rows=rows, results=results, filters=filters, count=len(rows))
    return results
