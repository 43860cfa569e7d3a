"""Options of encoders: classes that are inherited add their problems and their fields, in one order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tonearm.api import EncoderOptions, OptionError, PcmOptions, TagOptions
from tonearm.plugins.options import declared_options


@dataclass(frozen=True, kw_only=True)
class First(PcmOptions, TagOptions):
    subtype: str = "PCM_16"

    def problems(self) -> Iterator[OptionError]:
        yield OptionError("own")
        yield from super().problems()


@dataclass(frozen=True, kw_only=True)
class Second(TagOptions, PcmOptions):
    subtype: str = "PCM_16"


@pytest.mark.parametrize("options", [First, Second])
def test_every_class_adds_its_problems(options: type[First]) -> None:
    found = [one.message for one in options(subtype="FLOAT", dither=True, tags={"~": "x"}).problems()]
    wanted = {"dither is only for integers, and FLOAT is a float format", "'~' is not a valid tag name"}
    assert set(found) - {"own"} == wanted
    assert len(found) == 2 + (options is First)


def test_own_options_come_first() -> None:
    assert list(declared_options(First)) == ["subtype", "dither", "seed", "tags", "provenance"]


def test_there_are_no_problems_by_default() -> None:
    assert list(EncoderOptions().problems()) == []
