"""Journals that were damaged or forged: every reader of journals takes them, and touches nothing but its folder."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import io
import json
import os
import random
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[2]
sys.path[:0] = [str(TESTS / "stateful"), str(TESTS / "core")]

from journal_damage import DAMAGES  # noqa: E402
from lab import Lab, Setup  # noqa: E402

from tonearm.cli import status  # noqa: E402
from tonearm.errors import TonearmError  # noqa: E402
from tonearm.run.merge import merge  # noqa: E402
from tonearm.run.options import RunOptions  # noqa: E402
from tonearm.run.run import Run  # noqa: E402
from tonearm.run.store.local_store import LocalStore  # noqa: E402

NAMES = ("journal.jsonl", "journal-1-of-2.jsonl")

HOSTILE: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 63, -(1 << 70), 1e308, -0.5, "", ".", "..", "/", "../victim", "/etc/passwd", "a\0b",
    "\udcff",
    "\x1b[31m\n\u202e", "x" * 5000, "0" * 32, "g" * 32, "{stem}", [], {}, [[]], ["", 0, []], [1, 2], "ünï", "run",
    "end",
    [["../victim", 6, "0" * 32]], 2, 3, "1/2", [1, 2, 3], [0, 0], [5, 2], float("inf"), float("nan"),
)  # fmt: skip
"""Values that no run writes."""

REPORTS: tuple[tuple[dict[str, Any], ...], ...] = ({},), ({"code": "no-level"}, {"warning": "x"}), ({"json": True},)
"""Options of the command `status`; a journal gets one of these lists."""

WHOLE_RUNS = 50
"""One journal out of so many is also run over and merged."""


class _Place:
    """A folder with sources that a run has converted, and the journal of that run."""

    def __init__(self) -> None:
        self.root = Path(
            tempfile.mkdtemp(prefix="journals-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        )
        self.lab = Lab(self.root / "in")
        self.lab.write("a.txt", ("0.125", "bad"))
        self.lab.write("sub/a.txt", ("0.25", "0.5"))
        self.setup = Setup(outputs=("level", "pair"))
        self.out = self.root / "out"
        (self.root / "victim").write_text("victim")
        self.pipeline = self.setup.pipeline(self.lab.root)
        self.pipeline.run(out=self.out, fsync=False)
        self.journal = (self.out / ".tonearm" / NAMES[0]).read_bytes()
        shutil.copytree(self.out, self.root / "kept", copy_function=shutil.copy2)

    def restore(self) -> None:
        """Put the outputs back."""
        shutil.rmtree(self.out)
        shutil.copytree(self.root / "kept", self.out, copy_function=shutil.copy2)

    def put(self, data: bytes) -> None:
        """Put a journal in the place of all others; part of a journal may be that of a part."""
        folder = self.out / ".tonearm"
        for path in folder.glob("journal*"):
            path.unlink()
        (folder / NAMES[zlib.crc32(data) % 3 == 0]).write_bytes(data)

    def others(self) -> dict[str, bytes]:
        """Return the contents of the files that no reader may touch."""
        return {str(path): path.read_bytes() for path in (self.root / "victim", *self.lab.root.rglob("*.txt"))}


_places: dict[int, _Place] = {}


def _place() -> _Place:
    """Return the folder of this process."""
    if os.getpid() not in _places:
        _places[os.getpid()] = _Place()
        atexit.register(shutil.rmtree, _places[os.getpid()].root, ignore_errors=True)
    return _places[os.getpid()]


def seeds() -> Iterable[bytes]:
    """Yield the journal of a run, and that of two runs."""
    journal = _place().journal
    yield journal
    yield journal + journal
    yield journal.replace(b'"part":null', b'"part":[1,2]')


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Damage lines, or change values within records."""
    for _ in range(rng.randint(1, 3)):
        if rng.random() < 0.4:
            data = rng.choice(list(DAMAGES.values()))(data, rng)
            continue
        lines = data.splitlines(keepends=True)
        if not lines:
            return data
        number = rng.randrange(len(lines))
        try:
            record = json.loads(lines[number])
        except (ValueError, RecursionError):
            continue
        lines[number] = json.dumps(_changed(record, rng, [])).encode() + b"\n"
        data = b"".join(lines)
    return data


def _changed(value: Any, rng: random.Random, path: list[object]) -> Any:
    """Return JSON with one value changed, somewhere below."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.05:
            return {name: found for name, found in value.items() if name != key}
        return {**value, key: _changed(value[key], rng, [*path, key])}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        return [*value[:place], _changed(value[place], rng, [*path, place]), *value[place + rng.choice([1, 1, 1, 0]) :]]
    return rng.choice(HOSTILE)


def execute(data: bytes) -> None:
    """Read a journal by all commands that read one. Some journals are also run over and merged."""
    place = _place()
    place.put(data)
    before = place.others()
    _report(place, data)
    is_whole = zlib.crc32(data) % WHOLE_RUNS == 0
    with contextlib.suppress(TonearmError):
        run = Run(place.pipeline, RunOptions(out=str(place.out), fsync=False, force=is_whole, verify=True))
        plan = run.plan(place.pipeline.find_sources())
        if is_whole:
            run.execute(plan, lambda _: None)
        else:
            run.release()
    if is_whole:
        with contextlib.suppress(TonearmError), contextlib.closing(LocalStore(str(place.out))) as store:
            merge(store)
        _report(place, data)
        place.restore()
    assert place.others() == before, "something outside the output folder has changed"


def _report(place: _Place, data: bytes) -> None:
    """Print the status in some way. What is printed is harmless on a terminal."""
    for more in REPORTS[zlib.crc32(data) % 3]:
        given = {
            "out": str(place.out),
            "rank": ["duration"],
            "failed": False,
            "code": None,
            "warning": None,
            "json": False,
        } | more
        printed = io.StringIO()
        with contextlib.suppress(TonearmError), _into(printed):
            status.main(argparse.Namespace(**given))
        text = printed.getvalue()
        assert text.replace("\n", "").isprintable(), ascii(text)
        if given["json"] and text:
            json.loads(text, parse_constant=_refuse)


@contextlib.contextmanager
def _into(printed: io.StringIO) -> Iterator[None]:
    """Print data and messages into a text."""
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield


def _refuse(name: str) -> None:
    raise AssertionError(f"JSON has no {name}")
