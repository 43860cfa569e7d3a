"""Outputs with their own steps: places, problems and remedies, and what the outputs share."""

import numpy as np
import pytest
from branch_toys import REGISTRY, Gain, branched, document
from core_toys import Fog, Same, checked, problems, registry_of
from toy_stages import SOURCE

from tonearm.api import Encoder, ItemError, NoOptions, Sink, Transform, Waveform
from tonearm.errors.warning import TonearmWarning
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import from_plain, override, read_document


class TestBranch:
    def test_what_outputs_share_is_computed_once(self):
        calls = []

        class Counted(Same):
            def apply(self, signal, context):
                calls.append(1)
                return signal

        registry = registry_of(transforms={"counted": Counted, "gain": Gain})
        found = branched(None, ["gain"], ["gain"], steps=["counted"], registry=registry)
        for outcome in found.items(SOURCE):
            for output in found.outputs:
                assert [one.error for one in found.branch(output, outcome)] == [None]
        assert len(calls) == 2  # items of the source

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

    def test_convert_gives_what_the_outputs_share(self):
        found = branched(None, ["gain"], steps=["gain"])
        with pytest.warns(TonearmWarning, match="louder by 2"):
            assert [round(float(signal.samples[0, 0]), 3) for signal in found.convert(SOURCE)] == [0.2, 0.4]

    def test_preflight_reaches_the_steps_of_outputs(self):
        class Unready(Same):
            def preflight(self):
                raise ItemError("no weights", code="mine")

        with pytest.raises(ItemError, match="no weights"):
            branched(None, ["unready"], registry=registry_of(transforms={"unready": Unready})).preflight()

    def test_an_item_of_a_branch_can_be_written(self, tmp_path):
        found = branched(None, ["gain"])
        (branch,) = found.branch(found.outputs[1], next(iter(found.items(SOURCE))))
        found.encode(found.outputs[1], branch, Sink(tmp_path / "a"))
        assert np.fromfile(tmp_path / "a", "<f4")[0] == pytest.approx(0.2)

    @pytest.mark.parametrize(("own", "shared"), [(["gain", "halves"], []), (["halves"], ["gain"])])
    def test_warnings_of_steps_before_come_once_with_the_first_piece(self, own, shared):
        found = branched(own, None, steps=shared)
        pieces = list(found.branch(found.outputs[0], next(iter(found.items(SOURCE)))))
        assert [piece.context.warnings for piece in pieces] == [["louder by 2"], []]
        assert [piece.context.measurements.get("level") for piece in pieces] == [1, None]
        assert {piece.context.measurements["peak_db"] for piece in pieces} == {-13.98}


class TestCheck:
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
