from run_toys import task

from tonearm.run.prepared import Failure, PreparedSource
from tonearm.run.workers import flush_timer as room
from tonearm.run.workers.flush_timer import FlushTimer


def cost(seconds):
    return [PreparedSource(task=task("a.txt"), seconds=seconds)]


def test_a_batch_waits_for_a_while():
    now = [0.0]
    (well,), failed = cost(1), PreparedSource(task=task("a.txt"), failures=[Failure("a.txt", "", 0, "x", "y")])
    flush, flush_failures = FlushTimer(clock=lambda: now[0]), FlushTimer(flush_failures=True, clock=lambda: now[0])
    assert not any((flush.is_due(well), flush.is_due(failed), flush_failures.is_due(well)))
    assert flush_failures.is_due(failed)
    now[0] = room.FLUSH_SECONDS
    assert flush.is_due(well)
    flush.restart()
    assert not flush.is_due(well)
