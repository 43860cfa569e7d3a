"""Runs on a Dask cluster: a real scheduler and two workers on loopback, against two worker processes of the run.

The processor time of a run on the cluster is that of the driver, the scheduler, both workers and their nannies, what
they take to be there included. On a busy machine, where a run takes longer, that counts for more, so it is measured.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import evaluator
import harness
import material
import numpy as np

ROUNDS, SECONDS = 5, 3
CLIPS, MANY, FEW, SLOW = 48, 10_000, 2_000, 300
FIRST, ITEMS = 10_000, 110_000
CHUNKS = 2_000
IDLE_SECONDS = 10
WORKERS = ("worker 1", "worker 2", "nanny 1", "nanny 2")
WAVEFORMS = """
tonearm: 1
input: {use: npy-reader, with: {kind: waveform, sample_rate: 22050}}
outputs: [{use: wav-writer, file: "{relative_dir}/{stem}.wav"}]
"""
MAGNITUDES = """
tonearm: 1
input: {use: npy-reader, with: {kind: magnitude, sample_rate: 22050, n_fft: 1024, hop_length: 256}}
steps: [{use: griffin-lim, with: {preset: best}}]
outputs: [{use: wav-writer, file: "{relative_dir}/{stem}.wav"}]
"""
# A run from Python that prints how much memory the process has when FIRST items are published, and at the end.
WATCHED = """
import sys
from pathlib import Path
import tonearm

pipeline, source, out, executor, options, first, largest = sys.argv[1:]
if int(largest):
    from tonearm.run.workers import chunks
    chunks.MAX_CHUNK_SIZE = int(largest)
resident = []
done = 0

def observe(result):
    global done
    done += 1
    if done == int(first):
        resident.append(memory())

def memory():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))

options = dict([options.split("=", 1)]) if options else {}
jobs = 2 if executor == "local" else None
tonearm.load_pipeline(pipeline).run(
    [source], out=out, jobs=jobs, executor=(executor, options), fsync=False, observe=observe
)
print(*resident, memory())
"""


@dataclass
class Measured:
    """What the rounds of a run took: wall seconds, and CPU seconds of each process."""

    walls: list[float] = field(default_factory=list)
    cpu: list[dict[str, float]] = field(default_factory=list)

    @property
    def totals(self) -> list[float]:
        return [sum(one.values()) for one in self.cpu]

    def of(self, *roles: str) -> float:
        return statistics.median(sum(one.get(role, 0.0) for role in roles) for one in self.cpu)


class Cluster:
    """A scheduler and two workers of one thread, each process with its role."""

    def __init__(self, address: str, processes: Mapping[str, int]) -> None:
        self.address = address
        self.processes = processes
        before = self.cpu()
        time.sleep(IDLE_SECONDS)
        self.idle = {role: (seconds - before[role]) / IDLE_SECONDS for role, seconds in self.cpu().items()}
        """CPU seconds that each process takes a second, with nothing to do."""

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds that each process has taken so far."""
        return {role: _cpu_of(process) for role, process in self.processes.items()}


def tables() -> Iterator[harness.Table]:
    with tempfile.TemporaryDirectory() as name, running_cluster(Path(name)) as cluster:
        folder = Path(name)
        clips = list(itertools.islice(material.clips(SECONDS), CLIPS))
        yield _two_of_each(folder, cluster, "many", clips, MANY, WAVEFORMS, "{:,} .npy files of 3 s to WAV of 16 bits")
        yield _two_of_each(folder, cluster, "few", clips, FEW, WAVEFORMS, "The same, {:,} files, start included")
        spectra = [np.abs(evaluator.spectra(clip, 1024, 256).T).astype("f4") for clip in clips]
        title = "Griffin-Lim, `best`, over {:,} magnitudes of 3 s"
        yield _two_of_each(folder, cluster, "magnitudes", spectra, SLOW, MAGNITUDES, title)
        yield _memory(folder, cluster, clips[0])
        yield _one_chunk(folder, cluster, clips[0])


def _saved(folder: Path, arrays: Sequence[np.ndarray], count: int) -> Path:
    """Save arrays, and links to them until there are as many files as wanted."""
    folder.mkdir()
    for number, array in enumerate(arrays[:count]):
        np.save(folder / f"{number:06}.npy", array)
    for number in range(len(arrays), count):
        os.link(folder / f"{number % len(arrays):06}.npy", folder / f"{number:06}.npy")
    return folder


def _two_of_each(
    folder: Path, cluster: Cluster, name: str, arrays: Sequence[np.ndarray], count: int, pipeline: str, title: str
) -> harness.Table:
    source = _saved(folder / name, arrays, count)
    source.with_suffix(".yaml").write_text(pipeline)
    on_dask = ["--executor", "dask", "--executor-option", f"scheduler={cluster.address}"]
    contenders = {
        "two processes": (["--jobs", "2"], None),
        "Dask, two workers": (on_dask, cluster),
        "two processes, `--fsync none`": (["--jobs", "2", "--fsync", "none"], None),
        "Dask, two workers, `--fsync none`": ([*on_dask, "--fsync", "none"], cluster),
    }
    measured = {one: Measured() for one in contenders}
    for round_ in range(ROUNDS + 1):
        for one, (flags, where) in contenders.items():
            wall, cpu = _run(source, folder / "out", flags, where)
            if round_:
                measured[one].walls.append(wall)
                measured[one].cpu.append(cpu)
    rows, idle = [], sum(cluster.idle.values())
    for one, m in measured.items():
        base = measured[one.replace("Dask, two workers", "two processes")]
        cpu = (statistics.median(m.totals), m.of("driver"), m.of("scheduler"), m.of(*WORKERS))
        cells = (harness.milliseconds(seconds / count) for seconds in cpu)
        wall = harness.milliseconds(statistics.median(m.walls) / count)
        at_work = [total - (m is not base) * idle * wall for total, wall in zip(m.totals, m.walls, strict=True)]
        ratios = _ratio(m.totals, base.totals), _ratio(at_work, base.totals)
        rows.append((one, *cells, *ratios, wall, _ratio(m.walls, base.walls)))
    parts = ("of it driver", "scheduler", "workers")
    columns = ("whole run", "CPU ms a file", *parts, "× CPU", "× CPU without idling", "wall ms a file", "× wall")
    note = f"Worker processes of the run count as its driver. The idle cluster takes {idle:.1%} of a core."
    return harness.Table(title.format(count), columns, tuple(rows), note)


def _ratio(seconds: Iterable[float], base: Iterable[float]) -> str:
    return f"{statistics.median(a / b for a, b in zip(seconds, base, strict=True)):.3g}"


def _run(source: Path, out: Path, flags: Sequence[str], cluster: Cluster | None) -> tuple[float, dict[str, float]]:
    """Run once into a folder that is then removed; return wall seconds, and CPU seconds of each process."""
    program = shutil.which("tonearm", path=Path(sys.executable).parent)
    assert program
    words = [program, "run", str(source.with_suffix(".yaml")), str(source), "--out", str(out), "--quiet", *flags]
    before = cluster.cpu() if cluster else {}
    own, began = harness.cpu_of_children(), time.perf_counter()
    subprocess.run(words, check=True)
    wall = time.perf_counter() - began
    cpu = {"driver": harness.cpu_of_children() - own}
    cpu |= {role: seconds - before[role] for role, seconds in (cluster.cpu() if cluster else {}).items()}
    shutil.rmtree(out)
    return wall, cpu


def _memory(folder: Path, cluster: Cluster, clip: np.ndarray) -> harness.Table:
    """Files that are links to a few, as only their number matters; ext4 allows 65,000 of each."""
    source = _saved(folder / "tiny", [clip[start : start + 100] for start in range(0, 1000, 100)], ITEMS)
    (folder / "tiny.yaml").write_text(WAVEFORMS)
    rows = []
    for one, executor, options in (
        ("two processes", "local", ""),
        ("Dask, two workers", "dask", f"scheduler={cluster.address}"),
    ):
        first, last = _watched(source, folder / "out", executor, options)
        rows.append((one, f"{first / 1e6:.1f}", f"{last / 1e6:.1f}", f"{(last - first) / 1e6:.1f}"))
    columns = ("the driver's memory, MB", f"at {FIRST:,} items", f"at {ITEMS:,}", f"growth over {ITEMS - FIRST:,}")
    return harness.Table(f"The driver's memory over {ITEMS:,} items", columns, tuple(rows))


def _one_chunk(folder: Path, cluster: Cluster, clip: np.ndarray) -> harness.Table:
    """Chunks of one tiny file, so that nearly all that is done is handing them over."""
    source = _saved(folder / "chunks", [clip[:100]], CHUNKS)
    (folder / "chunks.yaml").write_text(WAVEFORMS)
    found: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        before, own, began = cluster.cpu(), harness.cpu_of_children(), time.perf_counter()
        _watched(source, folder / "out", "dask", f"scheduler={cluster.address}", largest=1)
        wall = time.perf_counter() - began
        taken = {role: seconds - before[role] - cluster.idle[role] * wall for role, seconds in cluster.cpu().items()}
        found.append(taken | {"driver": harness.cpu_of_children() - own})
    of = Measured(cpu=found).of
    row = tuple(harness.milliseconds(seconds / CHUNKS) for seconds in (of("driver"), of("scheduler"), of(*WORKERS)))
    columns = ("CPU ms a chunk, without idling", "driver, its start included", "scheduler", "workers")
    return harness.Table("What a chunk costs, whatever is in it", columns, (("of one file of 100 samples", *row),))


def _watched(source: Path, out: Path, executor: str, options: str, largest: int = 0) -> tuple[int, int]:
    """Run from Python; return the memory of the process in bytes, when FIRST items are published and at the end."""
    words = [sys.executable, "-c", WATCHED, str(source.with_suffix(".yaml")), str(source), str(out), executor, options]
    done = subprocess.run([*words, str(FIRST), str(largest)], check=True, stdout=subprocess.PIPE, text=True)
    shutil.rmtree(out)
    resident = [int(word) for word in done.stdout.split()]
    return resident[0], resident[-1]


def _cpu_of(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Run a scheduler and two workers of one thread on loopback, each with a nanny, as ``dask worker`` starts them."""
    from distributed import Client

    file, log = folder / "scheduler.json", folder / "dask.log"
    here = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
    scheduler = _dask(log, "scheduler", *here, "--scheduler-file", str(file))
    with contextlib.ExitStack() as stack:
        stack.callback(_end, scheduler)
        while not (file.exists() and file.read_text()):
            assert scheduler.poll() is None, log.read_text()
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        here = ["--nthreads", "1", "--host", "127.0.0.1", "--local-directory", str(folder)]
        nannies = [_dask(log, "worker", address, *here, "--name", str(number)) for number in (1, 2)]
        for nanny in nannies:
            stack.callback(_end, nanny)
        with Client(address) as client:
            client.wait_for_workers(2, timeout=60)
            names = {one: info["id"] for one, info in client.scheduler_info(n_workers=-1)["workers"].items()}
            workers = {f"worker {names[one]}": process for one, process in client.run(os.getpid).items()}
        processes = {"scheduler": scheduler.pid, **workers}
        processes |= {f"nanny {number}": nanny.pid for number, nanny in enumerate(nannies, 1)}
        yield Cluster(address, processes)


def _dask(log: Path, *words: str) -> subprocess.Popen[bytes]:
    program = shutil.which("dask", path=Path(sys.executable).parent)
    assert program
    with log.open("ab") as file:
        return subprocess.Popen([program, *words], stderr=file, stdout=file)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
