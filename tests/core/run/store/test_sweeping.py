"""The store in a folder, beside other processes: what is held, and what is swept."""

import contextlib
import errno
import fcntl
import os
import signal
from pathlib import Path

import pytest
from run_toys import Seen, files, leftovers, pipeline, script, task, write
from store_toys import NAMES, OTHERS, below, fill, is_locked, kill

from tonearm.run.convert_one import convert_one
from tonearm.run.options import RunOptions
from tonearm.run.prepared import PreparedFile
from tonearm.run.run import Run
from tonearm.run.store.local_store import LocalStore


class TestSweeping:
    @pytest.mark.parametrize(
        ("owner", "folders", "kept"),
        [
            ("", None, ()),
            ("", [""], NAMES[4:]),
            ("00010002", [""], NAMES[2:]),
            ("00010002", None, NAMES[2:4]),
            ("00010002", ["x/y", "none"], NAMES[:4]),
        ],
    )
    def test_only_temporaries_and_only_those_asked_for(self, store, owner, folders, kept):
        fill()
        store.sweep(owner, folders)
        assert below() == sorted([*kept, *OTHERS])

    def test_a_wherethat_is_gone_raises_nothing(self, folder):
        LocalStore("none").sweep()
        assert not os.path.exists("none")

    def test_what_nobody_will_publish(self, store):
        fill()
        file = PreparedFile(temporary=".tonearm-0001000200000009.part", output="x/y/a.wav", size=1, hash="")
        store.discard([file, file])
        assert NAMES[4] not in below()

    def test_a_living_owner_keeps_its_files_and_a_killed_one_does_not(self, store, other):
        process = other(
            """
            store = LocalStore("out")
            temporaries = store.temporaries(store.owner(), fsync=False)
            temporaries.sink("x/a.wav").sidecar(".json").write_text("{}")
            """
        )
        store.sweep()
        assert len(leftovers()) == 2
        assert os.listdir("out/.tonearm/owners")
        kill(process)
        store.sweep()
        assert leftovers() == os.listdir("out/.tonearm/owners") == []

    def test_a_dead_owner_without_files_leaves_nothing(self, store, other):
        kill(other("LocalStore('out').owner()"))
        assert len(os.listdir("out/.tonearm/owners")) == 1
        store.sweep(folders=[""])
        assert len(os.listdir("out/.tonearm/owners")) == 1
        store.sweep()
        store.close()
        assert os.listdir("out/.tonearm") == []

    def test_whether_an_owner_was_killed(self, store, other):
        assert not store.has_dead_owner()
        own = store.owner()
        process = other("LocalStore('out').owner()")
        assert not store.has_dead_owner()
        kill(process)
        assert store.has_dead_owner()
        store.sweep()
        assert not store.has_dead_owner()
        own.close()

    HANDED_OVER = """
        store = LocalStore("out")
        owner = store.owner()
        with store.temporaries(owner, fsync=False) as temporaries:
            temporaries.sink("a.wav").path.write_bytes(b"content")
            ((file,),) = temporaries.finish()
        Path("handed").write_text(f"{owner.id} {file.temporary} {file.hash}")
    """
    SWEEP = "LocalStore('out').sweep()"

    def handed(self):
        owner, temporary, digest = Path("handed").read_text().split()
        return owner, PreparedFile(temporary=temporary, output="a.wav", size=7, hash=digest)

    @pytest.mark.parametrize("swept_before", [False, True])
    def test_what_was_taken_over_stays_until_it_is_published(self, store, other, swept_before):
        process = other(self.HANDED_OVER)
        owner, file = self.handed()
        store.take_over(owner)
        store.take_over(owner)
        if swept_before:
            store.sweep(owner)  # while its worker lives, and keeps it
        kill(process)
        assert script(self.SWEEP).returncode == 0
        store.publish(file)
        assert files() == {"a.wav": b"content"}
        store.close()
        assert os.listdir("out/.tonearm") == []

    def test_the_rest_of_a_dead_worker_is_swept_by_the_run_that_took_over(self, store, other):
        process = other(self.HANDED_OVER)
        owner, file = self.handed()
        store.take_over(owner)
        store.publish(file)
        Path("out", f".tonearm-{owner}00000000.part").write_text("half")
        store.sweep(owner)
        assert len(leftovers()) == 1
        kill(process)
        store.sweep(owner)
        assert leftovers() == []
        assert files() == {"a.wav": b"content"}

    def test_a_worker_that_died_before_it_wrote_anything_leaves_nothing(self, store, other):
        process = other("owner = LocalStore('out').owner()")
        (owner,) = os.listdir("out/.tonearm/owners")
        assert not store.sweep(owner, [""])
        kill(process)
        assert store.sweep(owner, [""])
        assert os.listdir("out/.tonearm/owners") == []

    def test_an_owner_that_is_gone_is_not_taken_over(self, store):
        store.take_over("00010002")
        assert store.descriptors == []

    def test_a_forked_child_that_outlives_the_run_holds_nothing_of_it(self, store, other):
        """Pools of processes fork, and so do plugins. What they left open would lock the folder for ever."""
        other(self.HANDED_OVER)
        owner, _ = self.handed()
        done = script(
            """
            store = LocalStore("out")
            store.lock(None, create=True)
            store.mark()
            store.take_over(sys.argv[1])
            journal = store.open_journal(None)
            assert len(store.descriptors) == 3
            if not os.fork():
                os.closerange(0, 3)
                held = []
                for name in os.listdir("/proc/self/fd"):
                    with contextlib.suppress(OSError):
                        held.append(os.readlink(f"/proc/self/fd/{name}"))
                Path("new").write_text(" ".join([str(os.getpid()), *(path for path in held if ".tonearm/" in path)]))
                os.rename("new", "child")
                time.sleep(60)
                os._exit(0)
            while not os.path.exists("child"):
                time.sleep(0.01)
            os.kill(os.getpid(), 9)
            """,
            owner,
        )
        assert done.returncode == -9
        child, *held = Path("child").read_text().split()
        try:
            assert [path for path in held if not os.path.isdir(path)] == []
            store.lock(None, create=True)
            assert store.has_dead_owner()
        finally:
            os.kill(int(child), signal.SIGKILL)

    def test_without_locks_only_what_is_known_to_be_dead_is_swept(self, store, monkeypatch):
        def refuse(*_):
            raise OSError(errno.ENOTSUP, "Operation not supported")

        fill()
        monkeypatch.setattr(fcntl, "flock", refuse)
        owner = store.owner()
        with store.temporaries(owner, fsync=False) as temporaries:
            temporaries.sink("a.wav").path.write_bytes(b"content")
            temporaries.finish()
        before = below()
        store.sweep()
        assert below() == before
        assert not store.has_dead_owner()
        store.sweep("00010002")
        assert len(before) - len(below()) == 3
        store.sweep(owner.id)
        assert below() == sorted([*NAMES[2:4], *OTHERS])
        warning = store.lock(None, create=True)
        assert warning == (
            "the file system of out has no locks (Operation not supported): make sure that no other run writes there"
        )


class TestWhatIsHeld:
    """Each way in which a temporary is kept, without another process."""

    @pytest.fixture
    def sweep(self, store, open_files):
        """Return a function that sweeps, and then what is left; nothing stays open."""
        os.makedirs("out/.tonearm/owners")
        os.makedirs("out/x")

        def run(*arguments, **options):
            store._tree.close()
            before = open_files()
            store.sweep(*arguments, **options)
            store._tree.close()
            assert open_files() == before
            return below()

        return run

    @pytest.fixture
    def hold(self):
        """Return a function that locks a file until the test ends, or it is closed."""
        with contextlib.ExitStack() as stack:

            def lock(path, operation):
                file = stack.enter_context(open(path, "ab"))
                fcntl.flock(file, operation)
                return file

            yield lock

    def test_folders_that_look_like_temporaries_are_neither_removed_nor_entered(self, sweep):
        name = ".tonearm-0001000200000003.part"
        names = [f"{name}/{name}", f".tonearm/{name}"]
        for name in names:
            path = Path("out", name)
            path.parent.mkdir(exist_ok=True)
            path.write_text("")
        assert sweep() == sorted(names)

    @pytest.mark.parametrize("where", ["", "x/"])
    def test_a_sidecar_is_held_along_with_its_file(self, sweep, hold, where):
        main, beside, other = (f"{where}.tonearm-000100020000000{name}.part" for name in ("3", "3.json", "4.json"))
        for name in (main, beside, other):
            Path("out", name).write_text("")
        file = hold(f"out/{main}", fcntl.LOCK_EX)
        assert sweep() == sorted([main, beside])
        file.close()
        assert sweep() == []

    def test_what_cannot_be_opened_is_somebody_elses(self, sweep):
        os.symlink("elsewhere", "out/.tonearm-0001000200000003.part")
        os.mkdir("out/.tonearm/owners/00030002")
        Path("out/.tonearm-0003000200000003.part").write_text("")
        sweep()
        assert sorted(leftovers()) == [f".tonearm-000{number}000200000003.part" for number in (1, 3)]
        assert os.listdir("out/.tonearm/owners") == ["00030002"]

    def test_owners_that_somebody_holds_and_those_that_are_dead(self, sweep, hold):
        files = [f".tonearm-{owner}0000000{number}.part" for owner in ("0000aaaa", "0000bbbb") for number in (1, 2)]
        for owner in ("0000aaaa", "0000bbbb", "0000cccc", "0000dddd"):
            Path("out/.tonearm/owners", owner).write_text("")
        for name in files:
            Path("out", name).write_text("")
        held = [hold(f"out/.tonearm/owners/{owner}", fcntl.LOCK_SH) for owner in ("0000aaaa", "0000cccc")]
        assert sweep() == [*files[:2], ".tonearm/owners/0000aaaa", ".tonearm/owners/0000cccc"]
        for file in held:
            file.close()
        assert sweep("0000aaaa") == [".tonearm/owners/0000cccc"]
        assert sweep() == []

    def test_an_owner_that_others_hold_too_is_still_held_after_a_sweep(self, store, sweep, hold):
        owner, name = "out/.tonearm/owners/0000aaaa", ".tonearm-0000aaaa00000001.part"
        Path("out", name).write_text("")
        other = hold(owner, fcntl.LOCK_SH)
        store.take_over("0000aaaa")
        assert sweep("0000aaaa") == [name, ".tonearm/owners/0000aaaa"]
        other.close()
        with open(owner, "ab") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert not is_locked(owner)  # it is shared
        assert len(store.descriptors) == 1
        store.sweep("0000aaaa")
        assert (below(), store.descriptors) == ([], [])


class TestConvert:
    """``convert`` takes no lock and makes no hidden folder: each of its files is held by itself."""

    CONVERT = """
        import pathlib

        def wait(signal):
            if list(Path("out").rglob(".tonearm-*")):
                print("there", flush=True)
                sys.stdin.read()

        class Waiting(TwoFiles):
            def encode(self, item, sink, context):
                super().encode(item, sink, context)
                wait(item)

        from tonearm.run.convert_one import convert_one
        found = pipeline(sys.argv[1], encoder="waiting", registry=toys(encoders={"waiting": Waiting}))
        convert_one(found, task("a.txt").source(), Path("out"), force=True, on_warning=print)
    """

    @pytest.fixture
    def converting(self, folder, other):
        """Start ``convert`` in another process. It waits in the middle of encoding."""
        write(a="k 0.5", b="k 0.5")

        def start(file):
            process = other(self.CONVERT, file)
            assert len(leftovers()) == 2
            return process

        return start

    def run(self):
        found = pipeline("{stem}-run.raw")
        one = Run(found, RunOptions(out="out", jobs=0, fsync=False))
        one.execute(one.plan(found.find_sources()), Seen())

    def convert(self):
        found = pipeline("x/{stem}-2.raw")
        convert_one(found, task("b.txt").source(), Path("out"), force=True, on_warning=print)

    def test_its_files_are_not_swept_while_it_goes_on(self, converting):
        process = converting("x/{stem}.raw")
        self.run()
        self.convert()
        LocalStore("out").sweep()
        assert len(leftovers()) == 2
        process.stdin.close()
        process.wait()
        assert leftovers() == []
        assert sorted(files()) == ["a-run.raw", "b-run.raw", "x/a.json", "x/a.raw", "x/b-2.raw"]

    @pytest.mark.parametrize(("by", "file"), [("run", "{stem}.raw"), ("convert", "x/{stem}.raw")])
    def test_its_files_are_swept_when_it_was_killed(self, converting, by, file):
        kill(converting(file))
        assert len(leftovers()) == 2
        getattr(self, by)()
        assert leftovers() == []
