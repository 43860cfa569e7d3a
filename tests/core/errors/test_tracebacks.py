"""Tracebacks under --debug: printed once each, and only where they are wanted."""

import io
import sys
import traceback

import pytest

from tonearm.errors import tracebacks


@pytest.fixture
def wanted():
    with tracebacks.shown():
        yield


def raised(text):
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_none_is_wanted(capsys):
    tracebacks.show(raised("x"))
    assert capsys.readouterr() == ("", "")


def test_each_is_shown_once(wanted, capsys):
    for text in ("x", "x", "y"):
        tracebacks.show(raised(text))
    shown = capsys.readouterr().err
    assert shown.count("Traceback (most recent call last):") == 2
    assert [line for line in shown.splitlines() if line.startswith("ValueError")] == ["ValueError: x", "ValueError: y"]


def test_a_stream_that_nobody_reads(wanted, monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    tracebacks.show(raised("x"))


def test_an_exception_that_cannot_be_printed(wanted, capsys, monkeypatch):
    monkeypatch.setattr("traceback.format_exception", lambda *_: 1 / 0)
    tracebacks.show(raised("x"))
    assert capsys.readouterr().err == "ValueError, whose traceback cannot be printed: ZeroDivisionError\n"


class Flushed(io.StringIO):
    """A stream that remembers whether it was flushed."""

    flushed = 0

    def flush(self):
        self.flushed += 1


def test_a_traceback_is_written_at_once_and_with_one_line_end(wanted, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Flushed())
    tracebacks.show(raised("x"))
    assert sys.stderr.flushed
    assert sys.stderr.getvalue().endswith("ValueError: x\n")
    assert not sys.stderr.getvalue().endswith("\n\n")


def test_a_full_disk_behind_the_stream_is_no_error_of_the_run(wanted, monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    tracebacks.show(raised("x"))


def test_another_fault_of_the_stream_is_not_hidden(wanted, monkeypatch):
    class Odd(io.StringIO):
        def write(self, text):
            raise KeyError(text)

    monkeypatch.setattr(sys, "stderr", Odd())
    with pytest.raises(KeyError):
        tracebacks.show(raised("x"))


def test_nothing_is_shown_after_the_context(capsys):
    def show_and_fail():
        with tracebacks.shown():
            assert tracebacks.are_shown()
            tracebacks.show(raised("x"))
            raise ZeroDivisionError

    assert not tracebacks.are_shown()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            show_and_fail()
        assert not tracebacks.are_shown()
    assert capsys.readouterr().err.count("ValueError: x\n") == 2


def test_causes_that_lead_in_a_circle_end():
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__cause__ = second, first
    assert list(tracebacks.causes(first)) == [first, second]
    assert list(tracebacks.causes(None)) == []


def test_causes_that_were_hidden_count_or_not():
    try:
        try:
            raise KeyError("inner")
        except KeyError:
            raise ValueError("outer") from None
    except ValueError as error:
        found = [list(tracebacks.causes(error, suppressed=suppressed)) for suppressed in (True, False)]
    assert [[type(one) for one in ones] for ones in found] == [[ValueError, KeyError], [ValueError]]


def trace_of(function, *names):
    """Return the traceback of an exception, whose functions are in modules of the given names."""
    for name in names:
        space = {"__name__": name, "inner": function}
        exec("def outer():\n    inner()", space)
        function = space["outer"]
    try:
        function()
    except ZeroDivisionError as error:
        return error.__traceback__.tb_next


def modules(trace):
    return [link.f_globals["__name__"] for link, _ in traceback.walk_tb(trace)]


def fail():
    return 1 / 0


class TestFrames:
    def test_own_ones_are_taken_out_wherever_they_are(self):
        trace = trace_of(fail, "tonearm.inner", "tonearm_plugins", "theirs", "tonearm", "mine", "tonearmed")
        assert modules(tracebacks.without_own(trace)) == ["tonearmed", "mine", "theirs", __name__]
        assert len(modules(trace)) == 7  # the traceback itself is as it was

    def test_those_of_a_shell_are_taken_out_at_the_start_alone(self):
        trace = trace_of(fail, "code", "mine", "code", "IPython.core.interactiveshell")
        assert modules(tracebacks.without_own(trace)) == ["mine", "code", __name__]

    def test_nothing_is_left_of_what_is_all_own(self):
        assert tracebacks.without_own(None) is None
        space = {"__name__": "tonearm.inner"}
        exec("def fail():\n    1 / 0", space)
        assert tracebacks.without_own(trace_of(space["fail"], "tonearm")) is None

    def test_a_plugins_traceback_begins_at_the_plugin(self):
        trace = trace_of(fail, "tonearm.inner", "tonearm_plugins.steps", "tonearm.pipeline", "tonearm")
        assert modules(tracebacks.trimmed(trace)) == ["tonearm_plugins.steps", "tonearm.inner", __name__]
        assert tracebacks.trimmed(None) is None

    def test_a_frame_without_a_module_is_not_own(self):
        assert modules(tracebacks.without_own(trace_of(fail, 7, None))) == [None, 7, __name__]

    @pytest.mark.parametrize(("value", "wanted"), [(None, False), ("", False), ("0", False), ("1", True)])
    def test_when_they_stay(self, value, wanted, monkeypatch):
        monkeypatch.delenv("TONEARM_DEBUG", raising=False)
        if value is not None:
            monkeypatch.setenv("TONEARM_DEBUG", value)
        assert tracebacks.keeps_own() is wanted
        with tracebacks.shown():
            assert tracebacks.keeps_own()


def test_a_notebook_without_ipython_shows_what_python_would(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", None)
    error = raised("x")
    assert tracebacks.notebook_lines(error) == traceback.format_exception(error)
