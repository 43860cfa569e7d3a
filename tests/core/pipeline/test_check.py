"""Every problem that `check` finds, as a user reads it: place, code, message, hint."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from branch_toys import REGISTRY, branched, document
from core_toys import (
    Fog,
    Join,
    RawWriter,
    Same,
    ToneOptions,
    ToneReader,
    checked,
    pipeline,
    problems,
    registry_of,
)

from tonearm.api import (
    Decoder,
    Encoder,
    InsertStep,
    NoOptions,
    OptionError,
    Requirement,
    Signal,
    Spec,
    Transform,
    Waveform,
)
from tonearm.errors import PipelineError
from tonearm.pipeline.check import bind_decoder, check
from tonearm.pipeline.document import from_plain, read_document, to_plain
from tonearm.pipeline.limits import PipelineLimits

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


class Mixes(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal, context): ...

    def produces(self, spec):
        return spec.replace(channels=1)


@dataclass(frozen=True, kw_only=True)
class DoubleOptions(ToneOptions):
    precision: str = "double"


class DoubleReader(Decoder[Waveform, DoubleOptions]):
    def decode(self, source, context):
        return ToneReader(self.options).decode(source, context)

    def produces(self):
        return ToneReader(self.options).produces().replace(precision=self.options.precision)


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


class TestWhatIsKnownBeforehand:
    def test_what_an_encoder_cannot_write(self):
        text = pipeline(reader="tone-reader, with: {channels: 6}").replace("level: 1", "level: 1, most: 2")
        assert problems(text) == ["p.yaml:4:11: channels: raw-writer: 6 channels, but at most 2\n    hint: use fewer"]

    def test_transforms_say_what_becomes_of_it(self):
        text = pipeline(reader="tone-reader, with: {channels: 6}", steps=("mix",)).replace(
            "level: 1", "level: 1, most: 2"
        )
        assert len(checked(text, registry_of(transforms={"mix": Mixes})).steps) == 1

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


class TestBindingTheDecoderAlone:
    def test_the_rest_may_be_wrong(self):
        root = read_document("input: {use: tone-reader, with: {count: 3}}\nsteps: 3", "p.yaml")
        assert bind_decoder(root, "p.yaml", registry_of()).plugin.options.count == 3

    def test_what_is_wrong_with_it(self):
        root = read_document("input: {use: tone-reader, with: {count: 0}}", "p.yaml")
        with pytest.raises(PipelineError, match="'count' is 0; expected a whole number >= 1"):
            bind_decoder(root, "p.yaml", registry_of())


class TestOutputsWithStepsOfTheirOwn:
    TEXT = """\
tonearm: 1
input: {use: fog-reader}
outputs:
  - {use: raw-writer, file: a, steps: [{use: fog-to-mist}, {use: mist-to-wave}], with: {level: 1}}
  - {use: raw-writer, file: b, STEPS, with: {level: 1}}
"""

    def said(self, steps, registry=None):
        return problems(self.TEXT.replace("STEPS", f"steps: [{steps}]"), registry)

    def test_places(self):
        found = check(from_plain(document(None, ["gain", "same"], steps=["same"])), None, REGISTRY)
        assert [stage.place.stage for stage in found.stages()] == [
            "input", "steps.0", "outputs.0", "outputs.1.steps.0", "outputs.1.steps.1", "outputs.1",
        ]  # fmt: skip
        assert [stage.name for stage in found.stages_of(found.outputs[1])] == [
            "tone-reader", "same", "gain", "same", "raw-writer",
        ]  # fmt: skip

    def test_a_step_that_one_output_lacks_goes_into_its_own_steps(self):
        assert self.said("") == [
            "p.yaml:5:11: port-mismatch: raw-writer takes waveform, but fog-reader gives fog"
            "\n    hint: put fog-to-mist and mist-to-wave at the end of its own steps"
        ]

    def test_a_step_that_all_outputs_lack_goes_into_the_shared_steps(self):
        plain = document(None, None, reader="fog-reader")
        with pytest.raises(PipelineError) as caught:
            check(from_plain(plain), None, REGISTRY)
        assert [problem.hint for problem in caught.value.problems] == [
            'put {"use": "fog-to-mist"} and {"use": "mist-to-wave"} before it'
        ] * 2
        plain["steps"] = [{"use": "fog-to-mist"}, {"use": "mist-to-wave"}]
        assert check(from_plain(plain), None, REGISTRY)

    def test_limits_are_those_of_what_the_branch_gives(self):
        class Mono(Same):
            def produces(self, spec):
                return spec.replace(channels=1)

        class Picky(RawWriter):
            def accepts(self, spec):
                if spec.channels == 2:
                    raise OptionError("no stereo", code="channels", remedies=(InsertStep("mono"),))

        registry = registry_of(transforms={"mono": Mono}, encoders={"raw-writer": Picky})
        plain = document(["mono"], None)
        plain["input"]["with"] = {"channels": 2}
        with pytest.raises(PipelineError) as caught:
            check(from_plain(plain), None, registry)
        (problem,) = caught.value.problems
        assert (problem.place.stage, problem.code) == ("outputs.1", "channels")
        assert problem.hint == 'put {"use": "mono"} at the end of its own steps'
        plain["outputs"][1]["steps"] = [{"use": "mono"}]
        assert check(from_plain(plain), None, registry)

    def test_only_names_of_the_output_that_is_split_must_tell_pieces_apart(self):
        plain = document(None, ["halves"])
        plain["outputs"][0]["file"], plain["outputs"][1]["file"] = "{stem}.raw", "{stem}-half.raw"
        with pytest.raises(PipelineError) as caught:
            check(from_plain(plain), None, REGISTRY)
        (problem,) = caught.value.problems
        assert (problem.code, "'{stem}-half.raw' does not" in problem.message) == ("same-output", True)
        plain["outputs"][1]["file"] = "{stem}-{index}.raw"
        assert check(from_plain(plain), None, REGISTRY)

    def test_joining_the_items_of_a_source_belongs_into_the_shared_steps(self):
        with pytest.raises(PipelineError) as caught:
            branched(None, ["gain", "join"])
        (problem,) = caught.value.problems
        assert (problem.code, problem.place.stage) == ("needs-all-items", "outputs.1.steps.1")
        assert problem.message == (
            "join joins the items of a source, but the steps of an output get one item at a time"
        )
        assert problem.hint == "put it into the steps of the pipeline"
        assert branched(None, ["gain"], steps=["join"])

    @pytest.mark.parametrize(
        ("outputs", "own"), [([None], [False]), ([["same"]], [True, True]), ([None, None], [True, True]),
                             ([None, ["same"]], [True, True, True])],
    )  # fmt: skip
    def test_where_a_step_before_a_stage_belongs(self, outputs, own):
        found = check(from_plain(document(*outputs, steps=["same", "same"])), None, REGISTRY)
        places = [stage.place for stage in found.stages()]
        assert [place.own_steps for place in places] == [False, False, False, *own]
        assert {place.form for place in places} == {"python"}


class TestLimits:
    def test_they_are_those_of_the_pipeline(self):
        default = checked(pipeline()).limits
        assert default == PipelineLimits()
        assert checked(pipeline("limits: {memory: 3GB}")).limits.memory == 3e9
        assert default.memory != 3e9

    def test_what_is_wrong_with_them(self):
        (said,) = problems(pipeline("limits: {memory: x}"))
        assert said.startswith("p.yaml:5:18: bad-option: limits: 'memory' is 'x'; expected a number")


class TestSpecifications:
    """A plugin is asked about the signals that it would get, and only if nothing is wrong with it."""

    class Wide(Transform[Signal, Signal, NoOptions]):
        seen: ClassVar = []

        def apply(self, signal, context): ...

        def produces(self, spec):
            self.seen.append(spec.signals)
            return spec

    def test_a_step_is_asked_about_the_classes_that_it_takes_of_those_given(self):
        registry = registry_of(transforms={"wide": self.Wide})
        self.Wide.seen.clear()
        checked(pipeline(steps=("wide",)), registry)
        problems(pipeline(reader="fog-reader", steps=("wide",)), registry)
        assert [*dict.fromkeys(self.Wide.seen)] == [(Waveform,), (Fog,)]

    def test_a_step_that_does_not_fit_is_asked_about_what_it_takes(self):
        seen = []

        class Asked(Same):
            def produces(self, spec):
                seen.append(spec.signals)
                return spec

        assert len(problems(pipeline(reader="fog-reader", steps=("x",)), registry_of(transforms={"x": Asked}))) == 1
        assert set(seen) == {(Waveform,)}

    def test_a_plugin_that_lacks_a_package_is_not_asked(self):
        class Needy(RawWriter):
            requires = (Requirement(name="no_such_module", hint=""),)

            def accepts(self, spec):
                raise ZeroDivisionError

        (said,) = problems(pipeline(), registry_of(encoders={"raw-writer": Needy}))
        assert "raw-writer needs the package 'no_such_module'" in said

    @pytest.mark.parametrize("text", ["tonearm: 1", "tonearm: 1\ninput: {with: {}}\noutputs: [{file: a}]", "3", "[]"])
    def test_stages_that_are_missing_are_no_plugins_that_are_unknown(self, text):
        assert {said.split(": ")[1] for said in problems(text)} <= {"missing-key", "wrong-shape"}

    def test_a_plugin_in_the_options_is_named_with_its_owner(self):
        @dataclass(frozen=True)
        class Options:
            step: Transform[Waveform, Waveform, Any] | None = None

        class Owner(Transform[Waveform, Waveform, Options]):
            def apply(self, signal, context): ...

            def produces(self, spec):
                raise ZeroDivisionError

        text = pipeline(steps=("owner, with: {step: same}",))
        (said,) = problems(text, registry_of(transforms={"owner": Owner}))
        assert said.startswith("p.yaml:4:11: broken-plugin: owner with same is disabled: ZeroDivisionError")


@pytest.mark.parametrize(("file", "form", "where"), [("p.yaml", None, " on line 3"), (None, "python", "")])
def test_two_outputs_of_one_name(file, form, where):
    text = f"{VERSION}input: {{use: tone-reader, with: {{count: 1}}}}\noutputs: [OUT, OUT]"
    root = read_document(text.replace("OUT", "{use: raw-writer, file: '{index}', with: {level: 1}}"), "p.yaml")
    with pytest.raises(PipelineError) as caught:
        check(root if file else from_plain(to_plain(root)), file, registry_of(), form=form)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("same-output", f"another output{where} has the name '{{index}}'")
    root = read_document(f"{VERSION}input: {{use: tone-reader}}\noutputs: [{{use: raw-writer, file: /a}}]", "p.yaml")
    with pytest.raises(PipelineError, match="'/a' is absolute"):
        check(root, file, registry_of())


def test_a_step_that_all_outputs_lack_goes_into_their_own_if_one_has_some():
    with pytest.raises(PipelineError) as caught:
        check(from_plain(document(["gain"], None, reader="fog-reader")), None, REGISTRY)
    hints = [problem.hint.rpartition("} ")[2] for problem in caught.value.problems]
    assert hints == ["before it", "at the end of its own steps"]


@dataclass(frozen=True, kw_only=True)
class SlowOptions:
    whole: bool = True


class Slow(Transform[Waveform, Waveform, SlowOptions]):
    """A step that works, but not as one expects."""

    def apply(self, signal, context):
        return signal

    def warnings(self, spec):
        if self.options.whole:
            yield OptionError(f"it takes all {spec.channels} channels at once", option="whole", code="slow")


def test_steps_may_warn():
    found = checked(pipeline(steps=("slow", "slow, with: {whole: false}")), registry_of(transforms={"slow": Slow}))
    (warning,) = found.warnings
    assert (warning.code, warning.place.stage) == ("slow", "steps.0")
    assert warning.message.startswith("slow: it takes all ")
