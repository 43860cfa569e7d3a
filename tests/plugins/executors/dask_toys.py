"""Work of a run that workers of Dask can do in a moment, and what a run does with an executor."""

import threading
import time
from collections.abc import Iterator, Mapping

from tonearm.api import Died, Results, Work
from tonearm_plugins.executors.dask_executor import DaskExecutor
from tonearm_plugins.executors.dask_options import DaskOptions

OWNER = "0000abcd"
PATIENCE = 60.0
"""Time in seconds after which something has gone wrong, however busy the machine is."""

PIPELINE = """
tonearm: 1
input:
  use: npy-reader
  files: "*.npy"
  with: {kind: waveform, sample_rate: 16000}
outputs:
  - use: wav-writer
    file: "{stem}.wav"
"""

release = threading.Event()
"""Event that chunks named ``wait`` wait for."""

left: list[str] = []
"""What the function of `ToyWork.leave` was called for."""


def note_leave() -> None:
    left.append("left")
    release.set()


class ToyWork(Work):
    """Work at chunks that are texts: ``ok``, ``wait``, ``raise``, ``pieces``; ``retry`` is before those tried again."""

    def __init__(self, versions: Mapping[str, str] = {}) -> None:
        self._versions = dict(versions)

    def __call__(self, chunk: object, worker: str = "") -> Results:
        return list(self.stream(chunk, worker=worker))[-1]

    def stream(self, chunk, alive=None, worker="") -> Iterator[Results]:
        yield Results(owner=OWNER, worker=worker, last=False)
        if "raise" in chunk:
            raise ValueError("a bug")
        if "wait" in chunk:
            assert release.wait(PATIENCE)
        if "pieces" in chunk:
            yield Results(owner="piece1", last=False)
            yield Results(owner="piece2", last=False)
        yield Results(owner=OWNER, worker=worker)

    def versions(self) -> Mapping[str, str]:
        return self._versions

    def is_retry(self, chunk) -> bool:
        return chunk.startswith("retry")

    def leave(self):
        return note_leave


class Opened:
    """An executor that is open; its chunks' outcomes are collected by handle."""

    def __init__(self, work: Work | None = None, slots: int = 2, **options: object) -> None:
        release.clear()
        left.clear()
        self.executor = DaskExecutor(DaskOptions(**options))
        self.outcomes: dict[object, list[Results | Died]] = {}
        self.told: list[str] = []
        self.executor.open(work or ToyWork(), slots)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.executor.close()

    def poll(self, seconds: float = 0.05) -> None:
        for handle, outcome in self.executor.wait(seconds):
            found = self.outcomes.setdefault(handle, [])
            if not found or found[-1] != outcome:  # signs of life are many
                found.append(outcome)
        self.told += self.executor.notes()

    def until(self, condition) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, (self.outcomes, self.told)
            self.poll()

    def until_connected(self) -> None:
        self.until(lambda: self.executor.capacity())

    def begun(self, handle) -> bool:
        return any(isinstance(one, Results) and one.owner for one in self.outcomes.get(handle, []))

    def last(self, handle) -> Results | Died | None:
        """Return the last outcome of a chunk that has come to its end."""
        ends = [one for one in self.outcomes.get(handle, []) if isinstance(one, Died) or one.last]
        assert len(ends) < 2
        return ends[0] if ends else None
