import pytest
from run_toys import leftovers, pipeline, task, write

from tonearm.errors import OutputError
from tonearm.run.prepare import Settings
from tonearm.run.workers import flush_timer as room
from tonearm.run.workers.chunks import Chunks
from tonearm.run.workers.in_process import InProcessExecutor
from tonearm.run.workers.interrupts import InterruptGate


def chunks(total, workers=2):
    return Chunks((task(f"{number}.txt", number) for number in range(total)), total, workers)


class TestInThisProcess:
    def run(self, found, total):
        write(**{str(number): "k 0.5" for number in range(total)})
        executor = InProcessExecutor(found, Settings(root="out", owner_id="0000", fsync=False), InterruptGate())
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
        executor = InProcessExecutor(pipeline(), Settings(root="out", owner_id="0000", fsync=False), InterruptGate())
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
