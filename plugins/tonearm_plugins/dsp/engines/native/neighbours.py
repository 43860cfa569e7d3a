"""Threads that iterate on neighbouring stretches of one signal, and what each tells the next.

A thread owns consecutive blocks. Two things cross the boundary to the thread before it. The frames of that thread's
last block reach into the first block: so each iteration begins with this block, of which nothing but the sums that go
on is kept. In turn the frames of that block read the first columns of the first block. Both are samples that the other
thread computed in the iteration before. So a thread begins an iteration once the one before it has finished the last
iteration, and the one after it has finished the first block of it: neighbours may be almost one iteration apart, and
seldom wait. Every sum is added up in the order of a single thread, and so has the same bits.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout
from tonearm_plugins.dsp.engines.native.compiler import Kernel, aligned
from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Memory, Writer
from tonearm_plugins.dsp.threads import in_threads
from tonearm_plugins.dsp.typing import Float32Array, Int64Array

if TYPE_CHECKING:
    from tonearm_plugins.dsp.phase_recovery.recovery import Progress

MIN_BLOCKS = 6
"""Blocks that a thread must have: it works on one more, and on fewer it would gain little."""

NOBODY = 1 << 62
"""The count of a thread that does not exist: nobody waits for it."""

PATIENCE = 2000
"""Looks at a neighbour's count before a thread sleeps: some twenty microseconds."""

SHORTEST_PAUSE, LONGEST_PAUSE = 2e-5, 1e-3
"""Time in seconds that a thread sleeps while its neighbours do not get on."""

TRIAL, SHORTEST_REST = 1e-3, 4e-3
"""Time in seconds of waiting after which a thread considers whether it is of any use, and of its rest if it is not."""

LINE = 16  # 32-bit numbers in a cache line: the two counts must not share one


def stretches(blocks: int, threads: int) -> list[tuple[int, int]]:
    """Return the first block of each thread and the one after its last: fewer threads if there are too few blocks.

    Parameters
    ----------
    blocks
        Number of blocks.
    threads
        Largest number of threads.

    Examples
    --------
    >>> stretches(21, 2)  # the second works on one block more
    [(0, 11), (11, 21)]
    >>> stretches(5, 2)
    [(0, 5)]
    """
    count = max(1, min(threads, blocks // MIN_BLOCKS))
    ends = [(blocks + count - 1) * (i + 1) // count - i for i in range(count)]
    return list(itertools.pairwise([0, *ends]))


@dataclass(frozen=True)
class BoundaryLayout:
    """The layout of the memory that two neighbours share, in 32-bit numbers.

    It begins with two counts: of the iterations that the earlier thread has finished, and of those whose first block
    the later thread has finished. Then come columns [row][halo]: the last ones of the earlier thread and the first ones
    of the later, each twice, for even and for odd iterations. The tile at the end is the later thread's alone: its copy
    of the tile before its first, of which only the columns count that the frames after it share.
    """

    blocks: BlockLayout

    @property
    def column(self) -> int:
        """Numbers in the columns of one iteration."""
        return self.blocks.hop_length * self.blocks.halo

    @property
    def last(self) -> int:
        """Where the last columns of the earlier thread begin."""
        return 2 * LINE

    @property
    def first(self) -> int:
        """Where the first columns of the later thread begin."""
        return self.last + 2 * self.column

    @property
    def tile(self) -> int:
        """Where the tile begins."""
        return self.first + 2 * self.column

    @property
    def size(self) -> int:
        """Numbers in all. Rows may be read to the end of a register."""
        return self.tile + self.blocks.tile + self.blocks.lanes


class Boundary:
    """The memory that two neighbours share.

    Parameters
    ----------
    layout
        The sizes of blocks.
    earlier, later
        Whether there is a thread before it, and one after it.
    """

    def __init__(self, layout: BlockLayout, *, earlier: bool, later: bool) -> None:
        self._blocks, self._layout = layout, BoundaryLayout(layout)
        self.memory = aligned(self._layout.size)
        self._counts: Int64Array = self.memory[: 2 * LINE].view(np.int64)[:: LINE // 2]
        self.has_earlier, self.has_later = earlier, later
        self._counts[:] = 0 if earlier else NOBODY, 0 if later else NOBODY

    @property
    def finished(self) -> int:
        """Number of iterations that the earlier thread has finished."""
        return int(self._counts[0])

    def begin(self, before: Float32Array, after: Float32Array) -> None:
        """Take what the first iteration wants.

        Parameters
        ----------
        before, after
            The tiles before and after the boundary.
        """
        at, blocks = self._layout, self._blocks
        last, first = before[:, blocks.lanes - blocks.halo : blocks.lanes], after[:, : blocks.halo]
        for begin, columns in ((at.last, last), (at.first, first)):
            self.memory[begin : begin + at.column].reshape(columns.shape)[:] = columns
        tile = self.memory[at.tile : at.tile + blocks.tile].reshape(before.shape)
        tile[:, blocks.lanes :] = first


def boundaries_of(stretches: Sequence[tuple[int, int]], layout: BlockLayout, tiles: Float32Array) -> list[Boundary]:
    """Return the memory before each thread, and after the last one.

    Parameters
    ----------
    stretches
        The first block of each thread, and the one after its last.
    layout
        The sizes of blocks.
    tiles
        The tiles of all blocks, after a spare one.
    """
    boundaries = [Boundary(layout, earlier=False, later=True)]
    for first, _ in stretches[1:]:
        boundaries.append(Boundary(layout, earlier=True, later=True))
        boundaries[-1].begin(tiles[first], tiles[first + 1])
    return [*boundaries, Boundary(layout, earlier=True, later=False)]


class Stretch:
    """The iterations of one thread.

    Parameters
    ----------
    run
        The kernel that iterates.
    boundaries
        Those with the thread before and with the thread after.
    count
        Number of iterations.
    arguments
        Arguments of the kernel about the blocks.
    progress
        Progress that is told about the iterations, in steps; None if nobody asks.

    Attributes
    ----------
    lock
        Lock of the thread that advances it.
    """

    def __init__(
        self,
        run: Kernel,
        boundaries: Sequence[Boundary],
        count: int,
        arguments: Mapping[str, Any],
        *,
        progress: Progress | None = None,
    ) -> None:
        before, self._after = boundaries
        self._run, self._count, self._progress = run, count, progress
        self._step = progress.step if progress else count
        self._scratch = run.scratch()
        self.lock = Lock()
        self._arguments = {
            **arguments,
            "before": before.memory,
            "after": self._after.memory,
            "has_before": int(before.has_earlier),
            "has_after": int(self._after.has_later),
        }

    @property
    def is_done(self) -> bool:
        """Whether all iterations are done."""
        return self._after.finished == self._count

    def advance(self, patience: int) -> bool:
        """Iterate until a report is due, and return whether it got on at all.

        Parameters
        ----------
        patience
            Number of looks at the counts of the neighbours until it gives up.
        """
        done = self._after.finished
        end = min(done - done % self._step + self._step, self._count)
        if done < end:
            self._run(self._scratch, start=done, iterations=end - done, patience=patience, **self._arguments)
        more = self._after.finished - done
        if more and self._progress:
            self._progress.add(more)
        return more > 0

    def advance_if_free(self) -> bool:
        """Advance without waiting, unless another thread has taken over."""
        if not self.lock.acquire(blocking=False):
            return False
        try:
            return self.advance(1)
        finally:
            self.lock.release()


def iterate_all(stretches: Sequence[Stretch]) -> None:
    """Do the iterations of all stretches: one thread each, and this one works on those whose thread is not there yet.

    Where a thread does not get on because a neighbour has no core to work on, it sleeps, so that its own may be free.

    Parameters
    ----------
    stretches
        Neighbours, from first to last.
    """

    def iterate(number: int, over: Event) -> None:
        if number:
            _help(stretches[number], over)
            return
        pause = 0.0
        while not over.is_set() and not all(one.is_done for one in stretches):
            if sum(one.advance_if_free() for one in stretches) or stretches[0].advance(PATIENCE):
                pause = 0.0
            else:
                time.sleep(pause)
                pause = min(max(2 * pause, SHORTEST_PAUSE), LONGEST_PAUSE)

    in_threads(iterate, len(stretches))


def _help(stretch: Stretch, over: Event) -> None:
    """Do the iterations of a stretch, but leave them to the first thread for a while where waiting takes most time.

    Then neighbours have no core of their own, and passing one to and fro costs more than one thread needs for all.
    """
    rest = SHORTEST_REST
    while not over.is_set() and not stretch.is_done:
        if stretch.lock.acquire(timeout=rest):  # if Ctrl-C interrupts the first thread here, it is never released
            try:
                _advance_while_useful(stretch, over)
            finally:
                stretch.lock.release()
            over.wait(0 if stretch.is_done else rest)
            rest *= 2


def _advance_while_useful(stretch: Stretch, over: Event) -> None:
    """Do the iterations of a stretch until they are done, or most of the time is waiting."""
    begin, waited, pause = time.perf_counter(), 0.0, 0.0
    while not over.is_set() and not stretch.is_done:
        since = time.perf_counter()
        if stretch.advance(PATIENCE):
            pause = 0.0
            continue
        time.sleep(pause)
        pause = min(max(2 * pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        waited += time.perf_counter() - since
        if waited > max(TRIAL, (time.perf_counter() - begin) / 2):
            return


class Exchange:
    """Writes what a thread reads from its neighbours, and what it tells them.

    Parameters
    ----------
    writer, layout
        The function, and the sizes of its blocks.
    """

    def __init__(self, writer: Writer, layout: BlockLayout) -> None:
        self.writer, self.layout, self._boundary = writer, layout, BoundaryLayout(layout)
        self.before, self.after = writer.memory("before"), writer.memory("after")
        self.has_before, self.has_after = writer.int_argument("has_before"), writer.int_argument("has_after")
        self._patience, self._unread = writer.int_argument("patience"), writer.scratch(layout.tile + layout.lanes)

    def begin(self, iteration: Int, last: Memory) -> None:
        """Begin an iteration, or return from the function if neighbours do not get so far.

        Parameters
        ----------
        iteration
            Its number.
        last
            The last tile of this thread.
        """
        layout, at = self.layout, self._boundary
        self._now = Int(self.writer, self.writer.emit(f"and i64 {iteration}, 1"))
        self._next = 1 - self._now
        self._wait(self.before, iteration)
        self._wait(self.after.part(LINE), iteration)
        self._tile = self.before.part(at.tile)
        if layout.halo:
            with self.writer.when(self.has_before.equals(1)):
                end = self._tile.part(layout.lanes - layout.halo)
                self._copy(self._columns(self.before, at.last, self._now), layout.halo, end, layout.pitch)
            with self.writer.when(self.has_after.equals(1)):
                end = last.part(layout.lanes)
                self._copy(self._columns(self.after, at.first, self._now), layout.halo, end, layout.pitch)

    def tile(self, block: Int, own: Memory) -> Memory:
        """Return the tile of a block, which is the one before the first block, or an ``own`` one."""
        return self._either(block.below(0), self._tile, own)

    def tile_before(self, block: Int, own: Memory) -> Memory:
        """Return the tile before a block, whose halo takes the first columns of the block."""
        return self._either(block.below(self.has_before), self._tile, own)

    def result(self, block: Int, own: Memory) -> Memory:
        """Return where the result of a block goes: its ``own`` place, or one that nobody reads for the one before."""
        return self._either(block.below(0), self._unread, own)

    def give_first(self, iteration: Int, block: Int, tile: Memory) -> None:
        """Tell the thread before about the first block, once it is finished."""
        layout = self.layout
        with self.writer.when(block.below(self.has_before)):
            if layout.halo:
                columns = self._columns(self.before, self._boundary.first, self._next)
                self._copy(tile, layout.pitch, columns, layout.halo)
            self._count(self.before.part(LINE), iteration)

    def give_last(self, iteration: Int, tile: Memory) -> None:
        """Tell the thread after about the last block, once the iteration is finished."""
        layout = self.layout
        if layout.halo:
            with self.writer.when(self.has_after.equals(1)):
                columns = self._columns(self.after, self._boundary.last, self._next)
                self._copy(tile.part(layout.lanes - layout.halo), layout.pitch, columns, layout.halo)
        self._count(self.after, iteration)

    def _columns(self, boundary: Memory, begin: int, parity: Int) -> Memory:
        return boundary.part(begin + parity * self._boundary.column)

    def _copy(self, source: Memory, source_pitch: int, target: Memory, target_pitch: int) -> None:
        """Copy ``halo`` columns."""
        halo = self.layout.halo
        with self.writer.loop(self.layout.hop_length) as row:
            target.put_short(row * target_pitch, source[row * source_pitch].first(halo), halo)

    def _either(self, condition: str, one: Memory, other: Memory) -> Memory:
        return Memory(self.writer, self.writer.emit(f"select i1 {condition}, ptr {one.name}, ptr {other.name}"))

    def _count(self, count: Memory, iteration: Int) -> None:
        """Set a count after all that was written before."""
        self.writer.do(f"store atomic i64 {iteration + 1}, ptr {count.name} release, align 8")

    def _wait(self, count: Memory, wanted: Int) -> None:
        """Wait until a count is reached; return from the function if it is not after ``patience`` looks."""
        writer, name = self.writer, f"wait.{count.name[1:]}"
        writer.label(f"{name}.before")
        writer.label(name)
        writer.do(f"%{name}.looks = phi i64 [ 0, %{name}.before ], [ %{name}.more, %{name}.again ]")
        seen = Int(writer, writer.emit(f"load atomic i64, ptr {count.name} acquire, align 8"))
        writer.do(f"br i1 {seen.below(wanted)}, label %{name}.again, label %{name}.done")
        writer.label(f"{name}.again", reached=False)
        writer.do("fence seq_cst")  # takes its time, and leaves the cache line to the one who counts
        writer.do(f"%{name}.more = add i64 %{name}.looks, 1")
        left = Int(writer, f"%{name}.more").below(self._patience)
        writer.do(f"br i1 {left}, label %{name}, label %{name}.leave")
        writer.label(f"{name}.leave", reached=False)
        writer.do("ret void")
        writer.label(f"{name}.done", reached=False)
