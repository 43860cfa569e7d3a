"""The kernel of the limiter: peaks, look-ahead, release, smoothing and gain of many samples in one call.

It does what `tonearm_plugins.dsp.limiter` says, chunk by chunk, so that a chunk stays in the cache from its peaks to
its result. Chunks that no peak is near are copied. Samples come in whole groups, so that no lane depends on how a
waveform is cut, and what is summed up are whole numbers, whose sums do not depend on it either.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator

import numpy as np

from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, aligned, compiled, this_machine
from tonearm_plugins.dsp.engines.native.level_math import (
    any_of,
    at_most,
    delayed,
    double_of_whole,
    exp2_double,
    is_finite,
    larger,
    last_of,
    log2_double,
    magnitude,
    rounded,
    running_sum,
    zero_unless_finite,
)
from tonearm_plugins.dsp.engines.native.llvm_values import Int, Memory, Vec
from tonearm_plugins.dsp.engines.native.llvm_writer import Writer
from tonearm_plugins.dsp.engines.native.true_peak_kernel import AHEAD, GROUP, SAFETY, filter_weights, scan
from tonearm_plugins.dsp.interpolation import HALO, max_overshoot
from tonearm_plugins.dsp.limiter_settings import MIN_REDUCTION_DB, LimiterSettings
from tonearm_plugins.dsp.typing import Array, Float32Array, Float64Array, Int64Array

CHUNK = 2048
"""Smallest number of samples that are limited together: their reductions stay in the first cache."""

FINEST_UNIT = 2.0**-38
"""Smallest unit in dB of a reduction, so that each is below 2^51 units."""

DB_OF_OCTAVE = 20 * math.log10(2)

INVERSE_CEILING, MARGIN, INVERSE_UNIT, EXPONENT, DECAYS = range(5)
"""Places of weights. From DECAYS on are those of 1, 2, 4, … samples."""

POWERS = 16
"""Place of the decays of 1, 2, 3, … samples, one for each lane."""

HELD, FIRST_SUM, SECOND_SUM, LARGEST, ALIVE = range(5)
"""Parts of what goes on from one call to the next, in 64-bit numbers; each but the last is in all lanes.

They are the reduction that is being released, the sums that smooth it, the largest smooth one, and the number of
samples for which anything may have to be done.
"""


def write(writer: Writer, *, true_peak: bool) -> None:
    """Write the kernel."""
    _Code(writer, true_peak=true_peak).write()


class _Code:
    """The code of the kernel, and its arguments."""

    def __init__(self, writer: Writer, *, true_peak: bool) -> None:
        self.writer = writer
        self.lanes = writer.lanes
        self.true_peak = true_peak
        self.samples = writer.memory("samples")  # of the first channel, from HALO before those that are new
        self.results = writer.memory("results")
        self.window = writer.memory("window")  # peaks: lookahead - 1 from before, and those of a chunk
        self.maxima = writer.memory("maxima")  # of windows of these
        self.quanta = writer.memory("quanta", "i64")  # reductions: lookahead + 1 from before, and those of a chunk
        self.shifts = writer.memory("shifts")  # which maxima are made of which
        self.weights = writer.memory("weights", "double")
        self.state = writer.memory("state", "double")
        self.filters = writer.memory("filters")
        self.stride = writer.int_argument("stride")  # from channel to channel
        self.result_stride = writer.int_argument("result_stride")
        self.channels = writer.int_argument("channels")
        self.count = writer.int_argument("count")  # of new samples, in whole groups
        self.chunk = writer.int_argument("chunk")
        self.lookahead = writer.int_argument("lookahead")
        self.passes = writer.int_argument("passes")
        self.widths = writer.int_argument("width"), writer.int_argument("other_width")
        self.highest = writer.float_argument("highest")
        self.zero = writer.constant(0.0)
        self.alive = self.state.part(ALIVE * self.lanes)

    def write(self) -> None:
        """Write the loop over chunks."""
        with self.writer.loop(self._quotient(self.count + (self.chunk - 1), self.chunk)) as number:
            start = number * self.chunk
            here = at_most(self.count - start, self.chunk)
            self._write_peaks(start, here)
            source, target = self.samples.part(start + HALO - (self.lookahead - 1)), self.results.part(start)
            alive = self.alive.int64(0)
            with self.writer.when(alive.below(1)):
                self._write_copy(source, target, here)
            with self.writer.when(alive.above(0)):
                self._write_maxima(here)
                self._write_gain(source, target, here)
                self._move(self.quanta, self.lookahead + 1, here)
                held = self.state.scalar(HELD * self.lanes)
                with self.writer.when(self.writer.emit(f"fcmp ogt double {held}, 0.0")):
                    self._keep_alive()
            self._move(self.window, self.lookahead, here)
            self._set_alive(self.alive.int64(0) - here)

    def _write_peaks(self, start: Int, here: Int) -> None:
        """Write the search for peaks over the ceiling in any channel, in the new part of the window."""
        fresh = self.window.part(self.lookahead - 1)
        with self._vectors(here) as at:
            fresh[at] = self.zero
        with self.writer.loop(self.channels) as channel:
            samples = self.samples.part(channel * self.stride + start)
            own = samples.part(HALO)

            def seen(group: Int, loudest: Vec, interpolated: Callable[[], list[Vec]]) -> None:
                bound = loudest * (max_overshoot() * SAFETY) if self.true_peak else loudest
                with self.writer.when(any_of(bound > self.highest)):
                    places = [group * GROUP + at for at in range(0, GROUP, self.lanes)]
                    peaks = (
                        interpolated()
                        if self.true_peak
                        else [magnitude(zero_unless_finite(own[place])) for place in places]
                    )
                    for place, peak in zip(places, peaks, strict=True):
                        over = peak > self.highest
                        fresh[place] = larger(over.choose(peak, self.zero), fresh[place])
                        with self.writer.when(any_of(over)):
                            self._keep_alive()

            scan(self.writer, samples, self._quotient(here, GROUP), self.filters, seen)

    def _write_copy(self, source: Memory, target: Memory, here: Int) -> None:
        with self.writer.loop(self.channels) as channel:
            given, made = source.part(channel * self.stride), target.part(channel * self.result_stride)
            with self._vectors(here) as at:
                made[at] = given[at]

    def _write_maxima(self, here: Int) -> None:
        """Write the maxima of windows of 1, 2, 4, … peaks, and of as many as the look-ahead has."""
        first = self.shifts.int64(0)
        with self._vectors(here + self.lookahead) as at:
            self.maxima[at] = larger(self.window[at], self.window[at + first])
        with self.writer.loop(self.passes) as one:
            shift = self.shifts.int64(one + 1)
            with self._vectors(here + self.lookahead) as at:
                self.maxima[at] = larger(self.maxima[at], self.maxima[at + shift])

    def _write_gain(self, source: Memory, target: Memory, here: Int) -> None:
        """Write the loop from the maxima to the result."""
        lanes, state, sums = self.lanes, self.state, self.state.part(0, "i64")
        decays = [self.weights.splat(DECAYS + k) for k in range(lanes.bit_length() - 1)]
        inverse_unit, exponent = self.weights.splat(INVERSE_UNIT), self.weights.splat(EXPONENT)
        powers, new = self.weights.part(POWERS)[0], self.quanta.part(self.lookahead + 1)
        smallest = self.writer.constant(MIN_REDUCTION_DB, "double")
        places = (FIRST_SUM, SECOND_SUM, LARGEST)
        carried = (state[HELD * lanes], *(sums[place * lanes] for place in places))
        with self.writer.carrying(self._quotient(here, lanes), *carried) as (number, cells):
            held, first, second, largest = cells
            at = number * lanes
            need = reduction = self._needed(self.maxima[at])
            for k, decay in enumerate(decays):
                reduction = larger(reduction, delayed(reduction, 1 << k) * decay)
            reduction = larger(reduction, held.value * powers)
            reduction = (reduction > smallest).choose(reduction, need)
            held.value = last_of(reduction)
            new[at] = quantum = rounded(reduction * inverse_unit)[1]
            # A box over a box is a sum of sums of four terms.
            change = quantum - new[at - self.widths[0]] - new[at - self.widths[1]] + self.quanta[at]
            once = running_sum(change) + first.value
            twice = running_sum(once) + second.value
            first.value, second.value = last_of(once), last_of(twice)
            largest.value = largest.value.below(twice).choose(twice, largest.value)
            gain = exp2_double(double_of_whole(twice) * exponent)
            with self.writer.loop(self.channels) as channel:
                x = source[channel * self.stride + at]
                y = (x.cast("fpext", "double") * gain).cast("fptrunc", "float")
                y = (y > self.highest).choose(self.highest, y)  # rounding may have left it above
                y = (-self.highest > y).choose(-self.highest, y)
                target[channel * self.result_stride + at] = is_finite(x).choose(y, x)
        state[HELD * lanes] = held.value
        for place, cell in zip(places, cells[1:], strict=True):
            sums[place * lanes] = cell.value

    def _needed(self, peaks: Vec) -> Vec:
        """Write the reduction in dB that brings peaks under the ceiling; most often there is none."""
        needs, none = self.writer.scratch(2 * self.lanes).part(0, "double"), self.writer.constant(0.0, "double")
        over = peaks > self.highest
        needs[0] = none
        with self.writer.when(any_of(over)):
            ratio = peaks.cast("fpext", "double") * self.weights.splat(INVERSE_CEILING)
            needs[0] = over.choose(log2_double(ratio) * DB_OF_OCTAVE + self.weights.splat(MARGIN), none)
        return needs[0]

    def _move(self, memory: Memory, count: Int, here: Int) -> None:
        """Write the move of the last numbers to the beginning, where the next chunk wants them."""
        with self._vectors(count) as at:
            memory[at] = memory[at + here]

    def _keep_alive(self) -> None:
        """Write that there is something to do: in the chunk of a peak, and in two more at least."""
        self._set_alive(self.chunk * 3)

    def _set_alive(self, value: Int) -> None:
        self.writer.do(f"store i64 {value}, ptr {self.alive.name}, align 8")

    @contextlib.contextmanager
    def _vectors(self, count: Int) -> Iterator[Int]:
        """Write a loop over vectors of ``count`` numbers or a few more; yield the place of a vector."""
        with self.writer.loop(self._quotient(count + (self.lanes - 1), self.lanes)) as number:
            yield number * self.lanes

    def _quotient(self, value: Int, divisor: Int | int) -> Int:
        return Int(self.writer, self.writer.emit(f"sdiv i64 {value}, {divisor}"))


# ---- calling it ----


class NativePass:
    """One gain over time at work, as `tonearm_plugins.dsp.limiter` has it in numpy, for samples of float32.

    Parameters
    ----------
    settings
        Settings of the limiter.
    machine
        Processor to compile for.
    """

    def __init__(self, settings: LimiterSettings, machine: Machine | None = None) -> None:
        machine = machine or this_machine()
        lookahead = settings.size

        def make() -> Kernel:
            code = {"filters": filter_weights()}
            return Kernel(machine, lambda writer: write(writer, true_peak=settings.true_peak), code)

        self._run = compiled(("limiter", settings.true_peak, machine), make)
        self._scratch = self._run.scratch()
        self._lookahead = lookahead
        self._after = HALO if settings.true_peak else 0
        self._before = max(lookahead - 1, HALO)
        unit = max(settings.unit, FINEST_UNIT)
        self._db = unit / math.prod(settings.widths)
        chunk = -(-max(CHUNK, lookahead + 1) // GROUP) * GROUP
        self._state = np.zeros(ALIVE * machine.lanes + 1, np.int64)
        shifts = _shifts(lookahead)
        self._arguments = {
            "window": aligned(2 * lookahead + chunk + 4 * machine.lanes),
            "maxima": aligned(2 * lookahead + chunk + 4 * machine.lanes),
            "quanta": np.zeros(lookahead + 1 + chunk + machine.lanes, np.int64),
            "shifts": shifts,
            "weights": _weights(settings, unit, machine.lanes),
            "state": self._state,
            "chunk": chunk,
            "lookahead": lookahead,
            "passes": len(shifts) - 1,
            "width": settings.widths[0],
            "other_width": settings.widths[1],
            "highest": float(settings.highest(np.dtype(np.float32))),
        }
        self._kept: Float32Array | None = None
        self._early = lookahead - 1  # results to come that are for times before the first sample
        self.waiting = 0
        """Number of samples that have not been given yet."""

    @property
    def max_reduction(self) -> float:
        """Largest reduction in dB so far."""
        lanes = len(self._state) // ALIVE
        return float(self._state[LARGEST * lanes : ALIVE * lanes].max()) * self._db

    @property
    def at_work(self) -> bool:
        """Whether a peak still matters: otherwise samples are copied."""
        return bool(self._state[-1] > 0)

    def push(self, block: Array, *, is_last: bool = False) -> Float32Array:
        """Return the samples that are complete with another block, times their gain."""
        channels, length = block.shape
        kept = np.zeros((channels, self._before), np.float32) if self._kept is None else self._kept
        known = kept.shape[1] - self._before + length
        if is_last:
            count = -(-(known + self._lookahead - 1) // GROUP) * GROUP
        else:
            count = max(0, known - self._after) // GROUP * GROUP
        end = self._before + known
        samples = np.empty((channels, self._before + max(count, known) + AHEAD), np.float32)
        samples[:, : kept.shape[1]] = kept
        samples[:, kept.shape[1] : end] = block
        samples[:, end:] = 0
        result = np.empty((channels, count), np.float32)
        if count:
            self._run(
                self._scratch,
                samples=samples[0, self._before - HALO :],
                results=result,
                stride=samples.shape[1],
                result_stride=count,
                channels=channels,
                count=count,
                **self._arguments,
            )
        self._kept = samples[:, count:end].copy()
        early = min(self._early, count)
        self._early -= early
        self.waiting += length
        result = result[:, early : early + self.waiting]
        self.waiting -= result.shape[1]
        return result


def _weights(settings: LimiterSettings, unit: float, lanes: int) -> Float64Array:
    """Return the numbers of float64 that the kernel wants."""
    doublings = lanes.bit_length() - 1
    weights = np.zeros(POWERS + lanes)
    weights[INVERSE_CEILING], weights[MARGIN] = 1 / settings.ceiling, settings.margin_db
    weights[INVERSE_UNIT], weights[EXPONENT] = 1 / unit, -unit / math.prod(settings.widths) / DB_OF_OCTAVE
    weights[DECAYS : DECAYS + doublings] = np.exp(-settings.decay * 2.0 ** np.arange(doublings))
    weights[POWERS:] = np.exp(-settings.decay * np.arange(1, lanes + 1))
    return weights


def _shifts(size: int) -> Int64Array:
    """Return how far apart the maxima are that larger ones are made of, up to ``size`` values; at least two steps."""
    shifts, width = [], 1
    while 2 * width <= size:
        shifts.append(width)
        width *= 2
    shifts.append(size - width)
    return np.array([*shifts, 0] if len(shifts) == 1 else shifts, np.int64)
