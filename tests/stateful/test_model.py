"""The model by itself: sequences of steps that it once judged wrongly, each as short as possible."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


class Chosen:
    """Draws what a test has chosen, in its order."""

    def __init__(self, *values):
        self._values = iter(values)

    def draw(self, strategy):
        return next(self._values)


@pytest.fixture
def runs():
    """A folder with two sources, in which nothing has run."""
    from machine import Runs  # not at the top: the folder must be in the path

    found = Runs()
    found.begin(is_inside=False, first=("0.125",), second=("0.125", "0.125"))
    yield found
    found.teardown()


def test_a_run_verifies_the_outputs_of_its_own_pipeline_only(runs):
    runs.run_all()
    name = "first/level/sub/a-0.txt"
    runs.damage_output(Chosen(("level", "sub/a.txt", 0), name), how="replace")
    runs.choose_outputs(("pair",))
    runs.run(None, force=False, verify=True)
    assert name in runs.damaged
    runs.choose_outputs(("level",))
    runs.run_all()
    runs.run(None, force=False, verify=True)
    assert not runs.damaged


def test_a_shuffled_journal_tells_of_work_that_was_done_twice(runs):
    """Records that stand behind those of another run stay there, whatever runs come later."""
    runs.run_all()
    for part in ("1/2", "2/2"):
        runs.run(part, force=True, verify=False)
    runs.merge_parts()
    runs.damage_journal(Chosen("journal.jsonl", "shuffle_lines"), seed=19)
    runs.run_all()
    runs.merge_parts()
    assert not runs.in_doubt
