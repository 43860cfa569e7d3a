"""A Dask cluster within the process of the tests: a real scheduler and a real worker, which start in no time."""

import sys
from pathlib import Path

import numpy as np
import pytest

import tonearm

sys.path.insert(0, str(Path(__file__).parent))

from dask_toys import PIPELINE


@pytest.fixture
def cluster():
    """Give a cluster with one worker of two threads, which has one GPU."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0", resources={"GPU": 1}
    ) as one:
        yield one


@pytest.fixture
def pipeline(tmp_path, monkeypatch):
    """A pipeline over twelve files, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for number in range(12):
        np.save(f"{number}.npy", np.full(800, number / 20, np.float32))
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    return tonearm.load_pipeline("pipeline.yaml")
