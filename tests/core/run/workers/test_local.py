"""Worker processes: how they start, and what becomes of sources when they die or hang.

Each run is one of a process of its own, because only a process of one thread is forked.
"""

import json
import signal
import time
from pathlib import Path

import pytest
from run_toys import files, leftovers, script, write

DEBUG = "with the executor in-process, it happens in this process, under a debugger if you like"


def gone(processes, seconds=60):
    """Say whether processes end within some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(alive(process) for process in processes):
            return True
        time.sleep(0.05)
    return False


def alive(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # one whose parent does not care


def run(arguments="", **more):
    """Run over what there is; return what the report says."""
    done = script(f"run_odd({arguments})", **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(autouse=True)
def here(folder):
    """An empty folder, which is the current one."""


@pytest.mark.parametrize("fork", [True, False])
class TestBothKinds:
    def test_all_is_well(self, fork):
        write(**{f"{number:02}": "go\ngo" for number in range(30)})
        found = run(f"fork={fork}")
        assert found == {"sources": 30, "converted": 60, "stopped": "", "failures": {}}
        assert len(files()) == 60
        assert leftovers() == []

    def test_only_the_culprit_fails(self, fork):
        """The chunk of a worker that died is tried again source by source; nothing of it is lost."""
        write(**{f"{number:02}": "go" for number in range(40)})
        write(a="go\nsignal 11\ngo", b="exit 7", c="signal 9")
        write(**{"0": "once\ngo"})  # the first source, which is a chunk of its own: its worker dies of no other
        found = run(f"fork={fork}, jobs=1")
        assert found["sources"] == 44
        assert found["failures"] == {
            "a.txt": ["worker-died", "its process was ended by SIGSEGV, twice", DEBUG],
            "b.txt": ["worker-died", "its process was ended by exit status 7, twice", DEBUG],
            "c.txt": [
                "worker-died", "its process was ended by SIGKILL, twice", "out of memory, most likely: use fewer jobs",
            ],
        }  # fmt: skip
        assert len(files()) == 42
        assert leftovers() == []

    @pytest.mark.one_in(2)
    def test_what_hangs(self, fork):
        write(a="go", b="sleep 60", c="deaf 60", d="go")
        found = run(f"fork={fork}, timeout=1.5")
        message = "it took longer than 1.5 s, twice"
        assert found["failures"] == {name: ["timeout", message, "set a longer timeout"] for name in ("b.txt", "c.txt")}
        assert sorted(files()) == ["a-0.raw", "d-0.raw"]
        assert leftovers() == []

    @pytest.mark.one_in(2)
    def test_ends_that_show_in_other_ways(self, fork):
        """A worker that closes its connection and goes on; one that has ended, and a child of it holds it open."""
        write(a="go", b="close 300", c="heir 7", d="go")
        try:
            found = run(f"fork={fork}")
        finally:
            Path("c.txt.over").touch()
        assert found["failures"] == {
            "b.txt": [
                "worker-died", "its process closed its connection to the run, twice",
                "a plugin closes files that are not its own",
            ],
            "c.txt": ["worker-died", "its process was ended by exit status 7, twice", DEBUG],
        }  # fmt: skip
        assert sorted(files()) == ["a-0.raw", "d-0.raw"]
        assert leftovers() == []

    def test_what_plugins_print_and_ask(self, fork):
        write(a="print hello\nask\nthreads")
        done = script(f"run_odd(fork={fork}, jobs=1)", stdin=None)
        assert json.loads(done.stdout)["converted"] == 3
        assert done.stderr.count("hello") == 2
        assert int(Path("a.txt.threads").read_text()) >= 1


@pytest.mark.slow
def test_programs_that_a_worker_runs_are_killed_with_it():
    write(a="group")
    assert run("timeout=1.0, jobs=1")["failures"]["a.txt"][0] == "timeout"
    child = int(Path("a.txt.pid").read_text())
    assert gone([child])


def test_a_worker_that_somebody_terminates():
    """Its chunk goes on elsewhere, and none of it is lost."""
    write(**{f"{number:02}": "sleep 0.02" for number in range(60)})
    body = """
    import threading, tonearm.run.workers.local as local
    real = local.start_worker
    def start(*a, **k):
        process = real(*a, **k)
        if not hasattr(start, "one"):
            start.one = threading.Timer(0.5, process.signal, [15])
            start.one.start()
        return process
    local.start_worker = start
    run_odd(jobs=1, fork=True)
    """
    done = script(body)
    assert json.loads(done.stdout)["sources"] == 60, done.stderr
    assert len(files()) == 60


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ["{stem}-{index}.raw", "{relative_dir}/{stem}/{index}.raw", "{index}/{stem}.raw"])
def test_temporaries_of_a_dead_worker_are_gone_wherever_they_are(name):
    write(a="go\ngo\nexit 1", b="go")
    found = run(f"file={name!r}, jobs=1")
    assert list(found["failures"]) == ["a.txt"]
    assert leftovers() == []


def start_fails(when):
    """Return a script in which starting a worker fails from the given one on."""
    return f"""
    import tonearm.run.workers.local as local
    real, count = local.start_worker, iter(range(100))
    def start(*a, **k):
        if next(count) >= {when}:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return real(*a, **k)
    local.start_worker = start
    run_odd(jobs=3)
    """


def test_a_system_with_no_room_for_more_processes_works_with_fewer():
    write(**{f"{number:02}": "sleep 0.01" for number in range(20)})
    done = script(start_fails(1))
    assert json.loads(done.stdout)["converted"] == 20, done.stderr


def test_a_system_with_no_room_at_all():
    write(a="go")
    done = script(start_fails(0))
    assert "WorkerError: a worker process could not start: resource temporarily unavailable" in done.stderr
    assert json.loads(done.stdout)["stopped"] == ""
    assert leftovers() == []


STILLBORN = """
import os, tonearm.run.workers.forked_process as processes
real, count = processes.serve, iter(range(100))
os.environ["BORN"] = "{born}"
def serve(*a):
    number = len(open("born").read())
    open("born", "a").write("x")
    if number < {dead}:
        os._exit(9)
    return real(*a)
processes.serve = serve
open("born", "w").close()
run_odd(jobs=1, fork=True)
"""


def test_a_worker_that_dies_before_its_first_word_is_replaced():
    write(**{f"{number:02}": "go" for number in range(20)})
    done = script(STILLBORN.format(born="", dead=2))
    assert json.loads(done.stdout)["converted"] == 20, done.stderr


@pytest.mark.slow
def test_workers_that_never_come_to_life_end_the_run():
    write(**{f"{number:02}": "go" for number in range(20)})
    done = script(STILLBORN.format(born="", dead=99))
    assert "WorkerError: 3 worker processes could not start, the last: exit status 9" in done.stderr
    assert files() == {}


def test_plugins_that_a_fresh_worker_cannot_import():
    write(a="go")
    body = """
    class Here(OddReader):
        pass
    def local_class():
        class Inner(OddReader):
            pass
        return Inner
    import run_toys
    run_toys.OddReader = local_class()
    run_toys.run_odd(jobs=1, fork=False)
    """
    done = script(body)
    assert "UsageError: worker processes cannot import the pipeline's plugins" in done.stderr


@pytest.mark.parametrize("fork", [True, False])
def test_workers_die_with_the_run(fork):
    """Whatever ends the run, no worker goes on writing."""
    write(a="sleep 30", b="sleep 30")
    body = f"""
    import os, time, signal
    pid = os.getpid()
    if os.fork() == 0:
        while len(found := os.popen(f"ps -o pid= --ppid {{pid}}").read().split()) < 3:
            time.sleep(0.05)
        time.sleep(0.5)
        print(*(one for one in found if int(one) != os.getpid()), flush=True)
        os.kill(pid, signal.SIGKILL)
        os._exit(0)
    run_odd(jobs=2, fork={fork})
    """
    done = script(body)
    assert done.returncode == -signal.SIGKILL
    workers = [int(word) for word in done.stdout.split()]
    assert len(workers) >= 2
    assert gone(workers)
