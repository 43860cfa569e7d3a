"""Work that several threads share: what is reported, and in which order results come."""

from __future__ import annotations

import threading

import pytest

from tonearm_plugins.dsp.shared_work import each_channel, sum_of_threads


def test_only_the_thread_that_asks_reports_what_all_have_done() -> None:
    reported: list[tuple[float, float]] = []
    add = sum_of_threads(lambda *amounts: reported.append(amounts), 10)
    other = threading.Thread(target=add, args=(4,))
    other.start()
    other.join()
    assert not reported
    add(1)
    add(0)
    assert reported == [(5, 10), (5, 10)]


@pytest.mark.parametrize("threads", [1, 2, 9])
def test_channels_keep_their_order_and_their_progress_reaches_the_end(threads: int) -> None:
    reported: list[tuple[float, float]] = []
    found = each_channel(lambda n, _: n * n, range(5), threads=threads, on_progress=lambda *done: reported.append(done))
    assert found == [0, 1, 4, 9, 16]
    if threads > 1:
        assert reported[-1] == (5, 5)


def test_one_thread_reports_within_each_channel() -> None:
    reported: list[tuple[float, float]] = []

    def work(number: int, report: object) -> None:
        assert callable(report)
        report(1, 2)

    each_channel(work, range(2), threads=1, on_progress=lambda *done: reported.append(done))
    assert reported == [(0.5, 2), (1.5, 2)]
