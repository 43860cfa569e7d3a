"""Where the progress of a call goes: to a bar, to a function, or nowhere."""

import contextlib
import io
import sys

import pytest

from tonearm.errors import UsageError
from tonearm.plugins.progress import Progress
from tonearm.reporting import reporting
from tonearm.reporting.bar import Bar
from tonearm.reporting.worker_rates import WorkerRates


def test_nobody_is_told_where_nobody_looks(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    for given in (False, True):
        with reporting(given) as reports:
            assert reports is None


def test_a_bar_is_erased_at_the_end_also_after_an_error(monkeypatch):
    monkeypatch.setattr("tonearm.reporting.reports.can_show", lambda: True)
    cleared = []
    monkeypatch.setattr(Bar, "clear", lambda bar: cleared.append(bar))
    given = True
    with contextlib.suppress(KeyboardInterrupt), reporting(given) as reports:
        assert isinstance(reports, Bar)
        raise KeyboardInterrupt
    assert cleared == [reports]


def test_a_function_gets_each_report_and_at_last_that_all_is_done():
    seen = []
    with reporting(seen.append) as reports:
        reports.watch(WorkerRates())
        reports(Progress("a", 1.0, 2.0))
        reports.count(1, 2)
        reports.note("a worker is lost")
        reports(Progress("b", 3.0, 12.0, 2, 2, "x.npy"))
    assert seen == [
        Progress("a", 1.0, 2.0),
        Progress("b", 3.0, 12.0, 2, 2, "x.npy"),
        Progress("b", 12.0, 12.0, 2, 2, "x.npy"),
    ]


@pytest.mark.parametrize("last", [None, Progress("a", 1.0), Progress("a", 2.0, 2.0)])
def test_nothing_is_added_if_the_end_was_reported_or_is_not_known(last):
    seen = []
    with reporting(seen.append) as reports:
        if last:
            reports(last)
    assert seen == ([last] if last else [])


def test_what_fails_is_not_done():
    seen = []
    with contextlib.suppress(ValueError), reporting(seen.append) as reports:
        reports(Progress("a", 1.0, 2.0))
        raise ValueError("no")
    assert seen == [Progress("a", 1.0, 2.0)]


@pytest.mark.parametrize("given", [None, "yes", 2, []])
def test_anything_else_is_refused(given):
    with pytest.raises(UsageError, match="progress is True, False or a function, not ") as caught, reporting(given):
        pass
    assert caught.value.hint == "progress=True, or progress=print"
