"""The bar of a conversion: when it is drawn, what it says, and that it harms nothing."""

import io
import re
import sys
import threading

import pytest
from terminals import ESCAPE

from tonearm.plugins.progress import Progress
from tonearm.reporting import bar as room
from tonearm.reporting.bar import DELAY, REFRESH_INTERVAL, Bar, can_show, source_text
from tonearm.reporting.worker_rates import WorkerRates


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def open_terminal(monkeypatch):
    """A function that puts a terminal in place of stderr; pytest does that too, after the fixtures."""

    def opened():
        found = Terminal()
        monkeypatch.setattr(sys, "stderr", found)
        return found

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return opened


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def report(done, total=100.0, index=2, stage="griffin-lim", source="in/a.npy"):
    return Progress(stage, float(done), total, index, 4, source)


def drawn(terminal):
    """Return the lines that were drawn, each without the bar itself."""
    lines = re.split(r"\r|\n", ESCAPE.sub("", terminal.getvalue()))
    found = [re.sub("[━╺╸]+", "|", re.sub(r"\x1b\[\S+?[A-Zhl]", "", line)).strip() for line in lines]
    return [" ".join(re.sub(r"\S+:\S\S$", "", line).split()) for line in found if line]


def test_it_shows_the_stage_and_the_share_after_a_while_and_leaves_nothing(open_terminal, clock):
    terminal = open_terminal()
    bar = Bar()
    bar(report(1))
    assert terminal.getvalue() == ""
    clock[0] += DELAY
    bar(report(20))
    clock[0] += REFRESH_INTERVAL
    bar(report(37))
    assert drawn(terminal) == ["2/4 griffin-lim | 20%", "2/4 griffin-lim | 37%"]
    bar.clear()
    assert terminal.getvalue().endswith("\x1b[2K")
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h") == 1


def test_it_is_drawn_now_and_then_and_at_each_new_stage(open_terminal, clock):
    terminal = open_terminal()
    bar = Bar()
    clock[0] += DELAY
    for done in range(100):
        clock[0] += REFRESH_INTERVAL / 20
        bar(report(done))
    assert 4 <= len(drawn(terminal)) <= 6
    bar(report(0, index=3, stage="wav-writer"))
    assert drawn(terminal)[-1] == "3/4 wav-writer | 0%"


def test_a_stage_whose_total_is_unknown_has_no_share(open_terminal, clock):
    terminal = open_terminal()
    bar = Bar()
    clock[0] += DELAY
    bar(report(20, None))
    assert "2/4 griffin-lim" in drawn(terminal)[0]
    assert "%" not in drawn(terminal)[0]


def test_a_message_has_the_line_to_itself_and_the_bar_comes_back(open_terminal, clock):
    terminal = open_terminal()
    bar = Bar()
    bar.clear()
    clock[0] += DELAY
    bar(report(20))
    bar.clear()
    before = len(terminal.getvalue())
    bar.clear()
    assert terminal.getvalue()[before:] == ""
    clock[0] += REFRESH_INTERVAL
    bar(report(30))
    assert drawn(terminal)[-1] == "2/4 griffin-lim | 30%"


def test_of_a_run_it_counts_the_sources_and_names_the_one_at_work(open_terminal, clock):
    terminal = open_terminal()
    bar = Bar()
    clock[0] += DELAY
    bar.count(3, 10)
    bar(report(20))
    assert drawn(terminal) == ["3/10 sources, a.npy: 2/4 griffin-lim | 20%"]


class TestNamedWorkers:
    """The bar of a run whose workers have names is that of the run."""

    @pytest.fixture
    def bar(self, clock):
        bar = Bar()
        bar.watch(WorkerRates(lambda: clock[0]))
        clock[0] += DELAY
        return bar

    def test_it_is_drawn_with_the_counts_and_shows_the_rates(self, open_terminal, clock, bar):
        terminal = open_terminal()
        bar.count(1, 10)
        assert terminal.getvalue() == ""  # no worker has been heard of
        bar._workers.hear("east", 1, 3)
        bar._workers.hear("west", 2, 1)
        for done in (4, 4, 5):
            bar.count(done, 10)
        clock[0] += REFRESH_INTERVAL
        bar.count(5, 10)
        texts = ["2 workers: east 3.08, west 1.03 a second | 40%", "2 workers: east 3.06, west 1.02 a second | 50%"]
        assert drawn(terminal) == [f"4/10 sources, {texts[0]}", f"5/10 sources, {texts[1]}"]

    def test_no_source_stands_for_those_of_all_workers(self, open_terminal, clock, bar):
        terminal = open_terminal()
        bar(report(20))
        bar._workers.hear("east", 1, 3)
        clock[0] += DELAY
        bar.count(3, 10)
        clock[0] += DELAY
        bar(report(30))
        assert drawn(terminal) == ["2/4 griffin-lim | 20%", "3/10 sources, 1 worker: east 3 a second | 30%"]

    def test_it_is_no_wider_than_a_terminal(self, open_terminal, clock, bar):
        terminal = open_terminal()
        for number in range(1000):
            bar._workers.hear(f"tcp://10.0.0.{number}:40000", number, number)
        bar.count(3, 10)
        assert len(drawn(terminal)) == 1
        assert "3/10 sources, 1,000 workers: 0 to " in drawn(terminal)[0]


def test_a_note_has_a_line_of_its_own(open_terminal, clock):
    terminal = open_terminal()
    bar = Bar()
    clock[0] += DELAY
    bar(report(20))
    bar.note("the dashboard is http://a")
    assert terminal.getvalue().endswith("\x1b[2Kthe dashboard is http://a\n")
    clock[0] += REFRESH_INTERVAL
    bar(report(30))
    assert drawn(terminal)[-1] == "2/4 griffin-lim | 30%"


@pytest.mark.parametrize("error", [OSError(5, "gone"), ValueError("I/O operation on closed file")])
def test_a_terminal_that_is_gone_fails_nothing(open_terminal, clock, monkeypatch, error):
    terminal = open_terminal()
    calls = []

    def fail(text):
        calls.append(text)
        raise error

    monkeypatch.setattr(terminal, "write", fail)
    bar = Bar()
    for done in range(3):
        clock[0] += DELAY
        bar(report(done))
    bar.clear()
    assert len(calls) < 4


def test_while_one_thread_draws_another_does_not_wait(open_terminal, clock, monkeypatch):
    open_terminal()
    bar = Bar()
    clock[0] += DELAY

    def draw(bar_of_rich, text, share, *, again):
        thread = threading.Thread(target=bar, args=(report(50),))
        thread.start()
        thread.join(60)
        assert not thread.is_alive()
        shown.append(share)

    shown = []
    monkeypatch.setattr(room._RichBar, "draw", draw)
    bar(report(20))
    assert shown == [0.2]


def test_colours_are_those_that_are_asked_for(open_terminal, clock):
    terminal = open_terminal()
    for color in (False, True):
        bar = Bar(color=color)
        clock[0] += DELAY
        bar(report(20))
        assert ("\x1b[35m" in terminal.getvalue()) is color


def test_names_are_short_and_on_one_line():
    assert source_text("in/a\n.npy") == "a\\n.npy"
    assert len(source_text("a" * 100)) == room.NAME_LENGTH


def test_where_it_can_be_shown(open_terminal, monkeypatch):
    open_terminal()
    assert can_show()
    monkeypatch.setenv("TERM", "dumb")
    assert not can_show()
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not can_show()
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    assert can_show()
    monkeypatch.delitem(sys.modules, "ipykernel")
    monkeypatch.setattr(sys, "stderr", None)
    assert not can_show()


def test_in_a_notebook_without_widgets_it_is_a_line_that_is_written_again(open_terminal, clock, monkeypatch):
    terminal = open_terminal()
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    bar = Bar()
    for done in (5, 100, 7):
        clock[0] += DELAY
        bar(report(done))
    bar.clear()
    texts = [f"2/4 griffin-lim {share} %" for share in (5, 100, 7)]
    assert terminal.getvalue().split("\r") == ["", texts[0], texts[1], f"{texts[2]}  ", " " * len(texts[2]), ""]
