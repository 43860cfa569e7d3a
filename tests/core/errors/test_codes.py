"""Every code that is raised is registered, and every registered code is raised."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest
from code_scan import codes_in, modules, texts_in

from tonearm.api import LinearRecipe, MelDialect, TokenLayout
from tonearm.errors.codes import error_codes
from tonearm.reading.zip_archives import ZipFault
from tonearm_plugins.transforms.guard import Action, GuardOptions

GUARD = {f"guard-{name.replace('_', '-')}" for name, hint in GuardOptions.__annotations__.items() if "Action" in hint}
"""Codes that guard makes of the names of its options."""

NPZ = {f"npz-{fault}" for fault in get_args(ZipFault) if fault != "memory"}
"""Codes that npz-reader makes of the faults of a zip archive."""


NAMED = {
    f"{what}-{cls.noun}"
    for what in ("ambiguous", "broken", "no", "unknown")
    for cls in (MelDialect, LinearRecipe, TokenLayout)
}
"""Codes that a catalogue makes of the noun of its structs, and the listing of them."""


def test_every_code_that_is_raised_is_registered():
    raised = {code: path.name for path in modules() for code in codes_in(path)}
    assert len(raised) > 120  # the scan finds them at all
    assert {code: where for code, where in raised.items() if code not in error_codes()} == {}


def test_every_registered_code_is_raised():
    raised = {code for path in modules() for code in codes_in(path)} | GUARD | NAMED | NPZ
    assert set(error_codes()) - raised == set()


def test_every_code_is_registered_once():
    text = files("tonearm.errors").joinpath("codes.toml").read_text(encoding="utf-8")
    codes = [code for group in tomllib.loads(text).values() for code in group]
    assert [code for code in codes if codes.count(code) > 1] == []


def test_guard_has_a_code_for_each_fault():
    assert "guard-clipping" in GUARD
    assert set(Action.__origin__.__args__) >= {"error", "warn"}
    assert {code for code in error_codes() if code.startswith("guard-")} == GUARD


@pytest.mark.parametrize("code", error_codes().values(), ids=lambda code: code.code)
def test_meaning_and_remedy_are_sentences(code):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code.code)
    for text in (code.meaning, code.remedy):
        assert re.fullmatch(r"[A-Z`][^\n]{8,140}\.", text)


def test_codes_are_where_they_are_looked_for():
    """A code that stands in a message or a comparison alone is not raised: the scan looks at arguments."""
    path = next(path for path in modules() if path.name == "console.py")
    assert "locked" in texts_in(path)
    assert "locked" not in codes_in(path)
    assert isinstance(path, Path)


def test_the_registry_is_read_once_and_its_entries_never_change():
    assert error_codes() is error_codes()
    code = error_codes()["unknown-option"]
    assert code.code == "unknown-option"
    with pytest.raises(AttributeError, match="immutable"):
        code.meaning = ""
