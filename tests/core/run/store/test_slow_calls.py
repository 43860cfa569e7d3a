"""Calls that take long are made in threads, others where they are needed."""

import threading
import time

import pytest

from tonearm.errors import OutputError
from tonearm.run.store import slow_calls as room
from tonearm.run.store.slow_calls import SlowCalls


@pytest.fixture
def clock(monkeypatch):
    """Time in seconds, which passes as a test says."""
    now = [0.0]
    monkeypatch.setattr(room.time, "perf_counter", lambda: now[0])
    return now


def test_the_time_of_a_call_is_an_average_that_moves(clock):
    calls = SlowCalls()

    def take(seconds):
        clock[0] += seconds
        return seconds

    assert calls.timed(take, 1.0) == 1.0
    assert calls.seconds == pytest.approx(0.1)
    calls.timed(take, 0.0)
    assert calls.seconds == pytest.approx(0.09)


def test_a_call_that_fails_counts_and_raises(clock):
    calls = SlowCalls()

    def fail(_):
        clock[0] += 1
        raise OutputError("no")

    with pytest.raises(OutputError, match="no"):
        calls.timed(fail, "a")
    assert calls.seconds == pytest.approx(0.1)


def slow():
    calls = SlowCalls()
    calls.seconds = 1.0
    return calls


def test_slow_calls_are_made_once_each_at_once():
    """All threads wait for one another, so calls made in turn would never end."""
    meeting, seen = threading.Barrier(room.THREADS), []

    def meet(thing):
        if thing < room.THREADS:
            meeting.wait(timeout=60)
        seen.append(thing)

    slow().ahead(meet, range(100))
    assert sorted(seen) == list(range(100))


def test_no_thread_is_left():
    """A worker process may be forked next."""
    before = threading.active_count()
    slow().ahead(lambda _: time.sleep(0.001), range(20))
    assert threading.active_count() == before


@pytest.mark.parametrize("seconds", [0.0, 0.9 * room.SLOW_SECONDS])
def test_fast_calls_are_not_made_ahead(seconds):
    calls, seen = SlowCalls(), []
    calls.seconds = seconds
    calls.ahead(seen.append, range(100))
    assert seen == []
    assert not calls.are_slow


def test_a_few_calls_are_not_worth_a_thread():
    seen = []
    slow().ahead(seen.append, range(2 * room.CALLS_A_THREAD - 1))
    assert seen == []
    slow().ahead(seen.append, range(2 * room.CALLS_A_THREAD))
    assert len(seen) == 2 * room.CALLS_A_THREAD


def test_what_fails_is_left_to_the_caller_and_others_are_made():
    seen = []

    def refuse_some(thing):
        if thing % 2:
            raise OutputError("no")
        seen.append(thing)

    slow().ahead(refuse_some, range(100))
    assert sorted(seen) == list(range(0, 100, 2))


@pytest.mark.parametrize("most", [0, 3])
def test_where_no_more_threads_can_be_started_the_caller_makes_the_calls(monkeypatch, most):
    """A container may bound the number of threads of its processes."""
    real, started, seen = threading.Thread.start, [], []

    def start(thread):
        if len(started) == most:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    def see(thing):
        time.sleep(0.001)  # so that no thread is idle when the next one starts
        seen.append(thing)

    monkeypatch.setattr(threading.Thread, "start", start)
    slow().ahead(see, range(100))
    assert len(started) == most
    assert bool(seen) == bool(most)
    assert len(seen) == len(set(seen))


def test_a_bug_is_raised():
    def divide(thing):
        return 1 / thing

    with pytest.raises(ZeroDivisionError):
        slow().ahead(divide, range(100))
