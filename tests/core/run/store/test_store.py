"""What every store promises, held by two: a folder, and a place in memory. Nothing of a run leaks past its store."""

import ast
import contextlib
import json
import os
import pickle
import shutil
import sys
from pathlib import Path

import pytest
from run_toys import Seen, pipeline, write
from written_journals import status_of

import tonearm
from tonearm.errors import OutputError, PipelineError
from tonearm.run.merge import merge
from tonearm.run.options import RunOptions
from tonearm.run.part import Part
from tonearm.run.prepared import PreparedFile
from tonearm.run.run import Run
from tonearm.run.store import publisher
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.lock import LockedError
from tonearm.run.store.run_folder import journal_path
from tonearm.run.store.store import JournalFile, Store

sys.path.insert(0, str(Path(__file__).parent))

from memory_store import PLACES, MemoryStore


class Folder(LocalStore):
    """The store in a folder, with what tests ask of both."""

    def contents(self):
        found = (path for path in Path(self.root).rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found if ".tonearm" not in path.parts}

    def remove(self, path):
        Path(self.root, path).unlink()

    def put(self, path, content):
        Path(self.root, path).parent.mkdir(parents=True, exist_ok=True)
        Path(self.root, path).write_bytes(content)


def in_folder():
    return Folder("out")


def in_memory():
    return MemoryStore("out", os.path.abspath("scratch"))


KINDS = pytest.mark.parametrize("make", [in_folder, in_memory])


@pytest.fixture(autouse=True)
def inputs(folder, monkeypatch):
    monkeypatch.setattr(publisher, "SYNC_EVERY", 1e9)  # else a slow machine writes more records
    PLACES.clear()
    write(a="k 0.5", b="k 0.25", c="k 0.125\nl x")
    return folder


def run(make, found=None, *, sources=None, **options):
    """Run once over a store; return the report, and the error if there was one."""
    found = found or pipeline("{stem}/{key}.raw", encoder="two-files")
    one = Run(found, RunOptions(out="out", **{"fsync": False, "jobs": 0, **options}), make())
    try:
        one.execute(one.plan(found.find_sources(sources)), Seen())
    except (OutputError, LockedError, PipelineError) as error:
        return one.report, error
    return one.report, None


def counts(report):
    return report.total, report.sources, report.converted, report.failed, report.skipped


def records(make):
    """Return the records of all journals, but for times."""
    store = make()
    lines = [json.loads(line) for name in store.journals() for line in store.read_journal(name)]
    store.close()
    return [{key: value for key, value in line.items() if key not in ("time", "seconds")} for line in lines]


def both(act):
    """Return what comes of doing something with each store."""
    found = []
    for make in (in_folder, in_memory):
        for name in ("out", "scratch"):
            shutil.rmtree(name, ignore_errors=True)
        write(a="k 0.5", b="k 0.25", c="k 0.125\nl x")
        for name in "abc":
            os.utime(f"{name}.txt", ns=(5, 5))
        found.append(act(make))
        if make is in_memory:
            assert not os.path.exists("out")
            assert not [path for path in Path("scratch").rglob("*") if path.is_file()]
    return found


class TestRuns:
    @pytest.mark.parametrize("jobs", [0, 2])
    @pytest.mark.parametrize("fsync", [False, True])
    def test_the_same_files_and_records(self, jobs, fsync):
        def act(make):
            report, error = run(make, jobs=jobs, fsync=fsync)
            assert error is None
            found = sorted(json.dumps(record, sort_keys=True) for record in records(make))
            return counts(report), sorted(map(str, report.outputs)), make().contents(), found

        first, second = both(act)
        assert first == second
        assert sorted(first[2]) == ["a/k.json", "a/k.raw", "b/k.json", "b/k.raw", "c/k.json", "c/k.raw"]
        assert first[0] == (3, 3, 3, 1, 0)

    def test_the_same_records_in_the_same_order(self):
        def act(make):
            run(make)
            return records(make)

        first, second = both(act)
        assert first == second
        assert [record["record"] for record in first[:1] + first[-1:]] == ["run", "stop"]

    def test_what_is_done_is_not_done_again(self):
        def act(make):
            run(make)
            seen = [counts(run(make)[0])]
            write(a="k 0.75")
            seen.append(counts(run(make)[0]))
            make().remove("b/k.json")
            seen.append(counts(run(make)[0]))
            make().put("b/k.raw", b"another of size 40" + bytes(22))
            seen.append(counts(run(make)[0]))
            seen.append(counts(run(make, verify=True)[0]))
            return seen, make().contents()

        first, second = both(act)
        assert first == second
        assert first[0] == [(1, 1, 0, 1, 2), (2, 2, 1, 1, 1), (2, 2, 1, 1, 1), (1, 1, 0, 1, 2), (2, 2, 1, 1, 1)]

    def test_clashes_are_refused(self):
        def act(make):
            make().put("a.raw", b"theirs")
            told = []
            for template in ("{stem}.raw", "same.raw"):
                _, error = run(make, pipeline(template))
                told.append([(problem.code, problem.message) for problem in error.problems])
            return told, make().contents()

        first, second = both(act)
        assert first == second
        assert [problems[0][0] for problems in first[0]] == ["not-ours", "same-output"]
        assert first[1] == {"a.raw": b"theirs"}

    def test_a_fault_of_publishing_ends_the_run_and_what_was_finished_stays(self, monkeypatch):
        def act(make):
            def failing():
                store = make()
                real = store.publish

                def publish(file):
                    if file.output == "b/k.raw":
                        raise OutputError(f"cannot write out/{file.output}: no")
                    real(file)

                store.publish = publish
                return store

            report, error = run(failing)
            store = make()
            left = list(Path(store.scratch).rglob(".tonearm-*"))
            return report.stopped, str(error), left, counts(run(make)[0])[-1] > 0, store.contents()

        first, second = both(act)
        assert first == second
        assert first[:3] == ("output", "cannot write out/b/k.raw: no", [])
        assert len(first[4]) == 6

    def test_parts_share_a_store(self):
        def act(make):
            seen = [counts(run(make, part=Part(number, 2))[0])[:3] for number in (1, 2)]
            store = make()
            return seen, store.journals(), store.contents(), counts(run(make)[0])

        first, second = both(act)
        assert first == second
        assert first[3] == (1, 1, 0, 1, 2)

    def test_parts_are_one_run_and_are_merged(self):
        def act(make):
            run(make, part=Part(2, 2))
            seen = []
            for _ in range(2):
                with contextlib.closing(make()) as store:
                    report = merge(store)
                    (shared,) = status_of(store).shared
                    seen.append((report.merged, report.is_complete, shared.missing, shared.items, store.journals()))
                run(make, part=Part(1, 2))
            return seen, counts(run(make)[0])

        first, second = both(act)
        assert first == second
        assert [one[:3] for one in first[0]] == [(1, False, [1]), (1, False, [])]  # an item has failed
        assert first[0][1][4] == [journal_path()]

    def test_two_runs_at_a_time_are_refused(self):
        def act(make):
            with contextlib.closing(make()) as store:
                store.lock(None, create=True)
                _, error = run(make)
                return str(error).splitlines()[0], make().contents()

        first, second = both(act)
        assert first == second == ("another run holds out", {})


OPENING = {
    *("open", "fdopen", "unlink", "mkdir", "rmdir", "rename", "touch", "chmod", "symlink_to", "hardlink_to"),
    *("stat", "lstat", "exists", "lexists", "is_file", "is_dir", "isfile", "isdir", "islink", "getsize", "realpath"),
    *("iterdir", "glob", "rglob", "walk", "read_bytes", "read_text", "write_bytes", "write_text"),
}
"""Functions and methods that look at files. The linter bans those of ``os``, and cannot tell methods of paths."""

ALLOWED = {
    ("cli/watcher.py", "open"): "what /proc tells of processes",
    ("cli/pipes.py", "open"): "a pipe that the user names",
    ("cli/pipes.py", "stat"): "whether that is a pipe or a device",
    ("cli/console.py", "open"): "a standard stream that is closed",
    ("cli/progress.py", "fdopen"): "standard output",
    ("cli/parser.py", "lexists"): "a source whose name looks like an option",
    ("run/convert_one.py", "realpath"): "a source that is a link",
    ("run/reading_problem.py", "isfile"): "the first source, before anything is written",
}
"""Calls that have nothing to do with outputs, by module and name."""


def test_only_the_store_looks_at_outputs():
    package = Path(tonearm.__file__).parent
    modules = [*package.glob("run/*.py"), *package.glob("cli/*.py")]
    found = set()
    for module in modules:
        calls = (node.func for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call))
        names = {getattr(call, "attr", getattr(call, "id", "")) for call in calls}
        found |= {(str(module.relative_to(package)), name) for name in names & OPENING}
    assert len(modules) > 20
    assert found - set(ALLOWED) == set()


SEEN: list[tuple[str, ...]] = []
WATCHED: list[str] = []


def note(event, *paths):
    """Note a call of the system that has to do with the watched folder."""
    names = [os.fsdecode(path) for path in paths if isinstance(path, (str, bytes, os.PathLike))]
    SEEN.extend((event, name) for name in names if os.path.abspath(name).startswith(WATCHED[0]))


def audit(event, arguments):
    if WATCHED and (event == "open" or event.startswith(("os.", "shutil.", "pathlib.", "glob."))):
        note(event, *arguments[:2])


sys.addaudithook(audit)


class TestNothingLeaksPastTheStore:
    @pytest.fixture
    def watched(self, inputs, monkeypatch):
        """Watch all calls of the system on paths below the folder ``out``, those that are not audited too."""
        for name in ("stat", "lstat", "statvfs", "access", "readlink"):
            real = getattr(os, name)

            def call(path, *arguments, name=name, real=real, **more):
                if WATCHED:
                    note(name, path)
                return real(path, *arguments, **more)

            monkeypatch.setattr(os, name, call)
        SEEN.clear()
        WATCHED.append(str(inputs / "out"))
        yield SEEN
        WATCHED.clear()

    def test_of_a_run_in_memory(self, watched):
        for options in ({}, {"fsync": True}, {"force": True}, {"verify": True}, {"part": Part(1, 2)}):
            report, error = run(in_memory, **options)
            assert error is None
            assert report.outputs is not None
            assert report.errors is not None
        assert len(in_memory().contents()) == 6
        assert watched == []
        assert not os.path.exists("out")

    def test_the_watch_sees_a_run_in_a_folder(self, watched):
        run(in_folder)
        assert watched


def test_what_a_store_has_to_define():
    """Only what follows from the rest has a default. A store that lacks anything else cannot be made."""
    assert Store.__abstractmethods__ == {name for name in vars(Store) if name[0] != "_"} - {"commits", "descriptors"}
    assert JournalFile.__abstractmethods__ == {"append", "flush", "size", "close"}

    class Least(Store):
        """A store that defines nothing beyond what it must, each a method that returns nothing."""

        locals().update(dict.fromkeys(Store.__abstractmethods__, lambda self: None))

    assert (Least("x").root, Least("x").commits, Least("x").descriptors) == ("x", "driver", [])


@KINDS
class TestPromises:
    @pytest.fixture
    def store(self, make):
        found = make()
        yield found
        found.close()

    def publish(self, store, path, content=b"content"):
        with store.temporaries(None, fsync=False) as temporaries:
            temporaries.sink(path).path.write_bytes(content)
            ((file,),) = temporaries.finish()
        store.publish(file)
        return file

    def test_an_output_is_there_when_it_is_published(self, store):
        assert (store.kind("x/a"), store.state("x/a"), store.hash("x/a")) == ("nothing", None, "")
        file = self.publish(store, "x/a")
        assert (store.kind("x/a"), store.kind("x"), store.hash("x/a")) == ("file", "folder", file.hash)
        assert store.state("x/a")[0] == 7
        self.publish(store, "x/a", b"more content")
        assert store.state("x/a")[0] == 12
        assert store.contents() == {"x/a": b"more content"}

    def test_what_is_not_prepared_is_not_published(self, store):
        with pytest.raises(OutputError):
            store.publish(PreparedFile(temporary=".tonearm-0000000000000000.part", output="a", size=1, hash=""))

    def test_a_journal_grows_and_is_read_from_any_line(self, store):
        store.lock(None, create=True)
        name = store.journal_name(None)
        assert (name, store.journals(), store.journal_size(name)) == (journal_path(), [], 0)
        assert list(store.read_journal(name)) == []
        with contextlib.closing(store.open_journal(None)) as file:
            assert (file.name, file.size) == (name, 0)
            file.append(b"one\n")
            file.append(b"two\n")
            file.flush()
            assert file.size == store.journal_size(name) == 8
        assert list(store.read_journal(name)) == [b"one\n", b"two\n"]
        assert list(store.read_journal(name, 4)) == [store.read_line(name, 4)] == [b"two\n"]
        assert store.journals() == [name]
        assert store.journal_time(name) > 0

    def test_the_journals_of_parts_are_replaced_by_one(self, store):
        store.lock(None, create=True)
        for part in (None, Part(1, 2)):
            with contextlib.closing(store.open_journal(part)) as file:
                file.append(b"old\n")
        store.replace_journal([b"new\n", b"er\n"])
        store.remove_journal(Part(1, 2))
        assert list(store.read_journal(journal_path())) == [b"new\n", b"er\n"]
        assert store.journals() == [journal_path()]

    def test_locks(self, store, make):
        with contextlib.closing(make()) as other:
            store.lock(Part(1, 2), create=True)
            other.lock(Part(2, 2), create=True)
            other.unlock()
            for part in (None, Part(1, 2)):
                with pytest.raises(LockedError):
                    other.lock(part, create=True)
            store.unlock()
            assert other.lock(None, create=True) == ""

    def test_temporaries_are_local_files_below_the_scratch_folder(self, store):
        with contextlib.closing(store.owner()) as owner, store.temporaries(owner, fsync=True) as temporaries:
            path = temporaries.sink("x/a").path
            assert path.is_absolute()
            assert path.is_relative_to(store.scratch)
            store.sweep()
            assert path.exists()
        assert not path.exists()

    def test_the_copy_in_a_worker_writes_to_the_same_scratch_folder(self, store):
        copy = pickle.loads(pickle.dumps(store))
        assert (type(copy).__mro__[-3:], copy.root, copy.scratch) == (Store.__mro__, store.root, store.scratch)
        with copy.temporaries(None, fsync=False) as temporaries:
            temporaries.sink("a").path.write_bytes(b"content")
            ((file,),) = temporaries.finish()
        store.publish(file)
        assert store.contents() == {"a": b"content"}
        file = self.publish(copy, "b")
        store.discard([file])
