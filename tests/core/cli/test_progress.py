"""Observers of a run: lines of progress, the bar, repeated warnings, and JSON records."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from core_toys import third_party
from terminals import on_terminal

from tonearm.cli import console
from tonearm.cli.progress import LINE_INTERVAL, SILENCE, Observer, ProgressBar, ProgressLines, _rich_progress
from tonearm.cli.repeats import MAX_FAILURES, MAX_NOTES, MAX_WARNINGS
from tonearm.errors import OutputError
from tonearm.plugins.progress import Progress
from tonearm.reporting.worker_rates import WorkerRates
from tonearm.run.prepared import Failure
from tonearm.run.result import Result

SLOW = """
import os, time
from tonearm.api import NoOptions, Transform, Waveform, hookimpl
class Slow(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal, context):
        while not os.path.exists("seen"):
            time.sleep(0.01)
        return signal
@hookimpl
def tonearm_transforms():
    return {"slow": Slow}
"""


def test_a_line_of_progress_every_few_seconds(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    lines = ProgressLines(quiet=False, lines=None)
    lines.total, lines.done, lines.failed = 100, 10, 2
    now[0] += LINE_INTERVAL / 2
    lines.tick()
    assert capsys.readouterr().err == ""
    now[0] += LINE_INTERVAL / 2
    lines.tick()
    assert capsys.readouterr().err == "10 of 100 sources, 2 failed, 2.0 a second, 45 s left\n"
    lines.tick()
    assert capsys.readouterr().err == ""


def rates_of(**sources):
    """Return the rates of workers that have finished so many sources at once."""
    rates = WorkerRates(lambda: time.monotonic())
    for name, count in sources.items():
        rates.hear(name, name, count)
    return rates


def test_a_line_of_progress_has_the_rates_of_workers_that_have_names(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    lines = ProgressLines(quiet=False, lines=None)
    lines.total, lines.done = 100, 10
    lines.workers = rates_of(east=8, west=2)
    now[0] += LINE_INTERVAL
    lines.tick()
    line = "10 of 100 sources, 2.0 a second, 45 s left; 2 workers: east 1.41, west 0.35 a second\n"
    assert capsys.readouterr().err == line
    lines.workers = rates_of()
    now[0] += LINE_INTERVAL
    lines.tick()
    assert capsys.readouterr().err == "10 of 100 sources, 1.0 a second, 90 s left\n"


@pytest.mark.parametrize("number", [2, 1000])
def test_a_bar_has_a_line_below_for_workers_that_have_names(monkeypatch, number):
    from rich.console import Console

    screen = io.StringIO()
    rich = _rich_progress()
    rich.live.console = Console(file=screen, force_terminal=True, width=70, color_system=None)
    bar = ProgressBar(rich, quiet=False, lines=None)
    bar.total = 9
    rich.start()
    bar.workers = rates_of(**{f"tcp://10.0.0.{one}:40000": 1 + one for one in range(number)})
    bar(Result(source="in/a.npy"))
    bar(Result(source="in/b.npy"))
    bar.end()
    below = re.findall(r"\n(\S+ workers: .* a second)[\r\n]", screen.getvalue())
    assert below
    assert all(len(line) < 70 and line.startswith(f"{number:,} workers: ") for line in below)
    assert screen.getvalue().endswith("\x1b[2K")  # the line is erased like the bar


class TestNotes:
    """What the executor has to tell."""

    def test_they_are_printed_and_logged_and_only_logged_if_quiet(self, capsys, tmp_path):
        with console.log_to(str(tmp_path / "log")):
            Observer(quiet=False, lines=None).note("the dashboard is http://a")
            Observer(quiet=True, lines=None).note("a worker is lost")
        assert capsys.readouterr().err == "the dashboard is http://a\n"
        logged = [line.partition(" ")[2] for line in (tmp_path / "log").read_text().splitlines()]
        assert logged == ["the dashboard is http://a", "a worker is lost"]

    def test_of_a_thousand_of_one_kind_the_first_are_printed(self, capsys):
        observer = Observer(quiet=False, lines=None)
        for number in range(1000):
            observer.note(f"the worker tcp://10.0.0.{number}:40000 is lost")
        observer.note("no worker is left")
        printed = capsys.readouterr().err.splitlines()
        assert len(printed) == MAX_NOTES + 2
        assert printed[MAX_NOTES:] == ["further notes of this kind are only logged", "no worker is left"]


def test_lines_while_a_source_takes_long(folder):
    """Somebody who looks into the log sees that the run is alive."""
    code = (
        "import sys, tonearm.cli.main as cli, tonearm.cli.progress as progress;"
        "progress.LINE_INTERVAL = 0.2; sys.exit(cli.main())"
    )
    text = Path("p.yaml").read_text()
    Path("p.yaml").write_text(text.replace("outputs:", "steps: [{use: slow}]\noutputs:"))
    env = third_party(folder / "site", "slow", SLOW)
    command = [sys.executable, "-c", code, "run", "p.yaml", "a.npy", "--out", "out", "--jobs", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **env})
    assert "0 of 1 sources, 0.0 a second\n" in iter(process.stderr.readline, "")
    Path("seen").touch()
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_bar_on_a_terminal(folder):
    """What a terminal gets: a bar that is drawn and wiped away, failures above it, and the summary."""
    parent, child = pty.openpty()
    script = Path(sysconfig.get_path("scripts")) / "tonearm"
    command = [str(script), "run", "p.yaml", "--out", "out", "--jobs", "0"]
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(command, stderr=child, stdout=subprocess.DEVNULL, env=env)
    os.close(child)
    seen = b""
    while True:
        try:
            part = os.read(parent, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(parent)
    assert process.wait() == 3
    text = seen.decode()
    assert "3/3" in text
    assert "1 failed" in text
    assert "b.npy: not-finite" in text
    assert "\x1b[1;36mhint\x1b[0m: " in text[: text.index(" converted, ")]  # also above the bar
    assert text.rstrip().endswith("lists all items that failed with a code")
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")  # the cursor is there again


def result(*warnings, failures=()):
    return Result(source="a.npy", warnings=warnings, failures=failures)


def test_the_number_of_sources_while_they_are_found(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for quiet in (False, True):
        observer = Observer(quiet=quiet, lines=None)
        assert not observer.has_begun
        found = observer.count_sources("abcdef")
        for source in found:
            now[0] += LINE_INTERVAL / 3
            assert observer.found == "abcdef".index(source) + 1
        assert capsys.readouterr().err == ("" if quiet else "3 sources found\n6 sources found\n")


def test_only_the_first_warnings_of_a_kind_are_printed_and_all_are_logged(tmp_path, capsys):
    observer = Observer(quiet=False, lines=None)
    with console.log_to(str(tmp_path / "log")):
        for number in range(MAX_WARNINGS + 3):
            observer(result(f"{number} samples were clipped"))
        observer(result("the waveform is silent"))
    printed = capsys.readouterr().err.splitlines()
    assert len(printed) == MAX_WARNINGS + 2
    assert printed[MAX_WARNINGS] == "further warnings of this kind are only counted; the journal has all"
    assert printed[-1] == "a.npy: warning: the waveform is silent"
    logged = (tmp_path / "log").read_text()
    assert logged.count("samples were clipped") == MAX_WARNINGS + 3


def test_only_the_first_failures_of_a_source_are_printed_and_all_are_logged(tmp_path, capsys):
    def failed(source, code, last=True, start=0, count=1):
        failures = (
            Failure(source=source, key="", index=index, code=code, message=f"item {index}", hint="look")
            for index in range(start, start + count)
        )
        return Result(source=source, last=last, failures=tuple(failures))

    observer = Observer(quiet=True, lines=None)
    with console.log_to(str(tmp_path / "log")):
        observer(failed("a.npz", "empty", last=False, count=MAX_FAILURES - 1))
        observer(failed("a.npz", "empty", start=MAX_FAILURES - 1, count=1401))
        observer(failed("b.npz", "empty", last=False))
        observer(failed("b.npz", "empty", count=0))
        observer(failed("a.npz", "empty"))
    printed = capsys.readouterr().err.splitlines()
    assert printed[::2] == [
        "a.npz: empty: item 0",
        *(f"a.npz [{number}]: empty: item {number}" for number in range(1, MAX_FAILURES)),
        "a.npz: empty: and 1,400 more items",
        "    hint: look",
        "    hint: look",
    ]
    assert printed[2 * MAX_FAILURES + 1 :: 2] == ["b.npz: empty: item 0", "a.npz: empty: item 0"]
    assert observer.failed == MAX_FAILURES + 1402
    assert (tmp_path / "log").read_text().count(": empty: item") == observer.failed


def test_a_quiet_observer_prints_failures_only(capsys):
    observer = Observer(quiet=True, lines=None)
    failure = Failure(source="a.npy", key="", index=0, code="empty", message="nothing", hint="look")
    observer(result("the waveform is silent", failures=(failure,)))
    assert capsys.readouterr().err == "a.npy: empty: nothing\n    hint: look\n"
    assert (observer.done, observer.failed) == (1, 1)


class TestRecords:
    def test_a_failure_has_its_code_message_and_hint(self):
        lines = io.StringIO()
        failure = Failure(source="a.npy", key="k", index=2, code="empty", message="nothing", hint="look")
        Observer(quiet=True, lines=lines)(result(failures=(failure,)))
        assert json.loads(lines.getvalue()) == {
            "source": "a.npy", "key": "k", "index": 2, "status": "failed",
            "code": "empty", "message": "nothing", "hint": "look",
        }  # fmt: skip

    def test_a_plan_is_recorded_where_lines_go(self, capsys):
        lines = io.StringIO()
        observer = Observer(quiet=True, lines=lines)
        observer.print_plan("a.npy", ["a.wav"], "")
        observer.print_plan("b.npy", ["b.wav"], "done before", is_skipped=True)
        assert [json.loads(line)["status"] for line in lines.getvalue().splitlines()] == ["planned", "skipped"]
        observer = Observer(quiet=True, lines=None)
        observer.print_plan("a\nb.npy", ["a.wav"], "it has changed")
        assert capsys.readouterr().out == "a\\nb.npy -> a.wav (it has changed)\n"

    def test_a_full_disk_is_an_error_and_a_reader_that_has_finished_is_none(self, monkeypatch):
        class Stream:
            def __init__(self, error):
                self.error = error

            def write(self, text):
                raise self.error

        discarded = []
        monkeypatch.setattr(console, "discard_stream", discarded.append)
        failure = Failure(source="a.npy", key="", index=0, code="empty", message="", hint="")
        observer = Observer(quiet=True, lines=Stream(BrokenPipeError()))
        for _ in range(2):
            observer(result(failures=(failure,)))
        with pytest.raises(OutputError, match="cannot write to stdout: no space"):
            Observer(quiet=True, lines=Stream(OSError(28, "No space")))(result(failures=(failure,)))
        assert len(discarded) == 2


STEPS = """
import os, time
from tonearm.api import NoOptions, Transform, Waveform, hookimpl
class Slow(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal, context):
        for step in range(20):
            context.progress(step, 20)
            time.sleep(0.1)
        return signal
@hookimpl
def tonearm_transforms():
    return {"slow": Slow}
"""


@pytest.mark.one_in(2)
@pytest.mark.parametrize("jobs", [0, 1])
def test_a_bar_shows_the_stage_and_the_share_within_a_long_source(folder, jobs):
    text = Path("p.yaml").read_text()
    Path("p.yaml").write_text(text.replace("outputs:", "steps: [{use: normalize}, {use: slow}]\noutputs:"))
    env = third_party(folder / "site", "slow", STEPS)
    status, seen = on_terminal(
        "run", "p.yaml", "a.npy", "--out", "out", "--jobs", jobs, env={"PYTHONPATH": env["PYTHONPATH"]}
    )
    assert status == 0
    shares = [int(share) for share in re.findall(r"a\.npy: 3/4 slow (\d+) %", seen)]
    assert shares == sorted(shares)
    assert len(set(shares)) >= 3
    assert min(shares) >= 20  # what takes less than half a second shows only its name
    assert "1/1" in seen


def test_a_bar_shows_the_first_of_several_sources_until_it_is_done_or_silent(monkeypatch):
    from rich.progress import Progress as Rich

    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    rich = Rich(auto_refresh=False, disable=True)
    bar = ProgressBar(rich, quiet=False, lines=None)
    bar.total = 9

    def shown():
        return rich.tasks[0].description

    def report(source, done):
        now[0] += 0.3
        bar.report(Progress("x", float(done), 10.0, source=source))

    for done in range(3):
        report("in/a.npy", done)
        report("in/b.npy", done)
    assert shown() == "a.npy: x 20 %"
    bar(Result(source="in/c.npy"))
    assert shown() == "a.npy: x 20 %"
    bar(Result(source="in/a.npy", last=False))
    assert shown() == "a.npy: x 20 %"
    now[0] += 1
    bar(Result(source="in/a.npy"))
    assert shown() == "a.npy"
    for done in range(3, 6):
        report("in/b.npy", done)
    assert shown() == "b.npy: x 50 %"
    now[0] += SILENCE
    for done in range(3):
        report("in/c.npy", done)
    assert shown() == "c.npy: x 20 %"
