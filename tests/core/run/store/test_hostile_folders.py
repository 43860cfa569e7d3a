"""Runs into a folder where others have put links, pipes and folders in the place of what is ours."""

import contextlib
import os
import signal
from pathlib import Path

import pytest
from run_toys import Seen, files, leftovers, pipeline, task, write
from store_toys import fill

from tonearm.errors import OutputError
from tonearm.run.convert_one import convert_one
from tonearm.run.options import RunOptions
from tonearm.run.plan import make_plan
from tonearm.run.run import Run
from tonearm.run.store import tree
from tonearm.run.store.local_store import LocalStore


@contextlib.contextmanager
def deadline(seconds=20):
    """End a test that blocks by an error."""

    def late(*_):
        raise AssertionError("it blocks")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def a_link(path):
    Path("elsewhere").mkdir(exist_ok=True)
    os.symlink(os.path.abspath("elsewhere"), path)


def a_link_to_a_file(path):
    Path("elsewhere").mkdir(exist_ok=True)
    Path("elsewhere/file").write_text("")
    os.symlink(os.path.abspath("elsewhere/file"), path)


class TestWhatIsRefused:
    """A link below the root leads nowhere, and what is no file neither blocks nor is written."""

    REFUSED = "is a link, and links below an output folder are not followed"

    @pytest.fixture(autouse=True)
    def inputs(self, store):
        write(a="k 0.5")

    def run(self, file="{stem}.raw", **options):
        found = pipeline(file)
        one = Run(found, RunOptions(out="out", jobs=0, fsync=False, **options))
        with deadline(), pytest.raises(OutputError) as caught:
            one.execute(one.plan(found.find_sources()), Seen())
        return caught.value.message

    def elsewhere(self):
        return {path: path.read_text() for path in Path("elsewhere").rglob("*") if path.is_file()}

    @pytest.mark.parametrize(
        ("name", "make", "message"),
        [
            (".tonearm", a_link, f"cannot write to out: .tonearm {REFUSED}"),
            (".tonearm/lock", a_link_to_a_file, f"cannot write to out: lock {REFUSED}"),
            (".tonearm/journal.jsonl", a_link_to_a_file, f"cannot read the journal: journal.jsonl {REFUSED}"),
            (
                ".tonearm/owners",
                a_link,
                f"cannot write out/.tonearm/owners: owners {REFUSED}",
            ),
            (".tonearm", os.mkfifo, "cannot write to out: not a directory"),
            (".tonearm/lock", os.mkdir, "cannot write to out: is a directory"),
            (
                ".tonearm/journal.jsonl",
                os.mkfifo,
                "cannot read the journal: .tonearm/journal.jsonl is no regular file",
            ),
            (
                ".tonearm/journal.jsonl",
                os.mkdir,
                "cannot read the journal: .tonearm/journal.jsonl is no regular file",
            ),
            (".tonearm/owners", os.mkfifo, "cannot write out/.tonearm/owners: not a directory"),
        ],
    )
    def test_in_the_hidden_folder(self, name, make, message):
        os.makedirs(os.path.dirname(f"out/{name}"), exist_ok=True)
        make(f"out/{name}")
        assert self.run() == message
        assert files() == {}
        assert set(self.elsewhere().values()) <= {""}

    def test_a_dangling_link_makes_no_file(self):
        os.mkdir("out/.tonearm")
        os.symlink(os.path.abspath("nowhere"), "out/.tonearm/lock")
        assert self.run() == f"cannot write to out: lock {self.REFUSED}"
        assert not os.path.exists("nowhere")

    @pytest.mark.parametrize("link", ["x", "x/y", "x/y/z"])
    def test_a_folder_of_an_output(self, link):
        """A name that follows from the source's is refused before anything is read or written."""
        os.makedirs(os.path.dirname(f"out/{link}"), exist_ok=True)
        a_link(f"out/{link}")
        name = link.rpartition("/")[2]
        found = pipeline("x/y/z/{stem}.raw")
        with pytest.raises(OutputError) as caught:
            make_plan(found, LocalStore("out"), found.find_sources(), RunOptions(out="out", force=True))
        assert caught.value.message == f"cannot write out/x/y/z/a.raw: {name} {self.REFUSED}"
        assert self.run("x/y/z/{stem}-{index}.raw") == f"cannot write out/x/y/z/a-0.raw: {name} {self.REFUSED}"
        with pytest.raises(OutputError, match=self.REFUSED):
            convert_one(found, task("a.txt").source(), Path("out"), force=True, on_warning=print)
        assert self.elsewhere() == {}
        assert leftovers() == []

    @pytest.mark.parametrize("make", [os.mkfifo, a_link_to_a_file, lambda path: os.symlink("/dev/zero", path)])
    def test_what_has_the_name_of_an_output_is_replaced_and_not_opened(self, make):
        make("out/a.raw")
        found = pipeline()
        with deadline():
            store = LocalStore("out")
            assert store.kind("a.raw") == "other"
            assert (store.state("a.raw"), store.hash("a.raw")) == (None, "")
            one = Run(found, RunOptions(out="out", jobs=0, force=True, fsync=False))
            one.execute(one.plan(found.find_sources()), Seen())
        assert os.path.isfile("out/a.raw")
        assert not os.path.islink("out/a.raw")
        assert set(self.elsewhere().values()) <= {""}

    def test_a_pipe_as_an_owner_or_lock_does_not_block(self):
        fill()
        os.makedirs("out/.tonearm/owners")
        os.mkfifo("out/.tonearm/owners/00010002")
        with deadline():
            store = LocalStore("out")
            store.take_over("00010002")
            store.lock(None, create=True)
            store.sweep()
            store.close()
            os.unlink("out/.tonearm/lock")
            os.mkfifo("out/.tonearm/lock")
            with pytest.raises(OutputError, match=r"cannot write to out: \.tonearm/lock is no regular file"):
                store.lock(None, create=True)

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, a_link_to_a_file])
    def test_the_space_in_reserve_is_taken_from_nobody(self, make):
        os.mkdir("out/.tonearm")
        make("out/.tonearm/journal.reserve")
        found = pipeline()
        with deadline():
            one = Run(found, RunOptions(out="out", jobs=0))
            assert one.execute(one.plan(found.find_sources()), Seen()).ok
        assert [os.path.getsize(path) for path in self.elsewhere()] in ([], [0])

    def test_the_root_may_be_a_link(self, folder):
        os.symlink("out", "link")
        found = pipeline("x/{stem}.raw")
        one = Run(found, RunOptions(out="link", jobs=0, fsync=False))
        one.execute(one.plan(found.find_sources()), Seen())
        assert list(files("out")) == ["x/a.raw"]


def test_more_folders_than_are_kept_open(folder, monkeypatch):
    monkeypatch.setattr(tree, "MAX_OPEN_FOLDERS", 7)
    names = [f"{number:02}" for number in range(40)]
    write(**dict.fromkeys(names, "k 0.5\nl 0.5"))
    found = pipeline("{key}/{stem}/x.raw")
    for done in (0, 40):
        one = Run(found, RunOptions(out="out", jobs=0))
        report = one.execute(one.plan(found.find_sources()), Seen())
        assert (report.converted, report.skipped) == (80 - 2 * done, done)
    assert sorted(files()) == sorted(f"{key}/{name}/x.raw" for key in "kl" for name in names)
