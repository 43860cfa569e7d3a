"""What the run does for every executor, good ones and bad ones."""

import itertools
import threading
from collections import Counter

import pytest
from run_toys import Do, leftovers, pipeline, task, write

from tonearm.api import Died, Executor, NoOptions, OutputError, Results
from tonearm.run import prepare as prepare_room
from tonearm.run.prepare import Preparer, Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers import dispatch as room
from tonearm.run.workers import flush_timer
from tonearm.run.workers.chunks import Chunks
from tonearm.run.workers.dispatch import Dispatcher
from tonearm.run.workers.in_process import InProcessExecutor
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.run.workers.local import LocalExecutor
from tonearm.run.workers.work import PipelineWork, WorkerError

TOTAL = 20


class Toy(Executor[NoOptions]):
    """Works at one chunk in each `wait`; tests spoil one method of it."""

    def __init__(self):
        super().__init__(NoOptions())
        self.chunks, self.most, self.calls, self.cancelled, self.closed = {}, 0, [], [], False
        self.numbers = itertools.count()

    def open(self, work, slots):
        self.work = work

    def submit(self, chunk):
        handle = next(self.numbers)
        self.chunks[handle] = chunk
        self.most = max(self.most, len(self.chunks))
        self.calls.append([one.number for one in chunk])
        return handle

    def wait(self, seconds):
        for handle in list(self.chunks):
            yield handle, self.work(self.chunks.pop(handle))

    def cancel(self, handle):
        self.cancelled.append(handle)
        if self.chunks.pop(handle, None) is not None:
            self.chunks[f"{handle} is over"] = []

    def close(self):
        self.closed = True


@pytest.fixture(autouse=True)
def sources(folder):
    """Sources, each with an item that can be converted and one that cannot."""
    write(**{str(number): "k 0.5\nl x" for number in range(TOTAL)})


def dispatcher(executor, *, gate=None, steps=(), flush_failures=False, **more):
    settings = Settings(fsync=False, flush_failures=flush_failures)
    work = PipelineWork(pipeline("{stem}-{key}.raw", steps=steps), LocalStore("out"), settings, gate)
    return Dispatcher(executor, work, **{"name": "toy", "slots": 2, **more})


def chunks(total=TOTAL):
    return Chunks((task(f"{number}.txt", number) for number in range(total)), total, 1)


def results(one, total=TOTAL):
    """Return all that a dispatcher yields, to the end."""
    found = [prepared for batch in one.results(chunks(total)) for prepared in batch]
    assert [prepared for batch in one.stop() for prepared in batch] == []
    return found


def check(found, failed=(), total=TOTAL):
    """Check that each task came back once, and that nothing else is left."""
    assert sorted(one.task.number for one in found if one.last) == list(range(total))
    for one in found:
        if one.task.number not in failed:
            assert (len(one.items), [failure.code for failure in one.failures]) == (1, ["no-level"])
    assert sorted(file.temporary for one in found for item in one.items for file in item.files) == leftovers()


def in_process():
    return InProcessExecutor(NoOptions())


def local():
    return LocalExecutor(NoOptions())


@pytest.mark.parametrize("make", [in_process, local, Toy])
def test_every_task_comes_back_last_exactly_once_and_nothing_is_published(make):
    with InterruptGate() as gate:
        check(results(dispatcher(make(), gate=gate)))


@pytest.mark.parametrize("make", [in_process, local, Toy])
def test_no_task_is_begun_after_a_failure_before_that_is_counted(make):
    with InterruptGate() as gate:
        one = dispatcher(make(), gate=gate, slots=1, flush_failures=True)
        sizes = []
        for batch in one.results(chunks()):
            if batch:
                sizes.append(len(batch))
                assert len(leftovers()) == sum(sizes)
        list(one.stop())
    assert sizes == [1] * TOTAL


def test_only_so_many_chunks_are_in_flight():
    toy = Toy()
    results(dispatcher(toy, slots=3))
    assert toy.most == 3
    assert toy.closed


class TestWhatComesBackWrong:
    def test_twice(self):
        class Twice(Toy):
            def wait(self, seconds):
                for pair in super().wait(seconds):
                    yield pair
                    yield pair
                    yield pair[0], self.work([task("3.txt", 3)])  # and again, by somebody else

        found = []
        one = dispatcher(Twice())
        for batch in one.results(chunks()):
            found += batch
            for prepared in batch:
                one.discard([prepared])  # in place of publishing
        list(one.stop())
        assert Counter(prepared.task.number for prepared in found) == dict.fromkeys(range(TOTAL), 1)
        assert leftovers() == []

    def test_pieces_twice(self, monkeypatch):
        monkeypatch.setattr(prepare_room, "MAX_WAITING_ITEMS", 2)
        monkeypatch.setattr(flush_timer, "FLUSH_SECONDS", 0.0)

        class Pieces(Toy):
            def wait(self, seconds):
                for handle in list(self.chunks):
                    for piece in self.work.stream(self.chunks.pop(handle)):
                        yield handle, piece
                        if not piece.last:
                            yield handle, piece

        write(**{"0": "\n".join(f"{key} 0.5" for key in "abcde")})
        found = [one for batch in dispatcher(Pieces()).results(chunks(1)) for one in batch]
        assert [[item.key for item in one.items] for one in found] == [["a", "b"], ["c", "d"], ["e"]]

    def test_of_a_chunk_that_nobody_knows(self):
        class Stranger(Toy):
            def wait(self, seconds):
                yield "stranger", self.work([task("3.txt", 3)])
                yield "stranger", Died("it was never there")
                yield from super().wait(seconds)

        check(results(dispatcher(Stranger())))

    def test_with_a_task_of_another_chunk(self):
        class Mixed(Toy):
            def wait(self, seconds):
                for handle in list(self.chunks):
                    yield handle, self.work([*self.chunks.pop(handle), task("19.txt", 19)])

        found = results(dispatcher(Mixed(), slots=1))
        check(found)

    def test_without_a_task_once(self):
        class Forgets(Toy):
            def wait(self, seconds):
                for handle in list(self.chunks):
                    chunk = self.chunks.pop(handle)
                    again = any(5 in numbers for numbers in self.calls[:-1])
                    yield handle, self.work([one for one in chunk if again or one.number != 5])

        toy = Forgets()
        check(results(dispatcher(toy, slots=1)))
        assert toy.calls.count([5]) == 1

    def test_without_a_task_always(self):
        class Forgets(Toy):
            def wait(self, seconds):
                for handle in list(self.chunks):
                    yield handle, self.work([one for one in self.chunks.pop(handle) if one.number != 5])

        found = results(dispatcher(Forgets()))
        check(found, failed=[5])
        (failure,) = next(one for one in found if one.task.number == 5).failures
        assert (failure.code, failure.message) == (
            "worker-died", "the executor toy returned no result for it, twice",
        )  # fmt: skip

    def test_empty_results_of_its_own(self):
        class Empty(Toy):
            def wait(self, seconds):
                for handle in list(self.chunks):
                    del self.chunks[handle]
                    yield handle, Results()

        found = results(dispatcher(Empty()), total=2)
        assert [one.failures[0].message for one in found] == ["the executor toy returned no result for it, twice"] * 2


class Dying(Toy):
    """Its workers die at one task, as often as a test wants."""

    deaths = 1
    died = Died("its process was ended by SIGSEGV")

    def wait(self, seconds):
        for handle in list(self.chunks):
            chunk = self.chunks.pop(handle)
            numbers = [one.number for one in chunk]
            if 5 in numbers and self.deaths:
                self.deaths -= 1
                yield handle, self.died
            else:
                yield handle, self.work(chunk)


class TestDeaths:
    def test_once_is_nobodys_fault_and_each_task_is_tried_alone(self):
        toy = Dying()
        check(results(dispatcher(toy, slots=1)))
        (died,) = [numbers for numbers in toy.calls if 5 in numbers and len(numbers) > 1]
        assert [[number] in toy.calls for number in died] == [True] * len(died)

    def test_twice_is_the_items(self):
        toy = Dying()
        toy.deaths = 2
        found = results(dispatcher(toy))
        check(found, failed=[5])
        (failure,) = next(one for one in found if one.task.number == 5).failures
        assert (failure.code, failure.message, failure.hint) == (
            "worker-died", "its process was ended by SIGSEGV, twice", room.DEBUG_HINT,
        )  # fmt: skip

    def test_a_reason_from_outside_is_made_printable(self):
        toy = Dying()
        toy.deaths, toy.died = 2, Died("\x1b[2Jboo\n", hint="look")
        failure = next(one for one in results(dispatcher(toy)) if one.task.number == 5).failures[0]
        assert (failure.message, failure.hint) == ("\\x1b[2Jboo\\n, twice", "look")

    def test_a_worker_that_was_taken_away_is_no_death(self):
        toy = Dying()
        toy.deaths, toy.died = 7, Died("the cluster wants its machine back", taken_away=True)
        check(results(dispatcher(toy, slots=1)))
        assert len([numbers for numbers in toy.calls if 5 in numbers]) == 8
        assert [5] not in [numbers for numbers in toy.calls if 6 in numbers]

    def test_a_second_attempt_that_was_taken_away_is_still_the_second(self):
        class Unlucky(Dying):
            deaths = 3

            @property
            def died(self):
                return Died("it fell", taken_away=self.deaths == 1)

        toy = Unlucky()
        check(results(dispatcher(toy, slots=1)), failed=[5])
        assert toy.deaths == 0

    def test_what_a_dead_worker_left_is_swept_after_what_it_handed_over_is_published(self):
        class Halfway(Toy):
            def wait(self, seconds):
                for handle in list(self.chunks):
                    chunk = self.chunks.pop(handle)
                    finished = self.work(chunk[:1])
                    lost = self.work(chunk)  # never handed over
                    yield handle, Results(owner=lost.owner, last=False)
                    yield handle, type(finished)(owner=finished.owner, last=False, sources=finished.sources)
                    self.work.close()  # as the end of a process would
                    yield handle, Died("it fell", owner=finished.owner)

        one = dispatcher(Halfway())
        found = []
        for batch in one.results(chunks(6)):
            for prepared in batch:
                names = [file.temporary for item in prepared.items for file in item.files]
                assert set(names) <= set(leftovers())
                found.append(prepared.task.number)
                one.discard([prepared])  # in place of publishing
        list(one.stop())
        one.sweep_dead()
        assert sorted(found) == list(range(6))
        assert leftovers() == []

    def test_items_that_were_received_are_not_done_again(self, monkeypatch):
        monkeypatch.setattr(prepare_room, "MAX_WAITING_ITEMS", 2)
        monkeypatch.setattr(flush_timer, "FLUSH_SECONDS", 0.0)

        class OnePiece(Toy):
            def wait(self, seconds):
                for handle in list(self.chunks):
                    stream = self.work.stream(self.chunks.pop(handle))
                    yield handle, next(stream)
                    if handle == 0:
                        yield handle, Died("it fell")
                    else:
                        yield from ((handle, piece) for piece in stream)

        write(**{"0": "\n".join(f"{key} 0.5" for key in "abcde")})
        found = [one for batch in dispatcher(OnePiece()).results(chunks(1)) for one in batch]
        assert [[item.key for item in one.items] for one in found] == [["a", "b"], ["c", "d"], ["e"]]


class Deaf(Toy):
    """One chunk hangs; it says nothing, or now and then that it lives."""

    alive = 0
    answers = True

    def wait(self, seconds):
        assert 0 <= seconds <= room.POLL_INTERVAL
        for handle, chunk in list(self.chunks.items()):
            if any(one.number == 5 for one in chunk) and handle not in self.cancelled:
                if self.alive:
                    self.alive -= 1
                    yield handle, Results(last=False)
                continue
            del self.chunks[handle]
            if isinstance(handle, str):
                if self.answers:
                    yield int(handle.split()[0]), Died("it was stopped")
            else:
                yield handle, self.work(chunk)


class TestTimeouts:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch):
        """A clock that goes on by 0.1 s whenever it is read."""
        ticks = itertools.count()
        monkeypatch.setattr(room.time, "monotonic", lambda: next(ticks) / 10)

    @pytest.mark.parametrize("answers", [True, False])
    def test_a_chunk_without_a_sign_of_life_is_cancelled_and_its_tasks_fail_the_second_time(self, answers):
        toy = Deaf()
        toy.answers = answers
        found = results(dispatcher(toy, timeout=5.0))
        check(found, failed=[5])
        (failure,) = next(one for one in found if one.task.number == 5).failures
        assert (failure.code, failure.message, failure.hint) == (
            "timeout", "it took longer than 5 s, twice", "set a longer timeout",
        )  # fmt: skip
        assert len(toy.cancelled) == 2

    def test_a_sign_of_life_is_enough(self):
        toy = Deaf()
        toy.alive = 500
        stream = dispatcher(toy, timeout=5.0).results(chunks())
        for _ in stream:
            if toy.alive < 100:
                break
        assert toy.cancelled == []

    def test_without_a_timeout_nothing_is_cancelled(self):
        toy = Deaf()
        stream = dispatcher(toy).results(chunks())
        for _ in itertools.islice(stream, 500):
            pass
        assert toy.cancelled == []
        stream.close()


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

    def test_before_it_began_does_nothing(self):
        toy = Toy()
        assert list(dispatcher(toy).stop()) == []
        assert not toy.closed
