"""Progress: records of the stage at work, and which of them reach the host."""

from types import SimpleNamespace

import pytest

from tonearm.plugins.progress import BURST, Progress, Reporter


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


STAGES = tuple(SimpleNamespace(name=name) for name in ("npy-reader", "resample", "resample"))


def test_the_share_is_known_if_the_total_is():
    assert Progress("resample", 3.0, 12.0).share == 0.25
    assert Progress("resample", 3.0).share is None


def test_its_text():
    assert str(Progress("griffin-lim", 37.4, 100.0, 2, 4)) == "2/4 griffin-lim 37 %"
    assert str(Progress("griffin-lim", 37.4)) == "griffin-lim"
    assert str(Progress("a\nb" * 40, 0.0)).endswith("…")


def test_a_report_names_its_stage_and_source_and_the_position_among_stages_of_one_name(clock):
    found = []
    reporter = Reporter(found.append, STAGES, "a.npy")
    reporter.report(STAGES[2], 1, 4)
    assert found == [Progress("resample", 1.0, 4.0, index=3, stages=3, source="a.npy")]
    clock[0] += 1
    reporter.report(None, 1, None)  # a context without a pipeline
    assert found[1:] == [Progress("", 1.0, None, source="a.npy")]


def test_a_short_conversion_reports_no_beginnings(clock):
    found = []
    reporter = Reporter(found.append, STAGES)
    for _ in range(1000):
        reporter.begin(STAGES[0])
    assert found == []
    clock[0] += 0.06
    reporter.begin(STAGES[1])
    assert [(one.stage, one.done, one.total) for one in found] == [("resample", 0.0, 1.0)]


def test_each_of_some_stages_reports_its_beginning_though_others_have_just_reported(clock):
    found = []
    reporter = Reporter(found.append, STAGES)
    clock[0] += 10
    for stage in STAGES:
        reporter.begin(stage)
        reporter.report(stage, 1, 2)
    assert [(one.index, one.done) for one in found] == [(1, 0.0), (1, 1.0), (2, 0.0), (3, 0.0)]


def test_beginnings_of_very_many_items_are_left_out(clock):
    found = []
    reporter = Reporter(found.append, STAGES)
    for number in range(100_000):
        clock[0] += 0.0001
        reporter.begin(STAGES[number % 3])
    assert 100 < len(found) < 20 * (10 + BURST)


def test_what_the_function_raises_is_noted():
    def fail(_):
        raise KeyError("no")

    reporter = Reporter(fail, STAGES)
    with pytest.raises(KeyError) as caught:
        reporter.report(STAGES[0], 1, 2)
    assert reporter.stopped is caught.value
