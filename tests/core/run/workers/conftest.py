"""Each test begins in a process that works for no run."""

import threading

import pytest

from tonearm.run.workers import admission


@pytest.fixture(autouse=True)
def forget_runs():
    """Let go of the runs that a test had this process work for, and of the thread that looks after them."""
    yield
    for mark in list(admission._process.admitted):
        admission.end_work(mark)
    for thread in threading.enumerate():
        if thread.name == "tonearm-idle":
            thread.join(10)
            assert not thread.is_alive()
    admission._process.ended.clear()
