"""The console: messages, the log file, and exit statuses."""

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tonearm.cli import console
from tonearm.errors import ItemError, OutputError, PipelineError, Problem, TonearmError, UsageError
from tonearm.startup import Terminated


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (UsageError("no", hint="do"), 2, "usage: no\n    hint: do\n"),
        (PipelineError([Problem(code="a", message="b", file="f", line=1, column=2)]), 2, "f:1:2: a: b\n"),
        (PipelineError([Problem(code="a", message=text) for text in "bc"]), 2, "a: b\na: c\n"),
        (ItemError("no", code="x"), 3, "x: no\n"),
        (OutputError("no"), 4, "output: no\n"),
        (TonearmError("no", code="locked"), 11, "locked: no\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (Terminated(), 143, "terminated\n"),
        (ZeroDivisionError("x"), 1, "bug: ZeroDivisionError: x\n    hint: this is a mistake in tonearm;"
         " --debug shows where\n"),
        (ModuleNotFoundError("No module named 'xxhash'", name="xxhash"), 2, "missing-requirement: tonearm needs the"
         " package 'xxhash', which is not installed\n    hint: pip install xxhash\n"),
        (OSError(28, "No space left on device"), 4, "output: cannot write: no space left on device\n"),
        (OSError(24, "x"), 4, "output: the process cannot go on: too many open files\n"),
        (BlockingIOError(11, "x"), 4, "output: the process cannot go on: resource temporarily unavailable\n"),
        (MemoryError(), 4, "output: the process cannot go on: out of memory\n"),
    ],
)  # fmt: skip
def test_each_error_has_its_exit_status(error, status, message, capsys, monkeypatch):
    monkeypatch.setattr(console, "discard_stream", lambda _: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def command():
        raise error

    assert console.run_guarded(command, debug=False) == status
    assert capsys.readouterr().err == message


def test_a_package_that_errors_themselves_need():
    code = (
        "import sys; sys.modules['msgspec'] = None\n"
        "from tonearm.cli.main import main; sys.exit(main(['doctor', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == (
        "missing-requirement: tonearm needs the package 'msgspec', which is not installed\n"
        "    hint: pip install msgspec\n"
    )
    assert done.returncode == 2


def test_debug_prints_the_traceback_and_keeps_the_status(capsys):
    def command():
        raise UsageError("no")

    assert console.run_guarded(command, debug=True) == 2
    message = capsys.readouterr().err
    assert message.startswith("Traceback (most recent call last):")
    assert message.endswith("usage: no\n")


def test_debug_is_no_hint_of_itself(capsys):
    assert console.run_guarded(lambda: 1 // 0, debug=True) == 1
    assert capsys.readouterr().err.endswith("\n    hint: this is a mistake in tonearm\n")


def test_sigterm_passes_through_a_plugin():
    from tonearm.pipeline.blame import as_item_error

    with pytest.raises(Terminated), as_item_error(SimpleNamespace(is_guarded=False)):
        raise Terminated


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TonearmError("x", code="broken-worker"), console.OUTPUT),
        (TonearmError("x", code="bug"), console.BUG),
        (ItemError("x", code="locked"), console.LOCKED),  # the code decides before the class
        (PipelineError([]), console.USAGE),
    ],
)
def test_the_code_decides_the_exit_status_before_the_class(error, status):
    assert console.exit_status_of(error) == status


class TestLog:
    def test_every_line_has_the_time(self, tmp_path, capsys):
        with console.log_to(str(tmp_path / "log")):
            console.print_message("one\ntwo")
            console.log("three")
        console.print_message("four")
        stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"
        assert re.fullmatch(f"{stamp} one\n{stamp} two\n{stamp} three\n", (tmp_path / "log").read_text())
        assert capsys.readouterr().err == "one\ntwo\nfour\n"

    def test_there_need_be_none(self, capsys):
        with console.log_to(None):
            console.log("x")
        assert capsys.readouterr().err == ""

    def test_a_file_that_cannot_be_opened_is_an_error_of_the_output_side(self, tmp_path):
        with (
            pytest.raises(OutputError, match="is a directory"),
            console.log_to(str(tmp_path)),
        ):
            pass


def test_a_closed_stderr_suppresses_the_message_without_an_error(monkeypatch, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        console.print_message("x")
        assert os.fstat(stream.fileno()).st_rdev == Path(os.devnull).stat().st_rdev
        console.print_message("y")


def test_missing_streams_are_replaced_and_odd_characters_escaped(monkeypatch):
    odd = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", odd)
    monkeypatch.setattr(sys, "stderr", None)
    console.prepare_streams()
    print("→", file=sys.stdout, flush=True)
    with sys.stderr as replaced:
        print("x", file=replaced)
    assert odd.buffer.getvalue() == b"\\u2192\n"
