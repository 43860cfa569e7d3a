"""Values of options by their types: paths, enumerations, units, unions, records, and lists and dicts of these."""

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from core_toys import Same, registry_of

from tonearm.api import Decibels, Duration, FilePath, Meta, Milliseconds, Transform, Waveform, WindowName
from tonearm.pipeline.document import assignment_mark, from_plain, override, read_document
from tonearm.pipeline.option_values import ValueReader
from tonearm.pipeline.options import read_options
from tonearm.pipeline.problems import Problems


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass(frozen=True, kw_only=True)
class Stage:
    name: str
    wait: Annotated[Duration, Meta(ge=0, description="Time to wait.")] = 0.0


@dataclass(frozen=True, kw_only=True)
class Other:
    colour: Colour = Colour.RED


class Shape(msgspec.Struct, frozen=True):
    width: int = 1


@dataclass(frozen=True, kw_only=True)
class Options:
    colour: Annotated[Colour, Meta(description="Colour.")] = Colour.RED
    level: Level | None = None
    path: Annotated[Path | None, Meta(description="A file.")] = None
    file: FilePath | Literal["none"] = "none"
    window: WindowName | None = None
    pause: Annotated[Duration | None, Meta(ge=0, le=60, description="Pause.")] = None
    fade: Milliseconds = 10.0
    gain: Annotated[Decibels, Meta(ge=-60, le=0)] = 0.0
    rate: Annotated[Literal["auto"] | float, Meta(gt=0)] = "auto"
    size: Annotated[int | str, Meta(ge=1)] = 1
    shape: Shape | str = "round"
    one: Stage | Other | None = None
    stages: list[Stage] = field(default_factory=list)
    tags: dict[str, int | str] = field(default_factory=dict)
    by_name: dict[str, Duration] = field(default_factory=dict)
    plain: dict[str, str | int | float] = field(default_factory=dict)
    pair: tuple[int, Duration] = (1, 0.0)
    some: Annotated[list[Path | Duration], Meta(min_length=1, max_length=2)] = field(default_factory=list)
    mode: Literal["fast"] | str = "fast"
    either: int | Literal["auto"] | list[float] = 0
    way: Literal["none"] | Transform[Waveform, Waveform, Any] = "none"
    count: Annotated[int, Meta(ge=1)] = 1
    times: tuple[Duration, ...] = ()
    mixed: int | Transform[Waveform, Waveform, Any] | None = None
    staged: Transform[Waveform, Waveform, Any] | Stage | None = None
    loose: Transform[Waveform, Waveform, Any] | dict[str, int] | None = None
    ways: dict[str, list[Transform[Waveform, Waveform, Any]]] = field(default_factory=dict)


REGISTRY = registry_of()


def read(text):
    problems = Problems("p.yaml")
    made = read_options(Options, read_document(text, "p.yaml", environ={}), None, "x", problems, REGISTRY)
    assert (made is None) == bool(problems.found)
    return made if made is not None else [str(problem).removeprefix("p.yaml:1:") for problem in problems.found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("colour: blue", Colour.BLUE), ("level: 2", Level.HIGH), ("level: null", None), ("file: none", "none"),
        ("pause: 1.5", 1.5), ("pause: 2", 2.0), ("pause: 20 ms", 0.02), ("pause: 1 min", 60.0), ("pause: null", None),
        ("fade: 0.5 s", 500.0), ("fade: 5", 5.0), ("gain: -3 dB", -3.0), ("gain: -3", -3.0), ("rate: auto", "auto"),
        ("rate: 2", 2.0), ("size: 3", 3), ("size: big", "big"), ("shape: square", "square"),
        ("shape: {width: 3}", Shape(width=3)), ("one: {name: a, wait: 2 s}", Stage(name="a", wait=2.0)),
        ("one: {colour: blue}", Other(colour=Colour.BLUE)), ("one: null", None),
        ("stages: [{name: a}, {name: b, wait: 1}]", [Stage(name="a"), Stage(name="b", wait=1.0)]),
        ("by_name: {a: 1 ms, b: 2}", {"a": 0.001, "b": 2.0}), ("pair: [3, 1 s]", (3, 1.0)), ("mode: slow", "slow"),
        ("way: none", "none"), ("one: {name: a}", Stage(name="a")), ("one: {}", Other()), ("mixed: 3", 3),
        ("times: [1 s, 2, 3 ms]", (1.0, 2.0, 0.003)),
        ("staged: {name: a}", Stage(name="a")), ("loose: {a: 1}", {"a": 1}), ("loose: {}", {}),
    ],
)  # fmt: skip
def test_values(text, value):
    name = text.partition(":")[0]
    made = getattr(read(text), name)
    assert made == value
    assert type(made) is type(value)


def test_files_must_exist_and_become_paths(tmp_path):
    (tmp_path / "a").touch()
    made = read(f"{{path: '{tmp_path}/a', file: '{tmp_path}/a', some: ['{tmp_path}/a']}}")
    assert made.path == tmp_path / "a"
    assert made.file == f"{tmp_path}/a"
    assert made.some == [tmp_path / "a"]
    assert read("path: no-such") == ["7: no-such-file: x: there is no file no-such"]
    assert read("file: no-such") == ["7: no-such-file: x: there is no file no-such"]


def test_plugins_in_unions_lists_and_dicts():
    assert isinstance(read("way: same").way, Same)
    made = read("{way: {use: toys/same}, ways: {a: [same, {use: same, with: {}}]}}")
    assert made.way.registered.name == "toys/same"
    assert [type(one) for one in made.ways["a"]] == [Same, Same]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour: green", "9: bad-option: x: 'colour' is 'green'\n    hint: one of red, blue"),
        ("level: 3", "8: bad-option: x: 'level' is 3\n    hint: one of 1, 2"),
        ("path: 3", "7: bad-option: x: 'path' is 3; expected text\n    hint: A file."),
        ("path: ''", "7: bad-option: x: 'path' is ''; expected text of length >= 1\n    hint: A file."),
        ("pause: long", "8: bad-option: x: 'pause' is 'long'; expected a number, or text such as '1.5 s'"
         "\n    hint: Pause."),
        ("pause: -1 s", "8: bad-option: x: 'pause' is '-1 s'; expected a number >= 0.0\n    hint: Pause."),
        ("pause: 2 min", "8: bad-option: x: 'pause' is '2 min'; expected a number <= 60.0\n    hint: Pause."),
        ("pause: [1]", "8: bad-option: x: 'pause' is a list; expected a number, or text such as '1.5 s'"
         "\n    hint: Pause."),
        ("gain: -3 s", "7: bad-option: x: 'gain' is '-3 s'; expected a number, or text such as '-3 dB'"),
        ("rate: 0", "7: bad-option: x: 'rate' is 0\n    hint: one of auto, or a number > 0.0"),
        ("count: 0", "8: bad-option: x: 'count' is 0; expected a whole number >= 1"),
        ("size: 0", "7: bad-option: x: 'size' is 0; expected a whole number >= 1 or text"),
        ("shape: {wdth: 3}", "9: unknown-option: x: shape has no option 'wdth'\n    hint: did you mean 'width'?"),
        ("shape: [3]", "8: bad-option: x: 'shape' is a list; expected a mapping or text"),
        ("one: a", "6: bad-option: x: 'one' is 'a'; expected a mapping"),
        ("stages: [{name: a}, {wait: 1}]", "21: missing-option: x: stages: 'name' is missing\n    hint: name: …"),
        ("stages: [{name: a, wait: x}]", "26: bad-option: x: stages: 'wait' is 'x'; expected a number, or text such as"
         " '1.5 s'\n    hint: Time to wait."),
        ("stages: {name: a}", "9: bad-option: x: 'stages' is a mapping; expected a list"),
        ("by_name: {a: 1 dB}", "14: bad-option: x: 'by_name.a' is '1 dB'; expected a number, or text such as '1.5 s'"),
        ("tags: {a: b, c: [1]}", "17: bad-option: x: 'tags.c' is a list; expected a whole number or text"),
        ("tags: {c: {}}", "11: bad-option: x: 'tags.c' is a mapping; expected a whole number or text"),
        ("tags: b", "7: bad-option: x: 'tags' is 'b'; expected a mapping"),
        ("pair: [1]", "7: bad-option: x: 'pair' is a list; expected a list of length 2"),
        ("some: []", "7: bad-option: x: 'some' is a list; expected a list of length >= 1"),
        ("mode: 3", "7: bad-option: x: 'mode' is 3\n    hint: one of fast, or text"),
        ("either: x", "9: bad-option: x: 'either' is 'x'\n    hint: one of auto, or a whole number, or a list"),
        ("either: [1, x]", "13: bad-option: x: 'either' is 'x'; expected a number"),
        ("way: nome", "6: unknown-plugin: x: way: there is no transform 'nome'"
         "\n    hint: run tonearm plugins to list all plugins"),
        ("ways: {a: [fog-to-mist]}", "12: wrong-plugin: x: ways.a is a transform from waveform to waveform, but"
         " fog-to-mist is a transform from fog to mist\n    hint: one of same"),
    ],
)  # fmt: skip
def test_what_is_wrong(text, said):
    assert read(text) == [said]


def test_values_from_python(tmp_path):
    problems = Problems(None)
    given = from_plain({"colour": Colour.BLUE, "path": tmp_path, "pause": "20 ms"})
    made = read_options(Options, given, None, "x", problems, REGISTRY)
    assert (made.colour, made.path, made.pause) == (Colour.BLUE, tmp_path, 0.02)


def test_paths_in_a_file_are_relative_to_it_and_others_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for name in ("here", "none", "w.npy", "sub/beside", "sub/w.NPY"):
        (tmp_path / name).write_bytes(b"")

    def made(file, given):
        problems = Problems(file)
        found = read_options(Options, given, None, "x", problems, REGISTRY)
        return found or [problem.message for problem in problems.found]

    text = "{file: beside, path: beside, window: w.NPY}"
    inside = made("sub/p.yaml", read_document(text, "sub/p.yaml", environ={}))
    assert (inside.file, inside.path, inside.window) == ("sub/beside", Path("sub/beside"), "sub/w.NPY")
    named = made("sub/p.yaml", read_document("{file: none, window: hann}", "sub/p.yaml", environ={}))
    assert (named.file, named.window) == ("none", "hann")
    absolute = made("sub/p.yaml", read_document(f"path: {tmp_path / 'here'}", "sub/p.yaml", environ={}))
    assert absolute.path == tmp_path / "here"
    for mark in (None, assignment_mark("file=here")):
        changed = override(read_document(text, "sub/p.yaml", environ={}), "file=here", mark=mark)
        assert made("sub/p.yaml", changed).file == "here"
    assert made("sub/p.yaml", read_document("path: here", "sub/p.yaml", environ={})) == ["x: there is no file sub/here"]
    outside = made(None, from_plain({"file": "here", "window": "w.npy"}))
    assert (outside.file, outside.window) == ("here", "w.npy")


def test_a_mapping_with_use_is_a_plugin_whatever_else_it_may_be():
    made = read("{mixed: same, staged: {use: same}, loose: {use: same}}")
    assert [type(one) for one in (made.mixed, made.staged, made.loose)] == [Same] * 3
    assert read("mixed: {use: same}").mixed.registered.name == "same"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mixed: 2.5", "8: bad-option: x: 'mixed' is 2.5; expected a whole number or the name of a transform"),
        ("mixed: b", "8: unknown-plugin: x: mixed: there is no transform 'b'"
         "\n    hint: run tonearm plugins to list all plugins"),
        ("mixed: {a: 1}", "8: missing-key: x: mixed: 'use' is missing\n    hint: use: … (name of a plugin)"),
        ("staged: {nam: a}", "10: unknown-option: x: staged has no option 'nam'\n    hint: did you mean 'name'?"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_value_that_may_be_a_plugin(text, said):
    assert said in read(text)


def test_who_reads_values_must_know_records_plugins_and_names():
    assert ValueReader.__abstractmethods__ == {"read", "plugin", "named"}
