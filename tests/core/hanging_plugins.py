"""Plugins that hang, crash or work slowly, and commands that use them."""

import time
from pathlib import Path

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
    for step in range(20):
        time.sleep(0.1)
        context.progress(step, 20)

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


def is_pending(number, process):
    """Return whether a signal waits for a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    sets = [int(line.split()[1], 16) for line in lines if line.startswith("ShdPnd")]
    return bool(sets[0] >> (number - 1) & 1)
