from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from core_toys import Mist, MistToWave, hooks, package_of, registry_of

from tonearm.api import ArrayOptions, MelDialect, Meta, OptionError, Transform, Waveform
from tonearm.pipeline.document import from_plain, read_document
from tonearm.pipeline.options import default_options, read_options
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import Mark
from tonearm.plugins.options import Option, declared_options
from tonearm.plugins.plugin import BESIDE, IF_ABSENT
from tonearm.plugins.registry import PluginError, Registry, default

HERE = Mark(9, 9)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Every kind of option that there is."""

    count: Annotated[int, Meta(ge=1, le=10, description="How many.")]
    level: Annotated[float, Meta(gt=-1, lt=1, description="How loud.")] = 0.5
    name: Annotated[str, Meta(min_length=2, pattern="^[a-z]+$")] = "ab"
    quiet: bool = False
    mode: Literal["slow", "fast"] = "slow"
    bits: Literal[8, 16] | None = None
    sizes: Annotated[list[Annotated[int, Meta(ge=2)]] | None, Meta(description="Sizes.")] = None
    modes: list[Literal["slow", "fast"]] = field(default_factory=lambda: ["slow"])
    extra: dict[str, float] | None = None
    either: int | str = 0
    made: int = field(init=False, default=7)


def read(text, options=Options, registry=Registry(())):  # noqa: B008 - without plugins
    """Return the options that YAML gives, or what is wrong with them."""
    problems = Problems("p.yaml")
    node = read_document(text, "p.yaml", environ={}) if text else None
    made = read_options(options, node, HERE, "x", problems, registry)
    assert (made is None) == bool(problems.found)
    return made if made is not None else [str(problem) for problem in problems.found]


def test_what_is_declared():
    found = declared_options(Options)
    assert list(found) == ["count", "level", "name", "quiet", "mode", "bits", "sizes", "modes", "extra", "either"]
    assert isinstance(found["count"], Option)
    assert [option.name for option in found.values() if option.required] == ["count"]
    assert [found[name].description for name in ("count", "sizes", "quiet")] == ["How many.", "Sizes.", ""]
    assert found["modes"].default == ["slow"]


def test_every_value_at_once():
    text = (
        "{count: 3, level: 0, name: xy, quiet: true, mode: fast, bits: 16, sizes: [2, 3],"
        " modes: [fast, slow], extra: {a: 1}, either: text}"
    )
    assert read(text) == Options(
        count=3, level=0.0, name="xy", quiet=True, mode="fast", bits=16, sizes=[2, 3],
        modes=["fast", "slow"], extra={"a": 1.0}, either="text",
    )  # fmt: skip
    assert type(read("{count: 3, level: 0}").level) is float
    assert read("{count: 3, sizes: null, bits: ~}") == Options(count=3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("count: 0", "1:8: bad-option: x: 'count' is 0; expected a whole number >= 1\n    hint: How many."),
        ("count: 11", "1:8: bad-option: x: 'count' is 11; expected a whole number <= 10\n    hint: How many."),
        ("count: 1.0", "1:8: bad-option: x: 'count' is 1.0; expected a whole number\n    hint: count: 1"),
        ("count: '3'", "1:8: bad-option: x: 'count' is '3'; expected a whole number\n    hint: count: 3"),
        ("count: yes", "1:8: bad-option: x: 'count' is 'yes'; expected a whole number\n    hint: How many."),
        ("count: true", "1:8: bad-option: x: 'count' is true; expected a whole number\n    hint: How many."),
        ("count:", "1:7: bad-option: x: 'count' is empty; expected a whole number\n    hint: How many."),
        ("count: {a: 1}", "1:8: bad-option: x: 'count' is a mapping; expected a whole number\n    hint: How many."),
        ("count: 1:30", "1:8: bad-option: x: 'count' is '1:30'; expected a whole number\n    hint: How many."),
        ("{count: 1, level: 1}", "1:19: bad-option: x: 'level' is 1; expected a number < 1.0\n    hint: How loud."),
        ("{count: 1, level: x}", "1:19: bad-option: x: 'level' is 'x'; expected a number\n    hint: How loud."),
        ("{count: 1, name: a}", "1:18: bad-option: x: 'name' is 'a'; expected text of length >= 2"),
        ("{count: 1, name: A1}", "1:18: bad-option: x: 'name' is 'A1'; expected text matching regex '^[a-z]+$'"),
        ("{count: 1, name: 17}", "1:18: bad-option: x: 'name' is 17; expected text"),
        ("{count: 1, quiet: no}", "1:19: bad-option: x: 'quiet' is 'no'; expected true or false"),
        ("{count: 1, quiet: 1}", "1:19: bad-option: x: 'quiet' is 1; expected true or false"),
        ("{count: 1, mode: medium}", "1:18: bad-option: x: 'mode' is 'medium'\n    hint: one of slow, fast"),
        ("{count: 1, mode: 3}", "1:18: bad-option: x: 'mode' is 3\n    hint: one of slow, fast"),
        ("{count: 1, mode: [fast]}", "1:18: bad-option: x: 'mode' is a list; expected text"),
        ("{count: 1, bits: 24}", "1:18: bad-option: x: 'bits' is 24\n    hint: one of 8, 16"),
        ("{count: 1, either: [1]}", "1:20: bad-option: x: 'either' is a list; expected a whole number or text"),
        ("{count: 1, sizes: 3}", "1:19: bad-option: x: 'sizes' is 3; expected a list\n    hint: sizes: [3]"),
        ("{count: 1, sizes: '3, 5'}",
         "1:19: bad-option: x: 'sizes' is '3, 5'; expected a list\n    hint: sizes: [3, 5]"),
        ("count: 3 Hz", "1:8: bad-option: x: 'count' is '3 Hz'; expected a whole number\n    hint: count: 3"),
        ("count: 22,050", "1:8: bad-option: x: 'count' is '22,050'; expected a whole number\n    hint: How many."),
        ("{count: 1, mode: Fast}", "1:18: bad-option: x: 'mode' is 'Fast'\n    hint: mode: fast"),
        ("{count: 1, bits: 16k}", "1:18: bad-option: x: 'bits' is '16k'\n    hint: bits: 16"),
        ("{count: 1, bits: 8000}", "1:18: bad-option: x: 'bits' is 8000\n    hint: bits: 8"),
        ("{count: 1, bits: 16 kbps}", "1:18: bad-option: x: 'bits' is '16 kbps'\n    hint: bits: 16"),
        ("{count: 1, sizes: 3 5}",
         "1:19: bad-option: x: 'sizes' is '3 5'; expected a list\n    hint: sizes: [3, 5]"),
        ("{count: 1, sizes: a}", "1:19: bad-option: x: 'sizes' is 'a'; expected a list\n    hint: Sizes."),
        ("{count: 1, sizes: [3], x}", "1:24: unknown-option: x has no option 'x'\n    hint: it has no value; a list"
         " needs brackets, as in [a, x]"),
        ("{count: 1, sizes: [2, 1]}",
         "1:23: bad-option: x: 'sizes' is 1; expected a whole number >= 2\n    hint: Sizes."),
        ("{count: 1, modes: fast}", "1:19: bad-option: x: 'modes' is 'fast'; expected a list\n    hint: modes: [fast]"),
        ("{count: 1, modes: [fast, x]}", "1:26: bad-option: x: 'modes' is 'x'\n    hint: one of slow, fast"),
        ("{count: 1, \"mo\\nde\": fast}", "1:12: unknown-option: x has no option 'mo\\\\nde'"
         "\n    hint: did you mean 'mode'?"),
        ("{count: 1, zzz: 1}", "1:12: unknown-option: x has no option 'zzz'"
         "\n    hint: its options are count, level, name, quiet, mode, bits, sizes, modes, extra, either"),
        ("{count: 1, made: 1}", "1:12: unknown-option: x has no option 'made'\n    hint: did you mean 'mode'?"),
        ("", "9:9: missing-option: x: 'count' is missing\n    hint: count: … (How many)"),
        ("level: 0", "9:9: missing-option: x: 'count' is missing\n    hint: count: … (How many)"),
        ("[1]", "1:1: bad-option: x: 'with' is a mapping of options\n    hint: with: {name: value}"),
    ],
)  # fmt: skip
def test_what_is_wrong(text, said):
    assert read(text) == [f"p.yaml:{said}"]


def test_a_long_value_is_cut():
    (said,) = read("count: " + "x" * 5000)
    assert len(said) < 500


def test_all_problems_at_once():
    found = read("{level: x, quiet: 3, zzz: 1}")
    assert [line.split(" ")[1] for line in found] == [
        "bad-option:",
        "bad-option:",
        "unknown-option:",
        "missing-option:",
    ]


@dataclass(frozen=True, kw_only=True)
class Fitting:
    low: int = 1
    high: int = 2

    def problems(self):
        if self.low > self.high:
            yield OptionError("low is above high", option="low", hint="swap them", code="swapped")
        if self.low + self.high > 10:
            yield OptionError("too much together")


@dataclass(frozen=True, kw_only=True)
class Strict:
    low: int = 1

    def __post_init__(self):
        if self.low == 2:
            raise OptionError("it is 2", option="low")
        if self.low == 3:
            raise ValueError("it is\n3")


@dataclass(frozen=True)
class Nothing:
    pass


class TestThatTheyFitOneAnother:
    def test_each_problem_points_at_its_option(self):
        assert read("{high: 1, low: 20}", Fitting) == [
            "p.yaml:1:16: swapped: x: low is above high\n    hint: swap them",
            "p.yaml:9:9: bad-option: x: too much together",
        ]

    def test_it_is_asked_only_when_each_is_right(self):
        assert len(read("{high: x, low: 20}", Fitting)) == 1

    @pytest.mark.parametrize(
        ("low", "said"), [(2, "1:6: bad-option: x: it is 2"), (3, r"9:9: bad-option: x: it is\n3")]
    )
    def test_a_check_of_its_own(self, low, said):
        assert read(f"low: {low}", Strict) == [f"p.yaml:{said}"]

    def test_a_plugin_without_options(self):
        assert read("", Nothing) == Nothing()
        assert read("{a: 1}", Nothing) == ["p.yaml:1:2: unknown-option: x has no option 'a'\n    hint: it has none"]


def test_from_python_there_is_no_place():
    problems = Problems(None)
    assert read_options(Options, from_plain({"count": 0}), None, "x", problems, Registry(())) is None
    assert str(problems.found[0]).startswith("bad-option: x: 'count' is 0;")


@dataclass(frozen=True, kw_only=True)
class DesignOptions:
    iterations: Annotated[int | None, Meta(ge=1, description="Iterations; the preset's if not given.")] = None
    level: Annotated[float | None, Meta(gt=0, le=1)] = None
    names: Annotated[list[str] | None, Meta(min_length=2)] = None
    plain: Annotated[int, Meta(ge=1)] = 3
    inside: Annotated[int, Meta(ge=1)] | None = None


class TestBoundsOfOptionsThatMayBeLeftOut:
    @staticmethod
    def read(**given):
        from tonearm.pipeline.document import from_plain

        problems = Problems(None)
        made = read_options(DesignOptions, from_plain(given), None, "x", problems, Registry(()))
        return made if made else [str(problem) for problem in problems.found]

    def test_the_form_that_the_design_shows(self):
        assert declared_options(DesignOptions)["iterations"].description == "Iterations; the preset's if not given."
        assert self.read() == DesignOptions()
        assert self.read(iterations=None, level=None, names=None) == DesignOptions()
        assert self.read(iterations=1, level=0.5, names=["a", "b"]).iterations == 1

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"iterations": 0}, "bad-option: x: 'iterations' is 0; expected a whole number >= 1"
             "\n    hint: Iterations; the preset's if not given."),
            ({"iterations": 1.5}, "bad-option: x: 'iterations' is 1.5; expected a whole number"
             "\n    hint: Iterations; the preset's if not given."),
            ({"iterations": True}, "bad-option: x: 'iterations' is true; expected a whole number"
             "\n    hint: Iterations; the preset's if not given."),
            ({"level": 0}, "bad-option: x: 'level' is 0; expected a number > 0.0"),
            ({"level": 1.5}, "bad-option: x: 'level' is 1.5; expected a number <= 1.0"),
            ({"names": ["a"]}, "bad-option: x: 'names' is a list; expected a list of length >= 2"),
            ({"plain": 0}, "bad-option: x: 'plain' is 0; expected a whole number >= 1"),
            ({"plain": None}, "bad-option: x: 'plain' is null; expected a whole number"),
            ({"inside": 0}, "bad-option: x: 'inside' is 0; expected a whole number >= 1"),
        ],
    )  # fmt: skip
    def test_bounds_hold_where_there_is_a_value(self, given, said):
        assert self.read(**given) == [said]


@dataclass(frozen=True, kw_only=True)
class InvertOptions:
    rounds: Annotated[int, Meta(ge=1, description="Rounds.")] = 3
    then: Annotated[Transform[Waveform, Waveform, Any] | None, Meta(description="What follows.")] = None


class Invert(Transform[Mist, Waveform, InvertOptions]):
    def apply(self, signal, context): ...


@dataclass(frozen=True, kw_only=True)
class Owner:
    invert: Annotated[Transform[Mist, Waveform, Any] | None, Meta(description="Way back.")] = None
    level: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Flat:
    way: Annotated[Transform[Mist, Waveform, Any] | None, Meta(description="Way back.", extra={BESIDE: True})] = None
    level: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Clashing:
    way: Annotated[Transform[Any, Any, Any] | None, Meta(extra={BESIDE: True})] = None
    rounds: int = 1


WAYS = {"invert": Invert, "mist-to-wave": MistToWave}


@pytest.fixture(scope="module")
def toys():
    return registry_of(transforms={"invert": Invert})


class TestPluginsAsOptions:
    def test_by_name_or_with_options(self, toys):
        made = read("invert: invert", Owner, toys)
        assert isinstance(made.invert, Invert)
        assert made.invert.options == InvertOptions()
        known = made.invert.registered
        assert (known.full_name, known.package) == ("toys/invert", "tonearm_toys 1.2")
        deep = read("invert: {use: toys/invert, with: {rounds: 5, then: {use: same}}}", Owner, toys)
        assert (deep.invert.options.rounds, deep.invert.registered.name) == (5, "toys/invert")
        assert deep.invert.options.then.registered.full_name == "toys/same"
        assert read("invert: null", Owner, toys) == Owner()

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("invert: inwert", "1:9: unknown-plugin: x: invert: there is no transform 'inwert'"
             "\n    hint: did you mean 'invert'?"),
            ("invert: same", "1:9: wrong-plugin: x: invert is a transform from mist to waveform,"
             " but same is a transform from waveform to waveform\n    hint: one of invert, mist-to-wave"),
            ("invert: 3", "1:9: bad-option: x: 'invert' is 3; expected the name of a transform\n    hint: Way back."),
            ("invert: {with: {rounds: 1}}", "1:9: missing-key: x: invert: 'use' is missing"
             "\n    hint: use: … (name of a plugin)"),
            ("invert: {use: invert, wiht: {}}", "1:23: unknown-key: x: invert has no key 'wiht'"
             "\n    hint: did you mean 'with'?"),
            ("invert: {use: invert, with: [1]}", "1:29: bad-option: x: invert: 'with' is a mapping of options"
             "\n    hint: with: {name: value}"),
            ("invert: {use: invert, with: {rounds: 0}}", "1:38: bad-option: x: invert: 'rounds' is 0;"
             " expected a whole number >= 1\n    hint: Rounds."),
            ("invert: {use: invert, with: {then: {use: same, with: {a: 1}}}}",
             "1:55: unknown-option: x: invert: then has no option 'a'\n    hint: it has none"),
        ],
    )  # fmt: skip
    def test_what_is_wrong(self, text, said, toys):
        assert read(text, Owner, toys) == [f"p.yaml:{said}"]


@dataclass(frozen=True, kw_only=True)
class WithDefault:
    way: Annotated[Transform[Mist, Waveform, Any], Meta(extra={IF_ABSENT: "invert"})]
    level: float = 1.0


def test_the_default_of_a_plugin_is_a_name(toys):
    made = read("level: 0.5", WithDefault, toys)
    assert (made.way.registered.full_name, made.level) == ("toys/invert", 0.5)
    assert read("way: mist-to-wave", WithDefault, toys).way.registered.full_name == "toys/mist-to-wave"
    assert not declared_options(WithDefault)["way"].required
    assert read("", WithDefault, registry_of()) == [
        "p.yaml:9:9: unknown-plugin: x: way: there is no transform 'invert'"
        "\n    hint: run tonearm plugins to list all plugins"
    ]


class TestOptionsBesideAPlugin:
    def test_they_are_those_of_the_plugin(self, toys):
        made = read("{way: invert, rounds: 5, level: 0.5}", Flat, toys)
        assert (made.level, made.way.options.rounds) == (0.5, 5)
        assert read("level: 0.5", Flat, toys) == Flat(level=0.5)
        found = read("{way: inwert, rounds: 0, x: 1}", Flat, toys)
        assert sorted(said.split(": ")[1] for said in found) == ["bad-option", "unknown-option", "unknown-plugin"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{way: inwert, rounds: 3}", "1:7: unknown-plugin: x: way: there is no transform 'inwert'"
             "\n    hint: did you mean 'invert'?"),
            ("{way: invert, rounds: 0}", "1:23: bad-option: x: 'rounds' is 0; expected a whole number >= 1"
             "\n    hint: Rounds."),
            ("{way: invert, round: 3}", "1:15: unknown-option: x has no option 'round'"
             "\n    hint: did you mean 'rounds'?"),
            ("{rounds: 3}", "1:2: unknown-option: x has no option 'rounds'\n    hint: its options are way, level"),
            ("{way: {use: invert}}", "1:7: bad-option: x: 'way' is a mapping; expected the name of a transform"
             "\n    hint: Way back."),
        ],
    )  # fmt: skip
    def test_what_is_wrong(self, text, said, toys):
        assert read(text, Flat, toys) == [f"p.yaml:{said}"]

    def test_a_name_of_both_disables_the_plugin(self, toys):
        with pytest.raises(PluginError, match=r"toys/invert and x both declare the option 'rounds'") as caught:
            read("{way: invert}", Clashing, toys)
        assert caught.value.code == "broken-plugin"


def test_options_have_their_defaults_unchecked():
    made = default_options(ArrayOptions, default(), nan="keep")
    assert (made.kind.registered.full_name, made.nan) == ("builtin/inferred", "keep")
    assert made.of_kind("sample_rate") is None


@dataclass(frozen=True, kw_only=True)
class Implying:
    level: float = 1.0
    way: Annotated[Transform[Mist, Waveform, Any], Meta(extra={BESIDE: True, IF_ABSENT: "mist-to-wave"})]


class TestAPluginThatItsOptionsImply:
    @pytest.mark.parametrize(
        ("text", "builtin", "others", "name", "rounds"),
        [
            ("{}", {}, {}, "toys/mist-to-wave", None), ("{rounds: 5}", {}, {}, "toys/invert", 5),
            ("{rounds: 5}", {"ours": Invert}, {}, "builtin/ours", 5), ("{way: , rounds: 5}", {}, {}, "toys/invert", 5),
            ("{rounds: 5}", {"ours": Invert}, {"more": Invert}, "builtin/ours", 5),
            ("{way: invert}", {}, {}, "toys/invert", 3), ("{way: toys/invert, rounds: 5}", {}, {}, "toys/invert", 5),
        ],
    )  # fmt: skip
    def test_it_is_the_only_one_that_has_them_ours_first(self, text, builtin, others, name, rounds):
        ours = package_of("".join(["built", "in"]), hooks(transforms=builtin))
        registry = Registry([package_of("toys", hooks(transforms=WAYS | others)), ours])
        made = read(text, Implying, registry)
        assert made.way.registered.full_name == name
        assert getattr(made.way.options, "rounds", None) == rounds

    def test_of_several_none_is_guessed(self):
        message = "p.yaml:1:2: unknown-option: x has no option 'rounds' with way mist-to-wave"
        message += "\n    hint: leave rounds out; way"
        for more, hint in ((("more",), "s invert and more"), (("more", "other"), "s invert, more and other")):
            registry = Registry([package_of("toys", hooks(transforms=WAYS | dict.fromkeys(more, Invert)))])
            assert read("{rounds: 5}", Implying, registry) == [f"{message}{hint} have it"]

    def test_it_has_the_name_that_the_pipeline_gives_it(self, toys):
        assert read("{way: toys/invert}", Flat, toys).way.registered.name == "toys/invert"
        assert read("{way: invert}", Flat, toys).way.registered.name == "invert"


@dataclass(frozen=True, kw_only=True)
class Named:
    dialect: Annotated[MelDialect | None, Meta(description="A dialect.")] = None


def test_a_named_struct_is_a_name_or_a_mapping(toys):
    said = "p.yaml:1:10: bad-option: x: dialect is a number, not a name or a mapping\n    hint: A dialect."
    assert read("dialect: 3", Named, toys) == [said]


def test_a_named_struct_by_name_with_changes_or_by_all_figures():
    figures = {"n_mels": 80, "sample_rate": 22050, "n_fft": 1024, "hop_length": 256}
    for text, mels in (("one", 80), ("{base: one, n_mels: 64}", 64), (str(figures), 80)):
        assert read(f"dialect: {text}", Named, registry_of(dialects={"one": figures})).dialect.n_mels == mels
