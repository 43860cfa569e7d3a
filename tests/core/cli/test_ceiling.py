"""The ceiling of `convert` and `inspect`, with plugins that hang, crash or work slowly."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from core_toys import third_party

from tonearm.cli import ceiling

PLUGINS = """
import ctypes, os, signal, sys, time
from pathlib import Path
from tonearm.api import *

held = ctypes.PyDLL(None)  # its calls keep the interpreter's lock

def hang():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])  # a library's loop does not end by them
    Path("hung").write_text(f"{os.getpid()}")
    while True:
        held.usleep(100_000_000)

def slowly(context):
    for step in range(30):
        time.sleep(0.1)
        context.progress(step, 30)

DO = {
    "hang": lambda context: hang(),
    "sleep": lambda context: (Path("hung").write_text(f"{os.getpid()}"), time.sleep(100)),
    "slow": slowly,
    "crash": lambda context: os.kill(os.getpid(), signal.SIGSEGV),
    "program": lambda context: (__import__("subprocess").Popen(["sleep", "1000"], start_new_session=True), hang()),
    "read": lambda context: print("read", sys.stdin.readline().strip(), flush=True),
}

class Step(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal, context):
        DO[os.environ["TOY"]](context)
        return signal

class Reader(Decoder[Waveform, NoOptions]):
    suffixes = (".toy",)
    def decode(self, source, context):
        if "a.toy" in source.name:
            DO[os.environ["TOY"]](context)
        import numpy as np
        yield Item(signal=Waveform(samples=np.zeros((1, 800), np.float32), sample_rate=8000))

class Writer(Encoder[Waveform, NoOptions]):
    suffixes = (".toy",)
    def encode(self, item, sink, context):
        sink.path.write_bytes(b"half")
        sink.sidecar(".json").write_text("half")
        DO[os.environ["TOY"]](context)

@hookimpl
def tonearm_decoders():
    return {"toy-reader": Reader}
@hookimpl
def tonearm_transforms():
    return {"toy-step": Step}
@hookimpl
def tonearm_encoders():
    return {"toy-writer": Writer}
"""

SCRIPT = "import sys; from tonearm.cli.main import program; sys.exit(program())"
CONVERT = ["convert", "a.npy", "out/b.toy", "--kind", "waveform", "--sample-rate", "8000"]
PATIENCE = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return third_party(tmp_path_factory.mktemp("site"), "toys", PLUGINS)


@pytest.fixture
def start(site, tmp_path):
    """Start the command with plugins that do as they are told."""
    np.save(tmp_path / "a.npy", np.full(8000, 0.5, np.float32))
    started = []

    def start(toy, *arguments, script=SCRIPT, **more):
        process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments], cwd=tmp_path, env={**os.environ, **site, "TOY": toy},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def finish(process):
    """Return the exit status of a process and what it has printed."""
    out, messages = process.communicate(timeout=PATIENCE)
    return process.returncode, out, messages


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(process):
    """Return whether a process works, or is waited for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def hung(folder):
    """Wait until a plugin hangs, and return its process."""
    wait_until(lambda: (folder / "hung").exists() and (folder / "hung").read_text())
    return int((folder / "hung").read_text())


class TestTimeout:
    def test_a_call_that_holds_the_interpreter_is_given_up_and_leaves_nothing(self, start, tmp_path):
        status, out, messages = finish(start("hang", *CONVERT, "--timeout", "1"))
        assert (status, out) == (3, "")
        assert messages == (
            "timeout: a.npy: no sign of life for 1 s\n    hint: give a longer --timeout, or 0 for no limit\n"
        )
        assert list((tmp_path / "out").iterdir()) == []

    def test_programs_that_it_started_end_with_it(self, start, tmp_path):
        status, _, _ = finish(start("program", *CONVERT, "--timeout", "1"))
        assert status == 3
        commands = []
        for entry in Path("/proc").glob("[0-9]*"):
            with_environment = entry / "environ"
            try:
                commands.append((with_environment.read_bytes(), is_alive(entry.name)))
            except OSError:
                continue
        mine = f"PWD={tmp_path}".encode()
        assert not any(alive and mine in environ and b"TOY=program" in environ for environ, alive in commands)

    def test_what_has_been_inspected_is_printed_and_the_file_is_named(self, start, tmp_path):
        (tmp_path / "a.toy").touch()
        arguments = ["inspect", "a.npy", "a.toy", "--json", "--timeout", "2"]
        status, out, messages = finish(start("hang", *arguments))
        assert status == 3
        assert messages.startswith("timeout: a.toy: no sign of life for 2 s\n")
        first, second = map(json.loads, out.splitlines())
        assert first["file"] == "a.npy"
        assert (second["file"], second["error"]["code"]) == ("a.toy", "timeout")

    def test_progress_is_a_sign_of_life(self, start, tmp_path):
        arguments = ["convert", "a.npy", "b.wav", "--kind", "waveform", "--sample-rate", "8000", "--step", "toy-step"]
        assert finish(start("slow", *arguments, "--timeout", "1.5")) == (0, "", "b.wav\n")

    def test_the_time_in_which_the_command_is_stopped_does_not_count(self, start, tmp_path):
        process = start("slow", *CONVERT, "--timeout", "2", start_new_session=True)
        wait_until(lambda: list(tmp_path.glob("out/*.part")))
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(2.5)
        os.killpg(process.pid, signal.SIGCONT)
        assert finish(process)[0] == 0

    @pytest.mark.parametrize("text", ["-1", "nan", "inf", "soon"])
    def test_only_a_number_of_seconds(self, start, text):
        status, _, messages = finish(start("slow", *CONVERT, f"--timeout={text}"))
        assert status == 2
        assert messages.startswith(f"usage: argument --timeout: '{text}' is not a number of seconds; 0 is no limit\n")

    def test_where_threads_run_already_a_thread_watches(self, start, tmp_path):
        threads = "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); "
        status, _, messages = finish(start("sleep", *CONVERT, "--timeout", "1", script=threads + SCRIPT))
        assert status == 3
        assert messages.startswith("timeout: a.npy: no sign of life for 1 s\n")
        assert list((tmp_path / "out").iterdir()) == []


class TestSignals:
    @pytest.mark.parametrize(
        ("number", "said"),
        [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated"), (signal.SIGHUP, "the terminal is gone")],
    )
    @pytest.mark.parametrize("to_all", [True, False])
    def test_the_first_ends_it_in_good_order(self, start, tmp_path, number, said, to_all):
        process = start("sleep", *CONVERT, start_new_session=True)
        hung(tmp_path)
        (os.killpg if to_all else os.kill)(process.pid, number)
        assert finish(process) == (128 + number, "", f"{said}\n")
        assert list((tmp_path / "out").iterdir()) == []

    @pytest.mark.parametrize("to_all", [True, False])
    def test_the_second_ends_everything_whatever_a_library_does(self, start, tmp_path, to_all):
        process = start("hang", *CONVERT, "--timeout", "0", start_new_session=True)
        child = hung(tmp_path)
        send = os.killpg if to_all else os.kill
        send(process.pid, signal.SIGINT)
        wait_until(lambda: not is_pending(signal.SIGINT, process.pid))
        send(process.pid, signal.SIGINT)
        assert finish(process) == (130, "", "\n")
        assert not is_alive(child)
        assert list((tmp_path / "out").iterdir()) == []

    def test_after_the_first_it_has_some_seconds(self, start, tmp_path):
        brief = SCRIPT.replace(
            "import sys;", "import sys; from tonearm.cli import ceiling; ceiling.STOP_TIMEOUT = 0.5;"
        )
        process = start("hang", *CONVERT, script=brief)
        hung(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert finish(process) == (143, "", "terminated\n")
        assert list((tmp_path / "out").iterdir()) == []


def is_pending(number, process):
    """Return whether a signal waits for a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    sets = [int(line.split()[1], 16) for line in lines if line.startswith("ShdPnd")]
    return bool(sets[0] >> (number - 1) & 1)


class TestDeath:
    def test_a_crash_is_an_error_of_the_item(self, start, tmp_path):
        status, out, messages = finish(start("crash", *CONVERT))
        assert (status, out) == (3, "")
        assert re.match(r"worker-died: a.npy: its process was ended by SIGSEGV\n    hint: \S.*\n$", messages)
        assert list((tmp_path / "out").iterdir()) == []

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
    def test_the_child_dies_with_its_parent(self, start, tmp_path):
        process = start("hang", *CONVERT)
        child = hung(tmp_path)
        assert child != process.pid
        process.kill()
        wait_until(lambda: not is_alive(child))


def test_the_work_reads_the_terminal(start):
    arguments = ["convert", "a.npy", "b.wav", "--kind", "waveform", "--sample-rate", "8000", "--step", "toy-step"]
    process = start("read", *arguments, stdin=subprocess.PIPE)
    out, messages = process.communicate("a line\n", timeout=PATIENCE)
    assert (process.returncode, out, messages) == (0, "read a line\n", "b.wav\n")


@pytest.mark.parametrize("name", ["a.npy", "new\nline", "caf\udce9", ""])
def test_work_is_told_in_one_line(name):
    given = ceiling.Work(name, 0.25, folder=name or None, as_json=bool(name))
    line = given.encode()
    assert line.index(b"\n") == len(line) - 1
    found = ceiling.Work.decode(line[:-1])
    assert [getattr(found, field) for field in given.__slots__] == [getattr(given, field) for field in given.__slots__]
