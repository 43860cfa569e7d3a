"""What earlier runs have recorded of items that a run skips."""

from pathlib import Path

import core_toys
import pytest
from run_toys import Seen, pipeline, toys, write

from tonearm.python import Pipeline
from tonearm.run.options import RunOptions
from tonearm.run.part import Part
from tonearm.run.run import Run
from tonearm.run.skipped import skipped_items


@pytest.fixture(autouse=True)
def here(folder):
    """An empty folder, which is the current one."""


def run(found, **options):
    one = Run(found, RunOptions(**{"out": "out", "fsync": False, **options}))
    one.execute(one.plan(found.find_sources()), Seen())


def skipped(found, **options):
    """Return the items that a run would skip: source, key, index, and the files and levels of each output."""
    one = Run(found, RunOptions(**{"out": "out", "fsync": False, **options}))
    plan = one.plan(found.find_sources())
    try:
        return [
            (
                item.source,
                item.key,
                item.index,
                [([name for name, _size in one.files], one.measured.get("dc")) for one in item.outputs],
            )
            for item in skipped_items(plan)
        ]
    finally:
        one.release()


def test_each_item_of_a_finished_source():
    write(a="k 0.5\nl 0.25", b="m 0.125")
    found = pipeline("{stem}-{key}.raw")
    assert skipped(found) == []
    run(found)
    assert skipped(found) == [
        ("a.txt", "k", 0, [(["a-k.raw"], 0.5)]),
        ("a.txt", "l", 1, [(["a-l.raw"], 0.25)]),
        ("b.txt", "m", 0, [(["b-m.raw"], 0.125)]),
    ]


def test_the_last_record_of_an_item_counts():
    write(a="k 0.5")
    run(pipeline())
    write(a="k 0.25")
    run(pipeline())
    assert skipped(pipeline()) == [("a.txt", "k", 0, [(["a.raw"], 0.25)])]


def test_sidecars_come_with_their_file():
    write(a="k 0.5")
    found = pipeline(encoder="two-files")
    run(found)
    ((*_item, [(files, level)]),) = skipped(found)
    assert (files, level) == (["a.raw", "a.json"], 0.5)


def test_finished_items_of_a_source_that_is_not():
    write(a="k 0.5\nl x", b="m x")
    found = pipeline("{stem}-{key}.raw")
    run(found)
    assert skipped(found) == [("a.txt", "k", 0, [(["a-k.raw"], 0.5)])]


def test_every_part_has_its_journal():
    write(**{str(number): f"k 0.{number + 1}" for number in range(8)})
    for index in (1, 2):
        run(pipeline(), part=Part(index, 2))
    found = skipped(pipeline())
    assert found == [(f"{n}.txt", "k", 0, [([f"{n}.raw"], pytest.approx((n + 1) / 10, abs=1e-6))]) for n in range(8)]


def test_an_item_whose_record_was_lost_has_its_files():
    write(a="k 0.5")
    run(pipeline())
    with open("out/.tonearm/journal.jsonl") as file:
        lines = file.readlines()
    with open("out/.tonearm/journal.jsonl", "w") as file:
        file.writelines(line for line in lines if '"record":"out"' not in line)
    assert skipped(pipeline()) == [("a.txt", "k", 0, [(["a.raw"], None)])]


def branches(*suffixes, file="{stem}"):
    """Return a pipeline with outputs that differ in their levels."""
    lines = ["tonearm: 1", "input: {use: line-reader, files: '*.txt'}", "outputs:"]
    lines += [f"  - {{use: raw-writer, file: '{file}{one}.raw', with: {{level: 0.{one}}}}}" for one in suffixes]
    return Pipeline(core_toys.checked("\n".join(lines), toys()))


class TestOutputs:
    def test_an_item_has_all_of_its_outputs(self):
        write(a="k 0.5")
        run(branches(1, 2))
        assert skipped(branches(1, 2)) == [("a.txt", "k", 0, [(["a1.raw"], 0.5), (["a2.raw"], 0.5)])]

    def test_an_item_that_gets_another_output_is_not_skipped(self):
        write(a="k 0.5")
        run(branches(1))
        assert skipped(branches(1, 2)) == []
        run(branches(1, 2))
        assert skipped(branches(1, 2)) == [("a.txt", "k", 0, [(["a1.raw"], 0.5), (["a2.raw"], 0.5)])]

    def test_an_item_that_lacks_one_of_its_outputs_is_not_skipped(self):
        write(a="k 0.5\nl 0.25\nm x")
        found = branches(1, 2, file="{stem}-{key}")
        run(found)
        assert [key for _source, key, _index, _outputs in skipped(found)] == ["k", "l"]
        Path("out/a-k2.raw").unlink()
        assert skipped(found) == [("a.txt", "l", 1, [(["a-l1.raw"], 0.25), (["a-l2.raw"], 0.25)])]
