"""Threads of one call: what each does, and that none is left."""

import _thread
import os
import threading

import numpy as np
import pytest

from tonearm_plugins.dsp.threads import free_threads, in_threads, share_in_order, share_out


@pytest.mark.parametrize("count", [1, 7, 100])
@pytest.mark.parametrize("threads", [1, 2, 3, 50])
@pytest.mark.parametrize("least", [1, 30])
def test_each_thing_is_worked_on_once(count, threads, least):
    done = [0] * count
    sizes = []

    def work(first, last):
        sizes.append(last - first)
        for i in range(first, last):
            done[i] += 1

    share_out(work, count, threads, least=least)
    assert done == [1] * count
    assert min(sizes) >= min(least, count)


def test_threads_work_at_the_same_time_and_none_is_left():
    before = _thread._count()
    meeting = threading.Barrier(3, timeout=30)
    share_out(lambda first, last: meeting.wait(), 12, threads=3)  # or the barrier breaks
    assert _thread._count() == before


def test_an_error_in_any_thread_is_raised_and_no_more_is_begun():
    begun = []

    def work(first, last):
        begun.append(first)
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("one of the others")
        meeting.wait()

    meeting = threading.Barrier(2, timeout=0.1)
    with pytest.raises((ValueError, threading.BrokenBarrierError)):
        share_out(work, 1000, threads=2)
    assert len(begun) <= 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_of_this_thread_ends_those_that_wait_for_it(error):
    ended = []

    def work(number, over):
        if not number:
            raise error
        ended.append(over.wait(30))

    with pytest.raises(error):
        in_threads(work, 3)
    assert ended == [True, True]


def test_the_error_of_another_thread_is_raised_here():
    def work(number, over):
        if number:
            raise ValueError("of another")
        assert over.wait(30)

    with pytest.raises(ValueError, match="of another"):
        in_threads(work, 2)


def test_where_the_system_has_no_more_threads_this_one_does_all(monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    done = []
    share_out(lambda first, last: done.append((first, last, threading.get_ident())), 20, threads=4)
    assert sum(last - first for first, last, _ in done) == 20
    assert {thread for *_, thread in done} == {threading.get_ident()}


def test_calls_share_the_threads_that_all_may_have():
    with free_threads(8, 8) as first, free_threads(8, 8) as second, free_threads(2, 11) as third:
        assert (first, second, third) == (8, 1, 2)
    with free_threads(8, 8) as first:
        assert first == 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_the_child_of_a_fork_has_none_of_its_parents_threads():
    with free_threads(4, 4):
        child = os.fork()
        if not child:
            with free_threads(4, 4) as taken:
                os._exit(taken)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_things_begin_together_and_finish_in_order(threads):
    meeting = threading.Barrier(min(threads, 2), timeout=30)
    finished = []

    def begin(number):
        if number < 2:
            meeting.wait()  # or the barrier breaks
        return number * number

    share_in_order(begin, lambda *made: finished.append(made), 9, threads)
    assert finished == [(number, number * number) for number in range(9)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("at", [0, 5])
@pytest.mark.parametrize("when", ["begin", "finish"])
def test_an_error_ends_the_row(error, at, when):
    before, finished = _thread._count(), []

    def begin(number):
        if when == "begin" and number == at:
            raise error

    def finish(number, _):
        if when == "finish" and number == at:
            raise error
        finished.append(number)

    with pytest.raises(error):
        share_in_order(begin, finish, 100, 3)
    assert finished == list(range(len(finished)))
    assert len(finished) <= at
    assert _thread._count() == before


def test_numpy_treats_errors_alike_in_all_threads():
    meeting = threading.Barrier(2, timeout=30)

    def divide(first, last):
        meeting.wait()
        np.float32(1) / np.float32(0)  # a warning, which the suite turns into an error

    with np.errstate(all="ignore"):
        share_out(divide, 8, threads=2)
