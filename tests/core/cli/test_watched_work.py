"""The work of a command: what its watcher is told, and what it prints when the work is given up."""

import json
import signal

import pytest

from tonearm.cli.watched_work import WatchedWork


@pytest.mark.parametrize("name", ["a.npy", "new\nline", "caf\udce9", ""])
def test_work_is_told_in_one_line(name):
    given = WatchedWork(name, 0.25, folder=name or None, as_json=bool(name))
    line = given.encode()
    assert line.index(b"\n") == len(line) - 1
    found = WatchedWork.decode(line[:-1])
    assert [getattr(found, field) for field in given.__slots__] == [getattr(given, field) for field in given.__slots__]


@pytest.mark.parametrize(
    ("number", "name", "hint"),
    [
        (signal.SIGKILL, "SIGKILL", "out of memory, most likely"),
        (signal.SIGSEGV, "SIGSEGV", "PYTHONFAULTHANDLER=1 in the environment, to see where"),
        (63, "signal 63", "PYTHONFAULTHANDLER=1 in the environment, to see where"),
    ],
)
def test_a_signal_that_ended_it_is_named(number, name, hint, capsys):
    assert WatchedWork("a\nb", 1, as_json=True).died(-number) == 3
    out, messages = capsys.readouterr()
    assert messages == f"worker-died: a\\nb: its process was ended by {name}\n    hint: {hint}\n"
    found = json.loads(out)
    assert found["file"] == "a\nb"
    assert (found["error"]["code"], found["error"]["hint"]) == ("worker-died", hint)


def test_before_a_file_is_known_none_is_named(capsys):
    assert WatchedWork("", 2.5).time_out() == 3
    assert capsys.readouterr().err.startswith("timeout: no sign of life for 2.5 s\n")
