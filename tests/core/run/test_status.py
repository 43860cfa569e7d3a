import json
import os

import pytest
from run_toys import Seen, pipeline, write

from tonearm.errors import UsageError
from tonearm.run.options import RunOptions
from tonearm.run.part import Part
from tonearm.run.run import Run
from tonearm.run.status import status_of


@pytest.fixture(autouse=True)
def here(folder):
    """An empty folder, which is the current one."""


def run(found=None, **options):
    found = found or pipeline("{stem}-{key}.raw")
    one = Run(found, RunOptions(**{"out": "out", "fsync": False, **options}))
    one.execute(one.plan(found.find_sources()), Seen())


def test_one_run():
    write(a="k 0.5\nl x", b="k 0.25\nm 2.5", c="k x")
    run()
    found = status_of("out")
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
    found = status_of("out")
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
    found = status_of("out")
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
    (last,) = status_of("out").last
    assert last.state == state
    assert last.ended >= last.began


def test_while_a_run_is_at_it():
    write(a="k 0.5", b="k 0.5")
    states = []

    def watch(_):
        states.append(status_of("out").last[0].state)

    found = pipeline()
    one = Run(found, RunOptions(out="out", fsync=False))
    one.execute(one.plan(found.find_sources()), watch)
    assert set(states) == {"running"}


def test_parts():
    write(**{str(number): "k 0.5" for number in range(10)})
    for part in (1, 2):
        run(part=Part(part, 2))
    found = status_of("out")
    assert (found.runs, len(found.last), found.sources, found.items) == (2, 2, 10, 10)
    assert sorted(one.journal for one in found.last) == ["journal-1-of-2.jsonl", "journal-2-of-2.jsonl"]


def test_a_pipeline_that_was_edited():
    write(a="k 0.5\nl x")
    run(pipeline("x/{stem}.raw"))
    run(pipeline("y/{stem}.raw"))
    found = status_of("out")
    assert (found.sources, found.items, found.failed) == (1, 2, 1)


def test_bad_lines():
    write(a="k 0.5")
    run()
    with open("out/.tonearm/journal.jsonl", "ab") as file:
        file.write(b'{"record":"out","outputs":[]}\n{"record":"end"}\n{"record":"run"}\nx\n{"record":"out"}\n')
    assert status_of("out").items == 1


def test_nothing_there():
    with pytest.raises(UsageError) as caught:
        status_of("none")
    assert (caught.value.code, caught.value.message) == ("no-run", "no run has written to none")
