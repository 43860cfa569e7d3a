"""Outputs with their own steps, from the YAML to the items that encoders get."""

import pickle
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pytest
from core_toys import RATE, Fog, RawWriter, Same, checked, problems, registry_of

from tonearm.api import (
    Encoder,
    InsertStep,
    Item,
    ItemError,
    Meta,
    NoOptions,
    OptionError,
    Regroup,
    Sink,
    Source,
    Transform,
    Waveform,
)
from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import from_plain, override, read_document

SOURCE = Source(name="x.tone")
RAW = {"use": "raw-writer", "with": {"level": 1}}


@dataclass(frozen=True)
class GainOptions:
    by: Annotated[float, Meta(gt=0)] = 2.0


class Gain(Transform[Waveform, Waveform, GainOptions]):
    """Make a waveform louder, and record what it did."""

    def apply(self, signal, context):
        context.measure(gain=self.options.by)
        context.warn(f"louder by {self.options.by:g}")
        return Waveform(samples=signal.samples * np.float32(self.options.by), sample_rate=RATE)


class Halves(Regroup[Waveform, Waveform, NoOptions]):
    """Cut each item in two; every item has the same key, as in a batch of one array."""

    def regroup(self, items, context):
        for one in items:
            for samples in np.split(one.signal.samples, 2, axis=1):
                yield Item(signal=Waveform(samples=samples, sample_rate=RATE), key="k")

    def grouping(self):
        return "item"

    def produces(self, spec):
        return spec.replace(several=True)


class InPlace(Same):
    def apply(self, signal, context):
        signal.samples[:] = 0
        return signal


class Fails(Same):
    def apply(self, signal, context):
        if signal.samples[0, 0] > 0.15:
            raise ItemError("too loud", code="mine")
        return signal


class NotFinite(Same):
    def apply(self, signal, context):
        return Waveform(samples=signal.samples * np.float32("nan"), sample_rate=RATE)


REGISTRY = registry_of(
    transforms={"gain": Gain, "halves": Halves, "in-place": InPlace, "fails": Fails, "not-finite": NotFinite}
)


def document(*outputs, steps=(), reader="tone-reader"):
    """Return a pipeline with outputs that have these steps."""
    made = [RAW | {"file": f"{{stem}}-{{index}}-{number}.raw"} for number in range(len(outputs))]
    for output, own in zip(made, outputs, strict=True):
        if own is not None:
            output["steps"] = [{"use": name} if isinstance(name, str) else name for name in own]
    return {"tonearm": 1, "input": {"use": reader}, "steps": [{"use": name} for name in steps], "outputs": made}


def made(*outputs, steps=(), registry=REGISTRY, **more):
    return Converter(check(from_plain(document(*outputs, steps=steps, **more)), None, registry))


def levels(converter, number, outcomes):
    """Return what one output gets: level, key and index of each item, or the code of its error."""
    return [
        found.error.code
        if found.error
        else (round(float(found.item.signal.samples[0, 0]), 3), found.item.key, found.item.index)
        for outcome in outcomes
        for found in converter.branch(converter.outputs[number], outcome)
    ]


class TestBranch:
    def test_each_output_gets_what_its_own_steps_make_of_the_shared_signal(self):
        found = made(None, ["gain", "gain"], [{"use": "gain", "with": {"by": 3}}], steps=["gain"])
        outcomes = list(found.items(SOURCE))
        assert [round(float(one.item.signal.samples[0, 0]), 3) for one in outcomes] == [0.2, 0.4]
        assert levels(found, 0, outcomes) == [(0.2, "", 0), (0.4, "", 1)]
        assert levels(found, 1, outcomes) == [(0.8, "", 0), (1.6, "", 1)]
        assert levels(found, 2, outcomes) == [(0.6, "", 0), (1.2, "", 1)]

    def test_what_outputs_share_is_computed_once(self):
        calls = []

        class Counted(Same):
            def apply(self, signal, context):
                calls.append(1)
                return signal

        registry = registry_of(transforms={"counted": Counted, "gain": Gain})
        found = made(None, ["gain"], ["gain"], steps=["counted"], registry=registry)
        for outcome in found.items(SOURCE):
            for output in found.outputs:
                assert [one.error for one in found.branch(output, outcome)] == [None]
        assert len(calls) == 2  # items of the source

    def test_contexts_of_branches_are_apart(self):
        found = made(None, ["gain"], [{"use": "gain", "with": {"by": 3}}])
        outcome = next(iter(found.items(SOURCE)))
        first, second, third = (next(found.branch(output, outcome)).context for output in found.outputs)
        assert [context.warnings for context in (first, second, third)] == [[], ["louder by 2"], ["louder by 3"]]
        assert [context.measurements.get("gain") for context in (first, second, third)] == [None, 2.0, 3.0]
        assert {context.measurements["level"] for context in (first, second, third)} == {1}
        peaks = [context.measurements["peak_db"] for context in (first, second, third)]
        assert peaks == [-20.0, -13.98, -10.46]
        first.measure(more=1)
        assert "more" not in outcome.context.measurements

    def test_a_branch_that_ends_without_a_waveform_has_no_measurements_of_one(self):
        class ToFog(Transform[Waveform, Fog, NoOptions]):
            def apply(self, signal, context):
                return Fog()

        class FogWriter(Encoder[Fog, NoOptions]):
            def encode(self, item, sink, context): ...

        registry = registry_of(transforms={"to-fog": ToFog}, encoders={"fog-writer": FogWriter})
        plain = document(None, ["to-fog"])
        plain["outputs"][1] |= {"use": "fog-writer", "with": {}}
        found = Converter(check(from_plain(plain), None, registry))
        outcome = next(iter(found.items(SOURCE)))
        assert outcome.context.measurements["peak_db"] == -20.0
        (branch,) = found.branch(found.outputs[1], outcome)
        assert branch.context.measurements == {"level": 1}

    def test_the_shared_signal_is_measured_only_for_outputs_without_steps(self):
        assert "peak_db" not in next(iter(made(["gain"], ["gain"]).items(SOURCE))).context.measurements
        assert "peak_db" in next(iter(made(["gain"], None).items(SOURCE))).context.measurements

    def test_an_error_in_a_branch_is_that_of_its_output(self):
        found = made(None, ["fails", "gain"])
        outcomes = list(found.items(SOURCE))
        assert levels(found, 0, outcomes) == [(0.1, "", 0), (0.2, "", 1)]
        assert levels(found, 1, outcomes) == [(0.2, "", 0), "mine"]
        (failed,) = found.branch(found.outputs[1], outcomes[1])
        assert (failed.item.index, failed.error.place.stage) == (1, "outputs.1.steps.0")

    def test_an_error_before_the_branches_is_that_of_each(self):
        found = made(None, ["gain"], steps=["fails"])
        outcomes = list(found.items(SOURCE))
        assert levels(found, 0, outcomes) == [(0.1, "", 0), "mine"]
        assert levels(found, 1, outcomes) == [(0.2, "", 0), "mine"]

    def test_values_that_a_branch_made_not_finite_are_refused_under_the_name_of_its_last_step(self):
        found = made(None, ["gain", "not-finite"])
        (failed, *_) = found.branch(found.outputs[1], next(iter(found.items(SOURCE))))
        assert (failed.error.code, failed.error.place.stage) == ("not-finite", "outputs.1.steps.1")

    def test_a_step_that_would_change_the_shared_signal_fails(self):
        found = made(["in-place"], None)
        outcomes = list(found.items(SOURCE))
        assert levels(found, 0, outcomes) == ["plugin-failed"] * 2
        assert levels(found, 1, outcomes) == [(0.1, "", 0), (0.2, "", 1)]
        assert all(outcome.item.signal.samples.flags.writeable for outcome in outcomes)

    def test_the_only_output_may_have_steps(self):
        found = made(["gain"], steps=["gain"])
        assert levels(found, 0, found.items(SOURCE)) == [(0.4, "", 0), (0.8, "", 1)]

    def test_convert_gives_what_the_outputs_share(self):
        found = made(None, ["gain"], steps=["gain"])
        assert [round(float(signal.samples[0, 0]), 3) for signal in found.convert(SOURCE)] == [0.2, 0.4]

    def test_what_a_worker_gets_is_the_same(self):
        found = made(None, ["gain", "halves"], steps=["gain"])
        again = pickle.loads(pickle.dumps(found))
        for number in range(2):
            assert levels(again, number, again.items(SOURCE)) == levels(found, number, found.items(SOURCE))
        assert again.checked.outputs[1].steps[0].place == found.checked.outputs[1].steps[0].place

    def test_preflight_reaches_the_steps_of_outputs(self):
        class Unready(Same):
            def preflight(self):
                raise ItemError("no weights", code="mine")

        with pytest.raises(ItemError, match="no weights"):
            made(None, ["unready"], registry=registry_of(transforms={"unready": Unready})).preflight()

    def test_an_item_of_a_branch_can_be_written(self, tmp_path):
        found = made(None, ["gain"])
        (branch,) = found.branch(found.outputs[1], next(iter(found.items(SOURCE))))
        found.encode(found.outputs[1], branch.item, Sink(tmp_path / "a"), branch.context)
        assert np.fromfile(tmp_path / "a", "<f4")[0] == pytest.approx(0.2)


class TestRegroup:
    def test_pieces_are_numbered_over_the_whole_source_as_those_of_shared_steps_are(self):
        shared = made(None, steps=["halves"])
        own = made(None, ["halves"])
        pieces = [(0.1, "k", 0), (0.1, "k", 1), (0.2, "k", 2), (0.2, "k", 3)]
        assert levels(shared, 0, shared.items(SOURCE)) == pieces
        outcomes = list(own.items(SOURCE))
        assert levels(own, 1, outcomes) == pieces
        assert levels(own, 0, outcomes) == [(0.1, "", 0), (0.2, "", 1)]
        assert levels(own, 1, own.items(SOURCE)) == pieces  # another source begins at 0

    def test_pieces_of_each_output_are_counted_apart(self):
        found = made(["halves"], ["halves", "halves"])
        outcomes = list(found.items(SOURCE))
        assert [index for _, _, index in levels(found, 0, outcomes)] == [0, 1, 2, 3]
        assert [index for _, _, index in levels(found, 1, outcomes)] == list(range(8))

    @pytest.mark.parametrize(("own", "shared"), [(["gain", "halves"], []), (["halves"], ["gain"])])
    def test_warnings_of_steps_before_come_once_with_the_first_piece(self, own, shared):
        found = made(own, None, steps=shared)
        pieces = list(found.branch(found.outputs[0], next(iter(found.items(SOURCE)))))
        assert [piece.context.warnings for piece in pieces] == [["louder by 2"], []]
        assert [piece.context.measurements.get("level") for piece in pieces] == [1, None]
        assert {piece.context.measurements["peak_db"] for piece in pieces} == {-13.98}

    def test_nothing_is_left_out_before_pieces_are_counted(self):
        done = {("", 0)}
        plain, split = made(None, ["gain"]), made(None, ["halves"])
        assert [outcome.item.index for outcome in plain.items(SOURCE, skip=done)] == [1]
        assert [outcome.item.index for outcome in split.items(SOURCE, skip=done)] == [0, 1]


class TestCheck:
    def test_places(self):
        found = check(from_plain(document(None, ["gain", "same"], steps=["same"])), None, REGISTRY)
        assert [stage.place.stage for stage in found.stages()] == [
            "input", "steps.0", "outputs.0", "outputs.1.steps.0", "outputs.1.steps.1", "outputs.1",
        ]  # fmt: skip
        assert [stage.name for stage in found.stages_of(found.outputs[1])] == [
            "tone-reader", "same", "gain", "same", "raw-writer",
        ]  # fmt: skip

    TEXT = """\
tonearm: 1
input: {use: fog-reader}
outputs:
  - {use: raw-writer, file: a, steps: [{use: fog-to-mist}, {use: mist-to-wave}], with: {level: 1}}
  - {use: raw-writer, file: b, STEPS, with: {level: 1}}
"""

    def said(self, steps, registry=None):
        return problems(self.TEXT.replace("STEPS", f"steps: [{steps}]"), registry)

    def test_the_ports_of_each_branch_begin_at_the_shared_signal(self):
        assert checked(self.TEXT.replace("STEPS", "steps: [{use: fog-to-mist}, {use: mist-to-wave}]"))
        assert self.said("{use: mist-to-wave}") == [
            "p.yaml:5:46: port-mismatch: mist-to-wave takes mist, but fog-reader gives fog"
            "\n    hint: put fog-to-mist before it"
        ]

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
            made(None, ["gain", "join"])
        (problem,) = caught.value.problems
        assert (problem.code, problem.place.stage) == ("needs-all-items", "outputs.1.steps.1")
        assert problem.message == (
            "join joins the items of a source, but the steps of an output get one item at a time"
        )
        assert problem.hint == "put it into the steps of the pipeline"
        assert made(None, ["gain"], steps=["join"])

    def test_every_problem_of_a_branch_is_found_at_its_place(self):
        text = self.TEXT.replace("STEPS", "steps: [{use: gain, with: {by: 0}}, {use: nothing}, {used: gain}]")
        assert [line.split(": ")[:2] for line in problems(text, REGISTRY)] == [
            ["p.yaml:5:46", "port-mismatch"],
            ["p.yaml:5:63", "bad-option"],
            ["p.yaml:5:74", "unknown-plugin"],
            ["p.yaml:5:84", "missing-key"],
            ["p.yaml:5:85", "unknown-key"],
        ]

    @pytest.mark.parametrize("steps", ["steps: 3", "steps: {use: gain}", "steps: gain"])
    def test_steps_are_a_list(self, steps):
        (said,) = [line for line in problems(self.TEXT.replace("STEPS", steps), REGISTRY) if "must be a list" in line]
        assert said.endswith("\n    hint: steps: [{use: normalize}]")

    def test_one_option_of_a_branch_can_be_set(self):
        text = self.TEXT.replace("fog-reader", "tone-reader").replace("[{use: fog-to-mist}, {use: mist-to-wave}]", "[]")
        root = read_document(text.replace("STEPS", "steps: [{use: gain}]"), "p.yaml", environ={})
        found = check(override(root, "outputs.1.steps.0.with.by=5"), "p.yaml", REGISTRY)
        assert [step.plugin.options.by for step in found.outputs[1].steps] == [5.0]
        assert found.outputs[0].steps == ()


def test_provenance_is_that_of_the_output(tmp_path):
    path = tmp_path / "a.tone"
    path.write_bytes(b"content")
    found = made(None, ["gain"], steps=["same"])
    outcome = next(iter(found.items(Source(name="a.tone", path=path))))
    first, second = (next(found.branch(output, outcome)).context.provenance() for output in found.outputs)
    assert [stage["use"] for stage in first.stages] == ["tone-reader", "same", "raw-writer"]
    assert [stage["use"] for stage in second.stages] == ["tone-reader", "same", "gain", "raw-writer"]
    assert first.sha256 == second.sha256 != ""
    assert first.pipeline != second.pipeline
