"""Tests of the processes that a process has started, with real ones."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tonearm import descendants
from tonearm.descendants import descendants_of, kill_descendants, kill_with_descendants

TREE = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", '''
import subprocess
print(subprocess.Popen(["sleep", "60"], start_new_session=True).pid, flush=True)
input()
'''], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
print(child.pid, child.stdout.readline(), flush=True)
input()
"""


@pytest.fixture
def tree():
    """A process that has a child and a grandchild, which leads a session of its own."""
    root = subprocess.Popen([sys.executable, "-c", TREE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child, grandchild = map(int, root.stdout.readline().split())
    yield root, child, grandchild
    for process_id in (child, grandchild):
        try:
            os.kill(process_id, signal.SIGKILL)
        except ProcessLookupError:
            continue
    root.kill()
    root.communicate()


def has_ended(process_id):
    """Whether a process has ended, perhaps without anybody who waited for it."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] in "XZ"
    except FileNotFoundError:
        return True


def wait_for_end(process_id):
    while not has_ended(process_id):
        os.sched_yield()


def test_those_of_children_are_found(tree):
    root, child, grandchild = tree
    assert descendants_of(root.pid) == [grandchild, child]
    assert descendants_of(grandchild) == []
    assert descendants_of(2**22 + 1) == []  # above the largest id


def test_a_process_survives_its_descendants(tree):
    root, child, grandchild = tree
    kill_descendants(root.pid)
    wait_for_end(child)
    wait_for_end(grandchild)
    assert root.poll() is None


def test_a_process_ends_with_its_descendants(tree):
    root, child, grandchild = tree
    kill_with_descendants(root.pid)
    assert root.wait() == -signal.SIGKILL
    wait_for_end(child)
    wait_for_end(grandchild)


def test_a_system_without_signals_only_kills(monkeypatch):
    """Windows ends a process by any number, and gives it that as its exit status."""
    sent = []
    monkeypatch.delattr(descendants._signal, "SIGSTOP")
    monkeypatch.setattr(os, "kill", lambda *given: sent.append(given))
    kill_with_descendants(2**22 + 1)
    assert sent == [(2**22 + 1, 9)]
