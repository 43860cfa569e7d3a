"""Toy pipelines that run over toy files, and what is looked at afterwards."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import core_toys
import numpy as np
from core_toys import RATE, registry_of

from tonearm.api import Context, Decoder, Encoder, Item, ItemError, Sink, Source, Transform, Waveform
from tonearm.plugins.plugin import NoOptions
from tonearm.python import Pipeline
from tonearm.run.prepare import Preparer, Settings
from tonearm.run.prepared import ConvertedItem, PreparedSource
from tonearm.run.store.local_store import LocalStore
from tonearm.run.tasks import Task
from tonearm.run.workers.interrupts import InterruptGate


class LineReader(Decoder[Waveform, NoOptions]):
    """Read a text file: each line is an item, ``KEY LEVEL``; a level that is no number fails."""

    suffixes = (".txt",)
    reads = "content"

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform] | ItemError]:
        with source.open() as file:
            lines = file.read().decode().splitlines()
        for index, line in enumerate(lines):
            key, _, level = line.partition(" ")
            try:
                samples = np.full((1, 10), float(level), np.float32)
            except ValueError:
                yield ItemError(f"{level!r} is no level", code="no-level", hint="write a number")
                continue
            if float(level) > 1:
                context.warn(f"{int(float(level) * 10)} samples are loud")
            yield Item(signal=Waveform(samples=samples, sample_rate=RATE), key=key, index=index)


class Do(Transform[Waveform, Waveform, NoOptions]):
    """Do whatever a test wants."""

    act = staticmethod(lambda signal: None)

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        type(self).act(signal)
        return signal


class TwoFiles(Encoder[Waveform, NoOptions]):
    """Write a file and another one beside it."""

    suffixes = (".raw",)

    def encode(self, item: Item[Waveform], sink: Sink, context: Context) -> None:
        sink.sidecar(".json").write_text(json.dumps({"level": f"{item.signal.samples[0, 0]:.3f}"}))
        sink.path.write_bytes(item.signal.samples.tobytes())


def toys(**more):
    """Return a registry with all toys."""
    offered = {"decoders": {"line-reader": LineReader}, "transforms": {"do": Do}, "encoders": {"two-files": TwoFiles}}
    return registry_of(**{role: offered.get(role, {}) | more.get(role, {}) for role in {**offered, **more}})


def pipeline(file="{stem}.raw", *, use="line-reader", steps=(), encoder="raw-writer", registry=None, files="*.txt"):
    """Return a pipeline of toys."""
    options = ", with: {level: 1}" if encoder == "raw-writer" else ""
    lines = ["tonearm: 1", "limits: {clipped: 1}", f"input: {{use: {use}, files: {files!r}}}"]
    lines += ["steps:", *(f"  - {{use: {step}}}" for step in steps)] if steps else []
    lines += ["outputs:", f"  - {{use: {encoder}, file: {file!r}{options}}}"]
    return Pipeline(core_toys.checked("\n".join(lines), registry or toys()))


def write(**files):
    """Write text files into the current folder, by their stems."""
    for name, text in files.items():
        Path(f"{name}.txt").write_text(text)


def preparer(found, *, root="out", fsync=False, **settings):
    return Preparer(found, LocalStore(str(root)), Settings(fsync=fsync, **settings), InterruptGate())


def task(name, number=0, **more):
    return Task(number, name, os.path.abspath(name), **more)


def prepared(
    root, files, *, number=0, name="a.txt", content=b"content", key="", index=0, sidecars=(), outputs=None, **more
):
    """Return what an executor gives back of a source that became one item of these outputs, with sidecars of each."""
    store = LocalStore(str(root))
    with store.temporaries(None, fsync=False) as temporaries:
        for output in files:
            sink = temporaries.sink(output)
            sink.path.write_bytes(content)
            for suffix in sidecars:
                sink.sidecar(suffix).write_bytes(content)
        finished = temporaries.finish()
    store.close()
    items = [ConvertedItem(key, index, place, own) for place, own in enumerate(finished)]
    where = task(name, number, outputs=outputs or tuple(range(len(files))))
    return PreparedSource(task=where, state=(1, 2), hash="00", items=items, **more)


def journal(root="out", kind=None):
    """Return the records of a journal, or those of one kind."""
    lines = (Path(root) / ".tonearm" / "journal.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [record for record in found if record["record"] == kind] if kind else found


def files(root="out"):
    """Return what people see below a folder: names with content."""
    found = sorted(path for path in Path(root).rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in found if ".tonearm" not in path.parts}


def leftovers(root="out"):
    """Return the temporaries below a folder."""
    return sorted(path.name for path in Path(root).rglob(".tonearm-*"))


@dataclass
class Seen:
    """Notes what a run says."""

    results: list = field(default_factory=list)

    def __call__(self, result):
        self.results.append(result)


class OddReader(Decoder[Waveform, NoOptions]):
    """Read a text file, and do what its lines say: plugins that crash, hang and worse."""

    suffixes = (".txt",)

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform]]:
        for index, line in enumerate(Path(source.path).read_text().splitlines()):
            verb, _, argument = line.partition(" ")
            getattr(self, f"_{verb}")(source, argument)
            yield Item(signal=Waveform(samples=np.full((1, 10), 0.5, np.float32), sample_rate=RATE), index=index)

    def _go(self, source: Source, _: str) -> None:
        """Do nothing odd."""

    def _signal(self, source: Source, number: str) -> None:
        os.kill(os.getpid(), int(number))
        time.sleep(5)

    def _exit(self, source: Source, status: str) -> None:
        os._exit(int(status))

    def _sleep(self, source: Source, seconds: str) -> None:
        time.sleep(float(seconds))

    def _deaf(self, source: Source, seconds: str) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        time.sleep(float(seconds))

    def _close(self, source: Source, seconds: str) -> None:
        """Close files that are others', and go on."""
        os.closerange(3, 4096)
        time.sleep(float(seconds))

    def _heir(self, source: Source, status: str) -> None:
        """Leave behind a copy of this process, with all files that it has open, until the test is over; and end."""
        if not os.fork():
            os.setsid()
            os.closerange(0, 3)
            for _ in range(3000):
                if os.path.exists(f"{source.path}.over"):
                    break
                time.sleep(0.1)
            os._exit(0)
        os._exit(int(status))

    def _once(self, source: Source, _: str) -> None:
        with contextlib.suppress(FileExistsError):
            os.open(f"{source.path}.died", os.O_CREAT | os.O_EXCL)
            os._exit(1)

    def _print(self, source: Source, text: str) -> None:
        print(text, flush=True)
        os.write(1, f"{text}\n".encode())

    def _ask(self, source: Source, _: str) -> None:
        assert sys.stdin.read() == ""

    def _threads(self, source: Source, _: str) -> None:
        Path(f"{source.path}.threads").write_text(os.environ["OMP_NUM_THREADS"])

    def _group(self, source: Source, _: str) -> None:
        """Start a program that outlives whoever started it, unless it is killed with it."""
        child = subprocess.Popen(["sleep", "60"])
        Path(f"{source.path}.pid").write_text(str(child.pid))
        child.wait()


def script(body: str, *arguments, timeout: float = 60, **more) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter of its own, with one thread, where forking is safe; all of this module is there."""
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    code = f"import sys; sys.path[:0] = {paths!r}\nfrom run_toys import *\n{textwrap.dedent(body)}"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **more)


def run_odd(jobs=2, *, fork=None, file="{stem}-{index}.raw", **options):
    """Run over all text files here by plugins that do odd things; return what the report says."""
    from tonearm.run.options import RunOptions
    from tonearm.run.run import Run
    from tonearm.run.workers import local

    real = local.start_worker
    local.start_worker = lambda *a, **_: real(*a, fork=fork)
    found = pipeline(file, use="odd-reader", registry=toys(decoders={"odd-reader": OddReader}))
    run = Run(found, RunOptions(out="out", jobs=jobs, fsync=False, **options))
    try:
        run.execute(run.plan(found.find_sources()), Seen())
    finally:
        report = run.report
        failures = {os.path.basename(one.source): [one.code, one.message, one.hint] for one in report.failures}
        found = {"sources": report.sources, "converted": report.converted, "stopped": report.stopped}
        print(json.dumps({**found, "failures": failures}), flush=True)
