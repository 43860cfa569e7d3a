"""Whole runs in this process; workers have their own tests, and faults theirs."""

import contextlib
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from dispatch_toys import Toy
from run_toys import Do, Seen, files, journal, leftovers, pipeline, script, toys, write

from tonearm.errors import OutputError, UsageError
from tonearm.run.options import RunOptions
from tonearm.run.part import Part
from tonearm.run.run import Run
from tonearm.run.store import publisher
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.lock import LockedError
from tonearm.run.workers import flush_timer
from tonearm.run.workers.dispatch import Dispatcher


@pytest.fixture(autouse=True)
def here(folder):
    """An empty current folder. SIGINT interrupts, even if a shell started pytest in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def run(found=None, *, sources=None, observe=None, **options):
    """Run once; return the run, whatever becomes of it, and the error if there was one."""
    found = found or pipeline()
    one = Run(found, RunOptions(**{"out": "out", "fsync": False, **options}))
    try:
        one.execute(one.plan(found.find_sources(sources)), observe or Seen())
    except BaseException as error:
        return one.report, error
    return one.report, None


def counts(report):
    return report.total, report.sources, report.converted, report.failed, report.skipped


def test_all_is_well():
    write(a="k 0.5", b="k 0.25\nl 0.5")
    seen = Seen()
    report, error = run(pipeline("{stem}-{key}.raw"), observe=seen)
    assert error is None
    assert report.ok
    assert counts(report) == (2, 2, 3, 0, 0)
    assert sorted(files()) == ["a-k.raw", "b-k.raw", "b-l.raw"]
    assert [str(path) for path in report.outputs] == ["out/a-k.raw", "out/b-k.raw", "out/b-l.raw"]
    assert [result.source for result in seen.results] == ["a.txt", "b.txt"]
    assert (report.files, report.sound, report.warned) == (3, 30 / 8000, 0)
    records = [record["record"] for record in journal()]
    assert (records[0], records[-1]) == ("run", "stop")
    assert sorted(os.listdir("out/.tonearm")) == ["journal.jsonl", "lock"]


def test_a_second_run_does_nothing():
    write(a="k 0.5", b="k 0.25")
    run()
    before = {name: os.stat(f"out/{name}").st_mtime_ns for name in files()}
    report, _ = run()
    assert counts(report) == (0, 0, 0, 0, 2)
    assert {name: os.stat(f"out/{name}").st_mtime_ns for name in files()} == before


def test_a_second_run_does_what_is_missing_failed_or_changed():
    write(a="k 0.5", b="k x", c="k 0.5", d="k 0.5")
    assert counts(run()[0]) == (4, 4, 3, 1, 0)
    os.unlink("out/a.raw")
    write(c="k 0.125")
    report, _ = run()
    assert counts(report) == (3, 3, 2, 1, 1)
    write(b="k 0.5")
    assert counts(run()[0]) == (1, 1, 1, 0, 3)
    assert counts(run(force=True)[0]) == (4, 4, 4, 0, 0)


def test_what_is_done_of_a_source_is_not_done_again(monkeypatch):
    write(a="k 0.5\nl x\nm 0.5")
    found = pipeline("{key}.raw", steps=["do"])
    run(found)
    made = []
    monkeypatch.setattr(Do, "act", staticmethod(lambda signal: made.append(float(signal.samples[0, 0]))))
    before = os.stat("out/k.raw").st_ino
    assert counts(run(found)[0]) == (1, 1, 0, 1, 0)
    assert made == []
    os.unlink("out/m.raw")
    assert counts(run(found)[0]) == (1, 1, 1, 1, 0)
    assert made == [0.5]
    assert os.stat("out/k.raw").st_ino == before


def test_warnings_are_counted_by_kind():
    write(a="k 2.5", b="k 3.5\nl 1.5", c="k 0.5")
    report, _ = run(pipeline("{stem}{key}.raw"))
    assert report.warned == 3
    assert report.noted == {"… samples are loud": (3, "a.txt")}


def test_the_error_of_a_run_without_sources_says_what_was_searched(folder):
    one = Run(pipeline(), RunOptions(out="out"))
    with pytest.raises(UsageError) as caught:
        one.plan(one.pipeline.find_sources(["a/*", "b/*", "c/*", "d/*", "e/*"], warn=one.report.warnings.append))
    searched = "; ".join(f"{name}/* matches no source in {folder}" for name in "abc")
    assert (caught.value.code, caught.value.message) == ("no-source", f"{searched}; and 2 more warnings")
    assert "patterns start at the folder of its file" in caught.value.hint
    assert not os.path.exists("out")


class TestStopping:
    def test_after_failures(self):
        write(**{f"{number:02}": "k x" for number in range(20)})
        report, error = run(max_failures=3)
        assert error is None
        assert not report.ok
        assert (report.stopped, report.failed) == ("failures", 3)
        assert journal(kind="stop")[0]["reason"] == "failures"
        assert counts(run()[0])[0] == 20

    def test_when_the_output_side_fails(self, monkeypatch):
        write(a="k 0.5", b="k 0.5", c="k 0.5")
        real = os.replace

        def full(source, target, **where):
            if target == "b.raw":
                raise OSError(28, "No space left on device")
            return real(source, target, **where)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", full)
            report, error = run()
        assert isinstance(error, OutputError)
        assert str(error) == "cannot write out/b.raw: no space left on device"
        assert (report.stopped, report.converted, report.sources) == ("output", 1, 1)
        assert leftovers() == []
        assert list(files()) == ["a.raw"]
        assert journal(kind="stop")[0]["reason"] == "output"
        assert counts(run()[0]) == (2, 2, 2, 0, 1)

    def test_by_ctrl_c(self, monkeypatch):
        write(**{f"{number:02}": "k 0.5" for number in range(9)})
        acts = []

        def act(_):
            acts.append(1)
            if len(acts) == 5:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(1)

        monkeypatch.setattr(Do, "act", staticmethod(act))
        found = pipeline(steps=["do"])
        report, error = run(found)
        assert isinstance(error, KeyboardInterrupt)
        assert (report.stopped, report.converted) == ("interrupted", 4)  # what was finished is published
        assert len(files()) == 4
        assert leftovers() == []
        assert journal(kind="stop")[0]["reason"] == "interrupted"
        assert counts(run(found)[0]) == (5, 5, 5, 0, 4)

    def test_what_was_whole_is_published_if_there_is_room_again(self, monkeypatch):
        """On a full disk, the executor's unfinished files go, and what waited gets its names and records."""
        write(a="k 0.5", b="k 0.5")
        real, calls = os.replace, []

        def full_once(source, target, **where):
            calls.append(target)
            if len(calls) == 2:
                raise OSError(28, "No space left on device")
            return real(source, target, **where)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", full_once)
            report, error = run()
        assert str(error) == "cannot write out/b.raw: no space left on device"
        assert (report.stopped, report.converted, report.sources) == ("output", 2, 2)
        assert calls == ["a.raw", "b.raw", "b.raw"]
        assert leftovers() == []
        assert counts(run()[0]) == (0, 0, 0, 0, 2)

    def test_by_whoever_watches(self):
        write(**{f"{number:02}": "k 0.5" for number in range(9)})

        def watch(result):
            if result.source == "03.txt":
                raise RuntimeError("enough")

        report, error = run(observe=watch)
        assert str(error) == "enough"
        assert report.converted == 4
        assert len(files()) == 4
        assert leftovers() == []
        assert journal(kind="stop")[0]["reason"] == "error"
        assert run()[0].ok

    def test_what_comes_at_the_end_does_not_wait_for_more(self, monkeypatch):
        """Batches wait for one another where they come at once. No other one comes after the last."""
        monkeypatch.setattr(publisher, "FLUSH_INTERVALS", 1e9)
        write(**{f"{number:02}": "k 0.5" for number in range(9)})

        class Finished(Toy):
            """Works as soon as it gets a chunk, and hands over one in each `wait`."""

            def submit(self, chunk):
                handle = super().submit(chunk)
                self.chunks[handle] = self.work(chunk)
                return handle

            def wait(self, seconds):
                for handle in list(self.chunks)[:1]:
                    yield handle, self.chunks.pop(handle)

            def cancel(self, handle):
                pass

        def watch(result):
            if result.source == "02.txt":
                raise KeyboardInterrupt

        found = pipeline()
        one = Run(found, RunOptions(out="out", jobs=3))
        one._executor.plugin = Finished()
        with pytest.raises(KeyboardInterrupt):
            one.execute(one.plan(found.find_sources()), watch)
        assert one.report.sources == sum(map(len, one._executor.plugin.calls)) > 3
        assert len(files()) == one.report.sources
        assert leftovers() == []

    def test_a_source_that_an_executor_loses_is_no_success(self, monkeypatch):
        write(a="k 0.5", b="k 0.5")
        monkeypatch.setattr(Dispatcher, "results", lambda self, chunks: (batch for batch in []))
        _, error = run()
        assert isinstance(error, AssertionError)
        assert str(error) == "2 sources were lost"

    def test_the_disk_is_full_when_what_was_finished_is_published(self, monkeypatch):
        """Ctrl-C, and then a full disk: the disk is what there is to know."""
        write(**{f"{number:02}": "k 0.5" for number in range(9)})

        def act(_):
            monkeypatch.setattr(os, "replace", full)
            os.kill(os.getpid(), signal.SIGINT)

        def full(*_, **__):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(flush_timer, "FLUSH_SECONDS", 60.0)
        acts = iter([*[lambda _: None] * 3, act])
        monkeypatch.setattr(Do, "act", staticmethod(lambda signal: next(acts)(signal)))
        _, error = run(pipeline(steps=["do"]))
        assert isinstance(error, OutputError)
        assert leftovers() == []
        assert list(files()) == ["00.raw"]  # the first chunk


class TestLeftovers:
    def test_of_a_run_that_was_killed_are_swept(self):
        write(a="k 0.5")
        run()
        os.makedirs("out/deep/er")
        for name in (".tonearm-0000000000000001.part", "deep/er/.tonearm-0000000100000001.json.part"):
            with open(f"out/{name}", "w") as file:
                file.write("half")
        with open("out/.tonearm/journal.jsonl", "a") as file:
            file.write('{"record":"run","journal":2,"pipeline":"x","time":1,"sources":1}\n{"record":"beg')
        assert len(leftovers()) == 2
        run()
        assert leftovers() == []

    @pytest.mark.parametrize("interrupted", [False, True])
    def test_of_workers_elsewhere_that_went_on_are_swept_at_the_end_unless_somebody_waits(self, interrupted):
        write(a="k 0.5")
        run()
        with open("out/.tonearm/journal.jsonl", "a") as file:
            file.write('{"record":"run","journal":2,"pipeline":"x","time":1,"sources":1}\n')
        write(b="k 0.5")

        def watch(_):
            with open("out/.tonearm-0000000000000001.part", "w") as file:
                file.write("half")
            if interrupted:
                raise KeyboardInterrupt

        found = pipeline()
        one = Run(found, RunOptions(out="out", fsync=False))
        one._executor.plugin, one._executor.name = Toy(), "toy"
        with pytest.raises(KeyboardInterrupt) if interrupted else contextlib.nullcontext():
            one.execute(one.plan(found.find_sources()), watch)
        assert len(leftovers()) == interrupted
        if not interrupted:
            assert one.report.converted == 1

    def test_of_a_run_whose_records_are_lost_are_swept(self):
        write(a="k 0.5")
        run()
        code = """
            store = LocalStore("out")
            store.temporaries(store.owner(), fsync=False).sink("deep/er/a.raw")
            os.kill(os.getpid(), signal.SIGKILL)
        """
        assert script(code).returncode == -signal.SIGKILL
        assert len(leftovers()) == 1
        report, _ = run()
        assert leftovers() == []
        assert counts(report) == (0, 0, 0, 0, 1)

    def test_of_another_part_that_runs_are_not(self):
        write(a="k 0.5")
        run(part=Part(1, 2))
        other = LocalStore("out")
        owner = other.owner()
        with open("out/.tonearm/journal-1-of-2.jsonl", "a") as file:
            file.write('{"record":"run","journal":2,"pipeline":"x","time":1,"sources":1}\n')
        for owner_id in ("00000000", owner.id):
            with open(f"out/.tonearm-{owner_id}00000001.part", "w") as file:
                file.write("half")
        run(part=Part(1, 2))
        assert leftovers() == [f".tonearm-{owner.id}00000001.part"]
        owner.close()
        other.close()


class TestTwoRuns:
    def test_the_second_is_refused_at_once(self):
        write(a="k 0.5")
        found = pipeline()
        run(found)
        first, second = (Run(found, RunOptions(out="out")) for _ in range(2))
        plan = first.plan(found.find_sources())
        with pytest.raises(LockedError):
            second.plan(found.find_sources())
        first.release()
        second.plan(found.find_sources())
        second.release()
        assert len(plan) == 0

    @pytest.mark.parametrize("part", [None, Part(1, 1)])
    def test_one_that_came_and_went_since_the_plan(self, part):
        """In a new folder there is nothing to lock yet when the plan is made."""
        write(a="k 0.5")
        found = pipeline()
        early = Run(found, RunOptions(out="out", part=part))
        plan = early.plan(found.find_sources())
        run(found, part=part)
        with pytest.raises(LockedError, match="another run wrote to out meanwhile"):
            early.execute(plan, Seen())
        assert files() == {"a.raw": files()["a.raw"]}


def test_sources_that_are_far_larger_than_the_disk(monkeypatch):
    write(a="k 0.5" + " " * 995)
    real = os.statvfs("/")

    class Full:
        f_bavail, f_frsize = 1, 1

    monkeypatch.setattr(os, "statvfs", lambda _: Full if real else None)
    report, _ = run()
    assert report.warnings == ["the sources take 1 kB, but only 1 bytes are free at out"]


def test_a_plan_that_fails_lets_go_of_the_folder():
    write(a="k 0.5")
    run()
    one = Run(pipeline(), RunOptions(out="out"))
    with pytest.raises(UsageError):
        one.plan(iter(()))
    assert run()[1] is None


def test_two_files_an_item():
    write(a="k 0.5")
    report, _ = run(pipeline("{stem}.raw", encoder="two-files", registry=toys()))
    assert report.files == 2
    assert sorted(files()) == ["a.json", "a.raw"]
    os.unlink("out/a.json")
    assert counts(run(pipeline("{stem}.raw", encoder="two-files", registry=toys()))[0]) == (1, 1, 1, 0, 0)


class TestClockSetBack:
    """The clock is set back by an hour between a part and a run of all sources."""

    @pytest.fixture
    def set_clock(self, monkeypatch):
        def set_clock(seconds):
            monkeypatch.setattr("tonearm.run.run.time", SimpleNamespace(time=lambda: seconds, monotonic=time.monotonic))

        return set_clock

    def test_the_later_run_is_what_is_known(self, folder, set_clock):
        write(a="k 0.5")
        set_clock(10_000.0)
        pipeline().run(out="out", part="1/1")
        write(a="k 0.25")
        set_clock(6_400.0)
        pipeline().run(out="out")
        assert pipeline().run(out="out").total == 0

    @pytest.mark.parametrize("edited", ["1e300", "1e11"])
    def test_a_time_that_no_clock_shows_is_none(self, folder, set_clock, edited):
        write(a="k 0.5")
        set_clock(10_000.0)
        pipeline().run(out="out")
        path = Path("out/.tonearm/journal.jsonl")
        path.write_text(path.read_text().replace('"time":10000.0', f'"time":{edited}'))
        pipeline().run(out="out", force=True)
        assert [record["time"] for record in journal(kind="run")] == [float(edited), 10_000.0]
