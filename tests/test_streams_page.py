"""What docs/streams.md says is true: its blocks are run, section by section, and show what stands below them."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import tonearm
from code_blocks import ROOT, is_shown, run_cell, sections

PAGE = "docs/streams.md"
SECTIONS = sections(PAGE)
FIRST = next(iter(SECTIONS))
"""Section whose names all others may use."""


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_shows_what_it_says(heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in SECTIONS[FIRST] if heading != FIRST else []:
        run_cell(cell.code, names)
    for cell in SECTIONS[heading]:
        found, value = run_cell(cell.code, names)
        if cell.shown:
            assert is_shown(found, cell.shown), f"{cell.code}\nshows\n{found}\nbut the page says\n{cell.shown}"
        else:
            assert found == ("" if value is None else f"{value!r}\n"), cell.code


def test_the_page_tells_of_every_argument() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    for function in (tonearm.stream, tonearm.stream_bytes, tonearm.astream_bytes):
        named = set(inspect.signature(function).parameters) - {"target", "chunks", "options"}
        assert [name for name in named if f"`{name}" not in text and f"{name}=" not in text] == []
    methods = {name for name in vars(tonearm.Stream) if not name.startswith("_")}
    assert [name for name in methods if f"`{name}`" not in text] == []


def test_the_table_of_steps_is_true() -> None:
    from tonearm.plugins import registry
    from tonearm.plugins.block_plugins import BlockTransform

    text = (ROOT / PAGE).read_text(encoding="utf-8")
    table = text[text.index("| step |") :]
    for entry in registry.default().entries("transform"):
        lines = [line for line in table.splitlines() if f"`{entry.name}`" in line]
        assert all(("yes" in line) == issubclass(entry.resolve(), BlockTransform) for line in lines)
        if issubclass(entry.resolve(), BlockTransform) and entry.name not in ("wave-to-mel", "wave-to-spectrogram"):
            assert lines, entry.name
