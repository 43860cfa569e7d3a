import pickle

import pytest

from tonearm.cli.console import exit_status_of
from tonearm.errors import OutputError, UsageError
from tonearm.run.workers.chunk_results import ChunkResults, WorkerError, does_not_see, of_worker


@pytest.mark.parametrize("kind", [OutputError, UsageError])
def test_an_error_of_a_worker_ends_the_run_with_4_and_says_where_it_happened(kind):
    error = kind("cannot\nwrite", hint="make room")
    found = of_worker(error, "tcp://far:1\x1b")
    assert (found.message, found.hint) == ("worker tcp://far:1\\x1b: cannot\nwrite", "make room")
    assert (found.code, found.__cause__) == (error.code, error)
    assert type(found) is (OutputError if kind is OutputError else WorkerError)
    assert of_worker(error, "") is error
    sent = pickle.loads(pickle.dumps(ChunkResults(error=found))).error
    assert (type(sent), sent.message, sent.hint, sent.code) == (type(found), found.message, found.hint, found.code)


def test_what_a_worker_does_not_see():
    error = does_not_see("far", "/out\n", "the sources are")
    assert error.message == "worker far does not see /out\\n"
    assert (error.code, exit_status_of(error)) == ("unseen-folder", 4)
    assert error.hint == "make sure that the sources are on a file system that all workers share, under the same path"
