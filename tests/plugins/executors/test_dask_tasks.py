import asyncio
import pickle
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from dask_toys import OWNER, PATIENCE, Opened, release

from tonearm.api import Results
from tonearm_plugins.executors import dask_tasks as room
from tonearm_plugins.executors.dask_tasks import one_attempt, restart_unshared, task


def test_a_task_can_be_loaded_where_there_is_no_tonearm_and_then_says_so():
    packed = pickle.dumps(task(work=b"", chunk=b"", key="", topic=""), 5)
    program = f"import pickle; call = pickle.loads({packed!r}); print('loaded'); call()"
    found = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert found.stdout == "loaded\n"
    assert "ModuleNotFoundError: No module named 'tonearm_plugins'\n" in found.stderr


def test_a_chunk_that_is_tried_again_is_alone_in_its_process(cluster):
    with Opened(scheduler=cluster.scheduler_address) as opened:
        opened.until_connected()
        first = opened.executor.submit("wait")
        opened.until(lambda: opened.begun(first))
        retry, last = opened.executor.submit("retry wait"), opened.executor.submit("ok")
        opened.until(lambda: opened.outcomes.get(retry))
        assert not opened.begun(retry)  # although the worker has a second thread
        release.set()
        opened.until(lambda: opened.last(first) and opened.last(retry) and opened.last(last))
        assert opened.last(retry) == Results(owner=OWNER, worker=opened.last(first).worker)


def test_nobody_joins_one_that_waits_to_be_alone():
    crew, order = room._Crew(), []

    def join(name, alone):
        with crew.join(alone=alone):
            order.append(name)

    with crew.join(alone=False):
        lone = threading.Thread(target=join, args=("lone", True))
        lone.start()
        while not crew._lone:
            pass
        other = threading.Thread(target=join, args=("other", False))
        other.start()
        other.join(0.05)
        assert order == []
    for thread in (lone, other):
        thread.join(PATIENCE)
    assert sorted(order) == ["lone", "other"]


def test_a_long_chunk_hands_over_what_is_finished(cluster, monkeypatch):
    monkeypatch.setattr(room, "PIECE_SECONDS", 0.0)
    with Opened(scheduler=cluster.scheduler_address) as opened:
        handle = opened.executor.submit("pieces")
        opened.until(lambda: opened.last(handle))
        assert [one.owner for one in opened.outcomes[handle] if one.owner] == [OWNER, "piece1", "piece2", OWNER]


@pytest.mark.parametrize(("key", "attempts"), [("tonearm-1-7", 3), ("other-7", 0)])
def test_dask_itself_tries_none_of_our_tasks_again_and_those_of_others_as_ever(key, attempts):
    found = SimpleNamespace(suspicious=0)
    scheduler = SimpleNamespace(tasks={key: found}, allowed_failures=3)
    one_attempt("tonearm-1", "client").update_graph(scheduler, keys=[key, "gone"])
    assert found.suspicious == attempts


@pytest.mark.parametrize(("client", "left"), [("client", []), ("other", ["tonearm-1"])])
def test_what_the_scheduler_has_of_a_run_goes_with_the_run_s_client(client, left):
    """It goes, too, if the client is killed."""
    plugins = {"tonearm-1": one_attempt("tonearm-1", "client")}
    topics = {"tonearm-1": "events"}
    scheduler = SimpleNamespace(plugins=plugins, _broker=SimpleNamespace(_topics=topics))
    plugins["tonearm-1"].remove_client(scheduler, client)
    assert [*plugins] == [*topics] == left


def test_workers_that_others_use_are_not_restarted():
    def worker(address, processing=(), has_what=()):
        tasks = ([SimpleNamespace(key=key) for key in keys] for keys in (processing, has_what))
        return SimpleNamespace(address=address, **dict(zip(("processing", "has_what"), tasks, strict=True)))

    workers = [
        worker("ours", ["tonearm-1-7"], ["tonearm-1-6"]),
        worker("at their task", ["tonearm-1-8", ("x", 0)]),
        worker("with their data", ["tonearm-1-9"], ["tonearm-2-1"]),
    ]
    restarted = []

    async def restart_workers(workers, **_):
        restarted.extend(workers)

    known = {one.address: one for one in workers}
    scheduler = SimpleNamespace(workers=known, restart_workers=restart_workers)
    asyncio.run(restart_unshared("tonearm-1")([*known, "gone"], 1.0, dask_scheduler=scheduler))
    assert restarted == ["ours"]
