"""The order of flushes and renames: what a run renames is on the disk by then, and so is the record of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

from toy_run import OUT, convert, path_of, result_of_child, write_sources


def flush_violations(breaker: Callable[[], None]) -> list[str]:
    """Return the files that a run renames before they are on the disk, and what is not on the disk when it ends."""
    write_sources("5")

    def work() -> list[str]:
        breaker()
        watch = Watch()
        watch.install()
        convert()
        return list(watch.lines())

    return result_of_child(work)


class Watch:
    """A record of the order in which files are flushed and renamed."""

    def __init__(self) -> None:
        self._flushed: dict[str, int] = {}
        self._journal: list[str] = []
        self._safe: set[str] = set()
        self._named: set[str] = set()
        self._lines: list[str] = []

    def install(self) -> None:
        for name in ("open", "mkdir", "write", "fsync", "fdatasync", "replace"):
            setattr(os, name, self._wrapped(getattr(self, f"_{name}"), getattr(os, name)))

    def _wrapped(self, note: Callable, real: Callable) -> Callable:
        def call(*arguments):
            note(*arguments)
            return real(*arguments)

        return call

    def _open(self, path: str, flags: int, *_: object) -> None:
        if flags & os.O_CREAT and path.endswith(".jsonl") and not os.path.exists(path):
            self._named.add(os.path.abspath(path))

    def _mkdir(self, path: str, *_: object) -> None:
        self._named.add(os.path.abspath(path))

    def _write(self, descriptor: int, data: bytes) -> None:
        if path_of(descriptor).endswith(".jsonl"):
            record = json.loads(data)
            self._journal.append(record.get("output", record["record"]))

    def _fsync(self, descriptor: int) -> None:
        path = path_of(descriptor)
        self._flushed[path] = os.stat(path).st_size
        self._named = {name for name in self._named if os.path.dirname(name) != path}
        if path.endswith(".jsonl"):
            self._safe.update(self._journal)
            self._journal = []

    _fdatasync = _fsync

    def _replace(self, source: str, target: str) -> None:
        path = os.path.abspath(source)
        name = os.path.relpath(target, OUT)
        if self._flushed.get(path) != os.stat(path).st_size:
            self._lines.append(f"renamed before its content is on the disk: {name}")
        if any(one.endswith(".jsonl") for one in self._named):
            self._lines.append(f"renamed before the journal's own name is on the disk: {name}")
        if name not in self._safe:
            self._lines.append(f"renamed before its record is on the disk: {name}")
        self._named.add(os.path.abspath(target))

    def lines(self) -> Iterator[str]:
        yield from self._lines
        yield from (f"not on the disk at the end: {kind}" for kind in self._journal)
        yield from (f"its name is not on the disk at the end: {os.path.basename(name)}" for name in self._named)
