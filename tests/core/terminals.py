"""A terminal for tests: what a command prints on one of a given width."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sysconfig
import termios
from pathlib import Path

SCRIPT = Path(sysconfig.get_path("scripts")) / "tonearm"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def open_terminal(columns=80):
    """Return the two ends of a terminal: that of the person, and that of the program."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    return ours, theirs


def read_terminal(ours):
    """Return everything that the program prints until it has closed its end."""
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return seen.decode().replace("\r\n", "\n")


def on_terminal(*arguments, program=SCRIPT, columns=80, env=None, cwd=None):
    """Run the command, or another program, on a terminal, and return its exit status and what it printed there."""
    ours, theirs = open_terminal(columns)
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TERM": "xterm"}
    command = [str(program), *map(str, arguments)]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ | (env or {}), cwd=cwd
    )  # fmt: skip
    os.close(theirs)
    text = read_terminal(ours)
    return process.wait(timeout=60), text
