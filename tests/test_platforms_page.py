"""docs/platforms.md, and the script that makes its table."""

import sys
from pathlib import Path

import pytest

from tonearm_plugins.dsp.engines.native.compiler import refusal

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import make_expected_speed  # noqa: E402

PAGE = (ROOT / "docs/platforms.md").read_text(encoding="utf-8")


def test_its_table_has_every_processor_and_the_best_lanes_of_arm64():
    rows = [line.split(" | ") for line in PAGE.partition(make_expected_speed.BEGIN)[2].splitlines() if "|" in line][2:]
    expected = [(p.name, str(lanes)) for p in make_expected_speed.PROCESSORS for lanes in p.lanes]
    assert [(row[0].removeprefix("| "), row[1]) for row in rows] == expected
    for processor in make_expected_speed.PROCESSORS:
        cycles = {int(row[1]): float(row[3]) for row in rows if row[0] == f"| {processor.name}"}
        assert min(cycles, key=cycles.get) == (8 if processor.triple == make_expected_speed.ARM else 16)


@pytest.mark.skipif(bool(refusal()), reason=refusal())
def test_blocks_are_counted_where_they_run():
    text, often = make_expected_speed.written_and_counted(8)
    assert list(often) == make_expected_speed.labels(text)
    loops = [name for name in often if f"{name}.next" in often]
    assert len(loops) > 5
    for name in loops:
        assert often[name] == often[f"{name}.next"] >= often[f"{name}.done"]
    # Each of the eight frames of a block has its share of each turn, and each pass over the samples some turns.
    assert make_expected_speed.HOP / 8 / 8 <= max(often.values()) <= 2 * make_expected_speed.N_FFT / 8
