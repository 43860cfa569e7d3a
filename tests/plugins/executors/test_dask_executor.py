import pickle
import socket
import sys

import numpy as np
import pytest
from dask_toys import OWNER, Opened, ToyWork, left, release
from distributed import Client, Future, LocalCluster

import tonearm
from tonearm.api import Died, Results, TonearmError
from tonearm_plugins.executors import dask_executor as room


def test_a_run_by_a_client_does_what_one_in_this_process_does_and_leaves_the_client_as_it_was(
    cluster, pipeline, tmp_path
):
    pipeline.run(out="here")
    with Client(cluster, set_as_default=False) as client:
        handlers = dict(client._event_handlers)
        report = pipeline.run(out="there", executor=("dask", {"client": client}))
        assert client.submit(int, "7").result() == 7
        assert client._event_handlers == handlers
        scheduler = cluster.scheduler
        assert not [name for name in scheduler.plugins if name.startswith("tonearm")]
        assert not [key for key in scheduler.tasks if str(key).startswith("tonearm")]
        assert not [key for topic, key in scheduler._broker._topics.items() if topic == "all" and key.subscribers]
    assert (report.converted, report.failed) == (12, 0)
    made = {path.name: path.read_bytes() for path in tmp_path.glob("there/*.wav")}
    assert made == {path.name: path.read_bytes() for path in tmp_path.glob("here/*.wav")}
    assert sorted(path.name for path in tmp_path.glob("there/.tonearm/*")) == ["journal.jsonl", "lock"]


def test_resources_priority_and_workers_go_through(cluster):
    address = cluster.scheduler_address
    chosen = {"resources": {"GPU": 1.0}, "priority": 3, "workers": ["0"]}
    with Opened(scheduler=address, **chosen) as opened:
        opened.until_connected()
        assert opened.executor.capacity() == 2  # of two threads, those that can have a GPU, twice
        handle = opened.executor.submit("wait")
        opened.until(lambda: opened.begun(handle))
        task = cluster.scheduler.tasks[handle]
        assert task.resource_restrictions == {"GPU": 1}
        assert task.worker_restrictions == set(cluster.scheduler.workers)
        assert task.priority[0] == -3
        assert task.retries == 0
        release.set()
        opened.until(lambda: opened.last(handle))


def test_chunks_wait_for_a_worker_and_people_are_told(cluster, monkeypatch):
    monkeypatch.setattr("tonearm_plugins.executors.dask_cluster.NO_WORKER_SECONDS", 0.0)
    with Opened(scheduler=cluster.scheduler_address, resources={"TPU": 1}) as opened:
        handle = opened.executor.submit("ok")
        opened.until(lambda: len(opened.told) > 1 and opened.outcomes.get(handle))
        assert opened.told[1:] == ["there is no worker with TPU=1; the run waits for one"]
        other = opened.executor.submit("ok")
        opened.executor.cancel(handle)
        opened.until(lambda: opened.last(handle))
        assert not opened.last(other)
        opened.executor._work.stopping = True
        opened.executor.cancel(other)
        opened.until(lambda: opened.last(other))
        assert opened.last(handle) == opened.last(other) == Died("it was stopped", taken_away=True)


def test_versions_are_compared_before_any_work(cluster):
    (worker,) = cluster.scheduler.workers
    with Opened(ToyWork({"tonearm": "99", "numpy": np.__version__}), scheduler=cluster.scheduler_address) as opened:
        handle = opened.executor.submit("ok")
        with pytest.raises(TonearmError) as caught:
            opened.until(lambda: False)
        assert caught.value.code == "other-versions"
        assert caught.value.message == f"worker {worker} has tonearm {tonearm.__version__}, and the run has 99"
        assert not opened.begun(handle)


def test_versions_of_workers_that_are_not_chosen_do_not_matter(cluster):
    work = ToyWork({"tonearm": "99"})
    with Opened(work, scheduler=cluster.scheduler_address, workers=["another"]) as opened:
        opened.until(lambda: opened.told)


def test_a_scheduler_that_is_not_there(monkeypatch):
    monkeypatch.setattr(room, "RECONNECT_SECONDS", 0.2)
    monkeypatch.setattr(room, "PATIENCE_SECONDS", 0.0)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen; nobody else can
        port = nobody.getsockname()[1]
        with Opened(scheduler=f"tcp://127.0.0.1:{port}") as opened, pytest.raises(TonearmError) as caught:
            opened.until(lambda: False)
    assert opened.told == [f"the scheduler tcp://127.0.0.1:{port} has not answered yet; the run waits 0.2 s for it"]
    assert caught.value.code == "broken-worker"
    assert caught.value.message == f"no scheduler has answered at tcp://127.0.0.1:{port} for 0.2 s"


def test_when_the_run_stops_what_has_begun_ends_early(cluster):
    with Opened(scheduler=cluster.scheduler_address) as opened:
        opened.until_connected()
        begun = [opened.executor.submit("wait") for _ in range(2)]
        opened.until(lambda: all(map(opened.begun, begun)))
        opened.executor._work.stopping = True
        for handle in begun:
            opened.executor.cancel(handle)
        opened.until(lambda: all(map(opened.last, begun)))
        assert [opened.last(handle).owner for handle in begun] == [OWNER, OWNER]
        assert left == ["left"]


def test_when_the_run_stops_chunks_that_no_worker_can_begin_are_lost(cluster):
    with Opened(scheduler=cluster.scheduler_address, resources={"none": 1.0}) as opened:
        opened.until(lambda: opened.told)
        waiting = opened.executor.submit("wait")
        opened.poll()
        opened.executor._work.stopping = True
        opened.executor.cancel(waiting)
        opened.until(lambda: opened.last(waiting))
        assert opened.last(waiting) == Died("it was stopped", taken_away=True)


def test_a_chunk_that_somebody_cancels_in_the_cluster_is_no_fault_of_an_item(cluster):
    with Opened(scheduler=cluster.scheduler_address, resources={"none": 1.0}) as opened:
        opened.until(lambda: opened.told)
        handle = opened.executor.submit("ok")
        opened.until(lambda: handle in cluster.scheduler.tasks)
        with Client(cluster, set_as_default=False) as client:
            client.cancel([Future(handle, client)], force=True)
        opened.until(lambda: opened.last(handle))
        assert opened.last(handle) == Died("it was cancelled", taken_away=True)


def test_a_chunk_that_the_client_does_not_take_ends_the_run_unless_the_scheduler_is_lost(cluster, monkeypatch):
    def refuse(*_, **__):
        raise ValueError("no such worker")

    with Opened(scheduler=cluster.scheduler_address) as opened:
        opened.until_connected()
        connection = opened.executor._connection
        monkeypatch.setattr(connection.client, "submit", refuse)
        with pytest.raises(ValueError, match="no such worker"):
            opened.executor.submit("ok")
        monkeypatch.setattr(connection, "is_lost", lambda: True)
        opened.executor.submit("ok")


def test_an_error_of_the_task_itself_ends_the_run_and_is_no_fault_of_an_item(cluster):
    with Opened(scheduler=cluster.scheduler_address) as opened:
        opened.executor.submit("raise")
        with pytest.raises(TonearmError) as caught:
            opened.until(lambda: False)
        (worker,) = cluster.scheduler.workers
        assert (caught.value.code, caught.value.message) == (
            "broken-worker",
            f"worker {worker} cannot work: ValueError: a bug",
        )


def test_if_a_task_fails_a_worker_that_came_later_with_other_versions_is_named(cluster, monkeypatch):
    with Opened(scheduler=cluster.scheduler_address) as opened:
        opened.until_connected()
        monkeypatch.setattr(opened.executor._connection, "_versions", {"tonearm": "99"})
        opened.executor.submit("raise")
        with pytest.raises(TonearmError, match=r"worker .* has tonearm .*, and the run has 99"):
            opened.until(lambda: False)


def test_a_worker_that_comes_later_and_has_no_tonearm_is_named(cluster, monkeypatch):
    with Opened(scheduler=cluster.scheduler_address) as opened:
        opened.until_connected()
        monkeypatch.setitem(sys.modules, "tonearm_plugins.executors.dask_tasks", None)
        opened.executor.submit("ok")
        with pytest.raises(TonearmError, match=r"worker .* cannot work: ModuleNotFoundError: .*tonearm_plugins"):
            opened.until(lambda: False)
        monkeypatch.undo()


def test_a_lost_scheduler_gives_back_what_was_in_flight_and_is_waited_for(monkeypatch):

    monkeypatch.setattr(room, "RECONNECT_SECONDS", 60.0)

    def cluster(port=0):
        kinds = {"processes": False, "dashboard_address": "127.0.0.1:0", "protocol": "tcp", "scheduler_port": port}
        return LocalCluster(n_workers=1, threads_per_worker=1, **kinds)

    lost = cluster()
    address = lost.scheduler_address
    with Opened(scheduler=address) as opened:
        with lost:
            opened.until_connected()
            first = opened.executor.submit("wait")
            opened.until(lambda: opened.begun(first))
            release.set()
            opened.until(lambda: opened.last(first))
            release.clear()
            second = opened.executor.submit("wait")
            opened.until(lambda: opened.begun(second))
            release.set()  # lets the cluster close, whose answer nobody hears
            monkeypatch.setattr(opened.executor, "_take_result", lambda *_: None)
        monkeypatch.undo()
        opened.until(lambda: opened.last(second))
        assert (opened.last(second).taken_away, opened.last(second).owner) == (True, OWNER)
        third = opened.executor.submit("ok")
        with cluster(int(address.rpartition(":")[2])):
            opened.until(lambda: opened.last(third))
            opened.executor.close()
    assert f"the scheduler {address} is lost; waiting 60 s for one there" in opened.told


def test_results_wait_for_the_messages_that_were_sent_before_them(cluster):
    early, late = Results(owner="early", last=False), Results(owner="late")
    message = {"key": "x-1", "worker": "w", "attempt": "a", "number": 1, "results": pickle.dumps([early])}
    with Opened(scheduler=cluster.scheduler_address) as opened:
        opened.until_connected()
        opened.executor._chunks["x-1"] = room._Chunk(b"", alone=False)
        opened.executor._take_result("x-1", None, ("a", 1, [late]))
        opened.executor._take_message({**message, "attempt": "of another worker"})
        assert not opened.last("x-1")
        opened.executor._take_message(message)
        opened.poll()
        assert [one.owner for one in opened.outcomes["x-1"]] == ["early", "late"]


class TestWhoseFaultADeathIs:
    """Of the chunks that a worker with two threads held, by their numbers."""

    @pytest.fixture
    def executor(self, cluster):
        with Opened(scheduler=cluster.scheduler_address) as opened:
            opened.until_connected()
            yield opened.executor

    def suspects(self, executor, **chunks):
        (worker,) = executor._connection.info
        for name, state in chunks.items():
            chunk = executor._chunks[f"x-{name[1:]}"] = room._Chunk(b"", alone="alone" in state)
            chunk.worker = worker if "begun" in state else ""
        try:
            return sorted(executor._suspects(worker, list(executor._chunks)))
        finally:
            executor._chunks.clear()

    def test_those_that_have_begun(self, executor):
        assert self.suspects(executor, _3="begun", _4="begun", _1="", _2="") == ["x-3", "x-4"]

    def test_or_that_were_next_and_may_not_have_come_to_say_so(self, executor):
        assert self.suspects(executor, _3="begun", _10="", _9="") == ["x-3", "x-9"]

    def test_one_that_is_tried_again_alone_if_it_has_said_so(self, executor):
        assert self.suspects(executor, _3="begun alone", _4="", _5="") == ["x-3"]
        assert self.suspects(executor, _3="alone", _4="alone") == []
