"""Types of options, as plugin authors use them, and what the host learns from them."""

from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import pytest

from tonearm.api import FilePath, Meta
from tonearm.pipeline.options import declared_options
from tonearm.plugins.option_types import CHANGES_OUTPUT, NAMES_FILE


@dataclass(frozen=True)
class Options:
    plain: FilePath
    described: Annotated[FilePath, Meta(description="Weights.")]
    optional: Annotated[FilePath | None, Meta(description="Weights.", extra={CHANGES_OUTPUT: False})] = None
    several: list[FilePath] = field(default_factory=list)
    text: str = ""


def test_a_path_is_known_in_every_form_of_option():
    found = declared_options(Options)
    assert [name for name, option in found.items() if option.extra.get(NAMES_FILE)] == [
        "plain", "described", "optional", "several",
    ]  # fmt: skip
    assert found["described"].description == "Weights."
    assert found["optional"].extra == {NAMES_FILE: True, CHANGES_OUTPUT: False}


def test_a_path_has_at_least_one_character():
    for option in list(declared_options(Options).values())[:3]:
        assert msgspec.convert("a", option.type) == "a"
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert("", option.type)
