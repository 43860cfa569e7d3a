"""Plugins that are broken, ambiguous, or cannot be made, and what `check` says of the installed ones."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from core_toys import (
    FogToMist,
    MistToWave,
    RawWriter,
    Same,
    ToneReader,
    checked,
    hooks,
    package_of,
    pipeline,
    problems,
    registry_of,
)

from tonearm.api import Meta, NoOptions, Requirement, Signal, Transform, Waveform
from tonearm.plugins.registry import Registry

VERSION = "tonearm: 1\n"
NPY = "input: {use: npy-reader, with: {kind: waveform, sample_rate: 8000}}\n"


class TestPlugins:
    def test_a_broken_one_is_named_where_it_stands(self):
        registry = registry_of(transforms={"x": "no_such_module:X"})
        assert problems(pipeline(steps=("x",)), registry) == [
            "p.yaml:4:11: broken-plugin: transform 'x' of tonearm_toys 1.2 is disabled:"
            " ModuleNotFoundError: No module named 'no_such_module'"
            "\n    hint: update or uninstall the package that it comes from"
        ]

    def test_an_ambiguous_one(self):
        registry = Registry([
            package_of("toys", hooks(decoders={"tone-reader": ToneReader}, encoders={"raw-writer": RawWriter})),
            *(package_of(name, hooks(transforms={"same": type("Same", (Same,), {})})) for name in ("acme", "zeta")),
        ])  # fmt: skip
        assert problems(pipeline(steps=("same",)), registry) == [
            "p.yaml:4:11: ambiguous-plugin: 2 packages offer same\n    hint: write acme/same or zeta/same"
        ]
        assert checked(pipeline(steps=("zeta/same",)), registry).steps[0].name == "zeta/same"

    def test_one_that_cannot_be_made(self):
        class Abstract(Transform[Waveform, Waveform, NoOptions]):
            pass

        class Fails(Same):
            def __init__(self, options):
                raise SystemExit(3)

        registry = registry_of(transforms={"abstract": Abstract, "fails": Fails})
        first, second = problems(pipeline(steps=("abstract", "fails")), registry)
        assert first.startswith(
            "p.yaml:4:11: broken-plugin: abstract is disabled: TypeError: Can't instantiate abstract"
        )
        assert second.startswith("p.yaml:5:11: broken-plugin: fails is disabled: SystemExit: it calls sys.exit(3)\n")

    def test_options_whose_types_cannot_be_found(self):
        @dataclass(frozen=True)
        class Odd:
            shape: "NoSuchName" = 0  # noqa: F821 - as under TYPE_CHECKING

        class Uses(Transform[Waveform, Waveform, Odd]):
            def apply(self, signal, context): ...

        (said,) = problems(pipeline(steps=("x, with: {shape: 3}",)), registry_of(transforms={"x": Uses}))
        assert said.startswith("p.yaml:4:11: broken-plugin: x is disabled: NameError: name 'NoSuchName' is not defined")

    def test_it_may_depend_on_the_options(self):
        @dataclass(frozen=True, kw_only=True)
        class Options:
            engine: Annotated[str, Meta(description="Which.")] = "plain"

        class Needy(Transform[Waveform, Waveform, Options]):
            def apply(self, signal, context): ...

            def needs(self):
                return (Requirement(name="no_such_module", hint=""),) if self.options.engine == "x" else ()

        registry = registry_of(transforms={"x": Needy})
        assert checked(pipeline(steps=("x",)), registry)
        assert len(problems(pipeline(steps=("x, with: {engine: x}",)), registry)) == 1

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            (lambda: None, "TypeError: produces() gives NoneType, not a Spec"),
            (lambda: Waveform, "TypeError: produces() gives type, not a Spec"),
            (lambda: {}["x"], "KeyError: 'x'"),
        ],
    )
    def test_a_plugin_that_says_nonsense(self, given, reason):
        class Odd(Same):
            def produces(self, spec):
                return given()

        assert problems(pipeline(steps=("x",)), registry_of(transforms={"x": Odd})) == [
            f"p.yaml:4:11: broken-plugin: x is disabled: {reason}"
            "\n    hint: update or uninstall the package that it comes from"
        ]

    def test_two_ways_of_one_transform_are_not_tried_for_ever(self):
        class Back(FogToMist, Transform):
            pass

        registry = registry_of(transforms={"mist-to-wave": "no_such:X", "more": FogToMist, "again": MistToWave})
        (said,) = problems(pipeline(reader="fog-reader"), registry)
        assert said.endswith("hint: put fog-to-mist and again before it")

    def test_real_limits(self, installed):
        text = VERSION + NPY.replace("8000", "96000") + "outputs: [{use: mp3-writer, file: 'a.mp3'}]"
        assert problems(text, installed) == [
            "p.yaml:3:17: unsupported-rate: mp3-writer: MP3 cannot have a sample rate of 96000 Hz"
            "\n    hint: put resample before it, with sample_rate: 48000"
        ]
        steps = "steps: [{use: resample, with: {sample_rate: 48000}}]\noutputs"
        assert checked(text.replace("outputs", steps), installed)

    def test_an_encoder_that_fails_when_asked(self):
        class Odd(RawWriter):
            def accepts(self, spec):
                raise ZeroDivisionError

        (said,) = problems(pipeline(), registry_of(encoders={"raw-writer": Odd}))
        assert said.startswith("p.yaml:4:11: broken-plugin: raw-writer is disabled: ZeroDivisionError")

    def test_a_wider_port_may_turn_out_to_fit(self):
        class Any(Transform[Signal, Signal, NoOptions]):
            def apply(self, signal, context): ...

        assert checked(pipeline(steps=("any",)), registry_of(transforms={"any": Any})).steps[0].name == "any"

    def test_after_an_unknown_plugin_nothing_is_guessed(self):
        assert len(problems(pipeline(reader="nothing", steps=("rain-to-wave",)))) == 1
