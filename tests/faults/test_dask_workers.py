"""Workers of a real Dask cluster that cannot do their work: each is named, or costs no more than its source."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cli_runs import finish, is_held, release, wait_until
from dask_cluster import Lab, summary
from invariants import leftover_files, published_files, rewritten_files

import tonearm
import tonearm_plugins

pytestmark = pytest.mark.slow

COUNT = 40

ALLOCATES = """
kept = []
while True:
    kept.append(bytearray(os.urandom(1 << 20) * 16))
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory):
    """Some sources and a scheduler."""
    lab = Lab(tmp_path_factory.mktemp("lab"), COUNT)
    yield lab
    lab.cluster.close()


@pytest.fixture
def lab(shared_lab):
    """The lab with no output folder and no workers."""
    shared_lab.clear()
    shared_lab.cluster.keep_workers()
    return shared_lab


def without(outputs, *names):
    """Return outputs but for some."""
    return {name: content for name, content in outputs.items() if name not in names}


@pytest.mark.parametrize("hangs", ["time.sleep(600)", "import ctypes; ctypes.PyDLL(None).sleep(600)"])
def test_a_source_at_which_a_worker_hangs_fails_and_the_worker_is_restarted(lab, hangs):
    """A nanny replaces the worker, whether or not the plugin holds the interpreter."""
    (lab.deeds / "0007").write_text(hangs)
    pids = lab.cluster.keep_workers(a=True, b=True)
    status, messages = lab.run("--timeout", 2)
    assert (status, summary(messages)) == (3, f"{COUNT - 1} converted, 1 failed"), messages
    assert "0007.npy: timeout: it took longer than 2 s, twice\n    hint: set a longer timeout\n" in messages
    pids_after = lab.cluster.keep_workers(a=True, b=True)
    # A worker that ends after the run has looked for the last time leaves the file that names it to the next run.
    violations = lab.violations(without(lab.expected, "0007.wav"))
    assert [line for line in violations if not line.startswith("owner left: ")] == []
    assert pids_after.keys() == pids.keys()
    assert not set(pids_after.values()) & {pid for stem, pid in lab.calls() if stem == "0007"}
    (lab.deeds / "0007").unlink()
    status, messages = lab.run()
    assert (status, lab.violations()) == (0, []), messages


def test_a_source_at_which_a_worker_runs_out_of_memory_fails(lab):
    (lab.deeds / "0007").write_text(ALLOCATES)
    for name in "ab":
        lab.cluster.start_worker(name, "--memory-limit", "400MB", nanny=True)
    lab.cluster.wait_for_workers("a", "b")
    status, messages = lab.run()
    assert (status, summary(messages)) == (3, f"{COUNT - 1} converted, 1 failed"), messages
    assert "0007.npy: worker-died: its worker tcp://127.0.0.1:" in messages
    assert " was lost, twice\n    hint: the worker's log may say why; if it ran out of memory, " in messages
    lab.cluster.wait_for_workers("a", "b")
    assert lab.violations(without(lab.expected, "0007.wav")) == []


def test_a_source_at_which_a_worker_crashes_fails(lab):
    (lab.deeds / "0007").write_text("os.kill(os.getpid(), signals.SIGSEGV)")
    lab.cluster.keep_workers(a=True, b=True)
    status, messages = lab.run()
    assert (status, summary(messages)) == (3, f"{COUNT - 1} converted, 1 failed"), messages
    assert "0007.npy: worker-died: its worker tcp://127.0.0.1:" in messages
    lab.cluster.wait_for_workers("a", "b")
    assert lab.violations(without(lab.expected, "0007.wav")) == []


@pytest.fixture(scope="module")
def other_tonearm(tmp_path_factory):
    """The environment of a worker that has another version of tonearm."""
    folder = tmp_path_factory.mktemp("other")
    for package in (tonearm, tonearm_plugins):
        path = Path(package.__file__).parent
        shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    version = folder / "tonearm" / "version.py"
    version.write_text(version.read_text().replace(tonearm.__version__, "9.9.9"))
    return folder


def on_path(lab, folder):
    """Return the environment of the lab with a folder before all others on the path."""
    return {**lab.cluster.env, "PYTHONPATH": f"{folder}{os.pathsep}{lab.cluster.env['PYTHONPATH']}"}


def test_a_worker_with_another_tonearm_is_named(lab, other_tonearm):
    """The run ends before any work."""
    lab.cluster.start_worker("a")
    lab.cluster.start_worker("b", env=on_path(lab, other_tonearm))
    address = lab.cluster.wait_for_workers("a", "b")["b"]
    status, messages = lab.run()
    assert status == 4, messages
    assert f"worker {address} has tonearm 9.9.9, and the run has {tonearm.__version__}\n" in messages
    assert lab.calls() == []
    assert lab.violations({}) == []


def test_a_worker_with_another_tonearm_that_joins_later_is_named(lab, other_tonearm):
    """What was finished stays, and the next run does the rest."""
    (lab.deeds / "0005").write_text("hold()")
    lab.cluster.keep_workers(a=False)
    process = lab.start()
    wait_until(lambda: is_held(lab.folder))
    lab.cluster.start_worker("b", env=on_path(lab, other_tonearm))
    address = lab.cluster.wait_for_workers("a", "b")["b"]
    status, messages = finish(process)
    assert status == 4, messages
    assert f"worker {address} has tonearm 9.9.9, and the run has {tonearm.__version__}\n" in messages
    lab.cluster.keep_workers(a=False)
    release(lab.folder)
    before = lab.published()
    assert lab.run("--quiet") == (0, "")
    assert lab.violations() + rewritten_files(before, lab.published()) == []


def test_a_worker_that_does_not_see_the_output_folder_is_named(lab):
    """The path leads elsewhere in the worker's process, as it does on a machine without the shared file system."""
    lab.cluster.start_worker("a", cwd=lab.folder)
    elsewhere = lab.folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    lab.cluster.start_worker("b", cwd=elsewhere)
    address = lab.cluster.wait_for_workers("a", "b")["b"]
    status, messages = lab.run(out="/proc/self/cwd/out")
    assert status == 4, messages
    assert f"worker {address} does not see /proc/self/cwd/out\n" in messages
    assert list(elsewhere.iterdir()) == []
    assert leftover_files(lab.out) == []
    lab.cluster.kill("b")
    lab.cluster.wait_for_workers("a")
    before = lab.published()
    assert lab.run("--quiet", out="/proc/self/cwd/out") == (0, "")
    assert lab.violations() + rewritten_files(before, lab.published()) == []


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode != 0,
    reason="this machine gives no namespaces",
)
def test_a_worker_under_whose_folder_another_file_system_is_mounted_is_named(lab):
    lab.out.mkdir()
    mount = f'mount -t tmpfs none {lab.out} && exec "$0" "$@"'
    lab.cluster.start_worker("a", prefix=("unshare", "-rm", "sh", "-c", mount))
    address = lab.cluster.wait_for_workers("a")["a"]
    status, messages = lab.run()
    assert status == 4, messages
    assert f"worker {address} does not see {lab.out}\n" in messages
    assert published_files(lab.out) == {}
