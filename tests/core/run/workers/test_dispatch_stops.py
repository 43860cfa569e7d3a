"""How a dispatcher ends: by an error of an executor or of the output side, or because the run stops."""

import contextlib
import os
import threading

import pytest
from dispatch_toys import TOTAL, Toy, chunks, dispatcher, results
from run_toys import Do, leftovers, pipeline, write

from tonearm.api import Died, OutputError, Results
from tonearm.run.prepare import Preparer, Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers import dispatch as room
from tonearm.run.workers.chunk_results import WorkerError
from tonearm.run.workers.work import PipelineWork


@pytest.fixture(autouse=True)
def sources(folder):
    """Sources, each with an item that can be converted and one that cannot."""
    write(**{str(number): "k 0.5\nl x" for number in range(TOTAL)})


class TestErrors:
    @pytest.mark.parametrize("method", ["open", "submit", "wait", "close"])
    @pytest.mark.parametrize("error", [ValueError("no\nroom"), SystemExit(3)])
    def test_of_others_name_the_executor(self, method, error):
        toy = Toy()

        def fail(*_):
            raise error

        setattr(toy, method, fail)
        one = dispatcher(toy)
        with pytest.raises(WorkerError) as caught:
            results(one)
        reason = "ValueError: no\\nroom" if isinstance(error, ValueError) else "SystemExit: 3"
        assert caught.value.message == f"the executor toy failed: {reason}"
        assert caught.value.code == "broken-worker"

    def test_in_the_middle_keep_what_was_finished(self):
        class Breaks(Toy):
            def wait(self, seconds):
                yield from super().wait(seconds)
                if len(self.calls) > 4:
                    raise ConnectionError("the cluster is gone")

        one = dispatcher(Breaks())
        found = []
        with pytest.raises(WorkerError):
            for batch in one.results(chunks()):
                found += batch
        for prepared in found:
            assert len(prepared.items) == 1
        assert len(leftovers()) == len(found) > 2
        one.discard(found)  # in place of publishing
        lost, other = (PipelineWork(pipeline(), LocalStore("out"), Settings(fsync=False)) for _ in range(2))
        lost(chunks().take())
        lost.close()
        other(chunks().take())
        assert len(leftovers()) == 2
        with pytest.raises(WorkerError):
            list(one.stop())
        one.sweep_dead()
        assert len(leftovers()) == 1  # of somebody who lives

    @pytest.mark.parametrize(
        ("pair", "reason"),
        [
            ((0, "results"), "TypeError: wait yielded str, neither Results nor Died"),
            (([], Results()), "TypeError: unhashable type: 'list'"),
            (7, "TypeError: cannot unpack non-iterable int object"),
        ],
    )
    def test_nonsense_is_one(self, pair, reason):
        toy = Toy()
        toy.wait = lambda seconds: [pair]
        one = dispatcher(toy)
        with pytest.raises(WorkerError) as caught:
            list(one.results(chunks()))
        assert caught.value.message == f"the executor toy failed: {reason}"

    @pytest.mark.parametrize(
        ("method", "value", "reason"),
        [
            ("capacity", "many", "TypeError: "),
            ("notes", None, "TypeError: 'NoneType' object is not iterable"),
        ],
    )
    def test_a_number_or_notes_that_are_none_are_one(self, method, value, reason):
        toy = Toy()
        setattr(toy, method, lambda: value)
        with pytest.raises(WorkerError) as caught:
            list(dispatcher(toy, follows_capacity=True).results(chunks()))
        assert caught.value.message.startswith(f"the executor toy failed: {reason}")

    def test_they_tell_no_passwords(self):
        toy = Toy()

        def fail(*_):
            raise ConnectionError("cannot reach amqp://me:secret@far:1")

        toy.submit = fail
        with pytest.raises(WorkerError) as caught:
            list(dispatcher(toy).results(chunks()))
        assert caught.value.message == "the executor toy failed: ConnectionError: cannot reach amqp://…@far:1"

    def test_one_handle_for_two_chunks_is_one(self):
        toy = Toy()
        toy.submit = lambda chunk: "same"
        with pytest.raises(WorkerError, match="submit returned 'same' for two chunks in flight"):
            list(dispatcher(toy).results(chunks()))

    def test_of_our_own_executors_are_bugs(self):
        toy = Toy()
        toy.wait = lambda seconds: 1 / 0
        with pytest.raises(ZeroDivisionError):
            list(dispatcher(toy, name="").results(chunks()))

    def test_of_the_output_side_come_after_what_was_finished(self, monkeypatch):
        real = Preparer.prepare

        def prepare(self, one):
            if one.number == 3:
                raise OutputError("full")
            return real(self, one)

        monkeypatch.setattr(Preparer, "prepare", prepare)
        one, found = dispatcher(Toy(), slots=1), []
        with pytest.raises(OutputError):
            for batch in one.results(chunks()):
                found += batch
        assert [prepared.task.number for prepared in found] == [0, 1, 2]


class Threaded(Toy):
    """Each chunk has a thread, which is not waited for."""

    def open(self, work, slots):
        super().open(work, slots)
        self.threads, self.found = [], []
        self.come = threading.Event()

    def submit(self, chunk):
        handle = super().submit(chunk)

        def run():
            self.found.append((handle, self.work(chunk)))
            self.come.set()

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()
        return handle

    def wait(self, seconds):
        self.come.wait(seconds)
        self.come.clear()
        while self.found:
            yield self.found.pop()

    def cancel(self, handle):
        self.cancelled.append(handle)

    def close(self):
        for thread in self.threads:
            thread.join()


class ThreadedTwice(Threaded):
    """Each result comes twice."""

    def wait(self, seconds):
        for pair in super().wait(seconds):
            yield pair
            yield pair


class TestStopping:
    @pytest.mark.parametrize("make", [Threaded, ThreadedTwice])
    def test_what_was_finished_comes_even_if_the_executor_took_long(self, monkeypatch, make):
        """A thread cannot be stopped: its results come when it is closed, and nothing is left that nobody knows."""
        begun, go = threading.Event(), threading.Event()

        def act(_):
            begun.set()
            go.wait()

        monkeypatch.setattr(Do, "act", staticmethod(act))
        monkeypatch.setattr(room, "STOP_TIMEOUT", 0.05)
        monkeypatch.setattr(room, "POLL_INTERVAL", 0.01)
        toy = make()
        real = toy.close
        toy.close = lambda: (go.set(), real())
        one = dispatcher(toy, slots=1, steps=["do"])
        stream = one.results(chunks())
        next(stream)
        begun.wait()
        stream.close()
        found = []
        for batch in one.stop():
            found += [prepared.task.number for prepared in batch]
            assert len(leftovers()) == 1
        assert toy.cancelled == [0]
        assert found == [0]

    @pytest.mark.parametrize("patience", [0.0, 60.0])
    def test_a_worker_that_was_lost_and_lives_on_has_some_time_to_die(self, patience):
        """Its temporaries are removed once it does, and else left to the next run."""
        lost = PipelineWork(pipeline(), LocalStore("out"), Settings(fsync=False))
        lost(chunks().take())

        class Loses(Toy):
            def wait(self, seconds):
                for handle in list(self.chunks):
                    if handle:
                        yield handle, self.work(self.chunks.pop(handle))
                    else:
                        self.chunks.pop(handle)
                        yield handle, Died("it fell", owner=lost.owner())

        one = dispatcher(Loses())
        for batch in one.results(chunks()):
            one.discard(batch)  # in place of publishing
        list(one.stop())
        assert len(leftovers()) == 1
        dies = threading.Timer(0.1, lost.close)
        if patience:
            dies.start()
        one.sweep_dead(at_end=True, patience=patience)
        assert len(leftovers()) == (0 if patience else 1)
        if patience:
            dies.join()
        else:
            lost.close()

    def test_what_a_stopped_chunk_left_is_looked_for_in_its_own_folders(self, monkeypatch):
        """A worker may have begun it, and not come to say so. A search of all folders may take hours."""

        class Stopped(Toy):
            def cancel(self, handle):
                pass

            def wait(self, seconds):
                for handle in list(self.chunks) if self.work.stopping else ():
                    self.chunks.pop(handle)
                    yield handle, Died("it was stopped", taken_away=True)

        one = dispatcher(Stopped(), slots=3)
        swept, real = [], one._work.store.sweep
        monkeypatch.setattr(one._work.store, "sweep", lambda *given: (swept.append(given), real(*given))[1])
        with contextlib.closing(one.results(chunks())) as stream:
            assert next(stream) == []
        assert list(one.stop()) == []
        for place in ("out", "out/elsewhere"):
            os.makedirs(place, exist_ok=True)
            with open(f"{place}/.tonearm-0000000000000001.part", "w") as file:
                file.write("half")
        one.sweep_dead(at_end=True)
        assert swept == [("", [""])]
        assert len(leftovers()) == 1

    def test_before_it_began_does_nothing(self):
        toy = Toy()
        assert list(dispatcher(toy).stop()) == []
        assert not toy.closed
