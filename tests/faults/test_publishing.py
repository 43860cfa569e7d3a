"""Publishing keeps its rules whatever fails at whichever step, and publishers that break a rule are found out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from broken_publishers import BREAKERS

PROGRAM = Path(__file__).with_name("fault_injection.py")


def violations(*arguments):
    """Return the rules that are broken under fault injection."""
    command = [sys.executable, PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("scenario", "fault", "every"), [("fresh", "tear", 5), ("changed", "power", 9)])
def test_faults_at_some_steps(scenario, fault, every):
    assert violations(scenario, fault, "--every", every) == []


def test_a_file_and_its_record_are_on_the_disk_before_it_is_renamed():
    assert violations("flush-order") == []


def test_a_file_that_no_run_wrote_is_not_replaced():
    assert violations("in-the-way") == []


def test_temporaries_that_somebody_holds_are_not_swept():
    assert violations("held-by-others") == []


def test_nothing_is_written_through_a_link():
    assert violations("through-links") == []


@pytest.mark.parametrize(
    ("scenario", "fault"),
    [
        *((scenario, fault) for scenario in ("fresh", "changed", "stopped") for fault in ("tear", "power")),
        *((scenario, fault) for scenario in ("fresh", "changed") for fault in ("ENOSPC", "ENOSPC+")),
        *(("fresh", fault) for fault in ("EIO", "EACCES+", "EROFS+")),
    ],
)
def test_faults_at_every_step(scenario, fault, repetitions, chance):
    every = 10 // repetitions(10)
    assert violations(scenario, fault, "--every", every, "--start", chance.randrange(every)) == []


FOUND_OUT = {
    "writes_in_place": (("fresh", "tear"), "not whole: x/a-0."),
    "writes_no_begin": (("fresh", "ENOSPC+"), "the third run exits with 5"),
    "names_before_records": (("fresh", "tear"), "not in the journal: x/a-0."),
    "ends_before_names": (("changed", "tear"), "wrong: x/a-0.raw, after the second run"),
    "flushes_no_records": (("flush-order",), "renamed before its record is on the disk: x/a-0.json"),
    "flushes_no_files": (("flush-order",), "renamed before its content is on the disk: x/a-0.json"),
    "flushes_no_folders": (("flush-order",), "its name is not on the disk at the end: a-0.raw"),
    "flushes_before_writing": (("flush-order",), "renamed before its record is on the disk: x/a-0.json"),
    "leaves_temporaries": (("fresh", "ENOSPC+"), "left behind: x/.tonearm-"),
    "sweeps_nothing": (("stopped", "tear"), "left behind: x/.tonearm-0000000000000001.part, after the second run"),
    "settles_by_size": (("changed", "tear"), "wrong: x/a-0.raw, after the second run"),
    "trusts_records": (("changed", "power"), "wrong: x/a-0.raw, after the second run"),
    "heals_no_lines": (("fresh", "tear"), "the second run has no record"),
    "swallows_errors": (("fresh", "ENOSPC", "--start", "70"), "without what lies beside it: x/a-0.raw"),
    "forgets_items": (("fresh", "tear"), "done again: x/a-0.raw by the second run"),
    "forgets_measurements": (("fresh", "tear"), "not measured: x/b-0.raw, after the second run"),
    "replaces_anything": (("in-the-way",), "replaced what no run wrote"),
    "sweeps_what_is_held": (("held-by-others",), "swept what somebody holds"),
    "follows_links": (("through-links",), "wrote through the link x: "),
    "renames_files_apart": (("fresh", "tear"), "without what lies beside it: x/a-0.raw"),
}
QUICK = ("flushes_no_records", "replaces_anything", "sweeps_what_is_held", "follows_links")


@pytest.mark.parametrize(
    "breaker", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in BREAKERS]
)
def test_a_publisher_that_was_broken_on_purpose_is_found_out(breaker):
    (scenario, *fault), line = FOUND_OUT[breaker]
    found = violations(scenario, *fault, "--breaker", breaker, "--most", 1)
    assert any(line in one for one in found), found
