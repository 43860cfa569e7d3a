"""Every problem that `check` finds, as a user reads it: place, code, message, hint."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from core_toys import (
    FogToMist,
    Join,
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

from tonearm.api import Encoder, Meta, NoOptions, OptionError, Requirement, Signal, Spec, Transform, Waveform
from tonearm.errors import PipelineError
from tonearm.pipeline.check import bind_decoder
from tonearm.pipeline.document import read_document
from tonearm.plugins.registry import Registry

VERSION = "tonearm: 1\n"


NPY = "input: {use: npy-reader, with: {kind: waveform, sample_rate: 8000}}\n"


WAV = 'outputs: [{use: wav-writer, file: "{stem}.wav"}]\n'


def with_options(text):
    return f"{VERSION}input: {{use: npy-reader, with: {{{text}}}}}\n{WAV}"


class TestPlugins:
    @pytest.mark.parametrize(
        ("use", "said"),
        [
            ("sane", "unknown-plugin: there is no transform 'sane'\n    hint: did you mean 'same'?"),
            ("zzz", "unknown-plugin: there is no transform 'zzz'\n    hint: run tonearm plugins to list all plugins"),
            ("tone-reader", "unknown-plugin: there is no transform 'tone-reader'"
             "\n    hint: tone-reader is a decoder, for input"),
        ],
    )  # fmt: skip
    def test_unknown(self, use, said):
        assert problems(pipeline(steps=("same", use))) == [f"p.yaml:5:11: {said}"]

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


class TestOptions:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("kind: waveform", "2:14: missing-option: npy-reader: 'sample_rate' is missing"
             "\n    hint: sample_rate: … (the rate that the model was made for, such as 22050)"),
            ("sample_rat: 8000, sample_rate: 8000", "2:33: unknown-option: npy-reader has no option 'sample_rat'"
             "\n    hint: did you mean 'sample_rate'?"),
            ("sample_rate: 0", "2:46: bad-option: npy-reader: 'sample_rate' is 0; expected a whole number >= 1"
             "\n    hint: Sample rate in Hz. Required, because an array does not contain it."),
            ("sample_rate: -8000", "2:46: bad-option: npy-reader: 'sample_rate' is -8000; expected a whole number >= 1"
             "\n    hint: Sample rate in Hz. Required, because an array does not contain it."),
            ("sample_rate: 22_050", "2:46: bad-option: npy-reader: 'sample_rate' is '22_050'; expected a whole number"
             "\n    hint: Sample rate in Hz. Required, because an array does not contain it."),
            ("sample_rate: 1000000000", "2:46: bad-option: npy-reader: 'sample_rate' is 1000000000;"
             " expected a whole number <= 10000000"
             "\n    hint: Sample rate in Hz. Required, because an array does not contain it."),
            ("sample_rate: [8000]", "2:46: bad-option: npy-reader: 'sample_rate' is a list; expected a whole number"
             "\n    hint: Sample rate in Hz. Required, because an array does not contain it."),
            ("sample_rate: 8000, kind: wave", "2:58: unknown-plugin: npy-reader: kind: there is no kind 'wave'"
             "\n    hint: did you mean 'waveform'?"),
            ("sample_rate: 8000, kind: waveform, axes: [time, tim]", "2:74: bad-option: npy-reader: a waveform array"
             " has no tim axis\n    hint: a waveform array has time, and may have batch and channel"),
            ("sample_rate: 8000, axes: [time, tim]", "2:58: bad-option: npy-reader: neither a waveform nor a complex"
             " array has a tim axis\n    hint: axes: batch, channel, time, bin, frame or complex"),
            ("sample_rate: 8000, kind: waveform, n_fft: 4", "2:68: unknown-option: npy-reader has no option 'n_fft'"
             " with kind waveform\n    hint: kinds complex, db, magnitude, mel and power have it"),
            ("sample_rate: 8000, kind: complex, full_scale: 1", "2:67: unknown-option: npy-reader has no option"
             " 'full_scale' with kind complex\n    hint: kind waveform has it"),
            ("sample_rate: 8000, kind: complex, hop_length: 4", "2:14: missing-option: npy-reader: 'n_fft' is missing"
             "\n    hint: n_fft: … (the model's own, as a complex spectrogram needs it)"),
            ("sample_rate: 8000, kind: complex, n_fft: 16, hop_length: 20", "2:90: not-invertible: npy-reader: a hann"
             " window of 16 cannot be inverted at hop_length 20: some samples have no weight in any frame"
             "\n    hint: check hop_length and win_length against the model's own settings"),
        ],
    )  # fmt: skip
    def test_at_their_place(self, text, said, installed):
        assert problems(with_options(text), installed) == [f"p.yaml:{said}"]

    def test_a_list_is_asked_for_where_a_name_stands(self, installed):
        (said,) = problems(with_options("sample_rate: 8000, axes: time"), installed)
        assert said.startswith("p.yaml:2:58: bad-option: npy-reader: 'axes' is 'time'; expected a list\n")

    @pytest.mark.parametrize("given", ["[1]", "3", "text"])
    def test_with_is_a_mapping(self, given, installed):
        text = f"{VERSION}input: {{use: npy-reader, with: {given}}}\n{WAV}"
        said = "p.yaml:2:32: bad-option: npy-reader: 'with' is a mapping of options\n    hint: with: {name: value}"
        assert problems(text, installed) == [said]

    def test_all_at_once(self, installed):
        found = problems(with_options("sample_rate: x, kind: y, axe: []"), installed)
        assert [line.split(": ")[1] for line in found] == ["bad-option", "unknown-plugin", "unknown-option"]
        assert [line.split(":")[2] for line in found] == ["46", "55", "58"]


class Mixes(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal, context): ...

    def produces(self, spec):
        return spec.replace(channels=1)


class DoubleReader(ToneReader):
    def produces(self):
        return super().produces().replace(precision="double")


class Keeps(Same):
    keeps_double = True


class Forgets(Keeps):
    def produces(self, spec):
        return Spec(signals=(Waveform,))


class Halves(Same):
    def produces(self, spec):
        return spec.replace(precision="single")


DOUBLE = registry_of(
    decoders={"double-reader": DoubleReader},
    transforms={"keeps": Keeps, "forgets": Forgets, "halves": Halves, "join": Join},
)


class TestPorts:
    def test_one_transform_between(self, installed):
        text = with_options("kind: complex, sample_rate: 8000, n_fft: 16, hop_length: 4")
        assert problems(text, installed) == [
            "p.yaml:3:17: port-mismatch: wav-writer takes waveform, but npy-reader gives complex"
            "\n    hint: put istft before it"
        ]

    def test_two_transforms_between(self):
        assert problems(pipeline(reader="fog-reader")) == [
            "p.yaml:4:11: port-mismatch: raw-writer takes waveform, but fog-reader gives fog"
            "\n    hint: put fog-to-mist and mist-to-wave before it"
        ]

    def test_between_steps(self):
        assert problems(pipeline(reader="fog-reader", steps=("mist-to-wave",))) == [
            "p.yaml:4:11: port-mismatch: mist-to-wave takes mist, but fog-reader gives fog"
            "\n    hint: put fog-to-mist before it"
        ]

    def test_no_way(self):
        assert problems(pipeline(steps=("rain-to-wave",))) == [
            "p.yaml:4:11: port-mismatch: rain-to-wave takes rain, but tone-reader gives waveform"
            "\n    hint: no installed transform leads from one to the other"
        ]

    def test_every_output_is_looked_at(self):
        text = pipeline("  - {use: raw-writer, file: b, with: {level: 1}}", reader="fog-reader")
        assert [line.split(": ")[0] for line in problems(text)] == ["p.yaml:4:11", "p.yaml:5:11"]

    def test_a_mismatch_is_said_once_and_what_follows_is_judged_by_the_port(self):
        text = pipeline(reader="fog-reader", steps=("rain-to-wave", "same", "fog-to-mist"))
        assert [line.split(": ")[0] for line in problems(text)] == ["p.yaml:4:11", "p.yaml:6:11", "p.yaml:8:11"]

    def test_after_an_unknown_plugin_nothing_is_guessed(self):
        assert len(problems(pipeline(reader="nothing", steps=("rain-to-wave",)))) == 1

    def test_a_wider_port_may_turn_out_to_fit(self):
        class Any(Transform[Signal, Signal, NoOptions]):
            def apply(self, signal, context): ...

        assert checked(pipeline(steps=("any",)), registry_of(transforms={"any": Any})).steps[0].name == "any"

    def test_two_ways_of_one_transform_are_not_tried_for_ever(self):
        class Back(FogToMist, Transform):
            pass

        registry = registry_of(transforms={"mist-to-wave": "no_such:X", "more": FogToMist, "again": MistToWave})
        (said,) = problems(pipeline(reader="fog-reader"), registry)
        assert said.endswith("hint: put fog-to-mist and again before it")


class TestWhatIsKnownBeforehand:
    def test_what_an_encoder_cannot_write(self):
        text = pipeline(reader="tone-reader, with: {channels: 6}").replace("level: 1", "level: 1, most: 2")
        assert problems(text) == ["p.yaml:4:11: channels: raw-writer: 6 channels, but at most 2\n    hint: use fewer"]

    def test_transforms_say_what_becomes_of_it(self):
        text = pipeline(reader="tone-reader, with: {channels: 6}", steps=("mix",)).replace(
            "level: 1", "level: 1, most: 2"
        )
        assert len(checked(text, registry_of(transforms={"mix": Mixes})).steps) == 1

    def test_real_limits(self, installed):
        text = VERSION + NPY.replace("8000", "96000") + "outputs: [{use: mp3-writer, file: 'a.mp3'}]"
        assert problems(text, installed) == [
            "p.yaml:3:17: unsupported-rate: mp3-writer: MP3 cannot have a sample rate of 96000 Hz"
            "\n    hint: put resample before it, with sample_rate: 48000"
        ]
        steps = "steps: [{use: resample, with: {sample_rate: 48000}}]\noutputs"
        assert checked(text.replace("outputs", steps), installed)

    def test_a_transform_that_does_not_keep_double_precision(self):
        text = pipeline(reader="double-reader", steps=("same", "keeps", "same"))
        assert problems(text, DOUBLE) == [
            f"p.yaml:{line}:11: loses-precision: same computes in single precision, but the input has precision: double"
            "\n    hint: precision: single in the options of input"
            for line in (4, 6)
        ]
        assert checked(text.replace("double-reader", "tone-reader"), DOUBLE)

    def test_regrouping_does_not_keep_it_either_unless_it_says_so(self):
        (found,) = problems(pipeline(reader="double-reader", steps=("join",)), DOUBLE)
        assert "loses-precision: join computes in single precision" in found

    def test_transforms_that_keep_double_precision_or_leave_it_on_purpose(self):
        steps = checked(pipeline(reader="double-reader", steps=("keeps", "forgets", "halves", "same")), DOUBLE).steps
        assert [step.spec.precision for step in steps] == ["double", "double", "single", "single"]

    def test_a_transform_that_refuses(self):
        class Refuses(Same):
            def produces(self, spec):
                raise OptionError(f"{spec.sample_rate} Hz is too low", code="too-low", hint="resample first")

        assert problems(pipeline(steps=("x", "same")), registry_of(transforms={"x": Refuses})) == [
            "p.yaml:4:11: too-low: x: 8000 Hz is too low\n    hint: resample first"
        ]

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

    def test_an_encoder_that_fails_when_asked(self):
        class Odd(RawWriter):
            def accepts(self, spec):
                raise ZeroDivisionError

        (said,) = problems(pipeline(), registry_of(encoders={"raw-writer": Odd}))
        assert said.startswith("p.yaml:4:11: broken-plugin: raw-writer is disabled: ZeroDivisionError")

    def test_the_suffix_of_the_output_is_known_where_the_template_says_it(self):
        seen = []

        class Looks(Encoder[Waveform, NoOptions]):
            def encode(self, item, sink, context): ...

            def accepts(self, spec: Spec) -> None:
                seen.append((spec.suffix, spec.sample_rate, spec.signals))

        text = f"{VERSION}input: {{use: tone-reader}}\noutputs:\n"
        for name in ("a.ogg", "'{stem}.TXT'", "'{name}'", "'a.{key}'", "a"):
            text += f"  - {{use: looks, file: {name}}}\n"
        checked(text, registry_of(encoders={"looks": Looks}))
        assert [suffix for suffix, *_ in seen] == [".ogg", ".TXT", None, None, None]
        assert {tuple(rest) for _, *rest in seen} == {(8000, (Waveform,))}


class TestRequirements:
    def test_what_is_missing(self):
        class Needy(Same):
            requires = (
                Requirement(name="no_such_module", hint="pip install no-such"),
                Requirement(name="no-such-program", program=True, hint="apt install it"),
                Requirement(name="numpy", hint=""),
            )

        first, second = problems(pipeline(steps=("x",)), registry_of(transforms={"x": Needy}))
        place = "p.yaml:4:11: missing-requirement: x needs"
        assert first == f"{place} the package 'no_such_module', which is not installed\n    hint: pip install no-such"
        assert second == f"{place} the program 'no-such-program', which is not installed\n    hint: apt install it"

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


FIVE = """\
tonearm: 1
input:
  use: npy-reader
  files: "*.npy"
  with: {kind: complex, sample_rate: 22050, n_fft: 1024, hop_lenght: 256, hop_length: 256}
steps:
  - use: griffin-lim
    with: {iterations: many}
  - use: normalise
outputs:
  - use: wav-writer
    file: "../{stem}.wav"
  - use: mp3-writer
    file: "{stem}.mp3"
    with: {bitrate: 100}
"""


def test_five_mistakes_are_all_said_in_the_order_of_the_file(installed):
    assert problems(FIVE, installed) == [
        "p.yaml:5:58: unknown-option: npy-reader has no option 'hop_lenght'\n    hint: did you mean 'hop_length'?",
        "p.yaml:8:24: bad-option: griffin-lim: 'iterations' is 'many'; expected a whole number"
        "\n    hint: Number of iterations; the preset's if not given.",
        "p.yaml:9:10: unknown-plugin: there is no transform 'normalise'\n    hint: did you mean 'normalize'?",
        "p.yaml:12:11: bad-template: '../{stem}.wav' would leave the output folder\n    hint: write it without ..",
        "p.yaml:15:21: bad-option: mp3-writer: 'bitrate' is 100\n    hint: one of"
        " 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320",
    ]


class TestBindingTheDecoderAlone:
    def test_the_rest_may_be_wrong(self):
        root = read_document("input: {use: tone-reader, with: {count: 3}}\nsteps: 3", "p.yaml")
        assert bind_decoder(root, "p.yaml", registry_of()).plugin.options.count == 3

    def test_what_is_wrong_with_it(self):
        root = read_document("input: {use: tone-reader, with: {count: 0}}", "p.yaml")
        with pytest.raises(PipelineError, match="'count' is 0; expected a whole number >= 1"):
            bind_decoder(root, "p.yaml", registry_of())
