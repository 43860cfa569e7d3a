"""The kernel of true peaks: the largest absolute value between samples, by interpolation.

It reads the samples once, in groups. An interpolated value is bounded by the samples around it, so only the groups that
may matter are interpolated, from a copy in the cache that has zeros for what is not finite.

The filters for the values at a quarter and at three quarters of the way mirror one another. Their results are the sum
and the difference of what they have in common and what they have not, so the larger of them takes no more arithmetic
than one filter; and the filter for the value half-way is symmetric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices, float32_part
from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, compiled, this_machine
from tonearm_plugins.dsp.engines.native.level_math import (
    LARGEST,
    any_of,
    at_most,
    larger,
    largest_of,
    magnitude,
    zero_unless_finite,
)
from tonearm_plugins.dsp.engines.native.llvm_values import Int, Memory, Vec
from tonearm_plugins.dsp.engines.native.llvm_writer import Writer
from tonearm_plugins.dsp.interpolation import HALO, TAPS, interpolation_filters, max_overshoot
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.shared_work import sum_of_threads
from tonearm_plugins.dsp.threads import share_out
from tonearm_plugins.dsp.typing import Array, Float32Array, FloatArray

GROUP = 32
"""Samples that are interpolated together."""

AHEAD = HALO + GROUP
"""Samples that are read after those of the last group: a group is copied before it is needed."""

TILE = 64
"""Groups whose copy is in the cache at a time."""

TURN = 4
"""Pairs of taps in a turn of the loop over taps, which is short because it has to be compiled."""

PART_LENGTH = 1 << 18
"""Samples of a channel in one call, which takes about a tenth of a millisecond."""

END_LENGTH = 1 << 12
"""Samples of a channel in its first and its last call."""

LEAST_PARTS = 8
"""Parts that a thread takes at least: some tenths of a millisecond of work."""

SAFETY = 1 + 1e-5
"""Factor of bounds, so that rounding never decides."""


def scan(
    writer: Writer,
    samples: Memory,
    groups: Int,
    weights: Memory,
    seen: Callable[[Int, Vec, Callable[[], list[Vec]]], None],
) -> None:
    """Write the loops over the groups of a channel, which begins `HALO` samples after ``samples``.

    ``weights`` are `filter_weights`.
    ``seen`` writes what happens to a group, given its number, the largest absolute values of the samples around it in
    lanes, and a function that writes the interpolation and returns the true peak of each of its samples.
    """
    lanes = writer.lanes
    tile = writer.scratch(TILE * GROUP + HALO + AHEAD)
    tiles = Int(writer, writer.emit(f"sdiv i64 {groups + (TILE - 1)}, {TILE}"))

    def copy(source: Memory, target: Memory) -> Vec:
        """Write the copy of a group, and return its largest absolute values in lanes."""
        highest = writer.constant(0.0)
        for at in range(0, GROUP, lanes):
            target[at] = x = zero_unless_finite(source[at])
            highest = larger(highest, magnitude(x))
        return highest

    with writer.loop(tiles) as number:
        own = samples.part(number * (TILE * GROUP))
        here = at_most(groups - number * TILE, TILE)
        before, after = (copy(own.part(at), tile.part(at)) for at in (0, GROUP))
        with writer.carrying(here, before, after) as (group, (first, second)):
            at = group * GROUP
            loudest = larger(first.value, second.value)
            first.value = second.value
            second.value = copy(own.part(at + 2 * GROUP), tile.part(at + 2 * GROUP))
            begin = tile.part(at)
            seen(number * TILE + group, loudest, lambda begin=begin: _peaks(writer, begin, weights))  # type: ignore[misc]


def _peaks(writer: Writer, tile: Memory, weights: Memory) -> list[Vec]:
    """Write the interpolation of a group; return the largest absolute value from each sample to the next, in lanes."""
    starts = range(0, GROUP, writer.lanes)
    with writer.carrying(HALO // TURN, *[writer.constant(0.0)] * (3 * len(starts))) as (turn, sums):
        for tap in range(TURN):
            place = turn * TURN + tap
            center, common, odd = (weights.splat(place * 3 + i) for i in range(3))
            for i, start in enumerate(starts):
                left, right = tile[place + (start + 1)], tile[(start + TAPS) - place]
                both, difference = left + right, left - right
                for cell, value, weight in zip(
                    sums[3 * i :], (both, both, difference), (center, common, odd), strict=False
                ):
                    cell.value = cell.value + value * weight
    largest = writer.constant(LARGEST)
    peaks = []
    for i, start in enumerate(starts):
        half, quarters, difference = (magnitude(cell.value) for cell in sums[3 * i : 3 * i + 3])
        between = larger(half, quarters + difference)
        between = (largest >= between).choose(between, largest)  # sums of samples may be too large for a float
        peaks.append(larger(magnitude(tile[start + HALO]), between))
    return peaks


def filter_weights() -> Float32Array:
    """Return the weights of sums and differences of samples, (HALO, 3), the outermost first: half-way, common, odd."""
    quarter, half, mirrored = interpolation_filters()[:, :HALO]
    return np.stack([half, (quarter + mirrored) / 2, (quarter - mirrored) / 2], axis=1).astype(np.float32)


def write_highest(writer: Writer) -> None:
    """Write the kernel of the true peak of a channel."""
    samples, highest = writer.memory("samples"), writer.memory("highest")  # in all lanes, so far
    groups, weights = writer.int_argument("groups"), writer.memory("weights")

    def seen(_: Int, loudest: Vec, interpolated: Callable[[], list[Vec]]) -> None:
        with writer.when(any_of(loudest * (max_overshoot() * SAFETY) > highest[0])):
            found = loudest
            for peaks in interpolated():
                found = larger(found, peaks)
            highest[0] = larger(largest_of(found), highest[0])

    scan(writer, samples, groups, weights, seen)


def write_envelope(writer: Writer) -> None:
    """Write the kernel of the true peak at each sample of a channel, wherever it may be above a ceiling."""
    samples, envelope = writer.memory("samples"), writer.memory("envelope")
    groups, ceiling = writer.int_argument("groups"), writer.float_argument("ceiling")
    weights = writer.memory("weights")

    def seen(group: Int, loudest: Vec, interpolated: Callable[[], list[Vec]]) -> None:
        own, result = samples.part(group * GROUP + HALO), envelope.part(group * GROUP)
        for at in range(0, GROUP, writer.lanes):
            result[at] = magnitude(zero_unless_finite(own[at]))
        with writer.when(any_of(loudest * (max_overshoot() * SAFETY) > ceiling)):
            for at, peaks in zip(range(0, GROUP, writer.lanes), interpolated(), strict=True):
                result[at] = peaks

    scan(writer, samples, groups, weights, seen)


# ---- calling them ----


def highest_interpolated(
    samples: Sequence[FloatArray] | FloatArray,
    machine: Machine | None = None,
    *,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> float:
    """Return the true peak over all channels of (channels, samples), with silence before and after it."""
    machine = machine or this_machine()
    run = compiled(("true peak", machine), lambda: Kernel(machine, write_highest, {"weights": filter_weights()}))
    parts = [(channel, own) for channel in samples for own in _parts(channel.size)]
    add = sum_of_threads(on_progress, sum(channel.size for channel in samples))
    highest = [0.0]  # of the parts so far: it says what need not be looked at

    def measure(first: int, last: int) -> None:
        scratch, found = run.scratch(), np.full(machine.lanes, max(highest), np.float32)
        for channel, own in parts[first:last]:
            given, groups = _surrounded(channel, own)
            run(scratch, samples=given, highest=found, groups=groups)
            add(own.stop - own.start)
        highest.append(float(found[0]))

    share_out(measure, len(parts), threads, least=LEAST_PARTS)
    add(0)
    return max(highest)


def _parts(length: int) -> Iterator[slice]:
    """Yield the parts of a channel. Those at its ends are short, because they are copied."""
    end = max(length - END_LENGTH, min(length, END_LENGTH))
    yield slice(0, min(length, END_LENGTH))
    for part in block_slices(end - END_LENGTH, PART_LENGTH):
        yield slice(part.start + END_LENGTH, part.stop + END_LENGTH)
    if end < length:
        yield slice(end, length)


def interpolated_envelope(channel: Array, part: slice, ceiling: float, machine: Machine | None = None) -> Float32Array:
    """Return the largest absolute value from each sample of a part of a channel to the next.

    Where no value can be above the ceiling, it is that of the sample itself.
    """
    machine = machine or this_machine()
    run = compiled(
        ("true peak envelope", machine), lambda: Kernel(machine, write_envelope, {"weights": filter_weights()})
    )
    given, groups = _surrounded(channel, part)
    result = np.empty(groups * GROUP, np.float32)
    run(run.scratch(), samples=given, envelope=result, groups=groups, ceiling=ceiling)
    return result[: part.stop - part.start]


def _surrounded(channel: Array, part: slice) -> tuple[Float32Array, int]:
    """Return the samples that the kernels read for a part, and its number of groups, the last one perhaps not full.

    There is a group even in an empty part, because loops run at least once.
    """
    groups = max(1, -(-(part.stop - part.start) // GROUP))
    return float32_part(channel, part.start - HALO, HALO + groups * GROUP + AHEAD), groups
