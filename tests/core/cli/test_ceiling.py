"""What a command tells its watcher, and the thread that watches where there is no parent."""

import pytest
from hanging_plugins import CONVERT, SCRIPT, finish


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "soon"])
def test_only_a_number_of_seconds(start, text):
    status, _, messages = finish(start("slow", *CONVERT, f"--timeout={text}"))
    assert status == 2
    assert messages.startswith(f"usage: argument --timeout: '{text}' is not a number of seconds; 0 is no limit\n")


def test_where_threads_run_already_a_thread_watches(start, tmp_path):
    threads = "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); "
    status, _, messages = finish(start("sleep", *CONVERT, "--timeout", "1", script=threads + SCRIPT))
    assert status == 3
    assert messages.startswith("timeout: a.npy: no sign of life for 1 s\n")
    assert list((tmp_path / "out").iterdir()) == []
