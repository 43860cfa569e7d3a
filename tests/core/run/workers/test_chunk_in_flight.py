from run_toys import task

from tonearm.run.workers import chunk_in_flight as room
from tonearm.run.workers.chunk_in_flight import ChunkInFlight


def test_a_chunk_is_overdue_after_its_timeout_and_then_after_that_of_its_end():
    chunk = ChunkInFlight([task("a.txt")], is_retry=False)
    chunk.last_heard = 100.0
    assert chunk.due(7.0) == 107.0
    chunk.cancelled = 108.0
    assert chunk.due(7.0) == 108.0 + room.CANCEL_TIMEOUT


def test_what_was_received_of_a_source_is_not_left_to_do():
    one, two = task("a.txt", 1, skip=frozenset({(("k", 0), 0)})), task("b.txt", 2)
    chunk = ChunkInFlight([one, two], is_retry=False)
    assert chunk.remaining() == [one, two]
    chunk.received[1] = {(("k", 1), 0)}
    first, second = chunk.remaining()
    assert first.skip == {(("k", 0), 0), (("k", 1), 0)}
    assert (first.number, second) == (1, two)
