"""Types of options: what a union offers, quantities with a unit, and types that are not supported."""

import datetime as dt
import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from core_toys import pipeline, problems, registry_of

from tonearm.api import Decibels, Duration, FileOfEach, FilePath, Meta, Milliseconds, Transform, Waveform, WindowName
from tonearm.plugins.option_types import (
    alternatives,
    check_hints,
    choices,
    extra_of,
    is_plain,
    names_each,
    names_file,
    quantity,
    unit_of,
)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Record:
    count: int = 1


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("1.5 s", "s", 1.5), ("20 ms", "s", 0.02), ("20ms", "s", 0.02), ("2 min", "s", 120.0), ("0.5 h", "s", 1800.0),
        ("250 us", "s", 0.00025), ("250 µs", "s", 0.00025), ("20 ms", "ms", 20.0), ("0.5 s", "ms", 500.0),
        ("-3 dB", "dB", -3.0), ("+.5dB", "dB", 0.5), ("1 db", "dB", 1.0),
        ("1e-2 s", "s", 0.01), ("3", "s", None), ("3 dB", "s", None),
        ("3 m", "s", None), ("s", "s", None), ("1:30", "s", None), ("nan s", "s", None), ("3 s s", "s", None),
        ("1e999 s", "s", None), ("-1e999 dB", "dB", None), ("1e308 h", "s", None),
    ],
)  # fmt: skip
def test_quantities(text, unit, number):
    assert quantity(text, unit) == number


def test_alternatives_have_the_bounds_that_apply_to_them():
    number, nothing, text = alternatives(Annotated[int | str | None, Meta(ge=1), Meta(min_length=2)])
    assert nothing is type(None)
    assert msgspec.convert(1, number) == 1
    assert msgspec.convert("ab", text) == "ab"
    for value, hint in ((0, number), ("a", text)):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(value, hint)


def test_what_types_are():
    assert [unit_of(one) for one in (Duration, Milliseconds, Decibels, float)] == ["s", "ms", "dB", None]
    assert [names_file(one) for one in (FilePath, Path, str, Annotated[Path, Meta(description="A.")])] == [
        True, True, False, True,
    ]  # fmt: skip
    named = ["hann", "w.npy", "a/W.TXT", "npy"]
    assert [names_file(WindowName, value) for value in named] == [False, True, True, False]
    assert [is_plain(one) for one in (str, WindowName, list[WindowName | None])] == [True, False, False]
    assert choices(Colour | None) == ["red", "blue"]
    assert choices(list[Literal["a", 1]]) == ["a", "1"]


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (int | str | None, True), (list[int], True), (Literal["a"] | int, True), (dict[str, float], True),
        (Colour, True), (Literal["a"] | str, False), (Duration, False), (list[Duration], False), (Path, False),
        (Record | None, False), (dict[str, Record], False), (Transform[Waveform, Waveform, Any], False),
        (Literal["a"] | Annotated[float, Meta(gt=0)], False),
    ],
)  # fmt: skip
def test_which_types_msgspec_reads_alone(hint, expected):
    assert is_plain(hint) is expected


SUPPORTED = [
    bool, int | None, Literal["a", 1], Colour, Path, FilePath, Duration, Decibels, Record, list[Record],
    dict[str, list[Path]], Record | str, Transform[Waveform, Waveform, Any], list[Transform], Any, dt.date,
    set[str], tuple[int, str],
]  # fmt: skip


@pytest.mark.parametrize("hint", SUPPORTED, ids=str)
def test_supported_types(hint):
    check_hints("Record", {"x": hint})


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        (complex, "complex"), (object, "object"), (list[complex], "complex"), (Callable[[], int], "Callable"),
        (range | None, "range"), (list[int] | tuple[str, ...], "list"),
    ],
)  # fmt: skip
def test_types_that_are_not_supported(hint, shown):
    with pytest.raises(TypeError, match=f"option 'x' of Record has the type .*{shown}.*, which is not supported; supp"):
        check_hints("Record", {"x": hint})


def test_a_plugin_with_such_a_type_is_named_when_it_is_loaded():
    @dataclass(frozen=True)
    class Inner:
        shape: range = range(3)

    @dataclass(frozen=True)
    class Options:
        inner: list[Inner]

    class Shaped(Transform[Waveform, Waveform, Options]):
        def apply(self, signal, context): ...

    registry = registry_of(transforms={"shaped": Shaped})
    (found,) = problems(pipeline(steps=("shaped",)), registry)
    assert found.startswith(
        "p.yaml:4:11: broken-plugin: shaped is disabled: TypeError: option 'shape' of Inner has the"
    )


def test_a_file_of_each_source_has_fields_in_its_name():
    assert names_each(extra_of(FileOfEach), "f0/{stem}.npy")
    assert not names_each(extra_of(FileOfEach), "f0.npy")
    assert not names_each(extra_of(FilePath), "f0/{stem}.npy")
    assert names_file(FileOfEach, "f0/{stem}.npy")
