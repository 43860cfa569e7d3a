import socket
import subprocess
import sys
import threading

import distributed
import pytest
from dask_toys import PATIENCE, Opened

from tonearm.api import TonearmError
from tonearm_plugins.executors import dask_connection as room
from tonearm_plugins.executors.dask_connection import Connection

PROGRAM = """
import logging, sys
{before}
from tonearm_plugins.executors.dask_connection import import_quietly
import_quietly()
logging.getLogger("distributed.client").error("told")
print(*logging.getLogger("distributed").handlers)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "errors"),
    [
        ("", ""),
        ("logging.basicConfig(format='%(message)s by the user')", "told by the user\n"),
        ("import distributed", "distributed.client - ERROR - told\n"),
    ],
    ids=["of a command", "of a user who has configured logging", "of a user who has imported Dask"],
)
def test_the_log(before, errors):
    line = [sys.executable, "-c", PROGRAM.format(before=before)]
    found = subprocess.run(line, capture_output=True, text=True, check=True)
    assert found.stderr.endswith(errors)
    assert bool(found.stderr) == bool(errors)


def connection(address, **more):
    found = {"workers": 1, "options": {}, "seconds": PATIENCE, "topic": "tonearm-x", "versions": {}}
    found |= {"uses": lambda *_: True}
    return Connection(**{"scheduler": address, **found, "on_event": print, "on_cluster_event": print, **more})


def open_(one):
    ended, found = threading.Event(), []
    one.open(lambda error: (found.append(error), ended.set()))
    assert ended.wait(PATIENCE)
    return found[0]


def test_it_is_lost_when_the_scheduler_has_ended(cluster):
    one = connection(cluster.scheduler_address)
    assert open_(one) is None
    assert not one.is_lost()
    assert one.differing == []
    loop = one.client.loop.asyncio_loop
    cluster.close()
    assert one.is_lost()
    one.close(print)  # which waits for nobody
    assert not loop.is_running()


def test_workers_that_do_not_answer_hold_up_nobody(cluster, monkeypatch):
    monkeypatch.setattr(room, "ASK_SECONDS", 0.1)
    monkeypatch.setattr(room, "expression", lambda _: "__import__('time').sleep(0.5)")
    one = connection(cluster.scheduler_address)
    assert open_(one) is None
    one.close(print)


def test_an_address_of_no_known_kind():
    error = open_(connection("carrier-pigeon://roof"))
    assert isinstance(error, TonearmError)
    assert error.code == "broken-worker"
    assert error.message.startswith("there is no connection to the scheduler carrier-pigeon://roof: ValueError: ")


def test_somebody_else_who_listens_and_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        error = open_(connection(address, seconds=0.5))
    assert error.message == f"no scheduler has answered at {address} for 0.5 s"


def test_certificates_that_are_missing():
    error = open_(connection("tls://127.0.0.1:1"))
    assert "TLS expects a `ssl_context`" in error.message
    assert "distributed.comm.tls" in error.hint


def test_a_connection_that_is_no_longer_wanted_when_it_is_made_is_closed_at_once(cluster, monkeypatch):
    closed, client = threading.Event(), distributed.Client

    def late(*arguments, **named):
        assert closed.wait(PATIENCE)
        return client(*arguments, **named)

    monkeypatch.setattr(distributed, "Client", late)
    monkeypatch.setattr(room, "CLOSE_SECONDS", 0.01)
    with Opened(scheduler=cluster.scheduler_address) as opened:
        opening = opened.executor._opening
    assert opening.client is None
    monkeypatch.undo()
    closed.set()
    opening._thread.join(PATIENCE)
    assert opening.client.status == "closed"
    opened.poll()
    assert opened.executor._connection is None
