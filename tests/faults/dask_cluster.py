"""A real scheduler and workers of Dask on loopback, which tests start, stop and kill, and sources for them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli_runs import PATIENCE, add_step, finish, start, undisturbed_outputs, wait_until, write_inputs
from invariants import Identities, Outputs, differences, identities, leftover_files, unrecorded_files

STEP = """
with (folder / "calls").open("a") as calls:
    calls.write(f"{context.source.stem} {os.getpid()}\\n")
deed = folder / "deeds" / context.source.stem
if deed.exists():
    exec(deed.read_text(), globals())
time.sleep(0.005)
"""
"""Step that says which process works at a source, and does what a test has written down for that source."""


class Cluster:
    """A scheduler and workers, each a process group of its own.

    Parameters
    ----------
    folder
        Folder of their files.
    env
        Environment of the workers.

    Attributes
    ----------
    address
        Address of the scheduler; a restarted one has the same.
    scheduler
        Process of the scheduler.
    workers
        Processes of the workers, or of their nannies, by name.
    """

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = {**env, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "10s"}
        self.address = ""
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._has_nanny: dict[str, bool] = {}
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Start the scheduler, and wait until it listens."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        port = self.address.rpartition(":")[2] or "0"
        arguments = [
            "--host",
            "127.0.0.1",
            "--port",
            port,
            "--dashboard-address",
            "127.0.0.1:0",
            "--scheduler-file",
            str(file),
        ]
        self.scheduler = self._start("scheduler", "scheduler", *arguments)

        def is_there() -> bool:
            assert self.scheduler.poll() is None, self.log("scheduler")
            with contextlib.suppress(OSError, ValueError, KeyError):
                self.address = json.loads(file.read_text())["address"]
                return True
            return False

        wait_until(is_there)

    def start_worker(
        self, name: str, *arguments: str, nanny: bool = False, prefix: tuple[str, ...] = (), **more: Any
    ) -> None:
        """Start a worker of one thread; `wait_for_workers` waits until it works."""
        line = [self.address, "--host", "127.0.0.1", "--name", name, "--nthreads", "1", "--no-dashboard"]
        line += ["--local-directory", str(self.folder / f"files-of-{name}"), "--nanny" if nanny else "--no-nanny"]
        if "--memory-limit" not in arguments:
            line += ["--memory-limit", "0"]
        self._has_nanny[name] = nanny
        self.workers[name] = self._start(name, "worker", *line, *arguments, prefix=prefix, **more)

    def _start(
        self, name: str, role: str, *arguments: str, prefix: tuple[str, ...] = (), env: Any = None, cwd: Any = None
    ) -> subprocess.Popen[bytes]:
        line = [*prefix, sys.executable, "-m", f"distributed.cli.dask_{role}", *arguments]
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                line,
                env=env or self.env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def arguments(self) -> tuple[str, ...]:
        """Return the options of a run on the cluster."""
        return ("--executor", "dask", "--executor-option", f"scheduler={self.address}")

    def log(self, name: str) -> str:
        """Return what the scheduler or a worker has printed."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Kill the scheduler or a worker along with its nanny, or end it by another signal; wait until it is dead."""
        process = self.scheduler if name == "scheduler" else self.workers.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait(PATIENCE)

    def close(self) -> None:
        """End all processes."""
        for name in [*self.workers, "scheduler"]:
            self.kill(name)

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """Give a client of the scheduler."""
        from distributed import Client

        with Client(self.address, timeout=PATIENCE, set_as_default=False) as client:
            yield client

    def keep_workers(self, **nannies: bool) -> dict[str, int]:
        """Have the named workers run, each with a nanny or without one, and no others; return their process ids."""
        for name in self.workers.keys() - nannies.keys():
            self.kill(name)
        for name, nanny in nannies.items():
            if name in self.workers and self._has_nanny[name] != nanny:
                self.kill(name)

        def are_alive() -> bool:
            for name, nanny in nannies.items():
                if name in self.workers and self.workers[name].poll() is not None:  # it takes a while to end itself
                    self.kill(name)
                if name not in self.workers:
                    self.start_worker(name, nanny=nanny)
            return self._names().keys() == nannies.keys()

        wait_until(are_alive)
        addresses = self._names()
        with self.client() as client:
            pids = client.run(os.getpid)
        return {name: pids[address] for name, address in addresses.items()}

    def wait_until_dead(self, pid: int) -> None:
        """Wait until a process is dead and its parent knows."""
        for process in self.workers.values():
            if process.pid == pid:
                process.wait(PATIENCE)
        wait_until(lambda: not Path(f"/proc/{pid}").exists())

    def wait_for_workers(self, *names: str) -> dict[str, str]:
        """Wait until workers have joined, and no others are there; return their addresses by name."""
        wait_until(lambda: self._names().keys() == set(names))
        return self._names()

    def _names(self) -> dict[str, str]:
        with self.client() as client:
            found = client.scheduler_info(n_workers=-1)["workers"]
        return {worker["name"]: address for address, worker in found.items()}

    def topics(self) -> list[str]:
        """Return the topics of runs about which the scheduler still keeps events."""

        def on_scheduler(dask_scheduler: Any) -> list[str]:
            return [topic for topic in dask_scheduler.get_events() if topic.startswith("tonearm")]

        with self.client() as client:
            found: list[str] = client.run_on_scheduler(on_scheduler)
        return found

    def leftovers(self) -> list[str]:
        """Return what a run that has ended left on the scheduler and in the workers, one per line."""

        def on_scheduler(dask_scheduler: Any) -> list[str]:
            found = [f"task: {key}" for key in dask_scheduler.tasks if str(key).startswith("tonearm")]
            found += [f"plugin: {name}" for name in dask_scheduler.plugins if name.startswith("tonearm")]
            return found

        def in_worker() -> list[str]:
            from tonearm.run.workers import admission

            return [f"work: {mark}" for mark in admission._process.admitted]

        def ask(client: Any) -> list[str]:
            found = client.run_on_scheduler(on_scheduler)
            return found + [line for lines in client.run(in_worker).values() for line in lines]

        with self.client() as client:
            with contextlib.suppress(AssertionError):
                wait_until(lambda: not ask(client), seconds=10)  # what is released is so a moment later
            return ask(client)


class Lab:
    """A folder of sources, and a cluster whose workers convert them.

    Parameters
    ----------
    folder
        Empty folder.
    count
        Number of sources.

    Attributes
    ----------
    env
        Environment of the runs, as of the workers.
    expected
        Outputs of a run that nobody disturbs.
    out
        Output folder of the runs.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        write_inputs(folder, count)
        self.env = add_step(folder, STEP)
        self.expected: Outputs = undisturbed_outputs(folder, env=self.env)
        self.out = folder / "out"
        self.deeds = folder / "deeds"
        self.deeds.mkdir()
        (folder / "cluster").mkdir()
        self.cluster = Cluster(folder / "cluster", self.env)

    def clear(self) -> None:
        """Forget what earlier runs did."""
        shutil.rmtree(self.out, ignore_errors=True)
        (self.folder / "calls").unlink(missing_ok=True)
        for path in [*self.deeds.iterdir(), *self.folder.glob("held.*")]:
            path.unlink()
        (self.folder / "released").unlink(missing_ok=True)

    def start(self, *arguments: object, **more: Any) -> subprocess.Popen[str]:
        """Start a run on the cluster."""
        return start(self.folder, *self.cluster.arguments(), *arguments, **{"env": self.env, **more})

    def run(self, *arguments: object, **more: Any) -> tuple[int, str]:
        """Run to the end; return the exit status and the text on standard error."""
        return finish(self.start(*arguments, **more))

    def calls(self) -> list[tuple[str, int]]:
        """Return the sources that were worked at, each with the process that did."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(stem, int(pid)) for stem, pid in (line.split() for line in lines)]

    def worker_of(self, stem: str) -> str:
        """Return the name of the worker, one without a nanny, that worked at a source last."""
        pid = [pid for one, pid in self.calls() if one == stem][-1]
        return next(name for name, process in self.cluster.workers.items() if process.pid == pid)

    def published(self) -> Identities:
        """Return the identities of what is published so far."""
        return identities(self.out)

    def wait_for_outputs(self, count: int) -> None:
        """Wait until so many outputs are published."""
        wait_until(lambda: len(identities(self.out)) >= count)

    def violations(self, expected: Outputs | None = None) -> list[str]:
        """Return the rules that a run that has ended broke."""
        expected = self.expected if expected is None else expected
        owners = self.out / ".tonearm" / "owners"
        lines = [f"owner left: {path.name}" for path in owners.iterdir()] if owners.exists() else []
        lines += differences(self.out, expected) + unrecorded_files(self.out) + leftover_files(self.out)
        return lines + self.cluster.leftovers()

    def redone(self, allowed: set[int]) -> list[str]:
        """Return the sources that were worked at again after a process that must not be at fault had begun them."""
        first: dict[str, int] = {}
        lines = []
        for stem, pid in self.calls():
            if stem in first and first[stem] not in allowed:
                lines.append(f"done again: {stem}, of process {first[stem]}, in process {pid}")
            first[stem] = pid
        return lines


def summary(messages: str) -> str:
    """Return the figures of a run's summary: ``20 converted, 0 failed``; an empty text if there is none."""
    found = re.search(r"^\d+ converted, \d+ failed", messages, re.MULTILINE)
    return found[0] if found else ""
