"""Plugins that are offered: each stands in a file of its name, and each such file is offered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tonearm_plugins
from tonearm.plugins.registry import default

KINDS = {
    "decoders": tonearm_plugins.tonearm_decoders(),
    "transforms": tonearm_plugins.tonearm_transforms(),
    "encoders": tonearm_plugins.tonearm_encoders(),
}
ROOM = Path(tonearm_plugins.__file__).parent


@pytest.mark.parametrize("kind", KINDS)
def test_a_plugin_stands_in_the_file_of_its_name(kind: str) -> None:
    for name, place in KINDS[kind].items():
        module, _, called = str(place).partition(":")
        assert module == f"tonearm_plugins.{kind}.{name.replace('-', '_')}"
        assert called.lower() == name.replace("-", "")
        assert (ROOM / kind / f"{name.replace('-', '_')}.py").is_file()


@pytest.mark.parametrize(("kind", "suffix"), [("decoders", "_reader.py"), ("encoders", "_writer.py")])
def test_a_file_that_is_called_as_a_plugin_is_offered(kind: str, suffix: str) -> None:
    files = {path.name for path in (ROOM / kind).glob(f"*{suffix}")}
    assert files == {f"{name.replace('-', '_')}.py" for name in KINDS[kind]}


def test_the_page_on_runs_names_the_plugins_that_hold_the_interpreter() -> None:
    """Measured with py-spy, sounds of 5 and 30 s: these hold it for 60 to 100 % of their time, others for far less.

    A plugin that builds on one of these may not: it would have to say so.
    """
    entries = [entry for role in ("decoder", "transform", "encoder") for entry in default().entries(role)]
    holding = {entry.name for entry in entries if entry.resolve().holds_interpreter}
    page = (Path(__file__).parents[2] / "docs" / "runs.md").read_text(encoding="utf-8")
    named = re.search(r"spends its time in Python code \(([^()]*), for example\)", page)
    assert named is not None
    assert set(re.findall(r"`(\S+)`", named[1])) == holding
