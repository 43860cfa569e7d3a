"""The store in a folder: what is refused, and what others may do to it."""

import contextlib
import errno
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from run_toys import Seen, files, leftovers, pipeline, task, write
from store_toys import fill

from tonearm.errors import OutputError
from tonearm.run.convert_one import convert_one
from tonearm.run.options import RunOptions
from tonearm.run.part import Part
from tonearm.run.plan import make_plan
from tonearm.run.prepared import PreparedFile
from tonearm.run.run import Run
from tonearm.run.store import tree
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.store import Store


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


MAIN = "import sys\nfrom tonearm.cli.main import main\nsys.exit(main())"


class TestJournalsOfOthers:
    """A journal that this tonearm cannot read is never continued, and nothing is written beside it."""

    LINES = (
        '{"record":"run","pipeline":"f00d","time":1.5,"sources":1}',
        '{"record":"run","journal":3,"pipeline":"f00d","time":1.5,"sources":1}',
    )
    TOLD = (
        [
            "the journal was written by tonearm 0.1.0",
            "choose another output folder; or remove its folder .tonearm and convert everything again, by force",
        ],
        [
            "the journal has format 3, and this tonearm reads format 2",
            "update tonearm, or choose another output folder",
        ],
    )

    @pytest.mark.parametrize("command", ["run", "status"])
    @pytest.mark.parametrize("number", [0, 1])
    def test_the_command_line_refuses_them(self, folder, number, command):
        os.makedirs("out/.tonearm")
        Path("out/.tonearm/journal.jsonl").write_text(self.LINES[number] + "\n")
        np.save("a.npy", np.zeros(10, "f4"))
        lines = ["tonearm: 1", "input: {use: npy-reader, files: a.npy, with: {kind: waveform, sample_rate: 8000}}"]
        Path("p.yaml").write_text("\n".join([*lines, "outputs:", "  - {use: wav-writer, file: '{stem}.wav'}\n"]))
        arguments = ["run", "p.yaml", "--out", "out"] if command == "run" else ["status", "out"]
        done = subprocess.run([sys.executable, "-c", MAIN, *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2, done.stderr
        for text in self.TOLD[number]:
            assert text in done.stderr
        assert [str(path) for path in Path("out").rglob("*") if path.is_file()] == ["out/.tonearm/journal.jsonl"]
        assert Path("out/.tonearm/journal.jsonl").read_text() == self.LINES[number] + "\n"


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


class TestFolder:
    def test_the_copy_in_a_worker_writes_to_the_same_folder_and_holds_nothing(self, store, monkeypatch):
        store.lock(None, create=True)
        data = pickle.dumps(store)
        monkeypatch.chdir("/")
        copy = pickle.loads(data)
        assert (copy.root, copy.scratch, copy.descriptors) == ("out", store.scratch, [])
        assert copy.kind(".tonearm/lock") == "file"

    def test_journals_in_the_order_of_their_last_change(self, store):
        os.mkdir("out/.tonearm")
        for number, name in enumerate(["journal.jsonl", "journal-1-of-2.jsonl", "other.jsonl", "journal-2-of-2.jsonl"]):
            Path("out/.tonearm", name).write_text("")
            os.utime(f"out/.tonearm/{name}", (100 - number, 100 - number))
        found = [os.path.basename(path) for path in store.journals()]
        assert found == ["journal-2-of-2.jsonl", "journal-1-of-2.jsonl", "journal.jsonl"]
        assert store.journal_time(".tonearm/journal.jsonl") == 100.0
        assert store.journal_size(".tonearm/none.jsonl") == store.journal_time(".tonearm/none.jsonl") == 0

    def test_a_folder_without_journals(self, store):
        Path("file").write_text("")
        assert store.journals() == LocalStore("none").journals() == []

    def test_a_folder_that_cannot_be_read_is_not_empty(self, store, monkeypatch):
        def refuse(_):
            raise PermissionError(errno.EACCES, "Permission denied")

        os.mkdir("out/.tonearm")
        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(OutputError, match="cannot read the journal: permission denied"):
            store.journals()

    def test_whether_a_run_goes_on(self, store):
        other_store = LocalStore("out")
        assert not store.is_running(None)
        other_store.lock(Part(1, 2), create=True)
        assert store.is_running(Part(1, 2)) == (sys.platform == "linux")
        assert not store.is_running(Part(2, 2))
        assert not store.is_running(None)
        other_store.unlock()
        assert not store.is_running(Part(1, 2))

    def test_flushing_a_folder(self, store, monkeypatch):
        store.flush(["", "none/deep"][:1])
        for number, goes in ((errno.EINVAL, True), (errno.EIO, False)):

            def refuse(_, number=number):
                raise OSError(number, os.strerror(number))

            monkeypatch.setattr(os, "fsync", refuse)
            if goes:
                store.flush([""])  # a file system that does not know it
            else:
                with pytest.raises(OutputError, match="cannot write out: input/output error"):
                    store.flush([""])

    @pytest.mark.parametrize(
        ("source", "path"),
        [("out/x/a", "x/a"), ("out/a", "a"), ("link/x/a", "x/a"), ("other/a", None), ("outer/a", None), ("out", None)],
    )
    def test_the_path_of_a_source_below_the_root(self, store, source, path):
        os.makedirs("out/x")
        os.makedirs("other")
        os.makedirs("outer")
        os.symlink("out", "link")
        assert store.path_of(os.path.abspath(source)) == path

    def test_renaming_fails_for_a_reason(self, store):
        with pytest.raises(OutputError, match="cannot write out/a: no such file or directory"):
            store.publish(PreparedFile(temporary=".tonearm-0.part", output="a", size=1, hash=""))

    def test_a_store_is_one_of_the_interface(self, store):
        assert isinstance(store, Store)
        assert store.commits == "driver"
        assert store.scratch == os.path.abspath("out")
