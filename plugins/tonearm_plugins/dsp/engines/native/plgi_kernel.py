"""The PLGI kernel: from magnitudes to a first signal, a block of frames at a time.

`tonearm_plugins.dsp.phase_recovery.plgi` explains the method and has it in NumPy. Here all of it runs in lanes of
frames, except for the recursion ``level[n, bin] = level[n - 1, origin[bin]] + step[bin]``: one gather and one addition
a bin, in 32-bit integers, 2^32 to a turn.
"""

from __future__ import annotations

from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout, Number, OverlapAdd
from tonearm_plugins.dsp.engines.native.butterflies import Complex
from tonearm_plugins.dsp.engines.native.fft import RealFFT
from tonearm_plugins.dsp.engines.native.griffin_lim_kernel import RecoveryState
from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Memory, Vec, Writer
from tonearm_plugins.dsp.engines.native.vector_math import cos_sin_of_turns, log2, wrapped
from tonearm_plugins.dsp.phase_recovery.phase_gradient import TURN


def write(writer: Writer, layout: BlockLayout) -> None:
    """Write the kernel."""
    state = RecoveryState(writer, layout)
    magnitudes = writer.memory("magnitudes")
    which, weights = writer.memory("which"), writer.memory("weights")
    synthesis, tile_index = writer.memory("synthesis"), writer.memory("tile_index")
    blocks = writer.int_argument("blocks")
    phases = PeakLockedPhases(writer, layout)
    fft = RealFFT(writer, layout.n_fft, layout.hop_length)
    overlap = OverlapAdd(writer, layout, synthesis, tile_index)
    rows = (layout.bins + 1) * layout.lanes
    with writer.loop(blocks) as block:
        before, here, after = (magnitudes.part((block + d) * rows) for d in (-1, 0, 1))
        phases.integrate(before, here, after)
        fft.bins(phases.bin, source="nothing")
        weight = weights.part(which.int64(block))
        tile, before_it, estimate = state.tile(block), state.tile(block - 1), state.estimate(block)

        def finish(
            row: Int,
            samples: Vec,
            weight: Memory = weight,
            tile: Memory = tile,
            before_it: Memory = before_it,
            estimate: Memory = estimate,
        ) -> None:
            result = samples * weight[row * layout.lanes]
            estimate[row * layout.lanes] = result
            state.put(tile, before_it, row, result)

        overlap.finish(fft, finish)


class PeakLockedPhases:
    """Writes the integration. Phases are in turns, for frames seen from their centre.

    Parameters
    ----------
    writer, layout
        The function, and the sizes of its blocks.
    """

    def __init__(self, writer: Writer, layout: BlockLayout) -> None:
        self.writer, self.lanes, self.bins = writer, layout.lanes, layout.bins
        self.half_turns = writer.memory("half_turns")  # of each bin: over half a hop, and over half a frame
        self.slope, self.bend = writer.float_argument("slope"), writer.float_argument("bend")
        self.floor = writer.float_argument("floor")
        self.zero, self.no_bin = writer.constant(0.0), writer.constant(0, "i32")
        rows = (self.bins + 1) * self.lanes
        self.integral = writer.scratch(rows)  # of the slope over bins
        self.departure = writer.scratch(rows)  # half an advance, less the integral
        # Half an advance and the integral; one lane more at the left, for the frame before the block, and one row more
        # on each side.
        self.arrival = writer.scratch((self.bins + 2) * (self.lanes + 1))
        self.steps = writer.scratch(rows)
        self.origins = writer.scratch(rows, "i32")
        self.levels = writer.scratch((self.lanes + 1) * (self.bins + 1), "i32")  # [frame][bin], the frame before first

    def integrate(self, before: Memory, here: Memory, after: Memory) -> None:
        """Write the integration of one block; the blocks before and after have the frames next to it."""
        self.here = here
        self._keep_last_frame()
        self._derivatives(before, here, after)
        self._rising_flanks(before, here)
        self._falling_flanks(here)
        self._frame_by_frame()
        self._spectra()

    def bin(self, k: Number, _: Complex) -> Complex:
        """Return a bin with its phase, seen from the first sample of its frame."""
        return Complex(self.integral[k * self.lanes], self.departure[k * self.lanes])

    def _keep_last_frame(self) -> None:
        lanes, bins = self.lanes, self.bins
        with self.writer.loop(bins) as m:
            row = (m + 1) * (lanes + 1)
            self.arrival.put_scalar(row, self.arrival.scalar(row + lanes))
            self.levels.put_scalar(m, self.levels.scalar(m + lanes * (bins + 1)))

    def _frame_before(self, before: Memory, here: Memory, at: Number) -> Vec:
        return before[at].shuffle(here[at], range(self.lanes - 1, 2 * self.lanes - 1))

    def _frame_after(self, here: Memory, after: Memory, at: Number) -> Vec:
        return here[at].shuffle(after[at], range(1, self.lanes + 1))

    def _doublings(self, above: Vec, below: Vec, otherwise: Vec) -> Vec:
        """Return log2(above / below). A neighbour that is zero or missing counts as equal to the bin itself."""
        above, below = ((x > self.zero).choose(x, otherwise) + self.floor for x in (above, below))
        return log2(above / below)

    def _derivatives(self, before: Memory, here: Memory, after: Memory) -> None:
        lanes = self.lanes
        with self.writer.carrying(self.bins, self.zero) as (m, (total,)):
            at = m * lanes
            own = here[at]
            later, earlier = self._frame_after(here, after, at), self._frame_before(before, here, at)
            slope = -(self._doublings(later, earlier, own) * self.slope)
            total.value = total.value + slope
            integral = total.value - slope * 0.5
            advance = self._doublings(here[at + lanes], here[at - lanes], own) * self.bend
            advance = advance + self.half_turns.splat(m * 2)
            self.integral[at] = integral
            self.departure[at] = advance - integral
            self.arrival[(m + 1) * (lanes + 1) + 1] = advance + integral

    def _rising_flanks(self, before: Memory, here: Memory) -> None:
        """Go from low bins to high: find origin and step at peaks, and hand them down the flank that follows."""
        lanes = self.lanes
        with self.writer.carrying(self.bins, self.zero, self.no_bin) as (m, (step, origin)):
            at, number = m * lanes, m.lanes32()
            best, bin_, arrival = self._frame_before(before, here, at), number, self.arrival[(m + 1) * (lanes + 1)]
            for d in (-1, 1):
                value = self._frame_before(before, here, at + d * lanes)
                stronger = value > best
                best = stronger.choose(value, best)
                bin_ = stronger.choose(number + d, bin_)
                arrival = stronger.choose(self.arrival[(m + 1 + d) * (lanes + 1)], arrival)
            rising = here[at] >= here[at - lanes]  # on the way up each bin stands for a peak: the last one is it
            step.value = rising.choose(arrival + self.departure[at], step.value)
            origin.value = rising.choose(bin_, origin.value)
            self.steps[at], self.origins[at] = step.value, origin.value

    def _falling_flanks(self, here: Memory) -> None:
        """Go from high bins to low: where the next bin is no quieter, take over its peak. Make the steps integers."""
        lanes = self.lanes
        with self.writer.carrying(self.bins, self.zero, self.no_bin) as (i, (step, origin)):
            at = (self.bins - 1 - i) * lanes
            rising = here[at + lanes] >= here[at]
            step.value = rising.choose(step.value, self.steps[at])
            origin.value = rising.choose(origin.value, self.origins[at])
            self.origins[at] = origin.value
            whole = (wrapped(step.value) * (TURN / 2)).cast("fptosi", "i32") << 1  # of NaN it is any number
            self.steps.part(at, "i32")[0] = whole

    def _frame_by_frame(self) -> None:
        bins = self.bins
        steps = self.steps.part(0, "i32")
        with self.writer.loop(self.lanes) as lane, self.writer.loop(bins) as m:
            at = m * self.lanes + lane
            origin = Int(self.writer, self.writer.emit(f"sext i32 {self.origins.scalar(at)} to i64"))
            level = self.levels.scalar(lane * (bins + 1) + origin)
            level = self.writer.emit(f"add i32 {steps.scalar(at)}, {level}")
            self.levels.put_scalar((lane + 1) * (bins + 1) + m, level)
            steps.put_scalar(at, level)

    def _spectra(self) -> None:
        """Put real and imaginary parts in place of integral and departure, which have served."""
        with self.writer.loop(self.bins) as m:
            at = m * self.lanes
            level = self.steps.part(0, "i32")[at].cast("sitofp", "float") * (1 / TURN)
            turns = level + self.integral[at] + self.half_turns.splat(m * 2 + 1)
            cos, sin = cos_sin_of_turns(wrapped(turns))
            self.integral[at], self.departure[at] = self.here[at] * cos, self.here[at] * sin
