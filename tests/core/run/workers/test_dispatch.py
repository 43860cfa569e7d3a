"""What the run does for every executor, good ones and bad ones."""

import itertools
from collections import Counter

import pytest
from dispatch_toys import TOTAL, Toy, check, chunks, dispatcher, in_process, local, results
from msgspec import structs
from run_toys import leftovers, pipeline, task, write

from tonearm.api import Died, Results
from tonearm.plugins.progress import Progress
from tonearm.reporting.worker_rates import WorkerRates
from tonearm.run import prepare as prepare_room
from tonearm.run.prepare import Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers import dispatch as room
from tonearm.run.workers import flush_timer
from tonearm.run.workers.chunk_results import ChunkResults, WorkerError
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.run.workers.work import PipelineWork


@pytest.fixture(autouse=True)
def sources(folder):
    """Sources, each with an item that can be converted and one that cannot."""
    write(**{str(number): "k 0.5\nl x" for number in range(TOTAL)})


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


def test_chunks_have_as_much_work_as_the_executor_says_at_the_time():
    class Growing(Toy):
        def wait(self, seconds):
            self.chunk_seconds = 1.0
            yield from super().wait(seconds)

    given = chunks()
    for _ in dispatcher(Growing()).results(given):
        pass
    assert given.seconds == 1.0


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

    def test_without_a_beginning(self):
        """An executor has had a process leave that it goes on to use. It must not get the chunk again and again."""

        class Left(Toy):
            def wait(self, seconds):
                for handle in list(self.chunks):
                    one = self.chunks.pop(handle)
                    is_left = any(task.number == 5 for task in one)
                    yield handle, ChunkResults(ended_early=True) if is_left else self.work(one)

        check(results(dispatcher(Left())), failed=[5])

    @pytest.mark.parametrize("count", [1, 2])
    def test_from_a_process_that_was_not_fit(self, count):
        """It may have used up its descriptors at another source, so each is tried again alone."""

        class Unfit(Toy):
            times = count

            def wait(self, seconds):
                for handle in list(self.chunks):
                    one = self.chunks.pop(handle)
                    if any(task.number == 5 for task in one) and self.times:
                        self.times -= 1
                        done = self.work([task for task in one if task.number < 5])
                        yield handle, ChunkResults(owner=done.owner, sources=done.sources, unfit="no files")
                    else:
                        yield handle, self.work(one)

        toy = Unfit()
        found = results(dispatcher(toy, slots=1))
        check(found, failed=[5])
        assert [5] in toy.calls
        (failure,) = next(done for done in found if done.task.number == 5).failures
        assert (failure.code, failure.message) == (
            ("no-level", "line-reader: 'x' is no level") if count == 1 else ("worker-died", "no files, twice")
        )

    def test_from_a_worker_that_does_not_see_the_sources(self, tmp_path):
        """Each source would fail on its own, and the journal would say that it does not exist."""

        class Blind(Toy):
            def wait(self, seconds):
                for handle in list(self.chunks):
                    missing = [task("none.txt", one.number) for one in self.chunks[handle]]
                    done = self.work(missing)
                    sources = [
                        structs.replace(prepared, task=own)
                        for prepared, own in zip(done.sources, self.chunks.pop(handle), strict=True)
                    ]
                    yield handle, structs.replace(done, sources=sources, worker="tcp://far:1")

        one, found = dispatcher(Blind(), slots=1), []
        with pytest.raises(WorkerError) as caught:
            for batch in one.results(chunks()):
                found += batch
        assert caught.value.message == f"worker tcp://far:1 does not see {tmp_path / '0.txt'}"
        found += [prepared for batch in one.stop() for prepared in batch]
        assert found == []


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

    def test_all_that_came_before_is_published_before_a_dead_workers_temporaries_are_removed(self):
        """Batches may wait for one another until an empty one comes, and their files may be the dead worker's."""

        class DyingSecond(Toy):
            """Hands over one chunk, and right then the worker of the next one dies, once."""

            deaths = 1

            def wait(self, seconds):
                for place, handle in enumerate(list(self.chunks)):
                    chunk = self.chunks.pop(handle)
                    if place and self.deaths:
                        self.deaths -= 1
                        yield handle, Died("it fell", "0000abcd")
                    else:
                        yield handle, self.work(chunk)

        one, seen = dispatcher(DyingSecond()), []
        one._work.sweep = lambda owner, _: seen.append(owner) is None
        seen.extend(len(batch) for batch in one.results(chunks()))
        list(one.stop())
        assert seen[:3] == [1, 0, "0000abcd"]
        assert seen[-1] == 0

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

    def test_what_a_lost_worker_still_holds_is_swept_at_the_end(self):
        """It was lost to the run, and goes on for a while: its process, or the network, was slow."""
        lost = PipelineWork(pipeline("{stem}-{key}.raw"), LocalStore("out"), Settings(fsync=False))
        left = lost([task("0.txt"), task("1.txt", 1)])

        class Loses(Dying):
            died = Died("it was lost", owner=left.owner, taken_away=True)

        one = dispatcher(Loses())
        for batch in one.results(chunks()):
            one.discard(batch)
        assert len(leftovers()) == 2
        list(one.stop())
        one.sweep_dead()
        assert len(leftovers()) == 2
        lost.close()  # as its end would
        one.sweep_dead(at_end=True)
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


class TestCapacity:
    @pytest.mark.parametrize(
        ("capacity", "follows", "most"), [(5, True, 5), (5, False, 2), (None, True, 2), (0, True, 1), (1, True, 1)]
    )
    def test_it_counts_unless_the_user_has_given_a_number(self, capacity, follows, most):
        toy = Toy()
        toy.capacity = lambda: capacity
        check(results(dispatcher(toy, follows_capacity=follows)))
        assert toy.most == most

    def test_it_may_change(self):
        toy, numbers = Toy(), itertools.chain([1], itertools.repeat(6))
        toy.capacity = lambda: next(numbers)
        toy.chunk_seconds = 0.0  # one task a chunk, however slow the machine is
        check(results(dispatcher(toy, follows_capacity=True)))
        assert toy.most > 2


class TestNotes:
    def test_they_come_as_soon_as_there_are_some(self):
        class Talks(Toy):
            notes_of = iter([["hello\x1b"], [], ["tcp://me:secret@far:1 is lost", "bye"]])

            def notes(self):
                return next(self.notes_of, [])

        told = []
        one = dispatcher(Talks(), on_note=told.append)
        stream = one.results(chunks())
        next(stream)
        assert told == ["hello\\x1b"]
        for _ in stream:
            pass
        assert told[1:] == ["tcp://…@far:1 is lost", "bye"]

    def test_nobody_needs_them(self):
        toy = Toy()
        toy.notes = lambda: ["hello"]
        check(results(dispatcher(toy)))


@pytest.mark.parametrize("is_wanted", [True, False])
def test_progress_comes_with_signs_of_life(is_wanted):
    told = []
    reports = [Progress("x", float(number), 2.0) for number in range(2)]

    class Telling(Toy):
        def wait(self, seconds):
            for handle in list(self.chunks):
                yield handle, Results(last=False)
                for report in reports:
                    yield handle, ChunkResults(last=False, progress=report)
                yield handle, self.work(self.chunks.pop(handle))

    check(results(dispatcher(Telling(), on_progress=told.append if is_wanted else None)))
    assert told[:2] == (reports if is_wanted else [])


def test_workers_that_have_names_are_counted_and_the_lost_are_forgotten():
    class Crew(Toy):
        def wait(self, seconds):
            for handle in list(self.chunks):
                chunk = self.chunks.pop(handle)
                name = "east" if handle % 2 else "west"
                if handle == 4:
                    yield handle, Results(worker="north", last=False)
                    yield handle, Died("it was lost", taken_away=True)
                else:
                    yield handle, structs.replace(self.work(chunk, worker=name), last=False)
                    yield handle, self.work(chunk, worker=name)  # all of it again

    rates = WorkerRates()
    check(results(dispatcher(Crew(), rates=rates)))
    counts = rates.counts()
    assert set(counts) == {"east", "west"}
    assert sum(counts.values()) == TOTAL
    assert "north" not in rates.describe()
