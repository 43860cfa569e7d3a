import contextlib
import json
import os

import pytest
from run_toys import Seen, pipeline, write
from written_journals import Source, status_of, write_run

from tonearm.errors import UsageError
from tonearm.run.options import RunOptions
from tonearm.run.part import Part
from tonearm.run.run import Run
from tonearm.run.status import MAX_NAMES, Ranking
from tonearm.run.store.local_store import LocalStore


@pytest.fixture(autouse=True)
def here(folder):
    """An empty folder, which is the current one."""


def status(out="out", ranks=None):
    with contextlib.closing(LocalStore(str(out))) as store:
        return status_of(store, ranks)


def run(found=None, **options):
    found = found or pipeline("{stem}-{key}.raw")
    one = Run(found, RunOptions(**{"out": "out", "fsync": False, **options}))
    one.execute(one.plan(found.find_sources()), Seen())


def test_one_run():
    write(a="k 0.5\nl x", b="k 0.25\nm 2.5", c="k x")
    run()
    found = status()
    assert (found.runs, found.sources, found.failing, found.items, found.files) == (1, 3, 2, 3, 3)
    assert found.size == 3 * 40
    assert found.sound == pytest.approx(3 * 10 / 8000)
    assert (found.failed, dict(found.codes)) == (2, {"no-level": 2})
    assert [failure.source for failure in found.failures] == [os.path.abspath("a.txt"), os.path.abspath("c.txt")]
    assert (found.warned, found.noted) == (1, {"… samples are loud": (1, "b-m.raw")})
    peak = found.measured["peak_db"]
    assert (peak.low, peak.high, peak.count) == ((-12.04, "b-k.raw"), (7.96, "b-m.raw"), 3)
    assert peak.mean == pytest.approx((-12.04 - 6.02 + 7.96) / 3)
    (last,) = found.last
    assert (last.state, last.sources, last.finished, last.converted, last.failed) == ("finished", 3, 3, 3, 2)
    assert last.seconds > 0


def test_what_is_past_does_not_count():
    write(a="k 0.5", b="k x")
    run()
    write(b="k 0.25")
    run()
    write(a="k 1.0")
    run()
    found = status()
    assert (found.runs, found.sources, found.items, found.failed, found.failing) == (3, 2, 2, 0, 0)
    assert found.measured["dc"].high == (1.0, "a-k.raw")
    assert found.measured["dc"].low == (0.25, "b-k.raw")
    assert found.measured["dc"].mean == 0.625
    assert (found.last[0].sources, found.last[0].skipped, found.last[0].converted) == (1, 1, 1)


def test_a_source_whose_time_alone_changed_was_not_converted_again():
    write(a="k 0.5\nl x", b="k 0.5")
    run()
    os.utime("b.txt", ns=(5, 5))
    run()
    found = status()
    assert (found.last[0].finished, found.sources, found.failed) == (1, 2, 1)


@pytest.mark.parametrize(
    ("stop", "state"),
    [
        (None, "killed"),
        ("", "finished"),
        ("interrupted", "interrupted"),
        ("output", "output"),
        ("failures", "failures"),
    ],
)
def test_how_the_last_run_ended(stop, state):
    write(a="k 0.5")
    run()
    path = "out/.tonearm/journal.jsonl"
    with open(path) as file:
        lines = file.read().splitlines()
    stopped = json.loads(lines.pop())
    if stop is not None:
        lines.append(json.dumps({**stopped, "reason": stop}))
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    (last,) = status().last
    assert last.state == state
    assert last.ended >= last.began


def test_while_a_run_is_at_it():
    write(a="k 0.5", b="k 0.5")
    states = []

    def watch(_):
        states.append(status().last[0].state)

    found = pipeline()
    one = Run(found, RunOptions(out="out", fsync=False))
    one.execute(one.plan(found.find_sources()), watch)
    assert set(states) == {"running"}


def test_parts():
    write(**{str(number): "k 0.5" for number in range(10)})
    run(part=Part(1, 2))
    found = status()
    assert (found.shared[0].missing, found.shared[0].items) == ([2], found.items)
    run(part=Part(2, 2))
    found = status()
    assert (found.runs, len(found.last), found.sources, found.items) == (2, 2, 10, 10)
    assert sorted(one.journal for one in found.last) == ["journal-1-of-2.jsonl", "journal-2-of-2.jsonl"]
    (shared,) = found.shared
    assert (shared.count, shared.sources, shared.items, shared.is_whole) == (2, 10, 10, True)


def test_a_pipeline_that_was_edited():
    write(a="k 0.5\nl x")
    run(pipeline("x/{stem}.raw"))
    run(pipeline("y/{stem}.raw"))
    found = status()
    assert (found.sources, found.items, found.failed) == (1, 2, 1)


class TestParts:
    def test_while_one_part_runs_the_others_do_not(self, tmp_path):
        write_run(tmp_path, Source("a"), part=(1, 2), stop=None, total=2)
        write_run(tmp_path, Source("b"), part=(2, 2), stop=None, total=2)
        store = LocalStore(str(tmp_path))
        store.lock(Part(2, 2), create=False)
        found = status(tmp_path)
        store.close()
        assert {run.part: run.state for run in found.last} == {(1, 2): "killed", (2, 2): "running"}
        assert found.shared[0].left == 2

    def test_items_and_failures_of_each_shared_run_are_its_own(self, tmp_path):
        write_run(tmp_path, Source("a"), Source("b", {}, failed={"": "empty"}), part=(1, 2))
        write_run(tmp_path, Source("c"), part=(1, 2), pipeline="q", file="/q.yaml")
        write_run(tmp_path, Source("d"), part=(2, 2))
        found = status(tmp_path)
        assert [(one.fingerprint, one.items, one.failed, one.missing) for one in found.shared] == [
            ("q", 1, 0, [2]), ("p", 2, 1, []),
        ]  # fmt: skip
        assert (found.items, found.failed) == (3, 1)


class TestOutputs:
    BOTH = ("wav", "mp3")

    def test_an_item_with_two_outputs_is_one_item(self, tmp_path):
        both = {"wav": ".wav", "mp3": ".mp3"}
        write_run(tmp_path, Source("a", outputs=both), Source("b", outputs=both), outputs=self.BOTH)
        found = status(tmp_path)
        assert (found.items, found.files, found.sound, found.last[0].converted) == (2, 4, 1.0, 2)
        assert found.measured["peak_db"].count == 4

    def test_the_first_output_stands_for_an_item_in_rankings_and_where_values_are_equal(self, tmp_path):
        both = {"wav": ".wav", "mp3": ".mp3"}
        sources = [Source(name, {"": {"peak_db": float(level)}}, outputs=both) for level, name in enumerate("ab")]
        write_run(tmp_path, *sources, outputs=self.BOTH)
        found = status(tmp_path, {"peak_db": 5})
        assert found.ranked["peak_db"].highest == [(1.0, "b.wav"), (0.0, "a.wav")]
        assert (found.measured["peak_db"].low, found.measured["peak_db"].high) == ((0.0, "a.wav"), (1.0, "b.wav"))

    def test_an_output_that_was_added_later_is_of_the_same_item(self, tmp_path):
        write_run(tmp_path, Source("a"), outputs=("fp",))
        write_run(tmp_path, Source("a", outputs={"mp3": ".mp3"}), outputs=("fp", "mp3"))
        found = status(tmp_path)
        assert (found.items, found.files, found.sound) == (1, 2, 0.5)


class TestRankings:
    def test_the_lowest_and_the_highest(self, tmp_path):
        write_run(tmp_path, *(Source(str(n), {"": {"peak_db": -float(n * 7 % 20), "name": "x"}}) for n in range(20)))
        ranking = status(tmp_path, {"peak_db": 3}).ranked["peak_db"]
        assert ranking.lowest == [(-19.0, "17.wav"), (-18.0, "14.wav"), (-17.0, "11.wav")]
        assert ranking.highest == [(0.0, "0.wav"), (-1.0, "3.wav"), (-2.0, "6.wav")]

    def test_only_as_many_as_asked_for_are_kept(self):
        ranking = Ranking(2)
        for value in (3.0, 1.0, 2.0, 5.0, 4.0):
            ranking.add(value, str(value))
        assert ranking.lowest == [(1.0, "1.0"), (2.0, "2.0")]
        assert ranking.highest == [(5.0, "5.0"), (4.0, "4.0")]

    def test_an_unknown_measurement_and_one_that_is_a_text(self, tmp_path):
        write_run(tmp_path, Source("a", {"": {"peak_db": 1.0, "name": "x"}}))
        with pytest.raises(UsageError, match="no output has a measurement 'peak'") as caught:
            status(tmp_path, {"peak": 3})
        assert caught.value.hint == "did you mean 'peak_db'?"
        with pytest.raises(UsageError) as caught:
            status(tmp_path, {"name": 3})
        assert caught.value.hint == "measurements of the outputs: peak_db"


def test_a_journal_that_somebody_filled_with_names(tmp_path):
    many = MAX_NAMES + 50
    write_run(
        tmp_path,
        Source("a", {"": {f"m{n}": n for n in range(many)} | {"huge": 10**400}}),
        Source("b", {}, failed={str(n): f"c{n}" for n in range(many)}),
    )
    found = status(tmp_path)
    assert (len(found.measured), len(found.codes), found.failed) == (MAX_NAMES, MAX_NAMES, many)


def test_bad_lines():
    write(a="k 0.5")
    run()
    with open("out/.tonearm/journal.jsonl", "ab") as file:
        file.write(
            b'{"record":"out","outputs":[]}\n{"record":"end"}\n{"record":"run","journal":2}\nx\n{"record":"out"}\n'
        )
    found = status()
    assert (found.items, found.nonsense) == (1, 5)


def test_nothing_there():
    with pytest.raises(UsageError) as caught:
        status("none")
    assert (caught.value.code, caught.value.message) == ("no-run", "no run has written to none")
