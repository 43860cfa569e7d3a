import asyncio
import re

import pytest
from distributed import Client, LocalCluster

from tonearm.errors import PipelineError
from tonearm_plugins.executors.dask_options import DaskOptions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"client": 7}, "'client' is an object, which only Python can give"),
        ({"client": object()}, "client is not a Dask client that is connected"),
    ],
)
def test_a_client_that_is_none(pipeline, options, message):
    with pytest.raises(PipelineError, match=message):
        pipeline.run(out="out", executor=("dask", options))


ALIKE = "choose among the workers of a cluster, and those of this machine are all alike"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheduler": "roof"}, "scheduler is 'roof'; expected a host and a port below 65536"),
        ({"scheduler": "tcp://roof"}, "scheduler is 'tcp://roof'; expected a host and a port below 65536"),
        ({"scheduler": "tcp://roof:99999"}, "scheduler is 'tcp://roof:99999'; expected a host and a port below 65536"),
        ({"scheduler": "http://roof:8787/status"}, "scheduler is 'http://roof:8787/status', which is an address for a"),
        ({"resources": {"GPU": -1}}, "resources.GPU is -1, and no amount"),
        ({"resources": {"GPU": 1}}, f"resources {ALIKE}"),
        ({"workers": ["a"]}, f"workers {ALIKE}"),
    ],
)
def test_options_that_cannot_be_right_are_refused_before_anything_is_touched(pipeline, tmp_path, options, message):
    with pytest.raises(PipelineError, match=re.escape(f"dask: {message}")):
        pipeline.run(out="out", executor=("dask", options))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["tcp://10.0.0.3:8786", "roof:8786", "tls://[::1]:1", "inproc://10.0.0.3/1/1", ""])
def test_addresses_that_may_be_right(address):
    assert list(DaskOptions(scheduler=address).problems()) == []


def test_a_run_in_the_event_loop_of_its_client_is_refused_and_in_another_thread_it_works(pipeline):
    async def both():
        cluster = LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", asynchronous=True
        )
        async with cluster, Client(cluster, asynchronous=True, set_as_default=False) as client:
            executor = ("dask", {"client": client})
            with pytest.raises(PipelineError, match="the run would block the event loop of the client") as caught:
                pipeline.run(out="out", executor=executor)
            assert "await asyncio.to_thread(pipeline.run, ...)" in str(caught.value)
            return await asyncio.to_thread(pipeline.run, out="out", executor=executor)

    assert asyncio.run(both()).converted == 12


def test_a_client_is_given_without_an_address(cluster, pipeline):
    with Client(cluster, set_as_default=False) as client, pytest.raises(PipelineError, match="that of the client"):
        pipeline.run(out="out", executor=("dask", {"client": client, "scheduler": "tcp://127.0.0.1:1"}))
