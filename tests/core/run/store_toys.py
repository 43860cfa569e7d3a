"""Temporaries and other files in the folder ``out``, and what is there afterwards."""

import fcntl
import os
from pathlib import Path

NAMES = (
    ".tonearm-0001000200000003.part",
    ".tonearm-0001000200000003.json.part",
    ".tonearm-0001000300000003.part",
    ".tonearm-0002000200000003.part",
    "x/y/.tonearm-0001000200000009.part",
)
OTHERS = (
    ".tonearm/journal.jsonl",
    ".tonearm-x.part",
    ".tonearm-0001000200000003",
    "a.part",
    "x/b.wav",
    ".other.part",
)


def kill(process):
    process.kill()
    process.wait()


def fill():
    for name in (*NAMES, *OTHERS):
        path = Path("out", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    os.symlink("..", "out/x/up")


def below():
    return sorted(str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file())


def refusal(number):
    """Return a function that raises an error of the system, whatever it is called with."""

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    return refuse


def is_locked(path):
    """Return whether somebody holds a file for writing."""
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
