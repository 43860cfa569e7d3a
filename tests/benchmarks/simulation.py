"""The driver of a run at scale: plan, dispatch, publishing and journal in full; only workers and outputs are simulated.

The sources exist (as links to a few files) and are listed and looked at; chunks and results are pickled and cross a
process boundary; the journal and its flushes are real. A second process plays the cluster: it answers each chunk after
the time that its workers would take. The store sleeps where a file system would have to look up or rename an output,
and the executor works as long as Dask's client would. These times are measured first, on this machine.

``python tests/benchmarks/simulation.py FOLDER`` measures the file system of a folder of yours instead.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import json
import os
import pickle
import queue
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

import harness

SIZES = (100_000, 300_000, 1_000_000)
TARGET = 10_000_000
WORKERS = 1_000
ITEM_SECONDS = 0.05
"""Work at an item: three seconds of speech by Griffin-Lim, or some of a small network."""

CHUNK_SECONDS = 4.0
"""Work in a chunk; what the executor of Dask asks for with so many workers, so that a scheduler keeps up."""

FILES_A_FOLDER = 1_000
LINKS = 50_000
"""Links to one file; ext4 allows 65,000."""

NFS_SECONDS = 0.0005
"""Assumed time of one request to a file server: the round trip, and its disk. It is not measured."""

PIPELINE = """
tonearm: 1
input: {use: npy-reader, with: {kind: waveform, sample_rate: 22050}}
outputs: [{use: wav-writer, file: "{relative_dir}/{stem}.wav"}]
"""


def tables(folder: str = "") -> Iterator[harness.Table]:
    with tempfile.TemporaryDirectory(dir=folder or None) as name:
        place = Path(name)
        disk = _disk(place)
        dask = _dask()
        yield _latencies(disk, dask)
        server = dict.fromkeys(disk, NFS_SECONDS)
        for title, times in (("this file system", disk), ("a file server", server))[: 1 if folder else 2]:
            yield _simulated(place, title, {**times, **dask})


def _latencies(disk: dict[str, float], dask: dict[str, float]) -> harness.Table:
    names = {
        "stat": "a file is looked up",
        "missing": "a name without a file is looked up",
        "rename": "a file is renamed",
        "append": "8 kB are appended",
        "flush": "8 kB are appended and flushed",
        "client": "Dask's client, CPU a task",
        "scheduler": "Dask's scheduler, CPU a task",
        "latency": "a task of Dask, from its submission to its result",
    }
    rows = tuple((names[key], f"{seconds * 1e6:,.0f}") for key, seconds in {**disk, **dask}.items())
    return harness.Table("What is measured first", ("", "µs"), rows)


def _simulated(place: Path, title: str, times: dict[str, float]) -> harness.Table:
    rows = []
    found = []
    for size in SIZES:
        sources = place / "sources"
        _make_sources(sources, size)
        told = json.dumps({"sources": str(sources), "out": str(place / f"out{size}-{title[:4]}"), **times})
        command = [sys.executable, __file__, "--drive", told]
        one = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        found.append(one)
        rows.append(_row(f"{size:,}", size, one))
    rows.append(_row(f"{TARGET:,}, extrapolated", TARGET, _extrapolated(found)))
    columns = (
        "items",
        "plan s",
        "run s",
        "items a second",
        "CPU µs an item",
        "peak MB",
        "journal MB",
        "nothing to do s",
    )
    note = (
        f"{WORKERS:,} simulated workers of one thread, {ITEM_SECONDS * 1e3:.0f} ms an item. The last row follows from "
        "lines through the first and the last size; it is not run."
    )
    return harness.Table(f"The driver, outputs on {title}", columns, tuple(rows), note)


def _row(name: str, size: int, one: dict[str, float]) -> tuple[str, ...]:
    return (
        name,
        f"{one['plan']:.1f}",
        f"{one['run']:.1f}",
        f"{size / (one['plan'] + one['run']):,.0f}",
        f"{one['cpu'] / size * 1e6:.0f}",
        f"{one['peak'] / 1e6:.0f}",
        f"{one['journal'] / 1e6:.0f}",
        f"{one['again']:.1f}",
    )


def _extrapolated(found: list[dict[str, float]]) -> dict[str, float]:
    """Return what a line through the least and the largest size gives for the target."""
    first, last = found[0], found[-1]
    share = (TARGET - SIZES[0]) / (SIZES[-1] - SIZES[0])
    return {key: first[key] + share * (last[key] - first[key]) for key in first}


def _make_sources(folder: Path, size: int) -> None:
    """Make files until there are so many; those of a smaller size stay."""
    import numpy as np

    existing = sum(1 for _ in folder.glob("*/*")) if folder.exists() else 0
    original = folder.parent / "original"
    for number in range(existing, size):
        if number % LINKS == 0 or number == existing:
            original = folder.parent / f"{folder.name}-{number}.npy"
            np.save(original, np.zeros(100, np.float32))
        inside = folder / f"speaker-{number // FILES_A_FOLDER:05}"
        if number % FILES_A_FOLDER == 0:
            inside.mkdir(parents=True)
        os.link(original, inside / f"utterance-{number:08}.npy")


# What is measured first


def _each(call: Callable[[int], object], count: int = 300) -> float:
    """Return the median time of a call in seconds."""
    taken: list[float] = []
    for number in range(count):
        with harness.timed(taken):
            call(number)
    return statistics.median(taken)


def _disk(place: Path) -> dict[str, float]:
    folder = place / "probe"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.part").touch()
    journal = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    lines = b"x" * 8192

    def flush(_: int) -> None:
        os.write(journal, lines)
        os.fdatasync(journal)

    found = {
        "stat": _each(lambda number: (folder / f"{number}.part").stat()),
        "missing": _each(lambda number: os.path.lexists(folder / f"{number}.wav")),
        "rename": _each(lambda number: (folder / f"{number}.part").rename(folder / f"{number}.wav")),
        "append": _each(lambda _: os.write(journal, lines)),
        "flush": _each(flush),
    }
    os.close(journal)
    return found


def _dask() -> dict[str, float]:
    """Measure what a chunk costs Dask: a scheduler and a worker as processes, messages of the usual size and number."""
    from distributed import Client as DaskClient

    chunk, count = os.urandom(25_000), 2_000  # 80 tasks or their results
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        file = Path(folder, "scheduler.json")
        roles = {"scheduler": ["--port", "0", "--scheduler-file", str(file), "--no-show"]}
        roles["worker"] = ["--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--local-directory", folder]
        processes = {}
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}  # where this module is
        for role, flags in roles.items():
            command = [sys.executable, "-m", f"distributed.cli.dask_{role}", "--no-dashboard", *flags]
            processes[role] = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environ)
            stack.callback(processes[role].wait)
            stack.callback(processes[role].terminate)
            while not file.exists():
                time.sleep(0.1)
        client = stack.enter_context(DaskClient(scheduler_file=str(file)))
        client.subscribe_topic("chunks", lambda _: None)
        client.submit(_echo, chunk, key="warm").result()
        latency = _each(lambda number: client.submit(_echo, chunk, key=f"one-{number}").result(), 50)
        before = time.process_time(), _cpu_of(processes["scheduler"].pid)
        in_flight: deque[Any] = deque()
        for number in range(count):
            in_flight.append(client.submit(_echo, chunk, key=f"many-{number}"))
            if len(in_flight) > 200 or number == count - 1:
                in_flight.popleft().result()
        client.gather(list(in_flight))
        after = time.process_time(), _cpu_of(processes["scheduler"].pid)
    return {
        "client": (after[0] - before[0]) / count,
        "scheduler": (after[1] - before[1]) / count,
        "latency": latency,
    }


def _cpu_of(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _echo(chunk: bytes) -> bytes:
    """Say that the chunk begins, as the executor's tasks do, and return as much as they would."""
    from distributed import get_worker

    get_worker().log_event("chunks", {"key": "chunk", "results": bytes(200)})
    return chunk


def _wait(seconds: float) -> None:
    """Let time pass without work, as a system call does that waits for a server."""
    if seconds > 1e-4:
        time.sleep(seconds - 6e-5)
        return
    _work(seconds)


def _work(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


# The cluster, in a process of its own


def _cluster(address: str, latency: float) -> None:
    """Answer each chunk that comes, as so many workers would."""
    connection = Client(address)
    arrived: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def read() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                arrived.put(connection.recv_bytes())
        arrived.put(None)

    threading.Thread(target=read, daemon=True).start()
    free = [(0.0, number) for number in range(WORKERS)]
    due: list[tuple[float, int, bytes]] = []
    serial = itertools.count()
    while True:
        patience = max(0.0, due[0][0] - time.monotonic()) if due else None
        with contextlib.suppress(queue.Empty):
            content = arrived.get(timeout=patience)
            if content is None:
                return
            handle, chunk = pickle.loads(content)
            tasks = pickle.loads(chunk)
            when, worker = heapq.heappop(free)
            when = max(when, time.monotonic() + latency / 2) + ITEM_SECONDS * len(tasks)
            heapq.heappush(free, (when, worker))
            heapq.heappush(due, (when + latency / 2, next(serial), pickle.dumps((handle, _answer(tasks, worker)), 5)))
        while due and due[0][0] <= time.monotonic():
            connection.send_bytes(heapq.heappop(due)[2])


def _answer(tasks: list[Any], worker: int) -> bytes:
    """Return the pickled results of a chunk."""
    from tonearm.content_hash import file_state
    from tonearm.run.prepared import ConvertedItem, PreparedFile, PreparedSource
    from tonearm.run.workers.chunk_results import ChunkResults

    owner = f"{worker:08x}"
    sources = []
    for task in tasks:
        output = f"{task.folder}/{Path(task.path).stem}.wav"
        digest = f"{task.number:032x}"
        file = PreparedFile(f".tonearm-{owner}{task.number:08x}.part", output, 132_344, digest)
        measured = {"duration": 3.0, "dc": 0.000146, "peak_db": -6.02}
        item = ConvertedItem("", 0, 0, [file], measured)
        state = file_state(task.path)
        sources.append(PreparedSource(task=task, state=state, hash=digest, items=[item], seconds=ITEM_SECONDS))
    return pickle.dumps([ChunkResults(owner=owner, worker=f"tcp://10.0.0.1:{worker}", sources=sources)], 5)


# The driver


def _drive(times: dict[str, Any]) -> dict[str, float]:
    """Run over all sources, and then again, with nothing left to do."""
    import yaml

    import tonearm
    from tonearm.run.options import RunOptions
    from tonearm.run.run import Run
    from tonearm.run.sources.finding import find_sources

    out = times["out"]
    found: dict[str, float] = {}
    for name in ("plan", "again"):
        pipeline = tonearm.load_pipeline(yaml.safe_load(PIPELINE))
        run = Run(pipeline, RunOptions(out=out, jobs=2 * WORKERS), _store(out, times))
        run._executor.plugin = _executor(times)
        begin, cpu = time.monotonic(), time.process_time()
        plan = run.plan(find_sources([times["sources"]], times["sources"], (".npy",)))
        found[name] = time.monotonic() - begin
        if name == "again":
            run.release()
            assert not len(plan), "everything was done"
            break
        begin = time.monotonic()
        run.execute(plan, lambda _: None)
        found["run"] = time.monotonic() - begin
        found["cpu"] = time.process_time() - cpu
        found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        found["journal"] = Path(out, ".tonearm", "journal.jsonl").stat().st_size
    return found


def _store(out: str, times: dict[str, Any]) -> Any:
    """Return a local store whose outputs exist only by what they take: only its journal and its locks are real."""
    from tonearm.run.store.local_store import LocalStore

    class Simulated(LocalStore):
        def kind(self, path: str) -> Any:
            if self._journals:  # when the plan is made, there is no output folder
                _wait(times["missing"])
            return "nothing"

        def state(self, path: str) -> Any:
            _wait(times["stat"])
            return 132_344, 0

        def publish(self, file: Any) -> None:
            _wait(times["rename"])

        def flush(self, folders: Any) -> None:
            for _ in folders:
                _wait(times["flush"])

    return Simulated(out)


def _executor(times: dict[str, Any]) -> Any:
    """Return an executor whose cluster is another process."""
    from tonearm.api import Executor, NoOptions

    class Simulated(Executor[NoOptions]):
        isolates = True
        chunk_seconds = CHUNK_SECONDS

        def open(self, work: Any, slots: int) -> None:
            owners = Path(times["out"], ".tonearm", "owners")
            for worker in range(WORKERS):
                (owners / f"{worker:08x}").touch()
            with Listener() as listener:
                command = [sys.executable, __file__, "--cluster", listener.address, str(times["latency"])]
                self.process = subprocess.Popen(command)
                self.connection: Connection = listener.accept()
            self.numbers = itertools.count()

        def submit(self, chunk: object) -> int:
            number = next(self.numbers)
            self.connection.send_bytes(pickle.dumps((number, pickle.dumps(chunk, 5)), 5))
            _work(times["client"])
            return number

        def wait(self, seconds: float) -> Iterator[tuple[int, Any]]:
            while self.connection.poll(seconds):
                number, content = pickle.loads(self.connection.recv_bytes())
                for results in pickle.loads(content):
                    yield number, results
                seconds = 0.0

        def cancel(self, handle: object) -> None:
            raise AssertionError("nothing takes too long")

        def close(self) -> None:
            self.connection.close()
            self.process.wait()

    return Simulated(NoOptions())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--drive", told]:
            print(json.dumps(_drive(json.loads(told))))
        case ["--cluster", address, latency]:
            _cluster(address, float(latency))
        case folders:
            for table in tables(*folders):
                print(table.markdown(), end="\n\n", flush=True)
