"""The parent that watches `convert` and `inspect`: limits, signals and crashes, with real processes and plugins."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hanging_plugins import CONVERT, PATIENCE, SCRIPT, finish, hung, is_alive, is_pending, wait_until


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

    @pytest.mark.slow
    def test_what_has_been_inspected_is_printed_and_the_file_is_named(self, start, tmp_path):
        (tmp_path / "a.toy").touch()
        arguments = ["inspect", "a.npy", "a.toy", "--json", "--timeout", "2"]
        status, out, messages = finish(start("hang", *arguments))
        assert status == 3
        assert messages.startswith("timeout: a.toy: no sign of life for 2 s\n")
        first, second = map(json.loads, out.splitlines())
        assert first["file"] == "a.npy"
        assert (second["file"], second["error"]["code"]) == ("a.toy", "timeout")

    @pytest.mark.slow
    def test_progress_is_a_sign_of_life(self, start, tmp_path):
        arguments = ["convert", "a.npy", "b.wav", "--kind", "waveform", "--sample-rate", "8000", "--step", "toy-step"]
        assert finish(start("slow", *arguments, "--timeout", "1.5")) == (0, "", "b.wav\n")

    @pytest.mark.slow
    def test_the_time_in_which_the_command_is_stopped_does_not_count(self, start, tmp_path):
        process = start("slow", *CONVERT, "--timeout", "2", start_new_session=True)
        wait_until(lambda: list(tmp_path.glob("out/*.part")))
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(2.5)
        os.killpg(process.pid, signal.SIGCONT)
        assert finish(process)[0] == 0


class TestSignals:
    @pytest.mark.one_in(3)
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
            "import sys;", "import sys; from tonearm.cli import watcher; watcher.STOP_TIMEOUT = 0.5;"
        )
        process = start("hang", *CONVERT, script=brief)
        hung(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert finish(process) == (143, "", "terminated\n")
        assert list((tmp_path / "out").iterdir()) == []


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
    assert (process.returncode, out, messages) == (0, "", "read a line\nb.wav\n")
