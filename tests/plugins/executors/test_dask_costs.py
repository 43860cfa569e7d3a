"""What a run costs the scheduler of Dask: a task for each chunk, and chunks that suit the number of workers."""

from collections import Counter

import numpy as np
import pytest

import tonearm
from tonearm.run.workers.chunks import Chunks
from tonearm_plugins.executors import dask_tasks
from tonearm_plugins.executors.dask_cluster import Cluster

SOURCES, ITEMS = 120, 250

SAMPLES = np.full(10, 0.1, "f4")

PIPELINE = {
    "tonearm": 1,
    "input": {"use": "npz-reader", "with": {"kind": "waveform", "sample_rate": 8000, "key": "*"}},
    "outputs": [{"use": "wav-writer", "file": "{stem}-{key}.wav"}],
}


@pytest.mark.slow
def test_a_chunk_costs_the_scheduler_one_task_whatever_is_in_it(tmp_path, monkeypatch):
    """One source has many items, and what is finished comes back in pieces."""
    distributed = pytest.importorskip("distributed")

    class Counting(distributed.SchedulerPlugin):
        def __init__(self):
            self.tasks = Counter()

        def transition(self, key, start, finish, **_):
            self.tasks[key] += start == "processing" and finish == "memory"

        def update_graph(self, scheduler, *, keys, **_):
            self.tasks.update(dict.fromkeys(keys, 0))

    monkeypatch.setattr(dask_tasks, "PIECE_SECONDS", 0.0)
    sizes = []
    take = Chunks.take

    def count(self):
        chunk = take(self)
        sizes.append(len(chunk))
        return chunk

    monkeypatch.setattr(Chunks, "take", count)
    folder = tmp_path / "sources"
    folder.mkdir()
    for number in range(SOURCES):
        np.savez(folder / f"{number:03}.npz", a=SAMPLES, b=SAMPLES)
    np.savez(folder / "many.npz", **{f"{number:03}": SAMPLES for number in range(ITEMS)})
    counting = Counting()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        cluster.scheduler.add_plugin(counting)
        run = {"out": tmp_path / "out", "executor": ("dask", {"client": client}), "fsync": False}
        report = tonearm.load_pipeline(PIPELINE).run([folder], **run)
    assert report.converted == 2 * SOURCES + ITEMS
    chunks = [size for size in sizes if size]
    assert sum(chunks) == SOURCES + 1
    assert max(chunks) > 4
    assert list(counting.tasks.values()) == [1] * len(chunks)


def test_chunks_have_more_work_the_more_workers_there_are_so_that_the_scheduler_keeps_up():
    def seconds(workers, threads):
        cluster = Cluster((), {}, ())
        cluster.see({f"tcp://10.0.0.1:{number}": {"nthreads": threads} for number in range(workers)})
        return cluster.chunk_seconds(0.5)

    assert seconds(2, 1) == 0.5
    assert seconds(100, 1) == 0.5
    assert seconds(1000, 1) == seconds(250, 4) == 4.0
