"""Processes that are admitted to runs: what they load, what they hold, and when they let go of it."""

import errno
import os
import pickle
import shutil
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from run_toys import Do, LineReader, files, leftovers, pipeline, script, task, toys, write

from tonearm.errors import ItemError, OutputError, UsageError
from tonearm.run.prepare import Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.owners import is_dead
from tonearm.run.store.quarantine import Quarantine
from tonearm.run.workers import admission as room
from tonearm.run.workers.tickets import package_versions
from tonearm.run.workers.work import PipelineWork


@pytest.fixture(autouse=True)
def sources(folder):
    """Three sources of one item."""
    write(a="k 0.5", b="k 0.5", c="k 0.5")


@pytest.fixture
def runs():
    """Return a function that begins a run, and gives its store and its work; all runs end with the test."""
    stores = []

    def begin(found=None, out="out", **settings):
        stores.append(LocalStore(out))
        settings = Settings(**{"fsync": False, **settings})
        return stores[-1], PipelineWork(found or pipeline("{stem}-{key}.raw"), stores[-1], settings)

    yield begin
    for store in stores:
        store.close()


def sent(work):
    """Return work as another process gets it."""
    return pickle.loads(pickle.dumps(work))


def chunk():
    return [task("a.txt", 0), task("b.txt", 1), task("c.txt", 2)]


def numbers(results):
    return [one.task.number for one in results.sources]


def owners(out="out"):
    return sorted(os.listdir(Path(out, ".tonearm", "owners")))


def holders(out="out"):
    """Return the owners that somebody holds."""
    store = LocalStore(out)
    found = [owner for owner in owners(out) if not is_dead(store._tree, owner)]
    store.close()
    return found


def until(condition):
    """Wait for something that another thread does."""
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")


@pytest.fixture
def loads(monkeypatch):
    """List the pipelines that this process loads for runs."""
    found = []
    real = PipelineWork.preflight

    def note(self):
        found.append(self)
        time.sleep(0.01)  # so that threads that begin at once meet
        real(self)

    monkeypatch.setattr(PipelineWork, "preflight", note)
    return found


class TestLoading:
    def test_a_process_loads_once_however_often_it_gets_the_work(self, runs, loads):
        _, work = runs()
        results = [sent(work)(chunk()) for _ in range(3)]
        assert sent(work) is sent(sent(work))
        assert len(loads) == 1
        assert [numbers(one) for one in results] == [[0, 1, 2]] * 3

    def test_threads_that_begin_at_once_wait_for_one_load_and_have_owners_of_their_own(self, runs, loads):
        _, work = runs()
        packed, start, found = pickle.dumps(work), threading.Barrier(8), []

        def begin():
            start.wait()
            found.append(pickle.loads(packed)(chunk(), "worker"))

        threads = [threading.Thread(target=begin) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(loads) == 1
        assert [one.error for one in found] == [None] * 8
        assert len({one.owner for one in found}) == 8
        assert len(leftovers()) == 24

    def test_two_runs_into_two_folders_do_not_know_of_each_other(self, runs, loads):
        _, one = runs(out="one")
        _, other = runs(out="other")
        assert sent(one)(chunk()).error is sent(other)(chunk()).error is None
        assert (len(leftovers("one")), len(leftovers("other")), len(loads)) == (3, 3, 2)
        one.leave()()
        assert len(owners("one")) == 1  # the mark
        assert len(owners("other")) == 2
        assert numbers(sent(other)(chunk())) == [0, 1, 2]
        assert len(loads) == 2

    def test_two_parts_of_a_run_share_a_folder(self, runs, loads):
        """Each of them holds it. If one took the place of the other, they would load in turns, for ever."""
        _, one = runs()
        _, other = runs()
        for _ in range(2):
            assert numbers(sent(one)(chunk())) == numbers(sent(other)(chunk())) == [0, 1, 2]
        assert len(loads) == 2

    def test_a_thread_that_looks_for_idle_runs_is_there_once(self, runs):
        for _ in range(3):
            _, work = runs()
            sent(work)(chunk())
            assert [thread.name for thread in threading.enumerate()].count("tonearm-idle") == 1
        _, other = runs()
        sent(other).leave()()
        assert [thread.name for thread in threading.enumerate()].count("tonearm-idle") == 1

    def test_without_more_threads_it_works_all_the_same(self, runs, monkeypatch):
        def refuse(self):
            raise RuntimeError("can't start new thread")

        _, work = runs()
        monkeypatch.setattr(threading.Thread, "start", refuse)
        assert numbers(sent(work)(chunk())) == [0, 1, 2]


def test_a_fork_loads_for_itself(folder):
    """It has neither the thread nor the owner of its parent, whose lock may have been held at that moment."""
    done = script(
        """
        import pickle, warnings
        from tonearm.run.workers import admission
        from tonearm.run.workers.work import PipelineWork
        warnings.simplefilter("ignore")
        store = LocalStore("out")
        original = PipelineWork(pipeline("{stem}-{key}.raw"), store, Settings(fsync=False))
        work = pickle.loads(pickle.dumps(original))
        mine = work([task("a.txt", 0)]).owner
        admission._process.lock.acquire()
        child = os.fork()
        if not child:
            results = work([task("b.txt", 1)])
            again = pickle.loads(pickle.dumps(work))([task("c.txt", 2)])
            fine = results.error is None and results.owner == again.owner != mine and len(results.sources) == 1
            os._exit(0 if fine else 1)
        admission._process.lock.release()
        assert os.waitpid(child, 0)[1] == 0
        assert work([task("c.txt", 2)]).owner == mine
        """
    )
    assert done.returncode == 0, done.stderr


class TestLeaving:
    def test_what_is_idle_is_released_and_loaded_again_with_the_next_chunk(self, runs, loads, monkeypatch):
        """A run may have nothing to do for a process for a while. The process must not refuse its chunks then."""
        monkeypatch.setattr(room, "IDLE_SECONDS", 0.04)
        _, work = runs()
        copied = sent(work)
        first = copied(chunk())
        until(lambda: first.owner not in owners())
        results = copied(chunk())
        assert (numbers(results), results.ended_early) == ([0, 1, 2], False)
        assert len(loads) == 2

    def test_what_is_at_work_is_not_idle(self, runs, loads, monkeypatch):
        """A long chunk must not cost the next one another load."""
        monkeypatch.setattr(room, "IDLE_SECONDS", 0.01)
        _, work = runs()
        stream = sent(work).stream(chunk())
        owner = next(stream).owner
        time.sleep(0.1)
        monkeypatch.setattr(room, "IDLE_SECONDS", 60.0)
        assert [number for results in stream for number in numbers(results)] == [0, 1, 2]
        assert sent(work)(chunk()).owner == owner
        assert len(loads) == 1

    def test_at_work_a_chunk_ends_before_its_next_source(self, runs, monkeypatch):
        store, work = runs(pipeline("{stem}-{key}.raw", steps=["do"]))
        copied = sent(work)
        monkeypatch.setattr(Do, "act", staticmethod(lambda _: work.leave()()))
        results = copied(chunk())
        assert (numbers(results), results.ended_early, results.error) == ([0], True, None)
        assert owners() == [store.mark()[:8]]
        assert len(leftovers()) == 1  # which the run publishes

    def test_a_chunk_that_comes_after_it_is_not_begun(self, runs, loads):
        _, work = runs()
        copied = sent(work)
        copied.leave()()
        for one in (copied, sent(work)):
            results = one(chunk())
            assert (numbers(results), results.ended_early, results.last) == ([], True, True)
        assert loads == leftovers() == []

    def test_it_leaves_while_it_loads(self, runs, monkeypatch):
        _, work = runs()
        monkeypatch.setattr(PipelineWork, "preflight", lambda self: work.leave()())
        results = sent(work)(chunk())
        assert (numbers(results), results.ended_early) == ([], True)

    def test_in_a_process_that_has_not_worked_it_does_nothing(self, runs):
        _, work = runs()
        work.leave()()
        pickle.dumps(work)
        pickle.loads(pickle.dumps(work.leave()))()

    def test_only_so_many_runs_are_remembered(self, runs, monkeypatch):
        monkeypatch.setattr(room, "MAX_ENDED_RUNS", 2)
        for number in range(4):
            room.end_work(str(number))
        assert list(room._process.ended) == ["2", "3"]


class TestRunsThatWereKilled:
    @pytest.fixture
    def killed(self):
        """Return the work of a run whose process was killed."""
        done = script(
            """
            import pickle
            from tonearm.run.workers.work import PipelineWork
            work = PipelineWork(pipeline("deep/{stem}-{key}.raw"), LocalStore("out"), Settings(fsync=False))
            Path("work").write_bytes(pickle.dumps(work))
            os.kill(os.getpid(), 9)
            """
        )
        assert done.returncode == -9
        return pickle.loads(Path("work").read_bytes())

    def test_a_new_run_into_the_folder_releases_what_is_left_of_them(self, killed, runs):
        old = killed(chunk()).owner
        store, work = runs()
        store.sweep()
        assert len(leftovers()) == 3  # this process may still write them
        mine = sent(work)(chunk()).owner
        store.take_over(mine)
        store.sweep()
        assert old not in owners()
        assert {name[9:17] for name in leftovers()} == {mine}
        assert killed(chunk()).error.code == "unseen-folder"

    def test_their_chunk_at_work_goes_on_to_its_end(self, runs):
        store, work = runs()
        stream = sent(work).stream(chunk())
        owner = next(stream).owner
        store._marked.abandon()  # as the kernel does
        store._marked = None
        _, new = runs()
        assert numbers(sent(new)(chunk())) == [0, 1, 2]
        assert owner in holders()
        assert [number for results in stream for number in numbers(results)] == [0, 1, 2]
        assert owner not in holders()

    def test_a_process_that_is_idle_tells_the_next_run_to_sweep(self, runs):
        """Its owner must not just go: nobody would look for temporaries in deep folders."""
        store, work = runs(pipeline("deep/{stem}-{key}.raw"))
        owner = sent(work)(chunk()).owner
        store._marked.abandon()  # as the kernel does
        store._marked = None
        store.sweep()  # as the next run does, while this process may still write
        room.end_work(next(iter(room._process.admitted)))
        assert owners() == [owner]
        assert len(leftovers()) == 3
        assert store.has_dead_owner()
        store.sweep()
        assert leftovers() == owners() == []


class TestRefusals:
    def test_another_version_loads_nothing(self, runs):
        _, work = runs()
        _, (ticket,) = work.__reduce__()
        other = {
            **ticket,
            "python": "3.99",
            "packages": {**ticket["packages"], "tonearm": "0.0.1", "tonearm-acme": "7"},
            "content": b"of another version",
        }
        results = room.admit(other)(chunk(), "tcp://far:1")
        error = results.error
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        assert error.message == (
            f"worker tcp://far:1 has Python {here}, and the run has 3.99; "
            f"tonearm {ticket['packages']['tonearm']}, and the run has 0.0.1; "
            "no tonearm-acme, and the run has 7"
        )
        assert (error.code, error.hint) == ("other-versions", "install the same versions there and here")
        assert (results.last, results.worker, leftovers()) == (True, "tcp://far:1", [])

    def test_a_folder_that_is_not_the_one_of_the_run_is_not_touched(self, runs):
        _, work = runs()
        copied = sent(work)
        shutil.rmtree("out")
        os.makedirs("out/.tonearm/owners")  # as on a machine where it is a folder of its own
        (results,) = copied.stream(chunk(), worker="tcp://far:1")
        error = results.error
        assert error.message == f"worker tcp://far:1 does not see {os.path.abspath('out')}"
        assert error.code == "unseen-folder"
        assert error.hint == (
            "make sure that the output folder is on a file system that all workers share, under the same path"
        )
        assert files() == {}
        assert owners() == []

    @pytest.mark.parametrize("content", [None, "0" * 32, ""])
    def test_a_folder_with_another_mark_is_another_folder(self, runs, content):
        store, work = runs()
        copied = sent(work)
        path = Path("out", ".tonearm", "owners", store.mark()[:8])
        path.unlink()
        if content is not None:
            path.write_text(content)
        assert copied(chunk()).error.code == "unseen-folder"

    def test_a_file_that_an_option_names_is_missing(self, runs, folder, monkeypatch):
        _, work = runs()
        _, (ticket,) = work.__reduce__()
        ticket["files"]["model.onnx"] = 7
        error = room.admit(ticket)(chunk(), "tcp://far:1").error
        assert error.message == f"worker tcp://far:1 does not see {folder / 'model.onnx'}"
        assert error.hint == (
            "make sure that the files that options name are on a file system that all workers share, "
            "under the same path"
        )

    @pytest.mark.parametrize("made", [False, True])
    def test_a_quarantine_that_is_not_the_one_of_the_run_is_not_made(self, runs, made):
        _, work = runs(quarantine=Quarantine("q"))
        copied = sent(work)
        shutil.rmtree("q")
        if made:
            Quarantine("q").mark()
        error = copied(chunk(), "tcp://far:1").error
        assert error.message == f"worker tcp://far:1 does not see {os.path.abspath('q')}"
        assert (error.code, error.hint) == (
            "unseen-folder",
            "make sure that the quarantine is on a file system that all workers share, under the same path",
        )
        assert os.path.exists("q") == made

    def test_a_quarantine_that_it_sees_gets_copies(self, runs):
        def refuse(_):
            raise ItemError("no", code="no")

        _, work = runs(pipeline("{stem}-{key}.raw", steps=["do"]), quarantine=Quarantine("q"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Do, "act", staticmethod(refuse))
            results = sent(work)(chunk())
        kept = [failure.kept for prepared in results.sources for failure in prepared.failures]
        assert len(kept) == 3
        assert all(map(os.path.exists, kept))

    def test_a_refused_process_goes_on_refusing_and_holds_nothing(self, runs, loads):
        _, work = runs()
        copied = sent(work)
        shutil.rmtree("out")
        assert copied(chunk()).error is copied(chunk()).error is not None
        assert loads == []

    def test_what_plugins_miss_is_named_with_the_worker(self, runs, monkeypatch):
        def preflight(self):
            raise UsageError("needs sox", code="missing-requirement", hint="install sox")

        _, work = runs(pipeline("{stem}.raw", steps=["do"]))
        copied = sent(work)
        monkeypatch.setattr(Do, "preflight", preflight)
        error = copied(chunk(), "tcp://far:1").error
        assert error.message == "worker tcp://far:1: do: needs sox"
        assert (error.code, error.hint) == ("missing-requirement", "install sox")
        assert pickle.loads(pickle.dumps(error)).message == error.message

    def test_an_error_of_the_output_side_is_named_with_the_worker(self, runs):
        _, work = runs(pipeline("deep/{stem}.raw"))
        copied = sent(work)
        Path("out", "deep").write_text("a file")
        error = copied(chunk(), "tcp://far:1").error
        assert isinstance(error, OutputError)
        assert error.message == "worker tcp://far:1: cannot write out/deep/a.raw: not a directory"

    def test_a_bug_is_named_with_the_worker(self, runs):
        _, work = runs()
        error = sent(work)(["no task"], "tcp://far:1").error
        assert error.code == "bug"
        assert error.message.startswith("worker tcp://far:1 failed, which is a bug in tonearm:\nTraceback")

    def test_without_a_name_it_is_that_of_the_process(self, runs):
        _, work = runs()
        results = sent(work)(chunk())
        assert results.worker == f"{socket.gethostname()}:{os.getpid()}"


class TestPluginsElsewhere:
    """Packages of plugins that a process has, or lacks, in fact."""

    @pytest.fixture
    def packed(self, runs):
        """Return the work of a run whose package this process does not find any more."""
        os.makedirs("site/far_plugins-0.9.dist-info")
        Path("site/far_plugins-0.9.dist-info/METADATA").write_text("Name: far-plugins\nVersion: 0.9\n")
        Path("site/far_plugins.py").write_text("from run_toys import Do\n\n\nclass Far(Do):\n    pass\n")
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend("site")
            from far_plugins import Far

            _, work = runs(pipeline("{stem}-{key}.raw", steps=["far"], registry=toys(transforms={"far": Far})))
            (_, (ticket,)) = work.__reduce__()
            ticket["packages"] |= package_versions(["far-plugins"])  # as if an entry point had offered it
            packed = pickle.dumps(work)
        sys.modules.pop("far_plugins")
        yield packed
        sys.modules.pop("far_plugins", None)

    def test_one_that_is_not_there(self, packed):
        error = pickle.loads(packed)(chunk(), "tcp://far:1").error
        assert error.message == "worker tcp://far:1 has no far-plugins, and the run has 0.9"

    def test_one_of_another_version(self, packed, monkeypatch):
        os.makedirs("other/far_plugins-0.10.dist-info")
        Path("other/far_plugins-0.10.dist-info/METADATA").write_text("Name: far-plugins\nVersion: 0.10\n")
        monkeypatch.syspath_prepend("other")
        error = pickle.loads(packed)(chunk(), "tcp://far:1").error
        assert error.message == "worker tcp://far:1 has far-plugins 0.10, and the run has 0.9"

    def test_one_that_cannot_be_imported(self, packed, monkeypatch):
        Path("site/far_plugins.py").rename("elsewhere.py")
        monkeypatch.syspath_prepend("site")
        error = pickle.loads(packed)(chunk(), "tcp://far:1").error
        assert error.message == (
            "worker tcp://far:1 cannot load the pipeline: ModuleNotFoundError: No module named 'far_plugins'"
        )
        assert (error.code, error.hint) == ("broken-worker", "install there what the pipeline's plugins import")

    def test_one_that_is_there(self, packed, monkeypatch):
        monkeypatch.syspath_prepend("site")
        assert numbers(pickle.loads(packed)(chunk())) == [0, 1, 2]

    def test_one_of_a_script(self, runs, monkeypatch):
        class Scripted(Do):
            pass

        Scripted.__module__, Scripted.__qualname__ = "__main__", "Scripted"
        monkeypatch.setattr(sys.modules["__main__"], "Scripted", Scripted, raising=False)
        _, work = runs(pipeline("{stem}.raw", steps=["scripted"], registry=toys(transforms={"scripted": Scripted})))
        packed = pickle.dumps(work)
        monkeypatch.delattr(sys.modules["__main__"], "Scripted")
        error = pickle.loads(packed)(chunk(), "tcp://far:1").error
        assert error.message.startswith("worker tcp://far:1 cannot load the pipeline: AttributeError: ")
        assert error.hint == "put the plugins into a module that is installed there: workers do not have your script"

    def test_one_that_ends_the_process_when_it_is_loaded(self, runs, monkeypatch):
        def end(self):
            raise SystemExit(3)

        _, work = runs()
        copied = sent(work)
        monkeypatch.setattr(PipelineWork, "preflight", end)
        error = copied(chunk(), "tcp://far:1").error
        assert error.message == "worker tcp://far:1 cannot load the pipeline: SystemExit: it calls sys.exit(3)"

    def test_one_that_cannot_be_sent(self, runs):
        class Local(LineReader):
            pass

        _, work = runs(pipeline(use="line-reader", registry=toys(decoders={"line-reader": Local})))
        with pytest.raises(UsageError) as caught:
            pickle.dumps(work)
        assert caught.value.code == "not-importable"
        assert caught.value.message.startswith("the pipeline's plugins cannot be sent to workers: ")
        assert caught.value.hint == "put the plugins into a module that workers can import"

    def test_one_that_refuses_to_be_sent(self, runs, monkeypatch):
        def refuse(self, protocol):
            raise ValueError("ask my lawyer")

        _, work = runs()
        monkeypatch.setattr(type(work.pipeline), "__reduce_ex__", refuse)
        with pytest.raises(UsageError) as caught:
            pickle.dumps(work)
        assert caught.value.message == ("the pipeline's plugins cannot be sent to workers: ValueError: ask my lawyer")


class TestProcessesThatAreNotFit:
    def test_what_they_are_to_blame_for_is_tried_again(self, runs, loads, monkeypatch):
        """A plugin has used up all descriptors, say. Neither the disk nor the source is at fault."""

        def use_up(_):
            raise OSError(errno.EMFILE, "Too many open files")

        _, work = runs(pipeline("{stem}-{key}.raw", steps=["do"]))
        copied = sent(work)
        with monkeypatch.context() as patch:
            patch.setattr(Do, "act", staticmethod(use_up))
            results = copied(chunk(), "tcp://far:1")
            *_, last = copied.stream(chunk(), worker="tcp://far:1")
        for one in (results, last):
            assert (numbers(one), one.error, one.last) == ([], None, True)
            assert "too many open files" in one.unfit.lower()
            assert one.unfit.startswith("worker tcp://far:1: ")
        assert numbers(copied(chunk())) == [0, 1, 2]
        assert len(loads) == 3  # each time anew

    def test_a_full_disk_is_none_of_it(self, runs, monkeypatch):
        def fill(_):
            raise OutputError("full") from OSError(errno.ENOSPC, "No space left on device")

        _, work = runs(pipeline("{stem}-{key}.raw", steps=["do"]))
        monkeypatch.setattr(Do, "act", staticmethod(fill))
        results = sent(work)(chunk(), "w")
        assert (results.unfit, numbers(results)) == ("", [0, 1, 2])
