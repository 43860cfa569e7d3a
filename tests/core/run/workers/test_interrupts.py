import os
import signal
import sys
import threading

import pytest

from tonearm.run.workers.interrupts import SIGNALS, InterruptGate, OpenGate


@pytest.fixture(autouse=True)
def handlers():
    """Whatever a test does, the handlers of this process are as they were."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def interrupt(number=signal.SIGINT):
    os.kill(os.getpid(), number)


def test_an_interrupt_waits_while_the_gate_is_closed():
    done = []
    with pytest.raises(KeyboardInterrupt), InterruptGate():
        interrupt()
        done.append("all of it")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_comes_at_once_while_the_gate_is_open():
    done = []
    with pytest.raises(KeyboardInterrupt), InterruptGate() as gate:
        with gate.opened:
            interrupt()
            done.append("not reached")
        done.append("nor this")
    assert done == []


def test_what_waits_comes_when_the_gate_opens():
    done = []
    with pytest.raises(KeyboardInterrupt), InterruptGate() as gate:
        interrupt()
        done.append("closed")
        with gate.opened:
            done.append("not reached")
    assert done == ["closed"]


def test_it_waits_for_what_closes_the_gate_for_a_while():
    done = []
    with pytest.raises(KeyboardInterrupt), InterruptGate() as gate, gate.opened:
        with gate.closed():
            interrupt()
            done.append("all of it")
        done.append("not reached")
    assert done == ["all of it"]


def test_a_gate_that_was_closed_stays_closed():
    done = []
    with pytest.raises(KeyboardInterrupt), InterruptGate() as gate:
        with gate.closed():
            interrupt()
        done.append("all of it")
    assert done == ["all of it"]


def test_a_plugin_that_swallows_an_interrupt_does_not_keep_it():
    done = []
    with pytest.raises(KeyboardInterrupt), InterruptGate() as gate:
        with gate.opened:
            try:
                interrupt()
            except BaseException:
                done.append("swallowed")
        done.append("not reached")
    assert done == ["swallowed"]


def test_a_plugin_that_makes_another_error_of_it_neither():
    with pytest.raises(KeyboardInterrupt), InterruptGate() as gate, gate.opened:
        try:
            interrupt()
        except KeyboardInterrupt:
            raise ValueError("no")  # noqa: B904


class InCallback:
    """What raises where nothing can be raised, as in a callback from C."""

    def __init__(self, act):
        self.act = act

    def __del__(self):
        self.act()


def test_one_that_comes_where_nothing_can_be_raised_comes_afterwards_and_is_not_printed(capsys):
    hook = sys.unraisablehook
    done = []
    with pytest.raises(KeyboardInterrupt), InterruptGate() as gate:
        with gate.opened:
            InCallback(interrupt)
            done.append("gone on")
        done.append("not reached")
    assert done == ["gone on"]
    assert capsys.readouterr().err == ""
    assert sys.unraisablehook is hook


def test_other_errors_there_are_printed(monkeypatch):
    printed = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: printed.append(repr(unraisable.exc_value)))
    with InterruptGate() as gate, gate.opened:
        InCallback(lambda: 1 / 0)
        InCallback(lambda: signal.default_int_handler(2, None))  # no signal came
    assert printed == ["ZeroDivisionError('division by zero')", "KeyboardInterrupt()"]


def test_another_error_is_not_hidden_by_an_interrupt_that_waits():
    with pytest.raises(ZeroDivisionError), InterruptGate():
        interrupt()
        raise ZeroDivisionError


def test_a_handler_that_ends_the_program_is_not_held_back():
    came = []

    def second(number, _):
        came.append(number)
        if len(came) > 1:
            raise SystemExit
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, second)
    with pytest.raises(SystemExit), InterruptGate():
        interrupt(signal.SIGTERM)
        interrupt(signal.SIGTERM)
        pytest.fail("not reached")
    assert signal.getsignal(signal.SIGTERM) is second


def test_what_is_ignored_or_deadly_stays_so():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with InterruptGate() as gate, gate.opened:
        interrupt()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_stream_is_made_with_the_gate_open_and_used_with_it_closed():
    seen = []
    gate = InterruptGate()

    def stream():
        for number in range(3):
            seen.append(("made", gate.is_open))
            yield number

    with gate:
        seen.extend((number, gate.is_open) for number in gate.iterate(stream()))
    assert seen == [("made", True), (0, False), ("made", True), (1, False), ("made", True), (2, False)]


def test_a_thread_has_no_gate():
    before = signal.getsignal(signal.SIGINT)
    found = []

    def work():
        with InterruptGate() as gate, gate.opened:
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]


def test_an_open_gate_touches_nothing_and_holds_nothing_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with OpenGate() as gate, gate.opened:
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
        assert list(gate.iterate(iter("ab"))) == ["a", "b"]
    with pytest.raises(KeyboardInterrupt), OpenGate() as gate:
        signal.raise_signal(signal.SIGINT)
