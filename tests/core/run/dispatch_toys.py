"""A dispatcher over toy sources, and an executor of which tests spoil one method."""

import itertools

from run_toys import leftovers, pipeline, task

from tonearm.api import Executor, NoOptions
from tonearm.run.prepare import Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers.chunks import Chunks
from tonearm.run.workers.dispatch import Dispatcher
from tonearm.run.workers.in_process import InProcessExecutor
from tonearm.run.workers.local import LocalExecutor
from tonearm.run.workers.work import PipelineWork

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
