from types import SimpleNamespace

import pytest

from tonearm_plugins.executors import dask_cluster as room
from tonearm_plugins.executors.dask_cluster import Cluster

BIG = {"name": "big", "host": "10.0.0.1", "nthreads": 8, "resources": {"GPU": 2.0}}
SMALL = {"name": 0, "host": "10.0.0.2", "nthreads": 1, "resources": {}}
BOTH = {"tcp://big": BIG, "tcp://small": SMALL}


def cluster(info=BOTH, **more):
    found = Cluster(**{"chosen": (), "resources": {}, "holders": (), **more})
    if info is not None:
        found.see(info)
    return found


@pytest.mark.parametrize(
    ("more", "capacity"),
    [
        ({}, 18),
        ({"resources": {"GPU": 1}}, 4),
        ({"resources": {"GPU": 2}}, 2),
        ({"resources": {"GPU": 3}}, None),
        ({"chosen": ["10.0.0.2"]}, 2),
        ({"chosen": ["0"]}, 2),
        ({"chosen": ["small"]}, 2),
        ({"chosen": ["tcp://big", "0"]}, 18),
        ({"info": None}, None),
    ],
)
def test_twice_as_many_chunks_are_in_flight_as_the_workers_can_be_at(more, capacity):
    assert cluster(**more).capacity() == capacity


def test_names_that_are_numbers_are_given_to_dask_as_numbers():
    assert cluster(chosen=["0", "big", "later"]).chosen() == [0, "big", "later"]
    assert cluster().chosen() is None


def test_people_are_told_of_the_cluster_once_for_each_connection():
    found = cluster(holders=["text-reader", "tokens-writer"])
    found.greet(SimpleNamespace(name="tcp://it", dashboard="http://it/status", differing=["msgpack"]))
    assert found.notes() == [
        "workers have up to 8 threads, and text-reader, tokens-writer can use one at a time:"
        " start more workers with --nthreads 1",
        "Dask tcp://it; threads of workers: 9; dashboard: http://it/status",
        "the cluster has other versions of msgpack than are installed here, which may not work",
    ]
    found.see(BOTH)
    found.greet(SimpleNamespace(name="tcp://it", dashboard="", differing=[]))
    assert found.notes() == ["Dask tcp://it; threads of workers: 9"]


def test_threads_are_worth_no_word_if_there_is_one_or_no_plugin_minds():
    assert cluster(info={"tcp://small": SMALL}, holders=["text-reader"]).notes() == []
    assert cluster().notes() == []


def test_people_are_told_who_came_and_went_and_of_many_how_many():
    found = cluster()
    for number in range(4):
        found.add(f"w{number}")
    assert found.remove("w1", expected=True)
    assert not found.remove("w2", expected=False)
    found.expect("w3")
    assert found.remove("w3", expected=False)
    found.remove("w0", expected=False)
    assert found.notes() == [
        "4 workers joined",
        "worker w1 left",
        "workers w2, w0 died",
        "worker w3 ended, because a source hung",
    ]
    assert found.notes() == []
    assert not found.remove("w3", expected=False)  # another one at the same address is no fault of ours


def test_people_are_told_once_that_there_is_no_worker(monkeypatch):
    found = cluster(info={}, resources={"GPU": 1.0}, chosen=["a"])
    assert found.notes() == []
    monkeypatch.setattr(room, "NO_WORKER_SECONDS", 0.0)
    assert found.notes() == ["there is no worker of those chosen with GPU=1; the run waits for one"]
    assert found.notes() == []
    found.see({"a": BIG})
    assert found.notes() == []
    found.see({})
    assert [found.notes(), len(found.notes())] == [[], 1]  # it is another time


def test_workers_are_counted_after_a_change_and_now_and_then(monkeypatch):
    now = 100.0
    monkeypatch.setattr(room.time, "monotonic", lambda: now)
    found = cluster()
    assert found.is_due()
    now += room.COUNT_SECONDS
    assert not found.is_due()
    found.add("w")
    assert found.is_due()
    now += room.RECOUNT_SECONDS
    assert found.is_due()
    found.greet(SimpleNamespace(name="", dashboard="", differing=[]))  # a worker may have come meanwhile
    assert not found.is_due()
    now += room.COUNT_SECONDS
    assert found.is_due()


def test_chunks_have_more_work_the_more_workers_there_are_so_that_the_scheduler_keeps_up():
    def seconds(workers, threads):
        cluster = Cluster((), {}, ())
        cluster.see({f"tcp://10.0.0.1:{number}": {"nthreads": threads} for number in range(workers)})
        return cluster.chunk_seconds(0.5)

    assert seconds(2, 1) == 0.5
    assert seconds(100, 1) == 0.5
    assert seconds(1000, 1) == seconds(250, 4) == 4.0
