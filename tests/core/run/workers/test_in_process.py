import pytest
from run_toys import leftovers, pipeline, task, write

from tonearm.errors import OutputError
from tonearm.plugins.executor import Died
from tonearm.plugins.plugin import NoOptions
from tonearm.run.prepare import Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers import flush_timer as room
from tonearm.run.workers.in_process import InProcessExecutor
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.run.workers.work import PipelineWork


@pytest.fixture
def executor(folder):
    """An executor that is open, and four sources."""
    write(**{str(number): "k 0.5" for number in range(4)})
    made = InProcessExecutor(NoOptions())
    settings = Settings(fsync=False)
    with InterruptGate() as gate:
        made.open(PipelineWork(pipeline(), LocalStore("out"), settings, gate), 1)
        yield made


def chunk(*numbers):
    return [task(f"{number}.txt", number) for number in numbers]


def seen(found):
    """Return the handle of each outcome, with the numbers of its sources."""
    return [
        (handle, outcome.reason if isinstance(outcome, Died) else [one.task.number for one in outcome.sources])
        for handle, outcome in found
    ]


def test_it_works_while_the_run_waits_chunk_by_chunk(executor):
    first, second = executor.submit(chunk(0, 1)), executor.submit(chunk(2))
    assert leftovers() == []
    assert seen(executor.wait(0.0)) == [(first, [0, 1]), (first, [])]
    assert seen(executor.wait(0.0)) == [(second, [2]), (second, [])]
    assert seen(executor.wait(0.0)) == []


def test_what_is_finished_comes_early_and_only_the_last_is_marked(executor, monkeypatch):
    monkeypatch.setattr(room, "FLUSH_SECONDS", 0.0)
    handle = executor.submit(chunk(0, 1, 2))
    found = list(executor.wait(0.0))
    assert seen(found) == [(handle, [0]), (handle, [1]), (handle, [2]), (handle, [])]
    assert [outcome.last for _, outcome in found] == [False, False, False, True]


def test_an_error_is_raised_after_what_was_finished(executor, monkeypatch):
    preparer = executor._work._preparer()
    real = preparer.prepare

    def prepare(one):
        if one.number == 2:
            raise OutputError("full")
        return real(one)

    monkeypatch.setattr(preparer, "prepare", prepare)
    handle = executor.submit(chunk(0, 1, 2, 3))
    found = executor.wait(0.0)
    assert seen([next(found)]) == [(handle, [0, 1])]
    with pytest.raises(OutputError):
        next(found)
    assert len(leftovers()) == 2  # whoever got the results publishes them


def test_a_cancelled_chunk_is_not_begun(executor):
    first, second = executor.submit(chunk(0)), executor.submit(chunk(1))
    executor.cancel(first)
    assert seen(executor.wait(0.0)) == [(first, "it was stopped"), (second, [1]), (second, [])]
