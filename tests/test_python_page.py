"""What docs/python.md says is true: its blocks are run, section by section, and show what stands below them."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path

import pytest

import tonearm
from code_blocks import ROOT, is_shown, run_cell, sections

PAGE = "docs/python.md"
SECTIONS = sections(PAGE)
FIRST = next(iter(SECTIONS))
"""Section whose names all others may use."""


def marked(heading: str) -> object:
    """Return a section's heading, marked if it imports torch."""
    uses_torch = any("import torch" in cell.code for cell in SECTIONS[heading])
    return pytest.param(heading, marks=[pytest.mark.torch] if uses_torch else [])


@pytest.mark.parametrize("heading", [marked(heading) for heading in SECTIONS])
def test_a_section_shows_what_it_says(heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if any("import torch" in cell.code for cell in SECTIONS[heading]) and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in SECTIONS[FIRST] if heading != FIRST else []:
        run_cell(cell.code, names)
    wrong = []
    for cell in SECTIONS[heading]:
        found, value = run_cell(cell.code, names)
        if cell.shown and not is_shown(found, cell.shown):
            wrong.append(f"{cell.code}\nshows\n{found}\nbut the page says\n{cell.shown}")
        elif not cell.shown and found != ("" if value is None else f"{value!r}\n"):
            wrong.append(f"{cell.code}\nshows\n{found}")
    assert not wrong, "\n".join(wrong)


def test_the_page_tells_of_every_public_name_and_every_argument() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8").partition("## Every name")[0]
    assert [name for name in tonearm.__all__ if name not in text and name != "__version__"] == []
    for function in (tonearm.save, tonearm.encode, tonearm.to_waveform, tonearm.read):
        named = set(inspect.signature(function).parameters) - {"audio", "target", "path", "options"}
        assert [name for name in named if f"`{name}" not in text and f"{name}=" not in text] == []


def test_the_page_shows_each_class_of_error_and_a_warning() -> None:
    shown = {cell.shown.partition(":")[0] for cells in SECTIONS.values() for cell in cells}
    classes = {name for name in tonearm.__all__ if isinstance(getattr(tonearm, name), type)}
    raised = {name for name in classes if issubclass(getattr(tonearm, name), Exception)}
    assert raised - shown == {"TonearmError"}
