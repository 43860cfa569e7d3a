"""An executor that works in threads of the run's process."""

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Died, Executor, Executors, Meta, Results, Work, hookimpl


@dataclass(frozen=True, kw_only=True)
class ThreadsOptions:
    """Options of `Threads`."""

    prefix: Annotated[str, Meta(min_length=1, description="Start of the names of the threads.")] = "tonearm"


class Threads(Executor[ThreadsOptions]):
    """Convert in threads of this process."""

    isolates = False  # nothing can stop a thread, and a crash ends the process

    def open(self, work: Work, slots: int) -> None:
        """Start."""
        self._work = work
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix=self.options.prefix)
        self._futures: set[Future[Results]] = set()

    def submit(self, chunk: object) -> Future[Results]:
        """Have a thread work at a chunk."""
        future = self._pool.submit(self._run, chunk)
        self._futures.add(future)
        return future

    def _run(self, chunk: object) -> Results:
        """Work in a thread."""
        return self._work(chunk)

    def wait(self, seconds: float) -> Iterator[tuple[Future[Results], Results | Died]]:
        """Yield what is finished."""
        done, _ = wait(self._futures, seconds, FIRST_COMPLETED)
        for future in done:
            self._futures.remove(future)
            if future.cancelled():
                yield future, Died("it was cancelled")
            elif error := future.exception():
                yield future, Died(f"its thread failed: {type(error).__name__}: {error}")
            else:
                yield future, future.result()

    def cancel(self, handle: object) -> None:
        """Stop a chunk that no thread has begun."""
        if isinstance(handle, Future):
            handle.cancel()

    def close(self) -> None:
        """Wait for the threads."""
        self._pool.shutdown(cancel_futures=True)


@hookimpl
def tonearm_executors() -> Executors:
    """Return the executor."""
    return {"threads": Threads}
