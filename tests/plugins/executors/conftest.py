"""A Dask cluster within the process of the tests: a real scheduler and a real worker, which start in no time."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def cluster():
    """Give a cluster with one worker of two threads, which has one GPU."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0", resources={"GPU": 1}
    ) as one:
        yield one
