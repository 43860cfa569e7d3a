"""The options of the executor of Dask, and what can be wrong with them before anything is connected."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from tonearm.api import FROM_PYTHON, Meta, OptionError


@dataclass(frozen=True, kw_only=True)
class DaskOptions:
    """Options of `DaskExecutor`."""

    scheduler: Annotated[str, Meta(description="Address of the scheduler; a cluster on this machine if empty.")] = ""
    client: Annotated[
        Any,
        Meta(
            description="Dask client that is connected, in place of the scheduler's address; only Python can give it.",
            extra={FROM_PYTHON: 'Pipeline.run(executor=("dask", {"client": client}))'},
        ),
    ] = field(default=None, compare=False)
    resources: Annotated[
        dict[str, float], Meta(description="Resources that each chunk needs of its worker, such as GPU: 1.")
    ] = field(default_factory=dict)
    priority: Annotated[int, Meta(description="Priority of the run among other work; higher runs first.")] = 0
    workers: Annotated[
        list[str], Meta(description="Addresses, names or hosts of the workers to use; all if empty.")
    ] = field(default_factory=list)

    def problems(self) -> Iterator[OptionError]:
        """Yield what is wrong with the scheduler or the client, and with resources."""
        for name, amount in self.resources.items():
            if not 0 <= amount < math.inf:
                yield OptionError(f"resources.{name} is {amount:g}, and no amount", option=f"resources.{name}")
        if self.client is None:
            yield from _address_problems(self.scheduler)
            for name in () if self.scheduler else ("resources", "workers"):
                if getattr(self, name):
                    message = f"{name} choose among the workers of a cluster, and those of this machine are all alike"
                    yield OptionError(
                        message, option=name, hint="give the address of a cluster: scheduler=tcp://HOST:8786"
                    )
            return
        if self.scheduler:
            yield OptionError("the scheduler is that of the client", option="scheduler")
        elif getattr(getattr(self.client, "scheduler", None), "address", None) is None:
            yield OptionError("client is not a Dask client that is connected", option="client")
        elif self.client.asynchronous and _is_in_loop(self.client.loop.asyncio_loop):
            yield OptionError(
                "the run would block the event loop of the client",
                option="client",
                hint="call it in another thread: await asyncio.to_thread(pipeline.run, ...)",
            )


def _address_problems(address: str) -> Iterator[OptionError]:
    """Yield what is wrong with the address of a scheduler, as far as that shows without a network."""
    scheme, separator, rest = address.rpartition("://")
    hint = "scheduler=tcp://HOST:8786, or the address that `dask scheduler` has printed"
    if scheme in ("http", "https"):
        message = f"scheduler is {address!r}, which is an address for a browser, such as that of the dashboard"
        yield OptionError(message, option="scheduler", hint=hint)
    elif address and (not separator or scheme in ("tcp", "tls")):
        port = rest.rpartition(":")[2]
        if not (port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16 and rest != port):
            message = f"scheduler is {address!r}; expected a host and a port below 65536"
            yield OptionError(message, option="scheduler", hint=hint)


def _is_in_loop(loop: Any) -> bool:
    """Return whether an event loop is the one that runs in this thread."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
