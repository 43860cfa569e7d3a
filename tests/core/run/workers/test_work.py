import pickle
import threading

import pytest
from run_toys import Do, OddReader, leftovers, pipeline, task, toys, write

from tonearm.errors import OutputError, UsageError
from tonearm.run.prepare import Preparer, Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers.chunk_results import ChunkResults, WorkerError
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.run.workers.work import PipelineWork


def work(found=None, *, gate=None, **settings):
    settings = {"fsync": False, **settings}
    return PipelineWork(found or pipeline("{stem}-{key}.raw"), LocalStore("out"), Settings(**settings), gate)


@pytest.fixture(autouse=True)
def sources(folder):
    """Three sources of one item."""
    write(a="k 0.5", b="k 0.5", c="k 0.5")


CHUNK = [("a.txt", 0), ("b.txt", 1), ("c.txt", 2)]


def chunk():
    return [task(*pair) for pair in CHUNK]


def in_thread(function):
    """Return what a function returns in another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def numbers(results):
    return [one.task.number for one in results.sources]


def test_a_call_returns_all_results():
    results = work()(chunk())
    assert (numbers(results), results.last, results.error) == ([0, 1, 2], True, None)
    assert {name[9:17] for name in leftovers()} == {results.owner}


def test_it_can_be_pickled_with_its_results():
    original = work(gate=InterruptGate())
    copied = pickle.loads(pickle.dumps(original))
    results = pickle.loads(pickle.dumps(copied(chunk())))
    assert isinstance(results, ChunkResults)
    assert numbers(results) == [0, 1, 2]


def test_each_thread_has_a_pipeline_and_an_owner_of_its_own(monkeypatch):
    made = []
    real = Preparer.__init__

    def note(self, found, store, settings, gate):
        made.append((found, gate))
        real(self, found, store, settings, gate)

    monkeypatch.setattr(Preparer, "__init__", note)
    with InterruptGate() as gate:
        one = work(gate=gate)
        owners = [one(chunk()).owner, one(chunk()).owner, in_thread(lambda: one(chunk())).owner]
    assert owners[0] == owners[1] != owners[2]
    (own, own_gate), (copy, other_gate) = made
    assert own is one.pipeline
    assert own_gate is gate
    assert copy is not own
    assert copy.checked.decoder.plugin is not own.checked.decoder.plugin
    assert other_gate is not gate


def test_it_names_the_plugins_that_hold_the_interpreter():
    class Busy(OddReader):
        holds_interpreter = True

    assert work(pipeline(use="odd-reader", registry=toys(decoders={"odd-reader": Busy}))).holds_interpreter == (
        "odd-reader",
    )
    assert work().holds_interpreter == ()


class TestPluginsThatCannotBePickled:
    @pytest.fixture
    def one(self):
        class Local(OddReader):
            pass

        write(a="go", b="go", c="go")
        found = pipeline(use="odd-reader", registry=toys(decoders={"odd-reader": Local}))
        with InterruptGate() as gate:
            yield work(found, gate=gate)

    def test_work_in_the_thread_of_the_run(self, one):
        assert one(chunk()).error is None

    def test_end_the_run_in_another_thread(self, one):
        error = in_thread(lambda: one(chunk())).error
        assert isinstance(error, UsageError)
        assert error.code == "not-importable"


def raising(error):
    def prepare(self, one):
        if one.number == 1:
            raise error
        return REAL(self, one)

    return prepare


REAL = Preparer.prepare


def test_an_error_of_the_output_side_comes_after_what_was_finished(monkeypatch):
    monkeypatch.setattr(Preparer, "prepare", raising(OutputError("full", hint="buy a disk")))
    results = work()(chunk())
    assert numbers(results) == [0]
    assert isinstance(results.error, OutputError)
    assert (results.error.message, results.error.hint) == ("full", "buy a disk")


def test_a_bug_comes_with_its_traceback(monkeypatch):
    monkeypatch.setattr(Preparer, "prepare", raising(ZeroDivisionError("of ours")))
    results = work()(chunk())
    assert numbers(results) == [0]
    assert isinstance(results.error, WorkerError)
    assert results.error.code == "bug"
    assert "ZeroDivisionError: of ours" in results.error.message


def test_an_interrupt_passes_after_what_was_finished(monkeypatch):
    monkeypatch.setattr(Preparer, "prepare", raising(KeyboardInterrupt()))
    stream = work().stream(chunk())
    assert numbers(next(stream)) == []
    first = next(stream)
    assert (numbers(first), first.last) == ([0], False)
    with pytest.raises(KeyboardInterrupt):
        next(stream)


def test_it_stops_before_the_next_task(monkeypatch):
    one = work(pipeline(steps=["do"]))
    monkeypatch.setattr(Do, "act", staticmethod(lambda _: setattr(one, "stopping", True)))
    results = one(chunk())
    assert (numbers(results), results.ended_early) == ([0], True)
    assert numbers(one(chunk())) == []


def test_a_chunk_ends_at_a_failure_where_the_run_may_stop_at_one():
    write(b="k x")
    stream = list(work(flush_failures=True).stream(chunk()))
    assert [numbers(results) for results in stream] == [[], [0, 1], []]
    assert [results.ended_early for results in stream] == [False, False, True]
    assert not work(flush_failures=True)(chunk()[:2]).ended_early


@pytest.mark.parametrize("tasks", [1, 0])
def test_what_is_swept_is_the_dead_ones(tasks):
    dead, living = work(pipeline("deep/{stem}.raw")), work(pipeline("deep/{stem}.raw"))
    mine, other = dead(chunk()), living(chunk())
    dead.close()
    one = work(pipeline("deep/{stem}.raw"))
    one.sweep(mine.owner, chunk()[:tasks])
    one.sweep(other.owner, chunk()[:tasks])
    assert {name[9:17] for name in leftovers()} == {other.owner}
    one.discard(other.sources[1:])
    assert len(leftovers()) == 1


def test_a_sign_of_life_tells_the_last_progress_once(monkeypatch):
    monkeypatch.setattr("tonearm.run.workers.work.LIFE_SECONDS", 0.0)

    def apply(self, signal, context):
        context.progress(1, 4)
        return signal

    monkeypatch.setattr(Do, "apply", apply)
    signs = []
    one = work(pipeline("{stem}-{key}.raw", steps=("do",)))
    for _ in one.stream(chunk(), signs.append):
        pass
    told = [sign.progress for sign in signs]
    assert {report.source for report in told if report} == {"a.txt", "b.txt", "c.txt"}
    assert told[1::2] == [None] * (len(told) // 2)  # an item that is done
    assert {(sign.owner, sign.last, sign.sources) for sign in signs} == {(one.owner(), False, ())}


def test_life_in_the_thread_of_the_run_alone_is_told_to_whoever_waits_for_it_there():
    told = []
    with InterruptGate() as gate:
        one = PipelineWork(
            pipeline("{stem}-{key}.raw"), LocalStore("out"), Settings(fsync=False), gate, lambda *_: told.append(1)
        )
        assert in_thread(lambda: one(chunk())).error is None
        assert told == []
        one(chunk())
    assert len(told) == 3
