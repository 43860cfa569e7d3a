import pytest
from run_toys import task

from tonearm.run.prepared import PreparedSource
from tonearm.run.workers.chunks import MAX_CHUNK_SIZE, Chunks


def chunks(total, workers=2):
    return Chunks((task(f"{number}.txt", number) for number in range(total)), total, workers)


def cost(seconds):
    return [PreparedSource(task=task("a.txt"), seconds=seconds)]


class TestChunks:
    def test_every_source_comes_once_in_order(self):
        found = chunks(1000)
        taken = []
        while one := found.take():
            taken += [each.number for each in one]
            found.learn(cost(0.001))
            assert len(found) == 1000 - len(taken)
        assert taken == list(range(1000))
        assert found.take() == []

    def test_they_grow_to_what_was_measured(self):
        found = chunks(100_000)
        sizes = []
        for _ in range(12):
            sizes.append(len(found.take()))
            found.learn(cost(0.001))
        assert sizes[:3] == [1, 4, 16]
        assert sizes[-1] == int(0.25 / 0.001)

    @pytest.mark.parametrize(("seconds", "size"), [(10.0, 1), (1e-9, MAX_CHUNK_SIZE), (0.05, 5)])
    def test_they_are_bounded(self, seconds, size):
        found = chunks(1_000_000)
        for _ in range(20):
            found.learn(cost(seconds))
            last = found.take()
        assert len(last) == size

    def test_one_slow_source_does_not_keep_them_small(self):
        found = chunks(100_000)
        found.learn(cost(1.0))
        sizes = []
        for _ in range(30):
            sizes.append(len(found.take()))
            found.learn(cost(0.001))
        assert sizes[0] == 1
        assert sizes[-1] > 200

    def test_they_grow_with_the_work_that_they_should_have(self):
        found = chunks(100_000)
        found.learn(cost(0.01))
        sizes = []
        for found.seconds in (0.25, 0.25, 0.25, 2.0, 2.0, 2.0):
            sizes.append(len(found.take()))
        assert sizes == [4, 16, 25, 100, 200, 200]

    def test_they_shrink_towards_the_end_but_not_below_what_a_chunk_costs(self):
        found = chunks(2000, workers=4)
        found.learn(cost(0.001))
        sizes = []
        while one := found.take():
            sizes.append(len(one))
        assert sizes[:5] == [4, 16, 64, 239, 209]
        assert sizes[3:-1] == sorted(sizes[3:-1], reverse=True)
        assert sizes[-2] == 31  # an eighth of the work of a chunk, which all workers wait for at most

    def test_a_few_slow_sources_are_shared_by_all_workers(self):
        found = chunks(16, workers=4)
        found.learn(cost(0.05))
        assert [len(found.take()) for _ in range(16)] == [2] + [1] * 14 + [0]
