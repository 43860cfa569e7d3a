"""The connection of a run to a Dask scheduler: the client, its cluster if that is on this machine, and the logging."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tonearm.api import TonearmError
from tonearm_plugins.executors.dask_local import LocalWorkers
from tonearm_plugins.executors.dask_tasks import one_attempt, restart_unshared
from tonearm_plugins.executors.dask_versions import PYTHON, check_scheduler, check_versions, expression

CALL_SECONDS = 20.0
"""Time in seconds that a scheduler has to answer, once there is a connection."""

ASK_SECONDS = 5.0
"""Time in seconds that workers have to say what they have installed. One that is too busy to answer holds up nobody."""

CLOSE_SECONDS = 1.0
"""Time in seconds that each step of closing may take."""

HURRIED_SECONDS = 0.4
"""The same if there is a hurry: all steps together take less than Ctrl-C promises."""

RETRY_SECONDS = 0.2
"""Time in seconds until a scheduler is looked for again."""

ANSWER_SECONDS = 10.0
"""Time in seconds that whoever listens at the address has to answer as a scheduler, each time that it is looked for."""

RESTART_SECONDS = 8.0
"""Time in seconds that a worker that hangs has to end, before it is no longer counted."""

SEND_SECONDS = 0.2
"""Time in seconds in which the scheduler gets a request whose answer does not matter."""

_DASK_PACKAGES = ("dask", "distributed", "cloudpickle", "msgpack", "tornado")
"""Packages by which the processes of a cluster talk to one another."""


class Connection:
    """A connection to a scheduler, which a thread of its own opens.

    Parameters
    ----------
    scheduler
        Address of the scheduler; empty for a cluster on this machine.
    workers
        Number of workers of a cluster on this machine.
    options
        Other arguments of the client.
    seconds
        Time in seconds for which a scheduler is looked for.
    topic
        Topic of the run.
    versions
        Versions of Python and of packages that the run has, by name.
    uses
        Function that returns whether the run uses a worker, by its address and what the scheduler says of it.
    on_event, on_cluster_event
        Functions that are called with the events of the run and of the cluster, in the thread of the client.

    Attributes
    ----------
    client
        Client; None until the connection is open.
    dashboard
        Address of the dashboard; empty if there is none.
    differing
        Names of Dask's own packages whose versions differ in the cluster.
    info
        What the scheduler says of each worker, by address.
    """

    def __init__(
        self,
        scheduler: str,
        workers: int,
        options: Mapping[str, Any],
        seconds: float,
        topic: str,
        versions: Mapping[str, str],
        uses: Callable[[str, Mapping[str, Any]], bool],
        on_event: Callable[[Any], None],
        on_cluster_event: Callable[[Any], None],
    ) -> None:
        self.client: Any = None
        self.dashboard = ""
        self.differing: list[str] = []
        self.info: dict[str, dict[str, Any]] = {}
        self._scheduler = scheduler
        self._workers = workers
        self._options = options
        self._seconds = seconds
        self._topic = topic
        self._versions = versions
        self._uses = uses
        self._on_event = on_event
        self._on_cluster_event = on_cluster_event
        self._cluster: LocalWorkers | None = None
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def open(self, then: Callable[[TonearmError | None], None]) -> None:
        """Begin to connect, and have a function called with the error, or None, in another thread."""

        def connect() -> None:
            error: TonearmError | None = None
            deadline = time.monotonic() + self._seconds
            while True:
                try:
                    self._connect(max(0.1, deadline - time.monotonic()))
                except TonearmError as raised:
                    error = raised
                except Exception as raised:
                    if self._may_come(raised) and time.monotonic() + RETRY_SECONDS < deadline:
                        self._end()
                        time.sleep(RETRY_SECONDS)
                        continue
                    error = TonearmError(self._reason(raised), code="broken-worker", hint=self._hint())
                break
            if self._is_closed or error is not None:
                self._end()
            then(error)

        self._thread = threading.Thread(target=connect, name="tonearm-dask", daemon=True)
        self._thread.start()

    def _may_come(self, error: Exception) -> bool:
        """Return whether another scheduler may answer: the one that just did may have been about to end."""
        return bool(self._scheduler) and not self._is_closed and not isinstance(error, ValueError | TypeError)

    @property
    def name(self) -> str:
        """Address of the scheduler in messages."""
        return self._scheduler or "on this machine"

    def _reason(self, error: Exception) -> str:
        """Return why there is no connection."""
        if not self._scheduler:
            return f"a cluster on this machine does not start: {type(error).__name__}: {error}"
        if isinstance(error, OSError | TimeoutError):
            return f"no scheduler has answered at {self._scheduler} for {self._seconds:g} s"
        return f"there is no connection to the scheduler {self._scheduler}: {type(error).__name__}: {error}"

    def _hint(self) -> str:
        if not self._scheduler:
            return "use the executor local"
        if self._scheduler.startswith("tls://"):
            return "Dask takes certificates from its configuration, distributed.comm.tls, or from a client's security"
        return "start one, such as `dask scheduler`, and give its address: scheduler=tcp://HOST:8786"

    def _connect(self, seconds: float) -> None:
        from distributed import Client
        from distributed.versions import VersionMismatchWarning

        warnings.filterwarnings("ignore", category=VersionMismatchWarning)  # `differing` is told instead
        where: Any = self._scheduler
        if not where:
            self._cluster = LocalWorkers(self._workers)
            where = self._cluster.scheduler
        elif not where.startswith("inproc://"):
            # A client would wait for ever for one that listens and says nothing, such as the dashboard.
            asyncio.run(_shake_hands(where, min(seconds, ANSWER_SECONDS), self._options.get("security")))
        self.client = Client(where, timeout=seconds, set_as_default=False, **self._options)
        # If it is lost, it closes: connected again, it would lack what is registered below.
        self.client._timeout = 0  # noqa: SLF001
        if self._cluster is not None:
            self._cluster.wait(self.client, seconds)
        with contextlib.suppress(Exception):  # a scheduler without a dashboard
            self.dashboard = self.client.dashboard_link or ""
        self.client.subscribe_topic(self._topic, self._on_event)
        self.client.subscribe_topic("all", self._on_cluster_event)
        check_scheduler(self._versions, self.call(self.client.run_on_scheduler, eval, PYTHON), self.name)
        self.call(self.client.register_plugin, one_attempt(self._topic, self.client.id), name=self._topic)
        self.info = self.call(self.workers)
        self.compare(self.info)
        with contextlib.suppress(TimeoutError):
            self.differing = _differing(self.call(self.client.get_versions, seconds=ASK_SECONDS))

    def compare(self, info: Mapping[str, Mapping[str, Any]]) -> None:
        """Compare the versions of workers with those of the run, if all of them answer. If not, their tickets do that.

        Parameters
        ----------
        info
            What the scheduler says of each worker, by address.

        Raises
        ------
        TonearmError
            If versions of workers that the run uses differ.
        """
        chosen = [address for address, one in info.items() if self._uses(address, one)]
        text = expression(self._versions)
        with contextlib.suppress(TimeoutError):
            found = self.call(self.client.run, eval, text, workers=chosen, on_error="ignore", seconds=ASK_SECONDS)
            check_versions(self._versions, found)

    async def workers(self) -> dict[str, dict[str, Any]]:
        """Return what the scheduler says of each worker, by address. This is called in the thread of the client."""
        identity = await self.client.scheduler.identity(n_workers=-1)
        workers: dict[str, dict[str, Any]] = identity["workers"]
        return workers

    async def restart(self, workers: Sequence[str]) -> None:
        """Have workers that hang restarted. This is called in the thread of the client."""
        await self.client.scheduler.restart_workers(
            workers=list(workers),
            timeout=RESTART_SECONDS,
            wait_for_workers=False,
            on_error="return",
            stimulus_id=f"{self._topic}-hangs",
        )

    def is_lost(self) -> bool:
        """Return whether there is no connection any more."""
        stream = getattr(self.client, "scheduler_comm", None)
        return self.client.status != "running" or stream is None or stream.comm.closed()

    def call(self, function: Callable[..., Any], *arguments: Any, seconds: float = CALL_SECONDS, **named: Any) -> Any:
        """Return what a function returns that is called in the thread of the client, where it gives a coroutine."""

        async def call() -> Any:
            return await asyncio.wait_for(function(*arguments, **named), seconds)

        return self._schedule(call()).result(seconds + CLOSE_SECONDS)

    def call_later(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """Have a function called in the thread of the client, where it gives a coroutine. Errors are ignored."""

        async def call() -> None:
            with contextlib.suppress(Exception):
                await function(*arguments, **named)

        self._schedule(call())

    def _schedule(self, coroutine: Any) -> Any:
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self.client.loop.asyncio_loop)
        except BaseException:
            coroutine.close()
            raise

    def abandon(self) -> None:
        """Close a connection that is lost, in the background."""
        self._is_closed = True
        threading.Thread(target=self._end, name="tonearm-dask-end", daemon=True).start()

    def close(self, leave: Callable[[], None], hanging: Sequence[str] = (), *, hurry: bool = False) -> None:
        """Have all workers call a function, and close the connection; end the cluster on this machine.

        Parameters
        ----------
        leave
            Function for the workers.
        hanging
            Addresses of workers that have not stopped in time. They are restarted, but for those that others use as
            well; nobody waits for it.
        hurry
            Whether work has not stopped in time.
        """
        self._is_closed = True
        step = HURRIED_SECONDS if hurry else CLOSE_SECONDS
        if self._thread is not None:
            self._thread.join(step)
        if self.client is not None and not self.is_lost():
            with contextlib.suppress(Exception):
                self.call(self.client.run, leave, on_error="ignore", seconds=step)
            if hanging:
                with contextlib.suppress(Exception):  # the scheduler goes on with it
                    restart = restart_unshared(self._topic)
                    self.call(self.client.run_on_scheduler, restart, hanging, RESTART_SECONDS, seconds=SEND_SECONDS)
            with contextlib.suppress(Exception):
                self.call(self._withdraw, seconds=step)
        ending = threading.Thread(target=self._end, name="tonearm-dask-end", daemon=True)
        ending.start()
        ending.join(2 * step)

    async def _withdraw(self) -> None:
        for topic in (self._topic, "all"):
            self.client.unsubscribe_topic(topic)  # the plugin goes with the client

    def _end(self) -> None:
        client, cluster = self.client, self._cluster
        if client is not None:
            with contextlib.suppress(Exception):
                client.close(timeout=CLOSE_SECONDS)
            with contextlib.suppress(Exception):
                client._loop_runner.stop()  # noqa: SLF001 - which one that has closed by itself leaves running
        if cluster is not None:
            with contextlib.suppress(Exception):
                cluster.close(CLOSE_SECONDS)


async def _shake_hands(address: str, seconds: float, security: Any) -> None:
    """Connect to a scheduler once."""
    from distributed import Security
    from distributed.comm.core import connect

    arguments = (security or Security()).get_connection_args("client")
    comm = await asyncio.wait_for(connect(address, timeout=seconds, **arguments), seconds)
    comm.abort()


def _differing(versions: Mapping[str, Any]) -> list[str]:
    """Return which of Dask's own packages have other versions in the cluster than here."""
    here = versions["client"]["packages"]
    others = [versions["scheduler"], *versions["workers"].values()]
    return [name for name in _DASK_PACKAGES if any(other["packages"].get(name) != here.get(name) for other in others)]


def import_quietly() -> None:
    """Import Dask. If nobody has imported it before, its log goes to what the user has configured, if anything.

    Dask configures its logging when it is imported, so that it prints to stderr, amid the lines of the command.
    """
    if "distributed" in sys.modules:
        return
    import distributed  # noqa: F401

    for name in ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application", "bokeh"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = True
