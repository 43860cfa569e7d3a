from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from notebook_page import Page

from tonearm.run.prepared import Failure
from tonearm.run.report import Report, format_size, left_out, warning_pattern
from tonearm.run.store.local_store import LocalStore


@pytest.mark.parametrize(
    ("warning", "kind"),
    [
        ("12 samples", "… samples"),
        ("-3.5e-7 dB of 1,000", "… dB of …"),
        ("the waveform is silent", "the waveform is silent"),
    ],
)
def test_warnings_of_one_kind_differ_in_numbers(warning, kind):
    assert warning_pattern(warning) == kind


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (16_144, "16.1 kB"), (5e15, "5e+03 TB")]
)
def test_sizes(size, shown):
    assert format_size(size) == shown


def failure(number: int, **more: Any) -> Failure:
    return Failure(f"{number}.npy", "", 0, "not-finite", f"message {number}", hint="look at it", **more)


def report(**more: Any) -> Report:
    return Report(**{"out": Path("out"), "total": 2, "sources": 2, "converted": 2, "files": 2, "seconds": 0.25, **more})


def test_counts_leave_out_what_is_none() -> None:
    assert report().counts() == ["2 converted", "0 failed"]
    found = report(total=7, sources=4, failed=1, warned=3, skipped=5, outputs_left_out=1).counts()
    assert found == [
        *("2 converted", "1 failed", "3 with warnings", "5 done before", "3 left", "1 output of earlier runs left out")
    ]
    assert left_out(2) == "2 outputs of earlier runs left out"


def test_its_representation_is_one_line_without_private_fields() -> None:
    found = report(failures=[failure(n) for n in range(20)], failed=20)
    found.read_from(LocalStore("out"), "journal", 0, 1)
    assert repr(found) == "<Report: 2 converted, 20 failed in 0.2 s, in 'out'>"


def test_in_a_notebook_it_has_counts_and_files() -> None:
    page = Page(report(first_outputs=["a.wav", "b/<i>.wav"], sound=2.5)._repr_html_())
    assert page.text_in("th") == ["Run", "finished", "File"]
    assert page.text_in("td") == [
        *("Items", "2 converted, 0 failed, 0.2 s, 2.5 s of sound", "Files", "2 files below out"),
        *("out/a.wav", "out/b/<i>.wav"),
    ]


def test_in_a_notebook_it_has_the_workers_that_have_names() -> None:
    page = Page(report(workers={"east": 1, "west": 2})._repr_html_())
    cells = page.text_in("td")
    assert cells[cells.index("Workers") + 1] == "east 1 source, west 2 sources"
    assert "Workers" not in Page(report()._repr_html_()).text_in("td")


def test_in_a_notebook_it_has_failures_and_warnings() -> None:
    found = report(
        failed=30,
        failures=[failure(1), replace(failure(2), key="<k>"), replace(failure(3), index=4)],
        noted={"rare": (1, "a.npy"), "often …": (9, "b.npy")},
        warnings=["about the run"],
    )
    page = Page(found._repr_html_())
    assert page.text_in("th") == [
        *("Run", "finished, with failures", "Failed (the first 3 of 30)", "Code", "Message", "Hint"),
        *("Warnings", "Number", "First"),
    ]
    cells = page.text_in("td")
    assert cells[4:6] == ["Warning", "about the run"]
    assert cells[6:10] == ["1.npy", "not-finite", "message 1", "look at it"]
    assert (cells[10], cells[14]) == ("2.npy [<k>]", "3.npy [4]")
    assert cells[18:] == ["often …", "9", "b.npy", "rare", "1", "a.npy"]


def test_in_a_notebook_it_tells_why_the_run_stopped() -> None:
    assert Page(report(stopped="output")._repr_html_()).text_in("th") == ["Run", "stopped: output"]
