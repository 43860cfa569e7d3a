"""The kernel of loudness: second-order sections over channels, and the sums of squares of their output.

A recursive filter cannot run in lanes over time, so each lane runs over a stretch of its own, of one channel. It begins
one hop early, from rest: a filter that forgets within a hop has reached its true state by the time its own stretch
begins. Samples are read once, from where they are: only stretches at the ends of a channel are copied.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tonearm_plugins.dsp.blocks import float32_part
from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, compiled, this_machine
from tonearm_plugins.dsp.engines.native.level_math import at_most, zero_unless_finite
from tonearm_plugins.dsp.engines.native.llvm_values import Cell, Int, Vec, address
from tonearm_plugins.dsp.engines.native.llvm_writer import Writer
from tonearm_plugins.dsp.engines.native.vector_math import transposed
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.shared_work import sum_of_threads
from tonearm_plugins.dsp.threads import share_out
from tonearm_plugins.dsp.typing import Array, Float64Array

HOPS = 32
"""Largest number of hops in a lane. A longer signal is taken in parts, which threads share."""

TURN = 4
"""Samples in a turn of the inner loop."""

LEAST_SAMPLES = 1 << 21
"""Samples that a thread takes at least, which are some tenths of a millisecond of work."""

ALIASING = 4096
"""Distance in bytes at which memory shares its place in the cache: lanes must not be multiples of it apart."""


def write(writer: Writer, hop: int, sections: int) -> None:
    """Write the kernel. Each section is in direct form II with a leading 1: the gains are left to the caller."""
    lanes = writer.lanes
    starts = writer.memory("starts")  # the address of each lane's samples, of which the first hop does not count
    energies = writer.memory("energies", "double")  # [hop][lane]
    coefficients = writer.memory("coefficients", "double")  # -a1, -a2, b1, b2 of each section
    hops = writer.int_argument("hops")
    rows = [address(starts.int64(lane)) for lane in range(lanes)]
    filters = [[coefficients.splat(4 * i + k) for k in range(4)] for i in range(sections)]
    square = writer.scratch(lanes * lanes)  # samples of all lanes: loops over these take little time to compile
    nothing = writer.constant(0.0, "double")
    in_turn = 1 if 0 < hop % lanes < TURN else TURN  # each group has at least one turn
    odd = hop % in_turn  # samples that no turn takes: the last of the last group
    in_turns = hop - odd

    def take(at: Int, cells: list[Cell]) -> None:
        """Take one sample of every lane."""
        value = square[at * lanes].cast("fpext", "double")
        for i, (a1, a2, b1, b2) in enumerate(filters):
            newer, older = cells[2 * i], cells[2 * i + 1]
            inner = (value + older.value * a2) + newer.value * a1
            value = (inner + older.value * b2) + newer.value * b1
            newer.value, older.value = inner, newer.value
        cells[-1].value = cells[-1].value + value * value

    def carry_on(cells: list[Cell], last: list[Cell]) -> None:
        for cell, after in zip(cells, last, strict=False):
            cell.value = after.value

    with writer.carrying(hops, *[nothing] * (2 * sections)) as (number, state):
        begin: list[Vec] = [*(cell.value for cell in state), nothing]
        with writer.carrying(-(-in_turns // lanes), *begin) as (group, energy):
            first = group * lanes
            at = at_most(first, hop - lanes)  # the last group begins within the one before it
            for i, x in enumerate(transposed([zero_unless_finite(row[number * hop + at]) for row in rows])):
                square[i * lanes] = x
            turns = Int(writer, writer.emit(f"sdiv i64 {at_most(in_turns - first, lanes)}, {in_turn}"))
            with writer.carrying(turns, *(cell.value for cell in energy)) as (turn, cells):
                for i in range(in_turn):
                    take(first - at + turn * in_turn + i, cells)
            carry_on(energy, cells)
        if odd:
            with writer.carrying(odd, *(cell.value for cell in energy)) as (one, energy):
                take(one + (lanes - odd), energy)
        energies[number * lanes] = energy[-1].value
        carry_on(state, energy)


# ---- calling it ----


def hop_energies(
    channels: Sequence[Array],
    hop: int,
    sections: Float64Array,
    machine: Machine | None = None,
    *,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> Float64Array:
    """Return the sum of squares of each whole hop of filtered channels: (channels, samples // hop).

    ``sections`` are (n, 6), as scipy has them, with ``a0`` 1; they are at rest before the first sample.
    ``on_progress`` is called with the stretches that are done, and with the number of all.
    """
    machine = machine or this_machine()
    lanes, count = machine.lanes, len(channels[0]) // hop
    parts = -(-len(channels) * count // (HOPS * lanes))
    hops = -(-len(channels) * count // (parts * lanes))
    hops += hops * hop * 4 % ALIASING == 0
    stretches = [(channel, first) for channel in range(len(channels)) for first in range(0, count, hops)]
    gains = sections[:, :1]
    coefficients = np.hstack([-sections[:, 4:], sections[:, 1:3] / gains])

    def make() -> Kernel:
        return Kernel(machine, lambda writer: write(writer, hop, len(sections)), {})

    run = compiled(("loudness", hop, len(sections), machine), make)

    result = np.empty((len(channels), count))
    add = sum_of_threads(on_progress, len(stretches))

    def measure(some: Sequence[tuple[int, int]]) -> None:
        """Measure as many stretches as there are lanes."""
        samples = [float32_part(channels[channel], (first - 1) * hop, (hops + 1) * hop) for channel, first in some]
        starts = np.full(lanes, samples[0].ctypes.data)  # lanes with nothing to do repeat the first
        starts[: len(samples)] = [one.ctypes.data for one in samples]
        found = np.empty((hops + 1, lanes))
        run(run.scratch(), starts=starts, energies=found, coefficients=coefficients, hops=hops + 1)
        for (channel, first), energies in zip(some, found[1:].T, strict=False):
            result[channel, first : first + hops] = energies[: count - first]
        add(len(some))

    def measure_all(begin: int, end: int) -> None:
        for group in range(begin, end):
            measure(stretches[group * lanes : (group + 1) * lanes])

    groups = -(-len(stretches) // lanes)
    share_out(measure_all, groups, threads, least=-(-LEAST_SAMPLES // (lanes * hops * hop)))
    add(0)
    result *= float(np.prod(gains)) ** 2
    return result
