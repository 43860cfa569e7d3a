"""An executor that works in tasks of a Ray cluster, or of one that it starts on this machine."""

import contextlib
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from tonearm.api import Died, Executor, Executors, Meta, Results, Work, hookimpl

LEAVE_SECONDS = 1.0
"""Time in seconds that workers have to release what they hold when a run ends."""

STOP_SECONDS = 1.0
"""Time in seconds that tasks have to end when they are killed."""

LIFE_SECONDS = 0.25
"""Time in seconds between two signs of life of chunks that wait for a worker."""

CAPACITY_SECONDS = 2.0
"""Time in seconds after which the cluster is asked for its size again."""


@dataclass(frozen=True, kw_only=True)
class RayOptions:
    """Options of `RayExecutor`."""

    address: Annotated[
        str, Meta(description="Address of the cluster, such as auto or HOST:6379; one on this machine if empty.")
    ] = ""
    cpus: Annotated[float, Meta(gt=0, description="CPUs that a chunk needs.")] = 1.0
    gpus: Annotated[float, Meta(ge=0, description="GPUs that a chunk needs.")] = 0.0
    resources: Annotated[dict[str, float], Meta(description="Other resources that a chunk needs.")] = field(
        default_factory=dict
    )


@dataclass
class _Begun:
    """What is known of a chunk in flight: the worker that has begun it, and the owner of its temporaries."""

    worker: str = ""
    owner: str = ""


class RayExecutor(Executor[RayOptions]):
    """Convert in tasks of a Ray cluster, whose nodes must see the output folder and the sources."""

    isolates = True
    chunk_seconds = 0.5

    def open(self, work: Work, slots: int) -> None:
        """Connect to the cluster, or start one. A program that has done so keeps its own."""
        import ray

        from tonearm_ray.tasks import RunEnd, work_at

        self._is_own = not ray.is_initialized()
        self._notes: list[str] = []
        if self._is_own:
            self._connect(slots)
        self._work = work
        self._packed = pickle.dumps(work, 5)  # once, since it is the same for every chunk
        self._run_end = ray.remote(num_cpus=0, max_concurrency=100_000)(RunEnd).remote()
        self._is_ending = False
        self._chunks: dict[Any, _Begun] = {}
        """Chunks in flight by their streams of results."""
        self._found: deque[tuple[Any, Results | Died]] = deque()
        self._asked = self._next_signs = float("-inf")
        needs = {"num_cpus": self.options.cpus, "num_gpus": self.options.gpus, "resources": self.options.resources}
        self._task = ray.remote(max_retries=0, num_returns="streaming", **needs)(work_at)  # trying again is the run's

    def _connect(self, slots: int) -> None:
        import ray

        quiet = {"log_to_driver": False, "logging_level": "CRITICAL"}
        handler = signal.getsignal(signal.SIGTERM)
        if self.options.address:
            context = ray.init(self.options.address, **quiet)
            if context.dashboard_url:
                self._notes.append(f"Ray's dashboard: http://{context.dashboard_url}")
        else:  # only small results pass through the object store
            ray.init("local", num_cpus=slots, include_dashboard=False, object_store_memory=100 << 20, **quiet)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray has put its own into its place
        # Ray prints on stdout that a worker has died, which is where the items of `--json` go.
        ray._private.worker._worker_logs_enabled = False

    def capacity(self) -> int | None:
        """Return twice the number of chunks that the cluster can work at, so that none waits for the run."""
        import ray

        now = time.monotonic()
        if now > self._asked + CAPACITY_SECONDS:
            self._asked = now
            self._cpus = ray.cluster_resources().get("CPU", 0.0)
        return 2 * int(self._cpus / self.options.cpus)

    def notes(self) -> list[str]:
        """Return the address of the dashboard, once."""
        notes, self._notes = self._notes, []
        return notes

    def submit(self, chunk: object) -> Any:
        """Submit a chunk as one task. Its stream of results is the handle."""
        stream = self._task.remote(self._packed, chunk, self._run_end)
        self._chunks[stream] = _Begun()
        return stream

    def wait(self, seconds: float) -> Iterator[tuple[Any, Results | Died]]:
        """Yield what has come from the cluster, and a sign of life for each chunk that waits there."""
        while self._found:
            yield self._found.popleft()
        yield from self._ready(seconds)
        if time.monotonic() > self._next_signs:
            self._next_signs = time.monotonic() + LIFE_SECONDS
            for stream in [stream for stream, begun in self._chunks.items() if not begun.owner]:
                yield stream, Results(last=False)

    def _ready(self, seconds: float) -> Iterator[tuple[Any, Results | Died]]:
        import ray

        streams = list(self._chunks)
        ready = ray.wait(streams, timeout=seconds, fetch_local=False)[0] if streams else []
        while ready:
            for stream in ready:
                yield stream, self._next(stream)
            streams = list(self._chunks)
            ready = ray.wait(streams, num_returns=len(streams), timeout=0, fetch_local=False)[0] if streams else []

    def _next(self, stream: Any) -> Results | Died:
        """Return the next results of a chunk, or how its task has failed."""
        import ray
        from ray import exceptions

        begun = self._chunks[stream]
        try:
            results = ray.get(next(stream))
            assert isinstance(results, Results)
        except exceptions.TaskCancelledError:
            died = Died("it was stopped", begun.owner, taken_away=True)
        except StopIteration:  # it was cancelled just when it began
            died = Died("its task ended without a result", begun.owner, taken_away=self._work.stopping)
        except (exceptions.NodeDiedError, exceptions.ObjectLostError):
            died = Died(f"the node of its worker {begun.worker} was lost", begun.owner, taken_away=True)
        except exceptions.OutOfMemoryError:
            died = Died(f"its worker {begun.worker} ran out of memory", begun.owner, hint="set more cpus for a chunk")
        except exceptions.WorkerCrashedError:
            died = Died(f"its worker {begun.worker} crashed", begun.owner)
        else:
            begun.owner, begun.worker = results.owner or begun.owner, results.worker or begun.worker
            if results.last:
                del self._chunks[stream]
            return results
        del self._chunks[stream]
        return died

    def cancel(self, handle: Any) -> None:
        """Stop a chunk: with its worker, or, when the run ends, before its next source."""
        import ray

        if handle not in self._chunks:
            return
        if not self._work.stopping:
            ray.cancel(handle, force=True)
        elif self._chunks[handle].owner:
            self._end()
        else:
            ray.cancel(handle)

    def _end(self) -> None:
        """Tell all workers that the run ends."""
        if not self._is_ending:
            self._is_ending = True
            self._run_end.announce.remote()

    def close(self) -> None:
        """End all work, and leave the cluster, or end the one on this machine."""
        import ray

        self._end()
        with contextlib.suppress(ray.exceptions.RayError):
            ray.get(self._run_end.everyone_left.remote(), timeout=LEAVE_SECONDS)
        for stream in self._chunks:
            ray.cancel(stream, force=True)
        deadline = time.monotonic() + STOP_SECONDS
        while self._chunks and (left := deadline - time.monotonic()) > 0:
            self._found += self._ready(left)
        self._chunks.clear()  # the run calls `wait` once more, and Ray no longer knows the streams
        if self._is_own:
            ray.shutdown()


@hookimpl
def tonearm_executors() -> Executors:
    """Return the executor."""
    return {"ray": RayExecutor}
