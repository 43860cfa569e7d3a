"""Threads that iterate on one signal give the bits of one thread, whoever comes late or stays away."""

import _thread
import threading
import time

import numpy as np
import pytest
from dsp_material import NARROW, only_native, smooth_magnitude
from dsp_reference import hann

from tonearm_plugins.dsp import threads as dsp_threads
from tonearm_plugins.dsp.engines.native import neighbours, recovery, targets
from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout
from tonearm_plugins.dsp.engines.native.neighbours import MIN_BLOCKS, boundaries_of, stretches
from tonearm_plugins.dsp.engines.native.recovery import NativeRecovery
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum

pytestmark = only_native

FRAMES = 5 * MIN_BLOCKS * 16 - 3


@pytest.fixture(autouse=True)
def _every_clip_is_worth_threads(monkeypatch):
    monkeypatch.setattr(dsp_threads, "LEAST_WORK", 1)
    for module in (recovery, targets):
        monkeypatch.setattr(module, "LEAST_PIECE", 2)


class Reports:
    """Stands for the progress of a recovery, and does something at each report."""

    step = 2

    def __init__(self, do):
        self.counts, self.do = [], do

    def add(self, iterations):
        self.counts.append(iterations)
        self.do()


def recovered(threads, *, n_fft=256, hop=64, machine=None, basis=None, counts=(3, 4), progress=None):
    window = hann(n_fft) if hop < n_fft else np.ones(n_fft)  # without overlap, nothing goes on from block to block
    grid = FrameGrid.checked(window, hop_length=hop, pad=n_fft // 2, frames=FRAMES)
    given = smooth_magnitude(n_fft // 2 + 1, FRAMES).T
    if basis is not None:
        given = basis.weights @ given
    state = NativeRecovery(given, grid, basis=basis, machine=machine, threads=threads)
    state.start_from_noise(1)
    for count in counts:
        state.iterate(count, Momentum.of(0.99), progress)
    out = np.empty(grid.length, np.float32)
    return out, state.residual(), state.finish(out)


def same(one, other):
    return np.array_equal(one[0], other[0]) and one[1:] == other[1:]


@pytest.mark.parametrize("blocks", [1, 11, 12, 13, 100])
@pytest.mark.parametrize("threads", [1, 2, 7, 64])
def test_stretches_are_even_once_the_block_before_counts(blocks, threads):
    found = stretches(blocks, threads)
    assert [first for first, _ in found] == [0, *(last for _, last in found[:-1])]
    assert found[-1][1] == blocks
    work = [last - first + (first > 0) for first, last in found]
    assert max(work) - min(work) <= 1
    assert len(found) == max(1, min(threads, blocks // MIN_BLOCKS))


@pytest.mark.parametrize("machine", [None, NARROW])
@pytest.mark.parametrize(("n_fft", "hop"), [(256, 64), (256, 50), (160, 80), (128, 128)])
def test_any_number_of_threads_gives_the_same_bits(n_fft, hop, machine):
    alone = recovered(1, n_fft=n_fft, hop=hop, machine=machine)
    for threads in (2, 5):
        assert same(recovered(threads, n_fft=n_fft, hop=hop, machine=machine), alone)


def test_mel_spectrograms_give_the_same_bits():
    weights = np.maximum(0, 1 - np.abs(np.arange(129) / 4 - np.arange(32)[:, None]))
    basis = MelBasis.checked(weights, mels=32, power=1.0)
    assert same(recovered(3, basis=basis), recovered(1, basis=basis))


def test_this_thread_does_all_where_no_other_can_begin(monkeypatch):
    alone = recovered(1)

    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    assert same(recovered(4), alone)


def begin_late(monkeypatch):
    begin = _thread.start_new_thread

    def start(function, arguments):
        def wait_first():
            time.sleep(0.002)
            function(*arguments)

        begin(wait_first, ())

    monkeypatch.setattr(_thread, "start_new_thread", start)


def test_this_thread_begins_the_work_of_those_that_come_late(monkeypatch):
    alone = recovered(1, counts=(20,))
    begin_late(monkeypatch)
    assert same(recovered(3, counts=(20,)), alone)


def test_a_thread_that_only_waits_leaves_its_work_to_the_first(monkeypatch):
    monkeypatch.setattr(neighbours, "TRIAL", 0.0)
    monkeypatch.setattr(neighbours, "PATIENCE", 1)
    monkeypatch.setattr(neighbours, "SHORTEST_REST", 1e-5)
    assert same(recovered(5, counts=(20,)), recovered(1, counts=(20,)))


def test_reports_add_up_and_come_in_this_thread():
    where = set()
    for threads in (1, 3):
        reports = Reports(lambda: where.add(threading.get_ident()))
        recovered(threads, counts=(7,), progress=reports)
        assert sum(reports.counts) == 7
        assert max(reports.counts) <= 2
        assert threads > 1 or reports.counts == [2, 2, 2, 1]
    assert where == {threading.get_ident()}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_a_report_raises_ends_all_threads(error):
    before = _thread._count()

    def fail():
        raise error

    with pytest.raises(error):
        recovered(4, counts=(1000,), progress=Reports(fail))
    assert _thread._count() == before


def test_ctrl_c_as_the_first_thread_takes_a_lock_ends_all_threads(monkeypatch):
    locks = []

    class Interrupted:
        """A lock that is taken, but who takes it is not told."""

        def __init__(self):
            self.lock = threading.Lock()
            self.release = self.lock.release
            locks.append(self)

        def acquire(self, *, blocking=True, timeout=-1):
            taken = self.lock.acquire(blocking, timeout)
            if taken and self is locks[-1] and threading.current_thread() is threading.main_thread():
                time.sleep(0.05)  # meanwhile its own thread begins to wait for it
                raise KeyboardInterrupt
            return taken

    before = _thread._count()
    monkeypatch.setattr(neighbours, "Lock", Interrupted)
    begin_late(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        recovered(4)
    assert _thread._count() == before


def test_neighbours_share_no_more_than_a_few_blocks():
    layout = BlockLayout(1024, 256, 16)
    tiles = np.zeros((40, 256, layout.pitch), np.float32)
    shared = boundaries_of([(0, 20), (20, 39)], layout, tiles)[1]
    assert shared.memory.size < 3 * layout.block
