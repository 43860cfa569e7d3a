"""Tests of the state of the process around calls of plugins."""

import os
import resource
import signal
import sys

import pytest

from tonearm.plugins import process_state
from tonearm.plugins.process_state import current_state, restore, unchanged_process


@pytest.fixture(autouse=True)
def nothing_stays_changed():
    def state():
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
        umask = os.umask(0o022)
        os.umask(umask)
        return os.getcwd(), umask, handlers, list(sys.path), sys.stdout, sys.stderr  # noqa: PTH109

    before = state()
    yield
    assert state() == before


def changed(deed):
    """Return what is found after a deed."""
    before = current_state()
    deed()
    return restore(before)


def close_streams():
    for number in (0, 1, 2):
        os.close(number)


def remove_folder(folder):
    os.chdir(folder)
    folder.rmdir()


def ignore_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def lose_streams():
    sys.stdout = sys.stderr = None


def fork_and_wait():
    """Fork a process that ends, as a plugin may."""
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


def test_nothing_happens():
    assert changed(lambda: None) == ""


def test_another_folder(tmp_path):
    assert changed(lambda: os.chdir(tmp_path)) == "it changes the current folder"


def test_a_folder_that_is_gone(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    assert changed(lambda: remove_folder(folder)) == "it changes the current folder"


@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_another_umask(umask, tmp_path):
    before = os.umask(0o027)
    try:
        assert changed(lambda: os.umask(umask)) == "it changes the umask"
        (tmp_path / "x").touch()
        assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


def test_closed_streams(capfd, monkeypatch):
    monkeypatch.setattr(process_state, "_copies", {})  # the streams are not those of other tests
    assert changed(close_streams) == "it closes the standard streams"
    os.write(2, b"x")
    assert capfd.readouterr().err == "x"


@pytest.mark.parametrize("deed", [ignore_signals, lose_streams, sys.path.clear])
def test_what_is_put_right_without_a_word(deed):
    assert changed(deed) == ""


def test_a_fork_that_ends():
    assert changed(fork_and_wait) == ""


def test_a_fork_that_returns(tmp_path):
    """The child ends before it could go on with the work of its parent."""
    before = current_state()
    child = os.fork()
    found = restore(before)
    (tmp_path / str(os.getpid())).touch()
    assert found == "it forks a process that returns"
    assert os.waitpid(child, 0)[1]
    assert [path.name for path in tmp_path.iterdir()] == [str(os.getpid())]


def test_a_fork_of_a_process_that_has_many_files_open():
    """`select` takes no descriptor from 1024 on."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], 1100), limits[1]))
    opened = []
    try:
        while not opened or opened[-1] < 1024:
            opened.append(os.open(os.devnull, os.O_RDONLY))
        assert changed(fork_and_wait) == ""
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_fork_outside_of_a_plugin_opens_nothing():
    changed(lambda: None)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    fork_and_wait()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_as_a_statement(tmp_path):
    with pytest.raises(RuntimeError, match="it changes the current folder"), unchanged_process():
        os.chdir(tmp_path)
    with pytest.raises(FileNotFoundError), unchanged_process():  # the error counts more
        os.chdir(os.chdir(tmp_path) or "no such folder")
