"""Plugins that misbehave beyond raising: what each does to its process, and pipelines that have one in any role.

The package ``acme`` offers a plugin of each role. It does what the name of a source says: ``chdir.npy`` has it change
the current folder, and a source whose name is no misdeed passes.
"""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import numpy as np
from core_toys import third_party

RAISING = {
    "mute": "raise MuteError",
    "mute_item_error": "raise MuteItemError",
    "mute_os_error": "raise MuteOSError(2, 'x', 'y')",
    "mute_fields": "error = ItemError('x')\nerror.message = error.code = Mute()\nraise error",
    "generator_exit": "raise GeneratorExit",
    "stop_iteration": "raise StopIteration",
    "system_exit": "raise SystemExit(0)",
    "interrupt": "raise KeyboardInterrupt",
    "base_exception": "raise Own('x')",
    "output_error": "raise OutputError('no space')",
    "group": "raise BaseExceptionGroup('two', [KeyboardInterrupt(), ValueError('x')])",
    "unpicklable": "raise Unpicklable(threading.Lock())",
    "circle": "one, other = ValueError('one'), ValueError('other')\n"
    "one.__cause__, other.__cause__ = other, one\nraise one",
    "recursion": "def deep():\n    deep()\ndeep()",
}
"""Exceptions that a careless host does not survive. Each is its item's failure."""

FAILING = {
    "chdir": "os.chdir('/')",
    "removed_folder": "folder = tempfile.mkdtemp()\nos.chdir(folder)\nos.rmdir(folder)",
    "umask": "os.umask(0o777)",
    "fork": "os.fork()",
    "fork_and_raise": "if not os.fork():\n    raise ValueError('in the child')",
    "fork_and_exit": "if not os.fork():\n    sys.exit(0)",
    "closed_streams": "for descriptor in (0, 1, 2):\n    os.close(descriptor)",
}
"""Changes of the process that are its item's failure, and are undone."""

HARMLESS = {
    "children": "start_sleeper()",
    "session": "start_sleeper(start_new_session=True)",
    "daemon": "daemonize()",
    "thread": "threading.Thread(target=time.sleep, args=(0.2,), daemon=True).start()",
    "handlers": "for number in (2, 15, 1, 10, 13, 14, 17):\n    signals.signal(number, signals.SIG_IGN)",
    "handlers_that_raise": "signals.signal(signals.SIGTERM, signals.default_int_handler)",
    "sigchld": "signals.signal(signals.SIGCHLD, lambda *_: os.waitpid(-1, os.WNOHANG))",
    "masked": "signals.pthread_sigmask(signals.SIG_BLOCK, range(1, 32))",
    "wakeup": "signals.set_wakeup_fd(-1)",
    "stdin": "sys.stdin.read()",
    "stdout": "print('noise')\nos.write(1, b'noise')",
    "closed_stdin": "os.close(0)",
    "no_streams": "sys.stdout = sys.stderr = sys.stdin = None",
    "modules": "sys.modules.pop('json', None)\nsys.path.clear()",
    "environment": "os.environ.clear()",
    "locale": "import locale\nlocale.setlocale(locale.LC_ALL, 'C.UTF-8')",
    "low_recursion": "sys.setrecursionlimit(120)",
    "warnings": "import warnings\nwarnings.simplefilter('error')",
    "no_collector": "import gc\ngc.freeze()\ngc.disable()",
    "numpy_errors": "np.seterr(all='raise')",
    "time_zone": "os.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()",
    "nice": "os.nice(1)",
    "own_group": "try:\n    os.setpgid(0, 0)\nexcept OSError:\n    pass",
    "excepthook": "sys.excepthook = sys.unraisablehook = lambda *_: None",
    "trace": "sys.settrace(lambda *_: None)",
}
"""Changes of the process that the host tolerates or undoes."""

KILLING = {
    "alarm": "signals.alarm(1)\ntime.sleep(30)",
    "kill": "os.kill(os.getpid(), signals.SIGKILL)",
    "exit": "os._exit(0)",
    "all_descriptors": "os.closerange(3, 1024)",
    "few_descriptors": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))",
    "small_files": "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))",
}
"""What ends the process, or leaves it unable to go on."""

MISDEEDS = RAISING | FAILING | HARMLESS | KILLING

ROLES = ("decoder", "transform", "regroup", "encoder", "kind")

CODE = """
import os, signal as signals, subprocess, sys, tempfile, threading, time
from pathlib import Path
import numpy as np
from tonearm.api import *
from tonearm.api import OutputError
class Mute:
    def __str__(self): raise ZeroDivisionError
    __repr__ = __str__
class MuteError(Mute, Exception): pass
class MuteItemError(Mute, ItemError):
    def __init__(self): pass
class MuteOSError(Mute, OSError): pass
class Own(BaseException): pass
class Unpicklable(Exception): pass
def start_sleeper(**more):
    with open({pids!r}, "a") as file:
        file.write(f"{{subprocess.Popen(['sleep', '60'], **more).pid}}\\n")
def daemonize():
    if os.fork(): return
    os.setsid()
    if os.fork(): os._exit(0)
    with open({pids!r}, "a") as file: file.write(f"{{os.getpid()}}\\n")
    os.execvp("sleep", ["sleep", "60"])
DEEDS = {deeds!r}
def act(context):
    name = context.source.stem
    if name in DEEDS and "REFORMED" not in os.environ:
        exec(DEEDS[name], globals())
class AcmeReader(Decoder[Waveform, NoOptions]):
    "Read arrays."
    suffixes = (".acme",)
    def decode(self, source, context):
        act(context)
        yield Item(signal=Waveform(samples=np.load(source.path)[None], sample_rate=16000))
class AcmeStep(Transform[Waveform, Waveform, NoOptions]):
    "Do nothing."
    def apply(self, signal, context):
        act(context)
        return signal
class AcmeGroup(Regroup[Waveform, Waveform, NoOptions]):
    "Regroup nothing."
    def regroup(self, items, context):
        for item in items:
            act(context)
            yield item
class AcmeWriter(Encoder[Waveform, NoOptions]):
    "Write samples."
    suffixes = (".wav",)
    def encode(self, item, sink, context):
        act(context)
        sink.path.write_bytes(item.signal.samples.tobytes())
class AcmeKind(Kind[Waveform, NoOptions]):
    "Samples."
    axes = ("time",)
    def read(self, values, context):
        act(context)
        return Waveform(samples=values, sample_rate=16000)
@hookimpl
def tonearm_decoders(): return {{"acme-reader": AcmeReader}}
@hookimpl
def tonearm_transforms(): return {{"acme-step": AcmeStep, "acme-group": AcmeGroup}}
@hookimpl
def tonearm_encoders(): return {{"acme-writer": AcmeWriter}}
@hookimpl
def tonearm_kinds(): return {{"acme-kind": AcmeKind}}
"""

READER = "use: npy-reader, with: {kind: waveform, sample_rate: 16000}"
STAGES = {
    "decoder": {"reader": "use: acme-reader"},
    "transform": {"steps": "[{use: acme-step}]"},
    "regroup": {"steps": "[{use: acme-group}]"},
    "encoder": {"writer": "acme-writer"},
    "kind": {"reader": "use: npy-reader, with: {kind: acme-kind}"},
}
"""Places of the plugin in a pipeline, by its role."""


def install(folder: Path) -> dict[str, str]:
    """Install the package below a folder; return the environment that has it on the path."""
    code = textwrap.dedent(CODE).format(deeds=MISDEEDS, pids=os.fspath(folder / "pids"))
    return {**os.environ, **third_party(folder / "site", "acme", code)}


def write_pipeline(folder: Path, role: str) -> None:
    """Write a pipeline that has the plugin in a role."""
    stages = {"reader": READER, "steps": "[]", "writer": "wav-writer", **STAGES[role]}
    text = 'tonearm: 1\ninput: {{{reader}, files: "in/*.npy"}}\nsteps: {steps}\n'
    text += 'outputs: [{{use: {writer}, file: "{{stem}}.wav"}}]\n'
    (folder / "p.yaml").write_text(text.format(**stages))


def write_sources(folder: Path, names: list[str]) -> None:
    """Write arrays, whose names are misdeeds or none."""
    (folder / "in").mkdir()
    for name in names:
        np.save(folder / "in" / f"{name}.npy", np.full(800, 0.25, np.float32))
