"""The contract that every executor keeps."""

import pytest
from run_toys import leftovers, pipeline, task, write

from tonearm.run.prepare import Settings
from tonearm.run.workers.chunks import Chunks
from tonearm.run.workers.in_process import InProcessExecutor
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.run.workers.local import LocalExecutor


def in_process(settings):
    return InProcessExecutor(pipeline("{stem}-{key}.raw"), settings, InterruptGate())


def local(settings):
    return LocalExecutor(pipeline("{stem}-{key}.raw"), settings, jobs=1, gate=InterruptGate(), fork=False)


@pytest.mark.parametrize("make", [in_process, local])
def test_every_task_comes_back_last_exactly_once_and_nothing_is_published(folder, make):
    write(**{str(number): "k 0.5\nl x" for number in range(20)})
    tasks = [task(f"{number}.txt", number) for number in range(20)]
    executor = make(Settings(root="out", owner_id="0000", fsync=False))
    found = [one for batch in executor.results(Chunks(iter(tasks), 20, 1)) for one in batch]
    assert list(executor.stop()) == []
    assert sorted(one.task.number for one in found if one.last) == list(range(20))
    assert [len(one.items) for one in found] == [len(one.failures) for one in found] == [1] * 20
    assert sorted(file.temporary for one in found for item in one.items for file in item.files) == leftovers()
