"""The base of all plugins: options, requirements, preparation."""

from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import pytest

from tonearm.api import Encoder, FilePath, Meta, NoOptions, Requirement, Waveform
from tonearm.plugins.options import declared_options
from tonearm.plugins.plugin import CHANGES_OUTPUT, NAMES_FILE


class Writer(Encoder[Waveform, NoOptions]):
    requires = (Requirement(name="numpy", hint=""),)

    def encode(self, item, sink, context): ...


class Plain(Encoder[Waveform, NoOptions]):
    def encode(self, item, sink, context): ...


def test_it_needs_what_its_class_requires():
    assert Writer(NoOptions()).needs() == Writer.requires
    assert Plain(NoOptions()).needs() == ()


def test_it_keeps_its_options_and_prepares_nothing():
    options = NoOptions()
    plugin = Plain(options)
    assert plugin.options is options
    assert plugin.preflight() is None
    assert plugin.files() == ()


def test_options_without_fields_are_equal():
    assert NoOptions() == NoOptions()


@dataclass(frozen=True)
class PathOptions:
    plain: FilePath
    described: Annotated[FilePath, Meta(description="Weights.")]
    optional: Annotated[FilePath | None, Meta(description="Weights.", extra={CHANGES_OUTPUT: False})] = None
    several: list[FilePath] = field(default_factory=list)
    text: str = ""


def test_a_path_is_known_in_every_form_of_option():
    found = declared_options(PathOptions)
    assert [name for name, option in found.items() if option.extra.get(NAMES_FILE)] == [
        "plain", "described", "optional", "several",
    ]  # fmt: skip
    assert found["described"].description == "Weights."
    assert found["optional"].extra == {NAMES_FILE: True, CHANGES_OUTPUT: False}


def test_a_path_has_at_least_one_character():
    for option in list(declared_options(PathOptions).values())[:3]:
        assert msgspec.convert("a", option.type) == "a"
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert("", option.type)
