"""Runs that parts share, seen as one run."""

from tonearm.run.past_runs import MAX_MISSING, PastRun, SharedRun, last_runs, part_of_record, shared_runs
from tonearm.run.store.records import RunRecord


def run(part=None, *, fingerprint="p", state="finished", sources=10, finished=10, skipped=0, began=0.0):
    found = PastRun("journal.jsonl", "/p.yaml", fingerprint, part, began, began + 5, state)
    found.sources, found.finished, found.skipped = sources, finished, skipped
    return found


def test_parts_of_one_run_are_seen_together():
    (shared,) = shared_runs([run((1, 4)), run((2, 4), state="killed", finished=3), run((4, 4), began=7.0)])
    assert (shared.missing, shared.missing_count, shared.left, shared.sources) == ([3], 1, 7, 30)
    assert [one.part for one in shared.unfinished] == [(2, 4)]
    assert (shared.began, shared.ended) == (0.0, 12.0)
    assert not shared.is_whole


def test_a_part_that_was_killed_and_rerun_counts_once():
    (shared,) = shared_runs(
        [run((1, 2)), run((2, 2), state="killed", finished=3), run((2, 2), sources=7, finished=7, skipped=3)]
    )
    assert shared.is_whole
    assert (shared.sources, shared.left) == (20, 0)


def test_a_run_that_says_it_has_finished_and_left_sources_is_not_whole():
    (shared,) = shared_runs([run((1, 1), finished=9)])
    assert not shared.is_whole


def test_other_counts_and_other_pipelines_are_other_runs():
    found = shared_runs([run((1, 2)), run((1, 3)), run((2, 2), fingerprint="q"), run((2, 3))])
    assert [(one.fingerprint, one.count, sorted(one.parts)) for one in found] == [
        ("p", 2, [1]), ("q", 2, [2]), ("p", 3, [1, 2]),
    ]  # fmt: skip


def test_what_no_last_run_belongs_to_is_outdated():
    found = shared_runs([run((1, 2)), run((2, 2)), run((1, 2), fingerprint="q"), run((2, 2), fingerprint="q")])
    assert [one.fingerprint for one in found] == ["q"]


def test_a_later_run_of_all_sources_takes_the_place_of_parts():
    whole = run(began=1.0)
    later = run((2, 2), began=2.0)
    runs = [run((1, 2)), whole, later]
    assert last_runs(runs) == [whole, later]
    assert [sorted(one.parts) for one in shared_runs(runs)] == [[2]]


def test_parts_that_nobody_can_count_are_not_listed():
    shared = SharedRun("/p.yaml", "p", 10**15, {1: run((1, 10**15))})
    assert shared.missing == list(range(2, MAX_MISSING + 2))
    assert shared.missing_count == 10**15 - 1


def test_a_record_with_a_part_that_cannot_be():
    parts = [(0, 2), (3, 2), (2, 3), None]
    records = [RunRecord(time=0, pipeline="p", sources=1, part=part) for part in parts]
    assert [part_of_record(record) for record in records] == [None, None, (2, 3), None]
