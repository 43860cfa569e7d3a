import pytest
from run_toys import leftovers, pipeline, task, write

from tonearm.errors import OutputError
from tonearm.run.prepare import Settings
from tonearm.run.tasks import Failure, Prepared
from tonearm.run.workers import executor as room
from tonearm.run.workers.executor import CHUNK_SECONDS, MOST_TASKS, Chunks, Flush, InProcess
from tonearm.run.workers.interrupts import Gate


def chunks(total, workers=2):
    return Chunks((task(f"{number}.txt", number) for number in range(total)), total, workers)


def cost(seconds):
    return [Prepared(task=task("a.txt"), seconds=seconds)]


class TestChunks:
    def test_every_source_comes_once_in_order(self):
        found = chunks(1000)
        taken = []
        while one := found.take():
            taken += [each.number for each in one]
            found.learn(cost(0.001))
            assert len(found) == 1000 - len(taken)
        assert taken == list(range(1000))
        assert found.take() == []

    def test_they_grow_to_what_was_measured(self):
        found = chunks(100_000)
        sizes = []
        for _ in range(12):
            sizes.append(len(found.take()))
            found.learn(cost(0.001))
        assert sizes[:3] == [1, 4, 16]
        assert sizes[-1] == int(CHUNK_SECONDS / 0.001)

    @pytest.mark.parametrize(("seconds", "size"), [(10.0, 1), (1e-9, MOST_TASKS), (0.05, 5)])
    def test_they_are_bounded(self, seconds, size):
        found = chunks(1_000_000)
        for _ in range(20):
            found.learn(cost(seconds))
            last = found.take()
        assert len(last) == size

    def test_one_slow_source_does_not_keep_them_small(self):
        found = chunks(100_000)
        found.learn(cost(1.0))
        sizes = []
        for _ in range(30):
            sizes.append(len(found.take()))
            found.learn(cost(0.001))
        assert sizes[0] == 1
        assert sizes[-1] > 200

    def test_they_shrink_towards_the_end(self):
        found = chunks(64, workers=4)
        for _ in range(9):
            found.learn(cost(1e-5))
        sizes = []
        while one := found.take():
            sizes.append(len(one))
        assert max(sizes) <= 8
        assert sizes[-4:] == [1, 1, 1, 1]


def test_a_batch_waits_for_a_while():
    now = [0.0]
    (well,), failed = cost(1), Prepared(task=task("a.txt"), failures=[Failure("a.txt", "", 0, "x", "y")])
    flush, impatient = Flush(clock=lambda: now[0]), Flush(impatient=True, clock=lambda: now[0])
    assert not any((flush.is_due(well), flush.is_due(failed), impatient.is_due(well)))
    assert impatient.is_due(failed)
    now[0] = room.FLUSH_SECONDS
    assert flush.is_due(well)
    flush.restart()
    assert not flush.is_due(well)


class TestInThisProcess:
    def run(self, found, total):
        write(**{str(number): "k 0.5" for number in range(total)})
        executor = InProcess(found, Settings(root="out", mark="0000", fsync=False), Gate())
        return executor, executor.results(chunks(total))

    def test_every_task_comes_back_once(self, folder):
        _, results = self.run(pipeline(), 20)
        found = [prepared.task.number for batch in results for prepared in batch]
        assert found == list(range(20))

    def test_time_is_seen_to_pass(self, folder, monkeypatch):
        monkeypatch.setattr(room, "FLUSH_SECONDS", 0.0)
        _, results = self.run(pipeline(), 5)
        assert [len(batch) for batch in results] == [1, 1, 1, 1, 1, 0]

    def test_what_was_finished_when_it_is_stopped(self, folder, monkeypatch):
        write(**{str(number): "k 0.5" for number in range(4)})
        executor = InProcess(pipeline(), Settings(root="out", mark="0000", fsync=False), Gate())
        real = executor._preparer.prepare

        def prepare(one):
            if one.number == 2:
                raise OutputError("full")
            return real(one)

        monkeypatch.setattr(executor._preparer, "prepare", prepare)
        with pytest.raises(OutputError):
            list(executor.results(chunks(4)))
        assert [[prepared.task.number for prepared in batch] for batch in executor.stop()] == [[0, 1]]
        assert list(executor.stop()) == []
        assert len(leftovers()) == 2  # whoever stops it publishes them, or throws them away
