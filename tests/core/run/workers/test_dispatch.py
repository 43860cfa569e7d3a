"""What the run does for every executor, good ones and bad ones."""

import itertools
from collections import Counter

import pytest
from dispatch_toys import TOTAL, Toy, check, chunks, dispatcher, in_process, local, results
from run_toys import leftovers, task, write

from tonearm.api import Died, Results
from tonearm.plugins.progress import Progress
from tonearm.run import prepare as prepare_room
from tonearm.run.workers import dispatch as room
from tonearm.run.workers import flush_timer
from tonearm.run.workers.chunk_results import ChunkResults
from tonearm.run.workers.interrupts import InterruptGate


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
