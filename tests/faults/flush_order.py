"""The order of flushes and renames: what a run renames is on the disk by then, and so is the record of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

from toy_run import OUT, convert, path_in, path_of, result_of_child, write_sources


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
        def call(*arguments, **more):
            note(*arguments, **more)
            return real(*arguments, **more)

        return call

    def _open(self, path: str, flags: int, *_: object, dir_fd: int | None = None) -> None:
        whole = path_in(path, dir_fd)
        if flags & os.O_CREAT and path.endswith(".jsonl") and not os.path.exists(whole):
            self._named.add(whole)

    def _mkdir(self, path: str, *_: object, dir_fd: int | None = None) -> None:
        if path != "owners":  # a folder that each run makes and removes, and of which nothing depends
            self._named.add(path_in(path, dir_fd))

    def _write(self, descriptor: int, data: bytes) -> None:
        if path_of(descriptor).endswith(".jsonl"):
            for record in map(json.loads, data.splitlines()):
                outputs = record.get("outputs", []) if record["record"] == "begin" else []
                paths = [path for _, items in outputs for _key, _index, files in items for path, _size, _hash in files]
                self._journal += paths or [record["record"]]

    def _fsync(self, descriptor: int) -> None:
        path = path_of(descriptor)
        self._flushed[path] = os.stat(path).st_size
        self._named = {name for name in self._named if os.path.dirname(name) != path}
        if path.endswith(".jsonl"):
            self._safe.update(self._journal)
            self._journal = []

    _fdatasync = _fsync

    def _replace(
        self, source: str, target: str, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        path, whole = path_in(source, src_dir_fd), path_in(target, dst_dir_fd)
        name = os.path.relpath(whole, OUT)
        if self._flushed.get(path) != os.stat(path).st_size:
            self._lines.append(f"renamed before its content is on the disk: {name}")
        if any(one.endswith(".jsonl") for one in self._named):
            self._lines.append(f"renamed before the journal's own name is on the disk: {name}")
        if name not in self._safe:
            self._lines.append(f"renamed before its record is on the disk: {name}")
        self._named.add(whole)

    def lines(self) -> Iterator[str]:
        yield from self._lines
        yield from (f"not on the disk at the end: {kind}" for kind in self._journal)
        yield from (f"its name is not on the disk at the end: {os.path.basename(name)}" for name in self._named)
