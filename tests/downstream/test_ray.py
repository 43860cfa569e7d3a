"""A third party's executor on Ray: its tasks do what one process does, whatever happens to them."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from installed_packages import run_python, tonearm
from test_downstream import mels, records, run_with  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="not installed: ray; .ci/run installs it"),
]

ROOT = Path(__file__).parents[2]

STEP = """\
import os, time
from tonearm.api import NoOptions, Transform, Waveform, hookimpl
class Odd(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal, context):
        level = round(float(signal.samples[0, 0]), 3)
        if level == 0.25:
            os.kill(os.getpid(), 11)
        with open(os.environ["ODD_CALLS"], "ab") as calls:
            calls.write(b".")
        time.sleep(1000 if level == 0.5 else float(os.environ["ODD_SECONDS"]) if level >= 0.6 else 0.05)
        return signal
@hookimpl
def tonearm_transforms():
    return {"odd": Odd}
"""

PIPELINE = """\
tonearm: 1
input: {use: npy-reader, files: "in/*.npy", with: {kind: waveform, sample_rate: 8000}}
steps: [{use: odd}]
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""


@pytest.fixture(autouse=True, scope="session")
def ray_folder() -> Iterator[None]:
    """Have Ray keep its logs and sockets in a folder that is removed; the names of sockets must be short."""
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", folder)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        yield
    shutil.rmtree(folder)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a pipeline, whose step crashes at 0.25, hangs at 0.5, and takes longer from 0.6."""
    package = tmp_path / "package"
    (package / "odd-0.1.dist-info").mkdir(parents=True)
    (package / "tonearm_odd.py").write_text(STEP, encoding="utf-8")
    (package / "odd-0.1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 0.1\n")
    (package / "odd-0.1.dist-info/entry_points.txt").write_text("[tonearm]\nodd = tonearm_odd\n")
    monkeypatch.setenv("PYTHONPATH", str(package))
    monkeypatch.setenv("ODD_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("ODD_SECONDS", "1")
    (tmp_path / "odd.yaml").write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "in").mkdir()
    return tmp_path


def write(folder: Path, levels: list[float]) -> None:
    for number, level in enumerate(levels):
        np.save(folder / f"in/{number:03}.npy", np.full(800, level, "f4"))


def levels(count: int) -> list[float]:
    """Return levels of sources, at none of which the step does anything odd."""
    return [0.3 + number / 1000 for number in range(count)]


def arguments(folder: Path) -> tuple[object, ...]:
    return ("run", folder / "odd.yaml", "--out", folder / "out", "--executor", "ray")


def left_over(out: Path) -> list[Path]:
    """Return the temporaries in an output folder, and what holds them."""
    return [*out.rglob("*.part"), *out.glob(".tonearm/owners/*")]


KILL_ONE = """
import contextlib, os, signal, sys, tonearm_ray
from tonearm.api import Died
seen, deaths = [], []
def next(self, stream, real=tonearm_ray.RayExecutor._next):
    results = real(self, stream)
    if isinstance(results, Died):
        deaths.append(results)
        print("DIED", results.reason, file=sys.stderr)
    elif not results.last and not deaths:  # its chunk goes on, most likely
        seen.append(results.worker)
        if len(seen) >= 5:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(results.worker.rpartition(":")[2]), signal.SIGKILL)
    return results
tonearm_ray.RayExecutor._next = next
"""


def test_tasks_do_what_one_process_does_though_a_worker_is_killed(site: Path, mels: Path) -> None:  # noqa: F811
    status, _, expected = run_with(site, mels, "in-process")
    assert status == 3
    status, messages, found = run_with(site, mels, "ray", "--jobs", 2, changes=KILL_ONE)
    assert status == 3, messages
    assert "DIED its worker" in messages
    assert "499 converted, 1 failed" in messages
    assert "raylet" not in messages
    written = {path.name: path.read_bytes() for path in found.glob("*.flac")}
    assert len(written) == 499
    assert written == {path.name: path.read_bytes() for path in expected.glob("*.flac")}
    assert records(found) == records(expected)
    assert not left_over(found)


def test_a_source_that_crashes_or_hangs_twice_is_at_fault_alone(site: Path, folder: Path) -> None:
    write(folder, [*levels(20), 0.25, *levels(20), 0.5, *levels(20)])
    done = tonearm(site, *arguments(folder), "--timeout", 3, "--json")
    assert done.returncode == 3, done.stderr
    items = [json.loads(line) for line in done.stdout.splitlines()]  # and nothing of Ray's
    assert Counter(item["status"] for item in items) == {"converted": 60, "failed": 2}
    assert "020.npy: worker-died: its worker " in done.stderr
    assert " crashed, twice" in done.stderr
    assert "041.npy: timeout: it took longer than 3 s, twice" in done.stderr
    assert not left_over(folder / "out")


def interrupted(site: Path, folder: Path, *, published: int, changes: str = "") -> tuple[int, str]:
    """Interrupt a run when it has published so many files, and return its exit status and its messages."""
    code = f"import sys; from tonearm.cli.main import main\n{changes}\nsys.exit(main())"
    run = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments(folder)), "--jobs", "2"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ["PYTHONPATH"]])},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that the signal reaches the workers, too, as Ctrl-C in a terminal does
    )
    deadline = time.monotonic() + 120
    while len(list((folder / "out").glob("*.wav"))) < published:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline, "it did not begin"
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)
    _, messages = run.communicate(timeout=60)
    return run.returncode, messages


def test_an_interrupt_publishes_what_is_finished_and_the_next_run_does_the_rest(
    site: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunks in flight would take five seconds, longer than a run waits; so they end early, after a source."""
    write(folder, [*levels(40), *[0.6] * 20])
    status, messages = interrupted(site, folder, published=41)
    out = folder / "out"
    assert status == 130, messages
    assert "interrupted" in messages
    assert "Traceback" not in messages
    finished = len(list(out.glob("*.wav")))
    assert 41 <= finished < 60
    # Each worker has finished its source. One chunk may have begun just when it was cancelled in the queue.
    assert (folder / "calls").stat().st_size - finished <= 1
    assert not left_over(out)
    monkeypatch.setenv("ODD_SECONDS", "0")
    done = tonearm(site, *arguments(folder)[:-2], "--jobs", 2)
    assert done.returncode == 0, done.stderr
    assert f"{60 - finished} converted" in done.stderr
    assert not left_over(out)


def test_an_interrupt_ends_a_run_though_a_source_hangs_and_ray_is_slow_to_end_it(site: Path, folder: Path) -> None:
    write(folder, [*levels(3), 0.5])
    changes = "import tonearm_ray; tonearm_ray.STOP_SECONDS = 0.0"
    status, messages = interrupted(site, folder, published=3, changes=changes)
    assert status == 130, messages
    assert "3 converted, 0 failed, 1 left" in messages
    assert "Traceback" not in messages


def test_workers_with_another_tonearm_are_named_and_end_the_run(site: Path, folder: Path) -> None:
    write(folder, levels(4))
    shutil.copytree(ROOT / "core/tonearm", folder / "other/tonearm")
    (folder / "other/tonearm/version.py").write_text('__version__ = "9.9"\n', encoding="utf-8")
    path = os.pathsep.join([str(folder / "other"), str(site), os.environ["PYTHONPATH"]])
    changes = f"""
import ray
ray.init = lambda *given, real=ray.init, **more: real(
    *given, **more, runtime_env={{"env_vars": {{"PYTHONPATH": {path!r}}}}}
)
"""
    done = tonearm(site, *arguments(folder), changes=changes)
    assert done.returncode == 4, done.stderr
    assert "other-versions: worker " in done.stderr
    assert " has tonearm 9.9, and the run has " in done.stderr


def test_a_program_keeps_its_cluster_and_a_lost_node_is_nobodys_fault(site: Path, folder: Path) -> None:
    """The first run loses its only node, and gets another; the second run finds that all is done."""
    write(folder, levels(100))
    code = f"""
import os, time
import ray, tonearm
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from ray.cluster_utils import Cluster
if __name__ == "__main__":
    cluster = Cluster(initialize_head=True, head_node_args={{"num_cpus": 0}})
    node = cluster.add_node(num_cpus=2)
    ray.init(cluster.address, log_to_driver=False)
    out = Path({str(folder / "out")!r})
    pipeline = tonearm.load_pipeline({str(folder / "odd.yaml")!r})
    first = ThreadPoolExecutor().submit(pipeline.run, out=out, executor="ray")
    while len(list(out.glob("*.wav"))) < 10:
        time.sleep(0.05)
    cluster.remove_node(node, allow_graceful=False)
    cluster.add_node(num_cpus=2)
    reports = [first.result(), pipeline.run(out=out, executor="ray")]
    alive = ray.get(ray.remote(lambda: 7).remote())
    print([[report.converted, report.failed, report.skipped] for report in reports], [*out.rglob("*.part")], alive)
    os._exit(0)
"""
    done = run_python(site, code)
    assert done.stdout.splitlines()[-1] == "[[100, 0, 0], [0, 0, 100]] [] 7", done.stderr


def test_it_is_listed_with_its_options(site: Path) -> None:
    page = tonearm(site, "plugins", "ray").stdout
    assert page.startswith(
        "ray: Convert in tasks of a Ray cluster, whose nodes must see the output folder and the sources."
    )
    assert "executor, from tonearm_ray 0.2" in page
    assert {"address:", "cpus:", "gpus:", "resources:"} <= set(page.split())
