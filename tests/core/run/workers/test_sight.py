import pytest
from run_toys import task, write

from tonearm.run.prepared import PreparedSource
from tonearm.run.tasks import Task
from tonearm.run.workers.chunk_results import ChunkResults
from tonearm.run.workers.sight import Sight


@pytest.fixture(autouse=True)
def sources(folder):
    """One source that is there. Others are gone."""
    write(a="k 0.5")


def results(*sources, worker="far"):
    return ChunkResults(worker=worker, sources=sources)


def missed(name="a.txt"):
    return PreparedSource(task=task(name))


def found(name="a.txt"):
    return PreparedSource(task=task(name), state=(1, 2))


def test_a_worker_that_finds_nothing_of_what_is_there_does_not_see_it(folder):
    error = Sight().error_of(results(missed("gone.txt"), missed()))
    assert error.message == f"worker far does not see {folder / 'a.txt'}"
    assert error.hint == "make sure that the sources are on a file system that all workers share, under the same path"


@pytest.mark.parametrize(
    "first",
    [
        results(),
        results(missed("gone.txt")),
        results(found()),
        results(missed(), found("b.txt")),
        results(missed(), worker=""),
        results(PreparedSource(task=Task(0, "in memory", ""))),
    ],
)
def test_others_do(first):
    assert Sight().error_of(first) is None


def test_one_that_has_found_a_source_sees_them():
    """A source that it misses has gone since, or is too new for its file system's cache: that is the item's."""
    sight = Sight()
    assert sight.error_of(results(found())) is None
    assert sight.error_of(results(missed())) is None
    assert sight.error_of(results(missed(), worker="farther")) is not None


def test_one_that_missed_only_what_is_gone_may_still_not_see():
    sight = Sight()
    assert sight.error_of(results(missed("gone.txt"))) is None
    assert sight.error_of(results(missed())) is not None
