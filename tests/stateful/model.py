"""A model of what must be on the disk, and the runs that it follows."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from lab import TESTS, Files, ItemName, Setup

sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "core")]

from invariants import identities, leftover_files, published_files  # noqa: E402
from toy_run import in_child  # noqa: E402
from written_journals import status_of  # noqa: E402

from tonearm.errors import OutputError, TonearmError  # noqa: E402
from tonearm.run import run  # noqa: E402
from tonearm.run.part import Part  # noqa: E402
from tonearm.run.store.local_store import LocalStore  # noqa: E402

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

FINISHED, INTERRUPTED, STOPPED, REFUSED = 0, 130, 4, 2


class Model:
    """A model of a folder of outputs.

    Attributes
    ----------
    lab
        Sources.
    setup
        What the pipeline of the next run is like.
    allowed
        Contents that each file may have: all that runs were asked to write there, and what was put there by hand.
    done
        Items that a run has published, each with the identities of its files. No run writes them again.
    tentative
        Those of them whose source no run has finished: they are only kept while the source's time is the same.
    damaged
        Files whose content was changed by hand while their size stayed, which a run notices with ``verify`` only.
    in_doubt
        Whether the journal was damaged since the last whole run, so that records may be missing.
    was_damaged
        Whether the journal was ever damaged: files of earlier names of outputs may have lost their records for good.
    clock
        Seconds by which the clock of the runs is wrong.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="runs-", dir=MEMORY))
        self.setup = Setup()
        self.allowed: dict[str, set[bytes]] = {}
        self.done: dict[ItemName, dict[str, tuple[int, int]]] = {}
        self.tentative: set[ItemName] = set()
        self.damaged: set[str] = set()
        self.in_doubt = False
        self.was_damaged = False
        self.clock = 0.0

    def journals(self) -> list[str]:
        """Return the names of the journals."""
        return sorted(path.name for path in (self.out / ".tonearm").glob("journal*.jsonl"))

    def _execute(self, *, part: str | None = None, jobs: int = 0, **options: bool) -> Any:
        pipeline = self.setup.pipeline(self.lab.root)
        clock = types.SimpleNamespace(time=lambda: time.time() + self.clock, monotonic=time.monotonic)
        with mock.patch.object(run, "time", clock):
            return pipeline.run(out=self.out, part=part, jobs=jobs, fsync=False, **options)

    def _in_child(self, work: Callable[[], object], install: Callable[[], None]) -> int:
        def status() -> int:
            install()
            try:
                work()
            except OutputError:
                return STOPPED
            except KeyboardInterrupt:
                return INTERRUPTED
            except TonearmError:
                return REFUSED
            return FINISHED

        return in_child(status)

    def _status(self) -> tuple[object, ...]:
        store = LocalStore(str(self.out))
        try:
            found = status_of(store)
        finally:
            store.close()
        return found.sources, found.failing, found.items, found.files, found.size, found.failed

    def _before_run(self, *, force: bool = False, part: str | None = None) -> dict[str, tuple[int, int]]:
        """Note what a run may write. Return the identities of the files that exist."""
        for files in self.lab.items(self.setup).values():
            for name, content in files.items():
                self.allowed.setdefault(name, set()).add(content)
        if force:
            self._forget(lambda item: is_selected(item[1], part))
        return identities(self.out)

    def _after_run(self, part: str | None, *, force: bool, verify: bool) -> None:
        """Check what a run that came to its end has left, and note what it has done."""
        found, content = identities(self.out), published_files(self.out)
        for item, files in self.lab.items(self.setup).items():
            if not is_selected(item[1], part):
                continue
            if force or verify:  # what a run verifies are the outputs of its own pipeline
                self.damaged -= files.keys()
            assert files.keys() <= content.keys(), f"missing: {files.keys() - content.keys()}"
            wrong = {name for name in files if content[name] != files[name]}
            assert wrong <= self.damaged, f"wrong: {wrong}"
            if not wrong:
                self.done[item] = {name: found[name] for name in files}
                self.tentative.discard(item)
                self.damaged -= files.keys()
        assert not leftover_files(self.out), leftover_files(self.out)

    def _after_disturbed_run(self, before: dict[str, tuple[int, int]], *, workers: bool = False) -> None:
        """Note what a run that did not come to its end has published."""
        found, content = identities(self.out), published_files(self.out)
        for item, files in self.lab.items(self.setup).items():
            is_new = any(found.get(name) != before.get(name) for name in files)
            if is_new and all(content.get(name) == files[name] for name in files):
                self.done[item] = {name: found[name] for name in files}
                self.tentative.add(item)
                self.damaged -= files.keys()

    def _touched(self, name: str) -> None:
        self._forget(lambda item: item[1] == name and item in self.tentative)

    def _forget(self, which: Callable[[ItemName], bool]) -> None:
        """Forget what is done, where it need not be kept."""
        for item in [item for item in self.done if which(item)]:
            del self.done[item]
            self.tentative.discard(item)


def main_files(files: Files) -> Iterator[str]:
    """Yield the files of an item that are no sidecars."""
    return (name for name in files if not name.endswith(".json"))


def is_selected(name: str, part: str | None) -> bool:
    """Return whether a source is in a part."""
    return part is None or Part.parse(part).contains(name if "/" in name else f"./{name}")


def records_of(path: Path) -> list[dict[str, Any]]:
    """Return the records of one journal."""
    found = []
    for one in path.read_bytes().split(b"\n"):
        with contextlib.suppress(ValueError, RecursionError):
            record = json.loads(one)
            if isinstance(record, dict):
                found.append(record)
    return found
