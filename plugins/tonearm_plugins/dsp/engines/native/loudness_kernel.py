"""The kernel of loudness: second-order sections over one channel, and the sum of squares of their output.

A recursive filter cannot run in lanes over time, so each lane runs over a stretch of its own. It begins one hop early,
from rest: a filter that forgets within a hop has reached its true state by the time its own stretch begins.
"""

from __future__ import annotations

import numpy as np

from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, aligned, compiled, this_machine
from tonearm_plugins.dsp.engines.native.llvm_writer import Cell, Memory, Vec, Writer
from tonearm_plugins.dsp.engines.native.vector_math import transposed
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.typing import Float64Array, FloatArray

HOPS = 16
"""Largest number of hops in a lane. A longer channel is taken in parts, so that copies stay small."""


def write(writer: Writer, hop: int, sections: int) -> None:
    """Write the kernel."""
    lanes = writer.lanes
    samples = writer.memory("samples")  # each lane's stretch begins `stride` after that of the one before
    energies = writer.memory("energies", "double")  # [hop][lane]
    coefficients = writer.memory("coefficients", "double")  # b0, b1, b2, a1, a2 of each section
    stride, hops = writer.int_argument("stride"), writer.int_argument("hops")
    filters = [[coefficients.splat(5 * i + k) for k in range(5)] for i in range(sections)]
    nothing = writer.constant(0.0, "double")

    def run(at: Memory, count: int, state: list[Cell], energy: Cell) -> None:
        """Take ``count`` samples of every lane."""
        for x in transposed([at[stride * lane] for lane in range(lanes)])[:count]:
            value = x.cast("fpext", "double")
            for i, (b0, b1, b2, a1, a2) in enumerate(filters):
                first, second = state[2 * i], state[2 * i + 1]
                out = value * b0 + first.value
                first.value = value * b1 - out * a1 + second.value
                second.value = value * b2 - out * a2
                value = out
            energy.value = energy.value + value * value

    with writer.carrying(hops, *[nothing] * (2 * sections)) as (number, state):
        own = samples.part(number * hop)
        begin: list[Vec] = [*(cell.value for cell in state), nothing]
        with writer.carrying(hop // lanes, *begin) as (group, cells):
            run(own.part(group * lanes), lanes, cells[:-1], cells[-1])
        if hop % lanes:
            run(own.part(hop - hop % lanes), hop % lanes, cells[:-1], cells[-1])
        energies[number * lanes] = cells[-1].value
        for cell, last in zip(state, cells, strict=False):
            cell.value = last.value


# ---- calling it ----


def hop_energies(
    channel: FloatArray,
    hop: int,
    sections: Float64Array,
    machine: Machine | None = None,
    *,
    on_progress: OnProgress | None = None,
) -> Float64Array:
    """Return the sum of squares of each whole hop of a filtered channel: (samples // hop,).

    ``sections`` are (n, 6), as scipy has them, with ``a0`` 1; they are at rest before the first sample.
    ``on_progress`` is called with the hops that are done, and with the number of all.
    """
    machine = machine or this_machine()
    lanes, count = machine.lanes, len(channel) // hop

    def make() -> Kernel:
        return Kernel(machine, lambda writer: write(writer, hop, len(sections)), {})

    run = compiled(("loudness", hop, len(sections), machine), make)
    hops = min(HOPS, -(-count // lanes))
    stretch = hops * lanes * hop
    buffer, scratch = aligned(hop + stretch + lanes), run.scratch()
    found = np.empty((hops + 1, lanes))
    result = np.empty(count)
    for first in range(0, count, hops * lanes):
        part = channel[max(first - 1, 0) * hop : min(first * hop + stretch, count * hop)]
        begin = 0 if first else hop
        end = begin + len(part)
        with np.errstate(over="ignore"):
            buffer[begin:end] = part
        buffer[begin:end] = zero_not_finite(buffer[begin:end])
        buffer[end:] = 0
        run(
            scratch,
            samples=buffer,
            energies=found,
            coefficients=np.ascontiguousarray(sections[:, [0, 1, 2, 4, 5]]),
            stride=hops * hop,
            hops=hops + 1,
        )
        own = found[1:].T.reshape(-1)
        result[first : first + hops * lanes] = own[: count - first]
        if on_progress:
            on_progress(min(first + hops * lanes, count), count)
    return result
