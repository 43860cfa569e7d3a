"""Runs with several outputs: each is done, or not, by itself."""

import os
from dataclasses import dataclass
from pathlib import Path

import core_toys
import pytest
from run_toys import Do, Seen, files, journal, leftovers, toys, write

from tonearm.api import Context, Encoder, FilePath, Item, Sink, Transform, Waveform
from tonearm.python import Pipeline
from tonearm.run.options import RunOptions
from tonearm.run.run import Run

ENCODED = []


@dataclass(frozen=True)
class GainOptions:
    """Options of a gain."""

    level: float = 1.0
    weights: FilePath | None = None


class Gain(Transform[Waveform, Waveform, GainOptions]):
    """Multiply, by the number in a file if there is one."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        weights = self.options.weights
        factor = float(Path(weights).read_text()) if weights else self.options.level
        context.measure(gain=factor)
        return Waveform(samples=signal.samples * factor, sample_rate=signal.sample_rate)


@dataclass(frozen=True)
class TextOptions:
    """Options of a text."""

    digits: int = 2


class TextWriter(Encoder[Waveform, TextOptions]):
    """Write the first sample as text."""

    suffixes = (".txt", ".text")

    def encode(self, item: Item[Waveform], sink: Sink, context: Context) -> None:
        ENCODED.append(f"{item.key}{sink.suffix}")
        if item.signal.samples[0, 0] > 0.8:
            raise ValueError("too loud")
        with sink.open() as file:
            file.write(f"{item.signal.samples[0, 0]:.{self.options.digits}f}".encode())


REGISTRY = toys(transforms={"gain": Gain}, encoders={"text-writer": TextWriter})


def pipeline(*outputs, steps="[]"):
    lines = ["tonearm: 1", 'input: {use: line-reader, files: "*.txt"}', f"steps: {steps}", "outputs:"]
    return Pipeline(core_toys.checked("\n".join([*lines, *(f"  - {{{output}}}" for output in outputs)]), REGISTRY))


def run(found, **options):
    """Run once; return the report and what was encoded."""
    ENCODED.clear()
    one = Run(found, RunOptions(**{"out": "out", "fsync": False, **options}))
    plan = one.plan(found.find_sources())
    reasons = [reason for _, reason in plan.tasks_with_reasons()]
    report = one.execute(plan, Seen())
    return report, list(ENCODED), reasons


PLAIN = 'use: text-writer, file: "{stem}-{key}.text"'
QUIET = 'use: text-writer, file: "quiet/{stem}-{key}.text", steps: [{use: gain, with: {level: 0.5}}]'


@pytest.fixture(autouse=True)
def inputs(folder):
    write(a="k 0.5\nl 0.25", b="m 0.5")
    return folder


def test_branches_come_from_one_decoding(monkeypatch):
    acts = []
    monkeypatch.setattr(Do, "act", staticmethod(lambda signal: acts.append(1)))
    report, _, _ = run(pipeline(PLAIN, QUIET, steps="[{use: do}]"))
    assert (report.converted, report.files, len(acts)) == (3, 6, 3)
    assert files()["a-l.text"] == b"0.25"
    assert files()["quiet/a-l.text"] == b"0.12"
    (first, _) = journal(kind="out")
    measured = {item["files"][0][0]: item["measured"].get("gain") for item in first["items"]}
    assert measured == {
        "a-k.text": None, "quiet/a-k.text": 0.5, "a-l.text": None, "quiet/a-l.text": 0.5,
    }  # fmt: skip


def test_a_new_output_converts_that_output_alone():
    run(pipeline(PLAIN))
    before = {name: os.stat(f"out/{name}").st_mtime_ns for name in files()}
    report, _, reasons = run(pipeline(PLAIN, QUIET))
    assert (report.converted, report.files, reasons) == (3, 3, ["1 of 2 outputs"] * 2)
    assert sorted(files()) == ["a-k.text", "a-l.text", "b-m.text", *(f"quiet/{name}" for name in sorted(before))]
    assert {name: os.stat(f"out/{name}").st_mtime_ns for name in before} == before
    assert run(pipeline(PLAIN, QUIET))[0].skipped == 2
    assert run(pipeline(QUIET, PLAIN))[0].skipped == 2  # the order means nothing
    assert run(pipeline(QUIET))[0].skipped == 2


def test_a_change_to_one_output_redoes_that_output_alone():
    run(pipeline(PLAIN, QUIET))
    _, encoded, _ = run(pipeline(PLAIN, QUIET.replace("0.5", "0.25")))
    assert encoded == ["k.text", "l.text", "m.text"]
    assert (files()["a-k.text"], files()["quiet/a-k.text"]) == (b"0.50", b"0.12")
    _, encoded, _ = run(pipeline(PLAIN, QUIET.replace("0.5", "0.25"), steps="[{use: gain, with: {level: 0.1}}]"))
    assert len(encoded) == 6


def test_a_file_that_an_option_names_counts_by_its_content(inputs):
    (inputs / "w").write_text("0.5")
    weighted = 'use: text-writer, file: "{stem}-{key}.text", steps: [{use: gain, with: {weights: w}}]'
    run(pipeline(weighted))
    assert run(pipeline(weighted))[0].skipped == 2
    (inputs / "w").write_text("0.1")
    report, encoded, _ = run(pipeline(weighted))
    assert (report.skipped, len(encoded)) == (0, 3)
    assert files()["a-k.text"] == b"0.05"


def test_another_name_for_an_output_is_made_and_not_made_twice():
    """The template is no part of the fingerprint, but the names must be those that it gives now."""
    run(pipeline(PLAIN))
    renamed = PLAIN.replace("{stem}-", "x/{stem}-")
    report, _, reasons = run(pipeline(renamed))
    assert (report.files, reasons) == (3, ["its outputs have other names now"] * 2)
    assert run(pipeline(renamed))[0].skipped == 2
    same = PLAIN.replace("{stem}-", "./{stem}-")
    run(pipeline(same))
    assert run(pipeline(same))[0].skipped == 2


def test_two_outputs_that_differ_in_their_names_alone():
    both = pipeline(PLAIN, PLAIN.replace("{stem}-", "x/{stem}-"))
    assert run(both)[0].files == 6
    assert run(both)[0].skipped == 2
    os.unlink("out/x/a-l.text")
    report, encoded, _ = run(both)
    assert (report.files, encoded) == (1, ["l.text"])
    assert run(both)[0].skipped == 2
    run(pipeline(PLAIN))
    assert run(both)[0].skipped == 2


def test_an_item_that_fails_for_one_output_has_no_files():
    """All of its outputs are tried again, and what other items have is kept."""
    loud = QUIET.replace("0.5", "2.0")
    report, _, _ = run(pipeline(PLAIN, loud))
    assert (report.converted, report.failed, report.codes) == (1, 2, {"plugin-failed": 2})
    assert sorted(files()) == ["a-l.text", "quiet/a-l.text"]
    assert leftovers() == []
    report, encoded, reasons = run(pipeline(PLAIN, loud))
    assert (report.converted, report.failed, encoded) == (0, 2, ["k.text"] * 2 + ["m.text"] * 2)
    assert reasons == ["1 failed", "1 failed"]
    report, encoded, _ = run(pipeline(PLAIN))
    assert (report.converted, encoded) == (2, ["k.text", "m.text"])


def test_an_output_that_is_gone_is_made_alone():
    run(pipeline(PLAIN, QUIET))
    os.unlink("out/quiet/a-k.text")
    report, encoded, reasons = run(pipeline(PLAIN, QUIET))
    assert (report.files, encoded, reasons) == (1, ["k.text"], ["outputs are gone or changed"])


def test_names_with_the_hash_of_the_source(inputs):
    hashed = 'use: text-writer, file: "{source_hash}-{key}.text"'
    run(pipeline(hashed))
    assert run(pipeline(hashed))[0].skipped == 2
    (inputs / "b.txt").write_text("m 0.25")
    assert run(pipeline(hashed))[0].skipped == 1
