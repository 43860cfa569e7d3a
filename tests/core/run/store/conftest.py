"""What tests of a store in a folder share."""

import gc
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tonearm.run.store.local_store import LocalStore

sys.path.insert(0, str(Path(__file__).parent))

from journals_by_hand import OPENED, Journals


@pytest.fixture
def store(folder):
    """The store of the folder ``out``, which is there."""
    (folder / "out").mkdir()
    found = LocalStore("out")
    yield found
    found.close()


@pytest.fixture
def other():
    """Run code in other processes, which go on until the test has ended; each is there once it has said so."""
    started = []

    def start(body, *arguments):
        paths = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
        code = f"import sys; sys.path[:0] = {paths!r}\nfrom run_toys import *\n{textwrap.dedent(body)}"
        code += '\nprint("there", flush=True)\nsys.stdin.read()\n'
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "there\n"
        return process

    yield start
    for process in started:
        process.kill()
        for file in (process.stdin, process.stdout):
            file.close()
        process.wait()


@pytest.fixture
def open_files():
    """A function that returns the number of files that this process has open."""
    gc.collect()  # else files of earlier tests may be closed at any time
    return lambda: len(os.listdir("/proc/self/fd"))


@pytest.fixture
def found(folder):
    """Journals that a test writes by hand."""
    return Journals(folder)


@pytest.fixture
def done(found):
    """Journals of a source that a run got through with."""
    found.lines(found.run(), found.begin(), found.out(), found.end(), {"record": "stop"})
    found.publish()
    return found


@pytest.fixture(autouse=True)
def closed():
    """Close the stores whose history was read."""
    yield
    while OPENED:
        OPENED.pop().close()
